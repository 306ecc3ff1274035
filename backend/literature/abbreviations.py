"""Abbreviations that a text defines itself, 'low back pain (LBP)': a name is of the kind of its long form.

Schwartz and Hearst 2003, "A simple algorithm for identifying abbreviation definitions in biomedical text" (PSB 8:451-462).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from backend.models.abilities import Mention

_BRACKET = re.compile(r"\(([^()]{2,30})\)")
_GENITIVE = re.compile("(?:['\u2019]|(?<=['\u2019]))s")  # with the apostrophe, or after it
_SHORT = re.compile(r"[A-Za-z0-9][\w-]{1,9}")


class Defined(NamedTuple):
    """A short form with its place, and the place of its long form."""

    short: str
    at: tuple[int, int]
    long: tuple[int, int]


def defined_in(text: str) -> list[Defined]:
    """Every 'long form (short form)' of a text, the short form's first definition only."""
    made: dict[str, Defined] = {}
    for found in _BRACKET.finditer(text):
        short = re.split(r"[,;]", found[1])[0].strip()
        if short in made or not _SHORT.fullmatch(short) or not any(each.isupper() for each in short):
            continue
        before = text[: found.start()].rstrip()
        words = min(len(short) + 5, 2 * len(short))
        low = _nth_word_from_end(before, words)
        start = _long_form(short, before, low)
        if start is not None and before[start:].casefold() != short.casefold():
            at = found.start(1)
            made[short] = Defined(short, (at, at + len(short)), (start, len(before)))
    return list(made.values())


def as_defined(text: str, mentions: Sequence[Mention]) -> list[Mention]:
    """The mentions in order of their place, every occurrence of a defined short form with the kind of its long form where that is marked.

    Where the whole long form is marked, occurrences of the short form that were not marked are added, as sure as the long form.
    """
    kinds, made = dict[str, Mention](), list(mentions)
    for each in defined_in(text):
        over = [m for m in mentions if each.long[0] <= m.start and m.end == each.long[1]]
        if over:
            kinds[each.short] = long = max(over, key=lambda m: m.end - m.start)
            if long.start == each.long[0]:
                made += _unmarked(text, each.short, long, made)
    made = [replace(m, kind=kinds[text[m.start : m.end]].kind) if text[m.start : m.end] in kinds else m for m in made]
    return sorted(made, key=lambda each: (each.start, each.end))


def whole(text: str, mentions: Sequence[Mention]) -> list[Mention]:
    """The mentions without brackets that are closed or opened outside of them; those without a letter are left out.

    So is the ending of a genitive that was marked apart: "'s" after "metformin".
    """
    made = []
    for each in mentions:
        start, end = each.start, each.end
        while start < end:
            name = text[start:end]
            if name[-1] in " ,(" or (name[-1] == ")" and name.count(")") > name.count("(")):
                end -= 1
            elif name[0] in " ,)" or (name[0] == "(" and name.count("(") > name.count(")")):
                start += 1
            else:
                break
        ending = _GENITIVE.match(text, start)
        if not (ending and ending.end() == end) and any(letter.isalpha() for letter in text[start:end]):
            made.append(replace(each, start=start, end=end))
    return made


def _unmarked(text: str, short: str, long: Mention, mentions: Sequence[Mention]) -> list[Mention]:
    found = re.finditer(rf"(?<![\w-]){re.escape(short)}(?![\w-])", text)
    spots = [spot.span() for spot in found if not any(m.start < spot.end() and spot.start() < m.end for m in mentions)]
    return [replace(long, start=start, end=end) for start, end in spots]


def _nth_word_from_end(before: str, count: int) -> int:
    starts = [found.start() for found in re.finditer(r"\S+", before)]
    return starts[-count] if len(starts) >= count else 0


def _long_form(short: str, before: str, low: int) -> int | None:
    """Where the long form begins: each letter of the short form in order from the end, the first at the beginning of a word."""
    at = len(before)
    for place in range(len(short) - 1, -1, -1):
        letter = short[place].casefold()
        if not letter.isalnum():
            continue
        at -= 1
        while at >= low and (before[at].casefold() != letter or (place == 0 and at > 0 and before[at - 1].isalnum())):
            at -= 1
        if at < low:
            return None
    return at
