"""Attention within each protein for training: over lengths where this machine's kernels prove right forwards and backwards, else padded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from backend.models.packed import Packed, attend, attend_padded, pack

Attention = Callable[[Any, Any, Any, Packed], Any]
_LENGTHS = (70, 5, 300, 33)
_TOLERANCE = 2e-2  # of the largest value, in bfloat16


def padded(query: Any, key: Any, value: Any, packed: Packed) -> Any:
    """As `attend`, always padded to the longest under a mask: slower, and right everywhere."""
    return attend_padded(query, key, value, packed).reshape(len(query), -1)


def pick_attention(device: str, heads: int, size: int, precision: Any) -> Attention:
    """`attend` where its result and its gradients agree with padded attention in this precision, else `padded`.

    Parameters
    ----------
    heads, size : int
        Heads and width of a head.
    precision : torch.dtype
    """
    return attend if disagreement(attend, device, heads, size, precision) < _TOLERANCE else padded


def disagreement(one: Attention, device: str, heads: int, size: int, precision: Any) -> float:
    """Largest difference of result and gradients from padded attention on drawn numbers, as a share; infinity where `one` fails."""
    import torch

    packed = pack([np.zeros(length, np.int64) for length in _LENGTHS], 0, 0, device)
    drawn = torch.Generator().manual_seed(0)
    parts = [torch.randn(len(packed.ids), heads, size, generator=drawn).to(device, precision) for _ in range(4)]
    made: list[list[Any]] = []
    for way in (one, padded):
        inside = [each.clone().requires_grad_() for each in parts[:3]]
        try:
            out = way(inside[0], inside[1], inside[2], packed)
            out.backward(parts[3].reshape(out.shape))
        except (ImportError, RuntimeError, AttributeError, NotImplementedError, TypeError, ValueError):
            return float("inf")
        made.append([out.detach(), *(each.grad for each in inside)])
    return max(float((a - b).abs().max() / b.abs().max()) for a, b in zip(*made, strict=True))
