"""dna.genome and dna.generate: frames, genetic codes, the gene's own usage, what is written and marked, and why."""

from __future__ import annotations

import math

import numpy as np
import pytest

from backend.config import load_config
from backend.errors import InputError
from backend.models.codons import CODONS
from backend.models.registry import add_local
from backend.sequences.codon_reading import genetic_code, read_codons, synonyms, usage
from backend.sequences.genome import to_csv
from backend.sequences.genome_generate import to_fasta, to_proteins
from backend.sequences.inputs import give_text
from backend.sequences.records import Entry, SequenceRecord
from tests.models.untrained_dna import make_genslm
from tests.sequences.test_dna_variants import HBB

CODING = HBB[50:142] + HBB[272:495]  # exons 1 and 2 of beta-globin from its start codon: 105 whole codons


@pytest.fixture
def bench(tmp_path):
    from backend.workbench import Workbench

    opened = Workbench(load_config({"BIOLOOM_DATA": str(tmp_path / "data"), "BIOLOOM_DEVICE": "cpu"}))
    yield opened
    opened.close()


@pytest.fixture
def added(bench, shared, tmp_path):
    make_genslm(tmp_path / "genes", places=64)
    return add_local(bench.config, tmp_path / "genes", "genslm").name


def record(sequence, kind="dna"):
    return SequenceRecord(Entry("a", "a", kind, "test", len(sequence)), sequence)


def run(bench, task, text, explain=False, target=None, kind="dna", **settings):
    return bench.run(task, give_text(bench.context, text, kind=kind), settings=settings, explain=explain, target=target)


def test_the_longest_reading_frame_from_an_atg_is_taken_and_said():
    found = read_codons(record("GG" + CODING + "TAACC"), "auto", 1)
    assert (found.start, found.end, found.codons[0]) == (2, 2 + len(CODING) + 3, "ATG")
    assert found.amino.startswith("MVHLTPEEKSAVTALWGKVN")
    assert found.amino.endswith("*")
    assert "longest reading frame" in found.why
    short = read_codons(record("ATGGCCTAAG"), "auto", 1)
    assert (short.codons, short.amino, short.left_over) == (("ATG", "GCC", "TAA"), "MA*", 1)
    assert "no reading frame" in short.why
    third = read_codons(record("ATGGCCTAAG"), "3", 1)
    assert third.codons == ("GGC", "CTA")
    with pytest.raises(InputError, match="no reading frame"):
        read_codons(record("ATGGCC"), "4", 1)
    with pytest.raises(InputError, match="no whole codon"):
        read_codons(record("ATGG"), "3", 1)
    with pytest.raises(InputError, match="no genetic code 7"):
        genetic_code(7)


def test_the_genetic_code_decides_what_is_synonymous():
    standard, mitochondrial = genetic_code(1), genetic_code(2)
    same = synonyms(standard)
    assert same[CODONS.index("CTG"), CODONS.index("TTA")]
    assert not same[CODONS.index("ATG"), CODONS.index("ATA")]
    assert synonyms(mitochondrial)[CODONS.index("ATG"), CODONS.index("ATA")]
    assert standard["TGA"] == "*"
    assert mitochondrial["TGA"] == "W"


def test_the_genes_own_usage_leaves_the_codon_out_that_it_judges():
    made = usage(["ATG", "GCC", "GCC", "NNN"])
    assert np.exp(made[0]) == pytest.approx(1 / 66)  # one more for each of 64, two others
    assert np.exp(made[1]) == pytest.approx(2 / 66)
    assert math.isnan(made[3])


def test_every_codon_has_its_likelihood_beside_the_genes_own_usage(bench, added):
    made = run(bench, "dna.genome", f">hbb\n{CODING}\n", model=added, code=1)
    (found,) = made.prediction["results"]
    assert len(found["codons"]) == 105
    assert found["log_probs"][0] is None
    assert found["judged"] == 104
    judged = [value for value in found["log_probs"] if value is not None]
    assert found["perplexity"] == pytest.approx(math.exp(-np.mean(judged)), rel=1e-3)
    assert found["strange"][0]["log_p"] == min(judged)
    assert all(chances[0][1] >= chances[1][1] >= chances[2][1] for chances in found["expected"] if chances)
    at = found["rank"].index(1) if 1 in found["rank"] else None
    assert at is None or found["expected"][at][0][0] == found["codons"][at]
    assert all(share >= math.exp(own) - 1e-3 for share, own in zip(found["synonymous"], found["log_probs"], strict=True) if share)
    assert len(to_csv(made.prediction).splitlines()) == 106
    said = " ".join(made.warnings)
    assert "first codon is not judged" in said
    assert "more than the 64" in said


def test_rna_gaps_unknown_letters_and_a_broken_codon_are_said_in_the_users_numbering(bench, added):
    rna = (CODING[:30] + "--" + CODING[30:59] + "N" + CODING[60:64]).replace("T", "U")
    made = run(bench, "dna.genome", f">a\n{rna}\n", kind="rna", model=added, frame="1")
    (found,) = made.prediction["results"]
    assert found["codon_places"][9:11] == [28, 33]
    said = " ".join(made.warnings)
    assert "U were read as T" in said
    assert "the last base makes no whole codon" in said
    assert "1 codon holds a letter other than A, C, G, T" in said
    assert found["log_probs"][19] is None


def test_a_codon_is_explained_by_those_before_it_as_it_was_judged(bench, added):
    for at in (5, 90):  # in the first window and in the last
        place = 3 * at + 1
        made = run(bench, "dna.genome", f">a\n{CODING}\n", explain=True, target={"place": place + 1}, model=added)
        (found,), sites = made.prediction["results"], made.explanation["sites"]
        assert sites["score"] == pytest.approx(found["log_probs"][at], abs=1e-3)
        total = sum(item["value"] for item in sites["attributions"])
        assert sites["base_value"] + total == pytest.approx(sites["score"], abs=1e-3)
        assert max(item["end"] for item in sites["attributions"]) == 3 * at
        assert all((item["end"] - item["start"]) % 3 == 0 for item in sites["attributions"])
        assert "[UNK]" in sites["baseline"]
    with pytest.raises(InputError, match="nothing stands before it"):
        bench.explain(made.id, {"place": 1})
    with pytest.raises(InputError, match="No codon that was read stands at 999"):
        bench.explain(made.id, {"place": 999})


def test_what_is_written_is_called_generated_everywhere_and_comes_again_by_its_seed(bench, added):
    made = run(bench, "dna.generate", f">begin\n{CODING[:31]}\n", model=added, count=3, most=20, seed=5, code=1)
    (found,) = made.prediction["results"]
    assert [each["seed"] for each in found["generated"]] == [5, 6, 7]
    assert any("Generated: these sequences were written by a model" in warning for warning in made.warnings)
    assert any("the last base makes no whole codon" in warning for warning in made.warnings)
    for each in found["generated"]:
        assert each["dna"].startswith(CODING[:30])
        assert each["protein"].startswith("MVHLTPEEKS")
        stop = genetic_code(1)[each["codons"][-1]] == "*"
        assert each["ended"] == ("stop" if stop else "length")
        assert len(each["codons"]) == len(each["log_probs"])
        assert stop or len(each["codons"]) == 20
        assert not any(genetic_code(1)[codon] == "*" for codon in each["codons"][:-1])
    heads = [line for line in (to_fasta(made.prediction) + to_proteins(made.prediction)).splitlines() if line.startswith(">")]
    assert len(heads) == 6
    assert all("GENERATED" in head and "not found in nature" in head for head in heads)
    again = run(bench, "dna.generate", f">begin\n{CODING[:31]}\n", model=added, count=3, most=20, seed=5, code=1)
    assert again.prediction["results"] == made.prediction["results"]


def test_a_continuation_is_explained_by_its_beginning(bench, added):
    made = run(bench, "dna.generate", f">a\n{CODING[:18]}\n", explain=True, target={"number": 2}, model=added, count=2, most=6)
    (found,), sites = made.prediction["results"], made.explanation["sites"]
    assert len(sites["attributions"]) == 6
    assert "stretches" not in sites["method"], "a codon is one player, not a stretch of three"
    total = sum(item["value"] for item in sites["attributions"])
    assert sites["base_value"] + total == pytest.approx(sites["score"], abs=1e-3)
    assert made.explanation["target"] == {"record": "a", "number": 2}
    assert len(found["generated"]) == 2


def test_settings_out_of_range_are_refused_and_one_certain_continuation_is_written_once(bench, added):
    for settings, words in (
        ({"count": 0}, "cannot be written"),
        ({"most": 2_000}, "cannot be written"),
        ({"temperature": 3}, "out of range"),
    ):
        with pytest.raises(InputError, match=words):
            run(bench, "dna.generate", ">a\nATGGCC\n", model=added, **settings)
    with pytest.raises(InputError, match="beyond the 64"):
        run(bench, "dna.generate", f">a\n{CODING[:90]}\n", model=added, most=60)
    made = run(bench, "dna.generate", ">a\nATGGCC\n", model=added, temperature=0.0, most=5)
    assert len(made.prediction["results"][0]["generated"]) == 1
    assert any("one continuation was written" in warning for warning in made.warnings)
