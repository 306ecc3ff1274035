"""Results as files that other programs read: GFF3, FASTA, and CSV that no spreadsheet runs as a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from backend.domain import Json

_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a cell that begins so would be run by a spreadsheet
_KEPT = "".join(chr(code) for code in range(32, 127) if chr(code) not in ";=&,%")  # the rest is percent-encoded in column 9
_KEPT_ID = "".join(chr(code) for code in range(33, 127) if chr(code).isalnum() or chr(code) in ".:^*$@!+_?-|")  # GFF3's own list


@dataclass(frozen=True)
class Gff3Row:
    """One feature in GFF3's terms (specification 1.26, Sequence Ontology).

    Attributes
    ----------
    record : str
        Id of the record.
    kind : str
        A Sequence Ontology term: ``ORF``, ``restriction_enzyme_recognition_site``, ``polypeptide_region``.
    start, end : int
        Places in the user's numbering, both from 1 and included.
    strand : int or None
        1, -1, or None where there is no strand.
    phase : int or None
        Of a coding part: letters to skip to the first whole codon.
    source : str
        Program or method.
    attributes : mapping
        Column 9; ``ID``, ``Name``, ``Note`` have their meaning there, others begin in lower case.
    """

    record: str
    kind: str
    start: int
    end: int
    score: float | None = None
    strand: int | None = None
    phase: int | None = None
    source: str = "Bioloom"
    attributes: Mapping[str, Json] = field(default_factory=dict)


def to_gff3(rows: Iterable[Gff3Row], lengths: Mapping[str, int] | None = None) -> str:
    """Rows as a GFF3 file; every field is escaped as the specification asks.

    Parameters
    ----------
    lengths : mapping
        Last place of each record, for the ``##sequence-region`` lines.

    Raises
    ------
    ValueError
        When a row ends before it begins.
    """
    lines = ["##gff-version 3"]
    lines += [f"##sequence-region {quote(record, safe=_KEPT_ID)} 1 {length}" for record, length in (lengths or {}).items()]
    for row in rows:
        if not 1 <= row.start <= row.end:
            raise ValueError(f"A feature of {row.record} runs from {row.start} to {row.end}.")
        notes = ";".join(
            f"{quote(name, safe=_KEPT)}={_attribute(value)}" for name, value in row.attributes.items() if value not in (None, "")
        )
        cells = [
            quote(row.record, safe=_KEPT_ID),
            quote(row.source, safe=_KEPT),
            quote(row.kind, safe=_KEPT),
            str(row.start),
            str(row.end),
            "." if row.score is None else f"{row.score:g}",
            "." if row.strand is None else "-" if row.strand < 0 else "+",
            "." if row.phase is None else str(row.phase),
            notes or ".",
        ]
        lines.append("\t".join(cells))
    return "\n".join(lines) + "\n"


def to_fasta(records: Iterable[tuple[str, str]], width: int = 60) -> str:
    """Headers (without ``>``) and sequences as FASTA, `width` letters a line."""
    parts: list[str] = []
    for header, sequence in records:
        parts.append(">" + " ".join(header.split()))
        parts += [sequence[at : at + width] for at in range(0, len(sequence), width)]
    return "\n".join(parts) + "\n" if parts else ""


def to_csv(rows: Iterable[Mapping[str, Json]], columns: Iterable[str] | None = None) -> str:
    """Rows as CSV (RFC 4180); a text that a spreadsheet would run as a formula gets an apostrophe before it.

    Parameters
    ----------
    columns : iterable of str
        The head; where not given, every name that a row has, in the order met.
    """
    rows = list(rows)
    names = list(columns) if columns is not None else list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    if names:
        writer.writerow([_cell(name) for name in names])
    writer.writerows([_cell(row.get(name)) for name in names] for row in rows)
    return out.getvalue()


def _attribute(value: Json) -> str:
    """Lists become GFF3's comma-separated values."""
    return ",".join(_attribute(item) for item in value) if isinstance(value, list | tuple) else quote(str(value), safe=_KEPT)


def _cell(value: Json) -> Json:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
