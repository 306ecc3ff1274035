"""How the stored text of a paper is made: cleaning, and the offsets of its sections."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from backend.domain import Paper, Section

# C0 and C1 controls, lone surrogates, byte order mark, and the marks that reverse the order in which text is shown
_REMOVED = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff\ufeff\u202a-\u202e\u2066-\u2069]")
_DOI = re.compile(r"10\.\d{4,9}/\S+")


def strip_controls(text: str) -> str:
    """`text` without control characters, line ends made ``\\n``; no letter is changed (no Unicode normalisation)."""
    return _REMOVED.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def clean(text: str | None) -> str:
    """`text` without control characters, every run of white space made one space.

    Letters stay as they are in the file: no Unicode normalisation, and markup such as ``<script>`` stays literal text.
    """
    return " ".join(_REMOVED.sub("", text).split()) if text else ""


def clean_doi(text: str | None) -> str:
    """The bare DOI in `text` (without address or prefix), or ''."""
    found = _DOI.search(clean(text))
    return found.group().rstrip(".,;") if found else ""


def year_of(text: str | None) -> int | None:
    """The first year between 1500 and 2199 in `text`."""
    found = re.search(r"(?<!\d)(1[5-9]|2[01])\d\d(?!\d)", text or "")
    return int(found.group()) if found else None


def make_paper(title: str, parts: Iterable[tuple[str, str, int | None]] = (), **fields: Any) -> Paper | None:
    """A paper whose text is the title, a blank line and the parts of its body; None when both are empty.

    Parameters
    ----------
    title : str
        Cleaned title.
    parts : iterable of (label, text, page)
        Cleaned parts of the body; empty ones are left out.
    **fields
        Further fields of `Paper`.
    """
    text = title + "\n\n"
    sections: list[Section] = []
    for label, part, page in parts:
        if not part:
            continue
        if sections:
            text += "\n\n"
        sections.append(Section(label, len(text), len(text) + len(part), page))
        text += part
    return Paper(text=text, title=title, sections=tuple(sections), **fields) if title or sections else None
