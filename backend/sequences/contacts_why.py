"""Why two residues are expected to touch: shares of all residues in the probability of that contact."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json
from backend.errors import InputError
from backend.explain.sites import explain_sites
from backend.explain.text import Span, to_json
from backend.sequences.scan import windows
from backend.tasks import Context

_NEAR = 4  # residues on each side of either that are weighed one by one
_MOST = 40  # players
_ROWS = 32
_LONG = 150  # residues from which fewer selections are scored


def explain(context: Context, prediction: Mapping[str, Json], target: Mapping[str, Json], settings: Mapping[str, Json]) -> dict[str, Json]:
    """Shapley values of the residues in the probability of one contact.

    Parameters
    ----------
    target : mapping
        ``record``, ``first`` and ``second`` in the user's numbering; of an empty one the strongest contact of the first record.

    Raises
    ------
    InputError
        When the record or a residue is not there, or no window held both.
    """
    found, i, j, told = _target(prediction, target)
    sequence = str(found["sequence"])
    places = found["places"] or list(range(1, len(sequence) + 1))
    with context.runtime.use(str(found["model"])) as model:
        low, high = _window(len(sequence), model.window, i, j)
        tokens = model.tokens(sequence)

        def score(present: NDArray[np.bool_]) -> np.ndarray:
            rows = np.where(present, tokens, model.mask)[:, low:high]
            parts = [model.contacts(rows[at : at + _ROWS])[:, i - low, j - low] for at in range(0, len(rows), _ROWS)]
            return np.concatenate(parts).astype(np.float64)

        explanation = explain_sites(
            score,
            sequence,
            places,
            [(a + low, b + low) for a, b in spans_around(high - low, (i - low, j - low))],
            target=f"the probability that {sequence[i]}{places[i]} and {sequence[j]}{places[j]} touch",
            unit="probability",
            baseline="every residue hidden",
            unseen=[span for span in ((0, low), (high, len(sequence))) if span[1] > span[0]],
            evaluations=256 if high - low > _LONG else 512,
            progress=context.progress,
        )
    return {"target": told, "model": found["model"], "record": found["record"], "sites": to_json(explanation), "sequence": sequence}


def spans_around(length: int, middles: tuple[int, int], most: int = _MOST) -> list[Span]:
    """The letters 0 to `length` as at most about `most` stretches: single ones around two places, longer ones elsewhere."""
    if length <= most:
        return [(at, at + 1) for at in range(length)]
    single = sorted({at for middle in middles for at in range(max(0, middle - _NEAR), min(length, middle + _NEAR + 1))})
    rest = max(3, most - len(single))
    free = [at for at in range(length) if at not in set(single)]
    size = -(-len(free) // rest)
    spans = [(at, at + 1) for at in single]
    begin = free[0]
    for before, after in zip(free, [*free[1:], length + 1], strict=True):
        if after != before + 1 or before + 1 - begin >= size:
            spans.append((begin, before + 1))
            begin = after
    return sorted(spans)


def _window(length: int, size: int, i: int, j: int) -> tuple[int, int]:
    """The window that holds both residues furthest from its cuts."""
    able = [(start, end) for start, end in windows(length, size) if start <= i and j < end]
    if not able:
        raise InputError(
            f"The two residues are {j - i:,} apart; the model reads {size:,} at once and never saw both.", "Choose a nearer pair."
        )
    return max(able, key=lambda span: min(length if span[0] == 0 else i - span[0], length if span[1] == length else span[1] - 1 - j))


def _target(prediction: Mapping[str, Json], target: Mapping[str, Json]) -> tuple[Mapping[str, Json], int, int, dict[str, Json]]:
    results = prediction["results"]
    wanted = target.get("record") or results[0]["record"]
    found = next((each for each in results if each["record"] == wanted), None)
    if found is None:
        raise InputError(f"The run holds no record '{wanted}'.", f"Its records are: {', '.join(each['record'] for each in results)}.")
    places = list(found["places"] or range(1, len(found["sequence"]) + 1))
    if "first" not in target and "second" not in target:
        i, j, _ = found["contacts"][0]
        return found, i, j, {"record": wanted, "first": places[i], "second": places[j]}
    try:
        both = [places.index(int(target[name])) for name in ("first", "second")]
    except (KeyError, ValueError, TypeError) as error:
        raise InputError(
            f"Say which two residues of {wanted}, between {places[0]} and {places[-1]}.", "Give 'first' and 'second' in your numbering."
        ) from error
    i, j = sorted(both)
    if i == j:
        raise InputError("A residue does not touch itself.", "Give two different residues.")
    return found, i, j, {"record": wanted, "first": places[i], "second": places[j]}
