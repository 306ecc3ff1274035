"""T5 folders: both kinds of T5, both forms of vocabulary, whole or refused."""

import json
import shutil

import pytest
import torch

from backend.errors import ModelError
from backend.models.families import dot5
from backend.models.registry import add_local, recognise
from tests.models import tiny_writers
from tests.models.proof import by_folder, memory_back
from tests.models.test_writing import CARD


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return tiny_writers.t5(tmp_path_factory.mktemp("made") / "my dot5")


@pytest.fixture
def folder(made, tmp_path):
    return shutil.copytree(made, tmp_path / "my dot5")


def test_it_comes_by_folder_and_leaves_memory_as_it_was(config, folder):
    card = by_folder(config, folder, "dot5")
    assert card.tasks == ("literature.rewrite",)
    memory_back(config, card.name, lambda model: model.write("the", most=5, temperature=0, seed=0))


def test_both_forms_of_the_vocabulary_cut_alike(made, tmp_path):
    slow = dot5.load(made, CARD, "cpu").codec
    fast = dot5.load(tiny_writers.t5(tmp_path / "fast", fast=True), CARD, "cpu").codec
    text = "the heart is no x3, the end"
    assert slow.read(text) == fast.read(text)
    assert slow.read(text)[-1] == 1
    assert slow.spell([], slow.follow(text)) == text


def test_the_later_t5_keeps_its_own_head_and_its_own_scale(tmp_path):
    model = dot5.load(tiny_writers.t5(tmp_path, later=True), CARD, "cpu")
    network = model._network
    assert not torch.equal(network.lm_head.weight, network.shared.weight)
    before, target = model.codec.read("the heart"), model.codec.follow("no x")
    with torch.inference_mode():
        logits = network(input_ids=torch.tensor([before]), decoder_input_ids=torch.tensor([[0, *target[:-1]]])).logits[0]
    theirs = float(logits.log_softmax(-1)[torch.arange(len(target)), torch.tensor(target)].sum())
    assert float(model.likelihood(["the heart"], "no x")[0]) == pytest.approx(theirs, abs=1e-4)


def test_weights_that_the_first_published_t5_left_behind_are_no_fault(folder):
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    weights["decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight"] = torch.zeros(32, 2)
    weights["encoder.embed_tokens.weight"] = weights["shared.weight"].clone()
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    assert dot5.load(folder, CARD, "cpu").write("the", most=3, temperature=0, seed=0).pieces
    weights["encoder.block.7.layer.0.layer_norm.weight"] = torch.zeros(32)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match="no place for"):
        dot5.load(folder, CARD, "cpu")


def test_to_end_there_is_less_likely_than_to_begin_so(made):
    model = dot5.load(made, CARD, "cpu")
    assert model.likelihood(["the"], "no", close=True)[0] < model.likelihood(["the"], "no")[0]


@pytest.mark.parametrize("missing", ["spiece.model", "config.json", "model.safetensors"])
def test_a_folder_with_a_part_missing_is_refused_by_name(config, folder, missing):
    (folder / missing).unlink()
    with pytest.raises(ModelError, match="holds n"):
        add_local(config, folder, "dot5")


def test_a_damaged_vocabulary_is_told(folder):
    (folder / "spiece.model").write_bytes(b"no vocabulary")
    with pytest.raises(ModelError, match="vocabulary"):
        dot5.load(folder, CARD, "cpu")


def test_another_kind_of_network_is_not_taken(folder):
    held = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**held, "model_type": "bart"}))
    assert "dot5" not in [family.name for family, _ in recognise(folder)]
