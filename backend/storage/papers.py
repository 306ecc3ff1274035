"""Papers, collections and imports in the database: adding without duplicates, exact filters, removal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from backend.domain import Annotation, Notice, Paper, Section, Skipped
from backend.errors import InputError
from backend.progress import Progress, Silent
from backend.storage.duplicates import Entry, Known, body_length, has_body, merge, replace_text, values_of
from backend.storage.filters import CHUNK, Filters, pieces, where
from backend.storage.tables import CollectionPaperRow, CollectionRow, ImportRow, PaperRow, SettingRow, now

if TYPE_CHECKING:
    from backend.storage import Storage

__all__ = ["Entry", "Facets", "Filters", "ImportSummary", "PaperStore", "StoredPaper"]

VERSION_KEY = "library_version"


@dataclass(frozen=True)
class StoredPaper:
    """A paper of the library as it is stored."""

    id: int
    paper: Paper
    study_type: str
    study_type_source: str
    collections: tuple[str, ...]
    added: datetime
    sha256: str


@dataclass(frozen=True)
class ImportSummary:
    """What one import did."""

    id: int
    name: str
    format: str
    added: int
    merged: int
    skipped: tuple[Skipped, ...]
    created: datetime


@dataclass(frozen=True)
class Facets:
    """What there is to filter by, most frequent first."""

    years: tuple[int, int] | None
    journals: tuple[tuple[str, int], ...]
    study_types: tuple[tuple[str, int], ...]
    mesh: tuple[tuple[str, int], ...]


class PaperStore:
    """The library's tables, through one `Storage`."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    # --- adding ---------------------------------------------------------------------------------------------------

    def add(
        self,
        entries: Iterable[Entry | Skipped],
        *,
        name: str,
        sha256: str,
        format: str,
        collection: str | None = None,
        progress: Progress | None = None,
    ) -> ImportSummary:
        """Store all entries in one transaction: all of them or, on any failure, none.

        A record that is already there (same PMID, else DOI, else title within a year) is merged: gaps of the stored one are
        filled, notices are added, and its text is never altered. Only a stored work without abstract gives way to one with.
        """
        progress = progress or Silent()
        added = merged = done = 0
        skipped: list[Skipped] = []
        source = iter(entries)
        with self._storage.session(write=True) as session:
            row = ImportRow(name=name, sha256=sha256, format=format, added=0, merged=0, skipped=[])
            session.add(row)
            session.flush()
            target = self._collection(session, collection) if collection else None
            while chunk := list(islice(source, CHUNK)):
                progress.check()
                skipped += [item for item in chunk if isinstance(item, Skipped)]
                new, known = self._add_chunk(session, [item for item in chunk if isinstance(item, Entry)], row.id, target)
                added, merged, done = added + new, merged + known, done + len(chunk)
                progress.update(done, None, f"{done:,} stored")
            row.added, row.merged, row.skipped = added, merged, [asdict(item) for item in skipped]
            self._bump(session)
            return ImportSummary(row.id, name, format, added, merged, tuple(skipped), row.created or now())

    def _add_chunk(self, session: Session, entries: Sequence[Entry], import_id: int, collection: int | None) -> tuple[int, int]:
        known = Known(session, entries)
        fresh: list[dict[str, Any]] = []
        touched: set[int] = set()
        merged = 0
        for entry in entries:
            twin = known.find(entry)
            if twin is None:
                values = values_of(entry, import_id)
                fresh.append(values)
                known.remember(values)
            else:
                merged += 1
                if not has_body(twin) and body_length(entry.paper) > 0:
                    replace_text(twin, entry)
                    if "id" in twin:  # a stored row: its text is immutable, so the work gets a new row
                        old = twin.pop("id")
                        touched.discard(old)
                        memberships = session.scalars(
                            select(CollectionPaperRow.collection_id).where(CollectionPaperRow.paper_id == old)
                        ).all()
                        session.execute(delete(CollectionPaperRow).where(CollectionPaperRow.paper_id == old))
                        session.execute(delete(PaperRow).where(PaperRow.id == old))
                        twin["_collections"] = list(memberships)
                        twin["import_id"] = import_id
                        fresh.append(twin)
                changed = merge(twin, entry)
                if "id" in twin:
                    touched.add(twin["id"])
                    if changed:
                        session.execute(update(PaperRow).where(PaperRow.id == twin["id"]).values(**{k: twin[k] for k in changed}))
        memberships_of = [values.pop("_collections", []) for values in fresh]
        ids: list[int] = []
        if fresh:
            columns = [column.key for column in PaperRow.__table__.columns if column.key not in ("id", "added")]
            rows = [{key: values[key] for key in columns} for values in fresh]
            ids = list(session.scalars(insert(PaperRow).returning(PaperRow.id, sort_by_parameter_order=True), rows).all())
        for paper_id, memberships in zip(ids, memberships_of, strict=True):
            for member in memberships:
                session.add(CollectionPaperRow(collection_id=member, paper_id=paper_id))
        session.flush()
        if collection is not None:
            self._join(session, collection, [*ids, *touched])
        return len(entries) - merged, merged

    # --- reading --------------------------------------------------------------------------------------------------

    def version(self) -> int:
        """Counts every change of the library, by any process on this database."""
        with self._storage.session() as session:
            row = session.get(SettingRow, VERSION_KEY)
            return int(row.value["n"]) if row else 0

    def count(self, text: str = "", filters: Filters | None = None) -> int:
        with self._storage.session() as session:
            return int(session.scalar(select(func.count()).select_from(PaperRow).where(*where(text, filters))) or 0)

    def ids(self, filters: Filters | None = None) -> list[int]:
        """Ids of the papers that the filters admit, ascending."""
        with self._storage.session() as session:
            return list(session.scalars(select(PaperRow.id).where(*where("", filters)).order_by(PaperRow.id)).all())

    def keys(self) -> list[tuple[int, str]]:
        """(id, sha256 of the text) of every paper, ascending by id."""
        with self._storage.session() as session:
            return [(row[0], row[1]) for row in session.execute(select(PaperRow.id, PaperRow.sha256).order_by(PaperRow.id))]

    def texts(self, ids: Sequence[int] | None = None) -> Iterator[tuple[int, str]]:
        """(id, text) of the given papers, or of all, ascending by id; read in pieces."""
        wanted = self.ids() if ids is None else sorted(ids)
        for at in range(0, len(wanted), 2_000):
            piece = wanted[at : at + 2_000]
            with self._storage.session() as session:
                found: dict[int, str] = {}
                for some in pieces(piece):
                    found.update(
                        (row[0], row[1]) for row in session.execute(select(PaperRow.id, PaperRow.text).where(PaperRow.id.in_(some)))
                    )
            for paper_id in piece:
                if paper_id in found:
                    yield paper_id, found[paper_id]

    def texts_of(self, pmids: Sequence[str]) -> dict[str, str]:
        """The stored texts of those papers that are there, by PMID."""
        with self._storage.session() as session:
            return {
                str(row[0]): row[1]
                for piece in pieces(pmids)
                for row in session.execute(select(PaperRow.pmid, PaperRow.text).where(PaperRow.pmid.in_(piece)))
            }

    def get(self, ids: Sequence[int]) -> dict[int, StoredPaper]:
        """The papers of these ids that are still there."""
        with self._storage.session() as session:
            rows = [row for piece in pieces(ids) for row in session.scalars(select(PaperRow).where(PaperRow.id.in_(piece)))]
            return {row.id: _stored(row, names) for row, names in zip(rows, _collections_of(session, rows), strict=True)}

    def page(self, text: str = "", filters: Filters | None = None, limit: int = 50, offset: int = 0) -> list[StoredPaper]:
        """Papers whose title, authors or PMID hold `text`, newest year first."""
        query = select(PaperRow).where(*where(text, filters))
        query = query.order_by(PaperRow.year.is_(None), PaperRow.year.desc(), PaperRow.id.desc()).limit(limit).offset(offset)
        with self._storage.session() as session:
            rows = list(session.scalars(query))
            return [_stored(row, names) for row, names in zip(rows, _collections_of(session, rows), strict=True)]

    def facets(self, most: int = 300) -> Facets:
        with self._storage.session() as session:
            low, high = session.execute(select(func.min(PaperRow.year), func.max(PaperRow.year))).one()

            def counts(column: Any) -> tuple[tuple[str, int], ...]:
                query = select(column, func.count()).where(column != "").group_by(column).order_by(func.count().desc(), column).limit(most)
                return tuple((row[0], row[1]) for row in session.execute(query))

            terms: dict[str, int] = {}
            for mesh in session.scalars(select(PaperRow.mesh).where(PaperRow.mesh != "")):
                for term in mesh.strip("|").split("|"):
                    terms[term] = terms.get(term, 0) + 1
            mesh_counts = tuple(sorted(terms.items(), key=lambda item: (-item[1], item[0]))[: most * 10])
            years = None if low is None or high is None else (int(low), int(high))
            return Facets(years, counts(PaperRow.journal), counts(PaperRow.study_type), mesh_counts)

    def imports(self) -> list[ImportSummary]:
        with self._storage.session() as session:
            rows = session.scalars(select(ImportRow).order_by(ImportRow.id.desc())).all()
            return [
                ImportSummary(r.id, r.name, r.format, r.added, r.merged, tuple(Skipped(**s) for s in r.skipped), r.created) for r in rows
            ]

    # --- removing, collecting -------------------------------------------------------------------------------------

    def remove(self, ids: Sequence[int]) -> int:
        """Delete these papers. Saved runs keep the quotes they made of them."""
        with self._storage.session(write=True) as session:
            gone = 0
            for piece in pieces(ids):
                session.execute(delete(CollectionPaperRow).where(CollectionPaperRow.paper_id.in_(piece)))
                gone += int(getattr(session.execute(delete(PaperRow).where(PaperRow.id.in_(piece))), "rowcount", 0))
            if gone:
                self._bump(session)
            return gone

    def collections(self) -> list[tuple[str, int]]:
        query = (
            select(CollectionRow.name, func.count(CollectionPaperRow.paper_id))
            .outerjoin(CollectionPaperRow, CollectionPaperRow.collection_id == CollectionRow.id)
            .group_by(CollectionRow.name)
            .order_by(CollectionRow.name)
        )
        with self._storage.session() as session:
            return [(row[0], row[1]) for row in session.execute(query)]

    def add_to_collection(self, ids: Sequence[int], name: str) -> None:
        with self._storage.session(write=True) as session:
            self._join(session, self._collection(session, name), ids)
            self._bump(session)

    def remove_collection(self, name: str) -> None:
        """Forget the collection; its papers stay."""
        with self._storage.session(write=True) as session:
            row = session.scalar(select(CollectionRow).where(CollectionRow.name == name))
            if row is None:
                raise InputError(f"There is no collection called '{name}'.", "See the list of collections on the Library page.")
            session.execute(delete(CollectionPaperRow).where(CollectionPaperRow.collection_id == row.id))
            session.delete(row)
            self._bump(session)

    def _collection(self, session: Session, name: str) -> int:
        name = " ".join(name.split())
        if not name or len(name) > 120:
            raise InputError("A collection needs a name of 1 to 120 characters.", "Give it a short name.")
        row = session.scalar(select(CollectionRow).where(CollectionRow.name == name))
        if row is None:
            row = CollectionRow(name=name)
            session.add(row)
            session.flush()
        return row.id

    def _join(self, session: Session, collection: int, ids: Sequence[int]) -> None:
        there = set(session.scalars(select(CollectionPaperRow.paper_id).where(CollectionPaperRow.collection_id == collection)))
        rows = [{"collection_id": collection, "paper_id": paper_id} for paper_id in dict.fromkeys(ids) if paper_id not in there]
        if rows:
            session.execute(insert(CollectionPaperRow), rows)

    def _bump(self, session: Session) -> None:
        row = session.get(SettingRow, VERSION_KEY)
        if row is None:
            session.add(SettingRow(key=VERSION_KEY, value={"n": 1}))
        else:
            row.value = {"n": int(row.value["n"]) + 1}


def _collections_of(session: Session, rows: Sequence[PaperRow]) -> list[tuple[str, ...]]:
    names: dict[int, list[str]] = {row.id: [] for row in rows}
    for piece in pieces(list(names)):
        query = (
            select(CollectionPaperRow.paper_id, CollectionRow.name)
            .join(CollectionRow, CollectionRow.id == CollectionPaperRow.collection_id)
            .where(CollectionPaperRow.paper_id.in_(piece))
            .order_by(CollectionRow.name)
        )
        for paper_id, name in session.execute(query):
            names[paper_id].append(name)
    return [tuple(names[row.id]) for row in rows]


def _stored(row: PaperRow, collections: tuple[str, ...]) -> StoredPaper:
    paper = Paper(
        text=row.text,
        title=row.title,
        sections=tuple(Section(**section) for section in row.sections),
        authors=tuple(row.authors),
        journal=row.journal,
        year=row.year,
        pmid=row.pmid or "",
        doi=row.doi or "",
        pmcid=row.pmcid,
        volume=row.volume,
        issue=row.issue,
        pages=row.pages,
        language=row.language,
        publication_types=tuple(row.publication_types),
        mesh=tuple(row.mesh.strip("|").split("|")) if row.mesh else (),
        keywords=tuple(row.keywords),
        notices=tuple(Notice(**notice) for notice in row.notices),
        annotations=tuple(Annotation(**annotation) for annotation in row.annotations),
        source=row.source,
    )
    return StoredPaper(row.id, paper, row.study_type, row.study_type_source, collections, row.added, row.sha256)
