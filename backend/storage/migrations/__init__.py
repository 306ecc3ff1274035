"""Brings a database to the schema of this version, once, however many processes start together."""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock, Timeout
from sqlalchemy import Engine, inspect, text

from backend.errors import StorageError

HEAD = "0001"


def migrate(engine: Engine, locks: Path, patience: float) -> None:
    """Create or upgrade the schema, all of it or nothing.

    Parameters
    ----------
    engine : Engine
        The database.
    locks : Path
        Folder for the lock that keeps two starting processes apart.
    patience : float
        Seconds to wait for the other one.

    Raises
    ------
    StorageError
        When the database was made by a newer Bioloom, or another process migrates for longer than `patience`.
    """
    if revision(engine) == HEAD:
        return
    locks.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(locks / "migrate.lock", timeout=patience):
            _upgrade(engine)
    except Timeout as error:
        raise StorageError("Another Bioloom is preparing the database.", "Wait until it has started, then try again.") from error


def revision(engine: Engine) -> str:
    """The schema revision of a database; '' for an empty one."""
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return ""
        return connection.scalar(text("SELECT version_num FROM alembic_version")) or ""


def _upgrade(engine: Engine) -> None:
    from alembic import command  # takes a third of a second to import, and is needed once per version
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    found = revision(engine)
    if found and found not in known:
        raise StorageError(
            f"The database was made by a newer Bioloom (schema {found}; this version knows up to {HEAD}).",
            "Update Bioloom, or set BIOLOOM_DATA to another folder to start afresh.",
        )
    with engine.execution_options(write=True).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, HEAD)
