"""RNABERT and RNA-MSM with random weights in their published layouts: right in every file, and knowing nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

VOCABULARY = "<pad> <cls> <eos> <unk> <mask> <null> A C G U N R Y S W K M B D H V . X * - I".split()


def drawn(seed: int = 0) -> Any:
    """Makes random weights wide enough that letters matter."""
    import torch

    source = torch.Generator().manual_seed(seed)
    return lambda *shape: torch.randn(*shape, generator=source) * 0.3


def rnabert_weights(words: int, width: int = 24, layers: int = 2, positions: int = 40) -> dict[str, Any]:
    """By multimolecule's names, heads included."""
    new = drawn()
    made = {
        "rnabert.embeddings.word_embeddings.weight": new(words, width),
        "rnabert.embeddings.position_embeddings.weight": new(positions, width),
        "rnabert.embeddings.token_type_embeddings.weight": new(2, width),
        **_pair("rnabert.embeddings.layer_norm", new, width),
        **_pair("rnabert.pooler.dense", new, width, width),
        **_pair("lm_head.transform.dense", new, width, width),
        **_pair("lm_head.transform.layer_norm", new, width),
        "lm_head.decoder.weight": new(words, width),
        "lm_head.bias": new(words),
    }
    for at in (f"rnabert.encoder.layer.{number}" for number in range(layers)):
        for part in ("self.query", "self.key", "self.value", "output.dense"):
            made |= _pair(f"{at}.attention.{part}", new, width, width)
        made |= _pair(f"{at}.attention.output.layer_norm", new, width) | _pair(f"{at}.output.layer_norm", new, width)
        made |= _pair(f"{at}.intermediate.dense", new, 8, width) | _pair(f"{at}.output.dense", new, width, 8)
    return made


def make_rnabert(folder: Path, **shape: int) -> dict[str, Any]:
    """multimolecule's layout: config.json, vocab.txt, model.safetensors; gives the weights."""
    from safetensors.torch import save_file

    weights = rnabert_weights(len(VOCABULARY), **shape)
    settings = {"model_type": "rnabert", "num_attention_heads": 4, "vocab_size": len(VOCABULARY), "untrained": True}
    _write(folder, settings)
    save_file(weights, folder / "model.safetensors")
    return weights


def make_rnabert_original(folder: Path) -> dict[str, Any]:
    """The authors' layout: RNA_bert_config.json and a .pth whose names say module., gamma and beta; gives the weights."""
    import torch

    weights = rnabert_weights(6)
    old = {}
    for name, value in weights.items():
        if name.startswith("rnabert."):
            for new, was in (("layer_norm.weight", "LayerNorm.gamma"), ("layer_norm.bias", "LayerNorm.beta"), (".self.", ".selfattn.")):
                name = name.replace(new, was)
            old[f"module.{name.removeprefix('rna')}"] = value
        else:
            old[f"module.cls.predictions.{name.removeprefix('lm_head.')}"] = value
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(old, folder / "bert_mul_2.pth")
    (folder / "RNA_bert_config.json").write_text(json.dumps({"num_attention_heads": 4, "num_hidden_layers": 2, "multiple": 6}))
    (folder / "UNTRAINED").write_text("Random weights, for tests.\n")
    return weights


def make_rnamsm(folder: Path, head: bool = True, width: int = 32, layers: int = 2, positions: int = 64) -> dict[str, Any]:
    """multimolecule's layout of RNA-MSM, with a contact head or without; gives the weights."""
    from safetensors.torch import save_file

    new, heads = drawn(1), 4
    made = {
        "rnamsm.embeddings.word_embeddings.weight": new(len(VOCABULARY), width),
        "rnamsm.embeddings.position_embeddings.weight": new(positions + 2, width),
        "rnamsm.embeddings.msa_embeddings": new(1, positions, 1, 1),
        **_pair("rnamsm.embeddings.layer_norm", new, width),
        **_pair("rnamsm.encoder.layer_norm", new, width),
        **_pair("lm_head.transform.dense", new, width, width),
    }
    for at in (f"rnamsm.encoder.layer.{number}" for number in range(layers)):
        for axis in ("row_self_attention", "column_self_attention"):
            for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
                made |= _pair(f"{at}.{axis}.layer.{part}", new, width, width)
            made |= _pair(f"{at}.{axis}.layer_norm", new, width)
        made |= _pair(f"{at}.feed_forward_layer.layer.fc1", new, 2 * width, width)
        made |= _pair(f"{at}.feed_forward_layer.layer.fc2", new, width, 2 * width)
        made |= _pair(f"{at}.feed_forward_layer.layer_norm", new, width)
    if head:
        made |= {"pretrain_head.contact.decoder.weight": 20 * new(1, layers * heads), "pretrain_head.contact.decoder.bias": new(1)}
    settings = {"model_type": "rnamsm", "num_attention_heads": heads, "num_hidden_layers": layers, "embed_positions_msa": True}
    _write(folder, settings | {"untrained": True})
    save_file(made, folder / "model.safetensors")
    return made


def _pair(name: str, new: Any, outer: int, inner: int | None = None) -> dict[str, Any]:
    """Weight and bias of a dense layer, or of a norm where no inner width is given."""
    weight = new(outer, inner) if inner else 1 + new(outer) / 3
    return {f"{name}.weight": weight, f"{name}.bias": new(outer)}


def _write(folder: Path, settings: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(settings))
    (folder / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n")
