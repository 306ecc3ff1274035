"""RNA contacts: alignments put together again, nested structures that are the best, and a run in the user's numbering."""

from __future__ import annotations

import itertools
import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from backend.config import load_config
from backend.errors import InputError
from backend.models.registry import add_local
from backend.sequences import rna_nested
from backend.sequences.fold_export import partners
from backend.sequences.inputs import choose, give_text
from backend.sequences.rna_alignment import aligned, rows_at, spread
from backend.sequences.rna_contacts_export import contact_rows, to_csv, to_ct, to_dbn
from backend.sequences.rna_contacts_measure import measure
from backend.sequences.rna_contacts_scores import read_scores
from backend.tasks import find_task
from backend.workbench import Workbench
from tests.models.untrained_rna import make_rnamsm

ROWS = ("GGGAAACUUCGGUUUCCC", "GGC-AACU.CGGUUUGCC", "--GAAACUUCGGUUUC--")
DEEP = "".join(f">d{at}\n{'GGGAAACUUC' * 4}\n" for at in range(9))
FASTA = "".join(f">s{at}\n{row}\n" for at, row in enumerate(ROWS))


@pytest.fixture
def bench(tmp_path: Any) -> Any:
    make_rnamsm(tmp_path / "tiny")
    opened = Workbench(load_config({"BIOLOOM_DATA": str(tmp_path / "data"), "BIOLOOM_DEVICE": "cpu"}))
    add_local(opened.config, tmp_path / "tiny", "rnamsm")
    yield opened
    opened.close()


def test_an_aligned_file_is_put_together_again(bench: Any) -> None:
    records = choose(bench.context, give_text(bench.context, FASTA, kind="rna"), kinds=("rna",)).records
    assert aligned(records)
    assert rows_at(records[0], records) == [row.replace(".", "-") for row in ROWS]
    assert rows_at(records[1], records) == ["GGCAACUCGGUUUGCC", "GGGAACUCGGUUUCCC", "--GAACUCGGUUUC--"]


def test_records_of_other_lengths_are_no_alignment(bench: Any) -> None:
    value = give_text(bench.context, ">a\nGGGAAACUUC\n>b\nGGGAAACUU\n", kind="rna")
    assert not aligned(choose(bench.context, value, kinds=("rna",)).records)
    run = bench.run("rna.contacts", value)
    assert run.prediction["read"] == "each"
    assert any("each was read by itself" in told for told in run.warnings)
    with pytest.raises(InputError, match="no alignment"):
        bench.run("rna.contacts", value, settings={"read": "alignment"})


def test_the_rows_that_differ_most_are_taken() -> None:
    rows = ["AAAA", "AAAA", "AAAC", "GGGG", "AACC"]
    assert spread(rows, 2) == ["AAAA", "GGGG"]
    assert spread(rows, 3) == ["AAAA", "GGGG", "AACC"]
    assert spread(rows, 9) == rows


@pytest.mark.parametrize("seed", range(12))
def test_a_nested_structure_is_the_best_of_all(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 11
    sequence = "".join(rng.choice(list("GCAU"), n))
    scores = rng.normal(size=(n, n))
    scores = scores + scores.T
    found = rna_nested.fold(sequence, scores, 0.2)
    chain = partners(found)
    pairs = [(i, j) for i, j in enumerate(chain) if j > i]
    assert all(sequence[i] + sequence[j] in rna_nested.CANONICAL and j - i > rna_nested.LEAST_LOOP for i, j in pairs)
    possible = [
        (i, j)
        for i, j in itertools.combinations(range(n), 2)
        if j - i > rna_nested.LEAST_LOOP and sequence[i] + sequence[j] in rna_nested.CANONICAL and scores[i, j] > 0.2
    ]

    def best(rest: list[tuple[int, int]]) -> float:
        if not rest:
            return 0.0
        (i, j), others = rest[0], rest[1:]
        fitting = [(a, b) for a, b in others if len({i, j, a, b}) == 4 and (i < a < j) == (i < b < j)]
        return max(best(others), scores[i, j] - 0.2 + best(fitting))

    assert sum(scores[i, j] - 0.2 for i, j in pairs) == pytest.approx(best(possible))


def test_a_hairpin_with_clear_scores_is_drawn() -> None:
    scores = np.zeros((12, 12))
    for i, j in ((0, 11), (1, 10), (2, 9)):
        scores[i, j] = scores[j, i] = 0.9
    assert rna_nested.fold("GGGAAAAAACCC", scores, 0.5) == "(((......)))"


def test_scores_are_deviations_of_attention_or_probabilities() -> None:
    attention = np.random.default_rng(0).normal(size=(9, 9))
    held = SimpleNamespace(attention=attention + attention.T, head=None)
    found = read_scores(held, "")
    far = found.scores[np.triu_indices(9, 4)]
    assert (found.by, far.mean(), far.std()) == ("attention", pytest.approx(0), pytest.approx(1))
    with pytest.raises(InputError, match="no fitted regression"):
        read_scores(held, "head")
    held.head = np.full((9, 9), 0.25)
    assert read_scores(held, "").by == "head"
    assert read_scores(held, "attention").by == "attention"


def test_a_run_speaks_the_users_numbering(bench: Any) -> None:
    value = give_text(bench.context, FASTA, kind="rna")
    run = bench.run("rna.contacts", value, settings={"query": "s1"})
    one = run.prediction["results"][0]
    assert (one["record"], one["sequence"], one["given"]) == ("s1", "GGCAACUCGGUUUGCC", 3)
    assert one["places"] == [1, 2, 3, 5, 6, 7, 8, *range(10, 19)]
    assert len(one["structure"]) == 16
    assert all(j - i >= 4 for i, j, _, _ in one["contacts"])
    assert [row["score"] for row in contact_rows(one)] == sorted((row["score"] for row in contact_rows(one)), reverse=True)
    assert any("columns where s1 has a gap were left out" in told for told in run.warnings)
    assert json.loads(json.dumps(run.prediction)) == run.prediction
    for text in (to_csv(run.prediction), to_dbn(run.prediction), to_ct(run.prediction)):
        assert "s1" in text
    assert to_ct(run.prediction).splitlines()[4].split()[-1] == "5"


def test_viennarna_stands_beside_where_it_is_installed(bench: Any) -> None:
    pytest.importorskip("RNA")
    one = bench.run("rna.contacts", give_text(bench.context, FASTA, kind="rna")).prediction["results"][0]
    assert len(one["vienna"]["structure"]) == 18
    assert 0 <= one["vienna"]["f1"] <= 1


def test_what_cannot_be_read_is_refused_in_words(bench: Any) -> None:
    value = give_text(bench.context, FASTA, kind="rna")
    for settings, words in (
        ({"query": "nobody"}, "hold no 'nobody'"),
        ({"rows": 0}, "number of rows"),
        ({"by": "magic"}, "no way to read attention"),
        ({"read": "some"}, "no way to read records"),
        ({"threshold": -1}, "not possible"),
    ):
        with pytest.raises(InputError, match=words):
            bench.run("rna.contacts", value, settings=settings)
    with pytest.raises(InputError, match="at once"):
        bench.run("rna.contacts", give_text(bench.context, ">long\n" + "GCAU" * 20 + "\n", kind="rna"))


def test_an_explanation_adds_up_and_names_its_pair(bench: Any) -> None:
    value = give_text(bench.context, FASTA, kind="rna")
    for by in ("", "attention"):
        run = bench.run("rna.contacts", value, settings={"by": by})
        first, second, wanted, *_ = run.prediction["results"][0]["contacts"][3]
        pair = f"{first + 1}-{second + 1}"
        made = find_task("rna.contacts").explain(bench.context, run.prediction, {"pair": pair}, run.settings)
        assert made["target"] == {"record": "s0", "pair": pair}
        sites = made["sites"]
        assert abs(sites["base_value"] + sum(item["value"] for item in sites["attributions"]) - sites["score"]) < 1e-6
        assert sites["score"] == pytest.approx(wanted, abs=1e-3)
    default = find_task("rna.contacts").explain(bench.context, run.prediction, {}, run.settings)
    assert default["target"]["record"] == "s0"


def test_an_explanation_that_reads_fewer_sequences_says_so(bench: Any) -> None:
    run = bench.run("rna.contacts", give_text(bench.context, DEEP, kind="rna"), explain=True)
    assert "7 of the 9 sequences were read here" in json.dumps(run.explanation["sites"])


def test_untrained_models_are_not_measured(bench: Any, tmp_path: Any) -> None:
    file = tmp_path / "known.csv"
    file.write_text("id,sequence,structure\na_1,GGGAAACCC,(((...)))\n")
    with pytest.raises(InputError, match="untrained"):
        measure(bench.context, [file], {})
