"""BERT on biomedical text: vectors and hidden words, and what its fine-tuned heads share."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.errors import InputError
from backend.models.abilities import Candidate, Floats
from backend.models.batching import by_length, in_halves
from backend.models.word_pieces import MASK, WordPieces

_BATCH_TOKENS = {"cpu": 2_048, "cuda": 65_536}
_HALF_FROM = 1_024  # word pieces: for fewer, half precision gains nothing that anyone would notice
GONE = -10.0
"""ln odds of what is not in a text any more."""


@dataclass(frozen=True)
class Row:
    """One input of the network: tokens, and for each whether it stands in the first or the second text."""

    ids: tuple[int, ...]
    kinds: tuple[int, ...]


class BertText:
    """An encoder: texts to vectors. What the other classes of this file share.

    Attributes
    ----------
    window : int
        Word pieces that the network reads at once, the special ones included.
    halves : bool
        Whether a second copy in half precision may be kept for many texts at once, such as the versions of one text that explain it:
        true of readers so small that it costs little memory.
    """

    halves = False

    def __init__(self, network: Any, pieces: WordPieces, window: int, device: str) -> None:
        self.window = window
        self._network, self._pieces, self._device = network, pieces, device
        self._encoder = getattr(network, "bert", network)
        self._half: Any = None

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """Word pieces of each text, the special ones included."""
        return [len(each.ids) + 2 for each in self._pieces.cut(texts)]

    def unknown_share(self, text: str) -> float:
        """Share of a text's word pieces that the vocabulary does not know."""
        return self._pieces.unknown_share(text)

    def embed(self, texts: Sequence[str]) -> Floats:
        """One vector a text, (m, width): the mean of the last layer over its tokens, [CLS] and [SEP] included.

        A text beyond the window is read in windows one after another; its vector is their mean, each weighted by its tokens.
        """
        rows: list[Row] = []
        owners: list[int] = []
        for at, each in enumerate(self._pieces.cut(texts)):
            for start in range(0, max(1, len(each.ids)), self.window - 2):
                rows.append(self._single(each.ids[start : start + self.window - 2]))
                owners.append(at)
        sums = self._batched(rows, self._sums)
        made = np.zeros((len(texts), sums[0].shape[-1] if sums else 0), dtype=np.float32)
        tokens = np.zeros(len(texts), dtype=np.float32)
        for at, row, total in zip(owners, rows, sums, strict=True):
            made[at] += total
            tokens[at] += len(row.ids)
        means: Floats = (made / np.maximum(tokens, 1)[:, None]).astype(np.float32)
        return means

    def exercise(self, length: int = 0, batch: int = 4) -> None:
        """Read `batch` texts of `length` tokens (a full window unless given): what a measurement of memory runs."""
        size = min(self.window, length or self.window)
        self._batched([self._single((self._pieces.unknown,) * max(1, size - 2))] * batch, self._sums, size * batch)

    # --- what the heads use ---------------------------------------------------------------------------------------------

    def _single(self, ids: Sequence[int]) -> Row:
        made = (self._pieces.first, *ids, self._pieces.last)
        return self._fitting(Row(made, (0,) * len(made)))

    def _pair(self, first: Sequence[int], second: Sequence[int]) -> Row:
        head = (self._pieces.first, *first, self._pieces.last)
        tail = (*second, self._pieces.last)
        return self._fitting(Row(head + tail, (0,) * len(head) + (1,) * len(tail)))

    def _fitting(self, row: Row) -> Row:
        if len(row.ids) > self.window:
            raise InputError(
                f"A text of {len(row.ids):,} word pieces was given; the model reads {self.window:,} at once.", "Give it in shorter parts."
            )
        return row

    def _batched(
        self, rows: Sequence[Row], finish: Callable[[Any, Any, Any], NDArray[np.float32]], budget: int = 0
    ) -> list[NDArray[np.float32]]:
        """``finish(ids, kinds, mask)`` over padded batches; one array a row, padded to the longest row of its batch."""
        import torch

        made: list[NDArray[np.float32]] = [np.zeros(0, dtype=np.float32)] * len(rows)
        budget = budget or _BATCH_TOKENS.get(self._device, _BATCH_TOKENS["cpu"])

        for batch in by_length([len(row.ids) for row in rows], budget):
            width = len(rows[batch[0]].ids)

            def compute(part: Sequence[int], width: int = width) -> NDArray[np.float32]:
                ids = torch.full((len(part), width), self._pieces.pad, dtype=torch.long)
                kinds, mask = torch.zeros_like(ids), torch.zeros_like(ids)
                for at, row in enumerate(rows[i] for i in part):
                    ids[at, : len(row.ids)] = torch.tensor(row.ids)
                    kinds[at, : len(row.ids)] = torch.tensor(row.kinds)
                    mask[at, : len(row.ids)] = 1
                with torch.inference_mode():
                    return finish(ids.to(self._device), kinds.to(self._device), mask.to(self._device))

            for i, values in zip(batch, in_halves(compute, batch), strict=True):
                made[i] = values
        return made

    def _for(self, rows: Sequence[Row], fast: bool) -> Any:
        """The network to read these rows with: in bfloat16 where that is allowed, worth it and native to the processor."""
        import torch

        if not (fast and self.halves and sum(len(row.ids) for row in rows) >= _HALF_FROM):
            return self._network
        if self._half is None:
            native = self._device == "cuda" or bool(torch.cpu.get_capabilities().get("avx512_bf16"))
            self._half = copy.deepcopy(self._network).to(torch.bfloat16) if native else self._network
        return self._half

    def _hidden(self, ids: Any, kinds: Any, mask: Any, network: Any = None) -> Any:
        encoder = self._encoder if network is None else getattr(network, "bert", network)
        return encoder(input_ids=ids, token_type_ids=kinds, attention_mask=mask).last_hidden_state

    def _sums(self, ids: Any, kinds: Any, mask: Any) -> NDArray[np.float32]:
        summed: NDArray[np.float32] = (self._hidden(ids, kinds, mask).float() * mask[..., None]).sum(1).cpu().numpy()
        return summed

    def _logits(self, ids: Any, kinds: Any, mask: Any, network: Any = None) -> NDArray[np.float32]:
        """The head's own numbers: (m, classes), or (m, tokens, labels) of a head on words."""
        network = network or self._network
        found: NDArray[np.float32] = network(input_ids=ids, token_type_ids=kinds, attention_mask=mask).logits.float().cpu().numpy()
        return found


class WordFiller(BertText):
    """A masked language model: words for hidden places."""

    hidden = MASK

    def fill(self, texts: Sequence[str], most: int) -> list[list[list[Candidate]]]:
        """The `most` likeliest whole words for each hidden place; probabilities are shares of the whole vocabulary."""
        ids, words = self._words
        return [
            [[Candidate(words[i], float(np.exp(place[ids[i]]))) for i in np.argsort(-place[ids], kind="stable")[:most]] for place in places]
            for places in self._at_hidden(texts)
        ]

    def fill_score(self, texts: Sequence[str], place: int, word: str) -> Floats:
        """ln p of `word` at hidden place `place` of each text.

        Raises
        ------
        InputError
            When the word is not one piece of the vocabulary, or a text has no such place.
        """
        pieces = self._pieces.cut([word])[0].ids
        if len(pieces) != 1 or pieces[0] == self._pieces.unknown:
            raise InputError(f"'{word}' is not one word of this model's vocabulary: it has no single probability.", "Choose another word.")
        found = self._at_hidden(texts)
        if any(place >= len(places) for places in found):
            raise InputError(f"There is no hidden place number {place + 1}.", f"A hidden word is written {MASK}.")
        return np.array([places[place][pieces[0]] for places in found], dtype=np.float32)

    def _at_hidden(self, texts: Sequence[str]) -> list[NDArray[np.float32]]:
        """ln p over the vocabulary at the hidden places of each text, (places, vocabulary)."""
        parts = [text.split(MASK) for text in texts]
        cut = iter(self._pieces.cut([part for each in parts for part in each]))
        rows: list[Row] = []
        for each in parts:
            ids: list[int] = []
            for at in range(len(each)):
                ids += [self._pieces.mask] * (at > 0) + list(next(cut).ids)
            rows.append(self._single(ids))
        places = [[at for at, token in enumerate(row.ids) if token == self._pieces.mask] for row in rows]
        hidden = self._batched(rows, lambda *given: self._hidden(*given).float().cpu().numpy())
        return [self._decoded(values[where]) for values, where in zip(hidden, places, strict=True)]

    def _decoded(self, hidden: NDArray[np.float32]) -> NDArray[np.float32]:
        import torch

        with torch.inference_mode():
            given = torch.from_numpy(hidden).to(self._device, next(self._network.cls.parameters()).dtype)
            found: NDArray[np.float32] = torch.log_softmax(self._network.cls(given).float(), -1).cpu().numpy()
        return found

    @cached_property
    def _words(self) -> tuple[NDArray[np.intp], list[str]]:
        found = list(self._pieces.whole_words())
        return np.array([at for at, _ in found], dtype=np.intp), [word for _, word in found]


def softmax(values: NDArray[Any]) -> NDArray[np.float64]:
    """Probabilities along the last axis."""
    shifted = np.exp(values.astype(np.float64) - values.max(axis=-1, keepdims=True))
    made: NDArray[np.float64] = shifted / shifted.sum(axis=-1, keepdims=True)
    return made
