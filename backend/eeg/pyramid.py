"""A pyramid of smallest and largest values: each level tells 64 values of the one below, so that a night is drawn from few numbers.

Blocks begin anew at every segment, so that none reaches across a gap.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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


def build(
    folder: Path, group: int, channels: int, signal: Callable[[int], np.ndarray], segments: Sequence[int], progress: Progress
) -> np.ndarray:
    """Write every level of one group of channels.

    Parameters
    ----------
    channels : int
        How many there are.
    signal : callable
        Gives one channel's samples, segment after segment, shape (samples,); mapped one at a time, so that memory stays small.
    segments : sequence of int
        Samples of each segment.

    Returns
    -------
    ndarray, shape (2, channels)
        The smallest and the largest value of each channel; NaN where a channel has no number at all.
    """
    dtype = signal(0).dtype
    lower = np.empty((2, channels, 0), dtype)  # the level below, shape (2, channels, blocks); level 1 is made from the samples
    extremes = np.zeros((2, channels), dtype)
    for level in range(1, levels(segments) + 1):
        counts = level_blocks(segments, level)
        made = np.empty((2, channels, sum(counts)), dtype)
        below = level_blocks(segments, level - 1)
        for channel in range(channels):
            progress.check()
            progress.update(channel + channels * (level > 1), 2 * channels, "Preparing the overview")
            at = out = 0
            base = signal(channel) if level == 1 else None
            for length, count in zip(below, counts, strict=True):
                part = slice(at, at + length)
                low, high = (base[part], base[part]) if base is not None else (lower[0, channel, part], lower[1, channel, part])
                _reduce(low, high, made[:, channel, out : out + count])
                at, out = at + length, out + count
        made.tofile(level_path(folder, group, level))
        lower = made
    least, most = (np.fmin, np.fmax) if dtype.kind == "f" else (np.minimum, np.maximum)
    extremes[0], extremes[1] = least.reduce(lower[0], axis=1), most.reduce(lower[1], axis=1)
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
