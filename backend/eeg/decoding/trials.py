"""Labelled trials: pieces of signal cut around events, in time order, with what was left out and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from backend.domain import Json
from backend.eeg.inputs import bad_channels, effective_channels, is_bad
from backend.eeg.prepared import prepare
from backend.eeg.recording import Channel
from backend.errors import InputError
from backend.storage.recordings import StoredAnnotation
from backend.tasks import Context

MOST_RATE = 256.0  # Hz; what is decoded here lies below 45 Hz
LONGEST_S, DEFAULT_S = 10.0, 1.0  # seconds: the longest window; the window after events without duration
MOST_TRIALS = 4_000
_CHUNK_S = 300.0  # signal read at once


@dataclass(frozen=True)
class Trials:
    """Trials in time order.

    Attributes
    ----------
    x : ndarray of float32, shape (trials, channels, samples)
        Microvolts, unfiltered; no NaN.
    y : ndarray of int, shape (trials,)
        Index into `classes`.
    onset_s : ndarray of float, shape (trials,)
        The event, seconds from the beginning of its recording.
    block : ndarray of int, shape (trials,)
        Which recording (session) a trial belongs to, counted in time order.
    classes : tuple of str
        Names of the classes.
    names, electrodes : tuple of str
        Channels; electrode '' where unknown.
    rate : float
        Samples a second.
    start_s : float
        From the event to the first sample, in seconds.
    """

    x: np.ndarray
    y: np.ndarray
    onset_s: np.ndarray
    block: np.ndarray
    classes: tuple[str, ...]
    names: tuple[str, ...]
    electrodes: tuple[str, ...]
    rate: float
    start_s: float = 0.0

    def __len__(self) -> int:
        return len(self.y)

    def pick(self, index: np.ndarray | Sequence[int]) -> Trials:
        """The trials at `index` (numbers or a mask)."""
        at = np.asarray(index)
        return replace(self, x=self.x[at], y=self.y[at], onset_s=self.onset_s[at], block=self.block[at])

    def channels(self, names: Sequence[str]) -> Trials:
        """The same trials on these channels, in this order."""
        rows = [self.names.index(name) for name in names]
        return replace(self, x=self.x[:, rows], names=tuple(names), electrodes=tuple(self.electrodes[row] for row in rows))

    def counts(self) -> dict[str, int]:
        """Trials of each class."""
        return {name: int((self.y == n).sum()) for n, name in enumerate(self.classes)}


@dataclass(frozen=True)
class Cut:
    """Trials, and the events that gave none.

    Attributes
    ----------
    left_out : dict
        Reason in words to the number of events.
    places : tuple of (recording, onset_s, reason)
        Each event that was left out.
    """

    trials: Trials
    left_out: Mapping[str, int] = field(default_factory=dict)
    places: tuple[tuple[str, float, str], ...] = ()
    notes: tuple[str, ...] = ()

    def json(self) -> dict[str, Json]:
        trials = self.trials
        return {
            "trials": len(trials),
            "classes": trials.counts(),
            "channels": list(trials.names),
            "electrodes": list(trials.electrodes),
            "rate": trials.rate,
            "window_s": [trials.start_s, trials.start_s + trials.x.shape[2] / trials.rate],
            "left_out": dict(self.left_out),
            "left_out_at": [[recording, round(onset, 3), reason] for recording, onset, reason in self.places[:200]],
            "notes": list(self.notes),
        }


def labels_of(context: Context, recordings: Sequence[str]) -> dict[str, int]:
    """Every label of the recordings' annotations with its number, most frequent first; bad segments are none."""
    marks = (mark.label for id in recordings for mark in context.storage.recordings.annotations(id))
    return dict(Counter(label for label in marks if not is_bad(label)).most_common())


def default_window(context: Context, recordings: Sequence[str], labels: Sequence[str]) -> tuple[float, float]:
    """From the event to the end of the shorter ones (10th percentile of their durations), at most `LONGEST_S`."""
    lengths = [mark.duration_s for id in recordings for mark in _events(context, id, labels) if mark.duration_s > 0]
    return 0.0, float(round(min(np.percentile(lengths, 10), LONGEST_S), 3)) if lengths else DEFAULT_S


def cut_trials(
    context: Context,
    recordings: Sequence[str],
    labels: Sequence[str],
    window: tuple[float, float] | None = None,
    *,
    names: Sequence[str] | None = None,
    rate: float | None = None,
    limit_uv: float | None = None,
) -> Cut:
    """Cut the trials of the events called `labels` out of recordings.

    The signal is not filtered: each candidate looks at the bands it needs, within the trial, so that nothing passes from one trial to
    another.

    Parameters
    ----------
    recordings : sequence of str
        Ids, in time order.
    labels : sequence of str
        The classes: labels of annotations, compared without case.
    window : (float, float), optional
        Seconds from the event; `default_window` unless given.
    names : sequence of str, optional
        Channels wanted, in this order; else all usable EEG channels that the recordings share.
    rate : float, optional
        Samples a second; else the lowest of the recordings, at most `MOST_RATE`.
    limit_uv : float, optional
        Leave out trials in which a channel moves more than this, peak to peak.

    Raises
    ------
    InputError
        When labels, channels or window do not fit the recordings, or no trial is left.
    """
    labels = tuple(labels)
    _check_labels(context, recordings, labels)
    wanted = {label.casefold(): n for n, label in enumerate(labels)}
    events = [[(mark.onset_s, wanted[mark.label.casefold()]) for mark in _events(context, id, labels)] for id in recordings]
    return cut_events(
        context,
        recordings,
        events,
        labels,
        window or default_window(context, recordings, labels),
        names=names,
        rate=rate,
        limit_uv=limit_uv,
    )


def cut_events(
    context: Context,
    recordings: Sequence[str],
    events: Sequence[Sequence[tuple[float, int]]],
    classes: tuple[str, ...],
    window: tuple[float, float],
    *,
    names: Sequence[str] | None = None,
    rate: float | None = None,
    limit_uv: float | None = None,
) -> Cut:
    """The same for events given as (onset_s, class) of each recording, in time order; class -1 where it is unknown."""
    start_s, stop_s = _check_window(window)
    channels = _shared(context, recordings, names)
    rate = float(rate or min(MOST_RATE, *(channel.rate for channel in channels)))
    samples = round((stop_s - start_s) * rate)
    if samples < 8:
        raise InputError(f"A window of {stop_s - start_s:g} s holds {samples} samples.", "Choose a longer one.")
    wanted = [channel.name for channel in channels]
    rows: list[tuple[np.ndarray, int, float, int]] = []
    places: list[tuple[str, float, str]] = []
    notes: dict[str, None] = {}
    for block, id in enumerate(recordings):
        context.progress.check()
        context.progress.update(block, len(recordings), "Cutting trials")
        bad = [mark for mark in context.storage.recordings.annotations(id) if is_bad(mark.label)]
        for onset, kind, piece, said in _pieces(context, id, events[block], (start_s, stop_s), wanted, rate, samples):
            notes |= dict.fromkeys(said)
            if reason := _reason(piece, onset + start_s, onset + stop_s, bad, wanted, limit_uv):
                places.append((id, onset, reason))
            elif piece is not None:
                rows.append((piece, kind, onset, block))
    if not rows:
        told = "; ".join(f"{reason}: {count}" for reason, count in Counter(place[2] for place in places).items())
        raise InputError(f"No trial is left of {len(places)} events. {told}", "Choose a shorter window, or mark fewer segments as bad.")
    electrodes = tuple(channel.electrode for channel in channels)
    trials = Trials(
        np.stack([row[0] for row in rows]),
        np.array([row[1] for row in rows]),
        np.array([row[2] for row in rows]),
        np.array([row[3] for row in rows]),
        classes,
        tuple(wanted),
        electrodes,
        rate,
        start_s,
    )
    return Cut(trials, dict(Counter(place[2] for place in places)), tuple(places), tuple(notes))


def _pieces(
    context: Context,
    id: str,
    events: Sequence[tuple[float, int]],
    window: tuple[float, float],
    names: Sequence[str],
    rate: float,
    samples: int,
) -> Iterator[tuple[float, int, np.ndarray | None, tuple[str, ...]]]:
    """Each event with its piece of signal (None where it reaches beyond the recording), read some minutes at a time."""
    duration = context.storage.recordings.get(id).duration_s
    inside: list[tuple[float, int]] = []
    for onset, kind in events:
        if onset + window[0] < 0 or onset + window[1] > duration + 0.5 / rate:
            yield onset, kind, None, ()
        else:
            inside.append((onset, kind))
    while inside:
        first = inside[0][0]
        chunk = [event for event in inside if event[0] <= first + _CHUNK_S]
        inside = inside[len(chunk) :]
        low, high = first + window[0], chunk[-1][0] + window[1] + 2 / rate
        read = prepare(context, id, names=names, start_s=low, stop_s=high, rate=rate)
        for onset, kind in chunk:
            at = round((onset - first) * rate)
            piece = read.values[:, at : at + samples]
            if piece.shape[1] == samples - 1:  # the last sample of the recording, lost in rounding
                piece = np.concatenate([piece, piece[:, -1:]], axis=1)
            yield onset, kind, piece.copy() if piece.shape[1] == samples else None, read.notes


def _reason(
    piece: np.ndarray | None, start_s: float, stop_s: float, bad: Sequence[StoredAnnotation], names: Sequence[str], limit_uv: float | None
) -> str:
    """Why a trial cannot be used; '' when it can."""
    if piece is None:
        return "the window reaches beyond the recording"
    if not np.isfinite(piece).all():
        return "the window touches a gap"
    for mark in bad:
        if mark.onset_s < stop_s and mark.onset_s + mark.duration_s > start_s and (not mark.channels or set(mark.channels) & set(names)):
            return "in a segment marked as bad"
    if limit_uv is not None and float(np.ptp(piece, axis=1).max()) > limit_uv:
        return f"a channel moves more than {limit_uv:g} uV"
    return ""


def _events(context: Context, id: str, labels: Sequence[str]) -> list[StoredAnnotation]:
    wanted = {label.casefold() for label in labels}
    return [mark for mark in context.storage.recordings.annotations(id) if mark.label.casefold() in wanted]


def _check_labels(context: Context, recordings: Sequence[str], labels: Sequence[str]) -> None:
    if len({label.casefold() for label in labels}) < max(2, len(labels)):
        raise InputError("A decoder tells at least two different classes apart.", "Name two or more labels of annotations.")
    found = labels_of(context, recordings)
    there = {label.casefold() for label in found}
    if missing := [label for label in labels if label.casefold() not in there]:
        told = ", ".join(f"{label} ({count})" for label, count in list(found.items())[:20]) or "none"
        raise InputError(f"No annotation of these recordings is called '{missing[0]}'.", f"Labels are: {told}.")


def _check_window(window: tuple[float, float]) -> tuple[float, float]:
    start_s, stop_s = float(window[0]), float(window[1])
    if not (np.isfinite(start_s) and np.isfinite(stop_s) and start_s < stop_s <= start_s + LONGEST_S):
        raise InputError(
            f"A window from {start_s:g} to {stop_s:g} s cannot be used.",
            f"Give its beginning and end in seconds from the event, at most {LONGEST_S:g} s apart.",
        )
    return start_s, stop_s


def _shared(context: Context, recordings: Sequence[str], names: Sequence[str] | None) -> list[Channel]:
    """The channels to use, as the first recording has them; they must be there, and alike, in every recording."""
    found = [{channel.name: channel for channel in effective_channels(context, id)} for id in recordings]
    if names is None:
        bad = {name for id in recordings for name in bad_channels(context, id)}
        usable = [name for name, channel in found[0].items() if channel.kind == "eeg" and name not in bad]
        names = [name for name in usable if all(name in other and other[name].kind == "eeg" for other in found)]
        if not names:
            raise InputError("These recordings share no usable EEG channel.", "Correct the channel maps, or choose others.")
    for id, channels in zip(recordings, found, strict=True):
        if missing := [name for name in names if name not in channels]:
            raise InputError(
                f"'{context.storage.recordings.get(id).name}' lacks the channels {', '.join(missing[:8])}.",
                f"Record them, or calibrate again on the channels that are there: {', '.join(list(channels)[:40])}.",
            )
        for name in names:
            here, there = channels[name].reference, found[0][name].reference
            if here and there and here != there:
                title = context.storage.recordings.get(id).name
                raise InputError(
                    f"{name} is measured against {there} in one recording and against {here} in '{title}'.",
                    "Correct the reference in the channel map, or use recordings of one montage.",
                )
    return [min((channels[name] for channels in found), key=lambda one: one.rate) for name in names]
