"""Montages as matrices: what each trace of the page is made of, from the channels that were recorded.

Names and chains follow the American Clinical Neurophysiology Society, guideline 3 (2016), doi:10.1097/WNP.0000000000000317.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from backend.eeg.channels import OLD_NAMES
from backend.eeg.recording import Channel
from backend.errors import InputError

NAMES = {
    "referential": "As recorded",
    "average": "Average reference",
    "longitudinal": "Longitudinal bipolar",
    "transverse": "Transverse bipolar",
}
_LONGITUDINAL = ("Fp1 F7 T7 P7 O1", "Fp2 F8 T8 P8 O2", "Fp1 F3 C3 P3 O1", "Fp2 F4 C4 P4 O2", "Fz Cz Pz")
_TRANSVERSE = ("F7 Fp1 Fp2 F8", "F7 F3 Fz F4 F8", "T7 C3 Cz C4 T8", "P7 P3 Pz P4 P8", "P7 O1 O2 P8")
COMMON_REFERENCES = ("", "Ref", "LE", "Avg")


@dataclass(frozen=True)
class Montage:
    """Traces as weighted sums of channels.

    Attributes
    ----------
    labels : tuple of str
        One for each trace.
    channels : tuple of str
        The channels that `weights` count, in this order.
    weights : ndarray, shape (traces, channels)
    missing : tuple of str
        Electrodes that the montage asks for and the recording lacks; their traces are left out.
    """

    labels: tuple[str, ...]
    channels: tuple[str, ...]
    weights: np.ndarray
    missing: tuple[str, ...] = ()

    def apply(self, values: np.ndarray) -> np.ndarray:
        """The traces (traces, samples) of values (channels, samples); NaN where a channel of the trace is."""
        if values.shape[0] != len(self.channels):
            raise InputError(
                f"The montage counts {len(self.channels)} channels, the signals have {values.shape[0]}.", "Read the same channels."
            )
        traces = np.nan_to_num(values).T @ self.weights.T
        holes = np.isnan(values).T.astype(np.float32) @ (self.weights.T != 0) > 0
        traces[holes] = np.nan
        found: np.ndarray = traces.T
        return found


def make_montage(name: str, channels: Sequence[Channel], bad: Sequence[str] = ()) -> Montage:
    """A montage by its name.

    Parameters
    ----------
    name : str
        A key of `NAMES`.
    bad : sequence of str
        Channels that take no part in an average, nor in a bipolar trace.

    Raises
    ------
    InputError
        When the name is unknown, or the channels do not allow it.
    """
    if name not in NAMES:
        raise InputError(f"There is no montage '{name}'.", f"Montages are: {', '.join(NAMES)}.")
    if name == "referential":
        shown = tuple(channel.name for channel in channels)
        return Montage(shown, shown, np.eye(len(shown), dtype=np.float32))
    against = _common(channels)
    if name == "average":
        return average(tuple(channel.name for channel in against.values()), bad)
    return bipolar(
        _LONGITUDINAL if name == "longitudinal" else _TRANSVERSE, {place: channel.name for place, channel in against.items()}, bad
    )


def average(names: Sequence[str], bad: Sequence[str] = ()) -> Montage:
    """Every channel against the mean of those that are not bad."""
    good = np.array([name not in bad for name in names])
    if good.sum() < 2:
        raise InputError("An average needs two good channels at least.", "Mark fewer channels as bad, or take another montage.")
    weights = np.eye(len(names)) - np.where(good, 1 / good.sum(), 0.0)
    return Montage(tuple(f"{name}-Avg" for name in names), tuple(names), weights.astype(np.float32))


def bipolar(chains: Sequence[str], at: Mapping[str, str], bad: Sequence[str] = ()) -> Montage:
    """Neighbours along each chain of electrodes, the second taken from the first.

    Parameters
    ----------
    chains : sequence of str
        Electrodes, divided by blanks.
    at : mapping of str to str
        The channel of each electrode.
    """
    names = tuple(at.values())
    labels: list[str] = []
    rows: list[np.ndarray] = []
    missing: list[str] = []
    for chain in chains:
        places = chain.split()
        for one, two in pairwise(places):
            if lost := [place for place in (one, two) if at.get(place, "") in ("", *bad)]:
                missing += lost
                continue
            row = np.zeros(len(names), np.float32)
            row[names.index(at[one])], row[names.index(at[two])] = 1.0, -1.0
            rows.append(row)
            labels.append(f"{one}-{two}")
    if not rows:
        raise InputError("None of this montage's electrodes is there.", "Take the montage 'As recorded', or say where the channels lie.")
    return Montage(tuple(labels), names, np.stack(rows), tuple(dict.fromkeys(missing)))


def _common(channels: Sequence[Channel]) -> dict[str, Channel]:
    """The EEG channels that share a reference and a rate, by electrode under its present name."""
    eeg = [channel for channel in channels if channel.kind == "eeg" and channel.electrode]
    fitting = [channel for channel in eeg if channel.reference in COMMON_REFERENCES]
    if not fitting:
        raise InputError(
            "No EEG channels with known electrodes share a reference, so they cannot be re-referenced.",
            "Take the montage 'As recorded', or say where the channels lie.",
        )
    rate = max({channel.rate for channel in fitting}, key=lambda rate: sum(channel.rate == rate for channel in fitting))
    found: dict[str, Channel] = {}
    for channel in fitting:
        if channel.rate == rate:
            found.setdefault(OLD_NAMES.get(channel.electrode, channel.electrode), channel)
    return found
