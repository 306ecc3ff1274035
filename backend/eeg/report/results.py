"""What saved analyses add to a report: blocks for their section, and the sentences that its summary takes over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from backend.domain import Run
from backend.eeg.report.drawing import BLUE, GREEN, ORANGE, SKY, VERMILLION, hypnogram, spectrum
from backend.eeg.report.parts import Block, Lines, Table

Made = tuple[Sequence[Block], Sequence[str]]
NOTHING: Made = ((), ())
STAGE_COLOURS = {"W": ORANGE, "R": VERMILLION, "N1": SKY, "N2": BLUE, "N3": GREEN}


def background(run: Run | None) -> Made:
    """Alpha peak, bands by region, left against right."""
    if run is None or run.prediction is None:
        return NOTHING
    found = run.prediction
    blocks: list[Block] = [Lines(tuple(found["text"]))]
    for state in found["states"]:
        if state["reason"]:
            continue
        name = {"not said": "Eyes not said to be open or closed"}.get(state["state"], state["state"].capitalize())
        blocks.append(spectrum(state, f"{name}: spectra by region"))
        rows = []
        regions = list(dict.fromkeys(power["region"] for power in state["powers"]))
        sides = {(side["region"], side["band"]): side["ratio"] for side in state["sides"]}
        for region in regions:
            for power in (one for one in state["powers"] if one["region"] == region):
                ratio = sides.get((region, power["band"]))
                rows.append(
                    (
                        region.capitalize() if power["band"] == "delta" else "",
                        power["band"],
                        interval(power["absolute"], 0 if power["absolute"]["value"] >= 100 else 1),
                        interval(power["relative"], 0, 100),
                        interval(ratio, 2) if ratio else "",
                    )
                )
        head = ("Region", "Band", "Power (µV²)", "Share of 1-30 Hz (%)", "Left over right")
        caption = f"{name}; 95% intervals in brackets; {state['clean_s']:.0f} s of clean signal, {found['reference']}"
        blocks.append(Table(head, tuple(rows), (2, 1.2, 3.2, 3, 3), (2, 3, 4), caption))
    return [*blocks, *_cautions(run)], [
        line for line in found["text"] if not line.startswith(("Left ", "Only waking")) or "over 1 Hz" in line
    ]


def sleep(run: Run | None, width_mm: float = 174.0) -> Made:
    """Hypnogram of that width, statistics with their intervals, and what limits them."""
    if run is None or run.prediction is None:
        return NOTHING
    found = run.prediction
    stages = [stage or "" for stage in found["stages"]]
    sure = [max(row) if row else float("nan") for row in found["probabilities"]]
    blocks: list[Block] = [
        Lines(tuple(found["text"])),
        hypnogram(stages, float(found["epoch_s"]), found["clock"], STAGE_COLOURS, sure, width_mm),
    ]
    if rows := _sleep_rows(found):
        caption = "Between lights off and lights on. Intervals tell of the classifier's own doubt only"
        blocks.append(Table(("Measure", "Value", "95% interval"), rows, (4, 3, 3), (1, 2), caption))
    return [*blocks, *_cautions(run)], [line for line in found["text"] if not line.startswith("Staged from")]


def _sleep_rows(found: Mapping[str, Any]) -> tuple[tuple[str, ...], ...]:
    from backend.eeg.sleep.statistics import NAMES, PARAMETERS

    numbers = found.get("statistics") or {}
    rows = []
    for parameter in PARAMETERS:
        if (number := numbers.get(parameter.key)) and number["value"] is not None:
            rows.append((parameter.name, _figure(number["value"], parameter.unit), _bounds(number)))
    for stage, name in NAMES.items():
        minutes, share = numbers.get(f"min_{stage}"), numbers.get(f"pct_{stage}")
        if minutes and minutes["value"] is not None:
            part = f" ({share['value']:.0f}% of TST)" if share and share["value"] is not None else ""
            rows.append((name, f"{minutes['value']:.1f} min{part}", _bounds(minutes)))
    return tuple(rows)


def quality(run: Run | None) -> Made:
    """Channels with a fault, and what it is."""
    if run is None or run.prediction is None:
        return NOTHING
    found = run.prediction
    channels: Sequence[Mapping[str, Any]] = found["channels"]
    faulty = [one for one in channels if one["why"]]
    suggested = [one["name"] for one in channels if one["suggested"]]
    line = f"Technical quality: {len(channels) - len(suggested)} of {len(channels)} channels usable by the measured limits"
    line += f"; suggested as bad: {', '.join(suggested[:12])}{' and more' if len(suggested) > 12 else ''}." if suggested else "."
    blocks: list[Block] = [Lines((line,))]
    if faulty:
        rows = tuple(
            (one["name"], "; ".join(one["why"]), "suggested as bad" if one["suggested"] else "", "called bad" if one["marked"] else "")
            for one in sorted(faulty, key=lambda one: -float(one["share"]))
        )
        blocks.append(Table(("Channel", "Found", "Suggestion", "By the reader"), rows, (1.4, 7, 2, 1.6)))
    return [*blocks, *_cautions(run)], [line]


def spindles(run: Run | None) -> Made:
    """Densities by stage, and how far the two detectors agree."""
    if run is None or run.prediction is None:
        return NOTHING
    found = run.prediction
    rows = []
    for channel in found["channels"]:
        for n, part in enumerate(channel["summary"]):
            density, f1 = part["density"], part["agreement"]["f1"]
            numbers = [interval(density[name], 1) if density[name] else "" for name in ("network", "second", "both")]
            agreed = "" if not f1 else f"{f1['value']:.2f}"
            rows.append((channel["name"] if n == 0 else "", "+".join(part["stages"]), f"{part['minutes']:.0f}", *numbers, agreed))
    head = ("Channel", "Stages", "Minutes", "Network, a minute", "YASA, a minute", "Both, a minute", "F1")
    table = Table(
        head, tuple(rows), (2, 1.5, 1.3, 2.6, 2.6, 2.6, 1), (2, 3, 4, 5, 6), "Density with its 95% interval; F1: agreement of the two"
    )
    return [Lines(tuple(found["text"])), table, *_cautions(run)], list(found["text"])[:2]


def decoder(calibrated: Run | None, decoded: Run | None) -> Made:
    """Verdict of the calibration with its candidates, and what it gave on this recording."""
    blocks: list[Block] = []
    summary: list[str] = []
    if calibrated is not None and calibrated.prediction is not None:
        found = calibrated.prediction
        blocks.append(Lines(tuple(found["text"])))
        rows = tuple(
            (
                one["title"],
                "" if one.get("skipped") else interval(one["next_session"], 0, 100),
                "" if one.get("skipped") else f"{one['p']:.3g}",
                f"not tried: {one['skipped']}" if one.get("skipped") else _VERDICTS.get(one["verdict"], one["verdict"]),
            )
            for one in found["candidates"]
        )
        caption = "Right decisions expected in the next session, each class counting the same, with 95% interval"
        blocks.append(Table(("Candidate", "Expected (%)", "p", "Verdict"), rows, (4, 2.4, 1.2, 4), (1, 2), caption))
        blocks.append(Lines((found["verdict"]["rule"],), "quiet"))
        blocks += _cautions(calibrated)
        summary.append(f"Decoder: {found['text'][0]}")
        summary += [line for line in found["text"] if line.startswith("In the next session")]
    made, lines = _told(decoded)
    return [*blocks, *made], [*summary, *lines]


_VERDICTS = {"usable": "usable", "uncertain": "uncertain", "undecodable": "cannot be decoded"}


def _told(run: Run | None) -> Made:
    """Of an analysis that says in sentences what it found: these, and its warnings."""
    if run is None or run.prediction is None:
        return NOTHING
    lines = tuple(str(line) for line in run.prediction.get("text", ()))
    return [Lines(lines), *_cautions(run)], lines[:1]


def _cautions(run: Run) -> list[Block]:
    """What the analysis warned of; that a recording is simulated stands on every page already."""
    told = [warning for warning in run.warnings if not warning.startswith(("This recording is simulated", "This night is simulated"))]
    return [Lines(tuple(told[:8]), "note")] if told else []


def interval(number: Mapping[str, Any], digits: int, factor: float = 1) -> str:
    """'9.6 (9.3-9.9)'."""
    body = f"{number['value'] * factor:.{digits}f}"
    if number["low"] is None:
        return body
    return f"{body} ({number['low'] * factor:.{digits}f}-{number['high'] * factor:.{digits}f})"


def _figure(value: float, unit: str) -> str:
    digits = 0 if not unit else 1
    return f"{value:.{digits}f}{' ' if unit and unit != '%' else ''}{unit}"


def _bounds(number: Mapping[str, Any]) -> str:
    return "" if number.get("low") is None else f"{number['low']:.1f} to {number['high']:.1f}"
