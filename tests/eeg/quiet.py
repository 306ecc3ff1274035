"""Recordings of quiet wakefulness made for tests: 1/f noise with a rhythm of known frequency, imported like any file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from backend.eeg.importing import import_recording
from tests.benchmarks.eeg_baseline import RATE, background
from tests.eeg.making import edf, edf_plus, put

PAIR = ("O1", "O2")


def visit_of(bench: Any, label: str = "first", patient: str = "") -> str:
    """A new visit, of a new patient unless one is named."""
    who = patient or bench.storage.patients.add("P-07").id
    return bench.storage.patients.add_visit(who, label).id


def keep(bench: Any, folder: Path, values: np.ndarray, names: Sequence[str] = PAIR, visit: str = "", seed: int = 0, **more: Any) -> str:
    """Import microvolts (channels, samples at 128 Hz); gives the recording's id."""
    seconds = int(values.shape[1] // RATE)
    digital = [np.clip(np.round(row * 10), -32768, 32767).astype(np.int32) for row in values]
    data = edf(names, values=digital, rates=[int(RATE)] * len(names), records=seconds, prefilter="", **more)
    path = put(folder, f"quiet-{seed}-{len(names)}-{seconds}.edf", data)
    return import_recording(bench.config, bench.storage, visit or visit_of(bench), path).id


def keep_broken(
    bench: Any, folder: Path, values: np.ndarray, onsets: Sequence[float], names: Sequence[str] = PAIR, patient: str = "P-07"
) -> str:
    """The same as an interrupted EDF+ whose records of one second begin at `onsets`."""
    digital = [np.clip(np.round(row * 10), -32768, 32767).astype(np.int32) for row in values]
    data = edf_plus(onsets, labels=names, values=digital, rates=[int(RATE)] * len(names), prefilter="")
    who = bench.storage.patients.add(patient).id
    return import_recording(bench.config, bench.storage, visit_of(bench, patient=who), put(folder, "broken.edf", data)).id


def quiet(peak: float | None, seconds: float = 60.0, strength: float = 3.0, seed: int = 1, forget_s: float = 2.0) -> np.ndarray:
    """Two channels in microvolts with a rhythm at `peak` Hz, or none."""
    return background(seed, seconds, peak, strength, forget_s)


def measure(bench: Any, recording: str, **settings: Any) -> Mapping[str, Any]:
    """The prediction of `eeg.baseline`."""
    return bench.run("eeg.baseline", {"recording": recording}, settings=settings).prediction
