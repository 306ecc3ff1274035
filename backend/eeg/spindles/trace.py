"""Spindles put to use on their recording: the signal around one, for the eye, and events as annotations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from backend.domain import Json
from backend.eeg.prepared import prepare
from backend.eeg.spindles.events import Sigma
from backend.models.spindle_network import RATE
from backend.tasks import Context

LABEL = "Spindle"
_SIDE_S = 4.0  # read on either side, so that the ends of filters are not seen


def read_trace(
    context: Context, recording: str, plus: str, minus: str, start_s: float, stop_s: float, clean: bool = True
) -> dict[str, np.ndarray]:
    """A channel, or one against another, between two seconds.

    Returns
    -------
    dict
        ``time`` (s from the recording's beginning), ``broad`` and ``sigma`` (uV), each of shape (samples,) at 250 Hz; NaN in gaps.
    """
    low, high = max(0.0, start_s - _SIDE_S), stop_s + _SIDE_S
    names = [plus, minus] if minus else [plus]
    broad, raw = (
        prepare(context, recording, names=names, start_s=low, stop_s=high, rate=RATE, high_pass=cut, low_pass=top, clean=clean).values
        for cut, top in ((0.3, 35.0), (None, None))
    )
    if minus:
        broad, raw = broad[:1] - broad[1:], raw[:1] - raw[1:]
    time = low + np.arange(broad.shape[1]) / RATE
    shown = (time >= start_s) & (time <= stop_s)
    return {"time": time[shown], "broad": broad[0, shown], "sigma": Sigma(raw[0]).wave[shown]}


def write_spindles(context: Context, recording: str, channel: str, events: Sequence[Mapping[str, Json]]) -> int:
    """Set events as annotations of a channel; those that stand there already stay as they are. Returns how many are new."""
    store = context.storage.recordings
    there = {(round(mark.onset_s, 2), mark.channels) for mark in store.annotations(recording) if mark.label == LABEL}
    fresh = [event for event in events if (round(float(event["start"]), 2), (channel,)) not in there]
    for event in fresh:
        store.annotate(recording, float(event["start"]), float(event["end"]) - float(event["start"]), LABEL, (channel,))
    return len(fresh)
