"""The measures of a night in the words of a person: channel, band or form of the signal, and the time around the epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from backend.eeg.sleep.features import CENTRED, PAST

CHANNELS: Mapping[str, str] = {"eeg": "EEG", "eog": "Eyes", "emg": "Chin"}
BANDS: Mapping[str, str] = {
    "sdelta": "slow 0.4-1 Hz",
    "fdelta": "delta 1-4 Hz",
    "theta": "theta 4-8 Hz",
    "alpha": "alpha 8-12 Hz",
    "sigma": "sigma 12-16 Hz",
    "beta": "beta 16-30 Hz",
    "ratio": "ratios of bands",
    "amplitude": "amplitude",
    "form": "form of the waves",
}
CONTEXTS: Mapping[str, str] = {"own": "the epoch itself", "centred": "7.5 min around it", "past": "2 min up to it"}
NIGHT = ("night", "time", "own")
PERSON = ("person", "age and sex", "own")

_MEASURES: Mapping[str, tuple[str, str, str]] = {
    # measure: band, what it is, unit
    "sdelta": ("sdelta", "share of power at 0.4-1 Hz", ""),
    "fdelta": ("fdelta", "share of power at 1-4 Hz", ""),
    "theta": ("theta", "share of power at 4-8 Hz", ""),
    "alpha": ("alpha", "share of power at 8-12 Hz", ""),
    "sigma": ("sigma", "share of power at 12-16 Hz", ""),
    "beta": ("beta", "share of power at 16-30 Hz", ""),
    "dt": ("ratio", "delta to theta", ""),
    "ds": ("ratio", "delta to sigma", ""),
    "db": ("ratio", "delta to beta", ""),
    "at": ("ratio", "alpha to theta", ""),
    "std": ("amplitude", "standard deviation", "uV"),
    "iqr": ("amplitude", "interquartile range", "uV"),
    "abspow": ("amplitude", "power at 0.4-30 Hz", "uV2"),
    "skew": ("form", "skewness", ""),
    "kurt": ("form", "kurtosis", ""),
    "nzc": ("form", "zero crossings", ""),
    "hmob": ("form", "Hjorth mobility", ""),
    "hcomp": ("form", "Hjorth complexity", ""),
    "perm": ("form", "permutation entropy", ""),
    "higuchi": ("form", "Higuchi's fractal dimension", ""),
    "petrosian": ("form", "Petrosian's fractal dimension", ""),
}
_NIGHTLY = {"time_hour": "hours since the recording began", "time_norm": "share of the recording that has passed"}
_PERSONAL = {"age": "age", "male": "sex"}


@dataclass(frozen=True)
class Group:
    """Measures that are explained together.

    Attributes
    ----------
    channel, band, context : str
        Keys of `CHANNELS`, `BANDS`, `CONTEXTS`; or `NIGHT`, `PERSON`.
    columns : tuple of int
        Places in the classifier's measures.
    """

    channel: str
    band: str
    context: str
    columns: tuple[int, ...]

    @property
    def label(self) -> str:
        """Such as 'EEG delta 1-4 Hz, the epoch itself'."""
        if self.channel == "night":
            return "Time of the night"
        if self.channel == "person":
            return "Age and sex"
        return f"{CHANNELS[self.channel]} {BANDS[self.band]}, {CONTEXTS[self.context]}"


def group(features: Sequence[str]) -> list[Group]:
    """The groups of a classifier's measures: every measure stands in exactly one."""
    found: dict[tuple[str, str, str], list[int]] = {}
    for column, feature in enumerate(features):
        found.setdefault(_key(feature), []).append(column)
    order = {key: place for place, key in enumerate((*CHANNELS, "night", "person"))}
    bands, contexts = list(BANDS), list(CONTEXTS)
    keys = sorted(found, key=lambda key: (order[key[0]], bands.index(key[1]) if key[1] in BANDS else 0, contexts.index(key[2])))
    return [Group(*key, tuple(found[key])) for key in keys]


def in_words(feature: str) -> tuple[str, str]:
    """What one measure is, and its unit: 'standard deviation of the EEG, the epoch itself', 'uV'."""
    if feature in _NIGHTLY or feature in _PERSONAL:
        return {**_NIGHTLY, **_PERSONAL}[feature], ""
    channel, measure, context = _parts(feature)
    of = {"eeg": "the EEG", "eog": "the eyes", "emg": "the chin"}[channel]
    _, words, unit = _MEASURES[measure]
    return f"{words} of {of}, {CONTEXTS[context]}", unit if context == "own" else "spreads of the night"


def _key(feature: str) -> tuple[str, str, str]:
    if feature in _NIGHTLY:
        return NIGHT
    if feature in _PERSONAL:
        return PERSON
    channel, measure, context = _parts(feature)
    return channel, _MEASURES[measure][0], context


def _parts(feature: str) -> tuple[str, str, str]:
    context = "centred" if feature.endswith(CENTRED) else "past" if feature.endswith(PAST) else "own"
    bare = feature.removesuffix(CENTRED).removesuffix(PAST)
    channel, _, measure = bare.partition("_")
    return channel, measure, context
