"""FASTA: a line with > and a name, then letters, as many records as there are."""

from __future__ import annotations

import re

import numpy as np

from backend.sequences.formats.layout import Layout, check_count
from backend.sequences.formats.letters import mend
from backend.sequences.formats.scan import BLOCK
from backend.sequences.formats.sniff import not_sequences
from backend.sequences.formats.unpack import Unpacked

_INDENTED = re.compile(rb"(?m)^[ \t]+>")
_GREATER, _LINE_FEED = ord(">"), 10
CUT = (
    "The file was cut short here: this record is not whole, and how much of it is missing cannot be known. Copy or download the file again."
)


def read_fasta(raw: Unpacked, name: str) -> Layout:
    """Find the records of a FASTA file."""
    buffer, notes = raw.buffer, list(raw.notes)
    if _INDENTED.search(raw.head()):
        buffer = np.frombuffer(_INDENTED.sub(b">", buffer.tobytes()), dtype=np.uint8)
        notes.append("Header lines were indented; the blanks before > were left out.")
    heads = _heads(buffer)
    check_count(len(heads), name)
    first = int(heads[0]) if len(heads) else len(buffer)
    before = buffer[:first].tobytes()
    if before.strip():
        odd = mend(before)
        if odd.body.strip():
            heads = np.concatenate([[0], heads])
            notes.append("Letters stand before the first header line; they were read as a record without a name.")
        else:
            notes.append(f"{odd.comments:,} comment line{'s' if odd.comments != 1 else ''} before the first record left out.")
    if not len(heads):
        raise not_sequences(name, "it holds only comment lines", "Check that it was saved or downloaded whole.")
    ends = np.append(heads[1:], len(buffer)).astype(np.int64)
    unnamed = len(heads) > 0 and int(heads[0]) == 0 and bool(before.strip())
    signs = np.ones(len(heads), dtype=np.int64)
    signs[0 : int(unnamed)] = 0
    head_ends = _line_ends(buffer, heads, ends)
    if unnamed:
        head_ends[0] = 0
    refusals = {len(heads) - 1: CUT} if raw.cut and len(heads) else {}
    return Layout("fasta", buffer, heads + signs, head_ends, head_ends, ends, notes=tuple(notes), refusals=refusals)


def _heads(buffer: np.ndarray) -> np.ndarray:
    """Offsets of > at the beginning of a line."""
    found = [np.zeros(1 if len(buffer) and buffer[0] == _GREATER else 0, dtype=np.int64)]
    for low in range(0, len(buffer), BLOCK):
        part = buffer[low : low + BLOCK + 1]
        found.append(np.flatnonzero((part[1:] == _GREATER) & (part[:-1] == _LINE_FEED)) + low + 1)
    return np.concatenate(found)


def _line_ends(buffer: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Offset of the line end after each start, or the record's end."""
    data = buffer.data
    found = np.empty(len(starts), dtype=np.int64)
    for number, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        at, step = start, 128
        while at < end:
            hit = bytes(data[at : min(at + step, end)]).find(b"\n")
            if hit >= 0:
                at += hit
                break
            at, step = at + step, step * 4
        found[number] = min(at, end)
    return found
