"""The encoder says the same of a text alone, in a batch, in any order, and as its publisher's own library."""

import numpy as np
import pytest

TEXTS = [
    "Metformin lowers glucose.",
    "",
    "Statins reduce mortality after myocardial infarction in adults.",
    "β-blockers – 5 mg/kg",
    "a " * 400,
]


def test_alone_in_a_batch_and_in_any_order_agree(encoder):
    whole = encoder.encode(TEXTS)
    alone = np.concatenate([encoder.encode([text]) for text in TEXTS])
    assert np.abs(whole - alone).max() < 1e-5
    assert np.abs(encoder.encode(TEXTS[::-1])[::-1] - whole).max() < 1e-5
    assert np.allclose(np.linalg.norm(whole, axis=1), 1, atol=1e-5)
    assert encoder.encode([]).shape == (0, 384)


def test_it_agrees_with_sentence_transformers(encoder, published):
    library = pytest.importorskip("sentence_transformers")
    from sentence_transformers.sentence_transformer import modules

    words = modules.Transformer(str(published), max_seq_length=256)
    steps = [words, modules.Pooling(384, pooling_mode="mean"), modules.Normalize()]  # as its modules.json says
    theirs = library.SentenceTransformer(modules=steps, device="cpu").encode(TEXTS)
    assert np.abs(encoder.encode(TEXTS) - theirs).max() < 1e-5


def test_what_lies_beyond_the_window_is_told_and_not_read(encoder):
    text = "word " * 400
    (seen,) = encoder.seen_characters([text])
    assert encoder.lengths([text]) == [402]
    assert seen == 254 * 5 - 1
    assert np.abs(encoder.encode([text]) - encoder.encode([text[:seen]])).max() < 1e-5
    assert encoder.seen_characters(["short", ""]) == [5, 0]


def test_fast_vectors_stay_near(encoder):
    texts = TEXTS * 4
    near = (encoder.encode(texts) * encoder.encode(texts, fast=True)).sum(1)
    assert near.min() > 0.999


def test_a_few_texts_are_never_computed_in_bfloat16(encoder):
    assert np.array_equal(encoder.encode(TEXTS, fast=True), encoder.encode(TEXTS))


def test_foreign_script_is_known_to_be_unknown(encoder):
    assert encoder.unknown_share("heart failure") == 0
    assert encoder.unknown_share("🫀🫁") > 0.5
