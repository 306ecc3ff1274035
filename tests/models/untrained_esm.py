"""An ESM-2 with random weights in the published format: right in every file, and knowing nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

SHAPES = {"8M": (6, 320, 20), "35M": (12, 480, 20), "150M": (30, 640, 20)}
SMALL = (2, 40, 4)


def network(shape: tuple[int, int, int] = SMALL) -> Any:
    """transformers' own network; weights are drawn wide enough that residues matter."""
    import torch
    from transformers import EsmConfig, EsmForMaskedLM
    from transformers.models.esm.configuration_esm import get_default_vocab_list

    layers, width, heads = shape
    torch.manual_seed(0)
    config = EsmConfig(
        vocab_size=33,
        mask_token_id=32,
        pad_token_id=1,
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=4 * width,
        max_position_embeddings=1026,
        position_embedding_type="rotary",
        token_dropout=True,
        emb_layer_norm_before=False,
        layer_norm_eps=1e-5,
        vocab_list=list(get_default_vocab_list()),
    )
    made = EsmForMaskedLM(config).eval()
    with torch.no_grad():
        for weight in made.parameters():
            if weight.ndim > 1:
                weight.mul_(3)
    return made


def make(folder: Path, shape: tuple[int, int, int] = SMALL) -> Any:
    """Write config, weights and vocabulary into `folder`; gives transformers' network."""
    from transformers.models.esm.configuration_esm import get_default_vocab_list

    made = network(shape)
    made.save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(get_default_vocab_list()))
    return made
