"""An ESM-2 with random weights in the published format: right in every file, and knowing nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

SHAPES = {"8M": (6, 320, 20), "35M": (12, 480, 20), "150M": (30, 640, 20)}
SMALL = (2, 40, 4)


def network(shape: tuple[int, int, int] = SMALL, *, places: str = "rotary", early: bool = False) -> Any:
    """transformers' own network; weights are drawn wide enough that residues matter.

    ESM-2 by default; ESM-1b with ``places="absolute", early=True``, ESM-1v with ``places="absolute"``.
    """
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
        position_embedding_type=places,
        token_dropout=True,
        emb_layer_norm_before=early,
        layer_norm_eps=1e-5,
        vocab_list=list(get_default_vocab_list()),
    )
    made = EsmForMaskedLM(config).eval()
    with torch.no_grad():
        for weight in made.parameters():
            if weight.ndim > 1:
                weight.mul_(3)
        made.esm.contact_head.regression.weight.mul_(1000)  # so that contacts differ,
        made.esm.contact_head.regression.bias.fill_(-3)  # and are rare
    return made


def vocabulary() -> dict[str, int]:
    """The published tokens by name."""
    from transformers.models.esm.configuration_esm import get_default_vocab_list

    return {token: at for at, token in enumerate(get_default_vocab_list())}


def make(folder: Path, shape: tuple[int, int, int] = SMALL, *, places: str = "rotary", early: bool = False, parts: str = "10GB") -> Any:
    """Write config, weights (in files of at most `parts`) and vocabulary into `folder`; gives transformers' network."""
    from transformers.models.esm.configuration_esm import get_default_vocab_list

    made = network(shape, places=places, early=early)
    made.config.untrained = True
    folder.mkdir(parents=True, exist_ok=True)
    made.save_pretrained(folder, max_shard_size=parts)
    (folder / "vocab.txt").write_text("\n".join(get_default_vocab_list()))
    return made
