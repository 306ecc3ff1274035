"""Saved runs come back as they were, are listed by what they are about, and are really gone when deleted."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from backend.config import Config
from backend.domain import Run
from backend.errors import InputError, StorageError
from backend.storage import Storage
from backend.storage.tables import RunRow


def test_a_run_comes_back_equal_by_id_and_by_any_unique_beginning(storage: Storage, save: Callable[..., Run]) -> None:
    run = save()
    assert storage.runs.get(run.id) == run
    assert storage.runs.get(run.id[:5].lower()) == run


def test_an_id_is_eight_upper_case_hex_digits(storage: Storage) -> None:
    id = storage.runs.new_run_id()
    assert len(id) == 8
    assert id == f"{int(id, 16):08X}"


def test_an_id_taken_meanwhile_is_replaced_and_both_runs_are_kept(storage: Storage, make_run: Callable[..., Run]) -> None:
    first = storage.runs.append(make_run("0A0A0A0A", title="first"))
    second = storage.runs.append(make_run("0A0A0A0A", title="second"))
    assert first.id != second.id
    assert {storage.runs.get(first.id).title, storage.runs.get(second.id).title} == {"first", "second"}


@pytest.mark.parametrize(
    ("id", "message"), [("FFFFFFFF", "There is no run"), ("  ", "No run was named"), ("0A", "More than one"), ("%", "no run")]
)
def test_unknown_and_ambiguous_ids_are_told_with_a_hint(storage: Storage, make_run: Callable[..., Run], id: str, message: str) -> None:
    storage.runs.append(make_run("0A000001"))
    storage.runs.append(make_run("0A000002"))
    with pytest.raises(InputError, match=message) as caught:
        storage.runs.get(id)
    assert caught.value.hint


def test_a_whole_id_wins_over_a_longer_one_that_begins_with_it(storage: Storage, make_run: Callable[..., Run]) -> None:
    storage.runs.append(make_run("0A0000010"))
    assert storage.runs.append(make_run("0A000001")) == storage.runs.get("0A000001")


def test_lists_filter_by_everything_a_reader_looks_for(storage: Storage, save: Callable[..., Run]) -> None:
    day = datetime(2026, 3, 1, 12, tzinfo=UTC)
    asked = save(title="Statins and 100% adherence", created=day, owner="ana")
    save(title="Metformin", created=day + timedelta(days=1), task="literature.extract", model={"name": "bm25"})
    save(title="STATINS again", created=day + timedelta(days=2), owner="ana")
    save(parent=asked.id, kind="replay", title="Statins replayed")
    titles = lambda **filters: [run.title for run in storage.runs.list(**filters)]  # noqa: E731
    assert titles() == ["STATINS again", "Metformin", "Statins and 100% adherence"]
    assert titles(text="statin") == ["STATINS again", "Statins and 100% adherence"]
    assert titles(text="100%") == ["Statins and 100% adherence"]
    assert titles(text="%") == ["Statins and 100% adherence"]
    assert titles(text=asked.id[:6].lower()) == ["Statins and 100% adherence"]
    assert titles(task="literature.extract") == titles(model="bm25") == ["Metformin"]
    assert titles(owner="ana", since=day + timedelta(hours=1)) == ["STATINS again"]
    assert titles(until=day) == ["Statins and 100% adherence"]
    assert titles(kinds=("replay",)) == ["Statins replayed"]
    assert titles(limit=1, offset=1) == ["Metformin"]
    assert storage.runs.count(text="statin") == 2
    assert storage.runs.count(kinds=("run", "replay")) == 4


def test_children_and_export_hold_everything_that_follows_a_run(storage: Storage, save: Callable[..., Run]) -> None:
    run = save()
    explained = save(parent=run.id, kind="explanation")
    replayed = save(parent=explained.id, kind="replay")
    assert storage.runs.children(run.id) == [explained]
    exported = storage.runs.export(run.id)
    assert exported["run"]["id"] == run.id
    assert [child["id"] for child in exported["children"]] == [explained.id, replayed.id]
    assert [link["id"] for link in exported["chain"]] == [run.id, explained.id, replayed.id]


def test_a_deleted_run_is_gone_with_its_explanations_from_lists_and_from_the_files(
    storage: Storage, save: Callable[..., Run], config: Config
) -> None:
    secret = "Zaphod Beeblebrox's potassium"
    run = save(title=secret, input={"question": secret})
    child = save(parent=run.id, kind="explanation", title=secret)
    kept = save()
    storage.runs.delete(run.id, "ana")
    assert [left.id for left in storage.runs.list(kinds=("run", "explanation"))] == [kept.id]
    for id in (run.id, child.id):
        with pytest.raises(InputError, match="was deleted"):
            storage.runs.get(id)
    with pytest.raises(InputError, match="was deleted"):
        storage.runs.delete(run.id)
    checked = storage.runs.verify()
    assert (checked.ok, checked.checked, checked.deleted) == (True, 5, 2)
    for file in config.data.glob("bioloom.db*"):
        assert secret.encode() not in file.read_bytes()


def test_a_deletion_itself_is_no_run(storage: Storage, save: Callable[..., Run]) -> None:
    run = save()
    storage.runs.delete(run.id)
    with storage.session() as session:
        deletion = session.query(RunRow).filter_by(kind="deletion").one().id
    with pytest.raises(InputError):
        storage.runs.get(deletion)
    assert storage.runs.count(kinds=("run", "deletion")) == 0


def test_a_run_that_was_altered_is_not_shown(storage: Storage, save: Callable[..., Run]) -> None:
    run = save()
    with storage.session(write=True) as session:
        session.execute(update(RunRow).values(payload=RunRow.payload + " "))
    with pytest.raises(StorageError, match="altered"):
        storage.runs.get(run.id)


def test_threads_that_save_at_once_make_one_unbroken_chain(storage: Storage, make_run: Callable[..., Run]) -> None:
    start = threading.Barrier(6)

    def append_some(worker: int) -> None:
        start.wait()
        for _ in range(10):
            storage.runs.append(make_run(storage.runs.new_run_id(), title=str(worker)))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(append_some, range(6)))
    assert storage.runs.count() == 60
    assert storage.runs.verify().ok
