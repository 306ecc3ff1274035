"""Pairs told by name and kind: what is marked where, what such a pair can state at all, and that company changes nothing."""

from __future__ import annotations

import numpy as np
import pytest

from backend.models.abilities import Mention, Stated
from backend.models.bert_text import GONE
from backend.models.typed_pairs import Between, TypedPairReader, in_order, mark_pair
from backend.models.word_pieces import read_word_pieces
from tests.models.tiny_bert import make

TEXT = "In patients insulin induces headache, and brca1 was lower with aspirin."
LABELS = ("none", "chemical induces disease", "INHIBITOR", "SUBSTRATE")
ALL = {"disease": (0, 1), "gene": (0, 2, 3), "": (2, 3)}


def mention(word: str, kind: str) -> Mention:
    return Mention(TEXT.index(word), TEXT.index(word) + len(word), kind, 1.0)


INSULIN, HEADACHE, BRCA1 = mention("insulin", "Chemical"), mention("headache", "Disease"), mention("brca1", "Gene")
ASPIRIN = mention("aspirin", "Drug")
PAIRS = [(INSULIN, HEADACHE), (HEADACHE, ASPIRIN), (BRCA1, ASPIRIN), (mention("insulin", ""), mention("brca1", ""))]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make(tmp_path_factory.mktemp("tiny"), "none", tokens=("chemical", "disease", "entity"))


def reader(folder, least: float = 0.0) -> TypedPairReader:
    import torch
    import transformers

    encoder = transformers.BertModel.from_pretrained(folder, add_pooling_layer=False).eval().requires_grad_(False)
    torch.manual_seed(0)
    head = torch.nn.Linear(2 * encoder.config.hidden_size, len(LABELS)).requires_grad_(False)
    between = {partner: Between(labels, 1.5, least if partner else 0.0) for partner, labels in ALL.items()}
    return TypedPairReader(encoder, head, read_word_pieces(folder, "tiny"), 64, "cpu", LABELS, between)


def test_each_name_stands_between_its_own_signs_and_behind_its_kind(folder):
    pieces = read_word_pieces(folder, "tiny")
    words = {at: piece for piece, at in pieces.vocabulary.items()}
    ids, (head, tail) = mark_pair(pieces, "the headache of insulin", Mention(16, 23, "Chemical", 1.0), Mention(4, 12, "Disease", 1.0))
    assert " ".join(words[at] for at in ids) == "the # ^ disease ^ headache # of @ * chemical * insulin @"
    assert (words[ids[head]], words[ids[tail]]) == ("@", "#")


def test_a_chemical_comes_first_and_strange_kinds_make_no_pair():
    assert in_order(HEADACHE, ASPIRIN) == (ASPIRIN, HEADACHE, "disease")
    assert in_order(BRCA1, HEADACHE) is None
    assert in_order(INSULIN, mention("patients", "Species")) is None
    assert in_order(INSULIN, ASPIRIN) is None
    assert in_order(mention("headache", ""), mention("insulin", "")) == (mention("insulin", ""), mention("headache", ""), "")


def test_a_pair_states_only_what_its_kinds_allow(folder):
    found = reader(folder).relate([TEXT] * 6, [*PAIRS, (BRCA1, HEADACHE), (INSULIN, INSULIN)])
    assert [[(each.head, each.tail) for each in one] for one in found] == [
        [("insulin", "headache")],
        [("aspirin", "headache")],
        [("aspirin", "brca1")],
        [("insulin", "brca1")],
        [],
        [],
    ]
    assert {found[0][0].relation, found[1][0].relation} == {LABELS[1]}
    assert {found[2][0].relation, found[3][0].relation} <= set(LABELS[2:])
    assert TEXT[slice(*found[1][0].head_at)] == "aspirin"


def test_below_the_least_probability_nothing_is_stated_and_an_untold_pair_always_is(folder):
    assert [len(each) for each in reader(folder, least=1.0).relate([TEXT] * 4, PAIRS)] == [0, 0, 0, 1]


def test_company_and_order_change_nothing(folder):
    model = reader(folder)
    together = [each[0].score for each in model.relate([TEXT] * 4, PAIRS)]
    alone = [model.relate([TEXT], [pair])[0][0].score for pair in PAIRS]
    turned = [each[0].score for each in model.relate([TEXT] * 4, PAIRS[::-1])][::-1]
    assert np.abs(np.subtract(together, alone)).max() < 1e-5
    assert np.abs(np.subtract(together, turned)).max() < 1e-5


def test_what_is_explained_is_what_was_stated(folder):
    model = reader(folder)
    for stated in (each[0] for each in model.relate([TEXT] * 4, PAIRS)):
        odds = model.relation_score([TEXT, TEXT.replace(stated.head, "")], stated)
        assert 1 / (1 + np.exp(-odds[0])) == pytest.approx(stated.score, abs=1e-5)
        assert odds[1] == GONE


def test_other_words_around_a_pair_are_read(folder):
    stated = Stated("insulin", LABELS[1], "headache", 0.5, None, None, "Chemical", "Disease")
    scores = reader(folder).relation_score([TEXT, TEXT.replace("induces", "reduced")], stated)
    assert abs(float(scores[0] - scores[1])) > 1e-3
