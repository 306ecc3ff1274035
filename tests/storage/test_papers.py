"""Papers in the database: duplicates merge, nothing stored is altered, an import is whole or absent, filters are exact."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event

from backend.config import Config
from backend.domain import Notice, Paper, Section, Skipped
from backend.errors import InputError, StorageError
from backend.storage import Storage, open_storage
from backend.storage.papers import Entry, Filters, PaperStore


def paper(title: str, body: str = "", **fields: object) -> Paper:
    text = f"{title}\n\n{body}"
    return Paper(text, title, (Section("", len(title) + 2, len(text)),) if body else (), **fields)  # type: ignore[arg-type]


def entry(made: Paper, kind: str = "other", source: str = "none") -> Entry:
    return Entry(made, kind, source, made.title.lower() if len(made.title) > 20 else "")


@pytest.fixture
def storage(config: Config) -> Storage:
    opened = open_storage(config)
    return opened


@pytest.fixture
def store(storage: Storage) -> PaperStore:
    return PaperStore(storage)


def add(store: PaperStore, *papers: Paper, collection: str | None = None) -> tuple[int, int]:
    made = store.add([entry(each) for each in papers], name="test", sha256="0" * 64, format="test", collection=collection)
    return made.added, made.merged


METFORMIN = paper(
    "Metformin and cardiovascular mortality", "It fell.", pmid="1", doi="10.1/A", year=2018, journal="Lancet", mesh=("Metformin",)
)


def test_the_same_pmid_doi_or_title_is_one_work(store: PaperStore) -> None:
    assert add(store, METFORMIN, METFORMIN) == (1, 1)
    assert add(store, replace(METFORMIN, doi="", title="Other title that is long", text="x")) == (0, 1)
    assert add(store, replace(METFORMIN, pmid="", doi="10.1/a")) == (0, 1)
    assert add(store, replace(METFORMIN, pmid="", doi="", year=2019)) == (0, 1)
    assert add(store, replace(METFORMIN, pmid="", doi="", year=2022)) == (1, 0), "years apart: another work of the same title"
    assert add(store, replace(METFORMIN, pmid="2", doi="")) == (1, 0), "two PMIDs are two works"


def test_merging_fills_gaps_adds_notices_and_never_touches_the_text(store: PaperStore) -> None:
    add(store, replace(METFORMIN, doi="", mesh=()))
    (before,) = store.page()
    changed = replace(METFORMIN, text="Something else entirely", notices=(Notice("retracted", "BMJ 2020", "9"),))
    assert add(store, changed) == (0, 1)
    (after,) = store.page()
    assert (after.id, after.sha256, after.paper.text) == (before.id, before.sha256, before.paper.text)
    assert (after.paper.doi, after.paper.mesh) == ("10.1/a", ("Metformin",))
    assert after.paper.notices == (Notice("retracted", "BMJ 2020", "9"),)


def test_a_work_without_abstract_gives_way_to_one_with_and_keeps_its_collections(store: PaperStore) -> None:
    add(store, paper(METFORMIN.title, pmid="1"), collection="Mine")
    (bare,) = store.page()
    assert add(store, METFORMIN) == (0, 1)
    (full,) = store.page()
    assert full.paper.text == METFORMIN.text
    assert full.id != bare.id, "another text is another number, so that no index can mistake one for the other"
    assert full.collections == ("Mine",)
    assert store.version() == 2


def test_an_import_that_fails_at_its_end_leaves_nothing(store: PaperStore) -> None:
    def entries() -> Iterator[Entry | Skipped]:
        for number in range(1_000):
            yield entry(paper(f"Work number {number} of the file", "Text.", pmid=str(number + 1)))
        raise InputError("The file ends in the middle of record 1,001.")

    with pytest.raises(InputError, match=r"1,001"):
        store.add(entries(), name="cut.xml", sha256="0", format="pubmed", collection="New")
    assert (store.count(), store.imports(), store.collections(), store.version()) == (0, [], [], 0)


def test_a_full_disk_leaves_nothing_half_imported(storage: Storage, store: PaperStore) -> None:
    add(store, METFORMIN)

    def _small(connection: Any, _: Any) -> None:
        connection.execute("PRAGMA max_page_count = 60").close()

    event.listen(storage.engine, "connect", _small)
    storage.engine.dispose()
    with pytest.raises(StorageError) as caught:
        add(store, *(paper(f"Work number {n} of the file", "Long text. " * 200, pmid=str(n + 10)) for n in range(800)))
    assert "full" in caught.value.message.lower()
    event.remove(storage.engine, "connect", _small)
    storage.engine.dispose()
    assert store.count() == 1
    assert add(store, METFORMIN) == (0, 1)


def test_filters_are_exact(store: PaperStore) -> None:
    old = paper(
        "A trial of aspirin in stroke patients", "Text.", pmid="2", year=1999, journal="Stroke", mesh=("Aspirin", "Stroke, Lacunar")
    )
    rct = Entry(replace(METFORMIN, mesh=("Metformin", "Humans")), "randomised trial", "indexed", "")
    store.add([rct, entry(old)], name="t", sha256="0", format="t", collection="Mine")
    add(store, paper("A work without a year or journal", "Text.", pmid="3"))

    def found(**fields: object) -> set[str]:
        return {s.paper.pmid for s in store.page(filters=Filters.read(fields))}

    assert found() == {"1", "2", "3"}
    assert found(year_from=2018) == {"1"}
    assert found(year_to=2018) == {"1", "2"}
    assert found(study_types=["randomised trial"]) == {"1"}
    assert found(journals=["lancet", "STROKE"]) == {"1", "2"}
    assert found(mesh=["stroke"]) == set(), "a term is matched whole"
    assert found(mesh=["stroke, lacunar", "aspirin"]) == {"2"}
    assert found(mesh=["%"]) == set()
    assert found(collections=["Mine"], year_to=2000) == {"2"}
    assert store.ids(Filters(collections=("Nobody's",))) == []


@pytest.mark.parametrize("bad", [{"year": 2015}, {"year_from": "soon"}, {"year_from": 2020, "year_to": 2010}])
def test_wrong_filters_are_told(bad: dict[str, object]) -> None:
    with pytest.raises(InputError) as caught:
        Filters.read(bad)
    assert caught.value.hint


def test_ids_are_never_used_twice(store: PaperStore) -> None:
    add(store, METFORMIN)
    (first,) = store.ids()
    assert store.remove([first, 99]) == 1
    add(store, METFORMIN)
    assert store.ids() != [first]


def test_text_search_takes_percent_and_quotes_literally(store: PaperStore) -> None:
    add(store, paper("100% of patients said 'yes'; DROP TABLE papers", "Text.", authors=("Müller Ä",)))
    assert store.count("100% 'yes'") == 1
    assert store.count("50%") == 0
    assert (store.count("müller"), store.count("MULLER ä")) == (1, 1)
    assert store.count("_00%") == 0
