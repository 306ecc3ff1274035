"""What the classes of fine-tuned heads mean."""

import pytest

from backend.errors import ModelError
from backend.models.labels import is_none, join, read_scheme, verdict_columns


def marked(labels, *chosen):
    scheme = read_scheme(labels, "model")
    return join(scheme, [labels.index(each) for each in chosen])


BIO = ("O", "B-Chemical", "I-Chemical", "B-Disease", "I-Disease")


def test_bio_joins_what_goes_on_and_parts_what_begins_anew():
    assert marked(BIO, "O", "B-Chemical", "I-Chemical", "B-Chemical", "O") == [(1, 3, "Chemical"), (3, 4, "Chemical")]


def test_an_inside_without_a_beginning_begins_one():
    assert marked(BIO, "I-Disease", "I-Disease", "I-Chemical") == [(0, 2, "Disease"), (2, 3, "Chemical")]


def test_bioes_and_bilou_end_where_they_say():
    bioes = ("O", "B-Gene", "I-Gene", "E-Gene", "S-Gene")
    assert marked(bioes, "B-Gene", "I-Gene", "E-Gene", "S-Gene", "I-Gene") == [(0, 3, "Gene"), (3, 4, "Gene"), (4, 5, "Gene")]
    bilou = ("O", "B-Gene", "I-Gene", "L-Gene", "U-Gene")
    assert marked(bilou, "B-Gene", "L-Gene", "U-Gene") == [(0, 2, "Gene"), (2, 3, "Gene")]


def test_io_and_unnamed_labels():
    assert marked(("O", "Gene", "Disease"), "Gene", "Gene", "Disease", "O") == [(0, 2, "Gene"), (2, 3, "Disease")]
    assert marked(("B", "I", "O"), "B", "I", "O", "B") == [(0, 2, "entity"), (3, 4, "entity")]


def test_the_end_of_the_text_ends_a_thing():
    assert marked(BIO, "O", "B-Disease", "I-Disease") == [(1, 3, "Disease")]


@pytest.mark.parametrize("labels", [("LABEL_0", "LABEL_1"), ("B-Gene", "I-Gene"), ()])
def test_labels_that_do_not_say_what_they_mark_are_refused(labels):
    with pytest.raises(ModelError, match="do not say"):
        read_scheme(labels, "model")


def test_verdicts_in_any_spelling_and_order():
    assert verdict_columns(("No", "MAYBE", "yes")) == {0: 1, 1: 2, 2: 0}
    assert verdict_columns(("answer_yes", "answer-no")) == {0: 0, 1: 1}
    assert verdict_columns(("true", "false")) is None
    assert verdict_columns(("yes", "maybe")) is None


def test_classes_that_state_no_relation():
    assert all(is_none(label) for label in ("false", "No_Relation", "NA", "DDI-false", "none", "CPR:false"))
    assert not any(is_none(label) for label in ("CPR:3", "DDI-effect", "true", "LABEL_0"))
