"""RNA folding: the cloverleaf of a tRNA, ViennaRNA's own numbers, and what is said of letters that cannot be folded."""

from __future__ import annotations

import numpy as np
import pytest

from backend.config import ROOT
from backend.sequences.fold_export import partners
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
    from backend.models.families.viennarna import CARD, load

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


def _no_dangles():
    details = RNA.md()
    details.dangles = 0
    return details
