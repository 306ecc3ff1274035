"""Every record of a file measured in one pass: which characters it holds, how many letters, and how many of them could be bases."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.sequences.alphabets import BITS, COUNTS

BLOCK = 1 << 21  # bytes looked up at once; larger ones fall out of the processor's cache


@dataclass(frozen=True)
class Stats:
    """Measures of n records.

    Attributes
    ----------
    mask : numpy.ndarray
        uint32 (n,): characters present, as bits of `backend.sequences.alphabets`.
    letters : numpy.ndarray
        int64 (n,): letters A to Z of either case.
    core : numpy.ndarray
        int64 (n,): those of them that are A, C, G, T, U or N.
    """

    mask: np.ndarray
    letters: np.ndarray
    core: np.ndarray


def scan(buffer: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> Stats:
    """Measure the stretches ``buffer[starts[i]:ends[i]]``.

    Parameters
    ----------
    buffer : numpy.ndarray
        uint8.
    starts, ends : numpy.ndarray
        int64 (n,), ascending, not overlapping.
    """
    mask = np.zeros(len(starts), dtype=np.uint32)
    counts = np.zeros(len(starts), dtype=np.uint64)
    for low in range(0, len(buffer), BLOCK):
        high = min(low + BLOCK, len(buffer))
        first, last = int(np.searchsorted(ends, low, "right")), int(np.searchsorted(starts, high, "left"))
        if first >= last:
            continue
        edges = np.empty(2 * (last - first), dtype=np.int64)
        edges[0::2], edges[1::2] = starts[first:last], ends[first:last]
        edges = edges.clip(low, high) - low
        filled = edges[0::2] < edges[1::2]  # reduceat answers an empty stretch with the element at its start
        part = buffer[low:high]
        mask[first:last] |= np.where(filled, _reduce(np.bitwise_or, BITS, part, edges), np.uint32(0))
        counts[first:last] += np.where(filled, _reduce(np.add, COUNTS, part, edges), np.uint64(0))
    return Stats(mask, (counts & 0xFFFFFFFF).astype(np.int64), (counts >> np.uint64(32)).astype(np.int64))


def _reduce(ufunc: np.ufunc, table: np.ndarray, part: np.ndarray, edges: np.ndarray) -> np.ndarray:
    looked_up = np.zeros(len(part) + 1, dtype=table.dtype)  # the last zero is what an edge at the very end points to
    np.take(table, part, out=looked_up[:-1])
    reduced: np.ndarray = ufunc.reduceat(looked_up, edges)[0::2]
    return reduced


class Lines:
    """Line numbers of offsets, from running counts of line ends at every `BLOCK`."""

    def __init__(self, buffer: np.ndarray) -> None:
        self._buffer = buffer
        counts = [int(np.count_nonzero(buffer[at : at + BLOCK] == 10)) for at in range(0, len(buffer), BLOCK)]
        self._before = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)

    @property
    def ends(self) -> int:
        """Line ends in all."""
        return int(self._before[-1])

    def line(self, offset: int) -> int:
        """Line of an offset, from 1."""
        block = min(offset, len(self._buffer)) // BLOCK
        return int(self._before[block]) + int(np.count_nonzero(self._buffer[block * BLOCK : offset] == 10)) + 1


def positions(buffer: np.ndarray, byte: int) -> np.ndarray:
    """int64: offsets of a byte."""
    found = [np.flatnonzero(buffer[at : at + BLOCK] == byte) + at for at in range(0, len(buffer), BLOCK)]
    return np.concatenate(found) if found else np.zeros(0, dtype=np.int64)
