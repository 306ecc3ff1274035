"""A kept recording, opened: any stretch of any channels in their units, or the smallest and largest values for a strip of given width."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, cached_property
from pathlib import Path

import numpy as np

from backend.config import Config
from backend.eeg import pyramid, store
from backend.eeg.recording import Channel, samples
from backend.errors import InputError

MOST_READ = 64 * 2**20  # values handed out at once: more is asked for in parts


def recordings_folder(config: Config) -> Path:
    return config.data / "recordings"


def open_recording(config: Config, id: str) -> Signal:
    """Open the kept recording with this id.

    Raises
    ------
    StorageError
        When its signals are not there or damaged.
    InputError
        When that is no id.
    """
    if not (id.isalnum() and id.isascii()):
        raise InputError(f"'{id}' is no recording.", "The list of recordings shows which there are.")
    return Signal(recordings_folder(config) / id)


class Signal:
    """The signals of one recording, memory-mapped. Safe to share between threads.

    Attributes
    ----------
    meta : Meta
        Channels, segments, duration.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.meta = store.read(folder)
        self._level = cache(lambda group, level: store.open_level(folder, self.meta, group, level))

    @property
    def channels(self) -> tuple[Channel, ...]:
        return self.meta.channels

    @property
    def duration_s(self) -> float:
        return self.meta.duration_s

    def channel(self, name: str) -> Channel:
        """The channel of that name; an unknown one is answered with those that are there."""
        return self.meta.channels[self._index(name)]

    def read(self, channels: Sequence[str], start_s: float, stop_s: float) -> np.ndarray:
        """Values of channels that share a sampling rate.

        Parameters
        ----------
        channels : sequence of str
            Names.
        start_s, stop_s : float
            Seconds from the beginning; what lies outside the recording is NaN.

        Returns
        -------
        ndarray of float32, shape (len(channels), samples)
            In microvolts, or the channel's own unit; NaN in gaps. Sample n is at ``(round(start_s * rate) + n) / rate`` seconds.

        Raises
        ------
        InputError
            When a channel is unknown, rates differ, or more is asked for than fits.
        """
        group, rows = self._rows(channels)
        rate = self.meta.groups[group].rate
        first, last = self._stretch(start_s, stop_s, rate)
        if (last - first) * len(rows) > MOST_READ:
            raise InputError(f"{stop_s - start_s:g} s of {len(rows)} channels are too much at once.", "Read it in parts.")
        found = np.full((len(rows), last - first), np.nan, np.float32)
        values = store.open_group(self.folder, self.meta, group)  # mapped anew: what was read leaves the memory again
        for begin, at, count in self._layout[rate]:
            low, high = max(first, begin), min(last, begin + count)
            if low < high:
                found[:, low - first : high - first] = values[rows, at + low - begin : at + high - begin]
        return self._scaled(found, channels)

    def overview(self, channels: Sequence[str], start_s: float, stop_s: float, width: int) -> tuple[np.ndarray, np.ndarray]:
        """The smallest and the largest value in each of `width` equal parts of [start_s, stop_s); rates may differ.

        No extreme is ever lost; one that lies on the border of two parts may be told by its neighbour, up to half a part away.

        Returns
        -------
        tuple of ndarray of float32, each of shape (len(channels), width)
            NaN where nothing was recorded.
        """
        if width < 1:
            raise InputError("A strip must be at least one part wide.", "Give a width of 1 or more.")
        low = np.full((len(channels), width), np.nan, np.float32)
        high = low.copy()
        by_group: dict[int, list[int]] = {}
        for n, name in enumerate(channels):
            by_group.setdefault(self._place[self._index(name)][0], []).append(n)
        self._stretch(start_s, stop_s, 1.0)
        for group, members in by_group.items():
            _, rows = self._rows([channels[n] for n in members])
            low[members], high[members] = self._strip(group, rows, start_s, stop_s, width)
        one, two = self._scaled(low, channels), self._scaled(high, channels)
        return np.fmin(one, two), np.fmax(one, two)  # a negative gain turns them round

    @cached_property
    def _place(self) -> dict[int, tuple[int, int]]:
        return {channel: (n, row) for n, group in enumerate(self.meta.groups) for row, channel in enumerate(group.channels)}

    @cached_property
    def _layout(self) -> dict[float, list[tuple[int, int, int]]]:
        """For each rate, of every segment: its first sample in true time, its first stored sample, its samples."""
        found: dict[float, list[tuple[int, int, int]]] = {}
        for group in self.meta.groups:
            counts = samples(self.meta.segments, group.rate)
            stored = np.concatenate([[0], np.cumsum(counts)])
            found[group.rate] = [
                (round(segment.start_s * group.rate), int(at), count)
                for segment, at, count in zip(self.meta.segments, stored, counts, strict=False)
            ]
        return found

    @cached_property
    def _names(self) -> dict[str, int]:
        return {channel.name: n for n, channel in enumerate(self.meta.channels)}

    def _index(self, name: str) -> int:
        if name not in self._names:
            raise InputError(f"The recording has no channel '{name}'.", f"Channels are: {', '.join(self._names)}.")
        return self._names[name]

    def _rows(self, channels: Sequence[str]) -> tuple[int, list[int]]:
        if not channels:
            raise InputError("No channel was named.", f"Channels are: {', '.join(self._names)}.")
        places = [self._place[self._index(name)] for name in channels]
        if len({group for group, _ in places}) > 1:
            told = ", ".join(f"{name} {self.channel(name).rate:g} Hz" for name in channels[:8])
            raise InputError(f"These channels have different sampling rates: {told}.", "Read each rate on its own.")
        return places[0][0], [row for _, row in places]

    def _stretch(self, start_s: float, stop_s: float, rate: float) -> tuple[int, int]:
        if not (np.isfinite(start_s) and np.isfinite(stop_s) and start_s < stop_s):
            raise InputError(f"From {start_s:g} to {stop_s:g} s is no stretch of time.", "Give a beginning before the end.")
        return round(start_s * rate), max(round(stop_s * rate), round(start_s * rate) + 1)

    def _strip(self, group: int, rows: list[int], start_s: float, stop_s: float, width: int) -> tuple[np.ndarray, np.ndarray]:
        rate = self.meta.groups[group].rate
        edges = np.ceil((start_s + (stop_s - start_s) * np.arange(width + 1) / width) * rate - 1e-9).astype(np.int64)
        level = self._choose(group, (edges[-1] - edges[0]) / width)
        size = pyramid.FACTOR**level
        counts = [count for _, _, count in self._layout[rate]]
        blocks = pyramid.level_blocks(counts, level)
        low = np.full((len(rows), width), np.nan, np.float32)
        high = low.copy()
        values = self._level(group, level) if level else store.open_group(self.folder, self.meta, group)[None]
        at = 0
        for (begin, stored, count), held in zip(self._layout[rate], blocks, strict=True):
            inside = np.clip(edges - begin, 0, count)
            if inside[-1] > inside[0]:
                self._fill(values, rows, at if level else stored, held, inside, size, low, high)
            at += held
        return low, high

    def _fill(
        self, values: np.ndarray, rows: list[int], at: int, held: int, inside: np.ndarray, size: int, low: np.ndarray, high: np.ndarray
    ) -> None:
        """Put what one segment holds into the parts that it touches."""
        touched = np.flatnonzero(inside[1:] > inside[:-1])
        one, two = int(touched[0]), int(touched[-1]) + 1
        starts = inside[one:two] // size
        last = min(-(-int(inside[two]) // size), held)
        offset = int(starts[0])
        least, most = values[0, rows, at + offset : at + last], values[-1, rows, at + offset : at + last]
        down, up = (np.fmin, np.fmax) if least.dtype.kind == "f" else (np.minimum, np.maximum)
        places = np.minimum(starts, last - 1) - offset
        lows, highs = down.reduceat(least, places, axis=1).astype(np.float32), up.reduceat(most, places, axis=1).astype(np.float32)
        low[:, one:two], high[:, one:two] = np.fmin(low[:, one:two], lows), np.fmax(high[:, one:two], highs)

    def _choose(self, group: int, per_part: float) -> int:
        top = pyramid.levels([count for _, _, count in self._layout[self.meta.groups[group].rate]])
        level = 0
        while level < top and pyramid.FACTOR ** (level + 1) * 2 <= per_part:
            level += 1
        return level

    def _scaled(self, values: np.ndarray, channels: Sequence[str]) -> np.ndarray:
        of = [self.channel(name) for name in channels]
        gain = np.array([channel.gain for channel in of])[:, None]
        offset = np.array([channel.offset for channel in of])[:, None]
        scaled: np.ndarray = (values * gain + offset).astype(np.float32)
        return scaled
