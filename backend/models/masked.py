"""Masked protein networks, read fast: an encoder of BERT's or ESM's shape that computes only what a question about residues needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from backend.models.batching import in_halves
from backend.models.dense import Dense
from backend.models.packed import Packed, attend, in_batches, pack
from backend.models.packed import Tokens as Tokens

AMINO = "ACDEFGHIKLMNPQRSTVWY"
"""The twenty amino acids in the order of every column of scores."""

_BATCH_TOKENS = 580  # measured on one core: more falls out of its cache
_DEVICE_TOKENS = 16_384  # an accelerator wants to be filled; where its memory does not suffice, batches are halved


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
        Sequences laid end to end, T tokens, to the first layer's input (T, width).
    pre_norm : bool
        ESM normalises before each block, BERT after it.
    speed : tensor or None
        Radians a place by which pairs of queries and keys are turned (rotary places, Su et al. 2021, arXiv:2104.09864).
    final : tuple or None
        Normalisation after the last layer (ESM).
    head : tuple
        Dense layer, normalisation, and decoder of the language-model head; the decoder's rows are those of `AMINO`.
    first, last : int
        Tokens before and after the letters.
    """

    layers: Sequence[Layer]
    heads: int
    eps: float
    embed: Callable[[Packed], Any]
    pre_norm: bool
    speed: Any
    final: tuple[Any, Any] | None
    head: tuple[Dense, tuple[Any, Any], Dense]
    first: int
    last: int
    device: str

    def at(self, rows: Tokens, where: NDArray[np.intp]) -> NDArray[np.float32]:
        """Log-probabilities (m, 20) of rows of one length, each at one letter: the last layer is computed there only."""
        if not len(rows):
            return np.zeros((0, len(AMINO)), dtype=np.float32)
        step = max(1, self._budget() // (rows.shape[1] + 2))
        made = [
            in_halves(lambda part: self._at(rows[list(part)], where[list(part)]), range(start, min(start + step, len(rows))))
            for start in range(0, len(rows), step)
        ]
        return np.concatenate(made)

    def everywhere(self, rows: Sequence[Tokens]) -> list[NDArray[np.float32]]:
        """Log-probabilities (letters, 20) of rows of any lengths, laid end to end without padding."""
        made: list[NDArray[np.float32]] = [np.zeros((0, len(AMINO)), dtype=np.float32)] * len(rows)
        for batch in in_batches([len(row) + 2 for row in rows], 4 * self._budget()):
            found = in_halves(lambda part: self._everywhere([rows[i] for i in part]), batch)
            edges = np.cumsum([len(rows[i]) for i in batch])[:-1]
            made_here = np.split(found, edges)
            for i, values in zip(batch, made_here, strict=True):
                made[i] = values
        return made

    def vectors(self, rows: Sequence[Tokens]) -> NDArray[np.float32]:
        """Mean of the last layer over the letters of each row, (m, width); a row must not be longer than the model's window."""
        made: dict[int, NDArray[np.float32]] = {}
        for batch in in_batches([len(row) + 2 for row in rows], 4 * self._budget()):
            made |= dict(zip(batch, in_halves(lambda part: self._means([rows[i] for i in part]), batch), strict=True))
        return np.stack([made[i] for i in range(len(rows))])

    def pack(self, rows: Sequence[Tokens]) -> Packed:
        """Rows with the network's first and last token, where the network is."""
        return pack(rows, self.first, self.last, self.device)

    def _budget(self) -> int:
        return _BATCH_TOKENS if self.device == "cpu" else _DEVICE_TOKENS

    def _at(self, rows: Tokens, where: NDArray[np.intp]) -> NDArray[np.float32]:
        import torch

        with torch.inference_mode():
            packed = self.pack(list(rows))
            place = packed.starts + 1 + torch.from_numpy(np.asarray(where, dtype=np.int64)).to(self.device)
            hidden, turn = self.embed(packed), self.turn(packed)
            for layer in self.layers[:-1]:
                hidden = self._layer(layer, hidden, turn, packed)
            hidden = self._last(self.layers[-1], hidden, turn, place)
            found: NDArray[np.float32] = self._decode(hidden).cpu().numpy()
        return found

    def _means(self, rows: Sequence[Tokens]) -> NDArray[np.float32]:
        import torch

        with torch.inference_mode():
            packed = self.pack(rows)
            hidden = self._hidden(packed)
            if self.final is not None:
                hidden = self._norm(hidden, self.final)
            letters = hidden.float().split(packed.lengths)
            return np.stack([each[1:-1].mean(0).cpu().numpy() for each in letters])

    def _everywhere(self, rows: Sequence[Tokens]) -> NDArray[np.float32]:
        """Log-probabilities of all letters of all rows, one row after another."""
        import torch

        with torch.inference_mode():
            packed = self.pack(rows)
            longest = torch.tensor(packed.lengths, device=self.device)[packed.owner]
            letters = (packed.places > 0) & (packed.places < longest - 1)
            found: NDArray[np.float32] = self._decode(self._hidden(packed)[letters]).cpu().numpy()
        return found

    def _hidden(self, packed: Packed) -> Any:
        """The last layer's output (T, width)."""
        hidden, turn = self.embed(packed), self.turn(packed)
        for layer in self.layers:
            hidden = self._layer(layer, hidden, turn, packed)
        return hidden

    # --- the layers ---------------------------------------------------------------------------------------------------

    def turn(self, packed: Packed) -> tuple[Any, Any] | None:
        """Cosines and signed sines of the rotary angles, shape (T, 1, 1, head), in the weights' precision."""
        import torch

        if self.speed is None:
            return None
        angle = torch.arange(max(packed.lengths), dtype=torch.float)[:, None] * self.speed
        cos, sin = angle.cos(), angle.sin()
        kept = self.layers[0].norm1[0].dtype
        both = (torch.cat((cos, cos), -1), torch.cat((-sin, sin), -1))
        made = [each.to(self.device, kept)[packed.places][:, None, None] for each in both]
        return made[0], made[1]

    def split(self, layer: Layer, hidden: Any, turn: tuple[Any, Any] | None) -> tuple[Any, Any, Any]:
        """Queries, keys and values, each (T, heads, head)."""
        import torch

        made = layer.qkv(self._norm(hidden, layer.norm1) if self.pre_norm else hidden).view(len(hidden), 3, self.heads, -1)
        if turn is None:
            return made[:, 0], made[:, 1], made[:, 2]
        both = made[:, :2]  # queries and keys turn alike
        both = torch.addcmul(both * turn[0], both.roll(both.shape[-1] // 2, -1), turn[1])
        return both[:, 0], both[:, 1], made[:, 2]

    def _norm(self, hidden: Any, weights: tuple[Any, Any]) -> Any:
        from torch.nn.functional import layer_norm

        return layer_norm(hidden, weights[0].shape, *weights, self.eps)

    def _layer(self, layer: Layer, hidden: Any, turn: tuple[Any, Any] | None, packed: Packed) -> Any:
        return self.finish(layer, hidden, attend(*self.split(layer, hidden, turn), packed))

    def _last(self, layer: Layer, hidden: Any, turn: tuple[Any, Any] | None, place: Any) -> Any:
        """The layer at one token of each of m rows of one length: keys and values of all tokens, everything else of that one."""
        from torch.nn.functional import scaled_dot_product_attention

        query, key, value = self.split(layer, hidden, turn)
        m = len(place)
        keys, values = (each.view(m, -1, *each.shape[1:]).transpose(1, 2) for each in (key, value))
        mixed = scaled_dot_product_attention(query[place][:, :, None], keys, values)
        return self.finish(layer, hidden[place], mixed.reshape(m, -1))

    def finish(self, layer: Layer, hidden: Any, mixed: Any) -> Any:
        """What a layer does once attention has mixed the values."""
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
        return torch.log_softmax(decoder(self._norm(dense(hidden, gelu=True), norm)).float(), -1)
