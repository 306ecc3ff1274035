"""RNA-MSM gives what its formulas say, written out in loops, whatever stands beside an alignment in a batch."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from backend.config import load_config
from backend.domain import ModelCard
from backend.errors import ModelError
from backend.models.families import rnamsm
from tests.models.proof import by_folder, by_hub, in_any_company, memory_back, through_command_line, through_road
from tests.models.untrained_rna import VOCABULARY, make_rnamsm

CARD = ModelCard("trial", "A trial", "rnamsm", "sequences", (), "local", "", "")
ALIGNED = ["GGGAAACUUCGGUUUCCC", "GGCAAACU-CGGUUUGCC", "GGGA-ACUUCGGU-UCCC"]


@pytest.fixture
def config(tmp_path: Any) -> Any:
    return load_config({"BIOLOOM_DATA": str(tmp_path / "data"), "BIOLOOM_DEVICE": "cpu"})


def plain(weights: dict[str, Any], rows: list[str], heads: int = 4, layers: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """The network as the paper writes it, one alignment, one row, one column, one head at a time.

    Returns
    -------
    vectors : (rows, columns, width)
    maps : (layers, heads, columns, columns)
        Row attention, the first token included.
    """
    held = {name.removeprefix("rnamsm."): value.double().numpy() for name, value in weights.items()}
    ids = [[VOCABULARY.index(token) for token in ("<cls>", *row)] for row in rows]
    depth, columns, width = len(rows), len(ids[0]), held["embeddings.word_embeddings.weight"].shape[1]
    size = width // heads

    def norm(x: np.ndarray, name: str, eps: float) -> np.ndarray:
        mean, spread = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
        return (x - mean) / np.sqrt(spread + eps) * held[f"{name}.weight"] + held[f"{name}.bias"]

    def dense(x: np.ndarray, name: str) -> np.ndarray:
        return x @ held[f"{name}.weight"].T + held[f"{name}.bias"]

    def softmax(x: np.ndarray) -> np.ndarray:
        made = np.exp(x - x.max(-1, keepdims=True))
        return made / made.sum(-1, keepdims=True)

    def gelu(x: np.ndarray) -> np.ndarray:
        from scipy.special import erf

        return 0.5 * x * (1 + erf(x / np.sqrt(2)))

    x = np.zeros((depth, columns, width))
    for r in range(depth):
        for c in range(columns):
            x[r, c] = (
                held["embeddings.word_embeddings.weight"][ids[r][c]]
                + held["embeddings.position_embeddings.weight"][c + 2]
                + held["embeddings.msa_embeddings"][0, r, 0]
            )
    x = norm(x, "embeddings.layer_norm", 1e-12)
    maps = np.zeros((layers, heads, columns, columns))
    for layer in range(layers):
        at = f"encoder.layer.{layer}"
        inner, name = norm(x, f"{at}.row_self_attention.layer_norm", 1e-5), f"{at}.row_self_attention.layer"
        query, key, value = (dense(inner, f"{name}.{part}_proj") for part in "qkv")
        mixed = np.zeros_like(x)
        for head in range(heads):
            own = slice(head * size, (head + 1) * size)
            scores = np.zeros((columns, columns))
            for r in range(depth):
                scores += query[r][:, own] @ key[r][:, own].T / np.sqrt(size) / np.sqrt(depth)
            maps[layer, head] = softmax(scores)
            for r in range(depth):
                mixed[r][:, own] = maps[layer, head] @ value[r][:, own]
        x = x + dense(mixed, f"{name}.out_proj")
        inner, name = norm(x, f"{at}.column_self_attention.layer_norm", 1e-5), f"{at}.column_self_attention.layer"
        query, key, value = (dense(inner, f"{name}.{part}_proj") for part in "qkv")
        mixed = np.zeros_like(x)
        for c in range(columns):
            for head in range(heads):
                own = slice(head * size, (head + 1) * size)
                mixed[:, c, own] = softmax(query[:, c, own] @ key[:, c, own].T / np.sqrt(size)) @ value[:, c, own]
        x = x + dense(mixed, f"{name}.out_proj")
        name = f"{at}.feed_forward_layer"
        x = x + dense(gelu(dense(norm(x, f"{name}.layer_norm", 1e-5), f"{name}.layer.fc1")), f"{name}.layer.fc2")
    return norm(x, "encoder.layer_norm", 1e-12), maps


def corrected(maps: np.ndarray) -> np.ndarray:
    inside = maps[:, :, 1:, 1:]
    both = inside + inside.transpose(0, 1, 3, 2)
    return both - both.sum(-1, keepdims=True) * both.sum(-2, keepdims=True) / both.sum((-1, -2), keepdims=True)


def test_vectors_and_attention_are_those_of_the_formulas(tmp_path: Any) -> None:
    weights = make_rnamsm(tmp_path)
    model = rnamsm.load(tmp_path, CARD, "cpu")
    vectors, maps = plain(weights, ALIGNED)
    ids, real = model._tokens([ALIGNED], len(ALIGNED[0]))
    np.testing.assert_allclose(model._network(ids, real)[0].numpy(), vectors, atol=1e-5)
    found = model.contacts([ALIGNED])[0]
    features = corrected(maps).reshape(-1, *found.attention.shape)
    np.testing.assert_allclose(found.attention, features.mean(0), atol=1e-6)
    weight, bias = (weights[f"pretrain_head.contact.decoder.{part}"].double().numpy() for part in ("weight", "bias"))
    np.testing.assert_allclose(found.head, 1 / (1 + np.exp(-(np.tensordot(weight[0], features, 1) + bias))), atol=1e-5)
    np.testing.assert_allclose(found.attention, found.attention.T, atol=1e-7)


def test_a_single_sequence_is_an_alignment_of_one_row(tmp_path: Any) -> None:
    weights = make_rnamsm(tmp_path)
    model = rnamsm.load(tmp_path, CARD, "cpu")
    vectors, _ = plain(weights, ALIGNED[:1])
    np.testing.assert_allclose(model.residues(ALIGNED[:1])[0], vectors[0, 1:], atol=1e-5)
    np.testing.assert_allclose(model.embed(ALIGNED[:1])[0], vectors[0, 1:].mean(0), atol=1e-5)


def test_alone_in_company_and_in_any_order(tmp_path: Any) -> None:
    make_rnamsm(tmp_path)
    model = rnamsm.load(tmp_path, CARD, "cpu")
    in_any_company(model.residues, ["ACGU" * 3, "G", "GGCCA" * 8, "ACGUACG" * 20])
    alignments = [ALIGNED, ALIGNED[:1], ["ACGUACGUAC"], ["GGGAAACUUCGGUUUCCA", *ALIGNED[1:]]]
    in_any_company(lambda some: [found.attention for found in model.contacts(some)], alignments)


def test_the_order_of_the_relatives_matters_only_where_rows_have_places_that_a_norm_leaves(tmp_path: Any) -> None:
    """The published layout adds one number to all of a row's channels, which the norm behind it takes off again."""
    import torch
    from safetensors.torch import save_file

    weights = make_rnamsm(tmp_path)
    turned = [ALIGNED[0], ALIGNED[2], ALIGNED[1]]

    def difference() -> float:
        model = rnamsm.load(tmp_path, CARD, "cpu")
        one, other = (model.contacts([rows])[0].attention for rows in (ALIGNED, turned))
        return float(np.abs(one - other).max())

    assert difference() < 1e-5
    save_file(weights | {"rnamsm.embeddings.msa_embeddings": torch.randn(1, 64, 1, 32)}, tmp_path / "model.safetensors")
    assert difference() > 1e-3


def test_letters_gaps_and_hidden_bases_have_their_tokens(tmp_path: Any) -> None:
    make_rnamsm(tmp_path)
    model = rnamsm.load(tmp_path, CARD, "cpu")
    ids, _ = model._tokens([["AUGCT-.N?R"]], 10)
    assert [VOCABULARY[token] for token in ids[0, 0]] == ["<cls>", "A", "U", "G", "C", "U", "-", "-", "N", "<mask>", "N"]


def test_without_a_contact_head_there_is_attention_only(tmp_path: Any) -> None:
    make_rnamsm(tmp_path, head=False)
    assert rnamsm.load(tmp_path, CARD, "cpu").contacts([ALIGNED])[0].head is None


def test_a_checkpoint_that_is_not_whole_is_refused(tmp_path: Any) -> None:
    from safetensors.torch import save_file

    weights = make_rnamsm(tmp_path)
    for change, words in (
        ({"rnamsm.encoder.layer.1.feed_forward_layer.layer.fc2.bias": None}, "lacks weights"),
        ({"rnamsm.embeddings.msa_embeddings": None}, "lacks weights"),
        ({"rnamsm.encoder.layer.0.odd.weight": weights["rnamsm.encoder.layer_norm.bias"].clone()}, "does not have"),
    ):
        save_file({name: value for name, value in (weights | change).items() if value is not None}, tmp_path / "model.safetensors")
        with pytest.raises(ModelError, match=words):
            rnamsm.load(tmp_path, CARD, "cpu")
    save_file(weights, tmp_path / "model.safetensors")
    settings = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(settings | {"num_hidden_layers": 10}))
    with pytest.raises(ModelError, match="layers"):
        rnamsm.load(tmp_path, CARD, "cpu")


def test_it_comes_by_folder_and_by_hub_and_runs_on_every_way(tmp_path: Any, config: Any, monkeypatch: Any) -> None:
    make_rnamsm(tmp_path / "checkpoint")
    card = by_folder(config, tmp_path / "checkpoint", "rnamsm")
    fasta = tmp_path / "aligned.fasta"
    fasta.write_text("".join(f">s{at}\n{row}\n" for at, row in enumerate(ALIGNED)))
    run = through_road(config, "rna.contacts", fasta.read_text(), {"model": card.name})
    assert run.prediction["read"] == "alignment"
    made = through_command_line(config, ["analyse", fasta, "--task", "rna.contacts", "--set", f"model={card.name}", "--explain"])
    assert made["prediction"]["results"] == run.prediction["results"]
    assert through_road(config, "rna.align", fasta.read_text(), {"model": card.name}).prediction["results"]
    memory_back(config, card.name)
    hub = by_hub(config, monkeypatch, tmp_path / "checkpoint", rnamsm.CARD)
    assert through_road(config, "rna.contacts", fasta.read_text(), {"model": hub.name}).model["untrained"]


@pytest.mark.gpu
def test_half_precision_agrees_with_full(tmp_path: Any, monkeypatch: Any) -> None:
    make_rnamsm(tmp_path)
    half = rnamsm.load(tmp_path, CARD, "cuda").contacts([ALIGNED])[0]
    monkeypatch.setenv("BIOLOOM_PRECISION", "float32")
    full = rnamsm.load(tmp_path, CARD, "cuda").contacts([ALIGNED])[0]
    assert np.abs(half.attention - full.attention).max() < 0.02
