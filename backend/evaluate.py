"""The road over a labelled file: which tasks can be measured on one's own data, and how to ask for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from backend.domain import Json
from backend.eeg.decoding.evaluate import measure as measure_calibration
from backend.errors import InputError
from backend.literature.measure import measure_retrieval
from backend.progress import Progress
from backend.tasks import Context, tasks

Measure = Callable[[Context, Sequence[Path], Mapping[str, Any]], dict[str, Json]]

_BESIDES: dict[str, Measure] = {
    "literature.retrieve": measure_retrieval,  # no task of its own
    "eeg.calibrate": measure_calibration,  # uses the task, which therefore cannot name it
}


def evaluations() -> dict[str, Measure]:
    """What can be measured on labelled data, by name: tasks that say how, and the search."""
    return _BESIDES | {name: found.measure for name, found in tasks().items() if found.measure is not None}


def evaluate(
    context: Context, task: str, files: Sequence[Path], options: Mapping[str, Any] | None = None, progress: Progress | None = None
) -> dict[str, Json]:
    """Measure `task` on labelled `files`.

    Parameters
    ----------
    options : mapping
        ``corpus``: files whose documents join the library (literature); ``wildtype``: file of the unchanged sequence
        (protein.variants); ``models``: names of the models to measure; ``unseen``: only questions, texts or pairs that the readers
        of ours were not trained on (literature.verdict, .evidence, .entities, .relations); ``train``, ``test``, ``labels``,
        ``demo``: recordings to calibrate on and to be judged on, their classes, or an embedded patient (eeg.calibrate).

    Returns
    -------
    dict
        ``{"task", "n", "systems": {name: {metric: {"value", "low", "high"}}}, "notes": [...]}`` with 95% intervals. Where it is known
        also ``seen``, the warning for each system that was trained on some of the cases, and ``clear``, for pairs of systems whether
        a test on the same cases tells them apart.

    Raises
    ------
    InputError
        For a task that cannot be measured, or files that are not in its form.
    """
    known = evaluations()
    if task not in known:
        raise InputError(f"'{task}' cannot be measured on a file.", f"Tasks that can: {', '.join(sorted(known))}.")
    return known[task](context.watched(progress) if progress else context, files, options or {})
