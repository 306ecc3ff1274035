"""Do RNABERT's vectors tell RNA families apart better than counts of three-base words? `python -m tests.benchmarks.rnabert_families`

Needs ../shared/data: the published weights (weights/rnabert) and 5S and transfer RNAs (sequences/rna, and sample_RF00001.fa).
Prints JSON: for every way of comparing, leave-one-out nearest neighbour and mean average precision over all RNAs as queries, with 95%
bootstrap intervals over queries; and the difference of the two in mean average precision, by query.
"""

from __future__ import annotations

import csv
import itertools
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json, ModelCard
from backend.metrics import bootstrap
from backend.models.families import rnabert
from tests.conftest import SHARED

_WORDS = {"".join(word): at for at, word in enumerate(itertools.product("ACGU", repeat=3))}


def read() -> tuple[list[str], NDArray[np.str_]]:
    """RNAs of up to 440 bases and their families; no sequence twice."""
    with (SHARED / "sequences/rna/archiveII_5s_trna.csv").open(encoding="utf-8") as stream:
        pairs = [(row["sequence"], row["id"].split("_")[0]) for row in csv.DictReader(stream)]
    fasta = (SHARED / "weights/rnabert/sample_RF00001.fa").read_text(encoding="utf-8")
    pairs += [("".join(block.split("\n")[1:]), "5s") for block in fasta.split(">")[1:]]
    held = {sequence.upper().replace("T", "U"): family for sequence, family in pairs if len(sequence) <= 440}
    return list(held), np.array(list(held.values()))


def words(sequences: list[str]) -> NDArray[np.float64]:
    """Counts of three-base words, (n, 64)."""
    made = np.zeros((len(sequences), len(_WORDS)))
    for row, sequence in zip(made, sequences, strict=True):
        for at in range(len(sequence) - 2):
            if (word := sequence[at : at + 3]) in _WORDS:
                row[_WORDS[word]] += 1
    return made


def judge(vectors: NDArray[Any], families: NDArray[np.str_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of every RNA as a query by cosine: its average precision, and whether its nearest is of its family."""
    rows = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    near = rows @ rows.T
    np.fill_diagonal(near, -np.inf)
    precision, first = [], []
    for at, row in enumerate(near):
        right = families[np.argsort(-row, kind="stable")[:-1]] == families[at]
        precision.append(float((np.cumsum(right) / np.arange(1, len(right) + 1))[right].mean()))
        first.append(float(right[0]))
    return np.array(precision), np.array(first)


def measure(folder: Path, most: int | None = None) -> dict[str, Json]:
    """Both ways of comparing, plainly and after the mean of all RNAs is taken off."""
    sequences, families = read()
    if most is not None:
        drawn = np.random.default_rng(0).permutation(len(sequences))[:most]
        sequences, families = [sequences[at] for at in drawn], families[drawn]
    card = ModelCard("rnabert", "RNABERT", "rnabert", "sequences", (), "local", "", "")
    sides = {"RNABERT": rnabert.load(folder, card, "cpu").embed(sequences).astype(np.float64), "three-base words": words(sequences)}
    made: dict[str, Json] = {"n": len(sequences), "families": {str(name): int((families == name).sum()) for name in np.unique(families)}}
    for way in ("cosine", "cosine after centring"):
        found = {name: judge(each - each.mean(0) if way != "cosine" else each, families) for name, each in sides.items()}
        made[way] = {
            name: {"mean average precision": bootstrap(precision).json(), "nearest neighbour": bootstrap(first).json()}
            for name, (precision, first) in found.items()
        }
        made[way]["difference in mean average precision"] = bootstrap(found["RNABERT"][0] - found["three-base words"][0]).json()
    return made


def main() -> None:
    import torch

    torch.set_num_threads(1)
    print(json.dumps(measure(SHARED / "weights/rnabert", int(sys.argv[1]) if len(sys.argv) > 1 else None), indent=1))


if __name__ == "__main__":
    main()
