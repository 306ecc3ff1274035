"""Vectors of sentences: the model's own numbers, exact places, honest nearness, and files that other programs read."""

import io

import numpy as np
import pytest

from backend.config import load_config
from backend.errors import InputError
from backend.figures.sentence_map import describe_sentences, plot_sentences
from backend.literature.embed_text import cosines, to_cosines, to_csv, to_matrix
from backend.literature.vectors import pairs_apart, spread, unit
from backend.models.registry import add_local
from backend.workbench import Workbench
from tests.models.tiny_bert import make

TEXT = "Insulin lower blood glucose in patients.\n\nMetformin was given: the patients were treated. Aspirin reduced stroke of 2 patients."


@pytest.fixture
def encoder(tmp_path):
    config = load_config({"BIOLOOM_DATA": str(tmp_path / "data"), "BIOLOOM_DEVICE": "cpu"})
    card = add_local(config, make(tmp_path / "tiny", "none", name="biolinkbert"), "biolinkbert")
    bench = Workbench(config)
    yield bench, card
    bench.close()


def run(encoder, text=TEXT, **more):
    bench, card = encoder
    return bench.run("literature.embed", {"text": text}, settings={"model": card.name}, **more)


def test_every_sentence_has_the_vector_that_the_model_gives_it(encoder):
    bench, card = encoder
    found = run(encoder).prediction
    places = [(each["start"], each["end"]) for each in found["sentences"]]
    assert [TEXT[a:b][:9] for a, b in places] == ["Insulin l", "Metformin", "Aspirin r"]
    with bench.runtime.use(card.name) as model:
        expected = model.embed([TEXT[a:b] for a, b in places])
    assert np.abs(np.array([each["vector"] for each in found["sentences"]]) - expected).max() < 1e-5
    table = cosines(found)
    assert table == pytest.approx(unit(expected) @ unit(expected).T, abs=1e-4)
    assert found["level"] == spread(pairs_apart(table)) | {"count": 3}
    near = found["nearest"]
    assert near["cosine"] == pytest.approx(max(table[0, 1], table[0, 2], table[1, 2]), abs=1e-4)


def test_the_vectors_leave_as_tables_that_numpy_reads(encoder):
    found = run(encoder).prediction
    matrix = np.loadtxt(io.StringIO(to_matrix(found)), delimiter=",")
    assert matrix.shape == (3, 32)
    assert np.abs(matrix - np.array([each["vector"] for each in found["sentences"]])).max() < 1e-4
    assert to_csv(found).splitlines()[0].startswith("sentence,start,end,words,v1,")
    assert len(to_cosines(found).splitlines()) == 4


def test_the_words_of_one_sentence_explain_its_nearness(encoder):
    made = run(encoder, explain=True, target={"first": 2, "second": 3}).explanation
    assert made["target"] == {"first": 2, "second": 3}
    words = [TEXT[item["start"] : item["end"]] for item in made["sites"]["attributions"]]
    assert words == ["Metformin", "was", "given:", "the", "patients", "were", "treated."]


def test_one_sentence_is_no_pair_and_the_figure_says_so(encoder):
    found = run(encoder, "Insulin lower blood glucose.").prediction
    assert found["nearest"] is None
    assert found["level"]["count"] == 0
    assert describe_sentences(found) == "One sentence: nothing to compare."


def test_the_figure_states_what_is_seen(encoder):
    found = run(encoder).prediction
    assert plot_sentences(found).layout.title.text.startswith("Sentences ")
    assert "mean cosine" in describe_sentences(found)


def test_a_sentence_beyond_the_window_is_said_to_be_read_in_windows(encoder):
    made = run(encoder, "insulin " * 80 + "reduced stroke. Aspirin was given.")
    assert any("longer than 64 tokens" in warning for warning in made.warnings)


def test_more_sentences_than_can_be_compared_are_refused(encoder):
    with pytest.raises(InputError, match="at most 300"):
        run(encoder, "Aspirin reduced stroke. " * 301)


def test_a_text_of_another_script_is_said_to_be_unknown(encoder):
    made = run(encoder, "ꙮꙮꙮ ꙮꙮ patients ꙮꙮꙮ. ꙮꙮ ꙮ ꙮꙮ.")
    assert any("not in the model's vocabulary" in warning for warning in made.warnings)


def test_a_run_comes_out_the_same_again(encoder):
    bench, _ = encoder
    made = run(encoder)
    assert bench.replay(made.id).prediction["same"]
