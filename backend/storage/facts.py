"""Facts of one owner, a patient or a recording, each a piece of JSON under a key; erased with their owner."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import select

from backend.domain import Json
from backend.storage.patient_tables import PatientFactRow, PatientRow, RecordingFactRow, RecordingRow
from backend.storage.rows import Sessions, find_row
from backend.storage.tables import now


class Facts:
    """The facts of one kind of owner.

    Parameters
    ----------
    forget : callable
        Called after every change, so that what was replaced leaves the files of the database too.
    """

    def __init__(self, session: Sessions, forget: Callable[[], None], row: type[Any], owner: type[Any], what: str) -> None:
        self._session, self._forget = session, forget
        self._row, self._owner, self._what = row, owner, what
        self._column = getattr(row, f"{what}_id")

    def get(self, owner: str, key: str) -> Json:
        """The fact under `key`, or None."""
        with self._session() as session:
            row = session.get(self._row, (owner, key))
            return row.data if row is not None else None

    def all(self, owner: str) -> dict[str, Json]:
        """Every fact of one owner by key."""
        with self._session() as session:
            return {row.key: row.data for row in session.scalars(select(self._row).where(self._column == owner).order_by(self._row.key))}

    def set(self, owner: str, key: str, data: Json) -> None:
        """Put `data` under `key`; None erases it.

        Raises
        ------
        InputError
            When the owner is not there (any more).
        """
        with self._session(write=True) as session:
            find_row(session, self._owner, owner, self._what)
            row = session.get(self._row, (owner, key))
            if data is None:
                if row is None:
                    return
                session.delete(row)
            elif row is None:
                session.add(self._row(**{f"{self._what}_id": owner}, key=key, data=data, updated=now()))
            else:
                row.data, row.updated = data, now()
        if row is not None:
            self._forget()


def patient_facts(session: Sessions, forget: Callable[[], None]) -> Facts:
    """The facts of patients."""
    return Facts(session, forget, PatientFactRow, PatientRow, "patient")


def recording_facts(session: Sessions, forget: Callable[[], None]) -> Facts:
    """The facts of recordings."""
    return Facts(session, forget, RecordingFactRow, RecordingRow, "recording")
