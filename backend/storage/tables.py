"""SQLAlchemy tables. Portable types only: nothing here knows which database serves them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, DateTime, ForeignKey, Index, Integer, String, Text, TypeDecorator
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC; databases without time zones give it back with one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None or value.tzinfo is not None:
            return value
        return value.replace(tzinfo=UTC)


def now() -> datetime:
    return datetime.now(UTC)


class Base(DeclarativeBase):
    type_annotation_map: ClassVar[dict[Any, Any]] = {datetime: UtcDateTime, dict[str, Any]: JSON, list[Any]: JSON, str: Text}


class PaperRow(Base):
    """A work of the library; `id` is the number that index files carry."""

    __tablename__ = "papers"
    # ids are never used twice, so that an index file cannot mistake a new paper for a removed one
    __table_args__ = (Index("ix_papers_year_type", "year", "study_type"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    text: Mapped[str]
    title: Mapped[str]
    title_key: Mapped[str] = mapped_column(String(64), index=True)  # digest of the normalised title
    search: Mapped[str]  # title, authors and journal in lower case without accents: databases differ in how they fold letters
    pmid: Mapped[str | None] = mapped_column(String(16), unique=True)
    doi: Mapped[str | None] = mapped_column(String(255), index=True)  # not unique: errata share their paper's
    pmcid: Mapped[str]
    authors: Mapped[list[Any]]
    journal: Mapped[str]
    year: Mapped[int | None]
    volume: Mapped[str]
    issue: Mapped[str]
    pages: Mapped[str]
    language: Mapped[str] = mapped_column(String(16))
    publication_types: Mapped[list[Any]]
    study_type: Mapped[str] = mapped_column(String(32), index=True)
    study_type_source: Mapped[str] = mapped_column(String(16))
    mesh: Mapped[str]  # '|Humans|Metformin|', so that one term is found exactly on any database
    keywords: Mapped[list[Any]]
    sections: Mapped[list[Any]]
    notices: Mapped[list[Any]]
    annotations: Mapped[list[Any]]
    source: Mapped[str] = mapped_column(String(32))
    import_id: Mapped[int] = mapped_column(ForeignKey("imports.id"), index=True)
    added: Mapped[datetime] = mapped_column(default=now)


class ImportRow(Base):
    """One file (or one network fetch) that papers came from."""

    __tablename__ = "imports"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    name: Mapped[str]
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    format: Mapped[str] = mapped_column(String(32))
    added: Mapped[int]
    merged: Mapped[int]  # records that were already there
    skipped: Mapped[list[Any]]  # [{place, reason}]
    created: Mapped[datetime] = mapped_column(default=now)


class CollectionRow(Base):
    """A named set of papers."""

    __tablename__ = "collections"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    name: Mapped[str] = mapped_column(String(120), unique=True)
    created: Mapped[datetime] = mapped_column(default=now)


class CollectionPaperRow(Base):
    """Membership of a paper in a collection."""

    __tablename__ = "collection_papers"

    collection_id: Mapped[int] = mapped_column(ForeignKey("collections.id", ondelete="CASCADE"), primary_key=True)
    paper_id: Mapped[int] = mapped_column(ForeignKey("papers.id", ondelete="CASCADE"), primary_key=True, index=True)


class RunRow(Base):
    """A link of the hash chain: a run, or the deletion of one. A deleted run keeps its place and its hash, nothing else."""

    __tablename__ = "runs"

    seq: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(32), unique=True)
    kind: Mapped[str] = mapped_column(String(16))  # run | explanation | replay | deletion
    parent: Mapped[str] = mapped_column(String(32), index=True)  # for a deletion: the id of the deleted run
    task: Mapped[str] = mapped_column(String(64), index=True)
    title: Mapped[str]
    model: Mapped[str] = mapped_column(String(120), index=True)
    owner: Mapped[str] = mapped_column(String(64), index=True)
    created: Mapped[datetime] = mapped_column(index=True)
    payload: Mapped[str | None]  # canonical JSON of the whole run; NULL once deleted
    payload_sha256: Mapped[str] = mapped_column(String(64))
    previous: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64), unique=True)


class ChainRow(Base):
    """The head of the chain: written in the same transaction as each run, so that a cut tail is noticed."""

    __tablename__ = "chain"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    length: Mapped[int]
    hash: Mapped[str] = mapped_column(String(64))


class JobRow(Base):
    """Background work, so that a reload or a restart still knows of it."""

    __tablename__ = "jobs"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    owner: Mapped[str] = mapped_column(String(64), index=True)
    kind: Mapped[str] = mapped_column(String(64))
    title: Mapped[str]
    state: Mapped[str] = mapped_column(String(16), index=True)
    done: Mapped[float]
    total: Mapped[float | None]
    message: Mapped[str]
    result: Mapped[dict[str, Any] | None]
    error: Mapped[dict[str, Any] | None]  # {message, hint}
    process: Mapped[str] = mapped_column(String(64))  # which process runs it: pid and start time
    created: Mapped[datetime] = mapped_column(default=now)
    started: Mapped[datetime | None]
    finished: Mapped[datetime | None]


class ProfileRow(Base):
    """An asker's profile."""

    __tablename__ = "profiles"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    data: Mapped[dict[str, Any]]
    updated: Mapped[datetime] = mapped_column(default=now, onupdate=now)


class SearchRow(Base):
    """A saved search: question, filters and settings under a name."""

    __tablename__ = "searches"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    owner: Mapped[str] = mapped_column(String(64), index=True)
    name: Mapped[str] = mapped_column(String(200))
    data: Mapped[dict[str, Any]]
    created: Mapped[datetime] = mapped_column(default=now)


class SettingRow(Base):
    """A small fact about this installation: library version, active profile, consent to a licence."""

    __tablename__ = "settings"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[dict[str, Any]]


class ConnectionRow(Base):
    """An outside connection that the person asked for: what was requested, when, and what came back."""

    __tablename__ = "connections"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    service: Mapped[str] = mapped_column(String(64))
    request: Mapped[str]
    outcome: Mapped[str]
    created: Mapped[datetime] = mapped_column(default=now)
