"""Swiss-Prot proteins with GO terms out of Debian's package metastudent-data: three volumes merged, identical sequences counted once."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.errors import InputError
from backend.training.proteins.blast import LETTERS, read_volume
from backend.training.proteins.proteins import ONTOLOGIES
from backend.training.proteins.tokens import to_tokens

SOURCE = Path("/usr/share/metastudent-data/dataset_201401")
PACKAGE = "metastudent-data"
TERMS = {
    "package": "Debian metastudent-data 2.0.1, stated licence GPL-2+ (copyright 2011-2015 Tobias Hamp); UniProt and GO of January 2014",
    "sequences": "UniProtKB/Swiss-Prot; CC BY-ND 3.0 when this release was made, CC BY 4.0 today",
    "GO terms": "Gene Ontology annotation, CC BY 4.0",
    "shipped": "nothing of it: proteins and terms stay on the machine that trains",
}
_CODES = to_tokens(np.frombuffer(LETTERS.encode("ascii"), np.uint8))
_COMMON = set("ACDEFGHIKLMNPQRSTVWY")


@dataclass(frozen=True)
class Source:
    """Distinct sequences: names (accessions) and terms by ontology of each, residues as tokens, and what was counted."""

    names: list[list[str]]
    terms: list[dict[str, set[str]]]
    residues: NDArray[np.uint8]
    offsets: NDArray[np.int64]
    counts: dict[str, object]


def read_source(folder: Path = SOURCE, most: int = 0) -> Source:
    """All proteins, or the first `most` distinct ones, in the order in which they stand.

    Raises
    ------
    InputError
        When a volume is missing or damaged, or one accession stands for two sequences.
    """
    number: dict[bytes, int] = {}
    owner: dict[str, int] = {}
    terms: list[dict[str, set[str]]] = []
    records, letters = 0, np.zeros(len(LETTERS), dtype=np.int64)
    for ontology in ONTOLOGIES:
        volume = read_volume(folder / ontology / "goasp.fasta")
        records += len(volume.titles)
        for begin, end, title in zip(volume.starts, volume.ends, volume.titles, strict=True):
            sequence = volume.codes[begin:end].tobytes()
            if sequence not in number and most and len(number) >= most:
                continue
            at = number.setdefault(sequence, len(number))
            if at == len(terms):
                terms.append(defaultdict(set))
            name, _, annotated = title.partition("|")
            if owner.setdefault(name, at) != at:
                raise InputError(f"{name} stands for two different sequences.", "Install the data again.")
            terms[at][ontology].update(term for term in annotated.split(",") if term)
    names: list[list[str]] = [[] for _ in number]
    for name, at in owner.items():
        names[at].append(name)
    codes = [np.frombuffer(sequence, np.uint8) for sequence in number]
    for each in codes:
        letters += np.bincount(each, minlength=len(LETTERS))
    offsets = np.concatenate([[0], np.cumsum([len(each) for each in codes])]).astype(np.int64)
    unusual = {letter: int(count) for letter, count in zip(LETTERS, letters, strict=True) if count and letter not in _COMMON}
    counts: dict[str, object] = {
        "records in three volumes": records,
        "accessions": len(owner),
        "distinct sequences": len(number),
        "residues": int(offsets[-1]),
        "median length": float(np.median(np.diff(offsets))),
        "longest": int(np.diff(offsets).max()),
        "letters beyond the twenty": unusual,
    }
    return Source(names, terms, _CODES[np.concatenate(codes)], offsets, counts)


def read_ancestors(folder: Path, wanted: set[str]) -> dict[str, list[str]]:
    """Terms to all terms that they are a kind of (is_a, over any number of steps), from the package's closure."""
    made: dict[str, list[str]] = {term: [] for term in sorted(wanted)}
    try:
        with (folder / "fullTransitiveClosureGO.txt").open(encoding="ascii") as stream:
            for line in stream:
                term, relation, above, _ = line.split("\t")
                if term in made and relation == "OBO_REL:is_a":
                    made[term].append(above)
    except (OSError, ValueError) as error:
        raise InputError(f"The closure of GO in {folder} cannot be read.", f"Install {PACKAGE} again.") from error
    return made
