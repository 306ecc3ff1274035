"""Plain text: the first line is the title, the rest the body."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backend.domain import Paper, Skipped
from backend.literature.formats.compose import clean, make_paper
from backend.literature.formats.plain import read_text
from backend.literature.formats.source import Source


def read(source: Source) -> Iterator[Paper | Skipped]:
    """The one paper of the file; paragraphs (parted by a blank line) keep their parting."""
    title, _, body = read_text(source).strip().partition("\n")
    paragraphs = "\n".join(filter(None, map(clean, re.split(r"\n\s*\n", body))))
    yield make_paper(clean(title), [("", paragraphs, None)], source="text") or Skipped("the file", "It holds no text.")
