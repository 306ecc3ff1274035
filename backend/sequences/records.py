"""What a sequence file holds: records with everything that had to be changed, and the way back to the user's own numbering."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np

from backend.domain import Json

Kind = Literal["protein", "dna", "rna"]
KINDS: tuple[Kind, ...] = ("protein", "dna", "rna")

Span = tuple[int, int]
"""First and last position, both counted from 1 and both included, as biologists number."""


NOTICES = frozenset({"ambiguous", "rare", "description", "features"})
"""Alterations that leave every letter as it was given: they tell what no model can be sure of, or what is shown in part."""


@dataclass(frozen=True)
class Alteration:
    """One thing that reading had to change, or that a model will not see as it stands.

    Attributes
    ----------
    what : str
        A stable word: ``case``, ``gap``, ``stop``, ``space``, ``digit``, ``u_to_t``, ``t_to_u``, ``ambiguous``, ``renamed``, ...
    text : str
        The same in a sentence for the reader, with what stood there and what stands there now.
    spans : tuple of (int, int)
        Where, in the user's own numbering: characters of the record as it was given; gaps count, white space, line ends and
        digits do not. What has no place itself (``digit``, ``space``) is told by the place of the letter after it.
    """

    what: str
    text: str
    spans: tuple[Span, ...] = ()

    @property
    def altering(self) -> bool:
        """False for a notice, which leaves every letter as it was given."""
        return self.what not in NOTICES

    def json(self) -> dict[str, Json]:
        return {"what": self.what, "text": self.text, "spans": [list(span) for span in self.spans]}


@dataclass(frozen=True)
class Feature:
    """An annotated stretch of a record (GenBank, EMBL): spans in the user's numbering, strand 1 or -1."""

    kind: str
    spans: tuple[Span, ...]
    strand: int = 1
    name: str = ""


@dataclass(frozen=True)
class Entry:
    """One record of a preflight: what it is, what was altered, or why it is refused.

    Attributes
    ----------
    id : str
        Unique within the file; `name` is what the file called it.
    kind : str
        ``protein``, ``dna``, ``rna``, or ``ambiguous``, where `choices` names what it may be and the person must say.
    why : str
        Why it was taken for that kind.
    length : int
        Letters that tasks will use.
    line : int
        Line of the file where the record begins, from 1; 0 where the format has no lines.
    refused : str
        Why it cannot be used; empty when it can.
    """

    id: str
    name: str
    kind: str
    why: str
    length: int
    alterations: tuple[Alteration, ...] = ()
    refused: str = ""
    choices: tuple[Kind, ...] = ()
    line: int = 0
    description: str = ""

    @property
    def usable(self) -> bool:
        return not self.refused and self.kind in KINDS

    @property
    def altered(self) -> bool:
        """True where reading changed something of a record that is not refused."""
        return not self.refused and any(told.altering for told in self.alterations)

    def json(self) -> dict[str, Json]:
        return {
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "kind": self.kind,
            "why": self.why,
            "length": self.length,
            "alterations": [alteration.json() for alteration in self.alterations],
            "refused": self.refused,
            "choices": list(self.choices),
            "line": self.line,
        }


@dataclass(frozen=True)
class SequenceRecord:
    """A usable record.

    Attributes
    ----------
    sequence : str
        Upper-case letters, without gaps, white space or a closing stop; what tasks use.
    places : numpy.ndarray or None
        int64, one a letter of `sequence`: its place in the user's numbering, from 1. None where letter i stands at place i + 1.
    """

    entry: Entry
    sequence: str
    places: np.ndarray | None = None
    features: tuple[Feature, ...] = ()

    @property
    def id(self) -> str:
        return self.entry.id

    @property
    def kind(self) -> str:
        return self.entry.kind

    def place(self, index: int) -> int:
        """Place, in the user's numbering, of letter `index` (from 0) of `sequence`."""
        return index + 1 if self.places is None else int(self.places[index])

    def index(self, place: int) -> int | None:
        """Letter of `sequence` (from 0) at a place of the user's numbering; None where nothing of the sequence stands there."""
        if self.places is None:
            return place - 1 if 1 <= place <= len(self.sequence) else None
        at = int(np.searchsorted(self.places, place))
        return at if at < len(self.places) and int(self.places[at]) == place else None

    def all_places(self) -> list[int]:
        """Place of every letter."""
        return list(range(1, len(self.sequence) + 1)) if self.places is None else [int(place) for place in self.places]


@dataclass(frozen=True)
class Summary:
    """A file at a glance: how many records of each kind, altered, refused, and to be told apart by the person."""

    records: int
    usable: int
    altered: int
    refused: int
    ambiguous: int
    kinds: dict[str, int] = field(default_factory=dict)
    letters: int = 0

    def json(self) -> dict[str, Json]:
        return {
            "records": self.records,
            "usable": self.usable,
            "altered": self.altered,
            "refused": self.refused,
            "ambiguous": self.ambiguous,
            "kinds": dict(self.kinds),
            "letters": self.letters,
        }


class Preflight(Protocol):
    """A file that was read: its records by number and by id, made when asked for, so that 100,000 of them take little memory."""

    name: str
    format: str  # fasta, fastq, genbank, embl, plain, pdb, mmcif
    notes: tuple[str, ...]  # what was found about the file as a whole: packed, encoding, line ends, records cut off

    def __len__(self) -> int: ...

    def summary(self) -> Summary: ...

    def entries(self, start: int = 0, stop: int | None = None) -> Sequence[Entry]:
        """Entries by number, from 0."""
        ...

    def numbers(self, which: str) -> np.ndarray:
        """Numbers (from 0) of the records that are ``all``, ``usable``, ``altered``, ``refused``, ``ambiguous``, or of a kind."""
        ...

    def lengths(self) -> np.ndarray:
        """int64: letters of every record."""
        ...

    def ids(self) -> Sequence[str]:
        """Ids of all records, in the file's order."""
        ...

    def find(self, record_id: str) -> Entry | None:
        """The entry of that id."""
        ...

    def usable(self, kinds: Sequence[str] = KINDS) -> Iterator[str]:
        """Ids of the usable records of these kinds, in the file's order."""
        ...

    def record(self, record_id: str) -> SequenceRecord:
        """The record of that id.

        Raises
        ------
        InputError
            When there is none, or it is refused or ambiguous; the message says why.
        """
        ...
