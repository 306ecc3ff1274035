"""A pyramid of smallest and largest values: each level tells 64 values of the one below, so that a night is drawn from few numbers.

Blocks begin anew at every segment, so that none reaches across a gap.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from backend.progress import Progress

FACTOR = 64
_PIECE = FACTOR * 2**15  # samples of one channel reduced at once
_TOP = 64  # a level whose longest segment has no more blocks than this is the last


def level_blocks(segments: Sequence[int], level: int) -> list[int]:
    """Blocks that each segment (in samples) has at `level`; level 0 are the samples."""
    return [-(-count // FACTOR**level) for count in segments]


def levels(segments: Sequence[int]) -> int:
    """How many levels are kept above the samples."""
    top = 1
    while max(level_blocks(segments, top)) > _TOP:
        top += 1
    return top


def level_path(folder: Path, group: int, level: int) -> Path:
    return folder / f"pyramid-{group}-{level}.bin"


def build(folder: Path, group: int, signals: np.ndarray, segments: Sequence[int], progress: Progress) -> np.ndarray:
    """Write every level of one group of channels.

    Parameters
    ----------
    signals : ndarray, shape (channels, samples)
        Segment after segment; may be memory-mapped.
    segments : sequence of int
        Samples of each segment.

    Returns
    -------
    ndarray, shape (2, channels)
        The smallest and the largest value of each channel; NaN where a channel has no number at all.
    """
    channels, dtype = signals.shape[0], signals.dtype
    lower: np.ndarray | None = None  # level below, shape (2, channels, blocks); level 1 is made from the samples
    extremes = np.zeros((2, channels), dtype)
    for level in range(1, levels(segments) + 1):
        counts = level_blocks(segments, level)
        made = np.empty((2, channels, sum(counts)), dtype)
        below = level_blocks(segments, level - 1)
        for channel in range(channels):
            progress.check()
            progress.update(channel + channels * (level > 1), 2 * channels, "Preparing the overview")
            at = out = 0
            for length, count in zip(below, counts, strict=True):
                low = signals[channel, at : at + length] if lower is None else lower[0, channel, at : at + length]
                high = low if lower is None else lower[1, channel, at : at + length]
                _reduce(low, high, made[:, channel, out : out + count])
                at, out = at + length, out + count
        made.tofile(level_path(folder, group, level))
        lower = made
    if lower is not None:
        reduce_low, reduce_high = (np.fmin, np.fmax) if dtype.kind == "f" else (np.minimum, np.maximum)
        extremes[0] = reduce_low.reduce(lower[0], axis=1)
        extremes[1] = reduce_high.reduce(lower[1], axis=1)
    return extremes


def _reduce(low: np.ndarray, high: np.ndarray, out: np.ndarray) -> None:
    """Smallest of `low` and largest of `high` over blocks of 64, into `out` (2, blocks)."""
    least, most = (np.fmin, np.fmax) if low.dtype.kind == "f" else (np.minimum, np.maximum)
    for first in range(0, len(low), _PIECE):
        for row, source, reduce in ((0, low, least), (1, high, most)):
            piece = np.asarray(source[first : first + _PIECE])
            whole = len(piece) // FACTOR * FACTOR
            at = first // FACTOR
            if whole:
                out[row, at : at + whole // FACTOR] = reduce.reduce(piece[:whole].reshape(-1, FACTOR), axis=1)
            if whole < len(piece):
                out[row, at + whole // FACTOR] = reduce.reduce(piece[whole:])
