"""The way in for tasks that read a text: pasted, from a file, or a paper of the library; and its cutting to a model's window."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from backend.domain import Json, digest
from backend.errors import InputError
from backend.literature.library import library
from backend.literature.sentences import split
from backend.tasks import Context

if TYPE_CHECKING:
    from backend.models.abilities import Reads

MOST = 100_000  # characters of one text
_SPARE = 2  # tokens that joining pieces may cost


def read_text(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json]) -> dict[str, Json]:
    """The ``read`` of every task on a text.

    Parameters
    ----------
    value : mapping
        ``text`` (with ``name``), or ``paper``, the id of a paper of the library; ``question`` where the task asks one.

    Returns
    -------
    dict
        ``{"name", "text", "sha256", "question"}`` and ``"paper"`` where it came from the library. The text is what was given, byte
        for byte: every offset of the result counts its characters.

    Raises
    ------
    InputError
        When there is no text, it is too long, or it holds no letter.
    """
    given: dict[str, Json] = {"question": " ".join(str(value.get("question") or "").split())}
    if value.get("paper"):
        stored = library(context).paper(int(value["paper"]))
        given |= {"paper": stored.id, "name": stored.paper.title, "text": stored.paper.text}
    else:
        given |= {"name": str(value.get("name") or "text"), "text": str(value.get("text") or "")}
    text = given["text"]
    if not text.strip():
        raise InputError("There is no text to read.", "Paste a text, open a file, or choose a paper of the library.")
    if len(text) > MOST:
        raise InputError(f"The text has {len(text):,} characters; at most {MOST:,} are read at once.", "Give it in parts.")
    if odd := next((at for at, letter in enumerate(text) if unicodedata.category(letter) in ("Cc", "Cs") and letter not in "\n\r\t"), None):
        raise InputError(f"Character {odd + 1:,} of the text is a control character: it is no plain text.", "Save it as UTF-8 text.")
    if not any(letter.isalpha() for letter in text):
        raise InputError("The text holds no word.", "Give a text with words in it.")
    return {**given, "sha256": digest(text)}


def question_of(value: Mapping[str, Json], example: str) -> str:
    """The question of an input that must have one.

    Raises
    ------
    InputError
        When it is missing; the hint shows an example.
    """
    if not value.get("question"):
        raise InputError("This task needs a question.", f"For example: {example}")
    return str(value["question"])


def windows(model: Reads, text: str, reserve: int = 0) -> list[tuple[int, int]]:
    """The text as spans of whole sentences that each fit what the model reads at once, less `reserve` tokens; nothing is left out.

    A sentence that is longer than the window stands alone and is cut at spaces.
    """
    room = max(8, model.window - reserve)
    spans = [piece for span in split(text) for piece in _fitting(model, text, span, room)]
    sizes = model.lengths([text[start:end] for start, end in spans])
    made: list[tuple[int, int]] = []
    used = 0
    for (start, end), size in zip(spans, sizes, strict=True):
        if made and used + size + _SPARE <= room:
            made[-1] = (made[-1][0], end)
            used += size
        else:
            made.append((start, end))
            used = size
    return made


def _fitting(model: Reads, text: str, span: tuple[int, int], room: int) -> list[tuple[int, int]]:
    start, end = span
    if end - start < 2 or model.lengths([text[start:end]])[0] <= room:
        return [span]
    middle = (start + end) // 2
    cut = text.rfind(" ", start + 1, middle)
    cut = cut if cut > start else middle
    return [*_fitting(model, text, (start, cut), room), *_fitting(model, text, (cut, end), room)]


def sentence_spans(text: str) -> Sequence[tuple[int, int]]:
    """Sentences of the text as spans of its characters."""
    return split(text)
