"""What a report is made of, before it is HTML or PDF."""

from __future__ import annotations

from dataclasses import dataclass, field

Cell = str


@dataclass(frozen=True)
class Lines:
    """Sentences; `kind` is 'text', 'list', 'quiet' (small print) or 'note' (a remark that must be seen)."""

    lines: tuple[str, ...]
    kind: str = "text"


@dataclass(frozen=True)
class Facts:
    """Names and values, one a row."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Table:
    """Rows under a head that is said again on every page; `widths` are shares of the line, `numbers` the columns set to the right."""

    head: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]
    widths: tuple[float, ...] = ()
    numbers: tuple[int, ...] = ()
    caption: str = ""


@dataclass(frozen=True)
class Drawing:
    """A figure in its true size, with its text alternative; `svg` is '' where only the picture in dots is used."""

    title: str
    words: str
    png: bytes
    width_mm: float
    height_mm: float
    svg: str = ""
    note: str = ""
    alone: bool = False  # begins a page of its own where it does not fit


Block = Lines | Facts | Table | Drawing


@dataclass(frozen=True)
class Section:
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Report:
    """A whole report; `running` stands on every page: pseudonym, visit, recording."""

    title: str
    running: str
    head: tuple[tuple[str, str], ...]
    status: str
    question: str
    impression: str
    summary: tuple[str, ...]
    sections: tuple[Section, ...]
    made: str
    simulated: bool = False
    reader: str = ""
    left_out: tuple[str, ...] = field(default=())
