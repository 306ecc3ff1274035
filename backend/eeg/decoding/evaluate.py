"""`bioloom evaluate eeg.calibrate`: calibrate on some files, then be judged on later ones that nothing was learned from."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from backend.domain import Json
from backend.eeg.calibrate import SETTINGS, cut_as, names
from backend.eeg.decoding import protocol
from backend.eeg.decoding.interval import effective, next_session
from backend.eeg.decoding.judge import Judged, choose, judge, measured
from backend.eeg.decoding.permutation import balanced
from backend.eeg.decoding.trials import Cut, Trials
from backend.eeg.decoding.verdict import Verdict, decide
from backend.eeg.importing import import_recording, look
from backend.errors import InputError
from backend.storage import open_storage
from backend.tasks import Context

_FIRST_BLOCK = 1000  # of the later sessions


def measure(context: Context, files: Sequence[Path], options: Mapping[str, Any]) -> dict[str, Json]:
    """Calibrate on the training files and measure on the test files; without these, by held-out stretches of the training files only.

    Parameters
    ----------
    options : mapping
        ``train``, ``test``: files; ``labels``; ``demo``: name of an embedded patient, whose given split is taken; ``models``: only these
        candidates; ``start_s``, ``stop_s``.
    """
    labels = names(options.get("labels") or [])
    with _aside(context) as inside:
        if demo := str(options.get("demo") or ""):
            train, test = _demo(inside, demo)
            labels = labels or _demo_labels()
            notes = []
        else:
            paths = [*(options.get("train") or []), *files]
            if not paths:
                raise InputError("No training files were named.", "Name them with --train, or an embedded patient with --demo.")
            train, said = _imported(inside, paths, "train")
            test, also = _imported(inside, options.get("test") or [], "test")
            notes = [*said, *also]
        settings = {**SETTINGS, "labels": labels, "start_s": options.get("start_s"), "stop_s": options.get("stop_s")}
        if settings["stop_s"] is None and not labels:
            raise InputError("The classes were not named.", "Name the labels of the events with --labels, such as T1,T2.")
        learned = cut_as(inside, train, settings)
        trials = learned.trials
        if test:
            settings |= {"start_s": trials.start_s, "stop_s": trials.start_s + trials.x.shape[2] / trials.rate}
        later = cut_as(inside, test, settings, trials.names, trials.rate) if test else None
    only = [str(name).removeprefix("eeg-") for name in options.get("models") or []]
    judged = judge(trials, only=only, seed=0, progress=context.progress)
    return _told(learned, later, judged, only, notes)


def _told(learned: Cut, later: Cut | None, judged: Judged, only: Sequence[str], notes: Sequence[str]) -> dict[str, Json]:
    trials, chosen = learned.trials, str(judged.report["candidate"])
    permuted = float(judged.report["permutation"]["p"])
    before = judged.verdict
    systems: dict[str, Json] = {}
    for row in judged.report["candidates"]:
        if "skipped" not in row:
            expected = row["next_session"]
            systems[row["name"]] = {
                "validation": {"value": row["balanced_accuracy"], "low": None, "high": None},
                "next_session": expected,
                "p": {"value": max(row["p"], permuted), "low": None, "high": None},
                "verdict": row["verdict"],
            }
    verdict, test = before, None
    if later is not None:
        block = later.trials.block + _FIRST_BLOCK
        candidates, _ = choose(trials, only, None)
        for one in candidates:
            decoder = judged.decoder if one.name == chosen else one.fit(trials, 0)
            answers = protocol.predict_new(decoder, one.material(later.trials.x, trials.rate), block).argmax(axis=1)
            found = measured(later.trials, answers)
            own = _together(judged, trials, later.trials, answers, one.name == chosen, systems[one.name], found["p"])
            systems[one.name] |= {
                "balanced_accuracy": found["balanced_accuracy"],
                "p": {"value": found["p"], "low": None, "high": None},
                "verdict": own.word,
            }
            if one.name == chosen:
                verdict, test = own, found
    else:
        for system in systems.values():
            system["balanced_accuracy"] = {"value": system["validation"]["value"], **_bounds(system["next_session"])}
    right = test or {
        "balanced_accuracy": {"value": judged.report["validation"]["balanced_accuracy"], **_bounds(judged.report["next_session"])},
        "p": permuted,
    }
    return {
        "task": "eeg.calibrate",
        "n": len(later.trials) if later is not None else len(trials),
        "verdict": verdict.word,
        "sentence": verdict.json()["sentence"],
        "reasons": list(verdict.reasons),
        "chosen": chosen,
        "balanced_accuracy": right["balanced_accuracy"],
        "p": right["p"],
        "calibration": {
            "verdict": before.word,
            "next_session": judged.report["next_session"],
            "p": permuted,
            "balanced_accuracy": judged.report["validation"]["balanced_accuracy"],
            "cut": _short(learned),
        },
        "test": {"cut": _short(later), "held": _held(judged, test)} if later is not None and test is not None else None,
        "rule": before.json()["rule"],
        "systems": systems,
        "notes": [*notes, *judged.warnings, *_notes(judged, later, test)],
    }


def _together(
    judged: Judged, trials: Trials, later: Trials, answers: np.ndarray, chosen: bool, system: Mapping[str, Any], p: float
) -> Verdict:
    """The verdict on a decoder after it met the later files: what validation and they together say of a session after them."""
    classes = len(trials.classes)
    rows = judged.report["validation"]["sessions"] if chosen else [{"value": system["validation"]["value"], "n": len(trials)}]
    right, count = [row["value"] * row["n"] for row in rows], [row["n"] for row in rows]
    for block in np.unique(later.block):
        at = later.block == block
        k, n = effective(later.y[at], answers[at], classes)
        right.append(k)
        count.append(n)
    expected = next_session(right, count, 1 / classes, "sessions")
    both = {name: trials.counts()[name] + later.counts()[name] for name in trials.classes}
    verdict = decide(min(both.values()), p, expected, classes, judged.confounded)
    value = float(balanced(later.y[None], answers[None], classes)[0])
    if verdict.word == "usable" and value < verdict.good:
        told = f"On the later files {value:.0%} were right; {verdict.good:.0%} are needed."
        return replace(verdict, word="uncertain", reasons=(told,))
    return verdict


def _held(judged: Judged, test: Mapping[str, Any]) -> bool:
    """Whether the interval that calibration told held the accuracy on the later files."""
    return bool(judged.expected.low <= test["balanced_accuracy"]["value"] <= judged.expected.high)


def _notes(judged: Judged, later: Cut | None, test: Mapping[str, Any] | None) -> list[str]:
    expected = judged.expected
    said = f"Before the later files were looked at, {expected.value:.0%} was expected ({expected.low:.0%} to {expected.high:.0%})"
    if later is None or test is None:
        return ["Without --test the figures are those of held-out stretches, and the intervals those for a next session."]
    return [f"{said}; that interval {'holds' if _held(judged, test) else 'does not hold'} what came."]


def _short(cut: Cut) -> dict[str, Json]:
    return {name: value for name, value in cut.json().items() if name in ("trials", "classes", "rate", "window_s", "left_out", "notes")}


def _bounds(interval: Mapping[str, float]) -> dict[str, float]:
    return {"low": interval["low"], "high": interval["high"]}


@contextmanager
def _aside(context: Context) -> Iterator[Context]:
    """A context with a data folder of its own that is removed at the end: what is measured on is not kept among the patients."""
    with tempfile.TemporaryDirectory(prefix="bioloom-evaluate-") as folder:
        data = Path(folder)
        if context.config.models.is_dir():
            (data / "models").symlink_to(context.config.models, target_is_directory=True)
        config = replace(context.config, data=data, database_url=f"sqlite:///{data / 'bioloom.db'}")
        storage = open_storage(config)
        try:
            yield replace(context, config=config, storage=storage)
        finally:
            storage.close()


def _imported(context: Context, paths: Sequence[Path], label: str) -> tuple[list[str], list[str]]:
    """The files as recordings of one patient, in the order given; what had to be repaired is told."""
    if not paths:
        return [], []
    storage, notes, ids = context.storage, [], []
    patient = next(iter(storage.patients.search("evaluated")), None) or storage.patients.add("evaluated")
    for number, path in enumerate(paths, 1):
        visit = storage.patients.add_visit(patient.id, f"{label} {number}").id
        looked = look(Path(path), config=context.config)
        notes += [f"{Path(path).name}: repaired. {found.sentence}" for found in looked.diagnoses if found.level == "repair"]
        kept = import_recording(context.config, storage, visit, Path(path), repairs=looked.repairs, progress=context.progress)
        ids.append(kept.id)
    return ids, notes


def _demo(context: Context, name: str) -> tuple[list[str], list[str]]:
    from backend.eeg.demo import TEST, TRAINING, add_demo

    patient = add_demo(context, name, context.progress)
    visits = {visit.label: visit.id for visit in context.storage.patients.visits(patient)}
    if TRAINING not in visits or TEST not in visits:
        raise InputError(f"The demo patient '{name}' has no labelled trials.", "Take scp1 or scp2.")
    found = [[one.id for one in context.storage.recordings.list(visit=visits[label])] for label in (TRAINING, TEST)]
    return found[0], found[1]


def _demo_labels() -> list[str]:
    from backend.eeg.demo import CLASSES

    return list(CLASSES)
