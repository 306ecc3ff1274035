"""Files of papers, read by what they hold rather than by what they are called."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from backend.config import Limits
from backend.domain import Paper, Skipped
from backend.errors import InputError
from backend.literature.formats import pubmed_xml
from backend.literature.formats.source import Source
from backend.progress import Progress, Silent


@dataclass(frozen=True)
class Format:
    """A kind of file: its name, the suffixes it usually has, and how it is called in a message."""

    name: str
    suffixes: tuple[str, ...]
    title: str
    read: Callable[[Source], Iterator[Paper | Skipped]]


FORMATS = {
    item.name: item
    for item in (
        Format("pubmed-xml", (".xml",), "PubMed XML", pubmed_xml.read),
    )
}


def format_of(path: Path, name: str | None = None) -> str:
    return "pubmed-xml"


def read_papers(path: Path, name: str | None = None, limits: Limits = Limits(), progress: Progress = Silent()) -> Iterator[Paper | Skipped]:
    """Every paper of a file, one after another."""
    source = Source(Path(path), name or Path(path).name, limits, progress)
    yield from FORMATS[format_of(path, name)].read(source)
