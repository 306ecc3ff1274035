"""How well a model foretells hidden residues of proteins that nothing like was trained on, against letter counts and shuffled proteins."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json
from backend.errors import InputError
from backend.models.masked import ProteinModel
from backend.training.proteins.batches import ASKED
from backend.training.proteins.intervals import ratio
from backend.training.proteins.proteins import Proteins
from backend.training.proteins.tokens import IS_TWENTY, TOKENS, TWENTY

_COLUMN = np.full(len(TOKENS), -1)
_COLUMN[TWENTY] = np.arange(len(TWENTY))


@dataclass(frozen=True)
class _Hidden:
    """Sums of -ln p (nats) and residues asked of, one of each a protein; and the columns of what stood there."""

    sums: NDArray[np.float64]
    counts: NDArray[np.int64]
    truth: list[NDArray[np.intp]]


def measure_perplexity(model: ProteinModel, proteins: Proteins, part: str = "test", most: int = 2_000, seed: int = 0) -> dict[str, Json]:
    """Perplexity of the twenty at 15% of the residues, all hidden at once; 1 knows, 20 guesses. Intervals are over clusters.

    A protein longer than the model's window is read where a stretch drawn at random lies.

    Parameters
    ----------
    most : int
        Proteins at most, drawn at random.

    Raises
    ------
    InputError
        When the part is empty.
    """
    chosen = proteins.of(part)
    if not len(chosen):
        raise InputError(f"The {part} part holds no protein.", "Make the set of more proteins.")
    drawn = np.random.default_rng(seed)
    chosen = np.sort(drawn.choice(chosen, min(most, len(chosen)), replace=False))
    rows = []
    for number in chosen:
        tokens = proteins.tokens(number).astype(np.int64)
        begin = int(drawn.integers(0, max(1, len(tokens) - model.window + 1)))
        rows.append(tokens[begin : begin + model.window])
    kept = [at for at, row in enumerate(rows) if IS_TWENTY[row].any()]
    rows, clusters = [rows[at] for at in kept], proteins.cluster[chosen[kept]]
    real = _hidden(model, rows, np.random.default_rng([seed, 1]))
    shuffled = _hidden(model, [drawn.permutation(row) for row in rows], np.random.default_rng([seed, 1]))
    plain = -np.log(_frequencies(proteins))
    unigram = np.array([plain[each].sum() for each in real.truth])
    return {
        "part": part,
        "proteins": len(rows),
        "clusters": len(np.unique(clusters)),
        "residues asked of": int(real.counts.sum()),
        "model": ratio(real.sums, real.counts, clusters, math.exp).json(),
        "model on the same proteins shuffled": ratio(shuffled.sums, shuffled.counts, clusters, math.exp).json(),
        "letter frequencies of the training part": ratio(unigram, real.counts, clusters, math.exp).json(),
        "nats a residue gained over letter frequencies": ratio(unigram - real.sums, real.counts, clusters).json(),
    }


def _hidden(model: ProteinModel, rows: list[NDArray[np.int64]], drawn: np.random.Generator) -> _Hidden:
    changed, asked = [], []
    for row in rows:
        can = np.flatnonzero(IS_TWENTY[row])
        where = drawn.choice(can, max(1, round(ASKED * len(can))), replace=False)
        made = row.copy()
        made[where] = model.mask
        changed.append(made)
        asked.append(where)
    truth = [_COLUMN[row[where]] for row, where in zip(rows, asked, strict=True)]
    scores = model.everywhere(changed)
    sums = [-float(score[where, column].sum()) for score, where, column in zip(scores, asked, truth, strict=True)]
    return _Hidden(np.array(sums), np.array([len(where) for where in asked]), truth)


def _frequencies(proteins: Proteins) -> NDArray[np.float64]:
    """Share of each of the twenty among the training part's residues."""
    counts = np.zeros(len(TOKENS))
    for number in proteins.of("training"):
        counts += np.bincount(proteins.tokens(number), minlength=len(TOKENS))
    held: NDArray[np.float64] = counts[TWENTY] + 1.0  # a letter never seen is not impossible
    shares: NDArray[np.float64] = held / held.sum()
    return shares
