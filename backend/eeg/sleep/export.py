"""A staged night in the forms of other programs: epochs and statistics as CSV, the hypnogram as TSV and as EDF+ annotations."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from backend.domain import Json
from backend.eeg.sleep.statistics import NAMES, PARAMETERS, STAGES

EDF_LABELS = {stage: f"Sleep stage {stage}" for stage in STAGES} | {None: "Sleep stage ?"}
"""The texts that EDF+ gives to the stages (https://www.edfplus.info/specs/edftexts.html), '?' for what is not scored."""


def epochs_csv(prediction: Mapping[str, Json]) -> str:
    """One row an epoch: its time, stage, probabilities and what is odd about it."""
    flags: dict[int, list[str]] = {}
    for one in prediction["flags"]:
        flags.setdefault(int(one["epoch"]), []).append(str(one["flag"]))
    rows = []
    for place, (stage, probabilities) in enumerate(zip(prediction["stages"], prediction["probabilities"], strict=True)):
        chances = probabilities or [""] * len(STAGES)
        onset = place * prediction["epoch_s"]
        clock = clock_at(str(prediction["clock"]), onset)
        rows.append([place + 1, onset, clock, stage or "", *chances, "; ".join(flags.get(place + 1, []))])
    return _csv(["epoch", "onset_s", "clock", "stage", *(f"p_{stage}" for stage in STAGES), "flags"], rows)


def statistics_csv(prediction: Mapping[str, Json]) -> str:
    """One row a parameter, with its interval and unit."""
    rows = [[row["name"], row["value"], row["low"], row["high"], row["unit"]] for row in statistics_rows(prediction)]
    return _csv(["parameter", "value", "low", "high", "unit"], rows)


def statistics_rows(prediction: Mapping[str, Json]) -> list[dict[str, Any]]:
    """The parameters of the night in order: name, value, bounds ('' where there are none), unit, meaning."""
    found = prediction["statistics"]
    known = [(one.key, one.name, one.unit, one.meaning) for one in PARAMETERS]
    known += [(f"min_{stage}", f"{NAMES[stage]}, minutes", "min", f"Epochs called {NAMES[stage]}.") for stage in STAGES]
    known += [(f"pct_{stage}", f"{NAMES[stage]}, share of TST", "%", "Of total sleep time.") for stage in STAGES[1:]]
    made = []
    for key, name, unit, meaning in known:
        cell = {bound: "" if found[key][bound] is None else found[key][bound] for bound in ("value", "low", "high")}
        made.append({"key": key, "name": name, "unit": unit, "meaning": meaning, **cell})
    return made


def hypnogram_tsv(prediction: Mapping[str, Json]) -> str:
    """Onset, duration and stage of every epoch, as BIDS writes events."""
    lines = ["onset\tduration\ttrial_type"]
    length = prediction["epoch_s"]
    lines += [f"{place * length}\t{length}\t{EDF_LABELS[stage]}" for place, stage in enumerate(prediction["stages"])]
    return "\n".join(lines) + "\n"


def runs(stages: Sequence[str | None], epoch_s: float) -> list[tuple[float, float, str | None]]:
    """Stretches of one stage: onset, duration, stage."""
    made: list[tuple[float, float, str | None]] = []
    at = 0.0
    for stage, epochs in groupby(stages):
        long = sum(1 for _ in epochs) * epoch_s
        made.append((at, long, stage))
        at += long
    return made


def hypnogram_edf(prediction: Mapping[str, Json]) -> str:
    """An EDF+ file of annotations only: a stretch of each stage, with nobody's name and no date. All of it is ASCII."""
    clock = str(prediction["clock"]) or "00:00:00"
    body = "+0\x14\x14\0"
    for onset, long, stage in runs(prediction["stages"], prediction["epoch_s"]):
        body += f"+{onset:g}\x15{long:g}\x14{EDF_LABELS[stage]}\x14\0"
    body += "\0" * (len(body) % 2)
    samples = len(body) // 2
    fixed = [("0", 8), ("X X X X", 80), ("Startdate X X X X", 80), ("01.01.85", 8), (clock.replace(":", "."), 8), (512, 8), ("EDF+C", 44),
             (1, 8), (0, 8), (1, 4)]  # fmt: skip
    signal = [("EDF Annotations", 16), ("", 80), ("", 8), (-1, 8), (1, 8), (-32768, 8), (32767, 8), ("", 80), (samples, 8), ("", 32)]
    return "".join(str(value)[:width].ljust(width) for value, width in (*fixed, *signal)) + body


def clock_at(clock: str, seconds: float) -> str:
    """The time of day so many seconds after `clock` ('HH:MM:SS'); '' where the clock is not known."""
    parts = clock.split(":")
    if len(parts) != 3:
        return ""
    total = (int(parts[0]) * 3600 + int(parts[1]) * 60 + int(float(parts[2])) + int(seconds)) % 86400
    return f"{total // 3600:02d}:{total // 60 % 60:02d}:{total % 60:02d}"


def _csv(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(head)
    writer.writerows(rows)
    return out.getvalue()
