"""The readers that ship: adapters added to the encoder give what the adapted network gave, and mark what they learned to mark."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from backend.config import ASSETS, load_config
from backend.errors import ModelError
from backend.models.families import readers
from backend.models.registry import file_sha256, get_card
from backend.models.runtime import Runtime
from tests.prepare import models_folder

TEXT = "Metformin lowered glucose in patients with type 2 diabetes; no lactic acidosis was seen."


@pytest.fixture(scope="module")
def runtime(tmp_path_factory) -> Runtime:
    data = tmp_path_factory.mktemp("data")
    if not models_folder().is_dir():
        pytest.skip("the embedded models were not fetched: python -m tests.prepare")
    (data / "models").symlink_to(models_folder(), target_is_directory=True)
    return Runtime(load_config({"BIOLOOM_DATA": str(data), "BIOLOOM_DEVICE": "cpu"}))


@pytest.fixture(scope="module")
def base(runtime) -> Path:
    return runtime._store.checked(get_card("minilm"))


def test_the_shipped_reader_marks_chemicals_and_diseases(runtime):
    with runtime.use(readers.ENTITIES.name) as model:
        found = {(TEXT[each.start : each.end], each.kind) for each in model.mentions([TEXT])[0]}
        alone = model.mentions([TEXT])[0]
        together = model.mentions(["Aspirin.", TEXT, "The patient had asthma and hypertension."])[1]
    assert {("Metformin", "Chemical"), ("type 2 diabetes", "Disease"), ("lactic acidosis", "Disease")} <= found
    assert [(a.start, a.end, a.kind) for a in alone] == [(a.start, a.end, a.kind) for a in together]
    assert np.abs(np.array([a.score for a in alone]) - [a.score for a in together]).max() < 1e-5


def test_its_files_are_those_that_the_card_names():
    folder = ASSETS / "models" / readers.ENTITIES.name
    assert {name: file_sha256(folder / name) for name in readers.ENTITIES.files} == dict(readers.ENTITIES.files)
    assert sum(file.stat().st_size for file in folder.iterdir()) < 8_000_000


def test_without_its_base_it_is_not_there(tmp_path):
    runtime = Runtime(load_config({"BIOLOOM_DATA": str(tmp_path / "data"), "BIOLOOM_DEVICE": "cpu"}))
    assert not runtime.present(readers.ENTITIES.name)
    with pytest.raises(ModelError, match="MiniLM"):
        runtime.load(readers.ENTITIES.name)


def test_adapters_added_to_the_matrices_give_what_the_adapted_network_gives(base, tmp_path):
    """The script's own export, read back, against the network that it was exported from."""
    pytest.importorskip("peft", reason="the scripts that train readers need: pip install 'bioloom[train]'")
    import torch
    from safetensors.torch import save_file

    from backend.training.readers.adapting import adapted, adapter_weights
    from backend.training.readers.entities import LABELS

    torch.manual_seed(0)
    network = adapted(base).eval()
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if "lora_B" in name:
                weight.normal_(0, 0.02)
    head = torch.nn.Linear(network.config.hidden_size, len(LABELS))
    weights = adapter_weights(network) | {f"head.{part}": getattr(head, part).detach().half() for part in ("weight", "bias")}
    save_file(weights, tmp_path / "entities.safetensors")
    (tmp_path / "entities.json").write_text(json.dumps({"labels": LABELS}))
    model = readers.load(tmp_path, replace(readers.ENTITIES, files={}), "cpu", base)
    pieces = model._pieces.cut([TEXT])[0]
    ids = torch.tensor([[model._pieces.first, *pieces.ids, model._pieces.last]])
    with torch.inference_mode():
        expected = head(network(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state)[0].numpy()
        found = model._network(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[0].numpy()
    assert np.ptp(expected) > 0.5
    assert np.abs(found - expected).max() < 1e-2  # half precision is what is stored


def test_a_temperature_changes_how_sure_the_marker_is_and_nothing_else(base, tmp_path):
    shipped = ASSETS / "models" / readers.ENTITIES.name
    shutil.copytree(shipped, tmp_path / "reader")
    settings = json.loads((shipped / "entities.json").read_text())
    (tmp_path / "reader" / "entities.json").write_text(json.dumps(settings | {"temperature": 1.0}))
    set_apart, raw = (readers.load(folder, readers.ENTITIES, "cpu", base).mentions([TEXT])[0] for folder in (shipped, tmp_path / "reader"))
    assert [(m.start, m.end, m.kind) for m in set_apart] == [(m.start, m.end, m.kind) for m in raw]
    assert settings["temperature"] > 1
    assert all(less.score < more.score for less, more in zip(set_apart, raw, strict=True))


def test_adapters_of_another_encoder_are_refused_in_words(base, tmp_path):
    from safetensors.torch import load_file, save_file

    shutil.copytree(ASSETS / "models" / readers.ENTITIES.name, tmp_path / "reader")
    weights = load_file(tmp_path / "reader" / "entities.safetensors")
    weights["encoder.layer.99.output.dense.a"] = weights["encoder.layer.0.output.dense.a"].clone()
    save_file(weights, tmp_path / "reader" / "entities.safetensors")
    with pytest.raises(ModelError, match="its base does not have"):
        readers.load(tmp_path / "reader", readers.ENTITIES, "cpu", base)


def test_the_versions_of_an_explained_text_are_read_as_nearly_as_half_precision_allows(runtime):
    versions = [" ".join(TEXT.split()[:n]) for n in range(1, 14)] * 10  # enough at once for half precision
    with runtime.use(readers.ENTITIES.name) as model:
        many = model.mention_score(versions, ["Metformin"] * len(versions), "Chemical")
        one = np.concatenate([model.mention_score([each], ["Metformin"], "Chemical") for each in versions[:13]])
    assert np.abs(many[:13] - one).max() < 0.03
    with runtime.use(readers.VERDICT.name) as model:
        many = model.verdict("Does metformin lower glucose?", versions)
        one = np.concatenate([model.verdict("Does metformin lower glucose?", [each]) for each in versions[:13]])
    assert np.abs(many[:13] - one).max() < 0.03
