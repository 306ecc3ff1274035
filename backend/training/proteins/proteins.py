"""A set of proteins on disk: residues as tokens laid end to end, the cluster and the part of each, and its GO terms."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.errors import InputError
from backend.training.proteins.tokens import to_letters

PARTS = ("training", "validation", "test", "set aside")
"""What a protein serves; those set aside lie in a held-out cluster and yet resemble a protein of the training part."""

ONTOLOGIES = {"BPO": "biological process", "MFO": "molecular function", "CCO": "cellular component"}


@dataclass(frozen=True)
class Proteins:
    """n proteins with T residues.

    Attributes
    ----------
    residues : array (T,)
        uint8 tokens, read from disk as they are needed.
    offsets : array (n + 1,)
        Where each protein begins, and T.
    cluster : array (n,)
        Number of the similarity cluster.
    part : array (n,)
        Place in `PARTS`.
    facts : dict
        Where they come from, what was counted and how they were split: what ``data.json`` holds.
    """

    folder: Path
    residues: NDArray[np.uint8]
    offsets: NDArray[np.int64]
    cluster: NDArray[np.int32]
    part: NDArray[np.uint8]
    facts: dict[str, Any]

    def of(self, part: str) -> NDArray[np.intp]:
        """Numbers of the proteins of one part."""
        return np.flatnonzero(self.part == PARTS.index(part))

    def tokens(self, number: int) -> NDArray[np.uint8]:
        return self.residues[self.offsets[number] : self.offsets[number + 1]]

    def letters(self, number: int) -> str:
        return to_letters(self.tokens(number))

    def terms(self, wanted: Sequence[int]) -> dict[int, dict[str, list[str]]]:
        """GO terms of some proteins as annotated (without their ancestors), by ontology."""
        asked, made = {int(each) for each in wanted}, {}
        with (self.folder / "annotations.tsv").open(encoding="ascii") as stream:
            for number, line in enumerate(stream):
                if number in asked:
                    columns = line.rstrip("\n").split("\t")[1:]
                    made[number] = {name: column.split() for name, column in zip(ONTOLOGIES, columns, strict=True)}
        return made

    def ancestors(self) -> dict[str, list[str]]:
        """Every term that occurs to the terms that it is a kind of."""
        return dict(json.loads((self.folder / "ancestors.json").read_text(encoding="ascii")))


def read_proteins(folder: Path) -> Proteins:
    """Open what `write_proteins` and the split left in a folder.

    Raises
    ------
    InputError
        When it is not there or not whole.
    """
    try:
        found = Proteins(
            folder,
            np.load(folder / "residues.npy", mmap_mode="r"),
            np.load(folder / "offsets.npy"),
            np.load(folder / "cluster.npy"),
            np.load(folder / "part.npy"),
            json.loads((folder / "data.json").read_text(encoding="utf-8")),
        )
    except (OSError, ValueError) as error:
        raise InputError(f"{folder} holds no whole set of proteins.", "Make it: python -m backend.training.proteins.data FOLDER") from error
    if not len(found.offsets) - 1 == len(found.cluster) == len(found.part) or found.offsets[-1] != len(found.residues):
        raise InputError(f"The files of {folder} do not belong together.", "Make the set again in an empty folder.")
    return found


def write_arrays(folder: Path, **arrays: NDArray[Any]) -> None:
    """Save each array as NAME.npy."""
    for name, values in arrays.items():
        np.save(folder / f"{name}.npy", values)
