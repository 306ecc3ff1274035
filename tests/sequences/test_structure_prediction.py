"""protein.fold: a structure that other programs read, with its confidence, in the user's numbering."""

import numpy as np
import pytest

from backend.config import ROOT, load_config
from backend.errors import InputError
from backend.models.registry import add_local
from backend.sequences import structure_why
from backend.sequences.inputs import give_file, give_text
from backend.sequences.structure_pdb import pack_errors, unpack_errors
from backend.sequences.structures import read_structure
from backend.tasks import find_task
from tests.models import untrained_esmfold

PROTEIN = "MQIFVKTLTGKTITLEVEPSDTIENVKAKI"


@pytest.fixture
def config(tmp_path):
    return load_config({"BIOLOOM_DATA": str(tmp_path / "own"), "BIOLOOM_DEVICE": "cpu"})


@pytest.fixture
def added(bench, tmp_path):
    untrained_esmfold.make(tmp_path / "my-fold")
    return add_local(bench.config, tmp_path / "my-fold", "esmfold").name


def run(bench, text, **how):
    return bench.run("protein.fold", give_text(bench.context, text, kind="protein"), **how)


def test_the_pdb_is_read_back_as_a_prediction_with_the_same_confidence(bench, added, tmp_path):
    made = run(bench, f">one\n{PROTEIN}\n")
    (found,) = made.prediction["results"]
    file = tmp_path / "made.pdb"
    file.write_text(find_task("protein.fold").exports["pdb"](made.prediction))
    read = read_structure(file)
    assert read.is_prediction
    assert read.chains[0].sequence == PROTEIN
    assert np.abs(np.array([residue.b for residue in read.chains[0].residues]) - found["plddt"]).max() < 0.06
    assert "UNTRAINED" in file.read_text()


def test_residues_carry_the_users_numbers(bench, added, tmp_path):
    made = run(bench, f">gapped\n{PROTEIN[:10]}---{PROTEIN[10:]}\n")
    (found,) = made.prediction["results"]
    numbers = [int(line[22:26]) for line in found["pdb"].splitlines() if line.startswith("ATOM") and line[12:16] == " CA "]
    assert numbers == [*range(1, 11), *range(14, 34)]
    assert any("skips residues" in warning for warning in made.warnings)
    rows = find_task("protein.fold").exports["csv"](made.prediction).splitlines()
    assert rows[11].startswith("gapped,14,K,")


def test_bands_are_the_fields_four_and_count_every_residue(bench, added):
    (found,) = run(bench, f">one\n{PROTEIN}\n").prediction["results"]
    assert [each["band"] for each in found["bands"]] == ["very low", "low", "confident", "very high"]
    assert sum(each["residues"] for each in found["bands"]) == 30
    assert unpack_errors(found["pae"]).shape == (30, 30)


def test_expected_errors_are_kept_to_a_quarter_of_an_angstrom():
    errors = np.random.default_rng(0).uniform(0, 31.75, (40, 40)).astype(np.float32)
    assert np.abs(unpack_errors(pack_errors(errors)) - errors).max() <= 0.125 + 1e-6


def test_several_chains_of_a_structure_are_refused_in_words(bench, added, tmp_path):
    lines = [line for line in (ROOT / "assets" / "examples" / "ubiquitin-1ubi.pdb").read_text().splitlines() if line.startswith("ATOM")]
    two = tmp_path / "two.pdb"
    two.write_text("\n".join([*lines, "TER", *(f"{line[:21]}B{line[22:]}" for line in lines), "TER", "END"]) + "\n")
    with pytest.raises(InputError, match="several chains"):
        bench.run("protein.fold", give_file(bench.context, two))
    made = bench.run("protein.fold", {**give_file(bench.context, two), "records": ["B"]}, settings={"recycles": 0})
    assert made.prediction["results"][0]["record"] == "B"


def test_several_records_are_folded_each_by_itself_and_exported_as_models(bench, added):
    made = run(bench, f">a\n{PROTEIN}\n>b\n{PROTEIN[::-1]}\n")
    alone = run(bench, f">b\n{PROTEIN[::-1]}\n")
    assert made.prediction["results"][1]["plddt"] == alone.prediction["results"][0]["plddt"]
    text = find_task("protein.fold").exports["pdb"](made.prediction)
    assert text.count("MODEL  ") == 2
    assert text.count("ENDMDL") == 2


def test_an_unknown_residue_is_named_and_gets_no_atoms(bench, added):
    made = run(bench, f">odd\n{PROTEIN[:12]}U{PROTEIN[12:]}\n")
    assert any("does not know U" in warning for warning in made.warnings)
    numbers = {int(line[22:26]) for line in made.prediction["results"][0]["pdb"].splitlines() if line.startswith("ATOM")}
    assert numbers == set(range(1, 32)) - {13}


def test_the_confidence_is_explained_by_stretches_or_refused_with_the_hours(bench, added, monkeypatch):
    made = run(bench, f">one\n{PROTEIN}\n", explain=True, settings={"recycles": 0})
    sites = made.explanation["sites"]
    assert len(sites["attributions"]) == 6
    assert sites["score"] == pytest.approx(made.prediction["results"][0]["mean"], abs=0.01)
    assert "unknown" in sites["baseline"]
    one = bench.explain(made.id, {"record": "one", "place": 7})
    assert one.explanation["sites"]["score"] == pytest.approx(made.prediction["results"][0]["plddt"][6], abs=0.06)
    monkeypatch.setattr(structure_why, "_MOST_SECONDS", 0.0)
    with pytest.raises(InputError, match="It was not begun"):
        bench.explain(made.id, {"record": "one"})


@pytest.mark.parametrize(("text", "settings", "match"), [(">s\nMKVLA\n", {}, "too few"), (f">s\n{PROTEIN}\n", {"recycles": 20}, "0 to 8")])
def test_what_cannot_be_folded_is_said(bench, added, text, settings, match):
    with pytest.raises(InputError, match=match):
        run(bench, text, settings=settings)
