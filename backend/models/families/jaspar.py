"""JASPAR 2026 CORE: how often each base was seen at each position of a transcription factor's sites. Facts in a table, no network."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from backend.domain import ModelCard
from backend.errors import ModelError
from backend.models.registry import family

BASES = "ACGT"
RELEASE = "JASPAR 2026"
_FILE = "JASPAR2026.sqlite"

CARD = ModelCard(
    name="jaspar",
    title="JASPAR 2026 CORE",
    family="jaspar",
    modality="sequences",
    tasks=("dna.motifs",),
    source="wheel",
    licence="CC BY 4.0 (matrices), MIT (package)",
    summary="2,633 curated matrices of the DNA that transcription factors bind: vertebrates, plants, insects, fungi, nematodes and more.",
    revision="4.0.0",
    package="pyjaspar",
    package_sha256="01b393f668c3cb552d3d58262a50005b1410e389e0a6bf5d570e976fbdaf01b3",
    folder="pyjaspar/data",
    files={_FILE: "4fde0cc35fa91725e8ffb4e4baa51b9af74aab07a1577ecf7f645d6f6026668e"},
    download_bytes=57_171_738,
    disk_bytes=16_089_088,
    peak_bytes=215_715_840,  # the whole process while 1,000,000 bases are scanned for all 1,019 vertebrate motifs, one thread
    peak_is_measured=True,
    paper="JASPAR 2026: PMC12807658; JASPAR 2024: Rauluseviciute et al. 2024, doi:10.1093/nar/gkad1059",
    limits=(
        "A match says that a factor could bind such DNA, not that it does: chromatin, cell type and partners are not known to a matrix.",
        "Each position counts on its own: bases that matter only together, and spacers of varying length, are not seen.",
        "Factors of one family have nearly the same matrix; a match seldom tells which of them binds.",
        "The newest version of each CORE profile is used; profiles not yet validated are left out.",
    ),
)


@dataclass(frozen=True)
class Motif:
    """One matrix.

    Attributes
    ----------
    id : str
        Accession with version: ``MA0139.2``. Unique; names are not (there are several CTCF).
    group : str
        Taxonomic group: ``vertebrates``, ``plants``, ...
    structure, family : str
        Structural class and family of the factor; several for a complex. Empty where not told.
    counts : numpy.ndarray
        float64, shape (width, 4), columns A, C, G, T: how often each base was seen.
    """

    id: str
    name: str
    group: str
    structure: str
    family: str
    counts: NDArray[np.float64]

    @property
    def width(self) -> int:
        return len(self.counts)

    @property
    def consensus(self) -> str:
        """The commonest base of each position; small where it makes up less than half."""
        best = self.counts.argmax(axis=1)
        share = self.counts.max(axis=1) / self.counts.sum(axis=1)
        return "".join(BASES[b] if s >= 0.5 else BASES[b].lower() for b, s in zip(best, share, strict=True))


class Matrices:
    """Every CORE profile in its newest version. Never changes, so threads may share it."""

    def __init__(self, motifs: Mapping[str, Motif]) -> None:
        self._motifs = dict(motifs)

    def groups(self) -> dict[str, int]:
        """Taxonomic groups and how many profiles each has, the largest first."""
        counted: dict[str, int] = defaultdict(int)
        for motif in self._motifs.values():
            counted[motif.group] += 1
        return dict(sorted(counted.items(), key=lambda item: -item[1]))

    def motifs(self, group: str = "") -> list[Motif]:
        """The profiles of a group, or all, by accession."""
        return [motif for _, motif in sorted(self._motifs.items()) if not group or motif.group == group]

    def get(self, motif_id: str) -> Motif | None:
        return self._motifs.get(motif_id)


def read(file: Path) -> dict[str, Motif]:
    """The newest version of every CORE profile of a JASPAR database file, by accession.

    Raises
    ------
    ModelError
        When the file is no such database.
    """
    try:
        with closing(sqlite3.connect(f"file:{quote(str(file))}?mode=ro&immutable=1", uri=True)) as database:
            newest = (
                "SELECT m.ID, m.BASE_ID || '.' || m.VERSION, m.NAME FROM MATRIX AS m JOIN (SELECT BASE_ID, MAX(VERSION) AS VERSION"
                " FROM MATRIX WHERE COLLECTION = 'CORE' GROUP BY BASE_ID) USING (BASE_ID, VERSION) WHERE m.COLLECTION = 'CORE'"
            )
            rows = database.execute(newest).fetchall()
            wanted = {key for key, _, _ in rows}
            counts: dict[int, dict[tuple[int, str], float]] = defaultdict(dict)
            for key, base, column, value in database.execute("SELECT ID, row, col, val FROM MATRIX_DATA"):
                if key in wanted:
                    counts[key][column, base] = value
            told: dict[tuple[int, str], list[str]] = defaultdict(list)
            for key, tag, value in database.execute(
                "SELECT ID, TAG, VAL FROM MATRIX_ANNOTATION WHERE TAG IN ('tax_group', 'class', 'family') ORDER BY LOCAL_ID"
            ):
                told[key, tag].append(value)
    except sqlite3.Error as error:
        raise ModelError(f"{file.name} cannot be read as a JASPAR database: {error}.", "Remove the model and fetch it again.") from error
    found = {}
    for key, accession, name in rows:
        width = max(column for column, _ in counts[key])
        table = np.array([[counts[key][column, base] for base in BASES] for column in range(1, width + 1)], dtype=np.float64)
        group, structure, kin = (" / ".join(told[key, tag]) for tag in ("tax_group", "class", "family"))
        found[accession] = Motif(accession, name, group, structure, kin, table)
    return found


@family("jaspar", cards=(CARD,))
def load(folder: Path | None, card: ModelCard, device: str) -> Matrices:
    """Read the matrices and check one of them.

    Raises
    ------
    ModelError
        When CTCF's matrix is not the published one.
    """
    assert folder is not None
    made = Matrices(read(folder / _FILE))
    golden = made.get("MA0139.2")
    if golden is None or golden.name != "CTCF" or golden.counts[7].tolist() != [5.0, 0.0, 903.0, 3.0]:
        raise ModelError(f"{card.title} does not hold the published matrix of CTCF.", "Remove the model and fetch it again.")
    return made
