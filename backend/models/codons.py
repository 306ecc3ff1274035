"""A causal model of codons to ask: likelihoods, continuations, vectors."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from backend.errors import InputError
from backend.models.batching import by_length, in_halves
from backend.models.codon_neox import Cache, CodonNetwork

Rows = NDArray[np.int64]
CODONS = tuple("".join(letters) for letters in itertools.product("TCAG", repeat=3))
"""The 64 codons in the order of the standard genetic code, and of every column of scores."""
_BATCH_TOKENS = 4_096
_BATCH_TOKENS_GPU = 65_536


@dataclass(frozen=True)
class Written:
    """A continuation that the model wrote: codons, ln p of each when it was written, and why it ended."""

    codons: tuple[str, ...]
    log_probs: tuple[float, ...]
    ended: Literal["stop", "length"]


class CodonModel:
    """A GenSLM (Zvyagin et al. 2023, doi:10.1177/10943420231201154).

    Parameters
    ----------
    vocabulary : mapping
        Token ids; all 64 codons and [UNK], [PAD] are there. Where it has [BOS], every row begins with it.

    Attributes
    ----------
    window : int
        Codons that the network reads at once.
    """

    def __init__(self, network: CodonNetwork, vocabulary: Mapping[str, int]) -> None:
        self._network = network
        self._ids = {codon: vocabulary[codon] for codon in CODONS}
        self._columns = np.array([self._ids[codon] for codon in CODONS])
        self.unknown, self._pad = vocabulary["[UNK]"], vocabulary["[PAD]"]
        self.begin: int | None = vocabulary.get("[BOS]")
        self.window = network.shape.places - (self.begin is not None)
        self._budget = _BATCH_TOKENS if network.device == "cpu" else _BATCH_TOKENS_GPU

    def tokens(self, codons: Sequence[str]) -> Rows:
        """One token a codon; [UNK] for one with a letter other than A, C, G, T."""
        return np.array([self._ids.get(codon, self.unknown) for codon in codons], dtype=np.int64)

    def likelihoods(self, rows: Sequence[Rows]) -> list[NDArray[np.float32]]:
        """ln p of each of the 64 at every codon of rows, given the codons before it, (codons, 64).

        Without a sign for the beginning nothing stands before the first codon, and its row is NaN. Of a row longer than the window
        every codon is judged after half a window or more.
        """
        jobs = [(i, *piece) for i, row in enumerate(rows) for piece in pieces(len(row), self.window) if len(row)]
        made = [np.full((len(row), len(CODONS)), np.nan, dtype=np.float32) for row in rows]
        for batch in by_length([end - start for _, start, end, _ in jobs], self._budget):
            longest = max(jobs[j][2] - jobs[j][1] for j in batch)  # of the whole batch: halves of it must fit together again
            found = in_halves(lambda part: self._read([rows[jobs[j][0]][jobs[j][1] : jobs[j][2]] for j in part], longest), batch)  # noqa: B023
            for j, values in zip(batch, found, strict=True):
                i, start, end, first = jobs[j]
                made[i][first:end] = values[first - start : end - start]
        return made

    def embed(self, sequences: Sequence[str]) -> NDArray[np.float32]:
        """One vector a sequence, (m, width): the mean of the last layer over its codons, read from the first letter.

        Letters after the last whole codon are not read; a sequence longer than the window is read in parts that share no codon.

        Raises
        ------
        InputError
            For a sequence without one whole codon.
        """
        rows = []
        for sequence in sequences:
            letters = sequence.upper().replace("U", "T")
            if len(letters) < 3:
                raise InputError(f"A sequence of {len(letters)} letters holds no whole codon.", "Give three bases or more.")
            rows.append(self.tokens([letters[at : at + 3] for at in range(0, len(letters) - 2, 3)]))
        jobs = [(i, start) for i, row in enumerate(rows) for start in range(0, len(row), self.window)]
        parts = [rows[i][start : start + self.window] for i, start in jobs]
        made = np.zeros((len(rows), self._network.shape.width), dtype=np.float64)
        for batch in by_length([len(part) for part in parts], self._budget):
            found = in_halves(lambda part: self._means([parts[j] for j in part]), batch)
            for j, vector in zip(batch, found, strict=True):
                i = jobs[j][0]
                made[i] += vector * (len(parts[j]) / len(rows[i]))
        return made.astype(np.float32)

    def write(
        self,
        prompt: Sequence[str],
        *,
        most: int,
        temperature: float,
        seed: int,
        stops: frozenset[str],
        watch: Callable[[int], None] | None = None,
    ) -> Written:
        """Continue a beginning by at most `most` codons, ending with the first stop codon.

        Only codons are written: the signs of the vocabulary are left out and the rest is divided by its sum. The same seed on the
        same machine writes the same.

        Parameters
        ----------
        watch : callable, optional
            Called with the number of codons written so far; may raise to stop.

        Raises
        ------
        InputError
            When beginning and continuation do not fit the window, or there is no beginning and the vocabulary has no sign for one.
        """
        import torch

        if len(prompt) + most > self.window:
            raise InputError(
                f"{len(prompt):,} codons and {most:,} more are beyond the {self.window:,} that the model reads at once.",
                "Ask for fewer codons, or give a shorter beginning.",
            )
        row = self._row(self.tokens(prompt))
        if not len(row):
            raise InputError("This model needs a beginning: at least one codon.", "Begin with ATG.")
        chance = np.random.default_rng(seed).random
        cache: Cache = []
        codons, scores = list[str](), list[float]()
        with torch.inference_mode():
            ids = torch.from_numpy(row[None]).to(self._network.device)
            for number in range(most):
                if watch is not None:
                    watch(number)
                hidden = self._network.hidden(ids, cache)[:, -1]
                found = self._network.log_probs(hidden)[0].cpu().numpy().astype(np.float64)[self._columns]
                found -= np.logaddexp.reduce(found)
                at = draw(found, temperature, chance)
                codons.append(CODONS[at])
                scores.append(float(found[at]))
                if CODONS[at] in stops:
                    return Written(tuple(codons), tuple(scores), "stop")
                ids = torch.tensor([[self._ids[CODONS[at]]]], device=self._network.device)
        return Written(tuple(codons), tuple(scores), "length")

    def exercise(self, length: int = 0, batch: int = 0) -> None:
        """Read `batch` rows of `length` codons at once; unless given, as much as any task asks for: a batch of full windows."""
        size = min(length or self.window, self.window)
        row = self.tokens([CODONS[i % 64] for i in range(size)])
        self.likelihoods([row] * (batch or max(1, self._budget // size)))

    def _row(self, tokens: Rows) -> Rows:
        return tokens if self.begin is None else np.concatenate([np.array([self.begin], dtype=np.int64), tokens])

    def _read(self, rows: list[Rows], longest: int) -> NDArray[np.float32]:
        """ln p of the 64 at every codon, (m, longest, 64)."""
        import torch

        with torch.inference_mode():
            ids = torch.from_numpy(stack([self._row(row) for row in rows], self._pad)).to(self._network.device)
            found = self._network.log_probs(self._network.hidden(ids)).cpu().numpy()[:, :-1, self._columns]
        made = np.full((len(rows), longest, len(CODONS)), np.nan, dtype=np.float32)
        skip = int(self.begin is None)
        made[:, skip : skip + found.shape[1]] = found
        return made

    def _means(self, rows: list[Rows]) -> NDArray[np.float32]:
        import torch

        skip = int(self.begin is not None)
        with torch.inference_mode():
            ids = torch.from_numpy(stack([self._row(row) for row in rows], self._pad)).to(self._network.device)
            hidden = self._network.hidden(ids)
            return np.stack([hidden[i, skip : skip + len(row)].float().mean(0).cpu().numpy() for i, row in enumerate(rows)])


def draw(log_probs: NDArray[np.float64], temperature: float, chance: Callable[[], float]) -> int:
    """One of several choices: the likeliest at temperature 0, else by chance with probabilities raised to 1 / temperature."""
    if temperature <= 0:
        return int(np.argmax(log_probs))
    scaled = log_probs / temperature
    shares = np.exp(scaled - scaled.max())
    return min(int(np.searchsorted(np.cumsum(shares) / shares.sum(), chance(), side="right")), len(shares) - 1)


def pieces(length: int, window: int) -> Iterator[tuple[int, int, int]]:
    """Windows over a long row, each as (start, end, first token judged in it): every token is judged once, after half a window or more.

    >>> list(pieces(10, 4))
    [(0, 4, 0), (2, 6, 4), (4, 8, 6), (6, 10, 8)]
    """
    yield 0, min(length, window), 0
    step = max(1, window // 2)
    for number in range(1, 1 + math.ceil(max(0, length - window) / step)):
        start = number * step
        yield start, min(length, start + window), start + window - step


def stack(rows: Sequence[Rows], pad: int) -> Rows:
    """Rows padded on the right to the longest."""
    made = np.full((len(rows), max(map(len, rows))), pad, dtype=np.int64)
    for i, row in enumerate(rows):
        made[i, : len(row)] = row
    return made
