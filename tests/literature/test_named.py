"""What quotes name and relate: every place counts the quote's own characters, denials are told, and nothing is left out silently."""

from __future__ import annotations

from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from backend.config import load_config
from backend.figures.relations import describe_relations, plot_relations
from backend.literature import named
from backend.literature.relation_words import denial, in_words
from tests.literature import toys

QUOTES = (
    "Lithium may cause tricuspid regurgitation in the newborn.",
    "Aspirin treats headache, but cyanosis was not observed.",
    "Nothing is named here.",
)


@pytest.fixture(autouse=True)
def readers(monkeypatch) -> None:
    """Readers that find the words of a list, in place of those that ship."""
    for place, task in (("ENTITIES", "literature.entities"), ("RELATIONS", "literature.relations")):
        monkeypatch.setattr(named, place, toys.register(monkeypatch, toys.card(f"toy-{place.lower()}", (task,))).name)


class Shelf:
    """A machine on which some of them are."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def present(self, name: str) -> bool:
        return name in self.names

    @contextmanager
    def use(self, name: str):
        yield toys.Toy()


def context(*names: str, tmp_path) -> SimpleNamespace:
    return SimpleNamespace(runtime=Shelf(*names), config=load_config({"BIOLOOM_DATA": str(tmp_path), "BIOLOOM_DEVICE": "cpu"}))


@pytest.fixture
def found(tmp_path):
    evidence = [{"quote": quote, "rank": at} for at, quote in enumerate(QUOTES, start=1)]
    return named.named_in(context(named.ENTITIES, named.RELATIONS, tmp_path=tmp_path), evidence)


def test_names_stand_at_their_characters_and_denials_are_told(found):
    told = [
        [(quote[each["start"] : each["end"]], each["kind"], each["negated"]) for each in sorted(mentions, key=lambda each: each["start"])]
        for quote, mentions in zip(QUOTES, found["mentions"], strict=True)
    ]
    assert told == [
        [("Lithium", "Chemical", False), ("tricuspid regurgitation", "Disease", False)],
        [("Aspirin", "Chemical", False), ("headache", "Disease", False), ("cyanosis", "Disease", True)],
        [],
    ]


def test_relations_name_the_quote_that_states_them(found):
    stated = {(each["head"], each["relation"], each["tail"], each["evidence"], each["denied"]) for each in found["relations"]}
    assert ("Lithium", "cause", "tricuspid regurgitation", 1, "") in stated
    assert ("Aspirin", "treats", "cyanosis", 2, "was not observed") in stated
    assert all(each["quote"][slice(*each["head_at"])] == each["head"] for each in found["relations"])
    assert found["left_out"] == 0
    assert [each["name"] for each in found["models"]] == [named.ENTITIES, named.RELATIONS]


def test_without_the_readers_it_says_that_nothing_was_read(tmp_path):
    evidence = [{"quote": QUOTES[0], "rank": 1}]
    assert named.named_in(context(named.RELATIONS, tmp_path=tmp_path), evidence) is None
    made = named.named_in(context(named.ENTITIES, tmp_path=tmp_path), evidence)
    assert (len(made["mentions"][0]), made["relations"], made["left_out"]) == (2, None, 0)


def test_no_quote_at_all_names_nothing(tmp_path):
    made = named.named_in(context(named.ENTITIES, named.RELATIONS, tmp_path=tmp_path), [])
    assert (made["mentions"], made["relations"], made["left_out"]) == ([], [], 0)


def test_pairs_beyond_what_an_answer_waits_for_are_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(named, "MOST", 1)
    evidence = [{"quote": quote, "rank": at} for at, quote in enumerate(QUOTES, start=1)]
    made = named.named_in(context(named.ENTITIES, named.RELATIONS, tmp_path=tmp_path), evidence)
    assert (len(made["relations"]), made["left_out"]) == (1, 2)


@pytest.mark.parametrize(
    ("relation", "kind", "words"),
    [
        ("INHIBITOR", "Chemical", "inhibits"),
        ("chemical induces disease", "Chemical", "induces"),
        ("INHIBITOR", "Gene", "INHIBITOR"),
        ("CPR:4", "Chemical", "CPR:4"),
    ],
)
def test_a_label_becomes_a_verb_where_the_chemical_is_its_subject(relation, kind, words):
    assert in_words({"relation": relation, "head_kind": kind}) == words


def test_a_denied_relation_is_told_by_its_sentence():
    text = "Aspirin was given. No headache was caused by lithium."
    stated = {"sentence": [19, 52], "head_at": [45, 52], "tail_at": [22, 30]}
    assert denial(text, stated) == "no"
    assert denial(text, {"sentence": [0, 18], "head_at": [0, 7], "tail_at": None}) == ""


def test_each_kind_has_its_own_shape_and_a_denied_relation_says_so_in_words(found):
    drawn = plot_relations(found["relations"])
    assert {trace.name: trace.marker.symbol for trace in drawn.data if trace.name} == {"chemical": "circle", "disease": "square"}
    assert {line.line.dash for line in drawn.data if line.mode == "lines"} == {"solid", "dash"}
    assert any("(denied)" in note.text for note in drawn.layout.annotations)
    assert "denied by 'was not observed'" in describe_relations(found["relations"])
