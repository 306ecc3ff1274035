"""Whether a model, or a request to it, fits the memory that is free: from what was measured here, else from its card."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from backend.config import Config
from backend.domain import ModelCard
from backend.models.measured import Measured, read_measured
from backend.models.store import readable

Origin = Literal["measured on this machine", "measured by us", "computed, not measured"]

_MOST_NAMED = 6


@dataclass(frozen=True)
class Need:
    """Bytes that a model or a request takes, and where the figure comes from."""

    bytes: int
    origin: Origin


@dataclass(frozen=True)
class Fit:
    """Whether a model or a request fits now.

    Attributes
    ----------
    needed, available : int
        Bytes it takes, and bytes available once idle models were unloaded.
    origin : str
        Where `needed` comes from.
    would : tuple of str
        Where it does not fit, what would, in whole sentences; empty where it fits.
    """

    ok: bool
    reason: str
    needed: int
    available: int
    origin: Origin = "computed, not measured"
    would: tuple[str, ...] = ()


def need(config: Config, card: ModelCard, length: int | None = None, batch: int | None = None, *, loaded: bool = False) -> Need:
    """What a model takes, or a request of `batch` inputs of `length` tokens or letters each.

    Parameters
    ----------
    loaded : bool
        The model is in memory already: only what the request adds counts.
    """
    found = read_measured(config, card)
    if found is None:
        return Need(0 if loaded else card.peak_bytes, "measured by us" if card.peak_is_measured else "computed, not measured")
    return Need(_of(found, length, batch, loaded), "measured on this machine")


def peak_in_words(config: Config, card: ModelCard) -> str:
    """A card's memory for the reader, with where the figure comes from."""
    found = read_measured(config, card)
    if found is not None:
        return f"{readable(found.peak_bytes)}, measured on this machine on {found.date[:10]}"
    if not card.peak_bytes:
        return "little"
    return f"{readable(card.peak_bytes)}, {'measured by us' if card.peak_is_measured else 'computed, not measured'}"


def what_would(
    config: Config, card: ModelCard, known: Iterable[ModelCard], available: int, size: tuple[int | None, int | None], loaded: bool,
    present: Callable[[ModelCard], bool],
) -> tuple[str, ...]:  # fmt: skip
    """What fits in place of a model or request that does not: fewer at once, shorter ones, other models for the same tasks."""
    made: list[str] = []
    found = read_measured(config, card)
    length, batch = size
    if found is not None and found.by_size and length:
        made += _sizes_that_fit(found, length, batch or 1, available, loaded)
    others = [
        each
        for each in known
        if each.name != card.name and not each.template and set(each.tasks) & set(card.tasks) and need(config, each).bytes <= available
    ]
    others.sort(key=lambda each: (each.untrained, bool(each.files) and not present(each), -each.parameters))
    if others:
        made.append(f"What fits: {', '.join(each.title for each in others[:_MOST_NAMED])}.")
    return tuple(made) or ("Close other programs, or use a machine with more memory.",)


def _of(found: Measured, length: int | None, batch: int | None, loaded: bool) -> int:
    taken = found.peak(length, batch or 1) if length and found.by_size else max(point.bytes for point in found.points)
    return max(0, taken - found.loaded_bytes) if loaded else max(found.load_peak_bytes, taken)


def _sizes_that_fit(found: Measured, length: int, batch: int, available: int, loaded: bool) -> list[str]:
    made = []
    at_once = _largest(batch, lambda number: _of(found, length, number, loaded) <= available)
    if at_once:
        made.append(f"At this length, {at_once} at once would fit.")
    longest = _largest(length, lambda letters: _of(found, letters, batch, loaded) <= available)
    if longest:
        made.append(f"{'One input' if batch == 1 else f'{batch:,} at once'} would fit up to a length of {longest:,}.")
    return made


def _largest(most: int, fits: Callable[[int], bool]) -> int:
    """The largest number from 1 to `most` that fits, 0 where none does; what a number takes never falls with it."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low
