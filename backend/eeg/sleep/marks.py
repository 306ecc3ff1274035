"""A staged night put to use on its recording: the traces of an epoch as scorers see them, and the stages as annotations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from backend.eeg.prepared import prepare
from backend.eeg.sleep.export import EDF_LABELS, runs
from backend.eeg.sleep.signal import leads_of
from backend.tasks import Context

_BANDS = {"eeg": (0.3, 35.0), "eog": (0.3, 35.0), "emg": (10.0, None)}  # as the AASM manual has them shown


def epoch_traces(context: Context, prediction: Mapping[str, Any], epoch: int, around_s: float = 0.0) -> tuple[list[str], float, np.ndarray]:
    """The derivations of an epoch (counted from 1) as they are shown to scorers: EEG and eyes 0.3 to 35 Hz, chin from 10 Hz.

    Returns
    -------
    list of str, float, ndarray of shape (derivations, samples)
        Names, samples a second, microvolts; NaN in gaps and outside the recording.
    """
    length = float(prediction["epoch_s"])
    start, stop = (epoch - 1) * length - around_s, epoch * length + around_s
    first, last = max(start, 0.0), min(stop, float(prediction["duration_s"]))
    rate = 100.0
    names: list[str] = []
    rows: list[np.ndarray] = []
    for kind, lead in leads_of(prediction["channels"]).chosen():
        high, low = _BANDS[kind]
        got = prepare(
            context,
            str(prediction["recording"]),
            names=list(lead.channels),
            start_s=first,
            stop_s=last,
            rate=rate,
            high_pass=high,
            low_pass=low,
            clean=False,
        )
        trace = got.values[0] - got.values[1] if len(lead.channels) > 1 else got.values[0]
        row = np.full(round((stop - start) * rate), np.nan, np.float32)
        at = round((first - start) * rate)
        row[at : at + len(trace)] = trace[: len(row) - at]
        names.append(lead.name)
        rows.append(row)
    return names, rate, np.stack(rows)


def write_stages(context: Context, prediction: Mapping[str, Any]) -> int:
    """Set the stages as annotations of the recording, one a stretch, in place of such as a person set before; returns their count."""
    recording = str(prediction["recording"])
    store = context.storage.recordings
    labels = set(EDF_LABELS.values())
    for mark in store.annotations(recording):
        if mark.origin == "user" and mark.label in labels:
            store.delete_annotation(recording, mark.id)
    made = runs(prediction["stages"], float(prediction["epoch_s"]))
    for onset, long, stage in made:
        store.annotate(recording, onset, long, EDF_LABELS[stage])
    return len(made)
