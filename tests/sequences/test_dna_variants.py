"""dna.variants on a real gene: both strands, the user's numbering, unknown letters, long records, its own baseline, explanations."""

from __future__ import annotations

import numpy as np
import pytest

from backend.config import ASSETS
from backend.errors import InputError, ModelError
from backend.models.families import dnabert
from backend.models.kmer_bert import BASES
from backend.models.registry import add_local
from backend.sequences.dna_scan import foretold, oriented, own_words, scan
from backend.sequences.dna_variants import to_csv
from backend.sequences.dna_variants_why import locate
from backend.sequences.inputs import give_text
from backend.sequences.overview_orfs import complement
from tests.models.untrained_dna import make_dnabert

HBB = "".join((ASSETS / "examples" / "hbb-gene.fasta").read_text().splitlines()[1:])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("dna") / "my-dnabert"
    make_dnabert(made)
    return made


@pytest.fixture(scope="module")
def model(folder):
    return dnabert.load(folder, dnabert.CARDS[-1], "cpu")


@pytest.fixture
def bench(tmp_path):
    from backend.config import load_config
    from backend.workbench import Workbench

    opened = Workbench(load_config({"BIOLOOM_DATA": str(tmp_path / "data"), "BIOLOOM_DEVICE": "cpu"}))
    yield opened
    opened.close()


@pytest.fixture
def added(bench, folder):
    return add_local(bench.config, folder, "dnabert").name


def run(bench, text, explain=False, target=None, **settings):
    return bench.run("dna.variants", give_text(bench.context, text, kind="dna"), settings=settings, explain=explain, target=target)


def test_the_other_strand_is_read_as_such_and_shown_on_the_given_one(model):
    text = HBB[:50]
    given, other = scan(model, complement(text), "+"), scan(model, text, "-")
    assert oriented("AACGT", "-") == "ACGTT"
    for i in range(50):
        for base in BASES:
            there = given.log_probs[49 - i, BASES.index(complement(base))]
            assert other.log_probs[i, BASES.index(base)] == pytest.approx(there, abs=1e-5)
    with pytest.raises(InputError, match="no strand"):
        scan(model, text, "forward")


def test_a_base_of_a_long_record_is_scored_where_it_lies_furthest_from_a_cut(model):
    found = scan(model, HBB[:150], "+", (70, 75))
    assert np.isfinite(found.log_probs).all(axis=1).nonzero()[0].tolist() == [70, 71, 72, 73, 74]
    start, end = min(found.windows, key=lambda window: abs(sum(window) / 2 - 72))
    alone = scan(model, HBB[start:end], "+", (72 - start, 73 - start))
    assert alone.log_probs[72 - start] == pytest.approx(found.log_probs[72], abs=1e-5)


def test_the_sequences_own_words_foretell_a_repeat_and_never_the_place_they_judge():
    repeat = "ACG" * 20
    made = own_words(repeat)
    assert np.exp(made).sum(axis=1) == pytest.approx(np.ones(60))
    perplexity, recovery = foretold(made, [BASES.index(letter) for letter in repeat])
    assert recovery == 1.0
    assert 1 < perplexity < 1.3
    lonely = own_words("A" * 10 + "C" + "A" * 10)
    assert np.argmax(lonely[10]) == 0, "the words that hold the C itself do not count"
    assert np.isnan(own_words("ACNGT")[2]).all()
    slow = own_words("ACGTAC")  # place 3: words CGT, GTA, TAC; without those that touch it only ACG is left
    by_hand = np.array([[1 / 4, 1 / 4, 1 / 4], [1 / 4, 1 / 4, 1 / 4], [1 / 4, 1 / 4, 1 / 4], [1 / 4, 1 / 4, 1 / 4]]).prod(axis=1)
    assert np.exp(slow[3]) == pytest.approx(by_hand / by_hand.sum())


def test_every_substitution_is_in_the_table_in_the_users_own_numbering(bench, added):
    made = run(bench, f">gapped\n{HBB[:10]}--{HBB[10:40]}\n", model=added)
    (found,) = made.prediction["results"]
    lines = to_csv(made.prediction).splitlines()
    assert len(lines) == 1 + 3 * 40
    names = [line.split(",")[1] for line in lines[1:]]
    assert f"{HBB[10]}13{'A' if HBB[10] != 'A' else 'C'}" in names
    assert found["worst"][0]["score"] == min(min(row) for row in found["scores"])
    assert all(row[BASES.index(letter)] == 0 for letter, row in zip(found["sequence"], found["scores"], strict=True))
    assert "not a measure of disease" in made.prediction["meaning"]


def test_lowercase_and_unknown_letters_get_said_and_keep_their_neighbours_places(bench, added):
    made = run(bench, f">odd\n{HBB[:20].lower()}NR{HBB[20:40]}\n", model=added)
    (found,) = made.prediction["results"]
    assert found["scores"][20] is None
    assert found["scores"][21] is None
    assert found["scores"][22] is not None
    assert any("N21, R22 are none of A, C, G, T" in warning for warning in made.warnings)


def test_a_stretch_is_scored_with_all_that_lies_around_it(bench, added):
    whole = run(bench, f">a\n{HBB[:60]}\n", model=added).prediction["results"][0]
    part = run(bench, f">a\n{HBB[:60]}\n", model=added, first=20, last=22).prediction["results"][0]
    assert part["scores"][19:22] == whole["scores"][19:22]
    assert [i for i, row in enumerate(part["scores"]) if row is not None] == [19, 20, 21]
    with pytest.raises(InputError, match="has no base from 90"):
        run(bench, f">a\n{HBB[:60]}\n", model=added, first=90)
    with pytest.raises(InputError, match=r"up to 2,000 are scored"):
        run(bench, f">a\n{HBB * 2}\n", model=added)


@pytest.mark.parametrize("strand", ["+", "-"])
def test_one_score_is_explained_by_the_other_bases(bench, added, strand):
    name = f"{HBB[30]}31{'A' if HBB[30] != 'A' else 'G'}"
    made = run(bench, f">a\n{HBB[:90]}\n", explain=True, target={"mutant": name}, model=added, strand=strand, first=25, last=35)
    (found,) = made.prediction["results"]
    sites = made.explanation["sites"]
    assert sites["score"] == pytest.approx(found["scores"][30][BASES.index(name[-1])], abs=2e-3)
    shares = [item["value"] for item in sites["attributions"]]
    assert sites["base_value"] + sum(shares) == pytest.approx(sites["score"], abs=1e-3)
    assert not [item for item in sites["attributions"] if (item["start"], item["end"]) == (30, 31)]
    assert "[MASK]" in sites["baseline"]
    assert sites["unseen"], "what lies beyond the window is named"


@pytest.mark.parametrize(
    ("mutant", "words"), [("C1G", "is A, not C"), ("A9C", "no base 9"), ("A1", "not a substitution"), ("A1A", "no substitution")]
)
def test_a_mutant_that_does_not_fit_is_refused_in_words(mutant, words):
    with pytest.raises(InputError, match=words):
        locate(mutant, "ACGT", [1, 2, 3, 4])


def test_without_a_model_the_way_to_one_is_told(bench):
    with pytest.raises(ModelError, match=r"No model for dna\.variants") as caught:
        run(bench, f">a\n{HBB[:40]}\n")
    assert "DNABERT-6" in caught.value.hint
