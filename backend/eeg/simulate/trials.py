"""Simulated patients for decoders: what tells the classes apart is planted, so that a decoder and its explanation can be checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from backend.eeg.decoding.trials import Trials

NAMES = ("F3", "Fz", "F4", "FC5", "FC1", "FC2", "FC6", "C3", "Cz", "C4", "CP5", "CP1", "CP2", "CP6", "P3", "Pz", "P4", "O1", "O2")
CLASSES = ("rest", "movement")
_REACH = 0.35  # radians of the scalp over which a source falls to 61%
_PLACES = 10  # sources of the background
_BACKGROUND = 8.0  # uV, standard deviation of such a source at its own place
_RHYTHM = 9.0  # uV, the planted rhythm at its own electrode in the class 'rest'
_ALPHA = 5.0  # uV, a posterior rhythm that has nothing to do with the classes
_SHARED = 9.0  # uV, what the suppressor shares with the source
_SENSOR = 1.5  # uV
_RUN = 6  # trials of one class in a row, on average, where classes come in runs
_MEMORY = 10.0  # trials over which a drift within a session is forgotten
_BREAK_S = 2.0  # between trials

Floats = NDArray[np.float64]


def simulated_patient(
    seed: int,
    *,
    trials: int = 80,
    sessions: int = 2,
    names: Sequence[str] = NAMES,
    rate: float = 128.0,
    seconds: float = 2.0,
    strength: float = 1.0,
    band: tuple[float, float] = (8.0, 13.0),
    window: tuple[float, float] = (0.5, 2.0),
    source: str = "C3",
    reach: float = _REACH,
    suppressor: str | None = None,
    drift: float = 1.0,
    runs: bool = False,
    bursts: float = 0.05,
    null: bool = False,
) -> list[Trials]:
    """Trials of one simulated patient, a `Trials` a session, in order of time; the same for the same seed.

    The classes differ in one place only: the rhythm of `band` under `source` desynchronises during `window` in the class
    'movement' (Pfurtscheller and Lopes da Silva 1999, doi:10.1016/S1388-2457(99)00141-8). Everything else is 1/f background from
    ten places, a posterior alpha rhythm, noise of the sensors, and what spoils decoders in practice.

    Parameters
    ----------
    trials, sessions : int
        Trials of a session, half of each class, and sessions. Every session is its own `block`.
    names : sequence of str
        Electrodes of the 10-05 system.
    strength : float
        Mean fall of the rhythm's amplitude in 'movement' is exp(-0.7 * strength): by half at 1, none at 0.
    reach : float
        Radians of the scalp over which the planted rhythm falls to 61%. At 0.35 it has half its amplitude at the next electrodes of
        the default `names`, and one of them may well hear it with less noise; at 0.25 a quarter.
    suppressor : str, optional
        An electrode far from `source` that carries no class information, but picks up a strong noise in `band` that lies over the
        source as well: a decoder that subtracts it does better, so its weight is large although its activity tells nothing (Haufe
        2014, doi:10.1016/j.neuroimage.2013.10.067).
    drift : float
        How far sessions differ: gains of the channels (10% at 1), a shift of the cap (6 mm at 1) and amplitudes of all rhythms (25%
        at 1); within a session amplitudes wander by as much, with a memory of about ten trials.
    runs : bool
        The leakage trap: trials of one class come in runs of about six, so that neighbours share both class and drift. Folds drawn at
        random then profit from drift, blocks of time do not.
    bursts : float
        Share of trials with a blink or a burst of muscle activity, whatever the class.
    null : bool
        No difference between the classes at all, with all drifts and traps left in place.

    Returns
    -------
    list of Trials
        ``x`` float32 (trials, channels, samples) in uV; ``y`` 0 for 'rest', 1 for 'movement'; ``start_s`` 0.
    """
    places = _places(names)
    at = {name: index for index, name in enumerate(names)}
    fixed = np.random.default_rng([seed, 4])
    sources = np.vstack([_scattered(fixed, _PLACES), places[at[source]], _places(("Pz",))])
    levels = np.concatenate([_BACKGROUND * fixed.uniform(0.6, 1.4, _PLACES), [_RHYTHM, _ALPHA]])
    reaches = np.full(len(sources), _REACH)
    reaches[_PLACES] = reach
    samples = round(rate * seconds)
    found = []
    for session in range(sessions):
        rng = np.random.default_rng([seed, 4, session])
        moved = _turned(places, 0.07 * drift * rng.normal(size=3))
        mixing = np.exp(-0.5 * (_angles(moved, sources) / reaches) ** 2)
        y = _order(rng, trials, runs)
        activity = np.empty((trials, len(sources), samples))
        activity[:, :_PLACES] = _coloured(rng, (trials, _PLACES, samples), rate)
        activity[:, _PLACES] = _narrow(rng, (trials, samples), rate, band)
        activity[:, _PLACES + 1] = _narrow(rng, (trials, samples), rate, (8.5, 11.5))
        if not null:
            activity[:, _PLACES] *= 1 + (np.exp(-0.7 * strength * y) - 1)[:, None] * _during(samples, rate, window)
        daily = np.exp(0.25 * drift * rng.normal(size=len(sources)))
        amplitude = (
            levels * daily * np.exp(_wander(rng, trials, len(sources), 0.25 * drift) + 0.2 * rng.normal(size=(trials, len(sources))))
        )
        values = mixing @ (amplitude[:, :, None] * activity)
        if suppressor is not None:
            shared = _SHARED * np.exp(0.6 * rng.normal(size=(trials, 1))) * _narrow(rng, (trials, samples), rate, band)
            values += mixing[:, _PLACES, None] * shared[:, None]
            values[:, at[suppressor]] += shared
        for trial in np.flatnonzero(rng.random(trials) < bursts):
            values[trial] += _burst(rng, places, samples, rate)
        values += _SENSOR * rng.normal(size=values.shape)
        values *= np.exp(0.1 * drift * rng.normal(size=(len(names), 1)))
        found.append(
            Trials(
                x=values.astype(np.float32),
                y=y,
                onset_s=np.arange(trials) * (seconds + _BREAK_S),
                block=np.full(trials, session),
                classes=CLASSES,
                names=tuple(names),
                electrodes=tuple(names),
                rate=rate,
                start_s=0.0,
            )
        )
    return found


def joined(sessions: Sequence[Trials]) -> Trials:
    """The trials of several sessions as one, in order of time; `block` tells them apart."""

    def all_of(field: str) -> np.ndarray:
        return np.concatenate([getattr(one, field) for one in sessions])

    return replace(sessions[0], x=all_of("x"), y=all_of("y"), onset_s=all_of("onset_s"), block=all_of("block"))


def _places(names: Sequence[str]) -> Floats:
    """Electrodes of the 10-05 system on the unit sphere, (names, 3)."""
    import mne

    known = mne.channels.make_standard_montage("spherical_1005").get_positions()["ch_pos"]
    missing = [name for name in names if name not in known]
    if missing:
        raise ValueError(f"These are no electrodes of the 10-05 system: {', '.join(missing)}.")
    places = np.array([known[name] for name in names])
    return np.asarray(places / np.linalg.norm(places, axis=1, keepdims=True))


def _scattered(rng: np.random.Generator, count: int) -> Floats:
    """Places on the upper half of the sphere, (count, 3)."""
    places = rng.normal(size=(count, 3))
    places[:, 2] = np.abs(places[:, 2])
    return np.asarray(places / np.linalg.norm(places, axis=1, keepdims=True))


def _angles(one: Floats, two: Floats) -> Floats:
    return np.asarray(np.arccos(np.clip(one @ two.T, -1, 1)))


def _turned(places: Floats, angles: Floats) -> Floats:
    """The places after small turns around the three axes: a cap put on slightly askew."""
    from scipy.spatial.transform import Rotation

    return np.asarray(Rotation.from_rotvec(angles).apply(places))


def _order(rng: np.random.Generator, trials: int, runs: bool) -> NDArray[np.int64]:
    """Classes in order of time, as many of each: at random, or in runs of one class."""
    y = np.arange(trials) % 2
    if not runs:
        return rng.permutation(y)
    pieces = [
        piece for label in (0, 1) for piece in np.array_split(np.full((y == label).sum(), label), max(1, round((y == label).sum() / _RUN)))
    ]
    mixed = [pieces[i] for i in rng.permutation(len(pieces))]
    return np.concatenate(mixed)


def _wander(rng: np.random.Generator, trials: int, count: int, size: float) -> Floats:
    """A slow random walk about zero, (trials, count): standard deviation `size`, memory of about ten trials."""
    kept = float(np.exp(-1 / _MEMORY))
    walk = rng.normal(size=(trials, count))
    for trial in range(1, trials):
        walk[trial] = kept * walk[trial - 1] + np.sqrt(1 - kept**2) * walk[trial]
    return size * walk


def _coloured(rng: np.random.Generator, shape: tuple[int, ...], rate: float) -> Floats:
    """Noise whose power falls with 1 / f above 1 Hz, of standard deviation 1."""
    hertz = np.fft.rfftfreq(shape[-1], 1 / rate)
    made = np.fft.irfft(np.fft.rfft(rng.normal(size=shape)) / np.sqrt(np.maximum(hertz, 1.0)), shape[-1])
    return np.asarray(made / made.std())


def _narrow(rng: np.random.Generator, shape: tuple[int, ...], rate: float, band: tuple[float, float]) -> Floats:
    """Noise of one band, of standard deviation 1; made twice as long, so that its end does not run into its beginning."""
    longer = 2 * shape[-1]
    hertz = np.fft.rfftfreq(longer, 1 / rate)
    spectrum = np.fft.rfft(rng.normal(size=(*shape[:-1], longer)))
    made = np.fft.irfft(spectrum * ((hertz >= band[0]) & (hertz <= band[1])), longer)[..., : shape[-1]]
    return np.asarray(made / made.std())


def _during(samples: int, rate: float, window: tuple[float, float]) -> Floats:
    """1 inside the window, 0 outside, with slopes of 0.1 s."""
    time = np.arange(samples) / rate
    return np.asarray(np.clip((time - window[0]) / 0.1 + 0.5, 0, 1) * np.clip((window[1] - time) / 0.1 + 0.5, 0, 1))


def _burst(rng: np.random.Generator, places: Floats, samples: int, rate: float) -> Floats:
    """A blink over the forehead or muscle activity over one temple, (channels, samples) in uV."""
    time = np.arange(samples) / rate
    centre = rng.uniform(0, time[-1])
    if rng.random() < 0.5:
        where = np.exp(-0.5 * (_angles(places, np.array([[0.0, 0.95, 0.31]]))[:, 0] / 0.5) ** 2)
        return np.asarray(120 * where[:, None] * np.exp(-0.5 * ((time - centre) / 0.1) ** 2))
    side = rng.choice([-1.0, 1.0])
    where = np.exp(-0.5 * (_angles(places, np.array([[0.95 * side, 0.25, 0.18]]))[:, 0] / 0.5) ** 2)
    return np.asarray(60 * where[:, None] * np.exp(-0.5 * ((time - centre) / 0.3) ** 2) * rng.normal(size=samples))
