"""What a variant does to splicing: delta scores within 50 bases, as SpliceAI defines them, and what their size means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backend.domain import Json
from backend.sequences.records import SequenceRecord
from backend.sequences.splice_notation import Variant

if TYPE_CHECKING:
    from backend.models.families.cispliceai import Splicer
    from backend.progress import Progress

REACH = 50  # bases on each side of a variant in which gains and losses are sought
CUTOFFS = (0.2, 0.5, 0.8)
EFFECTS = ("acceptor_gain", "acceptor_loss", "donor_gain", "donor_loss")
WORDS = {effect: effect.replace("_", " ") for effect in EFFECTS}
MEANING = (
    "A delta score is by how much the probability of a splice site rises (gain) or falls (loss) within 50 bases of the variant. "
    "Cut-offs as Jaganathan et al. 2019 propose them for SpliceAI: 0.2 finds most splice-altering variants and raises more false alarms, "
    "0.5 is the recommended balance, 0.8 gives few false alarms and misses more. They were set on SpliceAI's own networks, not on these."
)
_VERDICTS = ("Below the cut-off, not ruled out", "Splice change possible", "Splice change likely", "Splice change very likely")
_CHANNEL = {"acceptor": 1, "donor": 2}


@dataclass(frozen=True)
class Aligned:
    """Probabilities with the variant, laid on the bases of the record.

    Attributes
    ----------
    first : int
        Index, in the record, of the first row.
    values : numpy.ndarray
        (n, 3). A deleted base has zeros; an inserted base shares the row of the base it follows, where the larger value stands.
    origin : numpy.ndarray
        (n, 3): the letter of the changed sequence that each value comes from, -1 where it was deleted.
    """

    first: int
    values: np.ndarray
    origin: np.ndarray


def judge(
    splicer: Splicer, codes: np.ndarray, strand: str, start: int = 0, end: int | None = None, progress: Progress | None = None
) -> np.ndarray:
    """Probabilities (end - start, 3) on one strand, in the order of the letters as given."""
    end = len(codes) if end is None else end
    if strand == "+":
        return splicer.probabilities(codes, start, end, progress)
    return splicer.probabilities(reversed_strand(codes), len(codes) - end, len(codes) - start, progress)[::-1]


def reversed_strand(codes: np.ndarray) -> np.ndarray:
    """The other strand, read in its own direction; unknown letters stay unknown."""
    return np.ascontiguousarray(np.array([3, 2, 1, 0, 4], dtype=np.uint8)[codes][::-1])


def changed(codes: np.ndarray, variant: Variant) -> np.ndarray:
    """The letters with the variant in them."""
    from backend.models.families.cispliceai import encode_bases

    return np.concatenate([codes[: variant.start], encode_bases(variant.alt), codes[variant.end :]])


def align(found: np.ndarray, first: int, variant: Variant) -> Aligned:
    """Lay probabilities of the changed sequence on the record's bases.

    Parameters
    ----------
    found : numpy.ndarray
        (n, 3), of the changed sequence from index `first`, which lies at or before the variant.
    """
    at, kept = variant.start - first, min(len(variant.ref), len(variant.alt))
    numbers = np.repeat(np.arange(first, first + len(found))[:, None], 3, axis=1)
    lost = np.zeros((len(variant.ref) - kept, 3))
    head, block, tail = slice(0, at + kept), slice(at + kept, at + len(variant.alt)), slice(at + len(variant.alt), None)
    values = np.concatenate([found[head], lost, found[tail]]).astype(np.float64)
    origin = np.concatenate([numbers[head], np.full(lost.shape, -1), numbers[tail]]).astype(np.int64)
    if len(extra := found[block]):
        row = max(0, at + kept - 1)  # the base before; at the very beginning of a record the base behind
        best = extra.argmax(axis=0)
        for channel in range(3):
            if extra[best[channel], channel] > values[row, channel]:
                values[row, channel] = extra[best[channel], channel]
                origin[row, channel] = numbers[block][best[channel], channel]
    return Aligned(first, values, origin)


def window(variant: Variant, length: int) -> tuple[int, int]:
    """Indices from `REACH` bases before a variant to as many behind it (half-open). An insertion lies at the base before it."""
    anchor = variant.start - (variant.ref == "" and variant.start > 0)
    return max(0, anchor - REACH), min(length, max(variant.end, anchor + 1) + REACH)


def delta_scores(splicer: Splicer, record: SequenceRecord, codes: np.ndarray, reference: np.ndarray, variant: Variant, strand: str) -> Json:
    """The four delta scores of a variant.

    Parameters
    ----------
    reference : numpy.ndarray
        (n, 3), probabilities along the whole record.

    Returns
    -------
    dict
        Each of `EFFECTS` with ``delta`` (0 to 1), ``place``, ``distance`` (bases from the variant's first), the probabilities
        ``reference`` and ``alternative`` there; ``score`` (the largest), ``effect`` (which), ``verdict``.
    """
    low, high = window(variant, len(codes))
    grown = len(variant.alt) - len(variant.ref)
    aligned = align(judge(splicer, changed(codes, variant), strand, low, high + grown), low, variant)
    made: dict[str, Json] = {
        "variant": variant.text,
        "place": record.place(variant.start) if variant.ref else record.place(max(0, variant.start - 1)),
        "index": variant.start,
        "kind": variant.kind,
        "ref": variant.ref,
        "alt": variant.alt,
    }
    anchor = variant.start if variant.ref else max(0, variant.start - 1)
    for effect in EFFECTS:
        site, change = effect.split("_")
        channel = _CHANNEL[site]
        rise = aligned.values[:, channel] - reference[low:high, channel]
        rise = rise if change == "gain" else -rise
        at = int(rise.argmax())
        made[effect] = {
            "delta": round(max(0.0, float(rise[at])), 4),
            "place": record.place(low + at),
            "distance": low + at - anchor,
            "reference": round(float(reference[low + at, channel]), 4),
            "alternative": round(float(aligned.values[at, channel]), 4),
        }
    best = max(EFFECTS, key=lambda effect: made[effect]["delta"])
    made |= {"score": made[best]["delta"], "effect": best, "verdict": verdict(made[best]["delta"]), "words": _sentence(made, best)}
    return made


def verdict(score: float) -> str:
    """A delta score in words, by the three cut-offs."""
    return _VERDICTS[sum(score >= cutoff for cutoff in CUTOFFS)]


def _sentence(made: dict[str, Json], best: str) -> str:
    def one(effect: str) -> str:
        found = made[effect]
        site, change = effect.split("_")
        verb = "appears or strengthens" if change == "gain" else "is lost or weakened"
        return f"the {site} at {found['place']:,} {verb} ({found['reference']:.2f} to {found['alternative']:.2f})"

    told = [effect for effect in sorted(EFFECTS, key=lambda effect: -made[effect]["delta"]) if made[effect]["delta"] >= CUTOFFS[0]]
    if not told:
        return f"{verdict(made[best]['delta'])}: the largest change is {made[best]['delta']:.2f} of {CUTOFFS[0]} needed; {one(best)}."
    return f"{verdict(made[best]['delta'])}: {'; '.join(one(effect) for effect in told)}."
