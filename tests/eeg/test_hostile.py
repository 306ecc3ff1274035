"""No recording, however damaged, ends in anything but a named diagnosis with a remedy; what needs a repair waits for agreement."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from backend.config import Config
from backend.eeg.archive import delete_recording
from backend.eeg.diagnosis import WORDS
from backend.eeg.importing import look
from backend.eeg.signal import open_recording
from backend.errors import InputError
from backend.storage import Storage
from backend.storage.recordings import Recording
from tests.eeg.hostile import MANIFEST
from tests.eeg.making import brainvision, edf_plus, eeglab, fif, put, table


@pytest.mark.parametrize("name", MANIFEST)
def test_a_hostile_recording_is_named_and_read_or_refused(
    name: str, tmp_path: Path, config: Config, storage: Storage, take: Callable[..., Recording]
) -> None:
    hostile = MANIFEST[name]
    path = hostile.make(tmp_path)
    seen = look(path, config=config)
    words = {found.word for found in seen.diagnoses}
    if not hostile.readable:
        assert set(hostile.words) <= words
        assert seen.inspection is None
        with pytest.raises(InputError) as caught:
            take(path, repairs=WORDS)
        assert caught.value.message
        assert caught.value.hint
        assert storage.recordings.list() == []
    else:
        if seen.repairs:
            with pytest.raises(InputError, match="Repair"):
                take(path)
        recording = take(path, repairs=seen.repairs)
        told = words | {found["word"] for found in recording.diagnoses}
        assert set(hostile.words) <= told
        signal = open_recording(config, recording.id)
        first = signal.channels[0].name
        assert np.isfinite(signal.read([first], 0, 1)).any()
        low, high = signal.overview([channel.name for channel in signal.channels], 0, signal.duration_s, 50)
        assert (low <= high)[np.isfinite(low)].all()
    assert not list((config.data / "recordings").glob(".draft*")), "nothing half-imported stays"


def test_every_diagnosis_is_met_by_a_hostile_recording_or_a_test_of_its_own() -> None:
    elsewhere = {"identifiers-removed", "annotations-free-text", "triggers-read", "segment-joined", "time-jitter"}
    elsewhere |= {"times-unknown", "order-drawn", "positions-approximate", "days-mixed", "simulated"}  # test_demo.py
    met = {word for hostile in MANIFEST.values() for word in hostile.words}
    assert set(WORDS) - met == elsewhere


def test_there_are_enough_of_them() -> None:
    assert len(MANIFEST) >= 30


NASTY = [
    b"",
    b"-1",
    b"0",
    b"nan",
    b"inf",
    b"1e300",
    b"-1e9",
    b"1e-300",
    b"99999999",
    b"\xff\xfe",
    b"1,5",
    b"0x10",
    b"\0\0\0",
    b"+7",
    b"1e3",
]


def test_any_number_of_a_header_may_be_anything(tmp_path: Path, config: Config, storage: Storage, take: Callable[..., Recording]) -> None:
    whole = edf_plus([0.0, 1.0, 5.0], {1: [(1.5, 1.0, "x")]}, labels=("C3", "SpO2"), rates=[50, 1])
    signals = 3
    fields = [(168, 8), (176, 8), (184, 8), (192, 44), (236, 8), (244, 8), (252, 4)]
    at = 256
    for size in (16, 80, 8, 8, 8, 8, 8, 80, 8, 32):
        fields += [(at + n * size, size) for n in range(signals)]
        at += size * signals
    rng = np.random.default_rng(0)
    read = 0
    for n in range(400):
        data = bytearray(whole)
        for _ in range(1 + n % 3):
            place, size = fields[rng.integers(len(fields))]
            data[place : place + size] = NASTY[rng.integers(len(NASTY))][:size].ljust(size)
        if n % 5 == 0:
            data = data[: rng.integers(len(data))]
        path = tmp_path / "a.edf"
        path.write_bytes(data)
        seen = look(path, config=config)
        assert seen.inspection is not None or seen.diagnoses
        if n % 8 == 0 and seen.inspection is not None:
            read += 1
            try:
                recording = take(path, repairs=seen.repairs)
            except InputError:
                continue  # said so, with a remedy
            signal = open_recording(config, recording.id)
            signal.overview([signal.channels[0].name], 0, min(signal.duration_s, 1e6), 10)
            delete_recording(config, storage, recording.id)
    assert read > 5


@pytest.mark.parametrize("name", ["BrainVision", "EEGLAB", "FIF", "table"])
def test_bytes_of_any_other_format_may_be_anything(name: str, tmp_path: Path, config: Config, take: Callable[..., Recording]) -> None:
    makers = {"BrainVision": brainvision, "EEGLAB": eeglab, "FIF": fif, "table": lambda folder: put(folder, "a.csv", table(rows=60))}
    path = makers[name](tmp_path)
    whole = path.read_bytes()
    rng = np.random.default_rng(1)
    for n in range(4 if name == "EEGLAB" else 25):  # each EEGLAB file is rehearsed in a process of its own
        data = bytearray(whole)
        for at in rng.integers(0, min(len(data), 3000), 1 + n % 6):
            data[at] = rng.integers(256)
        if n % 5 == 0:
            data = data[: rng.integers(len(data))]
        path.write_bytes(data)
        seen = look(path, config=config)
        assert seen.inspection is not None or seen.diagnoses
        if seen.inspection is not None and n % 4 == 0:
            with suppress(InputError):
                take(path, repairs=seen.repairs)
