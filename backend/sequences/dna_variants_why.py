"""Why one substitution of a base got its score: shares of the other bases, hidden from the model where absent."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json
from backend.errors import InputError
from backend.explain.sites import explain_sites, group_sites
from backend.explain.text import to_json
from backend.models.kmer_bert import BASES
from backend.sequences.dna_scan import hidden_bases, oriented
from backend.sequences.scan import home, windows
from backend.tasks import Context

MOST_PLAYERS = 24
EVALUATIONS = 256  # with the test of it some 740 copies: at DNABERT's size 1.5 s each on one core where the window is full
_MUTANT = re.compile(r"([A-Za-z])(\d+)([A-Za-z])$")


def explain(context: Context, prediction: Mapping[str, Json], target: Mapping[str, Json], settings: Mapping[str, Json]) -> dict[str, Json]:
    """Explain the score of one substitution.

    Parameters
    ----------
    target : mapping
        ``mutant`` in the user's numbering, such as A23G, and ``record`` where the run holds several; the least expected substitution of
        the first record unless given.

    Raises
    ------
    InputError
        When the mutant does not fit the sequence.
    """
    found = find_result(prediction, target)
    sequence: str = found["sequence"]
    if not (target.get("mutant") or found["worst"]):
        raise InputError(f"No base of {found['record']} was scored, so there is nothing to explain.", "Choose another record.")
    mutant = str(target.get("mutant") or found["worst"][0]["mutant"]).strip().upper()
    places: list[int] = list(found["places"] or range(1, len(sequence) + 1))
    at, column = locate(mutant, sequence, places)
    length, other = len(sequence), found["strand"] == "-"
    text = oriented(sequence, found["strand"])
    with context.runtime.use(found["model"]) as model:
        here = length - 1 - at if other else at
        read = windows(length, model.window)
        start, end = read[home(here, read)]
        tokens, letters = model.tokens(text[start:end]), model.letters(text[start:end])
        new, own = (3 - column, 3 - BASES.index(sequence[at])) if other else (column, BASES.index(sequence[at]))

        def score(present: NDArray[np.bool_]) -> np.ndarray:
            shown = (present[:, ::-1] if other else present)[:, start:end].copy()
            shown[:, here - start] = False
            chances, _ = hidden_bases(model, tokens, letters, shown, np.full(len(shown), here - start))
            return np.asarray(chances[:, new] - chances[:, own])

        low, high = (length - end, length - start) if other else (start, end)
        spans = [(a + low, b + low) for a, b in group_sites(high - low, at - low, MOST_PLAYERS)]
        explanation = explain_sites(
            score,
            sequence,
            places,
            [span for span in spans if span != (at, at + 1)],  # hidden in every selection, so no player
            target=f"the score of {mutant}",
            unit="log-odds",
            baseline=f"every other base hidden: each word of {model.k} bases that touches it is [MASK]",
            noun="base",
            unseen=[span for span in ((0, low), (high, length)) if span[1] > span[0]],
            note=f"{sequence[at]}{places[at]} itself is hidden throughout",
            evaluations=EVALUATIONS,
            progress=context.progress,
        )
    return {
        "target": {"record": found["record"], "mutant": mutant},
        "model": found["model"],
        "record": found["record"],
        "position": at,
        "sites": to_json(explanation),
    }


def locate(mutant: str, sequence: str, places: Sequence[int]) -> tuple[int, int]:
    """Letter (from 0) and column of `BASES` of a mutant such as A23G, in the user's numbering.

    Raises
    ------
    InputError
        When it is not written so, lies outside, or names another base than stands there.
    """
    parts = _MUTANT.match(mutant.upper())
    if parts is None:
        raise InputError(f"'{mutant}' is not a substitution.", "Write it as A23G: what stands there, the position, what takes its place.")
    own, place, other = parts[1], int(parts[2]), parts[3]
    if place not in places:
        raise InputError(f"The sequence has no base {place:,}.", f"Its bases are numbered {places[0]:,} to {places[-1]:,}.")
    at = list(places).index(place)
    if sequence[at] != own:
        raise InputError(f"Base {place:,} is {sequence[at]}, not {own}.", f"Write {sequence[at]}{place}{other}, or check the numbering.")
    if own not in BASES or other not in BASES or own == other:
        raise InputError(f"{mutant} is no substitution of one of A, C, G, T by another.", "Choose another one.")
    return at, BASES.index(other)


def find_result(prediction: Mapping[str, Json], target: Mapping[str, Json]) -> Mapping[str, Json]:
    """The result of the record that a target names, the first where it names none.

    Raises
    ------
    InputError
        When there is no such record.
    """
    wanted = target.get("record")
    for found in prediction["results"]:
        if wanted in (None, "", found["record"]):
            return dict(found)
    names = ", ".join(str(found["record"]) for found in prediction["results"])
    raise InputError(f"The run holds no record '{wanted}'.", f"Its records are: {names}.")
