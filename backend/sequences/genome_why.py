"""Why a codon, or a written continuation, was likely: shares of the codons before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from backend.domain import Attribution, Explanation, Json
from backend.errors import InputError
from backend.explain.sites import group_sites, site_label
from backend.explain.text import explain_players, to_json
from backend.models.codons import CODONS, CodonModel, pieces
from backend.progress import Progress
from backend.sequences.dna_variants_why import find_result
from backend.tasks import Context

MOST_PLAYERS = 32
EVALUATIONS = 384
MOST_WRITTEN = 60  # codons of a continuation that are explained together
_ROWS = 16
BASELINE = "absent codons read as [UNK], the sign that stands for codons with unknown letters"


def explain_codon(
    context: Context, prediction: Mapping[str, Json], target: Mapping[str, Json], settings: Mapping[str, Json]
) -> dict[str, Json]:
    """Explain ln p of one codon by the codons before it; those after it are never seen.

    Parameters
    ----------
    target : mapping
        ``place`` of any base of the codon in the user's numbering, and ``record`` where the run holds several; the least expected codon
        of the first record unless given.

    Raises
    ------
    InputError
        When there is no such codon, or nothing stands before it.
    """
    found = find_result(prediction, target)
    if not target.get("place") and not found["strange"]:
        raise InputError(f"No codon of {found['record']} was judged, so there is nothing to explain.", "Choose another record.")
    place = int(target.get("place") or found["strange"][0]["place"])
    starts = np.array(found["codon_places"])
    at = int(np.searchsorted(starts, place, side="right")) - 1
    letters = list(found["places"] or range(1, len(found["sequence"]) + 1))
    last = letters[found["end"] - 1]
    if at < 0 or place > last or place not in letters:
        raise InputError(f"No codon that was read stands at {place:,}.", f"Codons were read from {starts[0]:,} to {last:,}.")
    if found["log_probs"][at] is None or at == 0:
        raise InputError(
            f"The codon at {place:,} cannot be explained: {'nothing stands before it' if at == 0 else 'it was not judged'}.",
            "Choose a later codon.",
        )
    with context.runtime.use(found["model"]) as model:
        # the window in which it was judged
        low = next(start for start, end, first in pieces(len(found["codons"]), model.window) if max(first, 0) <= at < end)
        explanation = explain_codons(
            model,
            found["codons"][low:at],
            [found["codons"][at]],
            sequence=found["sequence"],
            places=letters,
            start=found["start"] + 3 * low,
            target=f"ln p of {found['codons'][at]} at {starts[at]:,}",
            progress=context.progress,
        )
    return {
        "target": {"record": found["record"], "place": int(starts[at])},
        "model": found["model"],
        "record": found["record"],
        "codon": at,
        "sites": to_json(explanation),
    }


def explain_codons(
    model: CodonModel,
    before: Sequence[str],
    after: Sequence[str],
    *,
    sequence: str,
    places: Sequence[int] | None,
    start: int,
    target: str,
    progress: Progress | None,
) -> Explanation:
    """Shares of the codons of `before`, which begin at letter `start` of `sequence`, in ln p of `after`."""
    tokens, written = model.tokens(before), model.tokens(after)
    columns = [CODONS.index(codon) for codon in after]
    end = start + 3 * len(before)

    groups = group_sites(len(before), len(before) - 1, MOST_PLAYERS)
    numbers = list(places or range(1, len(sequence) + 1))

    def value(present: NDArray[np.bool_]) -> np.ndarray:
        shown = np.repeat(present, [b - a for a, b in groups], axis=1)
        rows = [np.concatenate([np.where(here, tokens, model.unknown), written]) for here in list(shown)]
        made = []
        for at in range(0, len(rows), _ROWS):
            for found in model.likelihoods(rows[at : at + _ROWS]):
                made.append(float(found[np.arange(len(tokens), len(tokens) + len(columns)), columns].sum()))
        return np.array(made)

    merged = sum(b - a > 1 for a, b in groups)
    spans = [(start + 3 * a, start + 3 * b) for a, b in groups]
    return explain_players(
        value,
        [Attribution(site_label(sequence, numbers, span), None, *span) for span in spans],
        target=target,
        unit="ln p",
        baseline=BASELINE,
        noun="codon",
        note=f"{merged} of {len(groups)} players are stretches of several codons" if merged else "",
        unseen=[span for span in ((0, start), (end, len(sequence))) if span[1] > span[0]],
        most_exact=9,
        evaluations=EVALUATIONS,
        progress=progress,
    )
