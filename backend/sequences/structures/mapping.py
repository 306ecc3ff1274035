"""Which residue of a structure is which letter of a sequence: by alignment, so that any sequence's track can colour it."""

from __future__ import annotations

from dataclasses import dataclass

from backend.errors import InputError
from backend.sequences.structures.model import Chain, Structure

MOST = 40_000  # letters of either side: an alignment keeps a table of both


@dataclass(frozen=True)
class Match:
    """An alignment of a chain with a sequence.

    Attributes
    ----------
    places : tuple of (int or None)
        One a residue of the chain: index of its letter in the sequence; None where nothing stands against it.
    identity : float
        Share of the aligned residues that carry the same letter.
    covered : float
        Share of the sequence's letters that a residue stands against.
    """

    chain: str
    places: tuple[int | None, ...]
    identity: float
    covered: float

    @property
    def aligned(self) -> int:
        return sum(place is not None for place in self.places)

    @property
    def fits(self) -> bool:
        """Whether the two are plainly the same molecule, or a close relative of it."""
        return self.identity >= 0.9 and self.aligned >= 10


def map_residues(structure: Structure, chain: str, sequence: str) -> list[int | None]:
    """For each residue of a chain, the index of its letter in `sequence`; None where nothing stands against it."""
    return list(match_sequence(structure.chain(chain), sequence).places)


def match_sequence(chain: Chain, sequence: str) -> Match:
    """Align a chain with a sequence of its kind: semi-global (Needleman and Wunsch 1970, doi:10.1016/0022-2836(70)90057-4; ends free).

    Protein by BLOSUM62 with gaps of 11 and 1; nucleic acid by 2 and -3 with 5 and 2, T and U the same.

    Raises
    ------
    InputError
        When either is too long to align.
    """
    own, other = chain.sequence.upper(), sequence.upper()
    if chain.kind != "protein":
        own, other = own.replace("U", "T"), other.replace("U", "T")
    if len(own) > MOST or len(other) > MOST:
        raise InputError(
            f"Chain {chain.name} and the sequence are too long to align ({len(own):,} and {len(other):,}).", "Cut the sequence."
        )
    if own == other:
        return Match(chain.name, tuple(range(len(own))), 1.0, 1.0)
    if not own or not other:
        return Match(chain.name, (None,) * len(own), 0.0, 0.0)
    import parasail

    if chain.kind == "protein":
        matrix, opens, extends = parasail.blosum62, 11, 1
        own_, other_ = own.translate(_PLAIN), other.translate(_PLAIN)
    else:
        matrix, opens, extends = parasail.matrix_create("ACGT", 2, -3), 5, 2
        own_, other_ = own, other
    aligned = parasail.sg_trace_striped_sat(own_, other_, opens, extends, matrix).traceback
    places: list[int | None] = []
    at = same = 0
    for ours, theirs in zip(aligned.query, aligned.ref, strict=True):
        if ours != "-":
            places.append(at if theirs != "-" else None)
            same += theirs != "-" and own[len(places) - 1] == other[at]
        at += theirs != "-"
    count = sum(place is not None for place in places)
    return Match(chain.name, tuple(places), same / count if count else 0.0, count / len(other))


_PLAIN = str.maketrans("UOJ", "CKL")  # letters that BLOSUM62 has no row for, as their nearest


@dataclass(frozen=True)
class Fit:
    """A sequence laid over all chains of a structure.

    Attributes
    ----------
    places : tuple of (int or None)
        One a residue, over all chains in order: index of its letter in the sequence; None where it belongs to another molecule.
    chains : tuple of Match
        The chains that carry the sequence: all that fit, or else the nearest one.
    """

    places: tuple[int | None, ...]
    chains: tuple[Match, ...]

    @property
    def best(self) -> Match:
        return max(self.chains, key=lambda match: match.identity * match.aligned)

    def residues(self, index: int) -> list[int]:
        """Residues, counted over all chains, that stand against a letter."""
        return [at for at, place in enumerate(self.places) if place == index]


def fit_structure(structure: Structure, sequence: str) -> Fit:
    """Lay a sequence over every chain that carries it; over the nearest one where none does plainly."""
    matches = [match_sequence(chain, sequence) for chain in structure.chains]
    fitting = [match for match in matches if match.fits] or [max(matches, key=lambda match: match.identity * match.aligned)]
    places = [place for match in matches for place in (match.places if match in fitting else (None,) * len(match.places))]
    return Fit(tuple(places), tuple(fitting))
