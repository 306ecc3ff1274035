"""The word index on disk: one build however many processes ask, and only new papers are read again."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import numpy as np
from filelock import FileLock

from backend.models.families.bm25 import LexicalIndex, Words
from backend.storage.papers import PaperStore

_KEPT_SECONDS = 60  # an index that was replaced stays so long for processes that still map it


class WordIndex:
    """BM25 over the stored texts, in a folder of numbered builds of which `current` names one."""

    def __init__(self, folder: Path, store: PaperStore, words: Words) -> None:
        self._folder, self._store, self._words = folder, store, words

    def load(self) -> tuple[LexicalIndex, np.ndarray]:
        """The current build and the paper of each of its rows; an empty one where there is none or it is damaged."""
        try:
            current = (self._folder / "current").read_text(encoding="utf-8").strip()
            return LexicalIndex.load(self._folder / current), np.load(self._folder / current / "ids.npy")
        except (OSError, ValueError, KeyError):
            return LexicalIndex.build([]), np.zeros(0, dtype=np.int64)

    def follow(self, ids: np.ndarray) -> tuple[LexicalIndex, np.ndarray]:
        """A build that holds exactly the papers `ids` (ascending), or those of them that are still there."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with FileLock(str(self._folder) + ".lock"):
            lexical, rows = self.load()
            if np.array_equal(np.sort(rows), ids):
                return lexical, rows
            kept = np.isin(rows, ids)
            texts = self._store.texts(np.setdiff1d(ids, rows).tolist())
            new = {paper: self._words.words(text) for paper, text in texts}
            lexical = lexical.changed(np.flatnonzero(kept).tolist(), list(new.values()))
            rows = np.concatenate([rows[kept], np.array(list(new), dtype=np.int64)])
            self._save(lexical, rows)
            return lexical, rows

    def _save(self, lexical: LexicalIndex, rows: np.ndarray) -> None:
        name = f"w{time.time_ns()}"
        lexical.save(self._folder / name)
        np.save(self._folder / name / "ids.npy", rows)
        (self._folder / "current.part").write_text(name, encoding="utf-8")
        (self._folder / "current.part").replace(self._folder / "current")
        for old in self._folder.glob("w*"):
            if old.name != name and old.stat().st_mtime < time.time() - _KEPT_SECONDS:
                shutil.rmtree(old, ignore_errors=True)
