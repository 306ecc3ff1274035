"""Masked protein networks, read fast: an encoder of BERT's or ESM's shape that computes only what a question about residues needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from backend.models.batching import by_length, in_halves
from backend.models.dense import Dense

AMINO = "ACDEFGHIKLMNPQRSTVWY"
"""The twenty amino acids in the order of every column of scores."""

Tokens = NDArray[np.int64]
_BATCH_TOKENS = 580  # measured on one core: more falls out of its cache


class ProteinModel(Protocol):
    """What a family of masked protein models hands out.

    Attributes
    ----------
    window : int
        Residues that the network reads at once.
    mask : int
        Token of a hidden residue.
    stand_in : str
        What stands for a letter that the vocabulary lacks, in words.
    sample : int
        Every so many residues are hidden to judge a sequence where no full scan is made; 0 where the model judges nothing.
    """

    window: int
    mask: int
    stand_in: str
    sample: int

    def tokens(self, sequence: str) -> Tokens:
        """One token a letter."""
        ...

    def unknown(self, sequence: str) -> list[int]:
        """Letters (from 0) that the vocabulary lacks."""
        ...

    def at(self, rows: Tokens, where: NDArray[np.intp]) -> NDArray[np.float32]:
        """Log-probabilities of the twenty amino acids, shape (m, 20), of rows (m, letters) each at its own letter ``where``."""
        ...

    def everywhere(self, rows: Sequence[Tokens]) -> list[NDArray[np.float32]]:
        """Log-probabilities of the twenty at every letter of rows of any lengths."""
        ...

    def doubts(self, sequence: str, own: NDArray[np.float64]) -> list[str]:
        """Why this sequence may not be one for this model; `own` is ln p of its own residues where they were hidden, NaN elsewhere."""
        ...


def embed_pieces(network: Network, rows: Sequence[Tokens], window: int) -> NDArray[np.float32]:
    """One vector a sequence, (m, width): the mean over all its letters, read in pieces of at most `window` letters."""
    pieces = [(at, row[start : start + window]) for at, row in enumerate(rows) for start in range(0, max(1, len(row)), window)]
    found = network.vectors([piece for _, piece in pieces])
    sizes = np.array([len(piece) for _, piece in pieces], dtype=np.float32)
    made = np.zeros((len(rows), found.shape[1]), dtype=np.float32)
    total = np.zeros(len(rows), dtype=np.float32)
    for (at, _), vector, size in zip(pieces, found, sizes, strict=True):
        made[at] += vector * size
        total[at] += size
    means: NDArray[np.float32] = (made / np.maximum(total, 1)[:, None]).astype(np.float32)
    return means


@dataclass(frozen=True)
class Layer:
    """Weights of one layer; query, key and value in one matrix, norms as (weight, bias)."""

    qkv: Dense
    out: Dense
    norm1: tuple[Any, Any]
    up: Dense
    down: Dense
    norm2: tuple[Any, Any]


@dataclass(frozen=True)
class Network:
    """An encoder with its head.

    Attributes
    ----------
    embed : callable
        Tokens (m, n) and a mask of real tokens (m, n) to the first layer's input (m, n, width).
    pre_norm : bool
        ESM normalises before each block, BERT after it.
    speed : tensor or None
        Radians a place by which pairs of queries and keys are turned (rotary places, Su et al. 2021, arXiv:2104.09864).
    final : tuple or None
        Normalisation after the last layer (ESM).
    head : tuple
        Dense layer, normalisation, and decoder of the language-model head; the decoder's rows are those of `AMINO`.
    first, last, pad : int
        Tokens before and after the letters, and in the place of none.
    """

    layers: Sequence[Layer]
    heads: int
    eps: float
    embed: Callable[[Any, Any], Any]
    pre_norm: bool
    speed: Any
    final: tuple[Any, Any] | None
    head: tuple[Dense, tuple[Any, Any], Dense]
    first: int
    last: int
    pad: int
    device: str

    def at(self, rows: Tokens, where: NDArray[np.intp]) -> NDArray[np.float32]:
        """Log-probabilities (m, 20) of rows of one length, each at one letter: the last layer is computed there only."""
        if not len(rows):
            return np.zeros((0, len(AMINO)), dtype=np.float32)
        step = max(1, _BATCH_TOKENS // (rows.shape[1] + 2))
        made = [
            in_halves(lambda part: self._at(rows[list(part)], where[list(part)]), range(start, min(start + step, len(rows))))
            for start in range(0, len(rows), step)
        ]
        return np.concatenate(made)

    def everywhere(self, rows: Sequence[Tokens]) -> list[NDArray[np.float32]]:
        """Log-probabilities (letters, 20) of rows of any lengths, padded together under an attention mask."""
        made: list[NDArray[np.float32]] = [np.zeros((0, len(AMINO)), dtype=np.float32)] * len(rows)
        for batch in by_length([len(row) + 2 for row in rows], 4 * _BATCH_TOKENS):
            found = in_halves(lambda part: self._everywhere([rows[i] for i in part]), batch)
            for i, values in zip(batch, found, strict=True):
                made[i] = values[: len(rows[i])]
        return made

    def _at(self, rows: Tokens, where: NDArray[np.intp]) -> NDArray[np.float32]:
        import torch

        with torch.inference_mode():
            ids = torch.full((len(rows), rows.shape[1] + 2), self.first, dtype=torch.long)
            ids[:, 1:-1] = torch.from_numpy(np.ascontiguousarray(rows))
            ids[:, -1] = self.last
            ids = ids.to(self.device)
            place = torch.from_numpy(np.asarray(where, dtype=np.int64) + 1).to(self.device)
            hidden = self.embed(ids, None)
            turn = self._turn(ids.shape[1])
            for layer in self.layers[:-1]:
                hidden = self._layer(layer, hidden, turn)
            hidden = self._last(self.layers[-1], hidden, turn, place)
            found: NDArray[np.float32] = self._decode(hidden).cpu().numpy()
        return found

    def vectors(self, rows: Sequence[Tokens]) -> NDArray[np.float32]:
        """Mean of the last layer over the letters of each row, (m, width); a row must not be longer than the model's window."""
        made: dict[int, NDArray[np.float32]] = {}
        for batch in by_length([len(row) + 2 for row in rows], 4 * _BATCH_TOKENS):
            made |= dict(zip(batch, in_halves(lambda part: self._means([rows[i] for i in part]), batch), strict=True))
        return np.stack([made[i] for i in range(len(rows))])

    def _means(self, rows: Sequence[Tokens]) -> NDArray[np.float32]:
        import torch

        with torch.inference_mode():
            hidden = self._hidden(rows)
            if self.final is not None:
                hidden = self._norm(hidden, self.final)
            return np.stack([hidden[i, 1 : len(row) + 1].float().mean(0).cpu().numpy() for i, row in enumerate(rows)])

    def _everywhere(self, rows: Sequence[Tokens]) -> NDArray[np.float32]:
        import torch

        with torch.inference_mode():
            found: NDArray[np.float32] = self._decode(self._hidden(rows))[:, 1:-1].cpu().numpy()
        return found

    def _hidden(self, rows: Sequence[Tokens]) -> Any:
        """The last layer's output for rows of any lengths, padded together under an attention mask."""
        import torch

        with torch.inference_mode():
            longest = max(map(len, rows))
            ids = torch.full((len(rows), longest + 2), self.pad, dtype=torch.long)
            for i, row in enumerate(rows):
                ids[i, 0], ids[i, len(row) + 1] = self.first, self.last
                ids[i, 1 : len(row) + 1] = torch.from_numpy(np.ascontiguousarray(row))
            ragged = any(len(row) != longest for row in rows)
            real = (torch.arange(longest + 2) < torch.tensor([len(row) + 2 for row in rows])[:, None]).to(self.device) if ragged else None
            hidden = self.embed(ids.to(self.device), real)
            turn = self._turn(longest + 2)
            for layer in self.layers:
                hidden = self._layer(layer, hidden, turn, real)
        return hidden

    # --- the layers ---------------------------------------------------------------------------------------------------

    def _turn(self, length: int) -> tuple[Any, Any] | None:
        """Cosines and signed sines of the rotary angles, shape (length, 1, head)."""
        import torch

        if self.speed is None:
            return None
        angle = torch.arange(length, dtype=torch.float)[:, None] * self.speed
        cos, sin = angle.cos(), angle.sin()
        return (
            torch.cat((cos, cos), -1)[:, None].to(self.device),
            torch.cat((-sin, sin), -1)[:, None].to(self.device),
        )

    def _split(self, layer: Layer, hidden: Any, turn: tuple[Any, Any] | None) -> tuple[Any, Any, Any]:
        """Queries, keys and values, each (m, heads, n, head)."""
        m, n, _ = hidden.shape
        made = layer.qkv(hidden).view(m, n, 3, self.heads, -1)
        if turn is not None:
            both = made[:, :, :2]  # queries and keys turn alike
            both = both * turn[0].unsqueeze(1) + both.roll(both.shape[-1] // 2, -1) * turn[1].unsqueeze(1)
            return both[:, :, 0].transpose(1, 2), both[:, :, 1].transpose(1, 2), made[:, :, 2].transpose(1, 2)
        return made[:, :, 0].transpose(1, 2), made[:, :, 1].transpose(1, 2), made[:, :, 2].transpose(1, 2)

    def _norm(self, hidden: Any, weights: tuple[Any, Any]) -> Any:
        from torch.nn.functional import layer_norm

        return layer_norm(hidden, weights[0].shape, *weights, self.eps)

    def _layer(self, layer: Layer, hidden: Any, turn: tuple[Any, Any] | None, real: Any = None) -> Any:
        from torch.nn.functional import scaled_dot_product_attention

        query, key, value = self._split(layer, self._norm(hidden, layer.norm1) if self.pre_norm else hidden, turn)
        keep = None if real is None else real[:, None, None, :]
        mixed = scaled_dot_product_attention(query, key, value, attn_mask=keep)
        return self._finish(layer, hidden, mixed.transpose(1, 2).reshape(hidden.shape[0], hidden.shape[1], -1))

    def _last(self, layer: Layer, hidden: Any, turn: tuple[Any, Any] | None, place: Any) -> Any:
        """The layer at one token of each row: keys and values of all tokens, everything else of that one."""
        import torch
        from torch.nn.functional import scaled_dot_product_attention

        query, key, value = self._split(layer, self._norm(hidden, layer.norm1) if self.pre_norm else hidden, turn)
        rows = torch.arange(len(place), device=place.device)
        mixed = scaled_dot_product_attention(query[rows, :, place][:, :, None], key, value)
        return self._finish(layer, hidden[rows, place], mixed.reshape(len(place), -1))

    def _finish(self, layer: Layer, hidden: Any, mixed: Any) -> Any:
        hidden = hidden + layer.out(mixed)
        if self.pre_norm:
            return hidden + layer.down(layer.up(self._norm(hidden, layer.norm2), gelu=True))
        hidden = self._norm(hidden, layer.norm1)
        return self._norm(hidden + layer.down(layer.up(hidden, gelu=True)), layer.norm2)

    def _decode(self, hidden: Any) -> Any:
        import torch

        dense, norm, decoder = self.head
        if self.final is not None:
            hidden = self._norm(hidden, self.final)
        return torch.log_softmax(decoder(self._norm(dense(hidden, gelu=True), norm)), -1)
