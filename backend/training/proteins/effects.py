"""Measured effects of substitutions in three proteins, ranked by the model, by BLOSUM62, and as published for ESM-2 on the same assays."""

from __future__ import annotations

import csv
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json
from backend.errors import InputError
from backend.metrics import bootstrap_spearman
from backend.models.families import blosum
from backend.models.families.esm import EsmModel
from backend.models.masked import AMINO
from backend.sequences.formats import read_sequences
from backend.sequences.scan import scan
from backend.sequences.variants_measure import find_offset, read_table
from backend.training.proteins.clusters import relatives
from backend.training.proteins.proteins import Proteins


@dataclass(frozen=True)
class Assay:
    """A table of variants, its wild type, the column measured, and its name in ProteinGym ('' where it is not part of it)."""

    title: str
    table: str
    wild: str
    column: str
    published: str


ASSAYS = (
    Assay("TEM-1 beta-lactamase", "BLAT_ECOLX_Ranganathan2015_labeled.csv", "blat.fasta", "2500", "BLAT_ECOLX_Stiffler_2015"),
    Assay("avGFP", "nn4dms_avgfp.tsv", "avgfp.fasta", "score", "GFP_AEQVI_Sarkisyan_2016"),
    Assay("Bgl3", "nn4dms_bgl3.tsv", "bgl3.fasta", "score", ""),
)
_PUBLISHED = "proteingym_published_spearman.csv"
_SYSTEMS = {
    "ESM2 (8M)": "ESM-2 8M, as published",
    "ESM2 (35M)": "ESM-2 35M, as published",
    "Site-Independent": "site-independent, as published",
}


def measure_effects(model: EsmModel, folder: Path, proteins: Proteins | None = None) -> dict[str, dict[str, Json]]:
    """Spearman's correlation with the measured effect, 95% intervals over variants; joined mutants score the sum of their single ones.

    Published figures are ProteinGym's own, without an interval, and of its version of the table, which can differ by a few variants.

    Parameters
    ----------
    proteins : Proteins, optional
        The training set, in which relatives of each protein are counted where MMseqs2 is on this machine.

    Raises
    ------
    InputError
        When a table or its wild type is missing.
    """
    published = _published(folder / _PUBLISHED)
    made = {assay.title: _one(model, folder, assay, published.get(assay.published, {})) for assay in ASSAYS}
    if proteins is not None:
        counts = relatives([_wild(folder / assay.wild) for assay in ASSAYS], proteins)
        for assay, count in zip(ASSAYS, counts, strict=True):
            made[assay.title]["relatives in the training part"] = count
    return made


def _one(model: EsmModel, folder: Path, assay: Assay, published: dict[str, float]) -> dict[str, Json]:
    wild, table = _wild(folder / assay.wild), read_table(folder / assay.table, assay.column)
    offset, differing = find_offset(table.changes, wild)
    for place, own in differing:
        wild = wild[: place - offset] + own + wild[place - offset + 1 :]
    began = time.process_time()
    scanned = scan(model, wild)
    seconds = time.process_time() - began
    sites = [[(place - offset, AMINO.index(other)) for _, place, other in row] for row in table.changes]
    maps = {"model": scanned.scores, "BLOSUM62": blosum.Matrix().rows(wild).astype(float)}
    return {
        "variants": len(sites),
        "measured": table.column,
        "spearman": {name: _ranked(values, sites, table.score) for name, values in maps.items()},
        "published spearman": dict(published),
        "perplexity of the wild type": scanned.perplexity,
        "CPU-seconds of the scan": round(seconds, 2),
        "residues": len(wild),
    }


def _ranked(values: NDArray[np.float64], sites: list[list[tuple[int, int]]], score: NDArray[np.float64]) -> dict[str, float]:
    made = np.array([sum(values[i, j] for i, j in row) for row in sites])
    return bootstrap_spearman(made, score).json()


def _wild(file: Path) -> str:
    found = read_sequences(file, file.name, {"": "protein"})
    ids = list(found.usable(("protein",)))
    if len(ids) != 1:
        raise InputError(f"{file.name} holds {len(ids)} proteins.", "Give a FASTA with the one protein that was changed.")
    return found.record(ids[0]).sequence


def _published(file: Path) -> dict[str, dict[str, float]]:
    """Assays of ProteinGym's published table to figures by system; empty where the table is not there."""
    if not file.is_file():
        return {}
    with file.open(encoding="utf-8", newline="") as stream:
        return {row["DMS ID"]: {title: float(row[name]) for name, title in _SYSTEMS.items()} for row in csv.DictReader(stream)}
