"""The hash chain over all runs: how a link is hashed, and how any later change to the table is found."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from backend.domain import canonical, digest
from backend.storage.tables import ChainRow, RunRow

GENESIS = "0" * 64
_BATCH = 200


@dataclass(frozen=True)
class Problem:
    """One thing that does not add up: at which link (0: the head of the chain), which run, and what."""

    seq: int
    id: str
    message: str


@dataclass(frozen=True)
class Verification:
    """What a check of the whole chain found.

    Attributes
    ----------
    ok : bool
        True when nothing was altered.
    checked : int
        Links that were read, deletions among them.
    deleted : int
        Runs that were properly deleted.
    problems : tuple of Problem
        What was found, in the order of the chain.
    head : str
        Hash of the last link. Whoever keeps a copy elsewhere can also tell a chain that was rewritten from its start.
    """

    ok: bool
    checked: int
    deleted: int
    problems: tuple[Problem, ...]
    head: str = GENESIS


def iso(moment: datetime) -> str:
    """The one spelling of a moment that is hashed: UTC with microseconds."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def link(previous: str, seq: int, id: str, kind: str, parent: str, created: datetime, payload_sha256: str) -> str:
    """The hash of one link: SHA-256 over the previous link's hash and this link's identity and content hash."""
    return digest(previous + canonical([seq, id, kind, parent, iso(created), payload_sha256]))


def verify(session: Session) -> Verification:
    """Read every link and the head, and tell what does not add up."""
    problems: list[Problem] = []
    deletions: dict[str, str] = {}  # deleted run -> its hash, as its deletion link vouches for it
    blanked: dict[str, tuple[int, str]] = {}
    kept: dict[str, int] = {}
    previous, expected, checked = GENESIS, 1, 0
    for seq, row in _rows(session):
        checked += 1
        if seq != expected:
            problems.append(Problem(seq, row.id if row else "", f"Link {expected} is missing or out of place."))
        expected = seq + 1
        if row is None:
            problems.append(Problem(seq, "", "This link cannot be read: a value in it was altered."))
            previous = ""
            continue
        problems += [Problem(seq, row.id, message) for message in _check(row, previous)]
        previous = row.hash
        if row.kind == "deletion":
            deletions[row.parent] = _vouched(row)
        elif row.payload is None:
            blanked[row.id] = (seq, row.hash)
        else:
            kept[row.id] = seq
    for id, (seq, own_hash) in blanked.items():
        if id not in deletions:
            problems.append(Problem(seq, id, "The content of this run is gone, but nobody deleted it through Bioloom."))
        elif deletions[id] != own_hash:
            problems.append(Problem(seq, id, "The deletion of this run names another content."))
    for id in deletions:
        if id in kept:
            problems.append(Problem(kept[id], id, "This run was deleted, but has content again."))
        elif id not in blanked:
            problems.append(Problem(0, id, "A run was deleted whose place in the chain is gone."))
    problems += _check_head(session, previous, expected - 1)
    return Verification(not problems, checked, len(blanked), tuple(sorted(problems, key=lambda p: p.seq)), previous)


def _rows(session: Session) -> Iterator[tuple[int, RunRow | None]]:
    """Links in order, a batch at a time; None for one whose values the driver cannot even read."""
    last: int | None = None
    size = _BATCH
    while True:
        seqs = select(RunRow.seq).order_by(RunRow.seq).limit(size)
        numbers = session.scalars(seqs if last is None else seqs.where(RunRow.seq > last)).all()
        if not numbers:
            return
        try:
            rows = session.scalars(select(RunRow).where(RunRow.seq.in_(numbers)).order_by(RunRow.seq)).all()
        except DBAPIError:
            raise
        except Exception:  # a date that is no date, bytes that are no text: find out which row it is
            if len(numbers) > 1:
                size = 1
                continue
            yield numbers[0], None
            last = numbers[0]
            continue
        for row in rows:
            yield row.seq, row
        last = numbers[-1]
        session.expunge_all()


def _check(row: RunRow, previous: str) -> Iterator[str]:
    if row.previous != previous:
        yield "It does not follow the link before it: a run was altered, removed, inserted or moved."
    try:
        right = link(row.previous, row.seq, row.id, row.kind, row.parent, row.created, row.payload_sha256)
    except Exception:
        right = ""
    if row.hash != right:
        yield "Its hash does not match its identity, date or content hash."
    if row.payload is None:
        if any(value != "" for value in (row.task, row.title, row.model, row.owner)):  # not truth: b"" is an edit too
            yield "A deleted run carries content."
        return
    if not isinstance(row.payload, str) or digest(row.payload) != row.payload_sha256:
        yield "Its content was altered."
        return
    try:
        repeated = columns(json.loads(row.payload))
    except (ValueError, KeyError, TypeError, AttributeError):
        yield "Its content is no run."
        return
    for column, value in repeated.items():
        if getattr(row, column) != value:
            yield f"Its {column} was altered."


def columns(payload: dict[str, Any]) -> dict[str, Any]:
    """The columns that repeat parts of a run's content, so that lists need not read it."""
    return {
        "id": payload["id"],
        "kind": payload["kind"],
        "parent": payload["parent"],
        "task": payload["task"],
        "title": payload["title"],
        "model": payload["model"].get("name", ""),
        "owner": payload["owner"],
        "created": datetime.fromisoformat(payload["created"]),
    }


def _vouched(row: RunRow) -> str:
    try:
        return str(json.loads(row.payload or "{}")["input"]["hash"])
    except (ValueError, KeyError, TypeError):
        return ""


def _check_head(session: Session, last: str, length: int) -> Iterator[Problem]:
    heads = session.execute(select(ChainRow.id, ChainRow.length, ChainRow.hash)).all()
    if [head.id for head in heads] != [1]:
        yield Problem(0, "", "The head of the chain is missing or doubled.")
    elif (heads[0].length, heads[0].hash) != (length, last):
        yield Problem(0, "", f"The chain ends after link {length}, but its head speaks of {heads[0].length}: runs were cut off or added.")
