"""What a sentence denies or asks: the thing, or only what it is said to have done; and where a denial ends."""

from __future__ import annotations

import pytest

from backend.literature.negation import negation
from backend.literature.relation_words import denial, question


def of_thing(sentence: str, name: str, which: int = 0) -> str:
    at = -1
    for _ in range(which + 1):
        at = sentence.index(name, at + 1)
    return negation(sentence, at, at + len(name))


def stated(sentence: str, head: str, tail: str) -> dict:
    spots = [[sentence.index(name), sentence.index(name) + len(name)] for name in (head, tail)]
    return {"sentence": [0, len(sentence)], "head_at": spots[0], "tail_at": spots[1]}


@pytest.mark.parametrize(
    ("sentence", "name", "which", "cue"),
    [
        ("LVEF fell in all; whereas in 14 without ST depression, LVEF increased in 10.", "LVEF", 1, ""),
        ("LVEF fell in all; whereas in 14 without ST depression, LVEF increased in 10.", "ST depression", 0, "without"),
        ("Without treatment increased LVEF was not seen.", "LVEF", 0, "was not seen"),
        ("It was more pronounced in those without amnesia than those with amnesia.", "amnesia", 0, "without"),
        ("It was more pronounced in those without amnesia than those with amnesia.", "amnesia", 1, ""),
        ("There was no evidence that warfarin caused bleeding.", "warfarin", 0, ""),
        ("There was no evidence that warfarin caused bleeding.", "bleeding", 0, ""),
        ("There was no clinically relevant effect of omeprazole on metformin.", "omeprazole", 0, ""),
        ("The bleeding was not caused by warfarin.", "warfarin", 0, ""),
        ("It was nor beneficial in addition to the progesterone monotherapy.", "progesterone", 0, ""),
        ("No nausea, vomiting or headache was observed.", "headache", 0, "no"),
        ("Patients had no nausea, vomiting, fever.", "fever", 0, "no"),
        ("No hepatitis was observed.", "hepatitis", 0, "no"),
    ],
)
def test_a_thing_is_denied_within_its_clause_and_not_for_what_it_did(sentence, name, which, cue):
    assert of_thing(sentence, name, which) == cue


@pytest.mark.parametrize(
    ("sentence", "head", "tail", "cue"),
    [
        ("There was no evidence that warfarin caused bleeding.", "warfarin", "bleeding", "no evidence that"),
        ("Aspirin did not cause bleeding.", "Aspirin", "bleeding", "not"),
        ("Bleeding was not caused by aspirin.", "aspirin", "Bleeding", "not"),
        ("There was no effect of omeprazole on CYP2C9.", "omeprazole", "CYP2C9", "no effect"),
        ("Haloperidol inhibits D2 but not D1.", "Haloperidol", "D1", "but not"),
        ("Haloperidol inhibits D2 but not D1.", "Haloperidol", "D2", ""),
        ("Aspirin, but not placebo, induced ulcers.", "Aspirin", "ulcers", ""),
        ("Lithium not only caused tremor but also nausea.", "Lithium", "tremor", ""),
        ("Lithium caused nausea, but vancomycin did not cause headache.", "Lithium", "nausea", ""),
        ("Lithium caused nausea, but vancomycin did not cause headache.", "vancomycin", "headache", "not"),
        ("There was no effect of aspirin on pain, and lithium caused tremor.", "lithium", "tremor", ""),
        ("No headache was caused by lithium.", "lithium", "headache", "no"),
    ],
)
def test_a_relation_is_denied_where_its_clause_says_so(sentence, head, tail, cue):
    assert denial(sentence, stated(sentence, head, tail)) == cue


@pytest.mark.parametrize(
    ("sentence", "head", "tail", "cue"),
    [
        ("We examined whether lithium causes tremor.", "lithium", "tremor", "whether"),
        ("Does lithium cause tremor?", "lithium", "tremor", "?"),
        ("To determine the role of lithium in tremor, 40 rats were studied.", "lithium", "tremor", "to determine"),
        ("Whether it helps is uncertain, and flucloxacillin-induced hepatitis is a concern.", "flucloxacillin", "hepatitis", ""),
        ("Although the cause is unknown, lithium induced tremor.", "lithium", "tremor", ""),
        ("Lithium caused tremor.", "Lithium", "tremor", ""),
    ],
)
def test_a_sentence_that_asks_after_a_relation_does_not_state_it(sentence, head, tail, cue):
    assert question(sentence, stated(sentence, head, tail)) == cue
