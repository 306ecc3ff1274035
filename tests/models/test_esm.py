"""An ESM-2 in the published format gives what transformers gives, alone, in any company, and residue by residue."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.domain import digest
from backend.errors import ModelError
from backend.models.families import esm
from backend.models.masked import AMINO
from backend.models.registry import add_local
from backend.models.runtime import Runtime
from backend.sequences.scan import scan
from tests.models import untrained_esm

UBIQUITIN = "MQIFVKTLTGKTITLEVEPSDTIENVKAKIQDKEGIPPDQQRLIFAGKQLEDGRTLSDYNIQKESTLHLVLRLRGG"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("checkpoint") / "esm-small"
    made.mkdir()
    untrained_esm.make(made)
    return made


@pytest.fixture(scope="module")
def theirs():
    return untrained_esm.network()


@pytest.fixture
def model(config, folder):
    with Runtime(config).use(add_local(config, folder, "esm").name) as loaded:
        yield loaded


def one_by_one(network, model, sequence):
    """Log-odds by transformers: one masked copy at a time, with an attention mask."""
    import torch

    columns = [untrained_vocabulary()[letter] for letter in AMINO]
    rows = []
    for i, letter in enumerate(sequence):
        ids = torch.tensor([[0, *model.tokens(sequence), 2]])
        ids[0, i + 1] = model.mask
        with torch.inference_mode():
            logits = network(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[0, i + 1, columns]
        rows.append((logits - logits[AMINO.index(letter)]).numpy())
    return np.array(rows)


def untrained_vocabulary():
    from transformers.models.esm.configuration_esm import get_default_vocab_list

    return {token: at for at, token in enumerate(get_default_vocab_list())}


def test_the_masked_scan_equals_transformers_one_copy_at_a_time(model, theirs):
    ours = scan(model, UBIQUITIN).scores
    assert np.ptp(ours) > 0.5
    assert np.abs(ours - one_by_one(theirs, model, UBIQUITIN)).max() < 1e-4


def test_one_look_at_the_whole_equals_transformers(model, theirs):
    import torch

    ids = torch.tensor([[0, *model.tokens(UBIQUITIN), 2]])
    with torch.inference_mode():
        logits = theirs(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[0, 1:-1]
    logits = logits[:, [untrained_vocabulary()[letter] for letter in AMINO]].numpy()
    own = logits[np.arange(len(UBIQUITIN)), [AMINO.index(letter) for letter in UBIQUITIN]]
    assert np.abs(scan(model, UBIQUITIN, "wildtype").scores - (logits - own[:, None])).max() < 1e-4


def test_letters_become_the_tokens_of_the_published_tokenizer(model, folder):
    from transformers import EsmTokenizer

    published = EsmTokenizer(str(folder / "vocab.txt"))
    assert [0, *model.tokens(UBIQUITIN + "XBUZO"), 2] == published(" ".join(UBIQUITIN + "XBUZO"))["input_ids"]
    assert digest((folder / "vocab.txt").read_bytes()) == esm.CARDS[0].files["vocab.txt"]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.text(alphabet=AMINO + "XBUJ*", min_size=1, max_size=40), min_size=1, max_size=5), st.randoms())
def test_alone_in_a_batch_and_in_any_order_agree(made, sequences, random):
    rows = [made.tokens(sequence) for sequence in sequences]
    together = made.everywhere(rows)
    order = list(range(len(rows)))
    random.shuffle(order)
    shuffled = dict(zip(order, made.everywhere([rows[i] for i in order]), strict=True))
    for i, row in enumerate(rows):
        alone = made.everywhere([row])[0]
        assert np.abs(together[i] - alone).max() < 1e-5
        assert np.abs(shuffled[i] - alone).max() < 1e-5
        copies = np.repeat(row[None], 3, axis=0)
        assert np.abs(made.at(copies, np.array([0, len(row) - 1, len(row) // 2])) - alone[[0, len(row) - 1, len(row) // 2]]).max() < 1e-5


@pytest.fixture(scope="module")
def made(theirs):
    vocabulary = untrained_vocabulary()
    return esm.EsmModel(esm.build(theirs.state_dict(), theirs.config.to_dict(), vocabulary, "cpu", "small"), vocabulary)


def test_letters_that_the_vocabulary_lacks_do_not_shift_the_others(model):
    assert len(model.tokens("MKJ*V")) == 5
    assert model.unknown("MKJ*VX") == [2, 3]
    found = scan(model, "MKJ*V").scores
    assert np.isnan(found[2:4]).all()
    assert np.isfinite(found[[0, 1, 4]]).all()


def test_a_longer_protein_is_read_in_windows_and_never_cut(made):
    small = esm.EsmModel(made._network, untrained_vocabulary(), window=30)
    found = scan(small, UBIQUITIN)
    assert np.isfinite(found.scores).all()
    assert found.windows[0][0] == 0
    assert found.windows[-1][1] == len(UBIQUITIN)
    assert all(b[0] < a[1] for a, b in zip(found.windows, found.windows[1:], strict=False))
    start, end = found.windows[0]
    inside = scan(small, UBIQUITIN[start:end])
    assert np.abs(found.scores[:10] - inside.scores[:10]).max() < 1e-5


def test_a_checkpoint_without_its_head_is_refused_in_words(config, folder, tmp_path):
    from safetensors.torch import load_file, save_file

    weights = {name: value for name, value in load_file(folder / "model.safetensors").items() if not name.startswith("lm_head")}
    other = tmp_path / "headless"
    other.mkdir()
    for name in ("config.json", "vocab.txt"):
        (other / name).write_bytes((folder / name).read_bytes())
    save_file(weights, other / "model.safetensors")
    card = add_local(config, other, "esm")
    with pytest.raises(ModelError, match="lacks weights"):
        Runtime(config).load(card.name)


def test_a_vector_is_the_mean_of_transformers_last_layer_over_the_letters(model, theirs):
    import torch

    proteins = ["MQIFVKTLTGKTITLEVEPS", "ACDEFGHIKLMNPQRSTVWY" * 3, "WWW"]
    found = model.embed(proteins)
    for protein, vector in zip(proteins, found, strict=True):
        ids = torch.tensor([[0, *model.tokens(protein).tolist(), 2]])
        with torch.no_grad():
            expected = theirs.esm(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state[0, 1:-1].mean(0)
        np.testing.assert_allclose(vector, expected.numpy(), atol=1e-4)
    np.testing.assert_allclose(model.embed(proteins[::-1])[::-1], found, atol=1e-5)
