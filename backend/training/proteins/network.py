"""The network in the published layout of ESM-2, and its loss on proteins laid end to end.

Lin et al. 2023, doi:10.1126/science.ade2574: rotary places, norms before each block, no dropout but that of hidden tokens.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from backend.errors import InputError
from backend.models.packed import Packed, attend
from backend.training.proteins.attention import Attention
from backend.training.proteins.batches import Batch
from backend.training.proteins.tokens import MASK, PAD, TOKENS

SHAPES = {"8M": (6, 320, 20), "35M": (12, 480, 20)}
"""Layers, width and heads of the published sizes."""

_SHOWN = 0.15 * 0.8  # share of tokens hidden in training, which the embedding makes up for


def build(shape: str | tuple[int, int, int], seed: int) -> Any:
    """transformers' EsmForMaskedLM with fresh weights; the same seed draws the same.

    Raises
    ------
    InputError
        For a name that is none of `SHAPES`.
    """
    import torch
    from transformers import EsmConfig, EsmForMaskedLM

    if isinstance(shape, str) and shape not in SHAPES:
        raise InputError(f"There is no shape called '{shape}'.", f"Shapes are: {', '.join(SHAPES)}.")
    layers, width, heads = SHAPES[shape] if isinstance(shape, str) else shape
    torch.manual_seed(seed)
    config = EsmConfig(
        vocab_size=len(TOKENS),
        mask_token_id=MASK,
        pad_token_id=PAD,
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=4 * width,
        max_position_embeddings=1026,
        position_embedding_type="rotary",
        token_dropout=True,
        emb_layer_norm_before=False,
        layer_norm_eps=1e-5,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        tie_word_embeddings=True,
    )
    made = EsmForMaskedLM(config)
    made.esm.contact_head.requires_grad_(False)  # a regression on attention, fitted to structures: nothing trains it here
    return made


def to_packed(batch: Batch, device: str) -> tuple[Packed, Any, Any]:
    """The batch where the network is: its tokens, the places asked of, and what stood there."""
    import torch

    bounds = np.concatenate([[0], np.cumsum(batch.lengths)])
    owner = np.repeat(np.arange(len(batch.lengths)), batch.lengths)
    places = np.arange(len(owner)) - bounds[owner]
    given: list[Any] = [
        torch.from_numpy(np.ascontiguousarray(each)).to(device, non_blocking=True)
        for each in (batch.ids, places, owner, bounds.astype(np.int32), batch.asked, batch.truth)
    ]
    return Packed(given[0], given[1], given[2], tuple(batch.lengths.tolist()), given[3]), given[4], given[5]


def logits(network: Any, packed: Packed, asked: Any, attention: Attention = attend) -> Any:
    """Scores (k, 33) of all tokens at the places asked of; every protein is read as if it were alone."""
    hidden = _embed(network.esm.embeddings.word_embeddings.weight, packed)
    turn = _turn(network.config, packed)
    for layer in network.esm.encoder.layer:
        block = layer.attention
        mixed = attention(*_split(block.self, block.LayerNorm(hidden), turn), packed)
        hidden = block.output(mixed, hidden)
        hidden = layer.output(layer.intermediate(layer.LayerNorm(hidden)), hidden)
    return network.lm_head(network.esm.encoder.emb_layer_norm_after(hidden[asked]))


def loss(network: Any, batch: Batch, device: str, attention: Attention = attend) -> Any:
    """Mean cross-entropy (nats) at the residues asked of; in bfloat16 where the caller has switched that on."""
    from torch.nn.functional import cross_entropy

    packed, asked, truth = to_packed(batch, device)
    return cross_entropy(logits(network, packed, asked, attention).float(), truth)


def work(network: Any, lengths: Any) -> float:
    """Floating-point operations of one training step on proteins of these lengths: 6 a weight and token, and attention's products."""
    layers, width = network.config.num_hidden_layers, network.config.hidden_size
    sizes = np.asarray(lengths, dtype=np.float64)
    return float(6 * 12 * layers * width**2 * sizes.sum() + 12 * layers * width * (sizes**2).sum())


def _embed(words: Any, packed: Packed) -> Any:
    """Hidden tokens are zero, and the others scaled by the share hidden in their own protein."""
    import torch

    hidden = packed.ids == MASK
    sizes = (packed.bounds[1:] - packed.bounds[:-1]).float()
    share = torch.zeros_like(sizes).index_add_(0, packed.owner, hidden.float()) / sizes
    scale = ((1 - _SHOWN) / (1 - share))[packed.owner].masked_fill(hidden, 0.0)
    return torch.nn.functional.embedding(packed.ids, words, padding_idx=PAD) * scale[:, None]


def _turn(config: Any, packed: Packed) -> tuple[Any, Any]:
    """Cosines and signed sines of the rotary angles, (T, 1, head) each (Su et al. 2021, arXiv:2104.09864)."""
    import torch

    size = config.hidden_size // config.num_attention_heads
    base = float(getattr(config, "rope_theta", 10000.0))
    speed = 1.0 / (base ** (torch.arange(0, size, 2, dtype=torch.float, device=packed.ids.device) / size))
    angle = packed.places.float()[:, None] * speed
    cos, sin = angle.cos(), angle.sin()
    return torch.cat((cos, cos), -1)[:, None], torch.cat((-sin, sin), -1)[:, None]


def _split(block: Any, hidden: Any, turn: tuple[Any, Any]) -> tuple[Any, Any, Any]:
    """Queries, keys and values, (T, heads, head) each, the first two turned by their places."""
    shape = (len(hidden), block.num_attention_heads, block.attention_head_size)
    query, key, value = (part(hidden).view(shape) for part in (block.query, block.key, block.value))
    cos, sin = (each.to(query.dtype) for each in turn)

    def turned(each: Any) -> Any:
        return each * cos + each.roll(shape[-1] // 2, -1) * sin

    return turned(query), turned(key), value
