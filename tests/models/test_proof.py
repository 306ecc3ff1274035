"""The shared proof passes for a family that keeps its word and fails for one that does not."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.config import load_config
from backend.domain import ModelCard
from backend.errors import ModelError
from backend.models import registry
from backend.models.registry import Family, Found, published_files
from tests.models import proof

WIDTH = 8
LEAKED: list[Any] = []


@dataclass
class Sums:
    """Letters to vectors by a table of weights: the smallest network that holds tensors."""

    weight: Any

    def embed(self, texts: list[str]) -> np.ndarray:
        return np.stack([np.asarray(self.weight[[ord(letter) % len(self.weight) for letter in text]].mean(0)) for text in texts])

    def exercise(self) -> None:
        self.embed(["ACGT" * 100])


class Leaking(Sums):
    def embed(self, texts: list[str]) -> np.ndarray:
        LEAKED.append(self.weight * 2)
        return super().embed(texts)


def make(folder: Path) -> None:
    import torch
    from safetensors.torch import save_file

    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": "sums", "untrained": True}))
    save_file({"weight": torch.randn(26, WIDTH, generator=torch.Generator().manual_seed(0))}, folder / "model.safetensors")


def examine(folder: Path) -> Found:
    files = published_files(folder)
    if json.loads((folder / "config.json").read_text())["model_type"] != "sums":
        raise ModelError("not of this family", "")
    return Found(files=files, tasks=("sums.embed",), certainty=2)


CARD = ModelCard(
    name="sums-small",
    title="Sums",
    family="sums",
    modality="sequences",
    tasks=("sums.embed",),
    source="hub",
    licence="MIT",
    summary="-",
    revision="main",
    hub_id="bioloom-tests/sums",
    files={"config.json": "", "model.safetensors": ""},
    peak_bytes=10_000_000,
)


@pytest.fixture
def kind(monkeypatch):
    """Registers the family; gives what its loader makes of the weights, to be changed by a test."""
    made = [Sums]

    def load(folder, card, device):
        from safetensors.torch import load_file

        return made[0](load_file(folder / "model.safetensors")["weight"])

    registry.families()
    monkeypatch.setitem(registry._FAMILIES, "sums", Family("sums", "Sums", "Adds letters up.", load, (CARD,), examine))
    return made


@pytest.fixture
def config(tmp_path):
    return load_config({"BIOLOOM_DATA": str(tmp_path / "data"), "BIOLOOM_DEVICE": "cpu"})


@pytest.fixture
def folder(tmp_path):
    make(tmp_path / "small")
    return tmp_path / "small"


def test_a_family_that_keeps_its_word_passes(kind, config, folder, monkeypatch):
    local = proof.by_folder(config, folder, "sums")
    assert (local.source, local.tasks) == ("local", ("sums.embed",))
    fetched = proof.by_hub(config, monkeypatch, folder, CARD)
    assert (fetched.name, fetched.source, fetched.untrained) == ("sums-small", "hub", True)
    for card in (local, fetched):
        proof.memory_back(config, card.name)
    proof.in_any_company(Sums(np.ones((26, WIDTH))).embed, ["A", "ACGT", "GG"])


def test_what_is_kept_after_unloading_is_found(kind, config, folder):
    kind[0] = Leaking
    card = proof.by_folder(config, folder, "sums")
    with pytest.raises(AssertionError, match="still held"):
        proof.memory_back(config, card.name)
    LEAKED.clear()


def test_results_that_depend_on_the_company_are_found():
    with pytest.raises(AssertionError, match="in company"):
        proof.in_any_company(lambda items: [np.array([len(items)]) for _ in items], ["A", "C"])


def test_a_checkpoint_that_does_not_call_itself_untrained_is_refused(kind, config, folder):
    (folder / "config.json").write_text('{"model_type": "sums"}')
    with pytest.raises(AssertionError, match="untrained"):
        proof.by_folder(config, folder, "sums")


def test_a_task_runs_by_the_road_and_by_the_command_line(config, tmp_path):
    fasta = ">one\nMKVLAAGLLALAAAC\n>two\nMKVLAAGLLALAGGC\n"
    run = proof.through_road(config, "protein.similar", fasta)
    (tmp_path / "two.fasta").write_text(fasta)
    made = proof.through_command_line(config, ["analyse", tmp_path / "two.fasta", "--task", "protein.similar"])
    assert run.model["name"] == made["model"]["name"] == "kmers"
    with pytest.raises(AssertionError, match="ended with 2"):
        proof.through_command_line(config, ["analyse", tmp_path / "two.fasta", "--task", "protein.nothing"])
