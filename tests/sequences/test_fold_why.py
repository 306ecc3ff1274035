"""Why two bases pair: the stem is what holds a pair, the players cover the strand, targets are named in the user's numbering."""

from __future__ import annotations

import pytest

from backend.config import ROOT
from backend.errors import InputError
from backend.sequences.fold_export import partners
from backend.sequences.fold_why import elements, find_target
from backend.sequences.inputs import give_file, give_text

pytest.importorskip("RNA")
TRNA = ROOT / "assets/examples/trna-phe.fasta"
HAIRPIN = "GGGGAAAACCCC"


def test_a_hairpins_end_pair_is_owed_to_its_stem_not_its_loop(bench):
    run = bench.run("rna.fold", give_text(bench.context, f">h\n{HAIRPIN}\n", "h.fasta", kind="rna"))
    made = bench.explain(run.id, {"pair": "C12 - G1"}).explanation
    assert made["target"] == {"record": "h", "pair": "1-12"}
    shares = {item["label"]: item["value"] for item in made["sites"]["attributions"]}
    assert set(shares) == {"G2", "G3", "G4", "5-8 AAAA", "C9", "C10", "C11"}
    assert made["sites"]["score"] - made["sites"]["base_value"] == pytest.approx(sum(shares.values()), abs=1e-6)
    assert min(shares["G3"], shares["C10"]) > 5 * abs(shares["5-8 AAAA"])
    at_end = next(each for each in made["mutagenesis"] if each["place"] == 12)
    assert at_end["effects"]["A"] == pytest.approx(-made["asked"]["value"], abs=1e-4)


@pytest.mark.slow
def test_the_trnas_acceptor_stem_holds_its_first_pair(bench):
    run = bench.run("rna.fold", give_file(bench.context, TRNA))
    made = bench.explain(run.id, {"pair": "1-72"}).explanation
    strongest = sorted(made["sites"]["attributions"], key=lambda item: -item["value"])[:4]
    assert {item["label"] for item in strongest} == {"C2", "G3", "C70", "G71"}


def test_players_cover_the_strand_once_and_leave_the_asked_bases_out():
    structure = partners("(((..((((....))))..)))...")
    spans = elements(structure, [0, 21])
    covered = [at for start, end in spans for at in range(start, end)]
    assert covered == [at for at in range(25) if at not in (0, 21)]
    assert (5, 9) in spans
    assert (1, 2) in spans
    few = elements(structure, [0, 21], most=6)
    assert len(few) == 6
    assert [at for start, end in few for at in range(start, end)] == covered


def test_what_is_explained_is_named_in_the_users_numbering():
    result = {"record": "r", "pairs": [[0, 11, 0.9]]}
    places = list(range(-3, 9))
    assert find_target({}, result, places) == [0, 11]
    assert find_target({"pair": "-3-8"}, result, places) == [0, 11]
    assert find_target({"position": "G5"}, result, places) == [8]
    for wrong in ("1-90", "x", "2-2"):
        with pytest.raises(InputError):
            find_target({"pair": wrong}, result, places)
