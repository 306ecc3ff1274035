"""RNABERT reads both published layouts, gives the reference's numbers, and refuses what is not whole."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from backend.config import load_config
from backend.domain import ModelCard
from backend.errors import ModelError
from backend.models.families import rnabert
from backend.models.registry import recognise
from backend.models.rna_bert import windows
from tests.models.proof import by_folder, by_hub, in_any_company, memory_back, through_command_line, through_road
from tests.models.untrained_rna import VOCABULARY, make_rnabert, make_rnabert_original

CARD = ModelCard("trial", "A trial", "rnabert", "sequences", (), "local", "", "")
FASTA = ">one\nGGGAAACUUCGGUUUCCC\n>two\nGGGAAACUUCGGUUCCC\n>three\nACGUNACGUACGUU\n"
ALIGN = {"reference": "one"}


@pytest.fixture
def config(tmp_path: Any) -> Any:
    return load_config({"BIOLOOM_DATA": str(tmp_path / "data"), "BIOLOOM_DEVICE": "cpu"})


def reference(weights: dict[str, Any], heads: int, ids: list[int], positions: int, eps: float = 1e-12) -> np.ndarray:
    """transformers' BertModel with these weights, on ids filled up to all positions with padding that takes part, as it was trained."""
    import torch
    from transformers import BertConfig, BertModel

    plain = {name.removeprefix("module.").removeprefix("rna"): value for name, value in weights.items()}
    plain = {
        name.removeprefix("bert.")
        .replace("gamma", "weight")
        .replace("beta", "bias")
        .replace("layer_norm", "LayerNorm")
        .replace("selfattn", "self"): value
        for name, value in plain.items()
        if name.startswith("bert.")
    }
    words, width = plain["embeddings.word_embeddings.weight"].shape
    made = BertModel(
        BertConfig(
            vocab_size=words,
            hidden_size=width,
            num_hidden_layers=1 + max(int(name.split(".")[2]) for name in plain if name.startswith("encoder.layer.")),
            num_attention_heads=heads,
            intermediate_size=plain["encoder.layer.0.intermediate.dense.bias"].shape[0],
            max_position_embeddings=positions,
            layer_norm_eps=eps,
        )
    ).eval()
    made.load_state_dict(plain)  # strict: nothing missing, nothing left over
    row = torch.tensor([ids + [0] * (positions - len(ids))])
    with torch.inference_mode():
        return made(row, attention_mask=torch.ones_like(row)).last_hidden_state[0, : len(ids)].numpy()


def test_the_published_weights_give_what_transformers_gives_with_them(shared: Any) -> None:
    import torch

    folder = shared / "weights" / "rnabert"
    sequence = (shared / "weights/rnabert/sample_RF00001.fa").read_text().split(">")[1].split("\n")[1]
    ids = [{"A": 2, "U": 3, "G": 4, "C": 5}[letter] for letter in sequence.replace("T", "U")]
    held = torch.load(folder / "bert_mul_2.pth", map_location="cpu", weights_only=True)
    expected = reference(held, 12, ids, 440)
    model = rnabert.load(folder, CARD, "cpu")
    np.testing.assert_allclose(model.residues([sequence])[0], expected, atol=1e-5)
    np.testing.assert_allclose(model.embed([sequence])[0], expected.mean(0), atol=1e-5)
    assert (model.window, model.width) == (440, 120)


def test_both_layouts_give_the_same_as_transformers(tmp_path: Any) -> None:
    sequence = "GGGAAACUUCGGUUUCCC"
    for make, known in ((make_rnabert, VOCABULARY), (make_rnabert_original, ["<pad>", "<mask>", "A", "U", "G", "C"])):
        folder = tmp_path / make.__name__
        expected = reference(make(folder), 4, [known.index(letter) for letter in sequence], 40)
        np.testing.assert_allclose(rnabert.load(folder, CARD, "cpu").residues([sequence])[0], expected, atol=1e-5)


def test_weights_as_bin_are_the_same(tmp_path: Any) -> None:
    import torch

    weights = make_rnabert(tmp_path)
    expected = rnabert.load(tmp_path, CARD, "cpu").embed(["GGGAAACUUC"])
    (tmp_path / "model.safetensors").unlink()
    torch.save(weights, tmp_path / "pytorch_model.bin")
    np.testing.assert_array_equal(rnabert.load(tmp_path, CARD, "cpu").embed(["GGGAAACUUC"]), expected)


def test_alone_in_company_and_in_any_order(tmp_path: Any) -> None:
    make_rnabert(tmp_path)
    model = rnabert.load(tmp_path, CARD, "cpu")
    in_any_company(model.residues, ["ACGU" * 3, "G", "GGCCA" * 8, "ACGUACG" * 20])
    in_any_company(model.embed, ["ACGU" * 3, "GGCCA" * 8, "UUUU"])


def test_letters_are_read_as_stated(tmp_path: Any) -> None:
    make_rnabert(tmp_path)
    model = rnabert.load(tmp_path, CARD, "cpu")
    assert list(model._encoder.tokens("AUGCTN-x")) == [VOCABULARY.index(token) for token in ("A", "U", "G", "C", "U", *["<mask>"] * 3)]
    np.testing.assert_array_equal(model.residues(["ACGT"])[0], model.residues(["ACGU"])[0])
    assert model.unknown("ACGTNU") == [4]


def test_long_sequences_are_read_in_windows_and_each_letter_from_its_inmost(tmp_path: Any) -> None:
    make_rnabert(tmp_path)
    model = rnabert.load(tmp_path, CARD, "cpu")
    sequence = "ACGUUGCA" * 12
    assert windows(96, 40) == [0, 20, 40, 56]
    found = model.residues([sequence])[0]
    assert found.shape == (96, 24)
    np.testing.assert_allclose(found[:30], model.residues([sequence[:40]])[0][:30], atol=1e-6)
    np.testing.assert_allclose(found[-18:], model.residues([sequence[-40:]])[0][-18:], atol=1e-6)


def test_a_checkpoint_that_is_not_whole_is_refused(tmp_path: Any) -> None:
    from safetensors.torch import save_file

    weights = make_rnabert(tmp_path)
    for change, words in (
        ({"rnabert.encoder.layer.1.output.dense.weight": None}, "lacks weights"),
        ({"rnabert.encoder.layer.0.odd.weight": weights["lm_head.bias"].clone()}, "does not have"),
        ({"rnabert.embeddings.word_embeddings.weight": weights["rnabert.embeddings.word_embeddings.weight"][:6].clone()}, "letters"),
    ):
        changed = {name: value for name, value in (weights | change).items() if value is not None}
        save_file(changed, tmp_path / "model.safetensors")
        with pytest.raises(ModelError, match=words):
            rnabert.load(tmp_path, CARD, "cpu")


def test_trained_weights_that_give_other_numbers_are_refused(tmp_path: Any) -> None:
    make_rnabert(tmp_path, width=120)
    rnabert.load(tmp_path, CARD, "cpu")
    config = tmp_path / "config.json"
    config.write_text(config.read_text().replace('"untrained": true', '"untrained": false'))
    with pytest.raises(ModelError, match="other numbers"):
        rnabert.load(tmp_path, CARD, "cpu")


def test_it_comes_by_folder_and_runs_its_task_on_every_way(tmp_path: Any, config: Any) -> None:
    weights = make_rnabert_original(tmp_path / "original")
    card = by_folder(config, tmp_path / "original", "rnabert")
    assert [found.name for found, _ in recognise(tmp_path / "original")] == ["rnabert"]
    assert card.parameters == sum(value.numel() for value in weights.values())
    run = through_road(config, "rna.align", FASTA, {"model": card.name, **ALIGN})
    assert [one["record"] for one in run.prediction["results"]] == ["two", "three"]
    fasta = tmp_path / "some.fasta"
    fasta.write_text(FASTA)
    made = through_command_line(config, ["analyse", fasta, "--task", "rna.align", "--set", f"model={card.name}", "--set", "reference=one"])
    assert made["prediction"]["results"] == run.prediction["results"]
    memory_back(config, card.name)


def test_it_comes_from_a_hub(tmp_path: Any, config: Any, monkeypatch: Any) -> None:
    make_rnabert(tmp_path / "multimolecule")
    card = by_hub(config, monkeypatch, tmp_path / "multimolecule", rnabert.CARDS[0])
    assert through_road(config, "rna.align", FASTA, {"model": card.name}).prediction["reference"]["record"] == "one"


@pytest.mark.gpu
def test_half_precision_agrees_with_full(shared: Any, monkeypatch: Any) -> None:
    folder, sequences = shared / "weights" / "rnabert", ["GCCUACGGCCAUACCACCCUGAACGCGCCCGAUCUCGUCUGAUCUCGGAAGC"] * 3
    half = rnabert.load(folder, CARD, "cuda").embed(sequences)
    monkeypatch.setenv("BIOLOOM_PRECISION", "float32")
    full = rnabert.load(folder, CARD, "cuda").embed(sequences)
    assert np.abs(half - full).max() < 0.02
