"""The matrices are JASPAR's newest CORE profiles, each once, whole; another file is refused."""

import sqlite3

import numpy as np
import pytest

from backend.errors import ModelError
from backend.models.families import jaspar
from tests.prepare import models_folder


@pytest.fixture(scope="module")
def folder():
    found = models_folder() / jaspar.CARD.name / jaspar.CARD.sha256[:12]
    if not found.is_dir():
        pytest.skip("the matrices were not fetched: python -m tests.prepare")
    return found


@pytest.fixture(scope="module")
def matrices(folder):
    return jaspar.load(folder, jaspar.CARD, "cpu")


def test_every_core_profile_is_there_once_in_its_newest_version(matrices):
    motifs = matrices.motifs()
    assert len(motifs) == sum(matrices.groups().values()) == 2_633
    assert len({motif.id.split(".")[0] for motif in motifs}) == len(motifs)
    assert matrices.groups()["vertebrates"] == len(matrices.motifs("vertebrates")) == 1_019
    assert matrices.get("MA0139.1") is None
    assert matrices.get("MA0139.2").name == "CTCF"
    assert {motif.id for motif in motifs if motif.name == "CTCF"} > {"MA0139.2", "MA1929.2"}  # names are not unique


def test_columns_are_whole_counts_of_bases(matrices):
    for motif in matrices.motifs():
        assert motif.counts.shape == (motif.width, 4)
        assert motif.counts.min() >= 0
        assert motif.counts.sum(axis=1).min() > 0
        assert motif.name
        assert motif.group


def test_textbook_consensus_sequences_are_read_from_the_counts(matrices):
    assert "AGGTGGC" in matrices.get("MA0139.2").consensus.upper() or "AGGGGGC" in matrices.get("MA0139.2").consensus.upper()
    assert "TATAAA" in matrices.get("MA0108.3").consensus.upper()
    assert "ATTTGCAT" in matrices.get("MA0507.3").consensus.upper() or "ATGCAAAT" in matrices.get("MA0507.3").consensus.upper()


def test_a_complex_names_the_classes_of_both_partners(matrices):
    pair = next(motif for motif in matrices.motifs("vertebrates") if motif.name == "MAX::MYC")
    assert pair.structure
    assert np.isfinite(pair.counts).all()


def test_a_file_that_is_no_such_database_is_refused(tmp_path):
    file = tmp_path / "JASPAR2026.sqlite"
    file.write_bytes(b"not a database" * 100)
    with pytest.raises(ModelError, match="JASPAR"):
        jaspar.read(file)


def test_a_changed_matrix_of_ctcf_is_noticed(folder, tmp_path):
    file = tmp_path / "JASPAR2026.sqlite"
    file.write_bytes((folder / "JASPAR2026.sqlite").read_bytes())
    with sqlite3.connect(file) as database:
        database.execute(
            "UPDATE MATRIX_DATA SET val = 5 WHERE row = 'G' AND ID IN (SELECT ID FROM MATRIX WHERE BASE_ID = 'MA0139' AND VERSION = 2)"
        )
    with pytest.raises(ModelError, match="CTCF"):
        jaspar.load(tmp_path, jaspar.CARD, "cpu")


def test_reading_leaves_no_trace_beside_the_file(folder):
    jaspar.read(folder / "JASPAR2026.sqlite")
    assert [file.name for file in folder.iterdir() if file.name.startswith("JASPAR")] == ["JASPAR2026.sqlite"]
