"""How well structures drawn from attention agree with known ones, beside ViennaRNA and a guess without energies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from backend.domain import Json
from backend.errors import InputError
from backend.metrics import bootstrap
from backend.models.registry import get_card
from backend.sequences import rna_nested
from backend.sequences.fold_export import partners
from backend.sequences.fold_measure import GUESS, agreement, longest_stems, read_rows
from backend.sequences.rna_contacts_scores import READINGS, read_scores
from backend.tasks import Context, pick_model


def measure(context: Context, files: Sequence[Path], options: Mapping[str, Any]) -> dict[str, Json]:
    """Mean over strands, each read by itself, of F1, sensitivity and PPV of exact pairs; the file is that of ``rna.fold``.

    Raises
    ------
    InputError
        When the model is untrained: its figures would mean nothing.
    """
    card = pick_model(context, "rna.contacts", next(iter(options.get("models") or []), ""))
    if get_card(card.name, context.config).untrained:
        raise InputError(f"{card.title} is untrained: its figures would mean nothing.", "Name a trained model.")
    rows = [row for file in files for row in read_rows(file)]
    scores: dict[str, list[tuple[float, float, float]]] = {card.name: [], GUESS: []}
    with context.runtime.use(card.name) as predictor:
        for done, row in enumerate(rows):
            context.progress.check()
            context.progress.update(done, len(rows), f"Reading {row['id']}")
            found = read_scores(predictor.contacts([[row["sequence"]]])[0], "")
            structure = rna_nested.fold(row["sequence"], found.scores, READINGS[found.by].threshold)
            scores[card.name].append(agreement(row["true"], partners(structure)))
            scores[GUESS].append(agreement(row["true"], longest_stems(row["sequence"])))
    if find_spec("RNA") is not None:
        with context.runtime.use("viennarna") as folder:
            scores["ViennaRNA MFE"] = [agreement(row["true"], partners(folder.fold(row["sequence"]).mfe)) for row in rows]
    systems = {
        name: {metric: bootstrap(np.array(values)[:, column]).json() for column, metric in enumerate(("F1", "sensitivity", "PPV"))}
        for name, values in scores.items()
    }
    notes = ["Mean over strands of exact base pairs; each strand was read by itself, without relatives."]
    return {"task": "rna.contacts", "n": len(rows), "systems": systems, "notes": notes}
