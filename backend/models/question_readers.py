"""Readers of a question beside a text: yes, no or maybe; and whether a sentence bears on the question, and on which side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.models.abilities import STANCES, VERDICTS, Floats
from backend.models.bert_text import BertText, Row, softmax
from backend.models.word_pieces import WordPieces

_MANY = 64  # texts at once: never papers that are judged, but versions of one that is explained
_SHORTEST = 16  # word pieces of a sentence that are read at once when the question is very long


@dataclass(frozen=True)
class Calibration:
    """How a head's numbers become probabilities that can be taken at their word: plus `shift`, divided by `temperature`, then softmax.

    `covering` is the least probability with which an answer belongs to the 90% prediction set (see `backend.training.readers.calibrate`).
    """

    temperature: float = 1.0
    covering: float | None = None
    shift: tuple[float, ...] = (0.0,) * len(VERDICTS)


class _Asked(BertText):
    """A head on the first token and the mean of all tokens of a question and a text.

    Many word pieces at once are computed in bfloat16 where the processor does so natively; a single reading never is.
    """

    halves = True

    def __init__(self, encoder: Any, head: Any, pieces: WordPieces, window: int, device: str) -> None:
        super().__init__(encoder, pieces, window, device)
        self._head = head

    def _numbers(self, rows: Sequence[Row], fast: bool = False) -> NDArray[np.float32]:
        """The head's numbers, (rows, outputs)."""
        encoder = self._for(rows, fast)

        def finish(ids: Any, kinds: Any, mask: Any) -> NDArray[np.float32]:
            import torch

            hidden = encoder(input_ids=ids, token_type_ids=kinds, attention_mask=mask).last_hidden_state.float()
            mean = (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
            found: NDArray[np.float32] = self._head(torch.cat([hidden[:, 0], mean], -1)).cpu().numpy()
            return found

        return np.stack(self._batched(rows, finish)) if rows else np.zeros((0, self._head.out_features), dtype=np.float32)


class QuestionJudge(_Asked):
    """Yes, no or maybe, with calibrated probabilities and 90% prediction sets."""

    def __init__(self, encoder: Any, head: Any, pieces: WordPieces, window: int, device: str, calibration: Calibration) -> None:
        super().__init__(encoder, head, pieces, window, device)
        self.covering = calibration.covering
        self._temperature, self._shift = calibration.temperature, np.array(calibration.shift)

    def verdict(self, question: str, contexts: Sequence[str]) -> Floats:
        """Probabilities (m, 3) in the order of `VERDICTS`.

        Raises
        ------
        InputError
            When question and context do not fit the window together.
        """
        asked, *cut = self._pieces.cut([question, *contexts])
        numbers = self._numbers([self._pair(asked.ids, each.ids) for each in cut], fast=len(contexts) >= _MANY)
        shares = softmax((numbers + self._shift) / self._temperature)
        return shares.reshape(len(contexts), len(VERDICTS)).astype(np.float32)


class EvidenceReader(_Asked):
    """Sentences as evidence for a question: do they bear on it, and on which side."""

    def __init__(self, encoder: Any, head: Any, pieces: WordPieces, window: int, device: str, temperatures: tuple[float, float]) -> None:
        super().__init__(encoder, head, pieces, window, device)
        self._bearing, self._stance = temperatures

    def weigh(self, question: str, sentences: Sequence[str]) -> tuple[Floats, Floats]:
        """Probability that each sentence bears on the question, (m,), and its stance in the order of `STANCES`, (m, 3).

        A sentence beyond the window is read in pieces one after another; the piece that bears most on the question speaks for it.

        Raises
        ------
        InputError
            When the question alone fills the window.
        """
        asked, *cut = self._pieces.cut([question, *sentences])
        room = max(_SHORTEST, self.window - len(asked.ids) - 3)
        rows: list[Row] = []
        owners: list[int] = []
        for at, each in enumerate(cut):
            for start in range(0, max(1, len(each.ids)), room):
                rows.append(self._pair(asked.ids, each.ids[start : start + room]))
                owners.append(at)
        found = self._numbers(rows, fast=True)
        bearing = np.full(len(sentences), -1.0, dtype=np.float32)
        stances = np.zeros((len(sentences), len(STANCES)), dtype=np.float32)
        shares = softmax(found[:, 1:] / self._stance) if len(found) else np.zeros((0, len(STANCES)))
        for row, at in enumerate(owners):
            p = 1 / (1 + np.exp(-float(found[row, 0]) / self._bearing))
            if p > bearing[at]:
                bearing[at], stances[at] = p, shares[row]
        return bearing, stances
