"""The measures of a protein language model, on a tiny one that knows nothing: that they run, and that they tell knowing from guessing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from backend.models.masked import AMINO
from backend.training.proteins import network as networks
from backend.training.proteins.effects import ASSAYS, measure_effects
from backend.training.proteins.intervals import ratio
from backend.training.proteins.measure import measure
from backend.training.proteins.opening import open_model
from backend.training.proteins.perplexity import measure_perplexity
from backend.training.proteins.proteins import read_proteins, write_arrays
from backend.training.proteins.running import Run
from tests.sequences.test_training_proteins import BLAT, TINY, as_set
from tests.sequences.test_training_proteins_run import SETTINGS


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> tuple[Path, Path]:
    """A set of 60 drawn proteins of two kinds, each with its GO term, and a tiny model trained on it for 20 steps."""
    folder, drawn = tmp_path_factory.mktemp("proteins"), np.random.default_rng(0)
    kinds = [np.where(np.isin(list(AMINO), list(own)), 4.0, 1.0) for own in ("LAVI", "DEKR")]
    sequences = ["".join(drawn.choice(list(AMINO), 60, p=kinds[at % 2] / kinds[at % 2].sum())) for at in range(60)]
    found = as_set(folder, sequences, [0] * 44 + [1] * 6 + [2] * 10)
    write_arrays(folder, residues=found.residues, offsets=found.offsets, cluster=found.cluster, part=found.part)
    (folder / "data.json").write_text(json.dumps({"sha256": "0", "parts": {"training": {"residues": 10**6}}}))
    (folder / "annotations.tsv").write_text("".join(f"P{at}\tGO:000000{1 + at % 2}\t\tGO:0000003\n" for at in range(60)))
    (folder / "ancestors.json").write_text(json.dumps({"GO:0000001": ["GO:0008150"], "GO:0000002": ["GO:0008150"], "GO:0000003": []}))
    networks.SHAPES["tiny"] = TINY
    run = Run(folder / "run", read_proteins(folder), SETTINGS, "cpu")
    run.train()
    run.export()
    del networks.SHAPES["tiny"]
    return folder / "run" / "model", folder


@pytest.fixture
def dms(tmp_path: Path) -> Path:
    """Tables in the three assays' forms, whose effects are BLOSUM62's own sign and noise."""
    drawn = np.random.default_rng(1)
    for assay in ASSAYS:
        (tmp_path / assay.wild).write_text(f">wild\n{BLAT[:60]}\n")
        ending = "\t" if assay.table.endswith("tsv") else ","
        rows = [(at, other) for at in range(60) for other in AMINO if other != BLAT[at]]
        lines = [f"{BLAT[at]}{at + 1}{other}{ending}{drawn.normal():.4f}" for at, other in rows]
        head = "mutant" if ending == "," else "variant"
        (tmp_path / assay.table).write_text("\n".join([f"{head}{ending}{assay.column}", *lines]))
    columns = "DMS ID,Site-Independent,ESM2 (8M),ESM2 (35M)"
    (tmp_path / "proteingym_published_spearman.csv").write_text(f"{columns}\n{ASSAYS[0].published},0.4,0.3,0.5\n")
    return tmp_path


def test_every_measure_runs_on_a_tiny_model_and_calls_it_untrained(made, dms):
    found = measure(*made, dms)
    assert found["untrained"] is True
    assert "UNTRAINED" in found["note"]
    perplexity = found["held-out perplexity"]
    for name in ("model", "model on the same proteins shuffled", "letter frequencies of the training part"):
        assert 1 < perplexity[name]["low"] <= perplexity[name]["value"] <= perplexity[name]["high"] < 30
    terms = found["GO terms by nearest neighbour"]
    assert set(terms) == {"biological process", "cellular component"}
    assert terms["biological process"]["mean F1"]["amino-acid composition"]["value"] > 0.8  # the two kinds differ in composition only
    assert terms["cellular component"]["mean F1"]["a training protein at random"]["value"] == 1.0
    first = found["effects of substitutions"][ASSAYS[0].title]
    assert first["variants"] == 60 * 19
    assert abs(first["spearman"]["model"]["value"]) < 0.15  # the effects are noise
    assert first["published spearman"]["ESM-2 8M, as published"] == 0.3
    assert found["effects of substitutions"]["Bgl3"]["published spearman"] == {}


def test_a_model_that_knows_the_letters_is_at_their_frequencies_and_one_that_knows_the_residue_at_one(made):
    class Knows:
        """Foretells with certainty, or by a fixed distribution."""

        window, mask, rows = 1022, 32, None

        def everywhere(self, rows):
            return [np.full((len(row), 20), -np.log(20.0), dtype=np.float32) for row in rows]

    found = measure_perplexity(Knows(), read_proteins(made[1]))
    assert found["model"]["value"] == pytest.approx(20.0)
    assert found["letter frequencies of the training part"]["value"] < 19.5


def test_an_interval_over_clusters_is_wider_where_relatives_agree():
    drawn = np.random.default_rng(0)
    values = np.repeat(drawn.normal(size=20), 10)
    apart, together = (ratio(values, np.ones(200), each) for each in (np.arange(200), np.repeat(np.arange(20), 10)))
    assert apart.value == pytest.approx(together.value)
    assert together.high - together.low > 2 * (apart.high - apart.low)


@pytest.mark.slow
def test_the_real_tables_are_read_and_their_proteins_numbered(made, shared):
    found = measure_effects(open_model(made[0]), shared / "sequences" / "dms")
    assert found["TEM-1 beta-lactamase"]["variants"] == 4996
    assert found["avGFP"]["variants"] > 50_000
    assert found["TEM-1 beta-lactamase"]["published spearman"]["ESM-2 35M, as published"] == 0.557
