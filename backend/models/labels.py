"""What the classes of a fine-tuned head mean: marks on words (IO, BIO, BIOES, BILOU), verdicts, and the class that states no relation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.errors import ModelError

_PART = re.compile(r"^([BIOESLU])(?:[-_](.+))?$")
_TAIL = re.compile(r"^(.+)[-_]([BIESLU])$")
ONLY = "entity"  # the kind where labels name none: B, I, O
_VERDICTS = {"yes": 0, "y": 0, "no": 1, "n": 1, "maybe": 2, "unsure": 2, "uncertain": 2}
_NONE = frozenset({"false", "no relation", "none", "na", "n a", "neg", "negative", "other", "null", "ddi false", "no", "cpr false", "not"})


@dataclass(frozen=True)
class Scheme:
    """The labels of a head on words.

    Attributes
    ----------
    parts : tuple of str
        For each label its part: B, I, E, S, or O for none (L and U of BILOU are E and S).
    names : tuple of str
        For each label its kind; '' for O.
    """

    parts: tuple[str, ...]
    names: tuple[str, ...]

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of things, verbatim, in the order of the labels."""
        return tuple(dict.fromkeys(name for name in self.names if name))

    def columns(self, kind: str) -> list[int]:
        """Labels that mark this kind."""
        return [at for at, name in enumerate(self.names) if name == kind]


def read_scheme(labels: Sequence[str], title: str) -> Scheme:
    """The scheme of labels such as ``B-Chemical``, ``I-Chemical``, ``O``, or plain kinds beside ``O`` (IO).

    Raises
    ------
    ModelError
        When no label says 'outside', or labels are only numbered.
    """
    parts, names = zip(*(_read(label) for label in labels), strict=True) if labels else ((), ())
    if "O" not in parts or not any(names) or any(re.fullmatch(r"LABEL_\d+", label) for label in labels):
        raise ModelError(
            f"The labels of {title} ({', '.join(labels[:6])}) do not say what they mark.",
            "Its config.json needs 'id2label' with labels such as O, B-Disease, I-Disease.",
        )
    return Scheme(tuple(parts), tuple(names))


def _read(label: str) -> tuple[str, str]:
    text = label.strip()
    if text.upper() in ("O", "OUT", "OUTSIDE", "0"):
        return "O", ""
    if (found := _PART.match(text)) is not None:
        part, kind = found.group(1), found.group(2) or ONLY
    elif (found := _TAIL.match(text)) is not None:
        part, kind = found.group(2), found.group(1)
    else:
        part, kind = "I", text
    return {"L": "E", "U": "S"}.get(part, part), kind


def join(scheme: Scheme, chosen: Sequence[int]) -> list[tuple[int, int, str]]:
    """Labels of consecutive words to marked stretches (first word, word after the last, kind).

    Lenient as the field's scorers are: an I without a B begins a stretch, and so does one of another kind.
    """
    made: list[tuple[int, int, str]] = []
    begun: tuple[int, str] | None = None
    for at, label in enumerate([*chosen, -1]):
        part, kind = ("O", "") if label < 0 else (scheme.parts[label], scheme.names[label])
        goes_on = begun is not None and part in ("I", "E") and kind == begun[1]
        if begun is not None and not goes_on:
            made.append((begun[0], at, begun[1]))
            begun = None
        if part != "O" and begun is None:
            begun = (at, kind)
        if part in ("E", "S") and begun is not None:
            made.append((begun[0], at + 1, begun[1]))
            begun = None
    return made


def verdict_columns(labels: Sequence[str]) -> dict[int, int] | None:
    """For each label its column among yes, no, maybe; None where the labels are something else."""
    plain = [re.sub(r"^(label|answer|class)[\s_-]+", "", label.strip().lower()) for label in labels]
    if not all(each in _VERDICTS for each in plain):
        return None
    found = {at: _VERDICTS[each] for at, each in enumerate(plain)}
    return found if {0, 1} <= set(found.values()) else None


def is_none(label: str) -> bool:
    """Whether a class says that there is no relation."""
    return " ".join(re.split(r"[\W_]+", label.lower())).strip() in _NONE


def best_spans(
    starts: NDArray[np.float64], ends: NDArray[np.float64], firsts: Sequence[int], lasts: Sequence[int], longest: int
) -> NDArray[np.float64]:
    """Scores of spans of whole words, shape (words, longest): start logit of a span's first piece plus end logit of its last.

    Parameters
    ----------
    firsts, lasts : sequence of int
        First and last piece of each word.
    longest : int
        Words of the longest span; spans that leave the text score minus infinity.
    """
    count = len(firsts)
    made = np.full((count, longest), -np.inf)
    begin, close = starts[list(firsts)], ends[list(lasts)]
    for extra in range(min(longest, count)):
        made[: count - extra, extra] = begin[: count - extra] + close[extra:]
    return made
