"""The library: what is imported is found, by words at once and by meaning as vectors come; other processes are followed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from backend.config import ROOT, Config, load_config
from backend.domain import digest
from backend.errors import Cancelled, InputError
from backend.literature.index import index_folder
from backend.literature.library import ENCODER, Library, library
from backend.literature.passages import cut
from backend.literature.retrieval import fuse, lexical_ranking, retrieve
from backend.progress import Silent
from backend.storage.papers import Filters
from backend.workbench import Workbench
from tests.literature.papers import pubmed_xml, write

QUESTION = "Does metformin reduce cardiovascular mortality?"


@pytest.fixture
def shelf(bench: Workbench, tmp_path: Path) -> Library:
    made = library(bench.context)
    made.import_file(write(tmp_path), collection="Examples")
    return made


def titles(shelf: Library, ranking: list[tuple[int, float]]) -> list[str]:
    ids = [paper for paper, _ in ranking]
    stored = shelf.get(ids)
    return [stored[paper].paper.pmid for paper in ids]


def test_words_are_found_at_once_and_meaning_after_indexing(bench: Workbench, shelf: Library) -> None:
    assert (shelf.status().words, shelf.status().vectors) == (5, 0)
    assert titles(shelf, lexical_ranking(shelf, shelf.snapshot(), QUESTION, None))[:2] == ["90000001", "90000002"]
    assert shelf.index_vectors() == 5
    assert shelf.status().vectors == 5
    with bench.runtime.use(ENCODER) as encoder:
        found = retrieve(shelf, "falling asleep suddenly during the day", encoder)
    assert found.stored[found.papers[0].paper].paper.pmid == "90000004", "no word is shared, only the meaning"


def test_the_first_question_does_not_wait_for_all_vectors(bench: Workbench, shelf: Library) -> None:
    with bench.runtime.use(ENCODER) as encoder:
        found = retrieve(shelf, QUESTION, encoder)
    assert found.methods == ("bm25", "minilm")
    assert found.papers[0].minilm_rank == 1
    assert 0 < found.with_vectors < 5, "only the word matches were encoded"


def test_every_vector_lies_in_the_stored_text(shelf: Library) -> None:
    shelf.index_vectors()
    snapshot = shelf.snapshot()
    for paper_id, key in zip(snapshot.ids.tolist(), snapshot.keys.tolist(), strict=True):
        paper = shelf.paper(paper_id).paper
        stored = shelf.index.passages(paper_id, key)
        assert [tuple(p.sentences) for p in stored] == [p.spans for p in cut(paper)]
        assert stored[0].sentences[0] == (0, len(paper.title))
        assert np.allclose(np.linalg.norm(stored[0].vectors, axis=1), 1, atol=0.02)


def test_filters_hold_in_both_searches(bench: Workbench, shelf: Library) -> None:
    shelf.index_vectors()
    with bench.runtime.use(ENCODER) as encoder:
        found = retrieve(shelf, QUESTION, encoder, Filters(study_types=("randomised trial",), year_from=2015))
        none = retrieve(shelf, QUESTION, encoder, Filters(year_from=2030))
    assert [found.stored[p.paper].paper.pmid for p in found.papers] == ["90000001"]
    assert (none.papers, none.sentences, none.matching) == ((), (), 0)


def test_removed_papers_are_gone_from_both_searches(bench: Workbench, shelf: Library) -> None:
    shelf.index_vectors()
    (paper,) = shelf.papers("cohort")
    assert shelf.remove([paper.id]) == 1
    with bench.runtime.use(ENCODER) as encoder:
        found = retrieve(shelf, "Metformin use and heart failure: a cohort study", encoder)
    assert paper.id not in {p.paper for p in found.papers}
    with pytest.raises(InputError, match="no longer in the library"):
        shelf.paper(paper.id)


def test_a_second_process_on_the_same_database_is_followed(config: Config, shelf: Library, tmp_path: Path) -> None:
    other = Workbench(config)
    try:
        more = [("90000009", 2022, "Zolpidem and falls in older people", "Zolpidem doubled the risk of falls at night.", [], [])]
        library(other.context).import_file(write(tmp_path, "more.xml", more))
        assert shelf.status().works == 6
        assert titles(shelf, lexical_ranking(shelf, shelf.snapshot(), "zolpidem", None)) == ["90000009"]
        assert library(other.context).index_vectors() == 6
        assert shelf.status().vectors == 6
    finally:
        other.close()


def test_importing_the_same_file_twice_adds_nothing(shelf: Library, tmp_path: Path) -> None:
    report = shelf.import_file(tmp_path / "papers.xml", collection="Again")
    assert (report.added, report.merged) == (0, 5)
    assert dict(shelf.collections()) == {"Examples": 5, "Again": 5}


def test_a_stopped_import_keeps_nothing_and_stopped_indexing_keeps_what_is_done(bench: Workbench, tmp_path: Path) -> None:
    class Stop(Silent):
        def __init__(self, after: int) -> None:
            self.left = after

        def check(self) -> None:
            self.left -= 1
            if self.left < 0:
                raise Cancelled

    many = [(str(n), 2000, f"Study number {n} of blood pressure", f"It fell by {n} mmHg in this group.", [], []) for n in range(1, 901)]
    path = write(tmp_path, records=many)
    shelf = library(bench.context)
    with pytest.raises(Cancelled):
        shelf.import_file(path, progress=Stop(2))
    assert shelf.count() == 0
    shelf.import_file(path)
    with pytest.raises(Cancelled, match="papers are done"):
        shelf.index_vectors(Stop(1))
    assert shelf.status().vectors == 32
    assert shelf.pending()[0] == max(shelf.pending())


def test_a_process_killed_in_the_middle_of_an_import_leaves_nothing(config: Config, tmp_path: Path) -> None:
    abstract = "Blood pressure fell in this group. " * 20
    many = [(str(n), 2000, f"Study number {n} of blood pressure", abstract, [], []) for n in range(1, 8001)]
    path = tmp_path / "many.xml"
    path.write_text(pubmed_xml(many), encoding="utf-8")
    code = (
        "import sys; from pathlib import Path; from backend.config import load_config; from backend.workbench import Workbench\n"
        "from backend.literature.library import library\n"
        "class P:\n"
        "    def update(self, done, total=None, message=''): print(message, flush=True)\n"
        "    def check(self): pass\n"
        "library(Workbench(load_config()).context).import_file(Path(sys.argv[1]), progress=P())"
    )
    env = {**os.environ, "BIOLOOM_DATA": str(config.data)}
    process = subprocess.Popen([sys.executable, "-c", code, str(path)], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if "stored" in line:  # the database transaction is under way
            process.send_signal(signal.SIGKILL)
            break
    process.wait()
    bench = Workbench(config)
    shelf = library(bench.context)
    assert (shelf.count(), shelf.imports()) == (0, [])
    assert shelf.import_file(path).added == 8000
    bench.close()


def test_a_moved_data_folder_keeps_what_was_read_for_meaning(config: Config, shelf: Library, bench: Workbench, tmp_path: Path) -> None:
    shelf.index_vectors()
    bench.close()
    (config.index / "own").rename(config.index / digest(config.database_url)[:12])  # as earlier versions named it
    moved = tmp_path / "moved"
    shutil.move(config.data, moved)
    elsewhere = Workbench(load_config({"BIOLOOM_DATA": str(moved), "BIOLOOM_DEVICE": "cpu"}))
    assert library(elsewhere.context).status().vectors == 5
    elsewhere.close()


def test_another_database_has_an_index_of_its_own(config: Config) -> None:
    other = replace(config, database_url="postgresql://somewhere/else")
    assert index_folder(other) != index_folder(config)


def test_reciprocal_rank_fusion_prefers_what_both_found() -> None:
    assert [item for item, _ in fuse([[1, 2, 3], [3, 4]])] == [3, 1, 2, 4]


def test_the_word_index_survives_a_restart_without_being_built_again(config: Config, shelf: Library) -> None:
    built = {path.name for path in config.index.glob("*/words/w*")}
    time.sleep(0.01)
    again = Workbench(config)
    assert library(again.context).status().words == 5
    assert {path.name for path in config.index.glob("*/words/w*")} == built
    again.close()
