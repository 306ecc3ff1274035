"""Contacts from attention: a logistic regression on the corrected attention maps of all layers, added up layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.models.batching import in_halves
from backend.models.masked import Network
from backend.models.packed import Tokens

_MOST_BYTES = 256_000_000  # of one layer's attention maps at once


@dataclass(frozen=True)
class ContactHead:
    """The regression of a checkpoint: a weight for each head of each layer (layers, heads), and one bias."""

    weights: Any
    bias: Any


def contact_maps(network: Network, head: ContactHead, rows: Tokens) -> NDArray[np.float32]:
    """Probability of contact of every two letters (CB atoms within 8 Å), shape (m, n, n), of m rows of one length n.

    Attention of every layer and head without the first and last token, made symmetric, less what row and column alone foretell (average
    product correction), into the checkpoint's logistic regression (Rao et al. 2021, doi:10.1101/2020.12.15.422761).
    """
    n = rows.shape[1]
    step = max(1, _MOST_BYTES // (4 * network.heads * (n + 2) ** 2))
    made = [in_halves(lambda part: _maps(network, head, part), list(rows[at : at + step])) for at in range(0, len(rows), step)]
    return np.concatenate(made)


def _maps(network: Network, head: ContactHead, rows: Sequence[Tokens]) -> NDArray[np.float32]:
    import torch

    with torch.inference_mode():
        packed = network.pack(rows)
        hidden, turn, total = network.embed(packed), network.turn(packed), head.bias.float()
        m, n = len(rows), packed.lengths[0]
        for layer, weights in zip(network.layers, head.weights, strict=True):
            query, key, value = (each.view(m, n, *each.shape[1:]).transpose(1, 2) for each in network.split(layer, hidden, turn))
            shares = torch.softmax((query @ key.transpose(-1, -2)).float() * query.shape[-1] ** -0.5, -1)
            hidden = network.finish(layer, hidden, (shares.to(value.dtype) @ value).transpose(1, 2).reshape(m * n, -1))
            inside = shares[:, :, 1:-1, 1:-1]
            inside = inside + inside.transpose(-1, -2)
            foretold = inside.sum(-1, keepdim=True) * inside.sum(-2, keepdim=True) / inside.sum((-1, -2), keepdim=True)
            total = total + torch.einsum("h,mhij->mij", weights.float(), inside - foretold)
        found: NDArray[np.float32] = torch.sigmoid(total).cpu().numpy()
    return found
