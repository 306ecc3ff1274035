"""Vectors of passages and of their sentences in memory-mapped files: one writer at a time, any number of readers."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from filelock import FileLock

from backend.config import Config
from backend.domain import digest
from backend.errors import StorageError

_PASSAGE = np.dtype(
    [("paper", "<i8"), ("key", "<u8"), ("start", "<i4"), ("end", "<i4"), ("first", "<i8"), ("count", "<i4"), ("scale", "<f4")]
)
_SENTENCE = np.dtype([("start", "<i4"), ("end", "<i4"), ("scale", "<f4")])
_BLOCK = 1_024  # passages made float32 at a time: what fits the processor's cache is eight times faster than the whole


def index_folder(config: Config) -> Path:
    """Where the indexes of a database lie. That of the data folder's own database goes with the folder when it is moved or copied.

    Earlier versions named it by the folder's path: a single folder of that kind is taken over (vectors are tied to the text they were made
    of, so that of another database would only be found to fit nothing).
    """
    own = f"sqlite:///{config.data / 'bioloom.db'}"
    if config.database_url != own:
        return config.index / digest(config.database_url)[:12]
    folder = config.index / "own"
    if not folder.exists():
        named = config.index / digest(own)[:12]
        before = [named] if named.is_dir() else [each for each in config.index.glob("?" * 12) if each.is_dir()]
        if len(before) == 1:
            with contextlib.suppress(OSError):  # another process was quicker
                before[0].rename(folder)
    return folder


def text_key(sha256: str) -> int:
    """The first 64 bits of a text's hash: ties a vector to the exact text that it was made of."""
    return int(sha256[:16], 16)


@dataclass(frozen=True)
class EncodedPassage:
    """A passage ready to be stored: its place in the paper's text, its vector (d,), its sentences' spans and vectors (k, d)."""

    paper: int
    key: int
    start: int
    end: int
    vector: np.ndarray
    sentences: Sequence[tuple[int, int]]
    sentence_vectors: np.ndarray


@dataclass(frozen=True)
class PassageVectors:
    """A stored passage with the vectors of its sentences, float32 (k, d)."""

    start: int
    end: int
    sentences: list[tuple[int, int]]
    vectors: np.ndarray


class Index(Protocol):
    """What retrieval asks of a vector index; a pgvector table can stand here as well as files."""

    def add(self, passages: Sequence[EncodedPassage]) -> None: ...

    def have(self, ids: np.ndarray, keys: np.ndarray) -> np.ndarray:
        """Which of these papers (ids ascending, with text keys) have vectors of exactly that text: boolean, same shape."""

    def search(self, query: np.ndarray, ids: np.ndarray, keys: np.ndarray, allowed: np.ndarray | None, k: int) -> list[tuple[int, float]]:
        """The `k` nearest of the allowed papers: (position in `ids`, cosine similarity of its best passage), best first."""

    def passages(self, paper: int, key: int) -> list[PassageVectors]:
        """The stored passages of one paper, in order."""

    def compact(self, ids: np.ndarray, keys: np.ndarray) -> None:
        """Give back the room of papers that are gone; may do nothing while they are few."""

    def refresh(self) -> None:
        """See what other writers added."""

    @property
    def size(self) -> int:
        """Number of stored passages."""


class _View:
    """The files as one writer left them; immutable, so that a search never sees two states at once."""

    def __init__(self, folder: Path | None, passages: int, sentences: int, dimension: int) -> None:
        self.size, self.sentence_count = passages, sentences
        self.rows = _map(folder, "passages.bin", _PASSAGE, (passages,))
        self.sentences = _map(folder, "sentences.bin", _SENTENCE, (sentences,))
        self.vectors = _map(folder, "vectors.bin", np.dtype("i1"), (passages, dimension))
        self.sentence_vectors = _map(folder, "sentence_vectors.bin", np.dtype("i1"), (sentences, dimension))
        papers = np.ascontiguousarray(self.rows["paper"])
        self.order = np.argsort(papers, kind="stable")
        self.papers = papers[self.order]
        self._located: tuple[np.ndarray, np.ndarray] | None = None

    def locate(self, ids: np.ndarray, keys: np.ndarray) -> np.ndarray:
        """For every stored passage the position of its paper in `ids`, or -1 where the paper is gone or its text another."""
        held = self._located
        if held is not None and held[0] is ids:
            return held[1]
        if not len(ids) or not self.size:
            return np.full(self.size, -1, dtype=np.int64)
        at = np.minimum(np.searchsorted(ids, self.rows["paper"]), len(ids) - 1)
        same = (ids[at] == self.rows["paper"]) & (keys[at] == self.rows["key"])
        position = np.where(same, at, -1)
        self._located = (ids, position)
        return position


class FileIndex:
    """`Index` in four append-only files and a manifest that says how much of them counts.

    Vectors are int8 with one scale each: 0.4 kB per passage and per sentence at 384 dimensions. A writer killed half-way leaves
    bytes behind the manifest's counts, which the next writer cuts off.
    """

    def __init__(self, folder: Path, dimension: int) -> None:
        self._folder = folder
        self._dimension = dimension
        self._lock = FileLock(str(folder) + ".lock")
        self._stamp: tuple[int, int] | None = None
        self._view = _View(None, 0, 0, dimension)
        folder.mkdir(parents=True, exist_ok=True)
        self.refresh()

    @property
    def size(self) -> int:
        return self._view.size

    def refresh(self) -> None:
        manifest = self._folder / "manifest.json"
        try:
            stat = manifest.stat()
        except FileNotFoundError:
            return
        stamp = (stat.st_mtime_ns, stat.st_ino)
        if stamp == self._stamp:
            return
        counts = json.loads(manifest.read_text(encoding="utf-8"))
        if counts["dimension"] != self._dimension:
            raise StorageError("The search index was made for another model.", "Rebuild it from the Library page.")
        try:
            view = _View(self._folder / counts["generation"], counts["passages"], counts["sentences"], self._dimension)
        except (ValueError, OSError) as error:
            raise StorageError("The search index is shorter than its manifest says.", "Rebuild it from the Library page.") from error
        self._view, self._stamp = view, stamp

    def add(self, passages: Sequence[EncodedPassage]) -> None:
        if not passages:
            return
        try:
            with self._lock:
                self.refresh()
                self._append(passages)
        except OSError as error:
            raise StorageError(
                f"The search index could not be written: {error.strerror or error}.", "Free disk space, then index again. Nothing was lost."
            ) from error
        self.refresh()

    def _append(self, passages: Sequence[EncodedPassage]) -> None:
        generation = self._generation()
        folder = self._folder / generation
        folder.mkdir(exist_ok=True)
        first = self._view.sentence_count
        rows = np.zeros(len(passages), dtype=_PASSAGE)
        spans: list[tuple[int, int, float]] = []
        quantised: list[np.ndarray] = []
        for row, passage in zip(rows, passages, strict=True):
            vectors, scales = _quantised(np.asarray(passage.sentence_vectors, dtype=np.float32).reshape(-1, self._dimension))
            quantised.append(vectors)
            spans += [(start, end, float(scale)) for (start, end), scale in zip(passage.sentences, scales, strict=True)]
            row["paper"], row["key"], row["start"], row["end"] = passage.paper, passage.key, passage.start, passage.end
            row["first"], row["count"] = first, len(vectors)
            first += len(vectors)
        means, scales = _quantised(np.stack([passage.vector for passage in passages]))
        rows["scale"] = scales
        pieces = {
            "passages.bin": (self._view.size * _PASSAGE.itemsize, rows.tobytes()),
            "vectors.bin": (self._view.size * self._dimension, means.tobytes()),
            "sentences.bin": (self._view.sentence_count * _SENTENCE.itemsize, np.array(spans, dtype=_SENTENCE).tobytes()),
            "sentence_vectors.bin": (self._view.sentence_count * self._dimension, np.concatenate(quantised).tobytes()),
        }
        for name, (size, data) in pieces.items():
            with (folder / name).open("ab") as file:
                file.truncate(size)  # what a killed writer left behind
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        self._write_manifest(generation, self._view.size + len(rows), first)

    def compact(self, ids: np.ndarray, keys: np.ndarray) -> None:
        """Drop the vectors of papers that are gone, once they are more than a fifth."""
        with self._lock:
            self.refresh()
            position = self._view.locate(ids, keys)
            keep = np.flatnonzero(position >= 0)
            if len(keep) > 0.8 * self._view.size:
                return
            old = self._generation()
            new = f"g{int(old[1:]) + 1}"
            folder = self._folder / new
            folder.mkdir(exist_ok=True)
            rows = np.array(self._view.rows[keep])
            wanted = [np.arange(row["first"], row["first"] + row["count"]) for row in rows]
            sentences = np.concatenate(wanted) if wanted else np.zeros(0, dtype=np.int64)
            rows["first"] = np.concatenate([[0], np.cumsum(rows["count"])[:-1]]) if len(rows) else rows["first"]
            rows.tofile(folder / "passages.bin")
            np.asarray(self._view.vectors[keep]).tofile(folder / "vectors.bin")
            np.asarray(self._view.sentences[sentences]).tofile(folder / "sentences.bin")
            np.asarray(self._view.sentence_vectors[sentences]).tofile(folder / "sentence_vectors.bin")
            self._write_manifest(new, len(rows), len(sentences))
            self.refresh()
            shutil.rmtree(self._folder / old, ignore_errors=True)  # a reader that still maps it keeps its pages on POSIX

    def have(self, ids: np.ndarray, keys: np.ndarray) -> np.ndarray:
        view = self._view
        if not view.size:
            return np.zeros(len(ids), dtype=bool)
        at = np.clip(np.searchsorted(view.papers, ids, side="right") - 1, 0, view.size - 1)  # the newest, should there be two texts
        same: np.ndarray = (view.papers[at] == ids) & (view.rows["key"][view.order[at]] == keys)
        return same

    def search(self, query: np.ndarray, ids: np.ndarray, keys: np.ndarray, allowed: np.ndarray | None, k: int) -> list[tuple[int, float]]:
        view = self._view
        position = view.locate(ids, keys)
        usable = position >= 0
        if allowed is not None:
            usable &= allowed[np.maximum(position, 0)] if len(ids) else False
        rows = np.flatnonzero(usable)
        if not len(rows) or k < 1:
            return []
        scores = np.full(view.size, -2.0, dtype=np.float32)
        vector = np.asarray(query, dtype=np.float32)
        if len(rows) < view.size // 8:
            scores[rows] = (view.vectors[rows].astype(np.float32) @ vector) * view.rows["scale"][rows]
        else:
            for at in range(0, view.size, _BLOCK):
                scores[at : at + _BLOCK] = view.vectors[at : at + _BLOCK].astype(np.float32) @ vector
            scores *= view.rows["scale"]
            scores[~usable] = -2.0
        best: dict[int, float] = {}
        most = min(len(rows), 4 * k)
        while True:
            top = np.argpartition(-scores, most - 1)[:most]
            best = {}
            for row in top[np.lexsort((top, -scores[top]))]:  # ties by place, so that the order is always the same
                best.setdefault(int(position[row]), float(scores[row]))
            if len(best) >= k or most >= len(rows):
                return list(best.items())[:k]
            most = min(len(rows), most * 4)

    def passages(self, paper: int, key: int) -> list[PassageVectors]:
        view = self._view
        papers, order = view.papers, view.order
        found: list[PassageVectors] = []
        for at in order[np.searchsorted(papers, paper, "left") : np.searchsorted(papers, paper, "right")]:
            row = view.rows[at]
            if int(row["key"]) != key:
                continue
            part = slice(int(row["first"]), int(row["first"] + row["count"]))
            spans = view.sentences[part]
            vectors = view.sentence_vectors[part].astype(np.float32) * np.asarray(spans["scale"])[:, None]
            places = [(int(start), int(end)) for start, end in zip(spans["start"], spans["end"], strict=True)]
            found.append(PassageVectors(int(row["start"]), int(row["end"]), places, vectors))
        unique = {passage.start: passage for passage in found}  # two processes may have encoded the same paper
        return [unique[start] for start in sorted(unique)]

    def _generation(self) -> str:
        manifest = self._folder / "manifest.json"
        return str(json.loads(manifest.read_text(encoding="utf-8"))["generation"]) if manifest.exists() else "g1"

    def _write_manifest(self, generation: str, passages: int, sentences: int) -> None:
        counts = {"generation": generation, "passages": passages, "sentences": sentences, "dimension": self._dimension}
        part = self._folder / "manifest.json.part"
        part.write_text(json.dumps(counts), encoding="utf-8")
        os.replace(part, self._folder / "manifest.json")


def _map(folder: Path | None, name: str, dtype: np.dtype[Any], shape: tuple[int, ...]) -> Any:
    if folder is None or 0 in shape:
        return np.zeros(shape, dtype=dtype)
    # a plain array over the mapped pages: slicing numpy's memmap class costs more than reading a vector
    return np.asarray(np.memmap(folder / name, dtype=dtype, mode="r", shape=shape))


def _quantised(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """int8 vectors (n, d) and the scales (n,) that give back the originals within half a step."""
    scales = np.abs(vectors).max(axis=1, initial=0.0) / 127
    return np.rint(vectors / np.where(scales > 0, scales, 1)[:, None]).astype(np.int8), scales
