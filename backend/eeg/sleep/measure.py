"""How well nights are staged whose stages a person has scored: accuracy, kappa and F1, with intervals that respect time."""

from __future__ import annotations

import csv
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json, Profile
from backend.eeg.sleep.statistics import NAMES, STAGES, UNSCORED
from backend.errors import InputError
from backend.tasks import Context

_EPOCH_S = 30.0
_BLOCK = 20  # epochs, 10 min: drawn together, since neighbours are not independent
_DRAWS = 1000
_TABLES = {".csv", ".tsv", ".txt"}
_LABEL = re.compile(
    r"(?:(?:sleep|simulated)?[ _]*stage)?[ _:]*(w|wake|n?1|n?2|n?3|n?4|r|rem|\?|ms|m|movement(?: time)?|unknown|uns?)", re.IGNORECASE
)
_READ = {"w": "W", "wake": "W", "1": "N1", "2": "N2", "3": "N3", "4": "N3", "r": "R", "rem": "R"}
_FORM = (
    "Give a recording whose annotations are 'Sleep stage W', 'Sleep stage N1' and so on, or a recording followed by its hypnogram: a table "
    "with a column 'stage' and one row every 30 s (or with 'onset' and 'duration' in seconds), or an EDF+ file of annotations whose name "
    "holds 'hypnogram'."
)
Marks = list[tuple[float, float, str]]


def measure_sleep(context: Context, files: Sequence[Path], options: Mapping[str, Any]) -> dict[str, Json]:
    """Stage recordings and compare with the stages that a person scored.

    Epochs that the person did not score, or that touch a gap, take no part. Stage 4 counts as N3. With five recordings or more, recordings
    are drawn for the intervals; with fewer, stretches of 10 min.

    Raises
    ------
    InputError
        For a file that is not in the form, or a recording without stages.
    """
    nights = _nights(files)
    scored: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
    sure: list[float] = []
    notes: list[str] = []
    with tempfile.TemporaryDirectory(prefix="bioloom-") as folder:
        for number, (recording, hypnogram) in enumerate(nights):
            context.progress.update(number, len(nights), "Staging")
            truth, called, chance, said = _compare(context, Path(folder) / str(number), recording, hypnogram, options)
            scored.append((truth, called))
            sure += chance
            notes += [f"Recording {number + 1}: {one}" for one in said]
    metrics = _with_intervals(scored)
    metrics["mean probability of the called stage"] = {"value": float(np.mean(sure)), "low": None, "high": None}
    count = sum(len(truth) for truth, _ in scored)
    drawn = "recordings" if len(scored) >= 5 else "stretches of 10 min"
    notes.insert(0, f"{count:,} epochs in {len(scored)} recording{'' if len(scored) == 1 else 's'}; intervals from {drawn} drawn anew.")
    if len(scored) < 5:
        notes.insert(1, "They say how sure the figures are for these nights, not for other people's.")
    table = _confusion(scored)
    notes.append("Scored by a person (rows) and called (columns), " + ", ".join(STAGES) + ":")
    notes += [f"  {stage:<3}" + "".join(f"{cell:7d}" for cell in row) for stage, row in zip(STAGES, table.tolist(), strict=True)]
    return {"task": "eeg.sleep", "n": count, "systems": {"YASA": metrics}, "notes": notes, "confusion": table.tolist()}


def read_hypnogram(file: Path) -> Marks:
    """Stages of a file: onset and duration in seconds, and the label.

    Raises
    ------
    InputError
        When it is not in a known form.
    """
    if file.suffix.casefold() not in _TABLES:
        import mne

        try:
            found = mne.read_annotations(file)
        except Exception as error:  # MNE raises what its reader met
            raise InputError(f"The hypnogram {file.name} cannot be read.", _FORM) from error
        return [(float(on), float(long), str(text)) for on, long, text in zip(found.onset, found.duration, found.description, strict=True)]
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The hypnogram {file.name} cannot be read.", _FORM) from error
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise InputError(f"The hypnogram {file.name} is empty.", _FORM)
    separator = "\t" if "\t" in lines[0] else ";" if ";" in lines[0] else ","
    rows = list(csv.reader(lines, delimiter=separator))
    head = [cell.strip().casefold() for cell in rows[0]]
    column = next((head.index(name) for name in ("stage", "trial_type", "description", "hypnogram") if name in head), None)
    if column is None:
        if len(rows[0]) > 1 or stage_of(rows[0][0]) == "":
            raise InputError(f"The hypnogram {file.name} has no column 'stage'.", _FORM)
        return [(place * _EPOCH_S, _EPOCH_S, row[0]) for place, row in enumerate(rows)]
    onset = next((head.index(name) for name in ("onset", "onset_s") if name in head), None)
    long = next((head.index(name) for name in ("duration", "duration_s") if name in head), None)
    made: Marks = []
    for place, row in enumerate(rows[1:]):
        try:
            at = place * _EPOCH_S if onset is None else float(row[onset])
            made.append((at, _EPOCH_S if long is None else float(row[long]), row[column]))
        except (ValueError, IndexError) as error:
            raise InputError(f"Line {place + 2} of {file.name} is no stage with its time.", _FORM) from error
    return made


def stage_of(label: str) -> str | None:
    """The stage that a label names; None for one that says 'not scored', '' for one that names none."""
    found = _LABEL.fullmatch(label.strip())
    if found is None:
        return ""
    return _READ.get(found[1].casefold().removeprefix("n"))


def on_grid(marks: Marks, epochs: int) -> NDArray[np.int64]:
    """Stages (places in `STAGES`) on the grid of 30 s; an epoch has the stage that covers its middle."""
    made = np.full(epochs, UNSCORED, np.int64)
    for onset, duration, label in marks:
        stage = stage_of(label)
        if stage == "":
            continue
        first = int(np.ceil((onset - _EPOCH_S / 2) / _EPOCH_S))
        last = int(np.ceil((onset + max(duration, _EPOCH_S) - _EPOCH_S / 2) / _EPOCH_S))
        made[max(first, 0) : max(last, 0)] = UNSCORED if stage is None else STAGES.index(stage)
    return made


def _nights(files: Sequence[Path]) -> list[tuple[Path, Path | None]]:
    made: list[tuple[Path, Path | None]] = []
    for file in files:
        if not file.is_file():
            raise InputError(f"There is no file {file}.", "Check the path.")
        if file.suffix.casefold() in _TABLES or "hypnogram" in file.stem.casefold():
            if not made or made[-1][1] is not None:
                raise InputError(f"{file.name} is a hypnogram without a recording before it.", _FORM)
            made[-1] = (made[-1][0], file)
        else:
            made.append((file, None))
    return made


def _compare(
    context: Context, folder: Path, file: Path, hypnogram: Path | None, options: Mapping[str, Any]
) -> tuple[NDArray[np.int64], NDArray[np.int64], list[float], list[str]]:
    """Scored and called stages of one recording, kept in a folder of its own that is removed afterwards."""
    from backend.eeg.importing import import_recording
    from backend.eeg.sleep.staging import predict
    from backend.storage import open_storage

    config = replace(context.config, data=folder, database_url=f"sqlite:///{folder / 'evaluate.db'}")
    folder.mkdir(parents=True)
    storage = open_storage(config)
    try:
        visit = storage.patients.add_visit(storage.patients.add("evaluated").id, "1").id
        kept = import_recording(config, storage, visit, file, progress=context.progress)
        within = replace(context, config=config, storage=storage)
        made = predict(within, {"recording": kept.id}, dict(options.get("settings") or {}), Profile())
        marks = [(mark.onset_s, mark.duration_s, mark.label) for mark in storage.recordings.annotations(kept.id)]
    finally:
        storage.close()
    truth = on_grid(read_hypnogram(hypnogram) if hypnogram else marks, len(made.data["stages"]))
    if (truth == UNSCORED).all():
        raise InputError(f"{(hypnogram or file).name} holds no sleep stages.", _FORM)
    called = np.array([UNSCORED if stage is None else STAGES.index(stage) for stage in made.data["stages"]], np.int64)
    both = (truth != UNSCORED) & (called != UNSCORED)
    chance = [max(row) for row, there in zip(made.data["probabilities"], both, strict=True) if there]
    return truth[both], called[both], chance, list(made.warnings)


def agreement(truth: NDArray[np.integer], called: NDArray[np.integer]) -> dict[str, float]:
    """Accuracy, Cohen's kappa (1960, doi:10.1177/001316446002000104), macro-F1 and each stage's sensitivity and F1 where it occurs."""
    table = np.zeros((5, 5))
    np.add.at(table, (truth, called), 1)
    n, right = table.sum(), np.diag(table)
    expected = float((table.sum(axis=0) * table.sum(axis=1)).sum() / n**2)
    accuracy = float(right.sum() / n)
    both = table.sum(axis=0) + table.sum(axis=1)
    f1 = np.divide(2 * right, both, out=np.full(5, np.nan), where=both > 0)
    made = {
        "accuracy": accuracy,
        "kappa": (accuracy - expected) / (1 - expected) if expected < 1 else float("nan"),
        "macro-F1": float(np.nanmean(f1[table.sum(axis=1) > 0])),
    }
    for place, stage in enumerate(STAGES):
        if (of := table[place].sum()) > 0:
            made[f"sensitivity {NAMES[stage]}"] = float(right[place] / of)
            made[f"F1 {NAMES[stage]}"] = float(f1[place])
    return made


def _with_intervals(scored: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]]) -> dict[str, Json]:
    pieces = list(scored)
    if len(pieces) < 5:
        pieces = [(truth[at : at + _BLOCK], called[at : at + _BLOCK]) for truth, called in scored for at in range(0, len(truth), _BLOCK)]
    value = agreement(*(np.concatenate(one) for one in zip(*scored, strict=True)))
    rng = np.random.default_rng(0)
    draws: dict[str, list[float]] = {name: [] for name in value}
    for _ in range(_DRAWS if len(pieces) > 1 else 0):
        chosen = [pieces[at] for at in rng.integers(len(pieces), size=len(pieces))]
        for name, figure in agreement(*(np.concatenate(one) for one in zip(*chosen, strict=True))).items():
            if name in draws and np.isfinite(figure):
                draws[name].append(figure)
    made: dict[str, Json] = {}
    for name, figure in value.items():
        low, high = np.percentile(draws[name], [2.5, 97.5]) if len(draws[name]) >= 0.9 * _DRAWS else (None, None)
        made[name] = {"value": figure, "low": None if low is None else float(low), "high": None if high is None else float(high)}
    return made


def _confusion(scored: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]]) -> NDArray[np.int64]:
    table = np.zeros((5, 5), np.int64)
    for truth, called in scored:
        np.add.at(table, (truth, called), 1)
    return table
