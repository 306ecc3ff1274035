"""Opens the database, keeps its schema current, and hands out transactions and the stores that use them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

from filelock import FileLock, Timeout
from sqlalchemy import Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.orm import Session

from backend.config import Config
from backend.errors import StorageError
from backend.storage import sqlite
from backend.storage.calibrations import CalibrationStore
from backend.storage.failures import plain
from backend.storage.jobs import JobStore
from backend.storage.migrations import migrate
from backend.storage.patients import PatientStore
from backend.storage.recordings import RecordingStore
from backend.storage.records import ConnectionStore, ProfileStore, SearchStore, SettingStore
from backend.storage.runs import RunStore


@dataclass(frozen=True)
class Storage:
    """One open database. Safe to share between threads; every session belongs to one thread.

    Attributes
    ----------
    engine, reader : Engine
        The database, to write and only to read.
    place : str
        Where the data is, in words that may be shown: a file, or a server without its password.
    """

    engine: Engine
    reader: Engine
    place: str

    @contextmanager
    def session(self, write: bool = False) -> Iterator[Session]:
        """One transaction: committed when the block ends, rolled back when it raises.

        Parameters
        ----------
        write : bool
            Must be True to change anything. SQLite has one writer at a time: keep these blocks short, and report
            progress between them, never inside.

        Raises
        ------
        StorageError
            When the disk is full, the database locked, read-only, damaged or out of reach. Nothing is half-written then.
        """
        try:
            with Session(self.engine if write else self.reader, expire_on_commit=False) as session, session.begin():
                yield session
        except Exception as error:
            found = plain(error, self.place)
            if found is None:
                raise
            raise found from error

    @cached_property
    def runs(self) -> RunStore:
        return RunStore(self.session, self.forget)

    @cached_property
    def patients(self) -> PatientStore:
        return PatientStore(self.session, self.forget)

    @cached_property
    def recordings(self) -> RecordingStore:
        return RecordingStore(self.session, self.forget)

    @cached_property
    def calibrations(self) -> CalibrationStore:
        return CalibrationStore(self.session, self.forget)

    @cached_property
    def profiles(self) -> ProfileStore:
        return ProfileStore(self.session)

    @cached_property
    def searches(self) -> SearchStore:
        return SearchStore(self.session)

    @cached_property
    def settings(self) -> SettingStore:
        return SettingStore(self.session)

    @cached_property
    def connections(self) -> ConnectionStore:
        return ConnectionStore(self.session)

    @cached_property
    def jobs(self) -> JobStore:
        return JobStore(self.session)

    def forget(self) -> None:
        """Make sure that what was erased is gone from the files too."""
        if self.engine.dialect.name == "sqlite":
            sqlite.forget(self.engine)

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def open_storage(config: Config, patience: float = 15.0) -> Storage:
    """Open the database that `config` names, making or migrating it as needed.

    Parameters
    ----------
    config : Config
        Gives the database's address and the folder for locks.
    patience : float
        Seconds to wait for another process that is writing or migrating.

    Raises
    ------
    StorageError
        When it cannot be opened, or was made by a newer Bioloom.
    """
    try:
        url = make_url(config.database_url)
        engine = create_engine(url)
    except (ArgumentError, NoSuchModuleError) as error:
        raise StorageError(
            "BIOLOOM_DATABASE_URL is not a database address that Bioloom knows.",
            "Leave it unset for a local file, or use the form postgresql://user:password@server/database.",
        ) from error
    except ModuleNotFoundError as error:
        raise StorageError(
            f"The driver for this kind of database is not installed: {error.name}.",
            "For PostgreSQL install Bioloom with its extra: pip install 'bioloom[postgres]'.",
        ) from error
    reader = engine.execution_options(read_only=True, postgresql_readonly=True)
    place = url.render_as_string(hide_password=True)
    if url.get_backend_name() == "sqlite":
        place = url.database or "memory"
        sqlite.prepare(engine, patience)
    try:
        config.locks.mkdir(parents=True, exist_ok=True)
        with FileLock(config.locks / "open.lock", timeout=patience):
            if url.get_backend_name() == "sqlite":
                sqlite.use_wal(engine)
            migrate(engine, reader)
    except Timeout as error:
        raise StorageError("Another Bioloom is preparing the database.", "Wait until it has started, then try again.") from error
    except Exception as error:
        engine.dispose()
        found = plain(error, place)
        if found is None and isinstance(error, OSError):
            hint = "Set BIOLOOM_DATA to a folder you may write to."
            found = StorageError(f"The folder {config.locks} cannot be used: {error.strerror}.", hint)
        if found is None:
            raise
        raise found from error
    return Storage(engine, reader, place)
