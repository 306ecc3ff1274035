"""One record's text looked at letter by letter: what has a place, what was odd, and where."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

import numpy as np

from backend.sequences.alphabets import BITS, NO_PLACE, OTHER_BIT
from backend.sequences.formats.scan import BLOCK
from backend.sequences.records import Span

MOST_SPANS = 1_000  # stretches listed of one alteration; all are counted
_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u00ad"), "-")
_SPACES = dict.fromkeys(
    map(
        ord,
        "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b\u200c\u200d\u2028\u2029\u202f\u205f\u2060\u3000\ufeff",
    ),
    "\r",  # which has no place, and no meaning inside a line
)
_COMMENT = re.compile(rb"(?m)^;[^\n]*")


@dataclass(frozen=True)
class Odd:
    """A record's text made one byte a character, where it held more than letters.

    Attributes
    ----------
    body : bytes
        The text: comment lines and odd white space taken out, odd dashes as gaps, any other character outside ASCII as ``?``.
    comments, blanks, dashes : int
        How many of each.
    foreign : tuple of (str, int, int)
        The first characters that are no letters: character, place, line within the body from 0.
    count : int
        How many there are.
    """

    body: bytes
    comments: int = 0
    blanks: int = 0
    dashes: int = 0
    foreign: tuple[tuple[str, int, int], ...] = ()
    count: int = 0

    @property
    def changed(self) -> bool:
        return bool(self.comments or self.blanks or self.dashes)


def mend(body: bytes, most: int = 5) -> Odd:
    """Look at a record that holds characters beyond letters, gaps, digits and white space."""
    blanked, comments = _COMMENT.subn(b"", body) if b";" in body else (body, 0)
    try:
        text = blanked.decode("utf-8")
    except UnicodeDecodeError:
        text = blanked.decode("latin-1")
    blanks = dashes = 0
    if not text.isascii():
        blanks = sum(text.count(chr(code)) for code in _SPACES)
        dashes = sum(text.count(chr(code)) for code in _DASHES)
        text = text.translate({**_DASHES, **_SPACES})
    plain = text.encode("ascii", "replace")
    at = np.flatnonzero(BITS[np.frombuffer(plain, dtype=np.uint8)] & OTHER_BIT)
    foreign = tuple((text[int(index)], place(plain, int(index)), plain.count(b"\n", 0, int(index))) for index in at[:most])
    return Odd(plain, comments, blanks, dashes, foreign, len(at))


def counted(body: bytes) -> bytes:
    """The characters that have a place in the user's numbering, in order."""
    return body.translate(None, NO_PLACE)


def place(body: bytes, offset: int) -> int:
    """Place of the character at an offset."""
    return len(body[:offset].translate(None, NO_PLACE)) + 1


def stretches(characters: bytes, which: bytes) -> tuple[tuple[Span, ...], int, int]:
    """Where any of the bytes `which` stand: spans from 1 (the first `MOST_SPANS`), how many stretches, how many characters."""
    table = np.zeros(256, dtype=bool)
    table[list(which)] = True
    array = np.frombuffer(characters, dtype=np.uint8)
    spans: list[Span] = []
    number = total = 0
    before = False
    opened = 0
    for low in range(0, len(array), BLOCK):
        hit = table[array[low : low + BLOCK]]
        total += int(np.count_nonzero(hit))
        edges = np.flatnonzero(np.diff(hit.view(np.int8), prepend=np.int8(before), append=hit[-1:].view(np.int8)))
        before = bool(hit[-1])
        number += int(np.count_nonzero(hit[edges]))
        for edge in edges.tolist() if len(spans) <= MOST_SPANS else ():
            if hit[edge]:
                opened = low + edge + 1
            else:
                spans.append((opened, low + edge))
            if len(spans) > MOST_SPANS:
                break
    if before and len(spans) <= MOST_SPANS:
        spans.append((opened, len(array)))
    return tuple(spans[:MOST_SPANS]), number, total


def stand_before(body: bytes, which: bytes) -> tuple[tuple[Span, ...], int]:
    """Places before which characters without a place stand inside the record, and how many stretches of them there are."""
    spans: list[Span] = []
    at = last = number = 0
    for found in re.finditer(rb"[" + re.escape(which) + rb"]+", body):
        number += 1
        if len(spans) < MOST_SPANS:
            at += len(body[last : found.start()].translate(None, NO_PLACE))
            last = found.end()
            if not spans or spans[-1][0] != at + 1:
                spans.append((at + 1, at + 1))
    return tuple(spans), number


def named(character: str) -> str:
    """A character for a message: itself, and its Unicode name where it looks like another.

    >>> named("!")
    "'!'"
    """
    if character.isascii() and character.isprintable():
        return f"'{character}'"
    name = unicodedata.name(character, f"character {ord(character):#x}").lower()
    return f"'{character}' ({name})" if character.isprintable() else f"an unprintable character ({name})"


def listed(spans: tuple[Span, ...], most: int = 6) -> str:
    """Spans for a sentence: '12, 40-44 and 3 more'."""
    words = [f"{first:,}" if first == last else f"{first:,}-{last:,}" for first, last in spans[:most]]
    more = len(spans) - most
    return ", ".join(words) + (f" and {more:,} more" if more > 0 else "")
