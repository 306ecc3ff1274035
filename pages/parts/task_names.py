"""What each task is called on the pages, whatever it reads."""

from __future__ import annotations

from pages.parts.eeg.tasks import TASKS as EEG
from pages.parts.markup import plain
from pages.parts.sequence_tasks import TASKS as SEQUENCES
from pages.parts.text_tasks import TASKS as TEXTS


def title(task: str) -> str:
    """What a task is called, as Markdown."""
    if task in EEG:
        return plain(EEG[task][0])
    if task in SEQUENCES:
        return plain(SEQUENCES[task][0])
    if task in TEXTS:
        return plain(TEXTS[task][0])
    return {"literature.ask": "Question"}.get(task, plain(task))
