"""Nothing but one module knows that the database is SQLite: the same schema and stores serve PostgreSQL."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import event, insert
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from backend.config import ROOT, Config
from backend.domain import Profile, Run
from backend.errors import StorageError
from backend.jobs import Jobs
from backend.storage import Storage, open_storage
from backend.storage.tables import Base, ConnectionRow


def walk(storage: Storage, make_run: Callable[..., Run]) -> None:
    """Everything the stores can do, once."""
    run = storage.runs.append(make_run(storage.runs.new_run_id(), title="100% Metformin"))
    child = storage.runs.append(make_run(storage.runs.new_run_id(), parent=run.id, kind="replay"))
    assert storage.runs.get(run.id[:6]) == run
    assert storage.runs.children(run.id) == [child]
    found = storage.runs.list("literature.ask", "% met", "minilm", "guest", run.created, run.created, limit=5, offset=0)
    assert [summary.id for summary in found] == [run.id]
    assert storage.runs.count(text="METFORMIN", since=run.created) == 1
    assert storage.runs.export(run.id)["children"][0]["id"] == child.id
    storage.runs.delete(run.id, "ana")
    checked = storage.runs.verify()
    assert (checked.ok, checked.checked, checked.deleted) == (True, 4, 2)
    storage.profiles.save(Profile("ana", "Ana"))
    storage.profiles.save(Profile("ana", "Ana B."))
    assert [profile.name for profile in storage.profiles.list()] == ["Guest", "Ana B."]
    storage.profiles.delete("ana")
    search = storage.searches.save("ana", "a", {"question": "q"})
    assert storage.searches.save("ana", "a", {"question": "r"}).id == search.id
    assert storage.searches.list("ana")[0].data == {"question": "r"}
    storage.searches.delete(search.id)
    storage.settings.set("k", {"v": [1]})
    storage.settings.set("k", {"v": [2]})
    assert storage.settings.get("k") == {"v": [2]}
    storage.connections.add("s", "r", "o")
    assert storage.connections.list(limit=1)[0].service == "s"
    jobs = Jobs(storage)
    job = jobs.wait(jobs.submit("ana", "k", "t", lambda progress: {"answer": 42}), timeout=20)
    jobs.shutdown()
    assert (job.state, job.result) == ("done", {"answer": 42})
    assert [listed.id for listed in jobs.list(owner="ana")] == [job.id]
    assert jobs.list(active=True) == []


def test_the_schema_and_every_query_of_the_stores_compile_for_postgresql(storage: Storage, make_run: Callable[..., Run]) -> None:
    dialect = postgresql.dialect()
    for table in Base.metadata.sorted_tables:
        assert str(CreateTable(table).compile(dialect=dialect))
        for index in table.indexes:
            assert str(CreateIndex(index).compile(dialect=dialect))
    statements: list[Any] = []
    event.listen(storage.engine, "before_execute", lambda connection, clause, *rest: statements.append(clause))
    walk(storage, make_run)
    assert len(statements) > 50
    for statement in statements:
        statement.compile(dialect=dialect)


def test_only_one_module_speaks_sqlite() -> None:
    own_words = re.compile(r"PRAGMA|import sqlite3|from sqlite3|rowid|sqlite_master|dialects\.sqlite|INSERT OR|(?<!\.)strftime")
    for path in (ROOT / "backend").rglob("*.py"):
        if path.name not in ("sqlite.py", "jaspar.py"):  # the matrices are published as a SQLite file
            assert not own_words.search(path.read_text("utf-8")), path


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of a PostgreSQL server of our own, in a temporary folder."""
    pytest.importorskip("psycopg", reason="psycopg is not installed (the postgres extra)")
    programs = [Path(path).parent for path in sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)]
    found = shutil.which("initdb")
    programs += [Path(found).parent] if found else []
    if not programs:
        pytest.skip("no PostgreSQL server is installed here")
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []  # the server refuses to run as root
    folder = Path(tempfile.mkdtemp(prefix="bioloom-pg-"))
    if as_user:
        shutil.chown(folder, "postgres")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    control = [*as_user, str(programs[0] / "pg_ctl"), "-D", str(folder / "db"), "-w"]
    try:
        initdb = [
            *as_user,
            str(programs[0] / "initdb"),
            "-D",
            str(folder / "db"),
            "-U",
            "bioloom",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-sync",
        ]
        subprocess.run(initdb, check=True, capture_output=True, cwd=folder)
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
        subprocess.run([*control, "-o", options, "-l", str(folder / "log"), "start"], check=True, stdout=subprocess.DEVNULL, cwd=folder)
        yield f"postgresql+psycopg://bioloom@127.0.0.1:{port}/postgres"
        subprocess.run([*control, "-m", "immediate", "stop"], check=False, stdout=subprocess.DEVNULL, cwd=folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres(config: Config, server: str) -> Iterator[Storage]:
    opened = open_storage(replace(config, database_url=server))
    Base.metadata.drop_all(opened.engine)
    with opened.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE alembic_version")
    opened.close()
    opened = open_storage(replace(config, database_url=server))
    yield opened
    opened.close()


def test_postgresql_gets_the_same_schema(postgres: Storage) -> None:
    with postgres.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_postgresql_serves_every_store(postgres: Storage, make_run: Callable[..., Run]) -> None:
    walk(postgres, make_run)


def test_threads_that_save_at_once_make_one_chain_on_postgresql(postgres: Storage, make_run: Callable[..., Run]) -> None:
    start = threading.Barrier(4)

    def append_some(_: int) -> None:
        start.wait()
        for _ in range(10):
            postgres.runs.append(make_run(postgres.runs.new_run_id()))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(append_some, range(4)))
    assert postgres.runs.count() == 40
    assert postgres.runs.verify().ok


def test_a_server_that_does_not_answer_is_told_without_its_password(config: Config) -> None:
    pytest.importorskip("psycopg", reason="psycopg is not installed (the postgres extra)")
    with pytest.raises(StorageError, match="does not answer") as caught:
        open_storage(replace(config, database_url="postgresql+psycopg://ana:hunter2@127.0.0.1:9/x"))
    assert "hunter2" not in str(caught.value)


def test_writing_needs_to_be_asked_for_on_postgresql_too(postgres: Storage) -> None:
    with pytest.raises(StorageError), postgres.session() as session:
        session.execute(insert(ConnectionRow).values(service="s", request="r", outcome="o"))
