"""An ESM-2 in the published format gives what transformers gives, alone, in any company, and residue by residue."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.config import load_config
from backend.domain import digest
from backend.errors import ModelError
from backend.models import esm_cards
from backend.models.families import esm
from backend.models.masked import AMINO
from backend.models.registry import add_local
from backend.models.runtime import Runtime
from backend.sequences.scan import scan
from tests.models import untrained_esm
from tests.models.proof import by_folder, by_hub, in_any_company, memory_back, through_command_line, through_road

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


untrained_vocabulary = untrained_esm.vocabulary


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
    with pytest.raises(ModelError, match="lacks the language-model head"):
        add_local(config, other, "esm")
    with pytest.raises(ModelError, match="lacks weights"):
        esm.build(weights, {}, untrained_vocabulary(), "cpu", "headless")


def test_weights_that_no_esm_has_are_not_passed_over(theirs):
    import torch

    weights = {**theirs.state_dict(), "esm.encoder.layer.0.attention.self.query.lora_A": torch.zeros(2, 40)}
    with pytest.raises(ModelError, match="lora_A"):
        esm.build(weights, theirs.config.to_dict(), untrained_vocabulary(), "cpu", "adapted")
    early = {**theirs.state_dict(), "esm.embeddings.layer_norm.weight": torch.ones(40), "esm.embeddings.layer_norm.bias": torch.zeros(40)}
    with pytest.raises(ModelError, match="layer_norm"):
        esm.build(early, theirs.config.to_dict(), untrained_vocabulary(), "cpu", "with another norm")


def test_a_checkpoint_in_parts_is_read_whole_and_refused_when_a_part_is_missing(config, tmp_path):
    parts = tmp_path / "parts"
    theirs = untrained_esm.make(parts, parts="40KB")
    files = sorted(parts.glob("model-*-of-*.safetensors"))
    assert len(files) > 1
    with Runtime(config).use(add_local(config, parts, "esm").name) as loaded:
        assert np.abs(scan(loaded, UBIQUITIN[:20]).scores - one_by_one(theirs, loaded, UBIQUITIN[:20])).max() < 1e-4
    files[0].rename(parts / "lost")
    with pytest.raises(ModelError, match="not whole"):
        esm.read_weights(parts)


FORERUNNERS = {"ESM-1b": {"places": "absolute", "early": True}, "ESM-1v": {"places": "absolute"}}


@pytest.mark.parametrize("kind", FORERUNNERS.values(), ids=FORERUNNERS)
def test_the_forerunners_with_learned_places_equal_transformers(kind, config, tmp_path):
    theirs = untrained_esm.make(tmp_path / "older", **kind)
    card = add_local(config, tmp_path / "older", "esm")
    assert ("protein.contacts" in card.tasks) == bool(kind.get("early")), "no regression was ever fitted for ESM-1v"
    with Runtime(config).use(card.name) as loaded:
        assert np.abs(scan(loaded, UBIQUITIN).scores - one_by_one(theirs, loaded, UBIQUITIN)).max() < 1e-4
        in_any_company(loaded.embed, [UBIQUITIN, "MKV", UBIQUITIN[:40], "MXX"])


@pytest.mark.parametrize("kind", [{}, FORERUNNERS["ESM-1b"]], ids=["ESM-2", "ESM-1b"])
def test_contacts_equal_transformers(kind):
    import torch

    theirs = untrained_esm.network(**kind)
    theirs.set_attn_implementation("eager")
    weights, vocabulary = theirs.state_dict(), untrained_vocabulary()
    network = esm.build(weights, theirs.config.to_dict(), vocabulary, "cpu", "small")
    ours = esm.EsmModel(network, vocabulary, head=esm.contact_head(weights, network))
    rows = np.stack([ours.tokens(UBIQUITIN), ours.tokens(UBIQUITIN[::-1])])
    rows[1, 5:9] = ours.mask
    found = ours.contacts(rows)
    assert found.shape == (2, 76, 76)
    assert np.ptp(found) > 0.1
    for row, contacts in zip(rows, found, strict=True):
        ids = torch.tensor([[0, *row, 2]])
        with torch.inference_mode():
            expected = theirs.predict_contacts(ids, torch.ones_like(ids))[0].numpy()
        assert np.abs(contacts - expected).max() < 1e-5
    assert np.abs(ours.contacts(rows[1:])[0] - found[1]).max() < 1e-5


def test_a_random_contact_head_of_another_size_is_no_head(theirs, made):
    weights = {**theirs.state_dict(), "esm.contact_head.regression.weight": theirs.state_dict()["lm_head.bias"][None]}
    assert esm.contact_head(weights, made._network) is None
    with pytest.raises(ModelError, match="no contact head"):
        made.contacts(made.tokens(UBIQUITIN)[None])


def test_cards_count_their_parameters_as_the_architecture_does():
    import torch
    from transformers import EsmConfig, EsmForMaskedLM

    config = EsmConfig(
        vocab_size=33, hidden_size=40, num_hidden_layers=3, num_attention_heads=4, intermediate_size=160, mask_token_id=32,
        pad_token_id=1, max_position_embeddings=1026, position_embedding_type="absolute", emb_layer_norm_before=True,
    )  # fmt: skip
    with torch.device("meta"):
        made = EsmForMaskedLM(config)
    regression = sum(each.numel() for each in made.esm.contact_head.parameters())
    assert esm_cards.count(3, 40, 1026) == sum(each.numel() for each in made.parameters()) - regression


def test_the_family_proves_itself_by_folder_by_hub_and_gives_its_memory_back(tmp_path, monkeypatch):
    config = load_config({"BIOLOOM_DATA": str(tmp_path / "data"), "BIOLOOM_DEVICE": "cpu"})
    folder = tmp_path / "published"
    untrained_esm.make(folder)
    card = by_folder(config, folder, "esm")
    assert card.tasks == ("protein.variants", "protein.similar", "sequence.embed", "protein.contacts")
    assert card.parameters > 0
    hub = by_hub(config, monkeypatch, folder, next(each for each in esm.CARDS if each.name == "esm2-8m"))
    run = through_road(config, "protein.contacts", f">ubiquitin\n{UBIQUITIN}\n", {"model": hub.name})
    assert run.prediction["results"][0]["contacts"]
    fasta = tmp_path / "one.fasta"
    fasta.write_text(f">ubiquitin\n{UBIQUITIN}\n")
    told = through_command_line(config, ["analyse", fasta, "--task", "protein.variants", "--set", f"model={card.name}"])
    assert "UNTRAINED" in str(told)
    memory_back(config, card.name)


def test_esm1b_comes_as_one_pickled_file_from_the_hub(tmp_path, monkeypatch):
    import torch

    config = load_config({"BIOLOOM_DATA": str(tmp_path / "data"), "BIOLOOM_DEVICE": "cpu"})
    folder = tmp_path / "esm1b"
    made = untrained_esm.make(folder, **FORERUNNERS["ESM-1b"])
    (folder / "model.safetensors").unlink()
    torch.save(made.state_dict(), folder / "pytorch_model.bin")
    card = by_hub(config, monkeypatch, folder, next(each for each in esm.CARDS if each.name == "esm1b"))
    with Runtime(config).use(card.name) as loaded:
        assert np.abs(scan(loaded, UBIQUITIN[:20]).scores - one_by_one(made, loaded, UBIQUITIN[:20])).max() < 1e-4


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
