"""A calibration as it is kept: the decoder with what later recordings are compared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from backend.domain import Json
from backend.eeg.decoding import drift
from backend.eeg.decoding.candidates import Decoder, restore
from backend.eeg.decoding.judge import Judged
from backend.eeg.decoding.trials import Trials
from backend.storage.calibrations import Calibration
from backend.tasks import Context


@dataclass(frozen=True)
class Kept:
    """A calibration, opened."""

    about: Calibration
    decoder: Decoder
    temperature: float
    reference: Mapping[str, np.ndarray]


def keep(
    context: Context,
    patient: str,
    name: str,
    recordings: tuple[str, ...],
    trials: Trials,
    judged: Judged,
    settings: Mapping[str, Json],
    pooled: tuple[tuple[str, ...], tuple[str, ...]] = ((), ()),
) -> Calibration:
    """Keep a judged decoder; `pooled` names the other patients and their recordings that it learned from."""
    report = judged.report
    data = {
        **judged.decoder.meta(),
        "chosen": report["candidate"],
        "temperature": judged.temperature,
        "electrodes": list(trials.electrodes),
        "counts": trials.counts(),
        "verdict": report["verdict"]["word"],
        "next_session": report["next_session"],
        "p": report["permutation"]["p"],
        "labels": list(trials.classes),
        "settings": dict(settings),
        "pooled_recordings": list(pooled[1]),
    }
    arrays = judged.decoder.arrays() | drift.reference(trials)
    return context.storage.calibrations.add(patient, name, recordings, data, arrays, pooled[0])


def open_kept(context: Context, id: str) -> Kept:
    """A calibration with its decoder."""
    about = context.storage.calibrations.get(id)
    arrays = context.storage.calibrations.arrays(id)
    own = {name: array for name, array in arrays.items() if not name.startswith("drift_")}
    reference = {name: array for name, array in arrays.items() if name.startswith("drift_")}
    return Kept(about, restore(own, about.data), float(about.data["temperature"]), reference)
