"""A small ProtST with random weights in the hub's layout: right in every file, and knowing nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

WORDS = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    *"abcdefghijklmnopqrstuvwxyz",
    *(f"##{c}" for c in "abcdefghijklmnopqrstuvwxyz"),
    ".",
    ":",
]
WORDS += ["membrane", "nucleus", "protein", "cell", "binds", "oxygen"]
WIDTH = 32


def make(folder: Path, pickled: bool = False) -> dict[str, Any]:
    """Write settings, weights and vocabulary into `folder`; gives the two reference networks, heads and scale by name."""
    import torch
    from safetensors.torch import save_file
    from transformers import BertConfig, BertModel, EsmConfig, EsmModel

    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    sizes = {"hidden_size": WIDTH, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
    protein_config = {
        **sizes,
        "model_type": "esm",
        "vocab_size": 33,
        "pad_token_id": 1,
        "mask_token_id": 32,
        "cls_token_id": 0,
        "eos_token_id": 2,
        "max_position_embeddings": 1026,
        "position_embedding_type": "absolute",
        "emb_layer_norm_before": True,
        "token_dropout": True,
        "layer_norm_eps": 1e-5,
    }
    text_config = {
        **sizes,
        "model_type": "bert",
        "vocab_size": len(WORDS),
        "pad_token_id": 0,
        "cls_token_id": 2,
        "sep_token_id": 3,
        "max_position_embeddings": 512,
    }
    protein = EsmModel(EsmConfig(**protein_config), add_pooling_layer=False).eval()
    text = BertModel(BertConfig(**text_config), add_pooling_layer=False).eval()
    heads = {
        name: torch.nn.Sequential(torch.nn.Linear(WIDTH, WIDTH), torch.nn.ReLU(), torch.nn.Linear(WIDTH, 16))
        for name in ("protein_mlp", "residue_mlp", "text_mlp", "word_mlp")
    }
    with torch.no_grad():
        for network in (protein, text, *heads.values()):
            for weight in network.parameters():
                if weight.ndim > 1:
                    weight.mul_(3)
    weights = {f"protein_model.esm.{name}": value for name, value in protein.state_dict().items()}
    weights |= {f"text_model.bert.{name}": value for name, value in text.state_dict().items()}
    for name, head in heads.items():
        side = "protein_model" if name in ("protein_mlp", "residue_mlp") else "text_model"
        for part, at in (("dense", 0), ("out_proj", 2)):
            weights |= {f"{side}.{name}.{part}.weight": head[at].weight.data, f"{side}.{name}.{part}.bias": head[at].bias.data}
    weights["logit_scale"] = torch.tensor(2.6593)
    weights = {name: value.contiguous().clone() for name, value in weights.items()}
    if pickled:
        torch.save(weights, folder / "pytorch_model.bin")
    else:
        save_file(weights, folder / "model.safetensors")
    settings = {"model_type": "protst", "protein_config": protein_config, "text_config": text_config, "untrained": True}
    (folder / "config.json").write_text(json.dumps(settings))
    (folder / "vocab.txt").write_text("\n".join(WORDS))
    return {"protein": protein, "text": text, **heads, "scale": float(torch.tensor(2.6593).exp())}
