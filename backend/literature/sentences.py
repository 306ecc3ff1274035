"""Sentences of a paper as character spans of its stored text; nothing is rewritten, so every quote stays verbatim."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backend.domain import Paper

# A full stop after these does not end a sentence. Lower case, without the stop.
_ABBREVIATIONS = frozenset(
    """
    al approx ave ca cf chap co corp dept dr e.g eq eqs esp est etc fig figs i.e inc jr lat lt mr mrs ms no nos nr p.o pp prof
    ref refs resp s.c i.v i.m i.p sp spp st subsp suppl tab univ var viz vol vs wt
    """.split()
)
_END = re.compile(r"""[.!?]+["'”’)\]]*(?=\s)""")
_NEXT = re.compile(r"""\s+["'“‘(\[]*([A-Z0-9À-ÖØ-Þ\u0370-\u03ff\u0400-\u042f>=<≥≤±~])""")
_LAST_WORD = re.compile(r"(\S+?)[.!?]+[\"'”’)\]]*$")
_OTHER_END = re.compile(r"[。！？]")  # scripts that put no space after a sentence
_LONGEST = 1_200  # characters; a longer 'sentence' is a table or a list and is cut at a line or clause


def split(text: str, start: int = 0, end: int | None = None) -> list[tuple[int, int]]:
    """Spans (half-open, characters of `text`) of the sentences between `start` and `end`, without outer white space."""
    end = len(text) if end is None else end
    spans: list[tuple[int, int]] = []
    for block_start, block_end in _blocks(text, start, end):
        at = block_start
        for stop in _stops(text, block_start, block_end):
            _add(spans, text, at, stop)
            at = stop
        _add(spans, text, at, block_end)
    return spans


def sentences(paper: Paper) -> list[tuple[int, int]]:
    """Spans of the sentences of a paper's body; of its title where it has no body. No sentence crosses a section."""
    if not paper.sections:
        body = len(paper.title) + 2 if paper.text.startswith(f"{paper.title}\n\n") else 0
        return split(paper.text, body) or split(paper.text)
    return [span for section in paper.sections for span in split(paper.text, section.start, section.end)]


def _blocks(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Paragraphs: an empty line always ends a sentence."""
    at = start
    for gap in re.compile(r"\n\s*\n").finditer(text, start, end):
        yield at, gap.start()
        at = gap.end()
    yield at, end


def _stops(text: str, start: int, end: int) -> Iterator[int]:
    found = [m.end() for m in _END.finditer(text, start, end) if _ends_sentence(text, m, start, end)]
    found += [m.end() for m in _OTHER_END.finditer(text, start, end)]
    yield from sorted(set(found))


def _ends_sentence(text: str, match: re.Match[str], start: int, end: int) -> bool:
    follows = _NEXT.match(text, match.end(), end)
    if follows is None:
        return False
    mark = match.group()
    if mark[0] in "!?":
        return True
    word = _LAST_WORD.search(text, max(start, match.start() - 30), match.end())
    last = word.group(1).lstrip("([\"'“‘") if word else ""
    if re.fullmatch(r"(?:[A-Z]\.)+[A-Z]", last) or (last.isdigit() and text[start : match.start()].strip() == last):
        return False  # 'U.V.', or the '2.' of a numbered statement
    if last.isdigit() and len(last) < 3 and text[max(start, match.start() - 4) : match.start() - len(last)].rstrip()[-1:] in ".!?":
        return False
    if last.lower() in _ABBREVIATIONS:
        # 'no.' and 'vol.' abbreviate only before a figure; anywhere else they are words
        return last.lower() in {"no", "co", "p.o", "i.v", "s.c", "etc"} and not follows.group(1).isdigit() and len(last) > 1
    # A lone capital is an initial or a genus ('E. Coli', 'J. Smith'), unless it closes a name such as 'vitamin D' or 'group A'.
    if len(last) == 1 and last.isupper():
        before = text[max(start, match.start() - 14) : match.start() - 1].strip().lower()
        return before.endswith(("vitamin", "group", "type", "hepatitis", "class", "grade", "table", "phase", "factor", "protein"))
    return True


def _add(spans: list[tuple[int, int]], text: str, start: int, end: int) -> None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    while end - start > _LONGEST:
        cut = max(text.rfind("\n", start, start + _LONGEST), text.rfind("; ", start, start + _LONGEST) + 1)
        if cut <= start:
            cut = text.rfind(" ", start, start + _LONGEST)
        if cut <= start:
            cut = start + _LONGEST
        _add(spans, text, start, cut)
        start = cut
        while start < end and text[start].isspace():
            start += 1
    if end > start:
        spans.append((start, end))
