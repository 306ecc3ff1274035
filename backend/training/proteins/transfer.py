"""GO terms foretold by the nearest neighbour: by the model's vectors, by composition, by three-letter words, by chance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json
from backend.errors import InputError
from backend.models.families.esm import EsmModel
from backend.models.families.kmers import Words
from backend.training.proteins.intervals import ratio
from backend.training.proteins.proteins import ONTOLOGIES, Proteins
from backend.training.proteins.tokens import TOKENS, TWENTY

_ROOTS = {"GO:0008150", "GO:0003674", "GO:0005575"}  # true of every protein
_LEAST = 3  # proteins on either side for a figure


def measure_transfer(
    model: EsmModel, proteins: Proteins, queries: int = 500, references: int = 5_000, seed: int = 0
) -> dict[str, dict[str, Json]]:
    """Mean F1 between a test protein's terms and its nearest training protein's, both with all ancestors, by ontology.

    Nearest is by the cosine of vectors from which the references' mean was taken. Intervals are over clusters of the test proteins.

    Raises
    ------
    InputError
        When too few proteins have terms.
    """
    drawn = np.random.default_rng(seed)
    asked, known = (_some(proteins.of(part), most, drawn) for part, most in (("test", queries), ("training", references)))
    terms, above = proteins.terms([*asked, *known]), proteins.ancestors()
    vectors = {name: (_vectors(name, model, proteins, asked), _vectors(name, model, proteins, known)) for name in ("model", *_PLAIN)}
    made: dict[str, dict[str, Json]] = {}
    for ontology, title in ONTOLOGIES.items():
        held = [[_whole(terms[int(number)][ontology], above) for number in side] for side in (asked, known)]
        mine, theirs = (np.array([at for at, each in enumerate(side) if each], dtype=np.intp) for side in held)
        if min(len(mine), len(theirs)) < _LEAST:
            continue
        found = {name: _nearest(one[mine], two[theirs]) for name, (one, two) in vectors.items()}
        found["a training protein at random"] = drawn.integers(0, len(theirs), len(mine))
        f1 = {
            name: np.array([_f1(held[0][at], held[1][theirs[near]]) for at, near in zip(mine, nearest, strict=True)])
            for name, nearest in found.items()
        }
        ones, clusters = np.ones(len(mine)), proteins.cluster[asked[mine]]
        made[title] = {
            "test proteins": len(mine),
            "training proteins": len(theirs),
            "mean F1": {name: ratio(values, ones, clusters).json() for name, values in f1.items()},
            "model minus": {name: ratio(f1["model"] - values, ones, clusters).json() for name, values in f1.items() if name != "model"},
        }
    if not made:
        raise InputError("Too few proteins of the test part have GO terms.", "Make the set of more proteins, or raise --queries.")
    return made


_PLAIN = ("amino-acid composition", "three-letter words")


def _vectors(name: str, model: EsmModel, proteins: Proteins, numbers: NDArray[np.intp]) -> NDArray[np.float32]:
    """One row a protein."""
    if name == _PLAIN[0]:
        counts = np.stack([np.bincount(proteins.tokens(at), minlength=len(TOKENS))[TWENTY] for at in numbers])
        shares: NDArray[np.float32] = (counts / np.maximum(counts.sum(1, keepdims=True), 1)).astype(np.float32)
        return shares
    letters = [proteins.letters(at) for at in numbers]
    return Words().embed(letters) if name == _PLAIN[1] else model.embed(letters)


def _nearest(asked: NDArray[np.float32], known: NDArray[np.float32]) -> NDArray[np.intp]:
    """Place of the nearest of `known` for each of `asked`."""
    middle = known.mean(0)
    one, two = ((each - middle) / np.maximum(np.linalg.norm(each - middle, axis=1, keepdims=True), 1e-12) for each in (asked, known))
    found: NDArray[np.intp] = np.argmax(one @ two.T, axis=1)
    return found


def _whole(terms: Sequence[str], above: dict[str, list[str]]) -> frozenset[str]:
    return frozenset({each for term in terms for each in (term, *above.get(term, ()))} - _ROOTS)


def _f1(one: frozenset[str], two: frozenset[str]) -> float:
    return 2 * len(one & two) / (len(one) + len(two))


def _some(numbers: NDArray[np.intp], most: int, drawn: np.random.Generator) -> NDArray[np.intp]:
    return np.sort(drawn.choice(numbers, min(most, len(numbers)), replace=False))
