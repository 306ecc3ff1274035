"""BERT on overlapping k-mers of DNA: letters to tokens and back, hidden bases, classes, vectors."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.errors import InputError
from backend.models.batching import by_length, in_halves

BASES = "ACGT"
"""The four bases in the order of every column of scores."""
PUBLISHED_ORDER = "ATCG"
"""The order in which the published vocabularies count their k-mers up."""
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
FREE = -1  # a base that is not known, or not to be known
Tokens = NDArray[np.int64]
_BATCH_TOKENS = {"cpu": 2_048}
_BATCH_TOKENS_GPU = 65_536


def published_vocabulary(k: int) -> list[str]:
    """Tokens by id as the published vocab.txt of DNABERT-`k` lists them: five signs, then every k-mer.

    >>> published_vocabulary(3)[5:9]
    ['AAA', 'AAT', 'AAC', 'AAG']
    """
    return [*SPECIAL, *("".join(letters) for letters in itertools.product(PUBLISHED_ORDER, repeat=k))]


class KmerBert:
    """A BERT whose tokens are overlapping k-mers (Ji et al. 2021, doi:10.1093/bioinformatics/btab083).

    Parameters
    ----------
    network : module
        transformers' ``BertForMaskedLM``, ``BertForSequenceClassification`` or ``BertModel``, in evaluation mode.
    vocabulary : mapping
        Token ids; every k-mer of the four bases and the five signs are there.
    places : int
        Tokens that the network reads at once, the two signs at the ends included.
    labels : tuple of str
        Classes of a classification head, by column; empty without one.
    several : bool
        Whether the classes are judged one by one (sigmoid) rather than against each other (softmax).
    """

    def __init__(
        self,
        network: Any,
        vocabulary: Mapping[str, int],
        k: int,
        places: int,
        device: str,
        labels: tuple[str, ...] = (),
        several: bool = False,
    ) -> None:
        self._network, self._device = network, device
        self.k, self.labels, self.several = k, labels, several
        self.tokens_at_once = places - 2
        self.window = self.tokens_at_once + k - 1  # bases
        self._first, self._last, self._pad = (vocabulary[sign] for sign in ("[CLS]", "[SEP]", "[PAD]"))
        self.unknown, self.mask = vocabulary["[UNK]"], vocabulary["[MASK]"]
        self._digits = np.array(list(itertools.product(range(4), repeat=k)), dtype=np.int8)  # (4^k, k), bases of each k-mer
        self._ids = np.array([vocabulary["".join(BASES[i] for i in kmer)] for kmer in self._digits], dtype=np.int64)
        self._budget = _BATCH_TOKENS.get(device, _BATCH_TOKENS_GPU)

    # --- letters and tokens --------------------------------------------------------------------------------------------

    def letters(self, sequence: str) -> NDArray[np.int8]:
        """Column of each base, `FREE` for any other letter."""
        table = np.full(256, FREE, dtype=np.int8)
        table[np.frombuffer(BASES.encode(), dtype=np.uint8)] = np.arange(4)
        return table[np.frombuffer(sequence.encode("ascii", "replace"), dtype=np.uint8)]

    def tokens(self, sequence: str) -> Tokens:
        """One token for every k-mer, shape (letters - k + 1,); one that touches a letter other than A, C, G, T is [UNK].

        Raises
        ------
        InputError
            When the sequence is shorter than one k-mer.
        """
        if len(sequence) < self.k:
            raise InputError(
                f"A sequence of {len(sequence)} letters is shorter than the {self.k}-letter words that this model reads.",
                f"Give at least {self.k} bases.",
            )
        windows = np.lib.stride_tricks.sliding_window_view(self.letters(sequence), self.k)
        number = windows.astype(np.int64) @ (4 ** np.arange(self.k - 1, -1, -1))
        return np.where((windows == FREE).any(axis=1), self.unknown, self._ids[np.where((windows == FREE).any(axis=1), 0, number)])

    def hide(self, tokens: Tokens, present: NDArray[np.bool_]) -> Tokens:
        """Copies of a sequence's tokens in which every k-mer that touches an absent letter is [MASK].

        Parameters
        ----------
        present : array of shape (m, letters)
            False where a letter is hidden in a copy.
        """
        whole = np.lib.stride_tricks.sliding_window_view(present, self.k, axis=1).all(axis=2)
        return np.where(whole, tokens, self.mask)

    # --- what the network says ------------------------------------------------------------------------------------------

    def bases(self, rows: Tokens, where: NDArray[np.intp], letters: NDArray[np.int8]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Probability of each base at one hidden place of each row.

        The token read is the hidden k-mer in whose middle the place stands (at the ends of a row, the nearest that contains it). Of
        that token's distribution the k-mers that agree with every neighbour that is known are kept, summed by the base that they
        put at the place, and divided by their sum.

        Parameters
        ----------
        rows : array of shape (m, tokens)
            Tokens of one length, those that touch the place being [MASK].
        where : array of shape (m,)
            The place, as a letter of the row.
        letters : array of shape (m, tokens + k - 1)
            Known letters, `FREE` where one is hidden or none of the four.

        Returns
        -------
        log_probabilities : array of shape (m, 4)
        kept : array of shape (m,)
            Share of the token's distribution that agrees with the neighbours: near 1 where the model read them right.
        """
        at = np.clip(where - (self.k - 1) // 2, 0, rows.shape[1] - 1)
        found = self._at(rows, at)
        made, kept = np.empty((len(rows), 4)), np.empty(len(rows))
        for i, (token, place) in enumerate(zip(at, where, strict=True)):
            known = letters[i, token : token + self.k].copy()
            known[place - token] = FREE
            agree = ((known == FREE) | (self._digits == known)).all(axis=1)
            column = self._digits[:, place - token]
            chances = np.exp(found[i].astype(np.float64))
            sums = np.array([chances[agree & (column == base)].sum() for base in range(4)])
            kept[i] = sums.sum()
            made[i] = np.log(np.maximum(sums, 1e-300)) - np.log(max(kept[i], 1e-300))
        return made, kept

    def classes(self, rows: Sequence[Tokens]) -> NDArray[np.float32]:
        """Probability of each class for rows of any lengths, shape (m, labels)."""
        return self._padded(rows, self._classes)

    def vectors(self, rows: Sequence[Tokens]) -> NDArray[np.float32]:
        """Mean of the last layer over the k-mers of each row, the signs at the ends left out, shape (m, width)."""
        return self._padded(rows, self._means)

    def embed(self, sequences: Sequence[str]) -> NDArray[np.float32]:
        """One vector a sequence, (m, width): the mean over all its k-mers; longer ones are read in pieces that share no k-mer."""
        tokens = [self.tokens(sequence) for sequence in sequences]
        size = self.tokens_at_once
        pieces = [(i, row[start : start + size]) for i, row in enumerate(tokens) for start in range(0, len(row), size)]
        found = self.vectors([piece for _, piece in pieces])
        made = np.zeros((len(tokens), found.shape[1]), dtype=np.float64)
        for (i, piece), vector in zip(pieces, found, strict=True):
            made[i] += vector.astype(np.float64) * (len(piece) / len(tokens[i]))
        return made.astype(np.float32)

    def exercise(self, length: int = 0, batch: int = 0) -> None:
        """Read `batch` rows of `length` bases at once; unless given, as much as any task asks for: a batch of full windows."""
        size = min(length or self.window, self.window)
        row = self.tokens((BASES * (size // 4 + 1))[:size])
        rows = [row] * (batch or max(1, self._budget // (len(row) + 2)))
        if self.labels:
            self.classes(rows)
        elif hasattr(self._network, "cls"):
            self._at(np.stack(rows), np.zeros(len(rows), dtype=np.intp))
        else:
            self.vectors(rows)

    # --- batches --------------------------------------------------------------------------------------------------------

    def _at(self, rows: Tokens, at: NDArray[np.intp]) -> NDArray[np.float32]:
        """Log-probabilities of the k-mers, (m, 4^k), at one token of each row; the head is computed there only."""
        step = max(1, self._budget // (rows.shape[1] + 2))
        parts = [range(start, min(start + step, len(rows))) for start in range(0, len(rows), step)]
        return np.concatenate([in_halves(lambda part: self._read(rows[list(part)], at[list(part)]), part) for part in parts])

    def _read(self, rows: Tokens, at: NDArray[np.intp]) -> NDArray[np.float32]:
        import torch

        with torch.inference_mode():
            hidden = self._network.bert(**self._batch(list(rows))).last_hidden_state
            picked = hidden[torch.arange(len(rows)), torch.from_numpy(at.astype(np.int64) + 1)]
            logits = self._network.cls(picked[:, None])[:, 0].float()
            found: NDArray[np.float32] = torch.log_softmax(logits, -1).cpu().numpy()[:, self._ids]
        return found

    def _padded(self, rows: Sequence[Tokens], compute: Any) -> NDArray[np.float32]:
        made: dict[int, NDArray[np.float32]] = {}
        for batch in by_length([len(row) + 2 for row in rows], self._budget):
            made |= dict(zip(batch, in_halves(lambda part: compute([rows[i] for i in part]), batch), strict=True))
        return np.stack([made[i] for i in range(len(rows))])

    def _classes(self, rows: list[Tokens]) -> NDArray[np.float32]:
        import torch

        with torch.inference_mode():
            logits = self._network(**self._batch(rows)).logits.float()
            found: NDArray[np.float32] = (torch.sigmoid(logits) if self.several else torch.softmax(logits, -1)).cpu().numpy()
        return found

    def _means(self, rows: list[Tokens]) -> NDArray[np.float32]:
        import torch

        encoder = getattr(self._network, "bert", self._network)
        with torch.inference_mode():
            hidden = encoder(**self._batch(rows)).last_hidden_state
            return np.stack([hidden[i, 1 : len(row) + 1].float().mean(0).cpu().numpy() for i, row in enumerate(rows)])

    def _batch(self, rows: Sequence[Tokens]) -> dict[str, Any]:
        """Ids and attention mask, padded to the longest row."""
        import torch

        longest = max(map(len, rows)) + 2
        ids = torch.full((len(rows), longest), self._pad, dtype=torch.long)
        for i, row in enumerate(rows):
            ids[i, 0], ids[i, len(row) + 1] = self._first, self._last
            ids[i, 1 : len(row) + 1] = torch.from_numpy(np.ascontiguousarray(row))
        real = (torch.arange(longest) < torch.tensor([len(row) + 2 for row in rows])[:, None]).long()
        return {"input_ids": ids.to(self._device), "attention_mask": real.to(self._device)}
