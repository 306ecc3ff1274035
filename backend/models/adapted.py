"""Low-rank adapters added to the matrices of a published encoder (Hu et al. 2021, arXiv:2106.09685)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from backend.errors import ModelError
from backend.models.stored import read_weights


def adapted_encoder(base: Path, added: dict[str, Any], title: str) -> Any:
    """The encoder in the folder `base` with ``b @ a`` added to each matrix that `added` names: a BertModel without its pooler.

    Raises
    ------
    ModelError
        When an adapter does not fit the encoder.
    """
    import torch
    from transformers import BertConfig, BertModel

    weights = {name: value for name, value in read_weights(base).items() if not name.startswith("pooler.")}
    for name in [name.removesuffix(".a") for name in added if name.endswith(".a")]:
        own = f"{name}.weight"
        if own not in weights:
            raise ModelError(f"{title} changes {name}, which its base does not have.", _REMEDY)
        weights[own] = weights[own].float() + added[f"{name}.b"].float() @ added[f"{name}.a"].float()
    network = BertModel(BertConfig(**json.loads((base / "config.json").read_text(encoding="utf-8"))), add_pooling_layer=False)
    lost = network.load_state_dict(weights, strict=False)
    if lost.missing_keys or [name for name in lost.unexpected_keys if not name.endswith("position_ids")]:
        raise ModelError(f"{title} does not fit its base.", _REMEDY)
    with torch.no_grad():
        return network.eval().requires_grad_(False)


def head_of(added: dict[str, Any], inputs: int, outputs: int, title: str) -> Any:
    """The linear head of an adapted reader.

    Raises
    ------
    ModelError
        When it has another shape than the reader needs.
    """
    import torch

    head = torch.nn.Linear(inputs, outputs)
    try:
        head.load_state_dict({part: added[f"head.{part}"].float() for part in ("weight", "bias")})
    except (KeyError, RuntimeError) as error:
        raise ModelError(f"The head of {title} is not of the shape ({outputs}, {inputs}).", _REMEDY) from error
    return head.eval().requires_grad_(False)


_REMEDY = "Verify the files of both on the Models page."
