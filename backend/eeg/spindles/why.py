"""Why the network marks a spindle: Shapley values of bands and times around it, each taken out of the signal in turn."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from backend.domain import Attribution, Json
from backend.errors import InputError
from backend.explain.text import explain_players, to_json
from backend.models.families.brainmaze import Spindler
from backend.models.spindle_network import RATE, WINDOW, grid
from backend.tasks import Context

Floats = NDArray[np.floating]

MODEL = "openspindlenet"
BANDS = {"below 8 Hz": (0.0, 8.0), "8 to 11 Hz": (8.0, 11.0), "11 to 16 Hz": (11.0, 16.0), "above 16 Hz": (16.0, RATE)}
TIMES = ("during", "1.5 s before and after")
NEAR_S = 1.5
_FADE_HZ, _FADE_S = 1.0, 0.2
BASELINE = (
    "What is absent is taken out of the signal: that band's wave, in that time, faded out over 0.2 s. The rest of the 30 s that the "
    "network reads stays as recorded."
)


def explain(context: Context, prediction: Mapping[str, Json], target: Mapping[str, Json], settings: Mapping[str, Json]) -> dict[str, Json]:
    """Why one event has the probability that the network gives it.

    Parameters
    ----------
    target : mapping
        ``channel`` and ``start``, the event's first second. Of an empty one: the surest event of the first channel that has any.

    Raises
    ------
    InputError
        When the result holds no such event.
    """
    from backend.eeg.spindles.detection import choose_channels, read_derivation

    channel, event = _find(prediction, target)
    recording = str(prediction["recording"])
    of = next(each for each in choose_channels(context, recording, [channel["plus"]]) if each.plus == channel["plus"])
    of = type(of)(channel["name"], channel["plus"], channel["minus"], channel["rate"])
    values, _ = read_derivation(context, recording, of, bool(settings["clean"]))
    centre = sum(event["network"] or event["second"]) / 2
    first = window_of(channel["stretches"], centre)
    window = values[first : first + WINDOW].astype(np.float64)
    span = (event["start"] - first / RATE, event["end"] - first / RATE)
    parts = components(window, span)
    seconds = np.clip(int(centre - first / RATE) + np.arange(-1, 2), 0, 29)
    with context.runtime.use(MODEL) as network:
        assert isinstance(network, Spindler)

        def score(present: NDArray[np.bool_]) -> np.ndarray:
            versions = window - (~present).astype(np.float64) @ parts
            found: np.ndarray = network.heads(versions)[:, seconds, 0].max(axis=1).astype(np.float64)
            return found

        explanation = explain_players(
            score,
            [Attribution(f"{band}, {time}", None) for band in BANDS for time in TIMES],
            target=f"probability of a spindle in {channel['name']} at {event['start']:.1f} s",
            unit="probability",
            baseline=BASELINE,
            noun="part",
            note="the score is the network's probability of a spindle's centre within a second of this event's",
            most_exact=len(BANDS) * len(TIMES),
            progress=context.progress,
        )
    return {
        "target": {"channel": channel["name"], "start": event["start"]},
        "model": MODEL,
        "bands": list(BANDS),
        "times": list(TIMES),
        "sites": to_json(explanation),
    }


def window_of(stretches: list[list[float]], centre: float) -> int:
    """First sample, from the recording's beginning, of the 30 s window that answers for a time in one of these stretches (seconds)."""
    for start, stop in stretches:
        if start <= centre <= stop:
            begin = round(start * RATE)
            starts, bounds = grid(round(stop * RATE) - begin)
            which = int(np.searchsorted(bounds, centre * RATE - begin, side="right")) - 1
            return begin + int(starts[min(max(which, 0), len(starts) - 1)])
    raise InputError(f"At {centre:.1f} s nothing was searched.", "Choose an event of the result.")


def components(window: Floats, span: tuple[float, float]) -> Floats:
    """The wave of each band in each time, shape (8, samples), bands first; per time they add up to the signal there."""
    time = np.arange(len(window)) / RATE
    edges = [span[0] - NEAR_S, span[0], span[1], span[1] + NEAR_S]
    rises = [_rise(time - edge, _FADE_S) for edge in edges]
    before, during, after = (one - two for one, two in pairwise(rises))
    times = [during, before + after]
    spectrum = np.fft.rfft(window)
    hertz = np.fft.rfftfreq(len(window), 1 / RATE)
    found = []
    for low, high in BANDS.values():
        gain = (_rise(hertz - low, _FADE_HZ) if low else 1.0) - (_rise(hertz - high, _FADE_HZ) if high < RATE else 0.0)
        wave = np.fft.irfft(spectrum * gain, len(window))
        found += [wave * when for when in times]
    return np.stack(found)


def _rise(where: Floats, width: float) -> Floats:
    """From 0 to 1 around 0, as half a cosine `width` wide."""
    made: Floats = 0.5 - 0.5 * np.cos(np.pi * np.clip(where / width + 0.5, 0, 1))
    return made


def _find(prediction: Mapping[str, Json], target: Mapping[str, Json]) -> tuple[Mapping[str, Json], Mapping[str, Json]]:
    channels = [channel for channel in prediction["channels"] if channel["events"]]
    if not channels:
        raise InputError("The result holds no spindle.", "")
    if not target:
        return channels[0], max(channels[0]["events"], key=lambda event: event["probability"] or 0.0)
    for channel in channels:
        for event in channel["events"]:
            if channel["name"] == target.get("channel") and abs(event["start"] - float(target.get("start", -1))) < 1e-3:
                return channel, event
    raise InputError(f"There is no spindle at {target.get('start')} s in {target.get('channel')}.", "Choose an event of the result.")
