"""BM25 over stemmed words: the lexical half of retrieval (bm25s, Snowball stemmer). No weights, nothing to fetch."""

from __future__ import annotations

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
    """An immutable BM25 index over documents 0..n-1."""

    def __init__(self, retriever: Any, frequencies: dict[str, int], size: int) -> None:
        self._retriever = retriever
        self._frequencies = frequencies
        self.size = size

    @classmethod
    def build(cls, documents: Sequence[Sequence[str]]) -> LexicalIndex:
        """Index documents given as stemmed words (see `Words.words`)."""
        import bm25s

        vocabulary: dict[str, int] = {}
        ids = [[vocabulary.setdefault(word, len(vocabulary)) for word in words] for words in documents]
        if not vocabulary:
            return cls(None, {}, len(documents))
        counts = np.zeros(len(vocabulary), dtype=np.int64)
        for row in ids:
            counts[list(set(row))] += 1
        frequencies = dict(zip(vocabulary, counts.tolist(), strict=True))  # before bm25s adds an empty word of its own
        retriever = bm25s.BM25(k1=1.5, b=0.75, method="lucene")
        retriever.index(bm25s.tokenization.Tokenized(ids=ids, vocab=vocabulary), show_progress=False)
        return cls(retriever, frequencies, len(documents))

    def scores(self, words: Sequence[str]) -> np.ndarray:
        """BM25 score of every document for the query words, shape (size,), float32; zeros where no word is shared."""
        known = [word for word in words if word in self._frequencies]
        if self._retriever is None or not known:
            return np.zeros(self.size, dtype=np.float32)
        return np.asarray(self._retriever.get_scores(known), dtype=np.float32)

    def idf(self, words: Sequence[str]) -> np.ndarray:
        """Inverse document frequency log(1 + (N - n + 0.5) / (n + 0.5)) of each word; a word nobody uses weighs most."""
        seen = np.array([self._frequencies.get(word, 0) for word in words], dtype=np.float64)
        return np.log1p((self.size - seen + 0.5) / (seen + 0.5))

    def save(self, folder: Path) -> None:
        import json

        folder.mkdir(parents=True, exist_ok=True)
        if self._retriever is not None:
            self._retriever.save(folder / "bm25s", show_progress=False)
        (folder / "frequencies.json").write_text(json.dumps({"size": self.size, "frequencies": self._frequencies}), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> LexicalIndex:
        import json

        import bm25s

        meta = json.loads((folder / "frequencies.json").read_text(encoding="utf-8"))
        retriever = bm25s.BM25.load(folder / "bm25s", mmap=True) if (folder / "bm25s").is_dir() else None
        return cls(retriever, meta["frequencies"], meta["size"])


@family("bm25", cards=(CARD,))
def load(folder: Path | None, card: ModelCard, device: str) -> Words:
    """BM25 has no weights: what is loaded is the stemmer."""
    return Words()
