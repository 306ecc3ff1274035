"""Proteins and words: descriptions compared, a set ranked, vectors mapped - by a small untrained network, whose finding is called that."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from backend.errors import InputError, ModelError
from backend.models.registry import add_local
from backend.sequences.inputs import give_text
from backend.sequences.words_fit import form_of, read_descriptions, shuffled
from backend.tasks import find_task
from tests.models import untrained_protst

UBIQUITIN = "MQIFVKTLTGKTITLEVEPSDTIENVKAKIQDKEGIPPDQQRLIFAGKQLEDGRTLSDYNIQKESTLHLVLRLRGG"
SET = {"ubiquitin": UBIQUITIN, "short": "MKVLAADESGRTPW", "odd": "MKVLAADESGRTPWBBJACDEFGHIK"}


def fasta(records: dict[str, str]) -> str:
    return "".join(f">{name}\n{letters}\n" for name, letters in records.items())


@pytest.fixture
def own(bench: Any, tmp_path: Any) -> Any:
    """A workbench whose person added a small ProtST."""
    folder = tmp_path / "small-protst"
    untrained_protst.make(folder)
    add_local(bench.config, folder, "protst")
    return bench


@pytest.fixture
def bench(tmp_path: Any) -> Any:
    from backend.config import load_config
    from backend.workbench import Workbench

    made = Workbench(load_config({"BIOLOOM_DATA": str(tmp_path / "data"), "BIOLOOM_DEVICE": "cpu"}))
    yield made
    made.close()


def test_shares_of_the_descriptions_follow_the_networks_cosines_and_add_up(own: Any) -> None:
    run = own.run("protein.function", give_text(own.context, fasta(SET)), settings={"descriptions": "Nucleus\nCell membrane\nCytoplasm"})
    assert run.warnings[0].startswith("UNTRAINED")
    assert run.model["untrained"] is True
    found = run.prediction["results"][0]
    assert sum(each["probability"] for each in found["fits"]) == pytest.approx(1, abs=2e-4)
    cosines = np.array([each["cosine"] for each in found["fits"]])
    assert (np.diff(cosines) <= 0).all()
    shares = np.exp(run.prediction["scale"] * cosines)
    assert np.abs(shares / shares.sum() - [each["probability"] for each in found["fits"]]).max() < 2e-3
    assert {each["description"] for each in found["fits"]} == {"Nucleus", "Cell membrane", "Cytoplasm"}
    assert run.prediction["form"] == "SUBCELLULAR LOCATION: {}."
    assert any("odd" in warning for warning in run.warnings) or run.prediction["records"]


def test_a_fit_is_explained_on_residues_and_on_words(own: Any) -> None:
    value = give_text(own.context, fasta({"ubiquitin": UBIQUITIN}))
    run = own.run("protein.function", value, settings={"descriptions": ["Nucleus", "Cell membrane"]})
    made = own.explain(run.id, {}).explanation
    best = run.prediction["results"][0]["fits"][0]
    assert made["target"] == {"record": "ubiquitin", "description": best["description"]}
    assert made["sites"]["score"] == pytest.approx(best["cosine"], abs=1e-3)
    total = made["sites"]["base_value"] + sum(each["value"] for each in made["sites"]["attributions"])
    assert total == pytest.approx(made["sites"]["score"], abs=1e-3)
    assert made["words"]["score"] == pytest.approx(best["cosine"], abs=1e-3)
    assert own.replay(run.id).prediction["same"]


def test_a_set_is_ranked_and_its_best_compared_with_shuffled_copies(own: Any) -> None:
    run = own.run("protein.retrieve", give_text(own.context, fasta(SET)), settings={"description": "binds oxygen"})
    found = run.prediction["results"]
    assert [each["rank"] for each in found] == [1, 2, 3]
    assert found[0]["cosine"] >= found[1]["cosine"] >= found[2]["cosine"]
    assert all(0.05 <= each["shuffled_share"] <= 1 for each in found)
    made = own.explain(run.id, {}).explanation
    assert made["sites"]["score"] == pytest.approx(found[0]["cosine"], abs=1e-3)


def test_vectors_are_those_of_the_model_and_go_to_a_table(own: Any) -> None:
    run = own.run("sequence.embed", give_text(own.context, fasta(SET)), settings={"model": "small-protst"})
    with own.runtime.use("small-protst") as model:
        expected = model.embed([each["sequence"] for each in run.prediction["results"]])
    assert np.abs(np.array([each["vector"] for each in run.prediction["results"]]) - expected).max() < 1e-5
    lines = find_task("sequence.embed").exports["csv"](run.prediction).splitlines()
    assert lines[0].split(",")[:2] == ["record", "v1"]
    assert len(lines) == 1 + len(SET)
    assert len(lines[1].split(",")) == 1 + run.prediction["width"]
    made = own.explain(run.id, {"first": "ubiquitin", "second": "short"}).explanation
    assert made["sites"]["attributions"]
    json.dumps(run.prediction)


def test_word_counts_serve_where_no_network_is(bench: Any) -> None:
    run = bench.run("sequence.embed", give_text(bench.context, fasta(SET)))
    assert (run.model["name"], run.prediction["width"]) == ("kmers", 8000)
    with pytest.raises(ModelError, match="vectors of RNAs"):
        bench.run("sequence.embed", give_text(bench.context, ">r\nGGGAAACCCUUUGGGAAACCC\n", kind="rna"))
    with pytest.raises(InputError, match="not rna"):
        bench.run("sequence.embed", give_text(bench.context, ">r\nGGGAAACCCUUUGGGAAACCC\n", kind="rna"), settings={"model": "kmers"})


def test_without_a_model_the_way_to_one_is_told(bench: Any) -> None:
    with pytest.raises(ModelError, match=r"No model for protein\.function") as caught:
        bench.run("protein.function", give_text(bench.context, fasta(SET)))
    assert "ProtST" in caught.value.hint


@pytest.mark.parametrize(
    ("given", "form", "words"),
    [
        ("", "{}", "No description"),
        ("a cell\na cell", "{}", "given twice"),
        ("12", "{}", "no word"),
        ("cell", "none", "must hold"),
        ("cell", "{} {}", "must hold"),
        ("\n".join(f"cell {at}" for at in range(60)), "{}", "at most 50"),
    ],
)
def test_descriptions_that_cannot_be_compared_are_refused_in_words(given: str, form: str, words: str) -> None:
    def read() -> None:
        form_of(form)
        read_descriptions(given)

    with pytest.raises(InputError, match=words):
        read()


def test_shuffled_copies_keep_the_composition_and_are_the_same_each_time() -> None:
    made = shuffled(UBIQUITIN, 3)
    assert made == shuffled(UBIQUITIN, 3)
    assert all(sorted(each) == sorted(UBIQUITIN) and each != UBIQUITIN for each in made)
