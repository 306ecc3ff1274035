"""Text to tokens and back, as every writing model needs it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Protocol

Ids = Sequence[int]


class Codec(Protocol):
    """A family's way between text and tokens."""

    unknown: int | None  # token of what the vocabulary lacks

    def read(self, text: str) -> list[int]:
        """Tokens of a prompt, with the special ones that belong to it; never empty."""
        ...

    def follow(self, text: str) -> list[int]:
        """Tokens of a text that follows a prompt."""
        ...

    def spell(self, before: Ids, written: Ids) -> str:
        """The text of tokens written after others."""
        ...


def spelled(codec: Codec, before: Ids, written: Ids) -> tuple[str, tuple[str, ...]]:
    """The text of written tokens, and each token's part of it; a token that completes no letter yet has an empty part."""
    if not written:
        return "", ()
    text = _storable(codec.spell(before, written))
    ends = [0]
    for count in range(1, len(written)):
        part = _storable(codec.spell(before, written[:count]))
        same = next((i for i, (a, b) in enumerate(zip(part, text, strict=False)) if a != b), min(len(part), len(text)))
        ends.append(max(ends[-1], same))
    ends.append(len(text))
    return text, tuple(text[a:b] for a, b in pairwise(ends))


def _storable(text: str) -> str:
    """A text without the null character, which a model of bytes may write and a database cannot hold."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")
