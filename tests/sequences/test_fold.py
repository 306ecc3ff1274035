"""RNA folding: the cloverleaf of a tRNA, ViennaRNA's own numbers, and what is said of letters that cannot be folded."""

from __future__ import annotations

import csv
import io
import sys

import numpy as np
import psutil
import pytest

from backend.config import ROOT
from backend.errors import Cancelled, InputError, ModelError
from backend.evaluate import evaluate
from backend.models.families.viennarna import CARD, load
from backend.models.fold_apart import fold_apart
from backend.sequences.fold_export import partners, to_csv, to_ct, to_dbn
from backend.sequences.fold_measure import agreement, longest_stems
from backend.sequences.inputs import give_file, give_text

RNA = pytest.importorskip("RNA")
TRNA = ROOT / "assets/examples/trna-phe.fasta"


def test_the_trna_has_its_acceptor_stem_and_viennarnas_own_numbers(bench):
    made = bench.run("rna.fold", give_file(bench.context, TRNA))
    found = made.prediction["results"][0]
    compound = RNA.fold_compound(found["sequence"])
    structure, energy = compound.mfe()
    compound.exp_params_rescale(energy)
    assert (found["mfe"]["structure"], found["mfe"]["energy"]) == (structure, pytest.approx(energy, abs=0.01))
    assert found["ensemble_energy"] == pytest.approx(compound.pf()[1], abs=0.002)
    assert partners(found["mfe"]["structure"])[:7] == [71, 70, 69, 68, 67, 66, 65]
    assert max(found["paired"]) <= 1.0001
    assert len(found["mfe"]["layout"]) == 76


def test_the_ensemble_energy_is_that_of_every_structure_summed():
    strand = "GGGAAAUCCC"
    every = [each.energy for each in RNA.fold_compound(strand, _no_dangles()).subopt(10_000)]
    kt = 0.0019871 * 310.15
    summed = -kt * np.log(np.exp(-np.array(every) / kt).sum())
    assert load(None, CARD, "cpu").fold(strand, dangles=0).ensemble_energy == pytest.approx(summed, abs=0.02)


def test_t_and_other_letters_are_told(bench):
    made = bench.run("rna.fold", give_text(bench.context, ">d\nGGGGTTNNCCCC\n", "d.fasta", kind="dna"))
    assert any("read as U" in each for each in made.warnings)
    assert any("N7" in each for each in made.warnings)


def test_partners_and_agreement():
    assert partners("((..[[))]]") == [7, 6, -1, -1, 9, 8, 1, 0, 5, 4]
    with pytest.raises(ValueError, match="never closed"):
        partners("((.)")
    assert agreement(partners("((...))"), partners("(.....)")) == pytest.approx((2 / 3, 0.5, 1.0))
    assert longest_stems("GGGGAAAACCCC") == partners("((((....))))")


HAIRPIN = "GGGGAAAACCCC"
PLAIN = {"temperature": 37.0, "dangles": 2, "constraint": ""}


@pytest.fixture(scope="module")
def folder():
    return load(None, CARD, "cpu")


def test_entropy_is_in_bits_and_follows_from_the_pair_probabilities(folder):
    found = folder.fold("GGGAAAUCCCAGGAUUUCCC")
    rows = np.hstack([found.probabilities, 1 - found.probabilities.sum(axis=1, keepdims=True)]).clip(1e-300, 1)
    assert found.entropy == pytest.approx(-(rows * np.log2(rows)).sum(axis=1), abs=1e-6)


def test_defect_is_the_share_of_bases_in_another_state_than_drawn(bench, folder):
    result = bench.run("rna.fold", give_text(bench.context, f">h\n{HAIRPIN}\n", "h.fasta", kind="rna")).prediction["results"][0]
    compound = RNA.fold_compound(HAIRPIN)
    compound.pf()
    assert result["mfe"]["defect"] == pytest.approx(compound.ensemble_defect(result["mfe"]["structure"]), abs=1e-3)


def test_heat_melts_the_trna(bench):
    hot = bench.run("rna.fold", give_file(bench.context, TRNA), settings={"temperature": 95}).prediction["results"][0]
    assert set(hot["mfe"]["structure"]) == {"."}
    cool = bench.run("rna.fold", give_file(bench.context, TRNA)).prediction["results"][0]
    assert sum(hot["paired"]) < 0.5 * sum(cool["paired"])


@pytest.mark.parametrize(
    ("constraint", "holds"),
    [
        ("xx..........", lambda s: s[:2] == ".."),
        (".(........).", lambda s: partners(s)[1] == 10),
        ("(..........)", lambda s: partners(s)[0] == 11),
        ("....|.......", lambda s: s[4] != "."),
    ],
)
def test_a_constraint_is_met_in_full(folder, constraint, holds):
    assert holds(folder.fold("GGGGUAAACCCC", constraint=constraint).mfe)


@pytest.mark.parametrize(
    ("constraint", "named"),
    [
        ("xx", "2 signs, the strand 12 bases"),
        ("x..........?", "sign 12"),
        ("(...........", "sign 1 of"),
        ("...........)", "closes nothing"),
        ("(....)......", "G .sign 1. with A .sign 6."),
        (".......()...", "A .sign 8. with C"),
        ("...(....)...", None),
        ("||||||||||||", "No structure"),
    ],
)
def test_a_constraint_that_cannot_be_met_is_refused_and_says_where(folder, constraint, named):
    if named is None:
        assert folder.fold(HAIRPIN, constraint=constraint).mfe[3] == "("
        return
    with pytest.raises(InputError, match=named):
        folder.fold(HAIRPIN, constraint=constraint)


@pytest.mark.parametrize("settings", [{"temperature": 150}, {"temperature": "warm"}, {"dangles": 1}])
def test_settings_out_of_range_are_refused(bench, settings):
    with pytest.raises(InputError):
        bench.run("rna.fold", give_file(bench.context, TRNA), settings=settings)


def test_a_constraint_is_for_one_record(bench):
    value = give_text(bench.context, ">a\nGGGGAAAACCCC\n>b\nGGGGUUUUCCCC\n", "two.fasta", kind="rna")
    with pytest.raises(InputError, match="several"):
        bench.run("rna.fold", value, settings={"constraint": "." * 12})


def test_without_the_package_the_remedy_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "RNA", None)
    with pytest.raises(ModelError, match=r"pip install 'bioloom\[rna\]'"):
        load(None, CARD, "cpu")


def test_a_strand_too_long_is_refused_before_it_is_folded(bench):
    value = give_text(bench.context, ">long\n" + "GGGGAAAACCCC" * 251, "long.fasta", kind="rna")
    with pytest.raises(InputError, match="long has 3,012 bases; up to 3,000"):
        bench.run("rna.fold", value)


def test_a_long_strand_of_a_run_is_folded_in_the_other_process(bench, folder):
    strand = "".join(np.random.default_rng(2).choice(list("ACGU"), 310))
    result = bench.run("rna.fold", give_text(bench.context, f">l\n{strand}\n", "l.fasta", kind="rna")).prediction["results"][0]
    assert result["mfe"]["structure"] == folder.fold(strand).mfe
    assert len(result["mfe"]["layout"]) == 310


def test_a_process_of_its_own_folds_the_same_and_can_be_stopped(folder):
    strand = "".join(np.random.default_rng(1).choice(list("ACGU"), 320))
    here, apart = folder.fold(strand), fold_apart(strand, PLAIN, lambda seconds: None)
    assert (apart.mfe, apart.centroid) == (here.mfe, here.centroid)
    assert apart.mfe_energy == here.mfe_energy
    assert np.array_equal(apart.probabilities, here.probabilities)

    def stop(seconds: float) -> None:
        raise Cancelled

    before = set(psutil.Process().children())
    with pytest.raises(Cancelled):
        fold_apart(strand * 8, PLAIN, stop)
    assert set(psutil.Process().children()) <= before


def test_exports_are_read_back_as_the_same_structure_and_energy(bench):
    made = bench.run("rna.fold", give_file(bench.context, TRNA)).prediction
    result = made["results"][0]
    name, bases, best, _ = to_dbn(made).splitlines()
    structure, energy = best.split(" ", 1)
    assert (name, bases) == (">tRNA-Phe", result["sequence"])
    assert RNA.energy_of_struct(bases, structure) == pytest.approx(float(energy.strip("()")), abs=0.01)

    head, *lines = to_ct(made).splitlines()
    rows = [line.split() for line in lines]
    assert head.split()[0] == "76"
    assert "".join(row[1] for row in rows) == bases
    assert [int(row[4]) - 1 for row in rows] == partners(structure)
    assert [int(row[5]) for row in rows] == list(range(1, 77))
    assert [int(row[3]) for row in rows] == [*range(2, 77), 0]

    pairs = list(csv.DictReader(io.StringIO(to_csv(made))))
    assert {(int(row["first"]) - 1, int(row["second"]) - 1) for row in pairs if row["in_mfe"] == "True"} == {
        (i, j) for i, j in enumerate(partners(structure)) if j > i
    }
    assert all(0.01 <= float(row["probability"]) <= 1 for row in pairs)


def test_known_structures_are_measured_and_a_bad_line_is_named(bench, tmp_path):
    file = tmp_path / "known.csv"
    file.write_text(f"id,sequence,structure\nhairpin_1,{HAIRPIN},((((....))))\nopen_1,AAAAAAAAAA,..........\n")
    systems = evaluate(bench.context, "rna.fold", [file])["systems"]
    assert systems["MFE"]["F1"]["value"] == 1
    assert systems["MFE, hairpin"]["sensitivity"]["value"] == 1
    file.write_text(f"id,sequence,structure\nhairpin_1,{HAIRPIN},((((....)))\n")
    with pytest.raises(InputError, match=r"line 2 .hairpin_1.: 12 bases but 11 signs"):
        evaluate(bench.context, "rna.fold", [file])


@pytest.mark.slow
def test_folding_finds_far_more_known_pairs_than_stems_alone(bench, shared, tmp_path):
    lines = (shared / "sequences/rna/archiveII_5s_trna.csv").read_text().splitlines()
    part = tmp_path / "part.csv"
    part.write_text("\n".join([lines[0], *lines[1::10]]))
    systems = evaluate(bench.context, "rna.fold", [part])["systems"]
    assert 0.55 < systems["MFE"]["F1"]["value"] < 0.72
    assert systems["MFE"]["F1"]["low"] > systems["longest stems"]["F1"]["high"] + 0.1


def _no_dangles():
    details = RNA.md()
    details.dangles = 0
    return details
