"""The road over a labelled file: which tasks can be measured on one's own data, and how to ask for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from backend.domain import Json
from backend.errors import InputError
from backend.literature.measure import measure_retrieval
from backend.progress import Progress
from backend.tasks import Context

EVALUATIONS: dict[str, Callable[[Context, Sequence[Path], Sequence[Path]], dict[str, Json]]] = {
    "literature.retrieve": measure_retrieval,
}


def evaluate(
    context: Context, task: str, files: Sequence[Path], corpus: Sequence[Path] = (), progress: Progress | None = None
) -> dict[str, Json]:
    """Measure `task` on labelled `files`; further documents may come from `corpus`.

    Returns
    -------
    dict
        ``{"task", "n", "systems": {name: {metric: {"value", "low", "high"}}}, "notes": [...]}`` with 95% intervals.

    Raises
    ------
    InputError
        For a task that cannot be measured, or files that are not in its form.
    """
    if task not in EVALUATIONS:
        raise InputError(f"'{task}' cannot be measured on a file.", f"Tasks that can: {', '.join(EVALUATIONS)}.")
    return EVALUATIONS[task](context.watched(progress) if progress else context, files, corpus)
