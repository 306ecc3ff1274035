"""GenBank, EMBL and Swiss-Prot flat files: annotated records closed by //, their letters numbered and in blocks of ten."""

from __future__ import annotations

import re
import warnings
from io import StringIO
from typing import Any

import numpy as np

from backend.sequences.formats.layout import Layout, check_count, decode
from backend.sequences.formats.sniff import not_sequences
from backend.sequences.formats.unpack import Unpacked
from backend.sequences.records import Feature

_END = re.compile(rb"(?m)^//[ \t]*\r?$")
_ORIGIN = {
    "genbank": re.compile(rb"(?m)^ORIGIN[^\n]*"),
    "embl": re.compile(rb"(?m)^SQ  [^\n]*"),
    "swissprot": re.compile(rb"(?m)^SQ  [^\n]*"),
}
_FIRST = {"genbank": re.compile(rb"(?m)^LOCUS"), "embl": re.compile(rb"(?m)^ID  "), "swissprot": re.compile(rb"(?m)^ID  ")}
_SIZE = {
    "genbank": re.compile(rb"LOCUS[^\n]*?(\d+) (?:bp|aa|rc)\b"),
    "embl": re.compile(rb"ID  [^\n]*?(\d+) BP\."),
    "swissprot": re.compile(rb"ID  [^\n]*?(\d+) AA\."),
}
_TITLES = {"genbank": "GenBank", "embl": "EMBL", "swissprot": "Swiss-Prot"}
_NAMES = {
    "genbank": (rb"(?m)^VERSION +(\S+)", rb"(?m)^ACCESSION +(\S+)", rb"LOCUS +(\S+)"),
    "embl": (rb"(?m)^ID +([^;\s]+)", rb"(?m)^AC +([^;\s]+)"),
    "swissprot": (rb"(?m)^ID +([^;\s]+)", rb"(?m)^AC +([^;\s]+)"),
}
_WORDS = {
    "genbank": rb"(?m)^DEFINITION +([^\n]*(?:\n {6,}[^\n]*)*)",
    "embl": rb"(?m)^DE +([^\n]*(?:\nDE[^\n]*)*)",
    "swissprot": rb"(?m)^DE +(?:RecName: Full=)?([^\n{;]*)",
}


def read_flat(raw: Unpacked, name: str, form: str) -> Layout:
    """Find the records of a flat file; annotation is parsed (by Biopython) when a record is opened."""
    data = raw.buffer.tobytes()
    marks = [found.end() for found in _END.finditer(data)]
    notes, refusals = list(raw.notes), {}
    rows: list[tuple[int, int, int, int]] = []
    at = 0
    for end in [*marks, len(data)]:
        first = _FIRST[form].search(data, at, end)
        if first is None:
            if data[at:end].strip(b"/ \t\r\n"):
                line = data.count(b"\n", 0, at) + 2
                notes.append(f"What stands from line {line:,} is no {_TITLES[form]} record; it was not read.")
            at = end
            continue
        origin = _ORIGIN[form].search(data, first.start(), end)
        closed = end in marks[-1:] or end < len(data)
        letters = (origin.end(), data.rfind(b"\n", 0, end) if closed else end) if origin else (end, end)
        number = len(rows)
        rows.append((first.start(), letters[0], letters[0], max(letters)))
        if origin is None:
            refusals[number] = "It holds annotation but no letters. Download it with its sequence ('GenBank (full)')."
        else:
            why = _size_differs(data, rows[-1], form, closed)
            if why:
                refusals[number] = why
        at = end
    if not rows:
        raise not_sequences(name, f"it begins like {_TITLES[form]}, but holds no record", "Check that it was saved or downloaded whole.")
    check_count(len(rows), name)
    if raw.cut:
        refusals.setdefault(len(rows) - 1, "The file was cut short here: this record is not whole. Copy or download it again.")
    offsets = np.array(rows, dtype=np.int64).T
    return Layout(
        form,
        raw.buffer,
        *(offsets[0], offsets[1], offsets[2], offsets[3]),
        lambda header: _label(header, form),
        tuple(notes),
        refusals,
        True,
        lambda record: _features(record, form),
    )


def _size_differs(data: bytes, row: tuple[int, int, int, int], form: str, closed: bool) -> str:
    told = _SIZE[form].match(data, row[0])
    held = len(re.sub(rb"[^A-Za-z*.~-]", b"", data[row[2] : row[3]]))
    if told and int(told[1]) != held:
        cut = "" if closed else " The closing // is missing too: the file was cut short."
        return f"Its first line tells {int(told[1]):,} letters, but {held:,} stand there.{cut} Its annotation would point to wrong places."
    if not told and not closed:
        return "It is not closed by //: the file was cut short."
    return ""


def _label(header: bytes, form: str) -> tuple[str, str]:
    name = next((found[1] for pattern in _NAMES[form] if (found := re.search(pattern, header))), b"")
    words = re.search(_WORDS[form], header)
    text = re.sub(r"\s+", " ", re.sub(r"(?m)^DE +", "", decode(words[1]))).strip() if words else ""
    return decode(name), text


def _features(record: bytes, form: str) -> tuple[Feature, ...]:
    from Bio import BiopythonWarning, SeqIO

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BiopythonWarning)
        try:
            parsed = SeqIO.read(StringIO(decode(record) + "\n//\n"), {"swissprot": "swiss"}.get(form, form))
        except Exception as error:  # Biopython raises whatever its parsers happen to meet
            raise ValueError(str(error).splitlines()[0] if str(error) else type(error).__name__) from error
    return tuple(feature for item in parsed.features if (feature := _feature(item)) is not None)


def _feature(item: Any) -> Feature | None:
    """A feature with its spans in the order in which the molecule reads them; None for one that lies on another record."""
    if item.location is None or any(part.ref for part in item.location.parts):
        return None
    try:
        spans = tuple((int(part.start) + 1, int(part.end)) for part in item.location.parts)
    except TypeError:  # a position that is not known
        return None
    notes = item.qualifiers
    name = next(
        (
            str(notes[key][0] if isinstance(notes[key], list) else notes[key])
            for key in ("gene", "product", "locus_tag", "note", "label")
            if notes.get(key)
        ),
        "",
    )
    return Feature(str(item.type), spans, -1 if item.location.strand == -1 else 1, name)
