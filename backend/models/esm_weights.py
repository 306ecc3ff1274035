"""Checkpoints of ESM in the published format: their names and shapes without loading, their weights, and the network of them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backend.errors import ModelError
from backend.models.contact_head import ContactHead
from backend.models.dense import Dense
from backend.models.device import precision
from backend.models.masked import AMINO, Layer, Network
from backend.models.packed import Packed
from backend.models.stored import modern

_HEADS = 20  # of every published ESM-2 up to 650M
_KEPT_ASIDE = re.compile(r"esm\.embeddings\.position_(ids|embeddings\.weight)|.*inv_freq|esm\.contact_head\..*|esm\.pooler\..*")
"""Weights that a network may leave unread: places that it turns instead of adding, the rotary speeds, heads of other questions."""

Weights = Mapping[str, Any]


def build(weights: Weights, config: Mapping[str, Any], vocabulary: Mapping[str, int], device: str, title: str) -> Network:
    """The network of weights named as transformers' ``EsmForMaskedLM`` names them.

    Raises
    ------
    ModelError
        When weights are missing or left over, or the settings name a kind of ESM that this file does not compute.
    """
    import torch

    places = config.get("position_embedding_type", "rotary")
    if places not in ("rotary", "absolute") or config.get("model_type", "esm") != "esm" or config.get("is_folding_model"):
        raise ModelError(f"{title} is no ESM language model.", "Choose a checkpoint of ESM-2, ESM-1b or ESM-1v with its head.")
    kept = precision(device)
    held = {modern(name): value.to(device, kept) for name, value in weights.items() if value.is_floating_point()}
    held.setdefault("lm_head.decoder.weight", held.get("esm.embeddings.word_embeddings.weight"))  # tied where it is not stored
    read: set[str] = set()

    def one(name: str) -> Any:
        read.add(name)
        return held[name]

    def pair(name: str) -> tuple[Any, Any]:
        return one(f"{name}.weight"), one(f"{name}.bias")

    def dense(*names: str) -> Dense:
        found = [pair(name) for name in names]
        return Dense(torch.cat([weight for weight, _ in found]), torch.cat([bias for _, bias in found]))

    try:
        count = 1 + max(int(found[1]) for name in held if (found := re.match(r"esm\.encoder\.layer\.(\d+)\.", name)))
        layers = []
        for at in (f"esm.encoder.layer.{i}" for i in range(count)):
            inside = f"{at}.attention"
            layers.append(
                Layer(
                    dense(*(f"{inside}.self.{part}" for part in ("query", "key", "value"))),
                    dense(f"{inside}.output.dense"),
                    pair(f"{inside}.LayerNorm"),
                    dense(f"{at}.intermediate.dense"),
                    dense(f"{at}.output.dense"),
                    pair(f"{at}.LayerNorm"),
                )
            )
        columns = torch.tensor([vocabulary[letter] for letter in AMINO], device=device)
        decoder = Dense(one("lm_head.decoder.weight")[columns], one("lm_head.bias")[columns])
        words = one("esm.embeddings.word_embeddings.weight")
        table = one("esm.embeddings.position_embeddings.weight") if places == "absolute" else None
        regression = weights.get("esm.contact_head.regression.weight")  # one weight for each head of each layer
        heads = int(config.get("num_attention_heads") or (_HEADS if regression is None else regression.numel() // count))
        early = pair("esm.embeddings.layer_norm") if config.get("emb_layer_norm_before") else None
        final, head = pair("esm.encoder.emb_layer_norm_after"), (dense("lm_head.dense"), pair("lm_head.layer_norm"), decoder)
    except (KeyError, ValueError, TypeError) as error:
        raise ModelError(
            f"{title} lacks weights of an ESM language model: {error}.", "Choose a checkpoint with its language-model head."
        ) from error
    _check_all_read(held, read, title)
    size = words.shape[1] // heads
    speed = 1.0 / (float(config.get("rope_theta", 10000.0)) ** (torch.arange(0, size, 2, dtype=torch.float) / size))
    # as it was rounded in training; every layer has the same, and checkpoints differ in where they keep it
    speed = next((value.float().cpu() for name, value in weights.items() if name.endswith("rotary_embeddings.inv_freq")), speed)
    dropout, mask, eps = config.get("token_dropout", True), vocabulary["<mask>"], float(config.get("layer_norm_eps", 1e-5))
    begin = vocabulary["<pad>"] + 1  # places are counted from behind the padding's own row

    def embed(packed: Packed) -> Any:
        made = words[packed.ids]
        if dropout:  # As in training, hidden residues are zero and the others are scaled by the share hidden then (15% x 80%).
            hidden = packed.ids == mask
            length = torch.tensor(packed.lengths, device=packed.ids.device)
            share = torch.zeros(len(packed.lengths), device=packed.ids.device).index_add_(0, packed.owner, hidden.float()) / length
            made = made.masked_fill(hidden[:, None], 0.0) * (0.88 / (1 - share))[packed.owner][:, None].to(made.dtype)
        if table is not None:
            made = made + table[packed.places + begin]
        return made if early is None else torch.nn.functional.layer_norm(made, early[0].shape, *early, eps)

    return Network(
        layers=layers,
        heads=heads,
        eps=eps,
        embed=embed,
        pre_norm=True,
        speed=speed if table is None else None,
        final=final,
        head=head,
        first=vocabulary["<cls>"],
        last=vocabulary["<eos>"],
        device=device,
    )


def contact_head(weights: Weights, network: Network) -> ContactHead | None:
    """The checkpoint's regression on attention, where it has one for every head of every layer."""
    weight, bias = (weights.get(f"esm.contact_head.regression.{part}") for part in ("weight", "bias"))
    if weight is None or bias is None or weight.numel() != len(network.layers) * network.heads:
        return None
    return ContactHead(weight.view(len(network.layers), network.heads).to(network.device), bias.to(network.device))


def read_config(folder: Path) -> dict[str, Any]:
    """The settings of a checkpoint; empty where the folder has none."""
    file = folder / "config.json"
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else {}


def read_vocabulary(file: Path, title: str) -> dict[str, int]:
    """Tokens of a vocab.txt by name.

    Raises
    ------
    ModelError
        When it is not there or lacks a residue or one of ESM's signs.
    """
    try:
        found = {line.strip(): at for at, line in enumerate(file.read_text(encoding="utf-8").splitlines())}
    except OSError as error:
        raise ModelError(f"{title} has no readable vocab.txt.", "Put the checkpoint's vocab.txt beside its weights.") from error
    if missing := [token for token in (*AMINO, "X", "<cls>", "<eos>", "<pad>", "<mask>") if token not in found]:
        raise ModelError(f"The vocabulary of {title} lacks {', '.join(missing)}.", "Choose a checkpoint of ESM with its own vocab.txt.")
    return found


def _check_all_read(held: Weights, read: set[str], title: str) -> None:
    left = sorted(name for name in held if name not in read and not _KEPT_ASIDE.fullmatch(name))
    if left:
        some = ", ".join(left[:3]) + (f" and {len(left) - 3} more" if len(left) > 3 else "")
        raise ModelError(
            f"{title} holds weights that no ESM language model has: {some}.",
            "Choose the language model itself, not one with adapters or a head for another question.",
        )
