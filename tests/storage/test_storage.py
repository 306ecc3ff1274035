"""Opening, migrating and writing survive a full disk, a second process, a killed process and a damaged file."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config as AlembicConfig
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event, func, insert, select

from backend.config import ROOT, Config, load_config
from backend.domain import Run
from backend.errors import StorageError
from backend.storage import Storage, migrations, open_storage
from backend.storage.tables import Base, ConnectionRow, RunRow

OPEN = """
import sys
from backend.config import load_config
from backend.storage import open_storage
storage = open_storage(load_config({"BIOLOOM_DATA": sys.argv[1]}))
"""
WRITE_RUNS = (
    OPEN
    + """
from datetime import UTC, datetime
from backend.domain import Run
for n in range(int(sys.argv[2])):
    id, t = storage.runs.new_run_id(), datetime.now(UTC)
    storage.runs.append(Run(id, "t", "x" * 2000, t, {}, "", {}, {}, {"name": "m"}, {}, None, (), 0.1, {}))
    print(n + 1, flush=True)
"""
)
STOP_HALFWAY = (
    OPEN
    + """
import time
from sqlalchemy import insert
from backend.storage.tables import ConnectionRow
with storage.session(write=True) as session:
    for n in range(5000):
        session.execute(insert(ConnectionRow).values(service="s", request="r" * 1000, outcome="o"))
    print("halfway", flush=True)
    time.sleep(60)
"""
)


def start(script: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_the_migrated_schema_is_the_one_the_code_speaks(storage: Storage) -> None:
    with storage.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_the_head_that_opening_compares_with_is_the_last_revision() -> None:
    config = AlembicConfig()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    assert ScriptDirectory.from_config(config).get_current_head() == migrations.HEAD


def test_opening_again_keeps_what_is_there(config: Config, storage: Storage, save: Callable[..., Run]) -> None:
    run = save()
    assert open_storage(config).runs.get(run.id) == run


def test_a_database_of_a_newer_version_is_left_alone(config: Config, storage: Storage) -> None:
    with closing(sqlite3.connect(config.data / "bioloom.db")) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
        raw.commit()
    with pytest.raises(StorageError, match="newer Bioloom") as caught:
        open_storage(config)
    assert "Update Bioloom" in caught.value.hint


def test_a_block_that_raises_leaves_nothing(storage: Storage) -> None:
    def write_and_fail() -> None:
        with storage.session(write=True) as session:
            session.add(ConnectionRow(service="s", request="r", outcome="o"))
            session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_fail()
    assert storage.connections.list() == []


def test_writing_needs_to_be_asked_for(storage: Storage) -> None:
    with pytest.raises(StorageError), storage.session() as session:
        session.execute(insert(ConnectionRow).values(service="s", request="r", outcome="o"))
    storage.connections.add("s", "r", "o")
    assert len(storage.connections.list()) == 1


def test_foreign_keys_are_kept(storage: Storage) -> None:
    with pytest.raises(StorageError), storage.session(write=True) as session:
        session.execute(insert(Base.metadata.tables["collection_papers"]).values(collection_id=1, paper_id=1))


def test_a_full_disk_is_told_and_nothing_is_half_written(storage: Storage, save: Callable[..., Run]) -> None:
    kept = save()
    with storage.session() as session:
        pages = session.connection().exec_driver_sql("PRAGMA page_count").scalar_one()

    def limit(connection: Any, record: Any) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages + room['pages']}").close()

    room = {"pages": 3}
    event.listen(storage.engine, "connect", limit)
    storage.engine.dispose()
    with pytest.raises(StorageError, match="disk is full") as caught:
        save(input={"text": "x" * 500_000})
    assert "Free some space" in caught.value.hint
    with pytest.raises(StorageError, match="disk is full"), storage.session(write=True) as session:
        session.execute(insert(ConnectionRow), [{"service": "s", "request": "r" * 1000, "outcome": "o"}] * 200)
    assert [run.id for run in storage.runs.list()] == [kept.id]
    assert storage.connections.list() == []
    assert storage.runs.verify().ok
    room["pages"] = 100_000  # space was freed
    storage.engine.dispose()
    save(input={"text": "x" * 500_000})
    assert storage.runs.count() == 2
    assert storage.runs.verify().ok


def test_another_writer_that_does_not_end_is_told(config: Config, storage: Storage) -> None:
    impatient = open_storage(config, patience=0.2)
    with closing(sqlite3.connect(config.data / "bioloom.db")) as raw:
        raw.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageError, match="Another program is writing"):
            impatient.connections.add("s", "r", "o")
        assert impatient.connections.list() == []  # reading goes on meanwhile
        raw.rollback()
    impatient.connections.add("s", "r", "o")


def test_a_file_that_is_no_database_is_told(config: Config) -> None:
    (config.data / "bioloom.db").write_bytes(b"not a database, just some text " * 200)
    with pytest.raises(StorageError, match="damaged"):
        open_storage(config)


def test_a_damaged_database_is_told(config: Config, save: Callable[..., Run], storage: Storage) -> None:
    for _ in range(30):
        save(input={"text": "x" * 5000})
    storage.forget()
    storage.close()
    path = config.data / "bioloom.db"
    content = bytearray(path.read_bytes())
    content[8192:] = os.urandom(len(content) - 8192)
    path.write_bytes(content)
    with pytest.raises(StorageError, match="damaged") as caught:
        open_storage(config).runs.verify()
    assert str(path) in caught.value.hint


def test_a_read_only_database_is_told(config: Config, storage: Storage) -> None:
    storage.close()
    path = config.data / "bioloom.db"
    frozen = open_storage(replace(config, database_url=f"sqlite:///file:{path}?mode=ro&uri=true"))
    assert frozen.runs.list() == []
    with pytest.raises(StorageError, match="may not write"):
        frozen.connections.add("s", "r", "o")


@pytest.mark.parametrize("url", ["nonsense", "oracle9://x", "sqlite:////dev/null/x/bioloom.db"])
def test_an_unusable_address_is_told(config: Config, url: str) -> None:
    with pytest.raises(StorageError) as caught:
        open_storage(replace(config, database_url=url))
    assert caught.value.hint


def test_two_processes_that_start_and_write_together_make_one_chain(tmp_path: Path) -> None:
    both = [start(WRITE_RUNS, tmp_path, 20) for _ in range(2)]
    for process in both:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
    storage = open_storage(load_config({"BIOLOOM_DATA": str(tmp_path)}))
    assert storage.runs.count() == 40
    assert storage.runs.verify().ok


def test_a_process_killed_halfway_through_writing_leaves_nothing_half_there(
    config: Config, save: Callable[..., Run], storage: Storage
) -> None:
    kept = save()
    process = start(STOP_HALFWAY, config.data)
    assert process.stdout is not None
    assert process.stdout.readline() == "halfway\n", process.stderr
    process.send_signal(signal.SIGKILL)
    process.communicate()
    again = open_storage(config)
    assert again.connections.list() == []
    assert again.runs.get(kept.id) == kept
    again.connections.add("s", "r", "o")


def test_a_process_killed_while_saving_runs_loses_none_that_it_reported(config: Config) -> None:
    process = start(WRITE_RUNS, config.data, 100_000)
    assert process.stdout is not None
    for _ in range(25):
        reported = int(process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    rest, _ = process.communicate()
    reported = max([reported, *(int(line) for line in rest.splitlines() if line)])
    again = open_storage(config)
    assert again.runs.count() in (reported, reported + 1)
    assert again.runs.verify().ok
    with again.session() as session:
        payloads = session.scalars(select(RunRow.payload)).all()
        assert session.scalar(select(func.count()).select_from(RunRow)) == len([json.loads(text or "") for text in payloads])
