"""What the tasks on proteins and words share: descriptions read, shuffled copies, the explanation of a fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json
from backend.errors import InputError
from backend.explain.sites import explain_sites, group_sites
from backend.explain.text import explain_words, to_json
from backend.models.protein_text import cosines
from backend.tasks import Context

MOST_DESCRIPTIONS = 50
_STRETCHES, _EVALUATIONS = 16, 128
_ROWS = 16
LOCATIONS = (
    "Cell membrane",
    "Cytoplasm",
    "Endoplasmic reticulum",
    "Golgi apparatus",
    "Lysosome/Vacuole",
    "Mitochondrion",
    "Nucleus",
    "Peroxisome",
    "Plastid",
    "Extracellular",
)
"""The ten subcellular locations by which the published accuracy was measured."""
LOCATION_FORM = "SUBCELLULAR LOCATION: {}."
"""How Swiss-Prot begins a statement of location, and how the network read it in training."""


def read_descriptions(given: Json) -> list[str]:
    """Descriptions, one a line or as a list.

    Raises
    ------
    InputError
        When there are none, too many, or two alike.
    """
    lines = [" ".join(str(line).split()) for line in (given.splitlines() if isinstance(given, str) else given or [])]
    found = [line for line in lines if line]
    if not found:
        raise InputError("No description was given.", "Give one a line, for example: Binds oxygen.")
    if len(found) > MOST_DESCRIPTIONS:
        raise InputError(f"{len(found)} descriptions were given; at most {MOST_DESCRIPTIONS} are compared.", "Give fewer.")
    twice = [line for at, line in enumerate(found) if line in found[:at]]
    if twice:
        raise InputError(f"'{twice[0]}' was given twice.", "Give each description once: they share the probability.")
    for line in found:
        if not any(letter.isalpha() for letter in line):
            raise InputError(f"'{line}' holds no word.", "Describe in words.")
    return found


def form_of(form: str) -> str:
    """The form that descriptions are put into; {} stands for one.

    Raises
    ------
    InputError
        When it has no such place, or several.
    """
    made = form.strip() or "{}"
    if made.count("{}") != 1:
        raise InputError(f"The form '{made}' must hold {{}} once, where the description goes.", f"For example: {LOCATION_FORM}")
    return made


def shuffled(sequence: str, copies: int, seed: int = 0) -> list[str]:
    """Copies of a sequence with its residues in random order: what composition and length alone would give."""
    rng = np.random.default_rng([seed, len(sequence)])
    letters = np.array(list(sequence))
    return ["".join(rng.permutation(letters)) for _ in range(copies)]


def explain_fit(context: Context, name: str, result: Mapping[str, Json], description: str, others: Sequence[str] = ()) -> dict[str, Json]:
    """Shapley values of the residues, and of the words, in the fit of one description to one protein.

    Parameters
    ----------
    result : mapping
        With ``record``, ``sequence`` and ``places``.
    """
    sequence = str(result["sequence"])
    with context.runtime.use(name) as model:
        words = model.describe([description])
        own = model.tokens(sequence)

        def by_residues(present: NDArray[np.bool_]) -> np.ndarray:
            rows = np.where(present, own, model.mask)
            parts = [cosines(model.proteins(list(rows[at : at + _ROWS])), words)[:, 0] for at in range(0, len(rows), _ROWS)]
            return np.asarray(np.concatenate(parts), dtype=np.float64)

        protein = model.embed([sequence])

        def by_words(texts: Sequence[str]) -> np.ndarray:
            return np.asarray(cosines(protein, model.describe(texts))[0], dtype=np.float64)

        target = f"fit of '{_short(description)}' to {result['record']}"
        sites = explain_sites(
            by_residues,
            sequence,
            result["places"] or range(1, len(sequence) + 1),
            group_sites(len(sequence), most=_STRETCHES),
            target=target,
            unit="of the cosine",
            baseline="every residue hidden",
            evaluations=_EVALUATIONS,
            progress=context.progress,
        )
        by_word = explain_words(by_words, description, target=target, unit="of the cosine", progress=context.progress)
    return {
        "target": {"record": result["record"], "description": description},
        "model": name,
        "sites": to_json(sites),
        "words": to_json(by_word),
    }


def record_of(prediction: Mapping[str, Json], wanted: Any) -> Mapping[str, Json]:
    """The result of one record of a run, the first where none is named.

    Raises
    ------
    InputError
        When the run has no such record.
    """
    results = prediction["results"]
    for found in results:
        if wanted in (None, "", found["record"]):
            return dict(found)
    raise InputError(f"The run holds no record '{wanted}'.", f"Its records are: {', '.join(each['record'] for each in results[:5])}.")


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."
