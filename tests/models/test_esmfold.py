"""ESMFold in the published format folds as transformers folds, and says what it cannot."""

import json

import numpy as np
import pytest

from backend.config import load_config
from backend.errors import ModelError
from backend.models.families import esmfold
from backend.models.registry import add_local, recognise
from backend.models.runtime import Runtime
from tests.models import untrained_esm, untrained_esmfold
from tests.models.proof import by_folder, by_hub, memory_back, through_command_line, through_road

PROTEIN = "MQIFVKTLTGKTITLEVEPSDTIENVKAKI"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("checkpoint") / "esmfold-small"
    untrained_esmfold.make(made)
    return made


@pytest.fixture(scope="module")
def model(folder):
    return esmfold.load(folder, esmfold.CARD, "cpu")


def test_positions_confidence_and_errors_equal_transformers(model):
    import torch

    theirs = untrained_esmfold.network()
    with torch.no_grad():
        out = theirs.infer(PROTEIN)
    lines = [line for line in theirs.output_to_pdb(out)[0].splitlines() if line.startswith("ATOM")]
    found = model.fold(PROTEIN)
    ours = found.positions[found.exists]
    assert np.abs(ours - np.array([[float(line[at : at + 8]) for at in (30, 38, 46)] for line in lines])).max() < 2e-3
    assert np.abs(found.plddt - 100 * out.plddt[0, :, 1].numpy()).max() < 1e-3
    assert np.abs(found.pae - out.predicted_aligned_error[0].numpy()).max() < 1e-3
    assert abs(found.ptm - float(out.ptm)) < 1e-5
    assert np.ptp(found.plddt) > 0


def test_reading_pairs_in_steps_changes_nothing(model, monkeypatch):
    whole = model.fold(PROTEIN)
    monkeypatch.setattr(esmfold, "_WHOLE", 5)
    monkeypatch.setattr(esmfold, "_CHUNK", 4)
    in_steps = model.fold(PROTEIN)
    assert np.abs(whole.positions - in_steps.positions).max() < 1e-3
    assert np.abs(whole.plddt - in_steps.plddt).max() < 1e-3


def test_the_work_is_told_and_can_be_stopped_between_blocks(model):
    told = []
    model.fold(PROTEIN, 1, told.append)
    assert told == [0, 0.25, 0.5, 0.75]  # two blocks, read twice

    def stop(share):
        if share >= 0.5:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        model.fold(PROTEIN, 1, stop)
    assert not any(block._forward_pre_hooks for block in model._network.trunk.blocks)
    assert np.isfinite(model.fold(PROTEIN).plddt).all()


def test_an_unknown_residue_has_a_confidence_and_no_atoms(model):
    found = model.fold("MQIXVKTLTG")
    assert not found.exists[3].any()
    assert np.isfinite(found.plddt).all()


def test_a_chain_beyond_the_memory_is_refused_with_what_fits(model, monkeypatch):
    monkeypatch.setattr(esmfold, "available_bytes", lambda device: 1_000_000)
    with pytest.raises(ModelError, match="30 residues needs about"):
        model.fold(PROTEIN)


def test_a_missing_weight_is_never_drawn_at_random(folder, tmp_path):
    from safetensors.torch import load_file, save_file

    for name in ("config.json", "vocab.txt"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    weights = load_file(folder / "model.safetensors")
    for name in ("lddt_head.1.weight", "trunk.structure_module.ipa.linear_q.weight"):
        save_file({other: value for other, value in weights.items() if other != name}, tmp_path / "model.safetensors", {"format": "pt"})
        with pytest.raises(ModelError, match="lacks weights: " + name):
            esmfold.load(tmp_path, esmfold.CARD, "cpu")
    save_file({**weights, "trunk.more.weight": weights["lddt_head.1.weight"].clone()}, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelError, match=r"trunk\.more"):
        esmfold.load(tmp_path, esmfold.CARD, "cpu")


def test_a_checkpoint_without_the_contact_head_is_whole_as_the_published_one(folder, tmp_path):
    from safetensors.torch import load_file, save_file

    for name in ("config.json", "vocab.txt"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    weights = {name: value for name, value in load_file(folder / "model.safetensors").items() if "contact_head" not in name}
    save_file(weights, tmp_path / "model.safetensors", {"format": "pt"})
    assert np.isfinite(esmfold.load(tmp_path, esmfold.CARD, "cpu").fold(PROTEIN).plddt).all()


def test_folding_and_language_models_are_told_apart(folder, tmp_path):
    untrained_esm.make(tmp_path / "language")
    assert next(found.name for found, _ in recognise(folder)) == "esmfold"
    assert "esm" not in [found.name for found, _ in recognise(folder)]
    assert "esmfold" not in [found.name for found, _ in recognise(tmp_path / "language")]


def test_the_family_proves_itself_by_folder_by_hub_and_gives_its_memory_back(folder, tmp_path, monkeypatch):
    config = load_config({"BIOLOOM_DATA": str(tmp_path / "data"), "BIOLOOM_DEVICE": "cpu"})
    card = by_folder(config, folder, "esmfold")
    run = through_road(config, "protein.fold", f">short\n{PROTEIN}\n", {"model": card.name})
    assert run.prediction["results"][0]["pdb"].count(" CA ") == 30
    fasta = tmp_path / "one.fasta"
    fasta.write_text(f">short\n{PROTEIN}\n")
    told = through_command_line(config, ["analyse", fasta, "--task", "protein.fold", "--set", f"model={card.name}"])
    assert "UNTRAINED" in json.dumps(told)
    memory_back(config, card.name, lambda model: model.fold(PROTEIN))
    hub = by_hub(config, monkeypatch, folder, esmfold.CARD)
    with Runtime(config).use(hub.name) as loaded:
        assert np.isfinite(loaded.fold(PROTEIN).plddt).all()


def test_what_a_folder_lacks_is_said(tmp_path, folder):
    config = load_config({"BIOLOOM_DATA": str(tmp_path / "data")})
    language = tmp_path / "language"
    untrained_esm.make(language)
    with pytest.raises(ModelError, match="no ESMFold"):
        add_local(config, language, "esmfold")
    with pytest.raises(ModelError, match="no ESM language model"):
        add_local(config, folder, "esm")
