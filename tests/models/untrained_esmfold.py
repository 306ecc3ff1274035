"""An ESMFold with random weights and tiny widths in the published format: right in every file, and knowing nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def network() -> Any:
    """transformers' own network."""
    import torch
    from transformers import EsmConfig, EsmForProteinFolding
    from transformers.models.esm.configuration_esm import get_default_vocab_list

    torch.manual_seed(0)
    structure = {
        "sequence_dim": 16,
        "pairwise_dim": 8,
        "ipa_dim": 4,
        "resnet_dim": 8,
        "num_heads_ipa": 2,
        "num_qk_points": 2,
        "num_v_points": 2,
        "num_blocks": 2,
    }
    trunk = {
        "num_blocks": 2,
        "sequence_state_dim": 16,
        "pairwise_state_dim": 8,
        "sequence_head_width": 8,
        "pairwise_head_width": 4,
        "position_bins": 8,
        "max_recycles": 2,
        "structure_module": structure,
    }
    config = EsmConfig(
        vocab_size=33,
        mask_token_id=32,
        pad_token_id=1,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=1026,
        position_embedding_type="rotary",
        token_dropout=True,
        emb_layer_norm_before=False,
        layer_norm_eps=1e-5,
        is_folding_model=True,
        esmfold_config={"fp16_esm": False, "lddt_head_hid_dim": 8, "trunk": trunk},
        vocab_list=list(get_default_vocab_list()),
    )
    made = EsmForProteinFolding(config).eval()
    with torch.no_grad():
        for weight in made.parameters():
            if weight.ndim > 1:
                weight.add_(0.2 * torch.randn_like(weight))  # some begin as zeros, and nothing would pass through them
    return made


def make(folder: Path) -> Any:
    """Write config, weights and vocabulary into `folder`; gives transformers' network."""
    from transformers.models.esm.configuration_esm import get_default_vocab_list

    made = network()
    made.config.untrained = True
    folder.mkdir(parents=True, exist_ok=True)
    made.save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(get_default_vocab_list()))
    return made
