"""Texts or sequences in batches: of similar length, within a budget, and in halves when the device's memory runs out."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import numpy as np

from backend.errors import ModelError

_Row = TypeVar("_Row")

_OUT_OF_MEMORY = ("out of memory", "can't allocate memory")  # MPS and CPU raise a RuntimeError that only its text tells apart


class TooLittleMemory(ModelError):
    """Memory does not suffice even for a single input."""


def by_length(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Positions grouped by similar length, longest first, each group within `budget` tokens once padded."""
    batch: list[int] = []
    for i in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        if batch and (len(batch) + 1) * lengths[batch[0]] > budget:
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch


def in_halves(compute: Callable[[Sequence[_Row]], np.ndarray], rows: Sequence[_Row]) -> np.ndarray:
    """``compute(rows)``, in two halves, and those in halves, where memory does not suffice for all at once.

    Parameters
    ----------
    compute : callable
        Gives one row of its result for each row it is handed, the same whatever stands beside it.
    rows : sequence
        At least one.

    Raises
    ------
    TooLittleMemory
        When memory does not suffice for a single row.
    """
    try:
        return compute(rows)
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        short = len(rows) == 1
    # Outside the handler: the exception would keep the failed attempt's tensors alive.
    _release()
    if short:
        raise TooLittleMemory(
            "The device has too little free memory to read even one input of this length.",
            "Give shorter ones, close other programs, or set BIOLOOM_DEVICE=cpu.",
        )
    half = len(rows) // 2
    return np.concatenate([in_halves(compute, rows[:half]), in_halves(compute, rows[half:])])


def is_out_of_memory(error: Exception) -> bool:
    """Whether an error says that memory did not suffice, on whatever device."""
    import torch

    return isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError) and any(words in str(error) for words in _OUT_OF_MEMORY)
    )


def _release() -> None:
    gc.collect()
    if (torch := sys.modules.get("torch")) is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
