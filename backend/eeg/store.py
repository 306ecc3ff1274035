"""Keeps a recording's signals: one file per sampling rate, channel after channel, with a pyramid and the few facts that are named here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from backend.eeg import pyramid
from backend.eeg.diagnosis import Diagnosis, Refused
from backend.eeg.recording import DTYPES, Channel, Inspection, Segment, Source, samples
from backend.errors import StorageError
from backend.progress import Progress

VERSION = 1
META = "meta.json"


@dataclass(frozen=True)
class Group:
    """The channels of one sampling rate, in the rows of one file."""

    rate: float
    samples: int
    channels: tuple[int, ...]  # their places in `Meta.channels`


@dataclass(frozen=True)
class Meta:
    """The facts that go with kept signals: nothing of who was recorded, nor when."""

    format: str
    dtype: str
    duration_s: float
    record_s: float
    clock: str
    channels: tuple[Channel, ...]
    segments: tuple[Segment, ...]
    groups: tuple[Group, ...]
    ranges: tuple[tuple[float, float], ...]  # smallest and largest stored value of each channel


def signal_path(folder: Path, group: int) -> Path:
    return folder / f"signals-{group}.bin"


def write(folder: Path, source: Source, progress: Progress) -> tuple[Meta, tuple[Diagnosis, ...]]:
    """Copy a source's values into `folder` and build the pyramid; returns what only the values could tell.

    Raises
    ------
    Refused
        When the file does not hold as many values as it said.
    """
    inspection = source.inspection
    groups = _groups(inspection)
    _copy(folder, source, groups, progress)
    ranges: list[tuple[float, float]] = [(0.0, 0.0)] * len(inspection.channels)
    for n, group in enumerate(groups):
        one = partial(_open_channel, signal_path(folder, n), group.samples, source.dtype)
        extremes = pyramid.build(folder, n, len(group.channels), one, samples(inspection.segments, group.rate), progress)
        for row, channel in enumerate(group.channels):
            ranges[channel] = (float(extremes[0, row]), float(extremes[1, row]))
    meta = Meta(
        inspection.format, source.dtype, inspection.duration_s, source.record_s, inspection.clock,
        inspection.channels, inspection.segments, tuple(groups), tuple(ranges),
    )  # fmt: skip
    (folder / META).write_text(json.dumps({"version": VERSION, **asdict(meta)}), encoding="utf-8")
    return meta, tuple(_flat(meta))


def read(folder: Path) -> Meta:
    """The facts of a kept recording.

    Raises
    ------
    StorageError
        When its folder is gone, damaged, or of a newer version.
    """
    try:
        data: dict[str, Any] = json.loads((folder / META).read_text(encoding="utf-8"))
        version = data.pop("version")
        if version != VERSION or data["dtype"] not in DTYPES:
            raise StorageError("The recording was kept by another version of Bioloom.", "Update Bioloom, or import the file again.")
        return Meta(
            **{
                **data,
                "channels": tuple(channel_of(channel) for channel in data["channels"]),
                "segments": tuple(Segment(**segment) for segment in data["segments"]),
                "groups": tuple(Group(group["rate"], group["samples"], tuple(group["channels"])) for group in data["groups"]),
                "ranges": tuple((low, high) for low, high in data["ranges"]),
            }
        )
    except FileNotFoundError as error:
        raise StorageError("The signals of this recording are not on this machine.", "Import the file again.") from error
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise StorageError("The signals of this recording are damaged.", "Import the file again.") from error


def channel_of(data: Mapping[str, Any]) -> Channel:
    """The channel that `asdict` made JSON of."""
    return Channel(**{**data, "ends": tuple(data["ends"]) if data["ends"] else None})


def open_group(folder: Path, meta: Meta, group: int) -> np.ndarray:
    """The stored values of one rate, memory-mapped, shape (channels, samples)."""
    try:
        return _open(folder, group, meta.groups[group], meta.dtype)
    except (OSError, ValueError) as error:
        raise StorageError("The signals of this recording are damaged or gone.", "Import the file again.") from error


def open_level(folder: Path, meta: Meta, group: int, level: int) -> np.ndarray:
    """One level of the pyramid, memory-mapped, shape (2, channels, blocks)."""
    of = meta.groups[group]
    blocks = sum(pyramid.level_blocks(samples(meta.segments, of.rate), level))
    try:
        return np.memmap(pyramid.level_path(folder, group, level), meta.dtype, "r", shape=(2, len(of.channels), blocks))
    except (OSError, ValueError) as error:
        raise StorageError("The overview of this recording is damaged or gone.", "Import the file again.") from error


def _groups(inspection: Inspection) -> list[Group]:
    return [
        Group(
            rate,
            sum(samples(inspection.segments, rate)),
            tuple(n for n, channel in enumerate(inspection.channels) if channel.rate == rate),
        )
        for rate in inspection.rates
    ]


def _open(folder: Path, group: int, of: Group, dtype: str) -> np.ndarray:
    return np.memmap(signal_path(folder, group), dtype, "r", shape=(len(of.channels), of.samples))


def _open_channel(path: Path, count: int, dtype: str, channel: int) -> np.ndarray:
    return np.memmap(path, dtype, "r", offset=channel * count * np.dtype(dtype).itemsize, shape=(count,))


def _copy(folder: Path, source: Source, groups: list[Group], progress: Progress) -> None:
    size = np.dtype(source.dtype).itemsize
    files: list[BinaryIO] = [signal_path(folder, n).open("wb", buffering=0) for n in range(len(groups))]
    written = [0] * len(groups)
    try:
        for blocks in source.blocks(progress):
            for n, group in enumerate(groups):
                written[n] += _place(files[n], group, blocks, written[n], size, source.dtype)
    finally:
        for file in files:
            file.close()
    for n, group in enumerate(groups):
        if written[n] != group.samples:
            text = f"The file should hold {group.samples:,} values for each channel of {group.rate:g} Hz; it holds {written[n]:,}."
            raise Refused("unreadable", "signals", text, "Export the recording again.")


def _place(file: BinaryIO, group: Group, blocks: Mapping[float, np.ndarray], done: int, size: int, dtype: str) -> int:
    values = blocks[group.rate].astype(dtype, copy=False)
    count: int = values.shape[1]
    if done + count > group.samples:
        raise Refused("unreadable", "signals", "The file holds more values than it says.", "Export the recording again.")
    for row, channel in enumerate(values):
        file.seek((row * group.samples + done) * size)
        view = memoryview(np.ascontiguousarray(channel).tobytes())
        while view:
            view = view[file.write(view) :]
    return count


def _flat(meta: Meta) -> list[Diagnosis]:
    found = []
    still = [channel.name for channel, (low, high) in zip(meta.channels, meta.ranges, strict=True) if low == high and channel.kind == "eeg"]
    if still:
        text = f"No change at all in {', '.join(still[:12])}{f' and {len(still) - 12} more' if len(still) > 12 else ''}."
        found.append(Diagnosis("flat", "signals", text, "The electrode was off or the input unused; mark the channel as bad."))
    beyond = [
        channel.name
        for channel, (low, high) in zip(meta.channels, meta.ranges, strict=True)
        if channel.ends and (low < min(channel.ends[2:]) or high > max(channel.ends[2:]))
    ]
    if beyond:
        text = f"Values lie outside the digital range that the header gives: {', '.join(beyond[:12])}. They are kept as they are."
        found.append(Diagnosis("beyond-range", "signals", text))
    return found
