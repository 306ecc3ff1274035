"""protein.contacts: the strongest pairs in the user's numbering, compared with a structure where there is one."""

import itertools

import numpy as np
import pytest

from backend.config import ROOT, load_config
from backend.errors import InputError, ModelError
from backend.models.registry import add_local
from backend.sequences.contacts import APART
from backend.sequences.contacts_truth import compare, true_contacts
from backend.sequences.contacts_why import spans_around
from backend.sequences.inputs import give_file, give_text
from backend.sequences.structures import read_structure
from backend.tasks import find_task
from tests.models import untrained_esm

UBIQUITIN = "MQIFVKTLTGKTITLEVEPSDTIENVKAKIQDKEGIPPDQQRLIFAGKQLEDGRTLSDYNIQKESTLHLVLRLRGG"
STRUCTURE = ROOT / "assets" / "examples" / "ubiquitin-1ubi.pdb"


@pytest.fixture
def config(tmp_path):
    return load_config({"BIOLOOM_DATA": str(tmp_path / "own"), "BIOLOOM_DEVICE": "cpu"})


@pytest.fixture
def added(bench, tmp_path):
    untrained_esm.make(tmp_path / "my-esm")
    return add_local(bench.config, tmp_path / "my-esm", "esm").name


def run(bench, text, **how):
    return bench.run("protein.contacts", give_text(bench.context, text, kind="protein"), **how)


def test_the_strongest_pairs_come_first_and_near_ones_are_left_out(bench, added):
    (found,) = run(bench, f">ubi\n{UBIQUITIN}\n").prediction["results"]
    chances = [chance for _, _, chance in found["contacts"]]
    assert chances == sorted(chances, reverse=True)
    assert len(chances) >= len(UBIQUITIN)
    assert all(j - i >= APART for i, j, _ in found["contacts"])
    assert found["truth"] is None
    assert len(found["along"]) == 76
    assert sum(found["along"]) / 2 == pytest.approx(found["expected"], abs=0.1)


def test_numbers_are_the_users_own(bench, added):
    made = run(bench, f">gapped\n{UBIQUITIN[:10]}---{UBIQUITIN[10:]}\n")
    rows = find_task("protein.contacts").exports["csv"](made.prediction).splitlines()
    (found,) = made.prediction["results"]
    i, j, _ = found["contacts"][0]
    place = [at + 1 if at < 10 else at + 4 for at in (i, j)]
    assert rows[1].startswith(f"gapped,{place[0]},{UBIQUITIN[i]},{place[1]},{UBIQUITIN[j]},{j - i},")


def test_a_structure_file_is_compared_with_its_own_contacts(bench, added):
    made = bench.run("protein.contacts", give_file(bench.context, STRUCTURE))
    (found,) = made.prediction["results"]
    rows = {(row["range"], row["top"]): row for row in found["truth"]["precision"]}
    assert rows["long", "L/5"]["pairs"] == 15
    assert all(row["low"] <= row["value"] <= row["high"] for row in rows.values())
    assert "touch_in_structure" in find_task("protein.contacts").exports["csv"](made.prediction).splitlines()[0]


def test_ubiquitins_sheet_and_helix_touch_as_they_are_known_to():
    real = true_contacts(read_structure(STRUCTURE).chains[0].coordinates)
    assert real[2, 14] == 1  # strands 1 and 2: I3 and L15
    assert real[3, 64] == 1  # strands 1 and 5: F4 and S65
    assert real[22, 67] == 0
    assert np.array_equal(np.nan_to_num(real), np.nan_to_num(real.T))


def test_a_perfect_prediction_has_a_precision_of_one_and_a_short_list_none():
    real = true_contacts(read_structure(STRUCTURE).chains[0].coordinates)
    first, second = np.nonzero(np.triu(np.nan_to_num(real), APART))
    pairs = [[int(i), int(j), 0.9] for i, j in zip(first, second, strict=True)]
    rows = {(row["range"], row["top"]): row["value"] for row in compare(pairs, real, 76, APART)["precision"]}
    assert set(rows.values()) == {1.0}
    assert ("medium and long", "L") in rows
    assert compare(pairs[:3], real, 76, APART)["precision"] == []


def test_residues_without_backbone_are_counted_out_not_wrong():
    coordinates = read_structure(STRUCTURE).chains[0].coordinates.copy()
    coordinates[10, 2] = np.nan
    real = true_contacts(coordinates)
    assert np.isnan(real[10]).all()
    found = compare([[10, 40, 0.9], *[[i, i + 30, 0.5] for i in range(40)]], real, 76, APART)
    assert found["missing"] == 1


def test_a_longer_protein_is_read_in_windows_and_says_what_no_window_saw(bench, added, monkeypatch):
    from backend.models.families import esm

    whole = run(bench, UBIQUITIN).prediction["results"][0]
    bench.runtime.unload(added)
    original = esm.EsmModel.__init__

    def small(self, *args, **kwargs):
        original(self, *args, **kwargs)
        self.window = 40

    monkeypatch.setattr(esm.EsmModel, "__init__", small)
    made = run(bench, UBIQUITIN)
    (found,) = made.prediction["results"]
    assert len(found["windows"]) > 1
    assert found["unseen_pairs"] > 0
    assert all(j - i < 40 for i, j, _ in found["contacts"])
    assert any("overlapping windows" in warning for warning in made.warnings)
    assert whole["unseen_pairs"] == 0


def test_one_contact_is_explained_by_all_residues(bench, added):
    made = run(bench, UBIQUITIN[:40], explain=True)
    sites = made.explanation["sites"]
    i, j, chance = made.prediction["results"][0]["contacts"][0]
    assert sites["score"] == pytest.approx(chance, abs=1e-4)
    assert sites["baseline"] == "every residue hidden"
    assert (
        made.explanation["target"] == {"record": "sequence", "first": i + 1, "second": j + 1}
        or made.explanation["target"]["first"] == i + 1
    )
    assert sites["faithfulness"]["reason"]


def test_players_lie_around_both_residues():
    spans = spans_around(300, (50, 200))
    assert spans[0][0] == 0
    assert spans[-1][1] == 300
    assert all(one[1] == other[0] for one, other in itertools.pairwise(spans))
    assert {(50, 51), (46, 47), (204, 205)} <= set(spans)
    assert len(spans) <= 45


def test_too_short_too_long_and_no_model_are_refused_in_words(bench, added, tmp_path):
    with pytest.raises(InputError, match="4 residues"):
        run(bench, ">short\nMKVW\n")
    with pytest.raises(InputError, match="up to 3,000"):
        run(bench, f">long\n{UBIQUITIN * 40}\n")
    empty = load_config({"BIOLOOM_DATA": str(tmp_path / "none"), "BIOLOOM_DEVICE": "cpu"})
    from backend.workbench import Workbench

    other = Workbench(empty)
    with pytest.raises(ModelError, match=r"No model for protein\.contacts"):
        run(other, UBIQUITIN)
    other.close()
