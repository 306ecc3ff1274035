"""Folders that the person adds: used as published, kept to their data folder, refused when they could run code or changed since."""

import os
import pickle
import shutil
from dataclasses import replace

import numpy as np
import pytest

from backend.config import load_config
from backend.errors import ModelError, StorageError
from backend.models.families import minilm
from backend.models.registry import add_local, cards, get_card, remove_local
from backend.models.runtime import Runtime
from tests.models import untrained

TEXTS = ["Metformin lowers glucose.", "", "Statins after myocardial infarction"]


@pytest.fixture
def folder(published, tmp_path):
    return shutil.copytree(published, tmp_path / "my encoder")


@pytest.fixture
def small(tmp_path):
    """A folder with an untrained checkpoint."""
    made = tmp_path / "untrained"
    untrained.make(made)
    return made


def as_pickle(folder, content=None):
    """The same weights in PyTorch's pickled form, or `content` in their place."""
    import torch
    from safetensors.torch import load_file

    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    torch.save(content or weights, folder / "pytorch_model.bin")


class Code:
    """Runs a command when it is unpickled."""

    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return os.mkdir, (str(self.trace),)


def test_an_added_folder_gives_the_same_vectors_as_the_published_model(config, folder, encoder):
    card = add_local(config, folder, "minilm")
    assert (card.name, card.title, card.source) == ("my-encoder", "my encoder", "local")
    with Runtime(config).use(card.name) as added:
        assert np.abs(added.encode(TEXTS) - encoder.encode(TEXTS)).max() < 1e-6


def test_plain_pickled_weights_are_taken(config, small):
    as_pickle(small)
    card = add_local(config, small, "minilm")
    with Runtime(config).use(card.name) as added:
        assert added.encode(TEXTS).shape == (3, 384)


def test_pickled_code_is_refused_when_added_and_when_loaded_and_never_runs(config, small, tmp_path):
    trace = tmp_path / "the code ran"
    as_pickle(small, {"embeddings.word_embeddings.weight": Code(trace)})
    with pytest.raises(ModelError, match="could run code") as caught:
        add_local(config, small, "minilm")
    assert "safetensors" in caught.value.hint
    with pytest.raises(Exception, match="eights"):
        minilm.load(small, replace(minilm.CARD, files={}), "cpu")
    assert not trace.exists()
    with (small / "pytorch_model.bin").open("rb") as file:  # the trap itself works
        assert b"the code ran" in file.read()
    pickle.loads(pickle.dumps(Code(trace)))
    assert trace.exists()


def test_python_files_in_the_folder_are_not_run(config, small, tmp_path):
    trace = tmp_path / "the code ran"
    (small / "modeling_mine.py").write_text(f"import os\nos.mkdir({str(trace)!r})\n")
    settings = (small / "config.json").read_text()
    (small / "config.json").write_text(settings.replace("{", '{\n  "auto_map": {"AutoModel": "modeling_mine.Mine"},', 1))
    card = add_local(config, small, "minilm")
    with Runtime(config).use(card.name) as added:
        assert added.encode(TEXTS).shape == (3, 384)
    assert not trace.exists()


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "config.json"])
def test_a_file_altered_since_is_refused_by_name(config, small, name):
    card, runtime = add_local(config, small, "minilm"), Runtime(config)
    runtime.load(card.name)
    runtime.unload(card.name)
    with (small / name).open("r+b") as file:
        file.seek(-3, os.SEEK_END)
        file.write(b" ")
    assert runtime.verify(card.name).files[name] == "altered"
    with pytest.raises(ModelError, match=name.replace(".", r"\.")):
        runtime.load(card.name)


def test_a_file_put_in_since_is_refused_by_name(config, small):
    as_pickle(small)
    card, runtime = add_local(config, small, "minilm"), Runtime(config)
    (small / "model.safetensors").write_bytes(b"would be read instead")
    assert not runtime.verify(card.name).ok
    with pytest.raises(ModelError, match=r"model\.safetensors was put into its folder"):
        runtime.load(card.name)


def test_a_folder_added_again_after_a_change_is_loaded_again(config, small):
    card, runtime = add_local(config, small, "minilm"), Runtime(config)
    with runtime.use(card.name) as encoder:
        before = encoder.encode(TEXTS)
        with (small / "model.safetensors").open("r+b") as file:
            file.seek(8_000)  # inside the position embeddings
            file.write(np.random.default_rng(0).normal(0, 0.02, 150_000).astype(np.float32).tobytes())
        changed = add_local(config, small, "minilm")
        assert (changed.name, changed.sha256 == card.sha256) == (card.name, False)
        with pytest.raises(ModelError, match="in use"):
            runtime.load(card.name)
    with runtime.use(card.name) as encoder:
        assert np.abs(encoder.encode(TEXTS) - before).max() > 1e-4


def test_a_folder_that_went_away_is_told(config, small):
    card, runtime = add_local(config, small, "minilm"), Runtime(config)
    shutil.rmtree(small)
    assert not runtime.present(card.name)
    with pytest.raises(ModelError, match="missing"):
        runtime.load(card.name)


def test_vectors_of_another_width_are_refused_in_words(config, tmp_path):
    untrained.make(tmp_path / "narrow", width=128)
    card = add_local(config, tmp_path / "narrow", "minilm")
    with pytest.raises(ModelError, match="vectors of 128 numbers"):
        Runtime(config).load(card.name)


@pytest.mark.parametrize(
    ("missing", "words"), [("config.json", r"no config\.json"), ("model.safetensors", "no weights")], ids=["settings", "weights"]
)
def test_a_folder_that_is_no_model_is_refused_in_words(config, small, missing, words):
    (small / missing).unlink()
    with pytest.raises(ModelError, match=words):
        add_local(config, small, "minilm")
    assert not (config.models / "local.json").exists()


def test_each_data_folder_has_its_own_added_folders(config, small, tmp_path):
    other = load_config({"BIOLOOM_DATA": str(tmp_path / "other"), "BIOLOOM_DEVICE": "cpu"})
    first, second = Runtime(config), Runtime(other)
    card = add_local(config, small, "minilm")
    Runtime(other)  # a later runtime does not replace the first one's list
    assert first.present(card.name)
    assert card.name in cards(config)
    assert card.name not in cards(other)
    assert card.name not in cards()
    with pytest.raises(ModelError, match="no model called"):
        second.present(card.name)
    with pytest.raises(ModelError, match="not a folder that was added"):
        remove_local(other, card.name)
    first.remove(card.name)
    assert card.name not in cards(config)
    assert (small / "config.json").exists()


def test_folders_of_one_name_are_told_apart_and_one_folder_is_listed_once(config, small, tmp_path):
    twin = shutil.copytree(small, tmp_path / "elsewhere" / small.name)
    assert add_local(config, small, "minilm").name == "untrained"
    assert add_local(config, twin, "minilm").name == "untrained-2"
    assert add_local(config, small, "minilm").name == "untrained"
    assert len(set(cards(config)) - set(cards())) == 2


def test_a_damaged_list_of_added_folders_is_told_and_stops_no_other_model(config):
    config.models.mkdir(parents=True)
    (config.models / "local.json").write_text('[{"name": "half')
    with pytest.raises(StorageError, match=r"local\.json"):
        cards(config)
    assert get_card("minilm", config).name == "minilm"
    Runtime(config).present("minilm")
