"""BM25 over stemmed words: the lexical half of retrieval (bm25s, Snowball stemmer). No weights, nothing to fetch."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from backend.domain import ModelCard
from backend.models.registry import family

_WORD = re.compile(r"[^\W_]+(?:[-'][^\W_]+)*")
_STOP = frozenset(
    """
    a about after all also among an and any are as at be been before between both but by can could did do does during each either
    for from had has have how however i if in into is it its may might more most no nor not of on or other our over should so
    some such than that the their them then there these they this those through to under used using via was we were what when
    where whether which while who whom whose why will with within without would you your
    """.split()
)

CARD = ModelCard(
    name="bm25",
    title="BM25",
    family="bm25",
    modality="literature",
    tasks=("literature.ask",),
    source="bundled",
    licence="MIT (bm25s), MIT/BSD (Snowball)",
    summary="Finds papers that share words with the question, rare words counting more. Exact names, drugs and genes are its strength.",
    revision="k1=1.5 b=0.75 lucene; english snowball",
    peak_bytes=150 * 2**20,
    paper="Robertson and Zaragoza 2009, doi:10.1561/1500000019; bm25s: Lu 2024, arXiv:2407.03618",
    limits=("Knows words, not meaning: a synonym is not found.", "Stems English only; other languages are matched word for word."),
)


class Words:
    """Turns text into stemmed words."""

    def __init__(self) -> None:
        import Stemmer

        # PyStemmer's own cache is not shared between threads: one stemmer a cached function, guarded by the GIL.
        self._stem = lru_cache(maxsize=200_000)(Stemmer.Stemmer("english", 0).stemWord)

    def words(self, text: str) -> list[str]:
        """Stemmed words of `text` in order, lower case, without English function words. Hyphenated words count whole and in parts."""
        found: list[str] = []
        for word in _WORD.findall(text.lower()):
            if word in _STOP:
                continue
            found.append(self._stem(word))
            if "-" in word or "'" in word:
                found += [self._stem(part) for part in re.split(r"[-']", word) if part and part not in _STOP]
        return found


class LexicalIndex:
    """An immutable BM25 index over documents 0..n-1; keeps their words as numbers, so that a change need not read them all again."""

    def __init__(self, vocabulary: dict[str, int], flat: np.ndarray, ends: np.ndarray, retriever: Any = None) -> None:
        self.size = len(ends)
        self._vocabulary, self._flat, self._ends = vocabulary, flat, ends
        self._retriever = self._built() if retriever is None and len(vocabulary) else retriever
        rows = np.repeat(np.arange(self.size, dtype=np.int64), np.diff(ends, prepend=0))
        pairs = np.unique(rows * max(len(vocabulary), 1) + flat) if len(flat) else np.zeros(0, dtype=np.int64)
        self._frequencies = np.bincount(pairs % max(len(vocabulary), 1), minlength=len(vocabulary))

    @classmethod
    def build(cls, documents: Sequence[Sequence[str]]) -> LexicalIndex:
        """Index documents given as stemmed words (see `Words.words`)."""
        return cls({}, np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)).changed([], documents)

    def changed(self, keep: Sequence[int], documents: Sequence[Sequence[str]]) -> LexicalIndex:
        """A new index: documents `keep` of this one, in that order, then the new ones."""
        vocabulary = dict(self._vocabulary)
        begins = np.concatenate([[0], self._ends[:-1]]) if self.size else self._ends
        pieces = [self._flat[begins[row] : self._ends[row]] for row in keep]
        pieces += [np.array([vocabulary.setdefault(word, len(vocabulary)) for word in words], dtype=np.int64) for words in documents]
        flat = np.concatenate(pieces) if pieces else np.zeros(0, dtype=np.int64)
        return LexicalIndex(vocabulary, flat, np.cumsum([len(piece) for piece in pieces], dtype=np.int64))

    def _built(self) -> Any:
        import bm25s

        begins = np.concatenate([[0], self._ends[:-1]])
        ids = [self._flat[begin:end].tolist() for begin, end in zip(begins, self._ends, strict=True)]
        retriever = bm25s.BM25(k1=1.5, b=0.75, method="lucene")
        # a copy of the vocabulary: bm25s adds an empty word of its own
        retriever.index(bm25s.tokenization.Tokenized(ids=ids, vocab=dict(self._vocabulary)), show_progress=False)
        return retriever

    def scores(self, words: Sequence[str]) -> np.ndarray:
        """BM25 score of every document for the query words, shape (size,), float32; zeros where no word is shared."""
        known = [word for word in words if word in self._vocabulary]
        if self._retriever is None or not known:
            return np.zeros(self.size, dtype=np.float32)
        return np.asarray(self._retriever.get_scores(known), dtype=np.float32)

    def idf(self, words: Sequence[str]) -> np.ndarray:
        """Inverse document frequency log(1 + (N - n + 0.5) / (n + 0.5)) of each word; a word nobody uses weighs most."""
        places = [self._vocabulary.get(word, -1) for word in words]
        seen = np.array([self._frequencies[place] if place >= 0 else 0 for place in places], dtype=np.float64)
        return np.log1p((self.size - seen + 0.5) / (seen + 0.5))

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        if self._retriever is not None:
            self._retriever.save(folder / "bm25s", show_progress=False)
        np.save(folder / "words.npy", self._flat.astype(np.int32))
        np.save(folder / "ends.npy", self._ends)
        (folder / "vocabulary.json").write_text(json.dumps(list(self._vocabulary)), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> LexicalIndex:
        import bm25s

        words = json.loads((folder / "vocabulary.json").read_text(encoding="utf-8"))
        retriever = bm25s.BM25.load(folder / "bm25s", mmap=True) if (folder / "bm25s").is_dir() else None
        flat = np.load(folder / "words.npy").astype(np.int64)
        return cls({word: place for place, word in enumerate(words)}, flat, np.load(folder / "ends.npy"), retriever)


@family("bm25", cards=(CARD,))
def load(folder: Path | None, card: ModelCard, device: str) -> Words:
    """BM25 has no weights: what is loaded is the stemmer."""
    return Words()
