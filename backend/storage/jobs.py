"""Rows of background work, and the guarded moves between their states."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
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

    def forget(self, ids: Collection[str], names: Collection[str]) -> None:
        """Erase ended jobs whose title or result holds any of `ids`, or whose title ends with 'of' and any of `names`."""
        with self._session(write=True) as session:
            for row in session.scalars(select(JobRow).where(JobRow.state.not_in(("queued", "running")))):
                held = f"{row.title}\n{json.dumps(row.result)}\n{json.dumps(row.error)}"
                if any(id in held for id in ids) or any(row.title.endswith(f" of {name}") for name in names):
                    session.delete(row)

    def change(self, id: str, states: Sequence[str], **values: Any) -> bool:
        """Set `values` if the job is still in one of `states`; False when it is not."""
        with self._session(write=True) as session:
            changed = session.execute(update(JobRow).where(JobRow.id == id, JobRow.state.in_(states)).values(**values).returning(JobRow.id))
            return changed.first() is not None
