"""What a failing database or disk means, in words that say what to do next."""

from __future__ import annotations

import errno

from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from backend.errors import StorageError
from backend.storage import sqlite

_PLAIN = {
    "full": ("The disk is full: nothing of this was saved.", "Free some space on the disk that holds {place}, then try again."),
    "locked": (
        "Another program is writing to Bioloom's database and did not finish in time.",
        "Wait for its import or task to end, or close the other Bioloom, then try again.",
    ),
    "readonly": (
        "Bioloom may not write to its database.",
        "Check that you may write to {place} and the folder around it, or set BIOLOOM_DATA to another folder.",
    ),
    "damaged": (
        "Bioloom's database file is damaged: parts of it cannot be read.",
        "Close Bioloom, keep a copy of {place}, and put the last backup in its place.",
    ),
    "conflict": ("Something else stored the same thing at the same moment, so this was not saved.", "Try again."),
    "gone": (
        "The database at {place} does not answer or does not let Bioloom in.",
        "Check that the database server runs and that BIOLOOM_DATABASE_URL is right.",
    ),
}

_OS = {errno.ENOSPC: "full", errno.EDQUOT: "full", errno.EROFS: "readonly"}
_POSTGRESQL = {"53100": "full", "55P03": "locked", "40P01": "locked", "25006": "readonly", "42501": "readonly", "XX001": "damaged"}


def plain(error: BaseException, place: str) -> StorageError | None:
    """The same failure as a StorageError, or None when it is not the storage's.

    Parameters
    ----------
    error : BaseException
        What SQLAlchemy, the driver or the operating system raised.
    place : str
        The database file, or the server's address without its password.
    """
    kind = _kind(error)
    if kind is None:
        return None
    message, hint = _PLAIN[kind]
    return StorageError(message.format(place=place), hint.format(place=place))


def _kind(error: BaseException) -> str | None:
    if isinstance(error, IntegrityError):
        return "conflict"
    if isinstance(error, PoolTimeout):
        return "locked"
    if isinstance(error, OSError):
        return _OS.get(error.errno or 0)
    origin: BaseException = error
    if isinstance(error, DBAPIError) and error.orig is not None:
        origin = error.orig
    if found := sqlite.reason(origin):
        return found
    state = getattr(origin, "sqlstate", None)
    if state in _POSTGRESQL:
        return _POSTGRESQL[state]
    no_answer = isinstance(error, OperationalError) and state is None and not sqlite.owns(origin)
    if no_answer or (state or "").startswith(("08", "57P", "28", "3D")):
        return "gone"
    return None
