"""Sequences end to end: every way of attention gives the same, and nothing depends on who stands beside whom."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.models.families import esm
from backend.models.masked import AMINO
from backend.models.packed import attend_in_groups, attend_padded, in_batches, pack
from tests.models import untrained_esm
from tests.models.proof import in_any_company


@pytest.fixture(scope="module")
def made():
    theirs = untrained_esm.network()
    vocabulary = untrained_esm.vocabulary()
    return esm.EsmModel(esm.build(theirs.state_dict(), theirs.config.to_dict(), vocabulary, "cpu", "small"), vocabulary)


def rows(lengths):
    drawn = np.random.default_rng(0)
    return [drawn.integers(4, 24, length) for length in lengths]


def test_nothing_is_added_beside_the_first_and_the_last_token():
    packed = pack(rows([3, 1, 3]), 0, 2, "cpu")
    assert packed.lengths == (5, 3, 5)
    assert packed.places.tolist() == [0, 1, 2, 3, 4, 0, 1, 2, 0, 1, 2, 3, 4]
    assert packed.owner.tolist() == [0] * 5 + [1] * 3 + [2] * 5
    assert packed.bounds.tolist() == [0, 5, 8, 13]
    assert packed.ids[[0, 4, 5, 7]].tolist() == [0, 2, 0, 2]


def test_neighbours_of_equal_length_are_one_call():
    packed = pack(rows([4, 4, 2, 2, 2, 7]), 0, 2, "cpu")
    assert list(packed.runs()) == [(0, 2, 6), (12, 3, 4), (24, 1, 9)]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 60), min_size=1, max_size=12))
def test_in_groups_and_padded_are_the_same_attention(lengths):
    import torch

    packed = pack(rows(lengths), 0, 2, "cpu")
    drawn = torch.Generator().manual_seed(0)
    query, key, value = (torch.randn(len(packed.ids), 2, 8, generator=drawn) for _ in range(3))
    difference = attend_in_groups(query, key, value, packed) - attend_padded(query, key, value, packed)
    assert difference.abs().max() < 1e-5


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 100), max_size=40), st.integers(1, 300))
def test_batches_hold_everyone_once_and_keep_the_budget(lengths, budget):
    batches = list(in_batches(lengths, budget))
    assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
    assert all(len(batch) == 1 or sum(lengths[i] for i in batch) <= budget for batch in batches)


def test_any_company_any_order_the_same(made):
    proteins = ["ACDEFGHIKLMNPQRSTVWY" * 8, "MKV", "W", "MQIFVKTLTGKTITLEVEPSDTIENVKAKIQDKEG", "MKX", "ACDEFGHIKL" * 90]
    in_any_company(lambda items: made.embed(items), proteins)
    in_any_company(lambda items: made.everywhere([made.tokens(item) for item in items]), proteins)


def test_batches_are_halved_when_memory_runs_out(made, monkeypatch):
    import torch

    proteins = [AMINO * 2, "MKV", "WWWW", AMINO]
    expected = made.embed(proteins)
    whole = type(made._network)._means

    def short(network, some):
        if len(some) > 1:
            raise torch.OutOfMemoryError("out of memory")
        return whole(network, some)

    monkeypatch.setattr(type(made._network), "_means", short)
    np.testing.assert_allclose(made.embed(proteins), expected, atol=1e-5)


def test_half_precision_takes_the_same_road_and_lands_near(made, monkeypatch):
    """What CUDA computes in, here on the processor: every step keeps the precision of the weights."""
    import torch

    from backend.models import dense, esm_weights

    monkeypatch.setattr(esm_weights, "precision", lambda device: torch.bfloat16)
    monkeypatch.setattr(dense, "_works", lambda: False)
    for kind in ({}, {"places": "absolute", "early": True}):
        theirs = untrained_esm.network((4, 128, 4), **kind)
        vocabulary, weights, config = untrained_esm.vocabulary(), theirs.state_dict(), theirs.config.to_dict()
        network = esm.build(weights, config, vocabulary, "cpu", "small")
        assert network.layers[0].norm1[0].dtype == torch.bfloat16
        half = esm.EsmModel(network, vocabulary, head=esm.contact_head(weights, network))
        with monkeypatch.context() as patched:
            patched.setattr(esm_weights, "precision", lambda device: torch.float32)
            network = esm.build(weights, config, vocabulary, "cpu", "small")
            exact = esm.EsmModel(network, vocabulary, head=esm.contact_head(weights, network))
        for one, other in zip(exact.embed([AMINO * 3, "MKV"]), half.embed([AMINO * 3, "MKV"]), strict=True):
            assert np.dot(one, other) / np.linalg.norm(one) / np.linalg.norm(other) > 0.999
        row = exact.tokens(AMINO * 3)
        assert np.abs(exact.contacts(row[None]) - half.contacts(row[None])).max() < 0.05
        assert half.at(np.stack([row] * 2), np.array([3, 9])).dtype == np.float32


@pytest.mark.gpu
def test_flash_attention_in_bfloat16_is_near_float32_on_the_processor():
    import torch

    from backend.models.packed import _flash_works

    theirs = untrained_esm.network((4, 128, 4))
    vocabulary = untrained_esm.vocabulary()
    weights, config = theirs.state_dict(), theirs.config.to_dict()
    exact = esm.EsmModel(esm.build(weights, config, vocabulary, "cpu", "small"), vocabulary)
    quick = esm.EsmModel(esm.build(weights, config, vocabulary, "cuda", "small"), vocabulary)
    proteins = [AMINO * 20, "MKV", AMINO * 3]
    for one, other in zip(exact.embed(proteins), quick.embed(proteins), strict=True):
        assert np.dot(one, other) / np.linalg.norm(one) / np.linalg.norm(other) > 0.999
    probe = torch.zeros(1, 4, 32, dtype=torch.bfloat16, device="cuda")
    assert _flash_works(probe), "attention over lengths does not run here: the padded road was taken"
    in_any_company(lambda items: quick.embed(items), proteins, within=0.05)


@pytest.mark.gpu
def test_contacts_in_bfloat16_are_near_float32():
    theirs = untrained_esm.network((4, 128, 4))
    vocabulary = untrained_esm.vocabulary()
    found = []
    for device in ("cpu", "cuda"):
        weights = theirs.state_dict()
        network = esm.build(weights, theirs.config.to_dict(), vocabulary, device, "small")
        model = esm.EsmModel(network, vocabulary, head=esm.contact_head(weights, network))
        found.append(model.contacts(model.tokens(AMINO * 3)[None])[0])
    assert np.abs(found[0] - found[1]).max() < 0.05
