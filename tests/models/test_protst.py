"""ProtST in the hub's layout gives what its two encoders and projections give one input at a time, alone and in any company."""

import json

import numpy as np
import pytest

from backend.errors import InputError, ModelError
from backend.models.protein_text import cosines
from backend.models.registry import add_local, recognise
from backend.models.runtime import Runtime
from tests.models import untrained_protst

UBIQUITIN = "MQIFVKTLTGKTITLEVEPSDTIENVKAKIQDKEGIPPDQQRLIFAGKQLEDGRTLSDYNIQKESTLHLVLRLRGG"
PROTEINS = [UBIQUITIN, "MKV", "ACDEFGHIKLMNPQRSTVWY" * 3]
TEXTS = ["nucleus", "a protein that binds oxygen.", "membrane protein: cell"]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    folder = tmp_path_factory.mktemp("protst") / "small"
    return folder, untrained_protst.make(folder)


@pytest.fixture
def model(config, checkpoint):
    with Runtime(config).use(add_local(config, checkpoint[0], "protst").name) as loaded:
        yield loaded


def protein_alone(parts, model, sequence):
    import torch

    ids = torch.tensor([[0, *model.tokens(sequence), 2]])
    with torch.inference_mode():
        hidden = parts["protein"](input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state[0, 1:-1]
        return parts["protein_mlp"](hidden.mean(0)).numpy()


def text_alone(parts, model, text):
    import torch

    ids = torch.tensor([[2, *model.pieces(text)]])
    with torch.inference_mode():
        return parts["text_mlp"](parts["text"](input_ids=ids).last_hidden_state[0, 1:].mean(0)).numpy()


def test_both_encoders_equal_transformers_one_input_at_a_time(model, checkpoint):
    parts = checkpoint[1]
    assert np.abs(model.embed(PROTEINS) - [protein_alone(parts, model, each) for each in PROTEINS]).max() < 1e-5
    assert np.abs(model.describe(TEXTS) - [text_alone(parts, model, each) for each in TEXTS]).max() < 1e-5
    assert model.scale == pytest.approx(parts["scale"])


def test_alone_in_a_batch_and_in_any_order_agree(model):
    assert np.abs(model.embed(PROTEINS[::-1])[::-1] - model.embed(PROTEINS)).max() < 1e-5
    assert np.abs(model.embed(PROTEINS)[1] - model.embed([PROTEINS[1]])[0]).max() < 1e-5
    assert np.abs(model.describe(TEXTS)[0] - model.describe([TEXTS[0]])[0]).max() < 1e-5


def test_pickled_weights_as_the_hub_has_them_give_the_same(config, checkpoint, model, tmp_path):
    untrained_protst.make(tmp_path / "pickled", pickled=True)
    with Runtime(config).use(add_local(config, tmp_path / "pickled", "protst").name) as other:
        assert np.abs(other.embed(PROTEINS) - model.embed(PROTEINS)).max() < 1e-6


def test_half_precision_as_the_hub_stores_it_is_computed_in_single(config, checkpoint, model, tmp_path):
    import torch

    folder = tmp_path / "halved"
    untrained_protst.make(folder, pickled=True)
    weights = torch.load(folder / "pytorch_model.bin", weights_only=True)
    torch.save({name: value.bfloat16() for name, value in weights.items()}, folder / "pytorch_model.bin")
    card = add_local(config, folder, "protst")
    assert card.parameters == sum(value.numel() for value in weights.values())
    assert card.peak_bytes > 4 * card.parameters + (folder / "pytorch_model.bin").stat().st_size
    with Runtime(config).use(card.name) as halved:
        found, wanted = halved.embed(PROTEINS), model.embed(PROTEINS)
    assert found.dtype == np.float32
    assert (np.einsum("ij,ij->i", found, wanted) / np.linalg.norm(found, axis=1) / np.linalg.norm(wanted, axis=1)).min() > 0.99


def test_a_long_protein_is_read_to_its_end(model):
    long = "MKVLAADESGRTPWQYHFIC" * 60
    assert np.abs(model.embed([long]) - model.embed([long[:1022]])).max() > 1e-4
    assert model.unknown("MKJ*V") == [2, 3]


def test_a_description_that_is_too_long_is_refused_in_words(model):
    with pytest.raises(InputError, match="word pieces"):
        model.describe(["cell " * 200])


def test_the_folder_is_recognised_and_says_that_it_is_untrained(config, checkpoint):
    found = recognise(checkpoint[0])
    assert found[0][0].name == "protst"
    assert add_local(config, checkpoint[0], "protst").untrained


@pytest.mark.parametrize(
    ("damage", "words"),
    [("vocabulary", r"no vocab\.txt"), ("other vocabulary", "word pieces"), ("weight", "lacks the weight"), ("more", "does not have")],
)
def test_a_folder_with_something_missing_is_refused_in_words(config, checkpoint, tmp_path, damage, words):
    from safetensors.torch import load_file, save_file

    folder = tmp_path / "damaged"
    untrained_protst.make(folder)
    weights = load_file(folder / "model.safetensors")
    if damage == "vocabulary":
        (folder / "vocab.txt").unlink()
    elif damage == "other vocabulary":
        (folder / "vocab.txt").write_text("\n".join(untrained_protst.WORDS[:-3]))
    elif damage == "weight":
        del weights["text_model.text_mlp.out_proj.bias"]
    else:
        weights["protein_model.esm.encoder.layer.7.output.dense.bias"] = weights["logit_scale"].clone()
    save_file(weights, folder / "model.safetensors")
    with pytest.raises(ModelError, match=words):
        Runtime(config).load(add_local(config, folder, "protst").name)


def test_fit_is_the_cosine(model):
    proteins, texts = model.embed(PROTEINS), model.describe(TEXTS)
    direct = [[float(p @ t / np.linalg.norm(p) / np.linalg.norm(t)) for t in texts] for p in proteins]
    assert np.abs(cosines(proteins, texts) - direct).max() < 1e-6


def test_settings_of_another_model_are_not_taken_for_it(tmp_path):
    folder = tmp_path / "other"
    untrained_protst.make(folder)
    (folder / "config.json").write_text(json.dumps({"model_type": "bert"}))
    assert not [each for each, _ in recognise(folder) if each.name == "protst"]


def test_by_folder_by_hub_by_command_line_and_memory_as_it_was(config, monkeypatch, tmp_path):
    from backend.models.families.protst import CARD
    from tests.models import proof

    folder = tmp_path / "small-protst"
    untrained_protst.make(folder, pickled=True)
    proof.by_hub(config, monkeypatch, folder, CARD)  # its vocabulary from the text encoder's own place
    card = proof.by_folder(config, folder, "protst")
    fasta = tmp_path / "two.fasta"
    fasta.write_text(f">ubiquitin\n{UBIQUITIN}\n>other\nMKVLAADESGRTPW\n")
    for task, setting in (("protein.function", []), ("protein.retrieve", ["--set", "description=binds oxygen"]), ("sequence.embed", [])):
        made = proof.through_command_line(config, ["analyse", fasta, "--task", task, "--set", f"model={card.name}", *setting])
        assert made["warnings"][0].startswith("UNTRAINED")
    proof.memory_back(config, card.name, lambda model: (model.embed(PROTEINS), model.describe(TEXTS)))
