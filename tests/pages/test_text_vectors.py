"""Hidden words, vectors and nearest sentences on the Texts page: saved runs drawn, settings offered, hostile text shown as text."""

from __future__ import annotations

import pytest

from backend.models.registry import add_local
from tests.models.tiny_bert import make
from tests.pages.conftest import HOSTILE, texts

TEXT = f"Aspirin lower the risk of stroke. Metformin was given to patients {HOSTILE}. Insulin lower blood glucose."


@pytest.fixture
def tiny(bench, tmp_path):
    """A tiny masked model of the person's own, in a data folder of the test's own."""
    if bench.config.models.is_symlink():
        bench.config.models.unlink()
    return add_local(bench.config, make(tmp_path / "tiny", "words", name="scibert", window=256), "scibert")


def drawn(bench, open_page, task, settings, value=None, target=None):
    made = bench.run(
        task, value or {"text": TEXT, "name": HOSTILE}, settings=settings, owner="guest", explain=target is not None, target=target
    )
    app = open_page("texts", run=made.id)
    assert not app.exception
    assert not app.error
    shown = texts(app)
    assert "UNTRAINED" in shown
    assert not [part.value for part in app.html if "<script>alert" in part.value or "<img" in part.value]
    return app, shown


def test_hidden_words_are_shown_in_their_text_with_why(bench, open_page, tiny):
    settings = {"model": tiny.name, "hide": "lower"}
    app, shown = drawn(bench, open_page, "literature.fill", settings, target={"place": 1})
    assert "expected by the model, not read in the text" in shown
    assert "This explanation" in shown
    app.selectbox(key=next(each.key for each in app.selectbox if each.label == "Hidden word")).select_index(1).run()
    assert not app.exception
    assert "[1]" in texts(app)


def test_vectors_show_neighbours_and_why_two_are_near(bench, open_page, tiny):
    _, shown = drawn(bench, open_page, "literature.embed", {"model": tiny.name}, target={"first": 1, "second": 3})
    assert "Cosine of all pairs" in shown
    _, shown = drawn(bench, open_page, "literature.embed", {"model": tiny.name}, {"text": "Aspirin lower the risk."})
    assert "no other to compare it with" in shown


def test_nearest_sentences_are_quoted_with_both_ranks(bench, open_page, tiny):
    value = {"text": TEXT, "question": f"What lowers glucose {HOSTILE}?"}
    _, shown = drawn(bench, open_page, "literature.nearest", {"model": tiny.name}, value, {"rank": 1})
    assert "by words" in shown
    assert "does not say that a sentence answers the question" in shown


def test_a_run_on_an_empty_library_says_that_nothing_was_compared(bench, open_page, tiny):
    _, shown = drawn(bench, open_page, "literature.nearest", {"model": tiny.name}, {"question": "What lowers glucose?"})
    assert "nothing to compare the question with" in shown


@pytest.mark.parametrize("task", ["literature.fill", "literature.embed", "literature.nearest"])
def test_the_settings_are_offered(bench, open_page, tiny, task):
    from backend.storage.files import Files

    found = Files(bench.config).put(TEXT.encode(), "text.txt")
    app = open_page("texts", text=found.sha256, name=found.name, task=task)
    assert not app.exception
    assert not app.error
    assert any(button.label.startswith("Run: ") for button in app.button)
