"""Why a chain, or one residue of it, is folded with confidence: what the confidence becomes while stretches are unknown."""

from __future__ import annotations

import time
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json
from backend.errors import InputError
from backend.explain.sites import explain_sites, group_sites
from backend.explain.text import to_json
from backend.tasks import Context

_PLAYERS = 6  # stretches; all 64 selections of them are folded
_MOST_SECONDS = 3600.0


def explain(context: Context, prediction: Mapping[str, Json], target: Mapping[str, Json], settings: Mapping[str, Json]) -> dict[str, Json]:
    """Shapley values of six stretches in the mean pLDDT of a chain, or in the pLDDT of one residue.

    Every evaluation folds the chain anew, so the players are few; where even that would take hours, it is refused with the estimate.

    Parameters
    ----------
    target : mapping
        ``record``, and ``place`` in the user's numbering for one residue; of an empty one the first record as a whole.

    Raises
    ------
    InputError
        When the record or residue is not there, or the explanation would take more than an hour.
    """
    found, at, told = _target(prediction, target)
    sequence, places = str(found["sequence"]), found["places"] or list(range(1, len(found["sequence"]) + 1))
    letters = np.array(list(sequence))
    recycles = int(prediction["recycles"])
    with context.runtime.use(str(found["model"])) as model:

        def confidence(present: NDArray[np.bool_]) -> float:
            plddt = model.fold("".join(np.where(present, letters, "X")), recycles, lambda share: context.progress.check()).plddt
            return float(plddt.mean() if at is None else plddt[at])

        began = time.monotonic()
        confidence(np.ones(len(sequence), dtype=bool))
        _check_time(time.monotonic() - began)
        explanation = explain_sites(
            lambda masks: np.array([confidence(mask) for mask in masks]),
            sequence,
            places,
            group_sites(len(sequence), None, _PLAYERS),
            target="the mean pLDDT of the chain" if at is None else f"the pLDDT of {sequence[at]}{places[at]}",
            unit="pLDDT",
            baseline="every residue unknown (X)",
            note="every evaluation folds the chain anew, so stretches are weighed, not single residues",
            progress=context.progress,
        )
    return {"target": told, "model": found["model"], "record": found["record"], "sites": to_json(explanation), "sequence": sequence}


def _check_time(seconds: float) -> None:
    all_of_it = seconds * 2**_PLAYERS
    if all_of_it > _MOST_SECONDS:
        raise InputError(
            f"One fold of this chain takes {seconds / 60:.1f} minutes here; an explanation folds it {2**_PLAYERS} times, about "
            f"{all_of_it / 3600:.1f} hours. It was not begun.",
            "Explain a shorter chain, or run on a machine with a GPU.",
        )


def _target(prediction: Mapping[str, Json], target: Mapping[str, Json]) -> tuple[Mapping[str, Json], int | None, dict[str, Json]]:
    results = prediction["results"]
    wanted = target.get("record") or results[0]["record"]
    found = next((each for each in results if each["record"] == wanted), None)
    if found is None:
        raise InputError(f"The run holds no record '{wanted}'.", f"Its records are: {', '.join(each['record'] for each in results)}.")
    if target.get("place") in (None, ""):
        return found, None, {"record": wanted}
    places = list(found["places"] or range(1, len(found["sequence"]) + 1))
    try:
        return found, places.index(int(target["place"])), {"record": wanted, "place": int(target["place"])}
    except (ValueError, TypeError) as error:
        raise InputError(
            f"{wanted} has no residue {target['place']}.", f"Its residues are numbered {places[0]} to {places[-1]}."
        ) from error
