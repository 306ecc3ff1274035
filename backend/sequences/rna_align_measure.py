"""How well alignments of RNAs keep known structures: base pairs laid on base pairs, by vectors and by letters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from backend.domain import Json
from backend.errors import InputError
from backend.metrics import bootstrap
from backend.sequences import affine
from backend.sequences.fold_measure import read_rows
from backend.sequences.rna_align_by import EXTEND, OPEN, by_letters, cosines
from backend.tasks import Context, pick_model

MOST_PAIRS = 200
METRIC = "share of base pairs kept"
ABOVE = "share above a shuffled copy"


def measure(context: Context, files: Sequence[Path], options: Mapping[str, Any]) -> dict[str, Json]:
    """Mean over pairs of RNAs of one family: base pairs of either that the alignment lays on a base pair of the other.

    The file is that of ``rna.fold``: CSV or TSV with id, sequence and structure. Up to 200 pairs are drawn, evenly over the families,
    by a fixed seed.
    """
    rows = [row for file in files for row in read_rows(file)]
    pairs = _draw(rows)
    name = pick_model(context, "rna.align", next(iter(options.get("models") or []), "")).name
    if _untrained(context, name):
        raise InputError(f"{name} is untrained: its figures would mean nothing.", "Name a trained model.")
    kept: dict[str, list[float]] = {name: [], "letters alone": []}
    above: dict[str, list[float]] = {name: [], "letters alone": []}
    rng = np.random.default_rng(1)
    with context.runtime.use(name) as predictor:
        for done, (a, b) in enumerate(pairs):
            context.progress.check()
            context.progress.update(done, len(pairs), "Aligning")
            copy = "".join(rng.permutation(list(b["sequence"])))
            own, *others = predictor.residues([a["sequence"], b["sequence"], copy])
            for which, paths in (
                (name, [affine.align(cosines(own, other), OPEN, EXTEND) for other in others]),
                ("letters alone", [by_letters(a["sequence"], other) for other in (b["sequence"], copy)]),
            ):
                kept[which].append(agreement(paths[0], a["true"], b["true"]))
                above[which].append(float(paths[0].score > paths[1].score))
    families = list(dict.fromkeys(a["family"] for a, _ in pairs))
    systems = {
        which: {METRIC: bootstrap(np.array(values)).json(), ABOVE: bootstrap(np.array(above[which])).json()}
        for which, values in kept.items()
    }
    difference = np.array(kept[name]) - np.array(kept["letters alone"])
    systems["difference"] = {METRIC: bootstrap(difference).json()}
    if len(families) > 1:
        for family in families:
            inside = np.array([a["family"] == family for a, _ in pairs])
            systems |= {f"{which}, {family}": {METRIC: bootstrap(np.array(values)[inside]).json()} for which, values in kept.items()}
    notes = [
        "Pairs of RNAs of one family, drawn with a fixed seed; a base pair counts as kept when both of its bases stand in columns "
        "whose bases pair in the other RNA.",
        f"{ABOVE}: of pairs whose score is higher than that with the second RNA's bases in random order.",
        f"Gaps cost {OPEN:g} and {EXTEND:g} for each further base (vectors).",
        *(f"{family}: {sum(a['family'] == family for a, _ in pairs)} pairs" for family in families),
    ]
    return {"task": "rna.align", "n": len(pairs), "systems": systems, "notes": notes}


def agreement(path: affine.Path, first: Sequence[int], second: Sequence[int]) -> float:
    """Share, over both RNAs, of base pairs that stand in columns where the other has a base pair too.

    Parameters
    ----------
    first, second : sequence of int
        Partner of each base, -1 for none.
    """
    beside = dict(path.pairs)
    known = [(i, j) for i, j in enumerate(first) if j > i]
    others = sum(j > i for i, j in enumerate(second))
    kept = sum(i in beside and j in beside and second[beside[i]] == beside[j] for i, j in known)
    return 2 * kept / (len(known) + others) if known or others else 1.0


def _draw(rows: Sequence[Mapping[str, Any]]) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    rng, made = np.random.default_rng(0), []
    groups = [members for family in dict.fromkeys(row["family"] for row in rows) if len(members := _of(rows, family)) > 1]
    if not groups:
        raise InputError("No family holds two RNAs.", "Give RNAs of one family, or a column family.")
    for members in groups:
        possible = len(members) * (len(members) - 1) // 2
        drawn: set[tuple[int, int]] = set()
        while len(drawn) < min(MOST_PAIRS // len(groups) or 1, possible):
            a, b = rng.choice(len(members), 2, replace=False)
            drawn.add((int(min(a, b)), int(max(a, b))))
        made += [(members[a], members[b]) for a, b in sorted(drawn)]
    return made


def _of(rows: Sequence[Mapping[str, Any]], family: str) -> list[Mapping[str, Any]]:
    return [row for row in rows if row["family"] == family and len(row["sequence"]) <= 440]


def _untrained(context: Context, name: str) -> bool:
    from backend.models.registry import get_card

    return get_card(name, context.config).untrained
