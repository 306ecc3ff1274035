"""protein.variants on real proteins: the map, the user's numbering, what cannot be scored, and the explanation of one substitution."""

from dataclasses import replace

import numpy as np
import pytest

from backend.config import load_config
from backend.errors import InputError
from backend.models.families import esm
from backend.models.masked import AMINO
from backend.models.registry import add_local
from backend.sequences.inputs import give_text
from backend.sequences.variants import best_model, standing, to_csv
from backend.sequences.variants_why import locate
from tests.models import untrained_esm

UBIQUITIN = "MQIFVKTLTGKTITLEVEPSDTIENVKAKIQDKEGIPPDQQRLIFAGKQLEDGRTLSDYNIQKESTLHLVLRLRGG"


@pytest.fixture
def config(tmp_path):
    """A data folder with no models: one that tests share must not learn of folders that are gone tomorrow."""
    return load_config({"BIOLOOM_DATA": str(tmp_path / "own"), "BIOLOOM_DEVICE": "cpu"})


@pytest.fixture
def added(bench, tmp_path):
    """An untrained ESM-2 in a folder of the person's own."""
    folder = tmp_path / "my-esm"
    folder.mkdir()
    untrained_esm.make(folder)
    return add_local(bench.config, folder, "esm").name


def run(bench, text, explain=False, target=None, **settings):
    value = give_text(bench.context, text, kind="protein")
    return bench.run("protein.variants", value, settings=settings, explain=explain, target=target)


def test_on_a_bare_machine_blosum62_answers_and_is_called_so(bench):
    made = run(bench, UBIQUITIN)
    (found,) = made.prediction["results"]
    assert made.model["name"] == "blosum62"
    assert found["scores"][47][AMINO.index("R")] == 2  # K48R
    assert found["substitutions"] == 19 * 76
    assert made.prediction["quality"]["predictor"] is False
    assert any("BLOSUM62 alone answers" in warning for warning in made.warnings)
    assert "baseline" in made.prediction["quality"]["sentence"]


def test_every_substitution_is_in_the_table_with_blosum62_beside_it(bench, added):
    made = run(bench, UBIQUITIN, model=added)
    lines = to_csv(made.prediction).splitlines()
    assert len(lines) == 1 + 19 * 76
    k48r = next(line.split(",") for line in lines if ",K48R," in line)
    (found,) = made.prediction["results"]
    assert float(k48r[5]) == found["scores"][47][AMINO.index("R")]
    assert k48r[6] == "2"
    assert found["scores"][47][AMINO.index("K")] == 0
    assert found["worst"][0]["score"] == min(min(row) for row in found["scores"])


def test_positions_are_the_users_own_where_the_file_had_gaps(bench, added):
    made = run(bench, f">gapped\n{UBIQUITIN[:10]}---{UBIQUITIN[10:]}\n", model=added, method="wildtype")
    assert ",K51R," in to_csv(made.prediction)
    assert ",K48R," not in to_csv(made.prediction)


def test_letters_that_are_no_amino_acid_get_no_scores_and_are_named(bench, added):
    made = run(bench, f">odd\n{UBIQUITIN[:20]}XU{UBIQUITIN[20:]}\n", model=added)
    (found,) = made.prediction["results"]
    assert found["scores"][20] is None
    assert found["scores"][21] is None
    assert any("X21, U22" in warning for warning in made.warnings)


def test_a_network_without_measured_accuracy_is_called_unmeasured(bench, added):
    assert "not measured" in run(bench, UBIQUITIN, model=added).prediction["quality"]["sentence"]


def test_a_network_below_the_site_independent_baseline_is_no_variant_predictor():
    assert standing(esm.CARDS[0])["predictor"] is False
    assert "not a variant predictor" in standing(esm.CARDS[0])["sentence"]
    assert standing(esm.CARDS[2])["predictor"] is True
    assert standing(replace(esm.CARDS[0], quality=()))["predictor"] is None


def test_an_added_network_is_asked_before_blosum62(bench, added):
    assert best_model(bench.context, [UBIQUITIN]) == added


@pytest.mark.parametrize("method", ["masked", "wildtype"])
def test_one_score_is_explained_by_the_other_residues(bench, added, method):
    made = run(bench, UBIQUITIN, explain=True, target={"mutant": "K48R"}, model=added, method=method)
    found, sites = made.explanation, made.explanation["sites"]
    (result,) = made.prediction["results"]
    assert sites["score"] == pytest.approx(result["scores"][47][AMINO.index("R")], abs=2e-3)
    total = sum(item["value"] for item in sites["attributions"])
    assert sites["base_value"] + total == pytest.approx(sites["score"], abs=1e-3)
    own = [item for item in sites["attributions"] if (item["start"], item["end"]) == (47, 48)]
    assert len(own) == (0 if method == "masked" else 1)
    assert found["target"] == {"mutant": "K48R"}
    assert found["blosum62"]["R"] == 2
    changes = np.array(found["mutagenesis"]["changes"])
    assert changes.shape == (16, 20)
    same = [changes[i, AMINO.index(letter)] for i, letter in enumerate(found["mutagenesis"]["letters"])]
    assert np.abs(same).max() < 1e-3  # a neighbour exchanged for itself changes nothing


@pytest.mark.parametrize(
    ("mutant", "words"), [("R48K", "is K, not R"), ("K99R", "no residue 99"), ("K48", "not a substitution"), ("K48K", "no substitution")]
)
def test_a_mutant_that_does_not_fit_is_refused_in_words(mutant, words):
    with pytest.raises(InputError, match=words):
        locate(mutant, UBIQUITIN, list(range(1, 77)))


def test_a_way_of_scoring_that_is_none_is_refused(bench):
    with pytest.raises(InputError, match="no way of scoring"):
        run(bench, UBIQUITIN, method="magic")
