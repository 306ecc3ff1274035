"""The vector files: what is stored is found again, a killed writer leaves nothing half-there, removed papers never answer."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from backend.errors import StorageError
from backend.literature.index import EncodedPassage, FileIndex

DIM = 16


def passage(paper: int, seed: int, sentences: int = 3) -> EncodedPassage:
    vectors = np.random.default_rng(seed).normal(size=(sentences, DIM)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    mean = vectors.mean(axis=0)
    return EncodedPassage(paper, paper * 7, 0, 30, mean / np.linalg.norm(mean), [(10 * i, 10 * i + 9) for i in range(sentences)], vectors)


def ids(*papers: int) -> tuple[np.ndarray, np.ndarray]:
    return np.array(papers, dtype=np.int64), np.array([p * 7 for p in papers], dtype=np.uint64)


def test_finds_what_was_added_and_reopens(tmp_path: Path) -> None:
    index = FileIndex(tmp_path / "i", DIM)
    made = [passage(paper, paper) for paper in (1, 2, 3)]
    index.add(made)
    for opened in (index, FileIndex(tmp_path / "i", DIM)):
        for at, one in enumerate(made):
            assert opened.search(one.vector, *ids(1, 2, 3), None, 1)[0] == (at, pytest.approx(1.0, abs=0.01))
        (stored,) = opened.passages(2, 14)
        assert stored.sentences == [(0, 9), (10, 19), (20, 29)]
        assert np.abs(stored.vectors - made[1].sentence_vectors).max() < 0.01  # int8


def test_removed_replaced_and_filtered_papers_are_not_found(tmp_path: Path) -> None:
    index = FileIndex(tmp_path / "i", DIM)
    made = [passage(paper, paper) for paper in range(1, 7)]
    index.add(made)
    some, keys = ids(1, 3, 5)
    keys[2] += 1  # paper 5 has another text now
    found = index.search(made[4].vector, some, keys, None, 10)
    assert {position for position, _ in found} == {0, 1}
    assert index.have(some, keys).tolist() == [True, True, False]
    only = index.search(made[0].vector, some, keys, np.array([False, True, True]), 10)
    assert [position for position, _ in only] == [1]
    assert index.passages(5, int(keys[2])) == []


def test_a_paper_with_another_text_has_vectors_once_that_text_was_read(tmp_path: Path) -> None:
    index = FileIndex(tmp_path / "i", DIM)
    index.add([passage(1, 1)])
    new = np.array([99], dtype=np.uint64)
    assert index.have(np.array([1]), new).tolist() == [False]
    index.add([replace(passage(1, 2), key=99)])
    assert index.have(np.array([1]), new).tolist() == [True]


def test_a_writer_killed_half_way_leaves_nothing(tmp_path: Path) -> None:
    index = FileIndex(tmp_path / "i", DIM)
    index.add([passage(1, 1)])
    for name in ("passages.bin", "vectors.bin", "sentences.bin", "sentence_vectors.bin"):
        with (tmp_path / "i" / "g1" / name).open("ab") as file:
            file.write(b"\x01" * 37)  # bytes behind the manifest's counts
    again = FileIndex(tmp_path / "i", DIM)
    two = passage(2, 2)
    again.add([two])
    assert again.search(two.vector, *ids(1, 2), None, 1)[0][0] == 1
    assert again.size == 2


def test_a_file_cut_short_is_told(tmp_path: Path) -> None:
    index = FileIndex(tmp_path / "i", DIM)
    index.add([passage(1, 1)])
    (tmp_path / "i" / "g1" / "vectors.bin").write_bytes(b"")
    with pytest.raises(StorageError, match="shorter than its manifest"):
        FileIndex(tmp_path / "i", DIM)


def test_two_writers_and_readers_at_once(tmp_path: Path) -> None:
    def write(first: int) -> None:
        own = FileIndex(tmp_path / "i", DIM)
        for paper in range(first, first + 20):
            own.add([passage(paper, paper)])

    threads = [threading.Thread(target=write, args=(first,)) for first in (1, 101)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    index = FileIndex(tmp_path / "i", DIM)
    papers = [*range(1, 21), *range(101, 121)]
    assert index.size == 40
    for paper in papers:
        assert index.search(passage(paper, paper).vector, *ids(*papers), None, 1)[0][0] == papers.index(paper)


def test_compacting_drops_the_gone_and_keeps_the_rest(tmp_path: Path) -> None:
    index = FileIndex(tmp_path / "i", DIM)
    made = {paper: passage(paper, paper, 2 + paper % 3) for paper in range(1, 11)}
    index.add(list(made.values()))
    index.compact(*ids(2, 9))
    assert index.size == 2
    for at, paper in enumerate((2, 9)):
        assert index.search(made[paper].vector, *ids(2, 9), None, 1)[0][0] == at
        assert np.abs(index.passages(paper, paper * 7)[0].vectors - made[paper].sentence_vectors).max() < 0.01
    index.add([made[4]])
    assert index.have(*ids(2, 4, 9)).all()
