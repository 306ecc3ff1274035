"""A trained network as a folder in the published layout: half-precision safetensors, config.json, vocab.txt, and the facts of its card."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backend.errors import ModelError
from backend.training.proteins.tokens import FIRST, LAST, MASK, PAD, TOKENS

MOST_BYTES = 80_000_000


def export(network: Any, folder: Path, facts: Mapping[str, Any], untrained: bool) -> None:
    """Write the folder.

    Left out are the rotary speeds, which half precision would bend (they are computed from the settings), the contact head, which was
    never fitted, and the decoder, which is the embedding.

    Parameters
    ----------
    facts : mapping
        What the card is to say; goes into training.json.
    untrained : bool
        Marks the checkpoint as one whose results mean nothing.

    Raises
    ------
    ModelError
        When a weight is not finite or too large for half precision, or the file is larger than may be shipped.
    """
    import torch
    from safetensors.torch import save_file

    left = ("inv_freq", "lm_head.decoder.weight")
    kept = {name: value for name, value in network.state_dict().items() if not name.endswith(left) and "contact_head" not in name}
    weights = {name: value.detach().to("cpu", torch.float16).contiguous() for name, value in kept.items()}
    if spoiled := [name for name, value in weights.items() if not bool(torch.isfinite(value).all())]:
        raise ModelError(f"{spoiled[0]} is not finite in half precision.", "Train again with a lower --rate.")
    folder.mkdir(parents=True, exist_ok=True)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    if (size := (folder / "model.safetensors").stat().st_size) > MOST_BYTES:
        raise ModelError(f"The weights take {size:,} bytes; {MOST_BYTES:,} may be shipped.", "Train a smaller shape.")
    settings = {**network.config.to_dict(), "architectures": ["EsmForMaskedLM"], "dtype": "float16"}
    if untrained:
        settings["untrained"] = True
    _write(folder / "config.json", settings)
    (folder / "vocab.txt").write_text("\n".join(TOKENS), encoding="ascii")
    special = {"cls_token": FIRST, "eos_token": LAST, "mask_token": MASK, "pad_token": PAD, "unk_token": TOKENS.index("<unk>")}
    _write(folder / "tokenizer_config.json", {"tokenizer_class": "EsmTokenizer", **{name: TOKENS[at] for name, at in special.items()}})
    _write(folder / "training.json", dict(facts))


def _write(file: Path, content: Mapping[str, Any]) -> None:
    file.write_text(json.dumps(content, indent=1), encoding="utf-8")
