"""Rows of background work, and the guarded moves between their states."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from backend.storage.tables import JobRow

Sessions = Callable[..., AbstractContextManager[Session]]


class JobStore:
    """The jobs of one database, of every process that uses it."""

    def __init__(self, session: Sessions) -> None:
        self._session = session

    def add(self, row: JobRow) -> None:
        """Store a new job."""
        with self._session(write=True) as session:
            session.add(row)

    def get(self, id: str) -> JobRow | None:
        """The job with this id."""
        with self._session() as session:
            return session.get(JobRow, id)

    def list(self, owner: str | None = None, states: Sequence[str] | None = None, limit: int | None = None) -> Sequence[JobRow]:
        """Jobs that match, newest first."""
        query = select(JobRow).order_by(JobRow.created.desc(), JobRow.id)
        if owner is not None:
            query = query.where(JobRow.owner == owner)
        if states is not None:
            query = query.where(JobRow.state.in_(states))
        if limit is not None:
            query = query.limit(limit)
        with self._session() as session:
            return session.scalars(query).all()

    def change(self, id: str, states: Sequence[str], **values: Any) -> bool:
        """Set `values` if the job is still in one of `states`; False when it is not."""
        with self._session(write=True) as session:
            changed = session.execute(update(JobRow).where(JobRow.id == id, JobRow.state.in_(states)).values(**values).returning(JobRow.id))
            return changed.first() is not None
