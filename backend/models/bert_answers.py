"""BERT heads that answer a question on a text: yes, no or maybe, and the words that answer it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.errors import InputError
from backend.models.abilities import VERDICTS, Floats, Span
from backend.models.bert_text import GONE, BertText, Row, softmax
from backend.models.labels import best_spans
from backend.models.word_pieces import Pieces, WordPieces

_LONGEST = 30  # words of an answer, as BERT's authors limited it (Devlin et al. 2019)


class Judge(BertText):
    """Yes, no or maybe: a head of classes on question and context."""

    covering: float | None = None

    def __init__(self, network: Any, pieces: WordPieces, window: int, device: str, columns: Mapping[int, int]) -> None:
        super().__init__(network, pieces, window, device)
        self._columns = dict(columns)

    def verdict(self, question: str, contexts: Sequence[str]) -> Floats:
        """Probabilities (m, 3) of yes, no, maybe; 0 for one that the checkpoint lacks.

        Raises
        ------
        InputError
            When question and context do not fit the window together.
        """
        asked, *cut = self._pieces.cut([question, *contexts])
        made = np.zeros((len(contexts), len(VERDICTS)), dtype=np.float32)
        for i, values in enumerate(self._batched([self._pair(asked.ids, each.ids) for each in cut], self._logits)):
            for label, column in self._columns.items():
                made[i, column] += softmax(values)[label]
        return made


class Answerer(BertText):
    """The words of a context that answer a question.

    A context beyond the window is read in windows that overlap by half, so that every answer of up to half a window lies in one whole.
    A span's score is its start logit plus its end logit, the best of the windows that hold it; that of 'no answer' is [CLS]'s, the
    lowest of the windows (Devlin et al. 2019). Probabilities are over all spans of up to 30 whole words and 'no answer'.
    """

    def answer(self, question: str, contexts: Sequence[str], most: int) -> list[list[Span]]:
        """The `most` likeliest spans of each context, none overlapping a better one; empty where 'no answer' is likelier than any."""
        made = []
        for pieces, band, null in self._scored(question, contexts):
            finite = band[np.isfinite(band)]
            total = np.logaddexp.reduce([*finite, null])
            made.append([] if not len(finite) or finite.max() <= null else _best(pieces.word_places(), np.exp(band - total), most))
        return made

    def answer_score(self, question: str, contexts: Sequence[str], answer: str) -> Floats:
        """ln odds of the best span that reads `answer` against no answer, never below `GONE`; `GONE` where it is not in the context."""
        made = np.full(len(contexts), GONE, dtype=np.float32)
        for i, (pieces, band, null) in enumerate(self._scored(question, contexts)):
            places = pieces.word_places()
            begins, ends = {start: at for at, (start, _) in enumerate(places)}, {end: at for at, (_, end) in enumerate(places)}
            for found in re.finditer(re.escape(answer), contexts[i]) if answer else ():
                first, last = begins.get(found.start()), ends.get(found.end())
                if first is not None and last is not None and 0 <= last - first < _LONGEST:
                    made[i] = max(made[i], band[first, last - first] - null)
        return made

    def _scored(self, question: str, contexts: Sequence[str]) -> list[tuple[Pieces, NDArray[np.float64], float]]:
        """For each context its pieces, the scores of its spans (words, longest), and that of no answer."""
        asked, *cut = self._pieces.cut([question, *contexts])
        room = self.window - len(asked.ids) - 3
        if room < 2 or room < self.window // 4:
            raise InputError(
                f"The question has {len(asked.ids):,} word pieces: too many to leave room for a text.", "Shorten the question."
            )
        rows: list[Row] = []
        parts: list[tuple[int, int, int]] = []
        for i, each in enumerate(cut):
            at = 0
            while True:
                parts.append((i, at, min(at + room, len(each.ids))))
                rows.append(self._pair(asked.ids, each.ids[at : at + room]))
                if at + room >= len(each.ids):
                    break
                at += max(1, room // 2)
        bands = [np.full((len(each.extents()), _LONGEST), -np.inf) for each in cut]
        nulls = [np.inf] * len(cut)
        for (i, start, end), (begin, close) in zip(parts, self._ends(rows), strict=True):
            words = cut[i].extents()
            inside = [word for word, (first, last) in enumerate(words) if start <= first and last < end]
            skip = len(asked.ids) + 2 - start  # from a piece of the context to its token
            nulls[i] = min(nulls[i], float(begin[0] + close[0]))
            if inside:
                firsts, lasts = ([words[word][end_of] + skip for word in inside] for end_of in (0, 1))
                scores = best_spans(begin, close, firsts, lasts, _LONGEST)
                bands[i][inside] = np.maximum(bands[i][inside], scores)
        return [(each, band, null) for each, band, null in zip(cut, bands, nulls, strict=True)]

    def _ends(self, rows: Sequence[Row]) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """Start and end logits of every token of each row."""
        found = self._batched(rows, self._start_and_end)
        return [(values[:, 0].astype(np.float64), values[:, 1].astype(np.float64)) for values in found]

    def _start_and_end(self, ids: Any, kinds: Any, mask: Any) -> NDArray[np.float32]:
        both: NDArray[np.float32] = self._network.qa_outputs(self._hidden(ids, kinds, mask)).float().cpu().numpy()
        return both


def _best(places: Sequence[tuple[int, int]], shares: NDArray[np.float64], most: int) -> list[Span]:
    made: list[Span] = []
    for flat in np.argsort(-shares, axis=None, kind="stable"):
        first, extra = divmod(int(flat), shares.shape[1])
        if len(made) == most or shares[first, extra] <= 0:
            break
        start, end = places[first][0], places[first + extra][1]
        if all(end <= other.start or start >= other.end for other in made):
            made.append(Span(start, end, float(shares[first, extra])))
    return made
