"""Galactica: its signs, letters of molecules one by one, its sources, references guessed and never more than guessed."""

import json
import shutil

import pytest
import torch

from backend.errors import ModelError
from backend.models.families import galactica
from backend.models.registry import add_local, get_card, recognise
from backend.models.runtime import Runtime
from tests.models import tiny_writers
from tests.models.proof import by_folder, by_hub, memory_back
from tests.models.test_writing import CARD


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return tiny_writers.galactica(tmp_path_factory.mktemp("made") / "my galactica")


@pytest.fixture
def folder(made, tmp_path):
    return shutil.copytree(made, tmp_path / "my galactica")


def test_it_comes_by_folder_and_leaves_memory_as_it_was(config, folder):
    card = by_folder(config, folder, "galactica")
    assert card.tasks == ("literature.write",)
    assert card.non_commercial
    memory_back(config, card.name, lambda model: model.write("the", most=5, temperature=0, seed=0))


def test_it_comes_by_hub_under_its_published_names(config, monkeypatch, folder):
    card = by_hub(config, monkeypatch, folder, galactica.CARDS[0])
    with Runtime(config).use(card.name) as model:
        assert model.window == 96


def test_signs_are_tokens_and_letters_of_a_molecule_stand_alone(made):
    codec = galactica.load(made, CARD, "cpu").codec
    names = codec._tokenizer.id_to_token
    assert [names(each) for each in codec.follow("a [START_REF] the[END_REF]")] == ["a", "Ġ", "[START_REF]", "Ġthe", "[END_REF]"]
    assert [names(each) for each in codec.follow("MK")] == ["MK"]
    inside = [names(each) for each in codec.follow("[START_AMINO]MK[END_AMINO] the")]
    assert inside == ["[START_AMINO]", "M", "K", "[END_AMINO]", "Ġthe"]
    assert [names(each) for each in codec.follow("[START_AMINO]MKMK")] == ["[START_AMINO]", "M", "K", "M", "K"]
    assert codec.read("") == [2]


def test_suggestions_begin_where_the_prompt_ends_and_hold_no_sign(made):
    model = galactica.load(made, CARD, "cpu")
    found = model.suggest("the heart", number=3, most=6)
    assert 1 <= len(found) <= 3
    assert not any("[END_REF]" in each.text for each in found)


def test_large_checkpoints_without_biases_and_norms_load_too(tmp_path):
    folder = tiny_writers.galactica(tmp_path / "30b", biases=False)
    model = galactica.load(folder, CARD, "cpu")
    assert not any(name.endswith(".bias") for name in model._network.state_dict())
    assert model.write("the", most=4, temperature=0, seed=0).text is not None


def test_a_checkpoint_in_several_parts_is_read_whole_and_every_part_is_hashed(config, folder):
    whole = galactica.load(folder, CARD, "cpu").write("the", most=4, temperature=0, seed=0)
    weights = torch.load(folder / "pytorch_model.bin", weights_only=True)
    names = sorted(weights)
    parts = {f"pytorch_model-0000{at + 1}-of-00002.bin": names[at::2] for at in range(2)}
    for file, held in parts.items():
        torch.save({name: weights[name].clone() for name in held}, folder / file)
    index = {"metadata": {}, "weight_map": {name: file for file, held in parts.items() for name in held}}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    (folder / "pytorch_model.bin").unlink()
    card = add_local(config, folder, "galactica")
    assert {*parts, "pytorch_model.bin.index.json", "tokenizer.json"} <= set(card.files)
    assert galactica.load(folder, card, "cpu").write("the", most=4, temperature=0, seed=0) == whole


def test_missing_biases_that_the_settings_promise_are_refused(folder):
    weights = torch.load(folder / "pytorch_model.bin", weights_only=True)
    torch.save({name: value for name, value in weights.items() if not name.endswith(".bias")}, folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match="lacks weights"):
        galactica.load(folder, CARD, "cpu")


def test_another_opt_is_not_taken_for_galactica(config, folder):
    held = json.loads((folder / "tokenizer.json").read_text())
    held["added_tokens"] = [each for each in held["added_tokens"] if "REF" not in each["content"]]
    (folder / "tokenizer.json").write_text(json.dumps(held))
    assert "galactica" not in [family.name for family, _ in recognise(folder)]
    with pytest.raises(ModelError, match=r"START_REF"):
        add_local(config, folder, "galactica")


def test_a_vocabulary_of_other_weights_is_refused(folder):
    held = json.loads((folder / "tokenizer.json").read_text())
    held["model"]["vocab"] = {word: at + 9_000 for word, at in held["model"]["vocab"].items()}
    held["added_tokens"] = [{**each, "id": each["id"] + 9_000} for each in held["added_tokens"]]
    (folder / "tokenizer.json").write_text(json.dumps(held))
    with pytest.raises(ModelError, match="belong together"):
        galactica.load(folder, CARD, "cpu")


def test_cards_say_what_a_person_must_know_before_fetching():
    by_size = {card.name: card for card in galactica.CARDS}
    assert set(by_size) == {f"galactica-{size}" for size in ("125m", "1.3b", "6.7b", "30b", "120b")}
    for card in galactica.CARDS:
        assert card.non_commercial
        assert "NC" in card.licence
        assert any("false" in limit for limit in card.limits)
        assert card.template != bool(card.files)
        assert card.peak_bytes > 4 * card.parameters
        assert not card.peak_is_measured
    assert abs(by_size["galactica-125m"].parameters / 125e6 - 1) < 0.02
    assert abs(by_size["galactica-120b"].parameters / 120e9 - 1) < 0.02
    assert get_card("galactica-125m").unpinned
    assert by_size["galactica-6.7b"].revision != "main"
    assert abs(by_size["galactica-6.7b"].download_bytes / 13.73e9 - 1) < 0.01
    assert abs(by_size["galactica-30b"].download_bytes / 59.8e9 - 1) < 0.01
    assert "pytorch_model-00002-of-00002.bin" in by_size["galactica-6.7b"].files
    assert sum(name.startswith("pytorch_model-") for name in by_size["galactica-30b"].files) == 7


def test_an_output_layer_stored_a_second_time_is_no_left_over(folder):
    whole = galactica.load(folder, CARD, "cpu").write("the", most=4, temperature=0, seed=0)
    weights = torch.load(folder / "pytorch_model.bin", weights_only=True)
    weights["lm_head.weight"] = weights["model.decoder.embed_tokens.weight"].clone()
    torch.save(weights, folder / "pytorch_model.bin")
    assert galactica.load(folder, CARD, "cpu").write("the", most=4, temperature=0, seed=0) == whole
