"""Sequences of any lengths laid end to end without padding, and attention that stays within each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Tokens = NDArray[np.int64]
_TOLERANCE = 2e-2  # of a trial attention against torch's own, in bfloat16


@dataclass(frozen=True)
class Packed:
    """T tokens of m sequences, one after another.

    Attributes
    ----------
    ids : tensor (T,)
        Tokens, with each sequence's own first and last.
    places : tensor (T,)
        Place of each token in its sequence, from 0.
    owner : tensor (T,)
        Number of the sequence that each token belongs to.
    lengths : tuple of int
        Tokens of each sequence.
    bounds : tensor (m + 1,)
        int32: where each sequence begins, and T.
    """

    ids: Any
    places: Any
    owner: Any
    lengths: tuple[int, ...]
    bounds: Any

    @property
    def starts(self) -> Any:
        """Tensor (m,): where each sequence begins."""
        return self.bounds[:-1].long()

    def runs(self) -> Iterator[tuple[int, int, int]]:
        """Neighbours of equal length as (first token, how many sequences, tokens of each)."""
        begin = at = 0
        while at < len(self.lengths):
            length, count = self.lengths[at], 1
            while at + count < len(self.lengths) and self.lengths[at + count] == length:
                count += 1
            yield begin, count, length
            begin, at = begin + count * length, at + count


def pack(rows: Sequence[Tokens], first: int, last: int, device: str) -> Packed:
    """Rows of letters with a first and a last token each; beside the letters nothing is added."""
    import torch

    lengths = np.array([len(row) + 2 for row in rows], dtype=np.int64)
    bounds = np.concatenate([[0], np.cumsum(lengths)])
    ids = np.empty(bounds[-1], dtype=np.int64)
    for row, begin, end in zip(rows, bounds[:-1], bounds[1:], strict=True):
        ids[begin], ids[begin + 1 : end - 1], ids[end - 1] = first, row, last
    owner = np.repeat(np.arange(len(rows)), lengths)
    made = (ids, np.arange(len(ids)) - bounds[owner], owner, bounds.astype(np.int32))
    tokens, places, owners, edges = (torch.from_numpy(np.ascontiguousarray(each)).to(device) for each in made)
    return Packed(tokens, places, owners, tuple(int(length) for length in lengths), edges)


def in_batches(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Positions, the longest first, in groups of at most `budget` tokens; one that is longer stands alone."""
    batch: list[int] = []
    held = 0
    for i in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        if batch and held + lengths[i] > budget:
            yield batch
            batch, held = [], 0
        batch.append(i)
        held += lengths[i]
    if batch:
        yield batch


def attend(query: Any, key: Any, value: Any, packed: Packed) -> Any:
    """Attention of every token to those of its own sequence: (T, heads, head) to (T, heads * head).

    On CUDA in half precision by flash attention over lengths where this torch has it; elsewhere on CUDA padded under a mask; on other
    devices group by group of equal length.
    """
    if query.device.type != "cuda":
        made = attend_in_groups(query, key, value, packed)
    elif _flash_works(query):
        made = _attend_flash(query, key, value, packed)
    else:
        made = attend_padded(query, key, value, packed)
    return made.reshape(len(query), -1)


def attend_in_groups(query: Any, key: Any, value: Any, packed: Packed) -> Any:
    """One call a group of neighbours of equal length; the result is (T, heads, head)."""
    import torch
    from torch.nn.functional import scaled_dot_product_attention

    made = []
    for begin, count, length in packed.runs():
        group = (each[begin : begin + count * length].view(count, length, *each.shape[1:]).transpose(1, 2) for each in (query, key, value))
        made.append(scaled_dot_product_attention(*group).transpose(1, 2).reshape(count * length, *query.shape[1:]))
    return made[0] if len(made) == 1 else torch.cat(made)


def attend_padded(query: Any, key: Any, value: Any, packed: Packed) -> Any:
    """All sequences at once, padded to the longest under a mask; the result is (T, heads, head)."""
    import torch
    from torch.nn.functional import scaled_dot_product_attention

    shape = (len(packed.lengths), max(packed.lengths))
    padded = [each.new_zeros(*shape, *each.shape[1:]) for each in (query, key, value)]
    for empty, each in zip(padded, (query, key, value), strict=True):
        empty[packed.owner, packed.places] = each
    real = torch.zeros(shape, dtype=torch.bool, device=query.device)
    real[packed.owner, packed.places] = True
    keep = None if len(set(packed.lengths)) == 1 else real[:, None, None, :]
    queries, keys, values = (each.transpose(1, 2) for each in padded)
    mixed = scaled_dot_product_attention(queries, keys, values, attn_mask=keep)
    return mixed.transpose(1, 2)[packed.owner, packed.places]


def _attend_flash(query: Any, key: Any, value: Any, packed: Packed) -> Any:
    from torch.nn.attention.varlen import varlen_attn

    longest = max(packed.lengths)
    return varlen_attn(query, key, value, packed.bounds, packed.bounds, longest, longest)


_found: dict[tuple[str, int], bool] = {}


def _flash_works(query: Any) -> bool:
    """Whether attention over lengths runs for this precision and head size and gives what the padded one gives; tried once of each."""
    import torch

    kind = (str(query.dtype), int(query.shape[-1]))
    if kind not in _found:
        if query.dtype not in (torch.bfloat16, torch.float16):
            _found[kind] = False
        else:
            # one beside another in memory, as a layer's product leaves them
            q, k, v = torch.randn(9, 3, *query.shape[1:], dtype=query.dtype, device=query.device).unbind(1)
            packed = pack([np.zeros(4, np.int64), np.zeros(1, np.int64)], 0, 0, str(query.device))
            try:
                difference = _attend_flash(q, k, v, packed) - attend_padded(q, k, v, packed)
                _found[kind] = bool(difference.abs().max() < _TOLERANCE)
            except (ImportError, RuntimeError, AttributeError, NotImplementedError, TypeError, ValueError):
                _found[kind] = False
    return _found[kind]
