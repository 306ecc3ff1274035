"""FASTQ: reads with a quality for every base. The letters are read; the qualities are checked for number and left out."""

from __future__ import annotations

import numpy as np

from backend.sequences.formats.fasta import CUT
from backend.sequences.formats.layout import Layout, check_count
from backend.sequences.formats.scan import Lines, positions
from backend.sequences.formats.sniff import not_sequences
from backend.sequences.formats.unpack import Unpacked

_AT, _PLUS = ord("@"), ord("+")
_NOTE = "The base qualities were checked for number and left out: no task here uses them."


def read_fastq(raw: Unpacked, name: str) -> Layout:
    """Find the reads of a FASTQ file; one with letters on several lines is read too.

    Raises
    ------
    InputError
        When not even its first read is FASTQ.
    """
    buffer = raw.buffer
    check_count(Lines(buffer).ends // 4, name)
    ends = positions(buffer, 10)
    starts = np.concatenate([[0], ends + 1])
    ends = np.append(ends, len(buffer))
    if starts[-1] == len(buffer):
        starts, ends = starts[:-1], ends[:-1]
    ends = ends - (buffer[np.maximum(ends - 1, 0)] == 13) * (ends > starts)
    filled = ends > starts
    last = int(np.flatnonzero(filled)[-1]) + 1
    begun = int(np.flatnonzero(filled)[0])
    starts, ends = starts[begun:last], ends[begun:last]
    if len(starts) % 4 == 0 and _signs(buffer, starts[0::4], ends[0::4], _AT) and _signs(buffer, starts[2::4], ends[2::4], _PLUS):
        rows = np.stack([starts[0::4] + 1, ends[0::4], starts[1::4], ends[1::4]])
        bases, scores = rows[3] - rows[2], ends[3::4] - starts[3::4]
        refusals = {int(at): _unequal(int(bases[at]), int(scores[at])) for at in np.flatnonzero(bases != scores)}
        notes = raw.notes
    else:
        found, refusals, broken = _walk(buffer, starts, ends, begun)
        if not found:
            raise not_sequences(name, f"it begins like FASTQ, but {broken}", "Export the reads again, or choose another file.")
        rows = np.array(found, dtype=np.int64).T
        notes = (*raw.notes, f"Reading stopped where the file is no FASTQ any more: {broken}") if broken else raw.notes
    if raw.cut:
        refusals[rows.shape[1] - 1] = CUT
    return Layout("fastq", buffer, rows[0], rows[1], rows[2], rows[3], notes=(*notes, _NOTE), refusals=refusals)


def _signs(buffer: np.ndarray, starts: np.ndarray, ends: np.ndarray, sign: int) -> bool:
    return bool(np.all(ends > starts)) and bool(np.all(buffer[starts] == sign))


def _unequal(bases: int, scores: int) -> str:
    return f"It has {bases:,} bases but {scores:,} qualities: one of its lines is not whole. Export the read again."


def _walk(
    buffer: np.ndarray, starts: np.ndarray, ends: np.ndarray, begun: int
) -> tuple[list[tuple[int, int, int, int]], dict[int, str], str]:
    """Read line by line: records (offsets), refusals by number, and where and why reading had to stop."""
    found: list[tuple[int, int, int, int]] = []
    refusals: dict[int, str] = {}
    at = 0
    while at < len(starts):
        if ends[at] == starts[at]:
            at += 1
            continue
        head = at
        if buffer[starts[head]] != _AT:
            return found, refusals, f"line {begun + head + 1:,} should begin with @."
        plus = head + 1
        while plus < len(starts) and (ends[plus] == starts[plus] or buffer[starts[plus]] != _PLUS):
            plus += 1
        offsets = (int(starts[head]) + 1, int(ends[head]), int(ends[head]), int(ends[min(plus, len(starts)) - 1]))
        found.append(offsets)
        if plus == len(starts):
            refusals[len(found) - 1] = f"The file ends in the middle of it: there is no + line after line {begun + head + 1:,}."
            return found, refusals, ""
        bases = int(np.sum(ends[head + 1 : plus] - starts[head + 1 : plus]))
        at, scores = plus + 1, 0
        while at < len(starts) and scores < bases:
            scores += int(ends[at] - starts[at])
            at += 1
        if scores != bases:
            refusals[len(found) - 1] = _unequal(bases, scores)
    return found, refusals, ""
