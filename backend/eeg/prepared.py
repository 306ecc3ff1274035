"""The signals of a recording as tasks take them: corrected channels, bad ones left out, cleaned, filtered, at one rate; gaps stay gaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from backend.eeg import cleaning
from backend.eeg.filters import filtered, margin_s
from backend.eeg.inputs import bad_channels, effective_channels, is_bad, is_simulated
from backend.eeg.recording import Channel
from backend.eeg.signal import MOST_READ, Signal, open_recording
from backend.errors import InputError
from backend.tasks import Context

_PIECE = 16  # channels filtered at once: a night of them fits into memory
_MARGIN_S = 2.0


@dataclass(frozen=True)
class Prepared:
    """Signals with their names.

    Attributes
    ----------
    names, electrodes, kinds, references : tuple of str
        One for each row of `values`; electrode and reference are '' where unknown.
    rate : float
        Samples a second.
    values : ndarray of float32, shape (channels, samples)
        In microvolts, or the channel's own unit; NaN in gaps, and in bad segments where these were asked out.
    start_s : float
        Seconds from the recording's beginning to the first sample.
    notes : tuple of str
        What was left out, corrected or cleaned, in words.
    """

    names: tuple[str, ...]
    electrodes: tuple[str, ...]
    kinds: tuple[str, ...]
    references: tuple[str, ...]
    rate: float
    values: np.ndarray
    start_s: float
    notes: tuple[str, ...] = ()

    @property
    def duration_s(self) -> float:
        return float(self.values.shape[1] / self.rate)


def prepare(
    context: Context,
    recording: str,
    *,
    kinds: Sequence[str] = ("eeg",),
    names: Sequence[str] | None = None,
    start_s: float = 0.0,
    stop_s: float | None = None,
    rate: float | None = None,
    high_pass: float | None = None,
    low_pass: float | None = None,
    notch: float | None = None,
    drop_bad: bool = True,
    bad_segments: str = "keep",
    clean: bool = True,
) -> Prepared:
    """Read and prepare a stretch of a recording.

    Parameters
    ----------
    kinds : sequence of str
        Kinds of channels, where `names` does not name them.
    names : sequence of str, optional
        Channels, in the order wanted; bad ones among them are given as they are.
    start_s, stop_s : float
        Seconds from the beginning; to the end when `stop_s` is None.
    rate : float, optional
        Resample to this rate, each unbroken stretch on its own. Channels of different rates need it.
    high_pass, low_pass, notch : float, optional
        Hz.
    drop_bad : bool
        Leave out the channels that the person called bad.
    bad_segments : {'keep', 'nan'}
        Whether stretches annotated as bad become NaN (after filtering).
    clean : bool
        Apply the recording's cleaning.

    Raises
    ------
    InputError
        When no such channel is there, or rates differ and none is asked for.
    """
    signal = open_recording(context.config, recording)
    channels, notes = _choose(context, recording, kinds, names, drop_bad)
    stop = signal.duration_s if stop_s is None else min(stop_s, signal.duration_s)
    rates = {channel.rate for channel in channels}
    if rate is None and len(rates) > 1:
        told = ", ".join(f"{one:g} Hz" for one in sorted(rates))
        raise InputError(f"These channels have different sampling rates: {told}.", "Take those of one rate.")
    wanted = rate or rates.pop()
    count = round((stop - start_s) * wanted)
    if count < 1:
        raise InputError(f"From {start_s:g} to {stop:g} s there is nothing to read.", "Give a beginning before the end.")
    values = np.full((len(channels), count), np.nan, np.float32)
    margin = _MARGIN_S + (margin_s(high_pass) if high_pass or low_pass or notch else 0.0)
    first, last = max(start_s - margin, 0.0), min(stop + margin, signal.duration_s)
    cleaned = False
    skip = round((start_s - first) * wanted)
    for own in dict.fromkeys(channel.rate for channel in channels):
        rows = [n for n, channel in enumerate(channels) if channel.rate == own]
        raw, touched = _read(context, recording, signal, [channels[n].name for n in rows], (first, last), clean)
        cleaned |= touched
        for at in range(0, len(rows), _PIECE):
            made = filtered(raw[at : at + _PIECE], own, high_pass, low_pass, notch)
            made = resampled(made, own, wanted)[:, skip : skip + count]
            values[rows[at : at + _PIECE], : made.shape[1]] = made
    if cleaned:
        notes.append("Components that the person took out (ICA) are taken out here too.")
    if bad_segments == "nan":
        blank_bad(context, recording, values, wanted, start_s, [channel.name for channel in channels])
    return Prepared(
        tuple(channel.name for channel in channels),
        tuple(channel.electrode for channel in channels),
        tuple(channel.kind for channel in channels),
        tuple(channel.reference for channel in channels),
        wanted,
        values,
        start_s,
        tuple(notes),
    )


def blank_bad(context: Context, recording: str, values: np.ndarray, rate: float, start_s: float, names: Sequence[str]) -> float:
    """Put NaN, in place, where annotations call a stretch bad: on their channels, or on all. Returns the seconds so left out on any."""
    touched = np.zeros(values.shape[1], bool)
    stop_s = start_s + values.shape[1] / rate
    for mark in context.storage.recordings.annotations(recording, start_s, stop_s):
        if not is_bad(mark.label):
            continue
        first, last = int((mark.onset_s - start_s) * rate), int(np.ceil((mark.onset_s + mark.duration_s - start_s) * rate))
        stretch = slice(max(first, 0), max(last, 0))
        rows = [n for n, name in enumerate(names) if name in mark.channels] if mark.channels else list(range(len(names)))
        if rows:
            values[rows, stretch] = np.nan
            touched[stretch] = True
    return float(touched.sum() / rate)


def resampled(values: np.ndarray, rate: float, wanted: float) -> np.ndarray:
    """The values (channels, samples) at another rate: polyphase filtering, each unbroken stretch on its own; NaN stay where they were."""
    from scipy.signal import resample_poly

    if rate == wanted:
        return values
    ratio = Fraction(wanted / rate).limit_denominator(1000)
    out = np.full((values.shape[0], round(values.shape[1] * wanted / rate)), np.nan, np.float32)
    for row, channel in enumerate(values):
        for first, last in stretches(np.isfinite(channel)):
            made = resample_poly(channel[first:last].astype(np.float64), ratio.numerator, ratio.denominator, padtype="line")
            at = round(first * wanted / rate)
            fitting = made[: max(0, min(len(made), out.shape[1] - at, round(last * wanted / rate) - at))]
            out[row, at : at + len(fitting)] = fitting
    return out


def stretches(good: np.ndarray) -> list[tuple[int, int]]:
    """First and last-plus-one of every run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], good, [False]]).astype(np.int8)))
    return [(int(first), int(last)) for first, last in edges.reshape(-1, 2)]


def _choose(
    context: Context, recording: str, kinds: Sequence[str], names: Sequence[str] | None, drop_bad: bool
) -> tuple[list[Channel], list[str]]:
    every = effective_channels(context, recording)
    bad = bad_channels(context, recording)
    notes = ["This recording is simulated."] if is_simulated(context, recording) else []
    if names is not None:
        by_name = {channel.name: channel for channel in every}
        if strange := [name for name in names if name not in by_name]:
            raise InputError(f"The recording has no channel '{strange[0]}'.", f"Channels are: {', '.join(by_name)}.")
        return [by_name[name] for name in names], notes
    channels = [channel for channel in every if channel.kind in kinds]
    if drop_bad and (lost := [channel.name for channel in channels if channel.name in bad]):
        notes.append(f"Left out as bad: {', '.join(lost)}.")
        channels = [channel for channel in channels if channel.name not in bad]
    if not channels:
        told = ", ".join(kinds).upper()
        raise InputError(f"The recording has no usable channel of this kind: {told}.", "Say in the channel map what each channel is.")
    return channels, notes


def _read(
    context: Context, recording: str, signal: Signal, names: Sequence[str], when: tuple[float, float], clean: bool
) -> tuple[np.ndarray, bool]:
    """The values of channels of one rate, read and cleaned piece by piece; whether cleaning changed any."""
    rate = signal.channel(names[0]).rate
    zero, end = round(when[0] * rate), round(when[1] * rate)
    raw = np.empty((len(names), end - zero), np.float32)
    touched = False
    step = max(1, MOST_READ // len(names) // 2)
    for at in range(zero, end, step):
        stop = min(at + step, end)
        part = signal.read(names, at / rate, stop / rate)
        less = cleaning.apply(context, recording, names, part, at / rate) if clean else part
        touched |= less is not part
        raw[:, at - zero : stop - zero] = less
    return raw, touched
