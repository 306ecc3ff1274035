"""Saved runs: appended, listed, erased on request, never edited."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from backend.domain import Json, Run, canonical, digest
from backend.errors import InputError, StorageError
from backend.storage.chain import Verification, columns, iso, link, verify
from backend.storage.tables import ChainRow, RunRow, now

Sessions = Callable[..., AbstractContextManager[Session]]
_ATTEMPTS = 5


@dataclass(frozen=True)
class RunSummary:
    """What a list of runs shows of one."""

    id: str
    kind: str
    parent: str
    task: str
    title: str
    model: str
    owner: str
    created: datetime


class RunStore:
    """The runs of one database.

    Parameters
    ----------
    session : callable
        `Storage.session`.
    forget : callable
        Called after a deletion, so that erased content leaves the files too.
    """

    def __init__(self, session: Sessions, forget: Callable[[], None]) -> None:
        self._session = session
        self._forget = forget

    def new_run_id(self) -> str:
        """An identifier that no saved run has."""
        with self._session() as session:
            return _free_id(session)

    def append(self, run: Run) -> Run:
        """Save a run as the next link of the chain.

        Returns
        -------
        Run
            The run as saved: the same, unless another process took its id since `new_run_id`; then under a fresh one.

        Raises
        ------
        StorageError
            When it could not be saved. Then nothing of it was.
        """
        with self._session(write=True) as session:
            head = _lock_head(session)
            if _taken(session, run.id):
                run = replace(run, id=_free_id(session))
            _append(session, head, run_json(run))
        return run

    def get(self, id: str) -> Run:
        """The run with this id, or with the one id that begins so.

        Raises
        ------
        InputError
            When no run, more than one, or only a deleted one matches.
        StorageError
            When its content no longer matches its hash.
        """
        with self._session() as session:
            return _read(_find(session, id))

    def list(
        self,
        task: str | None = None,
        text: str | None = None,
        model: str | None = None,
        owner: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        kinds: Sequence[str] = ("run",),
        limit: int = 50,
        offset: int = 0,
    ) -> list[RunSummary]:
        """Runs that match all filters, newest first.

        Parameters
        ----------
        text : str, optional
            Part of the title in any case, or the beginning of an id.
        since, until : datetime, optional
            Both inclusive; with a time zone.
        kinds : sequence of str
            Any of ``run``, ``explanation``, ``replay``.
        """
        found = (RunRow.id, RunRow.kind, RunRow.parent, RunRow.task, RunRow.title, RunRow.model, RunRow.owner, RunRow.created)
        query = select(*found).where(*_where(task, text, model, owner, since, until, kinds))
        with self._session() as session:
            rows = session.execute(query.order_by(RunRow.seq.desc()).limit(limit).offset(offset)).all()
        return [RunSummary(*row) for row in rows]

    def count(
        self,
        task: str | None = None,
        text: str | None = None,
        model: str | None = None,
        owner: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        kinds: Sequence[str] = ("run",),
    ) -> int:
        """How many runs `list` would give without a limit."""
        query = select(func.count()).select_from(RunRow).where(*_where(task, text, model, owner, since, until, kinds))
        with self._session() as session:
            return session.scalar(query) or 0

    def children(self, id: str) -> Sequence[Run]:
        """The explanations and replays that follow this run directly, oldest first."""
        with self._session() as session:
            return [_read(row) for row in _children(session, _find(session, id).id)]

    def delete(self, id: str, owner: str = "") -> None:
        """Erase a run with its explanations and replays. Their hashes stay, and a deletion is appended for each.

        Parameters
        ----------
        owner : str
            Who deletes; kept with the deletion.
        """
        with self._session(write=True) as session:
            head = _lock_head(session)
            doomed = [_find(session, id)]
            for row in doomed:  # grows while it is walked: children of children too
                doomed += _children(session, row.id)
            for row in doomed:
                row.payload, row.task, row.title, row.model, row.owner = None, "", "", "", ""
                _append(session, head, _deletion(session, row, owner))
        self._forget()

    def verify(self) -> Verification:
        """Check every link of the chain; see `backend.storage.chain`."""
        with self._session() as session:
            return verify(session)

    def export(self, id: str) -> dict[str, Json]:
        """A run with everything that follows it and its links, as JSON that stands on its own."""
        with self._session() as session:
            rows = [_find(session, id)]
            for row in rows:
                rows += _children(session, row.id)
            return {
                "run": run_json(_read(rows[0])),
                "children": [run_json(_read(row)) for row in rows[1:]],
                "chain": [
                    {"seq": row.seq, "id": row.id, "payload_sha256": row.payload_sha256, "previous": row.previous, "hash": row.hash}
                    for row in rows
                ],
            }


def new_run_id() -> str:
    """A new identifier: eight upper-case hexadecimal digits. `RunStore.append` replaces one that is taken."""
    return secrets.token_hex(4).upper()


def run_json(run: Run) -> dict[str, Json]:
    """A run as the JSON that is stored, hashed and exported."""
    return {**asdict(run), "created": iso(run.created), "warnings": list(run.warnings)}


def read_run(data: dict[str, Any]) -> Run:
    """The run that `run_json` wrote."""
    return Run(**{**data, "created": datetime.fromisoformat(data["created"]), "warnings": tuple(data["warnings"])})


def _lock_head(session: Session) -> ChainRow:
    head = session.scalar(select(ChainRow).where(ChainRow.id == 1).with_for_update())
    if head is None:
        raise StorageError("The chain of saved runs has lost its head.", "Run 'bioloom runs verify' to see what was altered.")
    return head


def _append(session: Session, head: ChainRow, data: dict[str, Any]) -> None:
    payload = canonical(data)
    row = RunRow(seq=head.length + 1, payload=payload, payload_sha256=digest(payload), previous=head.hash, **columns(data))
    row.hash = link(row.previous, row.seq, row.id, row.kind, row.parent, row.created, row.payload_sha256)
    head.length, head.hash = row.seq, row.hash
    session.add(row)
    session.flush()


def _deletion(session: Session, row: RunRow, owner: str) -> dict[str, Json]:
    about = {"id": _free_id(session), "kind": "deletion", "parent": row.id, "owner": owner, "created": iso(now())}
    return {**about, "task": "", "title": "", "model": {}, "input": {"hash": row.hash}}


def _taken(session: Session, id: str) -> bool:
    return session.scalar(select(RunRow.seq).where(RunRow.id == id)) is not None


def _free_id(session: Session) -> str:
    for _ in range(_ATTEMPTS):
        id = new_run_id()
        if not _taken(session, id):
            return id
    raise StorageError("No free identifier was found for a new run.", "Try again.")


def _children(session: Session, id: str) -> Sequence[RunRow]:
    followers = select(RunRow).where(RunRow.parent == id, RunRow.kind != "deletion", RunRow.payload.is_not(None))
    return session.scalars(followers.order_by(RunRow.seq)).all()


def _find(session: Session, id: str) -> RunRow:
    wanted = id.strip().upper()
    if not wanted:
        raise InputError("No run was named.", "Give a run's id; the list of runs shows them.")
    named = select(RunRow).where(RunRow.id.startswith(wanted, autoescape=True), RunRow.kind != "deletion")
    rows = session.scalars(named.order_by(RunRow.seq).limit(6)).all()
    rows = [row for row in rows if row.id == wanted] or rows
    kept = [row for row in rows if row.payload is not None]
    if len(kept) == 1:
        return kept[0]
    if kept:
        raise InputError(f"More than one run begins with '{wanted}'.", f"Give more of the id: {', '.join(row.id for row in kept)}.")
    if rows:
        raise InputError(f"The run {rows[0].id} was deleted.", "Only its place in the chain is kept; ask again to compute it anew.")
    raise InputError(f"There is no run '{wanted}'.", "The list of runs shows which there are.")


def _read(row: RunRow) -> Run:
    if row.payload is None or digest(row.payload) != row.payload_sha256:
        raise StorageError(f"The run {row.id} was altered after it was saved.", "Run 'bioloom runs verify' to see all that was altered.")
    return read_run(json.loads(row.payload))


def _where(
    task: str | None,
    text: str | None,
    model: str | None,
    owner: str | None,
    since: datetime | None,
    until: datetime | None,
    kinds: Sequence[str],
) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [RunRow.kind.in_([kind for kind in kinds if kind != "deletion"]), RunRow.payload.is_not(None)]
    if task is not None:
        found.append(RunRow.task == task)
    if text:
        found.append(or_(RunRow.title.icontains(text, autoescape=True), RunRow.id.startswith(text.upper(), autoescape=True)))
    if model is not None:
        found.append(RunRow.model == model)
    if owner is not None:
        found.append(RunRow.owner == owner)
    if since is not None:
        found.append(RunRow.created >= since)
    if until is not None:
        found.append(RunRow.created <= until)
    return found
