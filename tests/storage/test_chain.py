"""Whatever is changed in the table of runs behind Bioloom's back, `verify` finds it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.config import Config
from backend.domain import Run, digest
from backend.storage import Storage, Verification

COLUMNS = ("seq", "id", "kind", "parent", "task", "title", "model", "owner", "created", "payload", "payload_sha256", "previous", "hash")


@pytest.fixture
def filled(storage: Storage, save: Callable[..., Run]) -> Storage:
    """A chain with every kind of link: runs, an explanation, a replay, a deletion of two, a run after it."""
    first = save()
    doomed = save(title="to be deleted")
    save(parent=doomed.id, kind="explanation")
    save(parent=first.id, kind="replay")
    storage.runs.delete(doomed.id, "ana")
    save(title="the last")
    return storage


@pytest.fixture
def tamper(config: Config, filled: Storage) -> Callable[..., Verification]:
    def run(statement: str, *values: Any) -> Verification:
        with closing(sqlite3.connect(config.data / "bioloom.db")) as raw:
            raw.execute(statement, values)
            raw.commit()
        return filled.runs.verify()

    return run


def test_an_untouched_chain_is_whole(filled: Storage) -> None:
    found = filled.runs.verify()
    assert (found.ok, found.checked, found.deleted, found.problems) == (True, 7, 2, ())


def test_an_empty_chain_is_whole(storage: Storage) -> None:
    assert storage.runs.verify().ok


@pytest.mark.parametrize("seq", [1, 3, 7])
def test_a_removed_row_is_found(tamper: Callable[..., Verification], seq: int) -> None:
    assert not tamper("DELETE FROM runs WHERE seq = ?", seq).ok


def test_a_cut_tail_is_found(tamper: Callable[..., Verification]) -> None:
    found = tamper("DELETE FROM runs WHERE seq > 4")
    assert any("cut off" in problem.message for problem in found.problems)


def test_a_chain_that_was_emptied_is_found(tamper: Callable[..., Verification]) -> None:
    assert not tamper("DELETE FROM runs").ok


def test_an_inserted_row_is_found(tamper: Callable[..., Verification]) -> None:
    columns = ", ".join(column for column in COLUMNS if column not in ("seq", "id", "hash"))
    found = tamper(f"INSERT INTO runs (seq, id, hash, {columns}) SELECT 8, 'FFFFFFFF', 'x', {columns} FROM runs WHERE seq = 1")
    assert not found.ok


def test_swapped_rows_are_found(tamper: Callable[..., Verification]) -> None:
    tamper("UPDATE runs SET seq = -1 WHERE seq = 1")
    tamper("UPDATE runs SET seq = 1 WHERE seq = 4")
    found = tamper("UPDATE runs SET seq = 4 WHERE seq = -1")
    assert {1, 4} <= {problem.seq for problem in found.problems}


def test_a_run_blanked_without_a_deletion_is_found(tamper: Callable[..., Verification]) -> None:
    found = tamper("UPDATE runs SET payload = NULL, title = '', task = '', model = '', owner = '' WHERE seq = 1")
    assert [problem.seq for problem in found.problems] == [1]
    assert "nobody deleted it" in found.problems[0].message


def test_content_replaced_together_with_its_hash_is_found(tamper: Callable[..., Verification]) -> None:
    found = tamper("UPDATE runs SET payload = 'x', payload_sha256 = ? WHERE seq = 1", digest("x"))
    assert {problem.seq for problem in found.problems} == {1}


def test_a_deleted_run_that_has_content_again_is_found(storage: Storage, make_run: Callable[..., Run], config: Config) -> None:
    run = storage.runs.append(make_run("0A0A0A0A"))
    with closing(sqlite3.connect(config.data / "bioloom.db")) as raw:
        before = raw.execute("SELECT payload, task, title, model, owner FROM runs").fetchone()
        storage.runs.delete(run.id)
        raw.execute("UPDATE runs SET payload = ?, task = ?, title = ?, model = ?, owner = ? WHERE seq = 1", before)
        raw.commit()
    assert [problem.message for problem in storage.runs.verify().problems] == ["This run was deleted, but has content again."]


@pytest.mark.parametrize(
    "statement", ["UPDATE chain SET length = 6", "UPDATE chain SET hash = 'x'", "UPDATE chain SET id = 2", "DELETE FROM chain"]
)
def test_a_changed_head_is_found(tamper: Callable[..., Verification], statement: str) -> None:
    assert not tamper(statement).ok


_values = st.one_of(
    st.none(),
    st.text(max_size=12),
    st.integers(-5, 10**6),
    st.binary(max_size=6),
    st.sampled_from(["", "run", "deletion", "2026-01-01 00:00:00.000000"]),
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seq=st.integers(1, 7),
    column=st.sampled_from(COLUMNS),
    value=_values,
    flip=st.integers(0, 10**6),
    how=st.sampled_from(["replace", "flip", "cut"]),
)
def test_every_edit_of_a_single_cell_is_found(
    filled: Storage, config: Config, seq: int, column: str, value: Any, flip: int, how: str
) -> None:
    with closing(sqlite3.connect(config.data / "bioloom.db")) as raw:
        before = raw.execute(f"SELECT {column} FROM runs WHERE seq = ?", (seq,)).fetchone()[0]
        if how != "replace" and isinstance(before, str) and before:
            at = flip % len(before)
            value = before[:at] if how == "cut" else before[:at] + chr(ord(before[at]) ^ 1) + before[at + 1 :]
        try:
            raw.execute(f"UPDATE runs SET {column} = ? WHERE seq = ?", (value, seq))
            raw.commit()
        except (sqlite3.IntegrityError, UnicodeEncodeError):  # the database itself refuses it
            raw.rollback()
            return
        where = value if column == "seq" else seq
        after = raw.execute(f"SELECT {column} FROM runs WHERE seq = ?", (where,)).fetchone()[0]
        ok = filled.runs.verify().ok
        raw.execute(f"UPDATE runs SET {column} = ? WHERE seq = ?", (before, where))
        raw.commit()
    assert ok == (after == before), f"{column} of link {seq}: {before!r} became {after!r}"
    assert filled.runs.verify().ok
