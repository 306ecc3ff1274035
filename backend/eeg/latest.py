"""The newest saved result of each kind on each recording of a patient."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from backend.domain import Run
from backend.eeg.inputs import recordings_of
from backend.tasks import Context

_MOST = 2_000  # runs of a task that are looked through


def latest_runs(context: Context, recordings: Collection[str], tasks: Sequence[str]) -> dict[tuple[str, str], Run]:
    """By recording and task; a run on several recordings stands under each of them."""
    found: dict[tuple[str, str], Run] = {}
    for task in tasks:
        lacking = set(recordings)
        for summary in context.storage.runs.list(task=task, limit=_MOST):
            if not lacking:
                break
            run = context.storage.runs.get(summary.id)
            if run.prediction is None:
                continue
            for recording in lacking & set(recordings_of(run.input)):
                found[recording, task] = run
                lacking.discard(recording)
    return found
