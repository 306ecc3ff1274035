"""A DNABERT and a GenSLM with random weights in the published formats: right in every file, and knowing nothing."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from backend.models.kmer_bert import published_vocabulary
from tests.conftest import SHARED

PREFIX = "model."  # of a checkpoint saved in training


def make_dnabert(folder: Path, k: int = 3, labels: tuple[str, ...] = (), places: int = 64, **settings: Any) -> Any:
    """config.json, pytorch_model.bin and vocab.txt as on the hub; gives transformers' network, its weights drawn wide."""
    import torch
    from transformers import BertConfig, BertForMaskedLM, BertForSequenceClassification

    folder.mkdir(parents=True, exist_ok=True)
    words = published_vocabulary(k)
    torch.manual_seed(1)
    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
    named = {"id2label": dict(enumerate(labels)), "label2id": {label: i for i, label in enumerate(labels)}} if labels else {}
    config = BertConfig(vocab_size=len(words), max_position_embeddings=places, **shape, **named, **settings)
    made = (BertForSequenceClassification if labels else BertForMaskedLM)(config).eval()
    _widen(made)
    made.config.save_pretrained(folder)
    _mark(folder / "config.json")
    torch.save(made.state_dict(), folder / "pytorch_model.bin")
    (folder / "vocab.txt").write_text("\n".join(words))
    return made


def make_genslm(folder: Path, vocabulary: int = 69, places: int = 32) -> Any:
    """Weights as PyTorch Lightning keeps them (.pt), architecture and tokenizer; gives transformers' network."""
    import torch
    from transformers import GPTNeoXConfig, GPTNeoXForCausalLM

    folder.mkdir(parents=True, exist_ok=True)
    shape = json.loads((SHARED / "tokenizers" / "genslm_arch_25M.json").read_text())
    shape |= {"hidden_size": 32, "num_attention_heads": 4, "num_hidden_layers": 2, "intermediate_size": 64}
    shape |= {"max_position_embeddings": places, "vocab_size": vocabulary, "rotary_pct": 0.5}
    (folder / "neox_small.json").write_text(json.dumps(shape))
    name = f"genslm_codon_wordlevel_{vocabulary}vocab.json"
    (folder / name.removeprefix("genslm_")).write_text((SHARED / "tokenizers" / name).read_text())
    torch.manual_seed(2)
    made = GPTNeoXForCausalLM(GPTNeoXConfig(**shape)).eval()
    _widen(made)
    torch.save({"epoch": 1, "hyper_parameters": {"folder": folder}, "state_dict": lightning(made)}, folder / "small_val_loss_0.57.pt")
    (folder / "UNTRAINED").touch()
    return made


def lightning(network: Any) -> dict[str, Any]:
    """Weights under the names of the published checkpoints, with the buffers that older ones carry."""
    import torch

    found = {re.sub("^lm_head", "embed_out", name): value for name, value in network.state_dict().items()}
    made = {f"{PREFIX}{name}": value for name, value in found.items()}
    for number in range(network.config.num_hidden_layers):
        at = f"{PREFIX}gpt_neox.layers.{number}.attention"
        made |= {f"{at}.masked_bias": torch.tensor(-1e9), f"{at}.rotary_emb.inv_freq": torch.ones(4)}
    return made


def _widen(network: Any) -> None:
    import torch

    with torch.no_grad():
        for weight in network.parameters():
            if weight.ndim > 1:
                weight.mul_(5)
            else:
                weight.add_(torch.randn_like(weight) * 0.1)


def _mark(file: Path) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), "untrained": True}))
