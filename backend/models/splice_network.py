"""The SpliceAI-10k network in torch: dense along a sequence, and at one base only, where little is computed anew for a changed letter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

CONTEXT = 5000  # bases that the network reads on each side of the base it judges
CHANNELS = ("none", "acceptor", "donor")
GROUPS = ((11, 1), (11, 4), (21, 10), (41, 25))  # kernel width and dilation of four residual blocks each
_EPSILON = 1e-3  # of its batch normalisation
_STEPS = (1, 1, 5, 25)  # what lies on every such base is all that a group must compute for one base of the output


@dataclass(frozen=True)
class _Block:
    """Normalise, rectify, convolve, twice; the second normalisation is folded into the first convolution."""

    scale: Any
    shift: Any
    first: Any
    first_bias: Any
    second: Any
    second_bias: Any
    width: int
    dilation: int

    @property
    def reach(self) -> int:
        """Bases that each of its two convolutions reads on each side."""
        return (self.width - 1) // 2 * self.dilation

    def half(self, h: Any, step: int) -> Any:
        import torch

        lit = torch.relu_(torch.addcmul(self.shift, h, self.scale))
        return torch.relu_(torch.conv1d(lit, self.first, self.first_bias, dilation=self.dilation // step))

    def rest(self, middle: Any, step: int) -> Any:
        import torch

        return torch.conv1d(middle, self.second, self.second_bias, dilation=self.dilation // step)


class Network:
    """One network of 32 residual convolutions (Jaganathan et al. 2019, doi:10.1016/j.cell.2018.12.015, figure 1A).

    It never pads within: a base's output is a function of the 10,001 letters around it and of nothing else, wherever a window begins.

    Parameters
    ----------
    weights : mapping of str to numpy.ndarray
        ``conv1`` to ``conv39`` as (width, in, out), ``bias1`` to ``bias39``, and ``gamma``, ``beta``, ``mean``, ``variance`` 1 to 32.
    """

    def __init__(self, weights: Mapping[str, np.ndarray], device: str) -> None:
        import torch

        def tensor(values: np.ndarray) -> Any:
            return torch.from_numpy(np.array(values, dtype=np.float32, order="C")).to(device)

        def kernel(number: int) -> np.ndarray:
            return weights[f"conv{number}"].astype(np.float64).transpose(2, 1, 0)

        def norm(number: int) -> tuple[np.ndarray, np.ndarray]:
            scale = weights[f"gamma{number}"].astype(np.float64) / np.sqrt(weights[f"variance{number}"].astype(np.float64) + _EPSILON)
            return scale, weights[f"beta{number}"] - weights[f"mean{number}"] * scale

        self._opening = (tensor(kernel(1)), tensor(weights["bias1"]))
        self._skips = [(tensor(kernel(number)), tensor(weights[f"bias{number}"])) for number in (2, 11, 20, 29, 38)]
        self._closing = (tensor(kernel(39)), tensor(weights["bias39"]))
        self._groups: list[list[_Block]] = []
        for group, (width, dilation) in enumerate(GROUPS):
            blocks = []
            for block in range(4):
                number, before = 3 + 9 * group + 2 * block, 1 + 8 * group + 2 * block
                scale, shift = norm(before)
                inner, inner_shift = norm(before + 1)
                blocks.append(
                    _Block(
                        tensor(scale[:, None]),
                        tensor(shift[:, None]),
                        tensor(kernel(number) * inner[:, None, None]),
                        tensor(weights[f"bias{number}"] * inner + inner_shift),
                        tensor(kernel(number + 1)),
                        tensor(weights[f"bias{number + 1}"]),
                        width,
                        dilation,
                    )
                )
            self._groups.append(blocks)

    def dense(self, x: Any) -> Any:
        """Probabilities (m, 3, n - 10,000) of one-hot letters (m, 4, n)."""
        import torch

        h = torch.conv1d(x, *self._opening)
        skip = torch.conv1d(h, *self._skips[0])
        for group, closing in zip(self._groups, self._skips[1:], strict=True):
            for block in group:
                cut = 2 * block.reach
                h = block.rest(block.half(h, 1), 1).add_(h[..., cut : h.shape[-1] - cut])
            cut = (skip.shape[-1] - h.shape[-1]) // 2
            skip = skip[..., cut : skip.shape[-1] - cut] + torch.conv1d(h, *closing)
        return torch.softmax(torch.conv1d(skip, *self._closing), dim=1)

    def at_base(self, x: Any, start: int, end: int) -> AtBase:
        """Prepare to judge the base in the middle of one-hot letters (1, 4, 10,001) again and again, letters `start` to `end` changing."""
        return AtBase(self, x, start, end)


class AtBase:
    """One network's verdict on one base, for many versions of the letters around it.

    Only what a changed letter can reach is computed anew, and of that only what the one base reads: the last group of blocks reads
    every 25th base, the third every fifth.
    """

    def __init__(self, network: Network, x: Any, start: int, end: int) -> None:
        import torch

        self._network, self._start, self._end = network, start, end
        # Coordinates count bases from the judged one. `held` keeps what each convolution reads: values, first base, bases between.
        self._held: list[_Strip] = []
        h = _Strip(torch.conv1d(x, *network._opening), -CONTEXT, 1)
        self._opened = h
        skips = [h.at(0)]
        for group, step in zip(network._groups, _STEPS, strict=True):
            h = h.thinned(step)
            for block in group:
                middle = _Strip(block.half(h.values, step), h.first + block.reach, step)
                made = block.rest(middle.values, step)
                self._held += [h, middle]
                h = _Strip(made + h.part(middle.first + block.reach, made.shape[-1]), middle.first + block.reach, step)
            skips.append(h.at(0))
        self._skips = skips

    def probabilities(self, x: Any) -> Any:
        """(m, 3) for one-hot letters (m, 4, end - start) in place of those from `start` to `end`."""
        import torch

        network = self._network
        fresh = _Strip(torch.conv1d(x, *network._opening), self._start - CONTEXT, 1)
        total = torch.conv1d(fresh.over(self._skips[0], 0), *network._skips[0])
        held = iter(self._held)
        for group, step, closing, kept in zip(network._groups, _STEPS, network._skips[1:], self._skips[1:], strict=True):
            fresh = fresh.thinned(step)
            for block in group:
                before, middle = next(held), next(held)
                inner = block.half(before.around(fresh, block.reach, middle).values, step)
                first, last = middle.touched(fresh, block.reach)
                lit = _Strip(inner, first, step)
                first, last = _touched(lit, block.reach, middle.first + block.reach, middle.last - block.reach, step)
                made = block.rest(middle.patched(lit, first - block.reach, last + block.reach).values, step)
                fresh = _Strip(made.add_(before.patched(fresh, first, last).values), first, step)
            total = total + torch.conv1d(fresh.over(kept, 0), *closing)
        return torch.softmax(torch.conv1d(total, *network._closing), dim=1)[..., 0]


@dataclass(frozen=True)
class _Strip:
    """Values (m, channels, n) on bases `first`, `first` + `step`, ..."""

    values: Any
    first: int
    step: int

    @property
    def last(self) -> int:
        return self.first + (int(self.values.shape[-1]) - 1) * self.step

    def part(self, first: int, count: int) -> Any:
        at = (first - self.first) // self.step
        return self.values[..., at : at + count]

    def at(self, base: int) -> Any:
        return self.part(base, 1)

    def over(self, kept: Any, base: int) -> Any:
        """The value at `base`: this strip's where it has one, else the one kept."""
        return self.at(base) if self.first <= base <= self.last else kept.expand(len(self.values), -1, -1)

    def thinned(self, step: int) -> _Strip:
        """Only the bases that are whole multiples of `step` away from the judged one."""
        if step == self.step:
            return self
        skip = (-self.first % step) // self.step
        return _Strip(self.values[..., skip :: step // self.step].contiguous(), self.first + skip * self.step, step)

    def touched(self, fresh: _Strip, reach: int) -> tuple[int, int]:
        """First and last base of this strip that a convolution of such reach computes from a base of `fresh`."""
        return _touched(fresh, reach, self.first, self.last, self.step)

    def around(self, fresh: _Strip, reach: int, made: _Strip) -> _Strip:
        """What a convolution reads to make every base of `made` that `fresh` touches: this strip with `fresh` laid over it."""
        first, last = made.touched(fresh, reach)
        return self.patched(fresh, first - reach, last + reach)

    def patched(self, fresh: _Strip, first: int, last: int) -> _Strip:
        """This strip from `first` to `last`, `fresh` laid over it."""
        count = (last - first) // self.step + 1
        values = self.part(first, count).expand(len(fresh.values), -1, -1).clone()
        low, high = max(first, fresh.first), min(last, fresh.last)
        if low <= high:
            into, size = (low - first) // self.step, (high - low) // self.step + 1
            values[..., into : into + size] = fresh.part(low, size)
        return _Strip(values, first, self.step)


def _touched(fresh: _Strip, reach: int, first: int, last: int, step: int) -> tuple[int, int]:
    return max(first, fresh.first - reach), min(last, fresh.last + reach)


def one_hot(codes: np.ndarray, device: str) -> Any:
    """Letters as codes (m, n), 0 to 3 for A, C, G, T and anything above for an unknown letter, as float32 (m, 4, n); unknown is zeros."""
    import torch

    table = np.vstack([np.eye(4, dtype=np.float32), np.zeros((1, 4), dtype=np.float32)])
    return torch.from_numpy(np.ascontiguousarray(table[np.minimum(codes, 4)].transpose(0, 2, 1))).to(device)


def mean_of(found: Sequence[Any]) -> Any:
    """The mean of several networks' probabilities, as the published graph takes it."""
    import torch

    return torch.stack(list(found)).mean(dim=0)
