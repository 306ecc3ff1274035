"""Why a residue was chosen: what the letters of its nearest neighbours add to what the backbone alone asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json
from backend.errors import InputError
from backend.explain.sites import explain_sites
from backend.explain.text import to_json
from backend.models.families.proteinmpnn import LETTERS, numbers
from backend.tasks import Context

if TYPE_CHECKING:
    from backend.sequences.design_backbone import Problem

_PLAYERS = 16
_EVALUATIONS = 512


def explain_choice(
    context: Context, prediction: Mapping[str, Json], problem: Problem, target: Mapping[str, Json], noise: str
) -> dict[str, Json]:
    """Shapley values of the letters of the 16 nearest residues for the log-probability of one residue's letter.

    Target
    ------
    residue : str
        The author's number, ``A:48`` or ``48``; the first designed residue unless given.
    design : int
        Number of a design; 0 for the native sequence, 1 unless given.
    """
    which = int(target.get("design", 1))
    if not 0 <= which <= len(prediction["designs"]):
        raise InputError(f"There is no design {which}.", f"Designs are 1 to {len(prediction['designs'])}; 0 is the native sequence.")
    sequence = problem.sequence if which == 0 else str(prediction["designs"][which - 1]["sequence"])
    at = _place(problem, str(target.get("residue") or ""))
    site, letter = problem.sites[at], sequence[at]
    if letter not in LETTERS[:20]:
        raise InputError(f"Residue {site.label} is none of the twenty amino acids.", "Choose another residue.")
    with context.runtime.use("proteinmpnn") as designer:
        network = designer.networks[noise.replace("0.", "0").zfill(3)]
        backbone = network.encode(problem.coordinates, problem.numbers, problem.chains)
        near = [int(other) for other in backbone.near[at].tolist() if other != at][:_PLAYERS]
        players = sorted(near)
        order = np.array([*players, at])
        letters = numbers(sequence)
        wanted = LETTERS.index(letter)

        def score(present: NDArray[np.bool_]) -> np.ndarray:
            rows = len(present)
            shown = np.asarray(present) | (np.arange(len(sequence)) == at)
            _, told = network.decode(backbone, np.tile(order, (rows, 1)), np.tile(letters, (rows, 1)), shown=shown)
            return np.asarray(told[:, at, wanted], dtype=np.float64)

        explanation = explain_sites(
            score,
            sequence,
            [int(other.label.rstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")) for other in problem.sites],
            [(player, player + 1) for player in players],
            target=f"log-probability of {letter} at {site.chain}:{site.label}",
            unit="nats",
            baseline="the backbone alone, no letter known",
            evaluations=_EVALUATIONS,
            note=f"the letters of the {len(players)} residues whose CA atoms are nearest; those of farther ones stay hidden throughout",
            progress=context.progress,
        )
        own = network.alone(backbone)[at, :20]
        _, full = network.decode(backbone, order[None], letters[None])
    return {
        "target": {"residue": f"{site.chain}:{site.label}", "design": which},
        "model": "proteinmpnn",
        "sequence": sequence,
        "sites": to_json(explanation),
        "substitutions": [
            {"letter": each, "backbone": round(float(np.exp(own[i])), 4), "neighbours": round(float(np.exp(full[0, at, i])), 4)}
            for i, each in enumerate(LETTERS[:20])
        ],
    }


def _place(problem: Problem, text: str) -> int:
    if not text:
        return int(np.flatnonzero(problem.designed)[0])
    name, _, label = text.rpartition(":")
    found = [at for at, site in enumerate(problem.sites) if site.label == label and name in ("", site.chain)]
    if len(found) != 1:
        what = "names more than one residue" if found else "is no residue with a whole backbone"
        raise InputError(f"'{text}' {what}.", "Write chain and number as the file has them: A:48.")
    return found[0]
