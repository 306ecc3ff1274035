"""What the stores of patients and recordings share: finding a row or saying that it is gone, and names that may be shown."""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from backend.errors import InputError

Sessions = Callable[..., AbstractContextManager[Session]]


def new_id() -> str:
    """A new identifier: twelve upper-case hexadecimal digits."""
    return secrets.token_hex(6).upper()


def find_row(session: Session, table: type[Any], id: str, what: str) -> Any:
    """The row with this id, or an InputError that says what is not there."""
    row = session.get(table, id)
    if row is None:
        raise InputError(f"There is no {what} '{id}'.", "It may have been deleted; look at the list again.")
    return row


def erase(sessions: Sessions, forget: Callable[[], None], table: type[Any], id: str, what: str) -> None:
    """Erase a row and all that hangs on it, then make sure that it is gone from the database's files."""
    with sessions(write=True) as session:
        find_row(session, table, id, what)
        session.execute(delete(table).where(table.id == id))
    forget()


def clean_name(text: str, what: str, most: int = 80) -> str:
    """A name on one line, without characters that cannot be printed.

    Raises
    ------
    InputError
        When nothing is left of it, or it is longer than `most` characters.
    """
    shown = " ".join(unicodedata.normalize("NFC", "".join(c if c.isprintable() else " " for c in text)).split())
    if not shown:
        raise InputError(f"The {what} has no name.", "Give it a pseudonym." if what == "patient" else "Give it one.")
    if len(shown) > most:
        raise InputError(f"The name of the {what} has {len(shown)} characters; at most {most} are kept.", "Shorten it.")
    return shown
