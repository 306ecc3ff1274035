"""The five splice networks give what the published graph gives, whatever the window, the batch, or the short cut."""

import numpy as np
import pytest

from backend.config import ROOT
from backend.errors import ModelError
from backend.models.families.cispliceai import CARD, UNKNOWN, _cut, encode_bases, load
from backend.models.frozen_graph import read_graph
from backend.models.splice_network import CONTEXT, one_hot
from tests.models.graph_walk import run_graph
from tests.prepare import models_folder


@pytest.fixture(scope="module")
def published():
    found = sorted(models_folder().rglob("CI-SpliceAI.pb"))
    if not found:
        pytest.skip("the weights of cispliceai are not on this machine")
    return found[0]


@pytest.fixture(scope="module")
def splicer(published):
    return load(published.parent, CARD, "cpu")


@pytest.fixture(scope="module")
def gene():
    return encode_bases("".join((ROOT / "assets/examples/hbb-gene.fasta").read_text().splitlines()[1:]))


@pytest.mark.slow
def test_it_agrees_with_the_published_graph_executed_step_by_step(splicer, published, gene):
    low, high = 140, 144
    letters = one_hot(_cut(gene, low - CONTEXT, high + CONTEXT)[None], "cpu").permute(0, 2, 1).contiguous().numpy()
    theirs = run_graph(read_graph(published), letters, "Mean")[0]
    assert theirs.shape == (4, 3)
    assert theirs[141 - low, 2] > 0.99
    assert np.abs(splicer.probabilities(gene, low, high) - theirs).max() < 1e-5


def test_a_window_gives_what_the_whole_gives(splicer, gene):
    whole = splicer.probabilities(gene)
    assert np.abs(splicer.probabilities(gene, tile=277) - whole).max() < 1e-5
    assert np.abs(splicer.probabilities(gene, 400, 600) - whole[400:600]).max() < 1e-5
    assert np.allclose(whole.sum(axis=1), 1, atol=1e-5)


def test_a_long_sequence_by_windows_equals_one_pass(splicer):
    long = np.random.default_rng(0).integers(0, 4, 12_500).astype(np.uint8)
    assert np.abs(splicer.probabilities(long, tile=4000) - splicer.probabilities(long, tile=20_000)).max() < 1e-5


def test_one_base_alone_in_a_batch_and_in_any_order_equals_the_dense_pass(splicer, gene):
    rng = np.random.default_rng(1)
    for base, start, end in ((141, 81, 200), (272, 300, 330), (3, 0, 40), (1605, 1500, 1606)):
        judged = splicer.at_base(gene, base, start, end)
        versions = np.where(rng.random((5, end - start)) < 0.3, UNKNOWN, gene[start:end]).astype(np.uint8)
        together = judged.probabilities(versions)
        alone = np.concatenate([judged.probabilities(row[None]) for row in versions])
        assert np.abs(together - alone).max() < 1e-5
        assert np.abs(judged.probabilities(versions[::-1])[::-1] - together).max() < 1e-5
        for row, found in zip(versions[:2], together, strict=False):
            changed = gene.copy()
            changed[start:end] = row
            assert np.abs(splicer.probabilities(changed, base, base + 1)[0] - found).max() < 1e-5


def test_letters_beyond_five_thousand_bases_do_not_count(splicer):
    rng = np.random.default_rng(2)
    codes = rng.integers(0, 4, 10_101).astype(np.uint8)
    other = codes.copy()
    other[:50], other[-50:] = UNKNOWN, UNKNOWN
    assert np.array_equal(splicer.probabilities(codes, 5050, 5051), splicer.probabilities(other, 5050, 5051))


def test_a_damaged_file_is_refused_in_words(tmp_path, published):
    whole = published.read_bytes()
    for damaged in (whole[: len(whole) // 2], b"not a graph at all", whole[:1_000_000]):
        (tmp_path / "CI-SpliceAI.pb").write_bytes(damaged)
        with pytest.raises(ModelError) as told:
            load(tmp_path, CARD, "cpu")
        assert told.value.hint
    bent = bytearray(whole)
    at = whole.index(b"model_1/conv1d_30/conv1d_2/ExpandDims_1/ReadVariableOp/resource") + 200
    bent[at : at + 64_000] = bytes(64_000)
    (tmp_path / "CI-SpliceAI.pb").write_bytes(bytes(bent))
    with pytest.raises(ModelError):
        load(tmp_path, CARD, "cpu")
