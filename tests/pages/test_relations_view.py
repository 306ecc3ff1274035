"""Relations on the page: read off, never called stated; what is denied or less sure stands apart, with how often such are right."""

from __future__ import annotations

from typing import ClassVar

from tests.literature import toys
from tests.literature.toys import ABSTRACT, Toy, register
from tests.pages.conftest import texts

RIGHT = {
    "shown": {"value": 0.72, "low": 0.66, "high": 0.77, "n": 300},
    "others": {"value": 0.41, "low": 0.36, "high": 0.45, "n": 500},
}


class Measured(Toy):
    """A reader whose relations of a disease were measured; its headache is uncertain."""

    measured: ClassVar[dict] = {"disease": {"least": 0.05, "shown": 0.6, "data": "abstracts kept apart", "right": RIGHT}}


def opened(open_page, bench):
    run = bench.run("literature.relations", {"text": ABSTRACT, "name": "abstract.txt"}, owner="guest")
    return run, open_page("texts", run=run.id)


def test_relations_are_counted_by_what_their_sentence_does_and_less_certain_ones_wait(open_page, bench, monkeypatch):
    register(monkeypatch, toys.card("toy"), Measured)
    run, app = opened(open_page, bench)
    assert [each["shown"] for each in run.prediction["relations"]] == [True, True, False]
    shown = texts(app)
    assert "1 relation read off the sentences, 1 more that the sentence denies; 1 less certain not shown." in shown
    assert "stated" not in shown.lower()
    assert "about 7 of ten are right (0.72, 95% interval 0.66-0.77, n = 300; abstracts kept apart)" in shown
    assert "0.41" not in shown
    app.toggle(key=f"relations-less-{run.id}").set_value(True).run()
    every = texts(app)
    assert "Less certain ones of a chemical with a disease:</b> about 4 of ten are right" in every
    assert "less certain</span>" in every
    assert not app.exception


def test_where_nothing_was_measured_all_is_shown_without_a_figure(open_page, bench, monkeypatch):
    register(monkeypatch, toys.card("toy"))
    _, app = opened(open_page, bench)
    shown = texts(app)
    assert "2 relations read off the sentences, 1 more that the sentence denies." in shown
    assert "of ten" not in shown
    assert not [each for each in app.toggle if each.key.startswith("relations-less")]
