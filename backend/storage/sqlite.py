"""Everything that is true of SQLite alone: how it is opened, how its transactions begin, what its errors mean."""

from __future__ import annotations

import sqlite3
from typing import Any, Literal

from sqlalchemy import Connection, Engine, event

Reason = Literal["full", "locked", "readonly", "damaged"]

_REASONS: dict[int, Reason] = {
    sqlite3.SQLITE_FULL: "full",
    sqlite3.SQLITE_BUSY: "locked",
    sqlite3.SQLITE_LOCKED: "locked",
    sqlite3.SQLITE_READONLY: "readonly",
    sqlite3.SQLITE_CANTOPEN: "readonly",
    sqlite3.SQLITE_PERM: "readonly",
    sqlite3.SQLITE_CORRUPT: "damaged",
    sqlite3.SQLITE_NOTADB: "damaged",
}


def prepare(engine: Engine, patience: float) -> None:
    """Set up every connection of a SQLite engine.

    Writers take their lock at BEGIN (IMMEDIATE), because a lock that is
    asked for halfway fails at once instead of waiting. Readers are held to reading, so that a forgotten ``write=True``
    is noticed in the first test. What is deleted is overwritten, because it may have been about a patient.

    Parameters
    ----------
    engine : Engine
        The ``read_only`` execution option tells its reading transactions from writing ones.
    patience : float
        Seconds to wait for another process's lock.
    """

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, record: Any) -> None:
        connection.isolation_level = None  # the driver must not begin transactions of its own
        for pragma in (
            f"busy_timeout = {int(patience * 1000)}",
            "synchronous = NORMAL",
            "foreign_keys = ON",
            "secure_delete = ON",
        ):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        reads = connection.get_execution_options().get("read_only", False)
        connection.exec_driver_sql(f"PRAGMA query_only = {'ON' if reads else 'OFF'}")
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def use_wal(engine: Engine) -> None:
    """Let readers go on while one process writes; the file remembers it.

    Only while nobody else opens the file: SQLite refuses the switch at once, without waiting, when another looks in.
    """
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        if cursor.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            cursor.execute("PRAGMA journal_mode = WAL")
        cursor.close()
    finally:
        connection.close()


def forget(engine: Engine) -> None:
    """Fold the write-ahead log into the database, so that what was just erased is in neither; best effort while others read."""
    connection = engine.raw_connection()
    try:
        connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
    finally:
        connection.close()


def owns(error: BaseException) -> bool:
    """Whether SQLite raised this."""
    return isinstance(error, sqlite3.Error)


def reason(error: BaseException) -> Reason | None:
    """Why SQLite refused, or None when `error` is not one of the plain reasons."""
    if not owns(error):
        return None
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:  # errors that the driver raises itself carry no code
        return None
    return _REASONS.get(code & 0xFF)  # the low byte is the primary code, the rest its flavour
