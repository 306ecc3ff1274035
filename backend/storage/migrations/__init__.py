"""Brings a database to the schema of this version, all of it or nothing."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine, inspect, text

from backend.errors import StorageError

HEAD = "0004"


def migrate(engine: Engine, reader: Engine) -> None:
    """Create or upgrade the schema, all of it or nothing. The caller holds the lock that keeps two processes apart.

    Parameters
    ----------
    engine, reader : Engine
        The database, to write and only to read: looking must not wait for another process's import.

    Raises
    ------
    StorageError
        When the database was made by a newer Bioloom.
    """
    if (found := revision(reader)) != HEAD:
        _upgrade(engine, found)


def revision(engine: Engine) -> str:
    """The schema revision of a database; '' for an empty one."""
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return ""
        return connection.scalar(text("SELECT version_num FROM alembic_version")) or ""


def _upgrade(engine: Engine, found: str) -> None:
    from alembic import command  # takes a third of a second to import, and is needed once per version
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found and found not in known:
        raise StorageError(
            f"The database was made by a newer Bioloom (schema {found}; this version knows up to {HEAD}).",
            "Update Bioloom, or set BIOLOOM_DATA to another folder to start afresh.",
        )
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, HEAD)
