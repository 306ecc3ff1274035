"""Why one substitution got its score: shares of the other residues, and what each neighbour's own substitutions would change."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json
from backend.errors import InputError
from backend.explain.sites import explain_sites, group_sites
from backend.explain.text import to_json
from backend.models.families import blosum
from backend.models.masked import AMINO, ProteinModel, Tokens
from backend.progress import Progress
from backend.sequences.scan import home, windows
from backend.tasks import Context

MOST_PLAYERS = 40
_NEAR = 8  # neighbours on each side whose substitutions are tried
_ROWS = 64
_MUTANT = re.compile(r"([A-Za-z])(\d+)([A-Za-z])$")


def explain(context: Context, prediction: Mapping[str, Json], target: Mapping[str, Json], settings: Mapping[str, Json]) -> dict[str, Json]:
    """Explain the score of one substitution.

    Parameters
    ----------
    target : mapping
        ``mutant`` in the user's numbering, such as K48R, and ``record`` where the run holds several; the worst substitution of the
        first record unless given.

    Returns
    -------
    dict
        ``sites``: Shapley values over the other residues, hidden where absent. ``mutagenesis``: how the score changes when a neighbour
        is substituted. ``blosum62``: the row of the residue that stands there.

    Raises
    ------
    InputError
        When the run was made by BLOSUM62 alone, or the mutant does not fit the sequence.
    """
    found = _record(prediction, target)
    if found["model"] == blosum.NAME:
        raise InputError(
            "BLOSUM62 scores a substitution by the two amino acids alone: no other residue has a share in it.",
            "Fetch or add a protein language model on the Models page, run it, and explain its score.",
        )
    mutant = str(target.get("mutant") or found["worst"][0]["mutant"]).strip().upper()
    sequence: str = found["sequence"]
    places: list[int] = found["places"] or list(range(1, len(sequence) + 1))
    at, column = locate(mutant, sequence, places)
    hidden = found["method"] == "masked"
    with context.runtime.use(found["model"]) as model:
        asked = _Question(model, sequence, at, column, hidden)
        low, high = asked.window
        spans = [(a + low, b + low) for a, b in group_sites(high - low, at - low, MOST_PLAYERS)]
        spans = [span for span in spans if not (hidden and span == (at, at + 1))]  # hidden in every selection, so no player
        explanation = explain_sites(
            asked.score,
            sequence,
            places,
            spans,
            target=f"the score of {mutant}",
            unit="log-odds",
            baseline="every other residue hidden" if hidden else "every residue hidden",
            unseen=[span for span in ((0, low), (high, len(sequence))) if span[1] > span[0]],
            note=f"{sequence[at]}{places[at]} itself is hidden throughout" if hidden else "",
            progress=context.progress,
        )
        mutagenesis = _mutagenesis(asked, sequence, places, context.progress)
    row = blosum.table()[AMINO.index(sequence[at])]
    return {
        "target": {**dict(target), "mutant": mutant} if target else {"mutant": mutant},
        "model": found["model"],
        "record": found["record"],
        "position": at,
        "sites": to_json(explanation),
        "mutagenesis": mutagenesis,
        "blosum62": {letter: int(score) for letter, score in zip(AMINO, row, strict=True)},
    }


def locate(mutant: str, sequence: str, places: list[int]) -> tuple[int, int]:
    """Letter (from 0) and column of `AMINO` of a mutant such as K48R, in the user's numbering.

    Raises
    ------
    InputError
        When it is not written so, lies outside, or names another wild type than stands there.
    """
    parts = _MUTANT.match(mutant.upper())
    if parts is None:
        raise InputError(f"'{mutant}' is not a substitution.", "Write it as K48R: what stands there, the position, what takes its place.")
    own, place, other = parts[1], int(parts[2]), parts[3]
    if place not in places:
        raise InputError(f"The sequence has no residue {place}.", f"Its residues are numbered {places[0]} to {places[-1]}.")
    at = places.index(place)
    if sequence[at] != own:
        raise InputError(f"Residue {place} is {sequence[at]}, not {own}.", f"Write {sequence[at]}{place}{other}, or check the numbering.")
    if own not in AMINO or other not in AMINO or own == other:
        raise InputError(f"{mutant} is no substitution of one of the twenty amino acids by another.", "Choose another one.")
    return at, AMINO.index(other)


class _Question:
    """One substitution's score for copies of the protein in which residues are hidden or others."""

    def __init__(self, model: ProteinModel, sequence: str, at: int, column: int, hidden: bool) -> None:
        self._model, self._hidden = model, hidden
        self.at, self.column, self.own = at, column, AMINO.index(sequence[at])
        read = windows(len(sequence), model.window)
        self.window = read[home(at, read)]
        self.tokens: Tokens = model.tokens(sequence)

    def score(self, present: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Masks over all letters, True where a letter is as it stands, to log-odds."""
        return self.ask(np.where(present, self.tokens, self._model.mask))

    def ask(self, rows: Tokens) -> NDArray[np.float64]:
        """Log-odds of the substitution in each of these copies."""
        low, high = self.window
        inside = np.array(rows[:, low:high])
        if self._hidden:
            inside[:, self.at - low] = self._model.mask
        where = np.full(len(inside), self.at - low, dtype=np.intp)
        found = self._model.at(inside, where)
        return (found[:, self.column] - found[:, self.own]).astype(np.float64)


def _mutagenesis(asked: _Question, sequence: str, places: list[int], progress: Progress) -> dict[str, Json]:
    """How the score changes when one neighbour at a time is substituted: positions and a row of twenty changes for each."""
    low, high = asked.window
    near = [i for i in range(max(low, asked.at - _NEAR), min(high, asked.at + _NEAR + 1)) if i != asked.at and sequence[i] in AMINO]
    letters = asked._model.tokens(AMINO)
    rows = np.repeat(asked.tokens[None], 1 + len(near) * len(AMINO), axis=0)
    for number, i in enumerate(near):
        rows[1 + number * len(AMINO) : 1 + (number + 1) * len(AMINO), i] = letters
    scores = np.empty(len(rows))
    for start in range(0, len(rows), _ROWS):
        progress.check()
        scores[start : start + _ROWS] = asked.ask(rows[start : start + _ROWS])
        progress.update(start, len(rows), "Substituting the neighbours")
    changes = (scores[1:] - scores[0]).reshape(len(near), len(AMINO))
    return {
        "positions": near,
        "places": [places[i] for i in near],
        "letters": "".join(sequence[i] for i in near),
        "changes": [[round(float(x), 3) + 0.0 for x in row] for row in changes],
        "score": round(float(scores[0]), 4),
        "evaluations": len(rows),
    }


def _record(prediction: Mapping[str, Json], target: Mapping[str, Json]) -> Mapping[str, Json]:
    wanted = target.get("record")
    for found in prediction["results"]:
        if wanted in (None, "", found["record"]):
            return dict(found)
    names = ", ".join(found["record"] for found in prediction["results"])
    raise InputError(f"The run holds no record '{wanted}'.", f"Its records are: {names}.")
