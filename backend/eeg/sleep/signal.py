"""The signals of a night at 100 Hz, one row a derivation, and its measures; read hour by hour, since a night may be long and fast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json
from backend.eeg.prepared import prepare
from backend.eeg.signal import open_recording
from backend.eeg.sleep.channels import Lead, Leads
from backend.eeg.sleep.features import EPOCH_S, RATE, Measures, measure
from backend.errors import InputError
from backend.tasks import Context

LEAST_S = 300.0
_PART_S = 3600.0
_HIGH_UV, _HIGH_SHARE = 300.0, 0.1


@dataclass(frozen=True)
class NightMeasures:
    """What the classifier reads of a night, and what was seen of its signals on the way.

    Attributes
    ----------
    measures : Measures
    high : ndarray of bool, shape (epochs,)
        The EEG is beyond 300 uV for more than a tenth of the epoch.
    deviation_uv : float
        Median over epochs of the EEG's standard deviation at 0.4 to 30 Hz.
    """

    measures: Measures
    high: NDArray[np.bool_]
    deviation_uv: float


def night_measures(context: Context, recording: str, leads: Leads, demographics: Mapping[str, int]) -> NightMeasures:
    """Read a night's derivations and measure its epochs; the last few nights are remembered.

    Raises
    ------
    InputError
        When the recording is shorter than 5 min or no epoch can be measured.
    """
    asked = [(kind, lead.channels) for kind, lead in leads.chosen()]
    key = f"eeg.sleep {recording} {asked} {sorted(demographics.items())}"
    return context.recent(key, lambda: _measured(context, recording, leads, demographics))


def read_leads(context: Context, recording: str, leads: list[Lead], start_s: float, stop_s: float, rate: float | None = RATE) -> np.ndarray:
    """Derivations (leads, samples) in microvolts, as recorded: neither filtered nor cleaned; NaN in gaps."""
    names = list(dict.fromkeys(name for lead in leads for name in lead.channels))
    got = prepare(context, recording, names=names, start_s=start_s, stop_s=stop_s, rate=rate, clean=False)
    row = {name: got.values[place] for place, name in enumerate(got.names)}
    made = [row[lead.channels[0]] - row[lead.channels[1]] if len(lead.channels) > 1 else row[lead.channels[0]] for lead in leads]
    return np.stack(made)


def demographics(settings: Mapping[str, Json]) -> dict[str, int]:
    """Age and sex as the classifiers take them: both or none.

    Raises
    ------
    InputError
        When only one is given, or one is out of range.
    """
    age, sex = settings.get("age"), str(settings.get("sex") or "")
    if age is None and not sex:
        return {}
    if age is None or not sex:
        raise InputError("The classifiers take age and sex together.", "Give both, or neither.")
    try:
        years = round(float(age))
    except (TypeError, ValueError) as error:
        raise InputError(f"'{age}' is no age.", "Give it in years.") from error
    if not 0 < years < 120:
        raise InputError(f"An age of {years} years cannot be used.", "Give one between 1 and 119.")
    if sex not in ("female", "male"):
        raise InputError(f"'{sex}' is not known here.", "The classifiers know 'female' and 'male'; leave age and sex out otherwise.")
    return {"age": years, "male": int(sex == "male")}


def leads_of(saved: Mapping[str, Json]) -> Leads:
    """The derivations that a prediction names under ``channels``."""

    def one(kind: str) -> Lead | None:
        found = saved.get(kind)
        return None if found is None else Lead(str(found["name"]), tuple(found["channels"]), str(found.get("doubt", "")))

    eeg = one("eeg")
    assert eeg is not None
    return Leads(eeg, one("eog"), one("emg"))


def _measured(context: Context, recording: str, leads: Leads, demographics: Mapping[str, int]) -> NightMeasures:
    duration = open_recording(context.config, recording).duration_s
    if duration < LEAST_S:
        raise InputError(
            f"The recording is {duration / 60:.1f} min long; staging needs 5 min at least.",
            "Its measures are set against the rest of the night, and so little is no night.",
        )
    chosen = leads.chosen()
    samples = int(duration // EPOCH_S) * EPOCH_S * int(RATE)
    values = np.full((len(chosen), samples), np.nan, np.float32)
    for start in np.arange(0.0, samples / RATE, _PART_S):
        context.progress.check()
        context.progress.update(int(start), int(duration), "Reading the night")
        stop = min(start + _PART_S, samples / RATE)
        part = read_leads(context, recording, [lead for _, lead in chosen], float(start), float(stop))
        at = round(start * RATE)
        values[:, at : at + part.shape[1]] = part[:, : samples - at]
    found = measure(values, [kind for kind, _ in chosen], demographics, context.progress)
    eeg = values[0].reshape(-1, EPOCH_S * int(RATE))
    with np.errstate(invalid="ignore"):
        high = (np.abs(eeg - np.nanmedian(values[0])) > _HIGH_UV).mean(axis=1) > _HIGH_SHARE
    deviation = float(np.median(found.values[found.scored, found.names.index("eeg_std")]))
    return NightMeasures(found, high, deviation)
