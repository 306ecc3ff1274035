"""The named things that a model marks in a whole text, window after window, places as characters of the text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from backend.errors import ModelError
from backend.literature.abbreviations import as_defined, whole
from backend.literature.reading import AT_ONCE
from backend.progress import Progress

if TYPE_CHECKING:
    from backend.models.abilities import Marks, Mention


def name_things(model: Marks, text: str, spans: Sequence[tuple[int, int]], progress: Progress) -> list[Mention]:
    """What `mark` finds, with whole names, and with what the text itself says its abbreviations stand for."""
    return as_defined(text, whole(text, mark(model, text, spans, progress)))


def mark(model: Marks, text: str, spans: Sequence[tuple[int, int]], progress: Progress) -> list[Mention]:
    """Every mention in order of its place.

    Raises
    ------
    ModelError
        When the model names a place that is not in its window: the result could not be shown word for word.
    Cancelled
        When the person asked to stop.
    """
    found: list[Mention] = []
    for at in range(0, len(spans), AT_ONCE):
        progress.check()
        batch = spans[at : at + AT_ONCE]
        for (start, end), mentions in zip(batch, model.mentions([text[start:end] for start, end in batch]), strict=True):
            for each in mentions:
                if not 0 <= each.start < each.end <= end - start:
                    raise ModelError("The model marked a place outside of the text that it was given.", "Choose another model.")
                found.append(replace(each, start=each.start + start, end=each.end + start))
        progress.update(at + len(batch), len(spans), f"{at + len(batch):,} of {len(spans):,} parts of the text read")
    return sorted(found, key=lambda each: (each.start, each.end))
