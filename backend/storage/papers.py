"""Papers, collections and imports in the database: adding without duplicates, exact filters, removal."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from backend.domain import Annotation, Json, Notice, Paper, Section, Skipped
from backend.errors import InputError
from backend.progress import Progress, Silent
from backend.storage.tables import CollectionPaperRow, CollectionRow, ImportRow, PaperRow, SettingRow, now

if TYPE_CHECKING:
    from backend.storage import Storage

VERSION_KEY = "library_version"
_CHUNK = 400  # below the 999 variables that old SQLite builds allow in one statement


@dataclass(frozen=True)
class Filters:
    """Which papers count; an empty field admits all. Years are inclusive; within a field any value suffices, between fields all must hold.

    For ``mesh`` every term must be present, as in PubMed's AND.
    """

    year_from: int | None = None
    year_to: int | None = None
    study_types: tuple[str, ...] = ()
    journals: tuple[str, ...] = ()
    mesh: tuple[str, ...] = ()
    collections: tuple[str, ...] = ()

    @classmethod
    def read(cls, value: Mapping[str, Json] | None) -> Filters:
        """Filters from JSON.

        Raises
        ------
        InputError
            For an unknown field, a year that is not a number, or a range that is upside down.
        """
        value = dict(value or {})
        known = [field.name for field in fields(cls)]
        for name in value:
            if name not in known:
                raise InputError(f"There is no filter called '{name}'.", f"Filters are: {', '.join(known)}.")
        years: dict[str, int | None] = {}
        for name in ("year_from", "year_to"):
            year = value.get(name)
            if year in (None, ""):
                years[name] = None
                continue
            try:
                years[name] = int(year)
            except (TypeError, ValueError):
                raise InputError(f"The filter {name} is '{year}', which is not a year.", "Give a year such as 2015.") from None
        low, high = years["year_from"], years["year_to"]
        if low is not None and high is not None and low > high:
            raise InputError(f"The years run backwards: from {low} to {high}.", "Exchange the two years.")
        lists: dict[str, tuple[str, ...]] = {}
        for name in ("study_types", "journals", "mesh", "collections"):
            items = value.get(name) or ()
            lists[name] = (items,) if isinstance(items, str) else tuple(str(item) for item in items)
        return cls(**years, **lists)  # type: ignore[arg-type]

    def json(self) -> dict[str, Json]:
        """Only the fields that are set."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items() if value}

    def __bool__(self) -> bool:
        return bool(self.json())


@dataclass(frozen=True)
class Entry:
    """A paper with what the library derives from it before it is stored."""

    paper: Paper
    study_type: str
    study_type_source: str
    title_key: str  # '' where the title is too short to identify a work


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
            while chunk := list(islice(source, _CHUNK)):
                progress.check()
                skipped += [item for item in chunk if isinstance(item, Skipped)]
                new, known = self._add_chunk(session, [item for item in chunk if isinstance(item, Entry)], row.id, target)
                added, merged, done = added + new, merged + known, done + len(chunk)
                progress.update(done, None, f"{done:,} stored")
            row.added, row.merged, row.skipped = added, merged, [asdict(item) for item in skipped]
            self._bump(session)
            return ImportSummary(row.id, name, format, added, merged, tuple(skipped), row.created or now())

    def _add_chunk(self, session: Session, entries: Sequence[Entry], import_id: int, collection: int | None) -> tuple[int, int]:
        known = _Known(session, entries)
        fresh: list[dict[str, Any]] = []
        touched: set[int] = set()
        merged = 0
        for entry in entries:
            twin = known.find(entry)
            if twin is None:
                values = _values(entry, import_id)
                fresh.append(values)
                known.remember(values)
            else:
                merged += 1
                if not _has_body(twin) and _body_length(entry.paper) > 0:
                    _replace_text(twin, entry)
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
                changed = _merge(twin, entry)
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
            return int(session.scalar(select(func.count()).select_from(PaperRow).where(*_where(text, filters))) or 0)

    def ids(self, filters: Filters | None = None) -> list[int]:
        """Ids of the papers that the filters admit, ascending."""
        with self._storage.session() as session:
            return list(session.scalars(select(PaperRow.id).where(*_where("", filters)).order_by(PaperRow.id)).all())

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
                for some in _pieces(piece):
                    found.update(
                        (row[0], row[1]) for row in session.execute(select(PaperRow.id, PaperRow.text).where(PaperRow.id.in_(some)))
                    )
            for paper_id in piece:
                if paper_id in found:
                    yield paper_id, found[paper_id]

    def get(self, ids: Sequence[int]) -> dict[int, StoredPaper]:
        """The papers of these ids that are still there."""
        with self._storage.session() as session:
            rows = [row for piece in _pieces(ids) for row in session.scalars(select(PaperRow).where(PaperRow.id.in_(piece)))]
            return {row.id: _stored(row, names) for row, names in zip(rows, _collections_of(session, rows), strict=True)}

    def page(self, text: str = "", filters: Filters | None = None, limit: int = 50, offset: int = 0) -> list[StoredPaper]:
        """Papers whose title, authors or PMID hold `text`, newest year first."""
        query = select(PaperRow).where(*_where(text, filters))
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
            for piece in _pieces(ids):
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


# --- duplicates -----------------------------------------------------------------------------------------------------

_FILLED = ("pmid", "doi", "pmcid", "journal", "volume", "issue", "pages", "language", "mesh")
_FILLED_LISTS = ("authors", "keywords")


class _Known:
    """What of a chunk is already stored, or came earlier in the same chunk."""

    def __init__(self, session: Session, entries: Sequence[Entry]) -> None:
        self._pmid: dict[str, dict[str, Any]] = {}
        self._doi: dict[str, dict[str, Any]] = {}
        self._title: dict[str, list[dict[str, Any]]] = {}
        wanted: list[tuple[Any, list[Any]]] = [
            (PaperRow.pmid, [e.paper.pmid for e in entries if e.paper.pmid]),
            (PaperRow.doi, [_doi(e.paper) for e in entries if e.paper.doi]),
            (PaperRow.title_key, [e.title_key for e in entries if e.title_key]),
        ]
        seen: dict[int, dict[str, Any]] = {}
        for column, keys in wanted:
            for piece in _pieces(keys):
                for row in session.scalars(select(PaperRow).where(column.in_(piece))):
                    if row.id not in seen:
                        seen[row.id] = {c.key: getattr(row, c.key) for c in PaperRow.__table__.columns}
                        session.expunge(row)
        for values in seen.values():
            self.remember(values)

    def remember(self, values: dict[str, Any]) -> None:
        if values["pmid"]:
            self._pmid[values["pmid"]] = values
        if values["doi"]:
            self._doi[values["doi"]] = values
        if values["title_key"]:
            self._title.setdefault(values["title_key"], []).append(values)

    def find(self, entry: Entry) -> dict[str, Any] | None:
        paper = entry.paper
        if paper.pmid and paper.pmid in self._pmid:
            return self._pmid[paper.pmid]
        twin = self._doi.get(_doi(paper) or "")
        if twin is not None and not _differ(twin["pmid"], paper.pmid):
            return twin
        for twin in self._title.get(entry.title_key, ()) if entry.title_key else ():
            if _differ(twin["pmid"], paper.pmid) or _differ(twin["doi"], _doi(paper)):
                continue
            if twin["year"] is None or paper.year is None or abs(twin["year"] - paper.year) <= 1:
                return twin
        return None


def _differ(left: str | None, right: str | None) -> bool:
    return bool(left) and bool(right) and left != right


def _doi(paper: Paper) -> str | None:
    return paper.doi.lower()[:255] or None


def _body_length(paper: Paper) -> int:
    return sum(section.end - section.start for section in paper.sections)


def _has_body(values: Mapping[str, Any]) -> bool:
    return any(section["end"] > section["start"] for section in values["sections"])


def _values(entry: Entry, import_id: int) -> dict[str, Any]:
    paper = entry.paper
    return {
        "sha256": paper.sha256,
        "text": paper.text,
        "title": paper.title,
        "title_key": entry.title_key,
        "search": _folded(" ".join([paper.title, *paper.authors, paper.journal])),
        "pmid": paper.pmid or None,
        "doi": _doi(paper),
        "pmcid": paper.pmcid,
        "authors": list(paper.authors),
        "journal": paper.journal,
        "year": paper.year,
        "volume": paper.volume,
        "issue": paper.issue,
        "pages": paper.pages,
        "language": paper.language[:16],
        "publication_types": list(paper.publication_types),
        "study_type": entry.study_type,
        "study_type_source": entry.study_type_source,
        "mesh": f"|{'|'.join(term.replace('|', '/') for term in paper.mesh)}|" if paper.mesh else "",
        "keywords": list(paper.keywords),
        "sections": [asdict(section) for section in paper.sections],
        "notices": [asdict(notice) for notice in paper.notices],
        "annotations": [asdict(annotation) for annotation in paper.annotations],
        "source": paper.source[:32],
        "import_id": import_id,
    }


def _replace_text(values: dict[str, Any], entry: Entry) -> None:
    new = _values(entry, values["import_id"])
    for key in ("sha256", "text", "title", "title_key", "search", "sections", "annotations", "source"):
        values[key] = new[key]


def _merge(values: dict[str, Any], entry: Entry) -> list[str]:
    """Fill gaps of a stored record from another record of the same work; the names of the columns that changed."""
    new = _values(entry, values["import_id"])
    changed = [key for key in (*_FILLED, *_FILLED_LISTS) if not values[key] and new[key]]
    if values["year"] is None and new["year"] is not None:
        changed.append("year")
    if not values["publication_types"] and new["publication_types"]:
        changed.append("publication_types")
    if values["study_type_source"] != "indexed" and new["study_type_source"] == "indexed":
        changed += ["study_type", "study_type_source"]
    for key in changed:
        values[key] = new[key]
    if "authors" in changed or "journal" in changed:
        values["search"] = _folded(" ".join([values["title"], *values["authors"], values["journal"]]))
        changed.append("search")
    extra = [notice for notice in new["notices"] if notice not in values["notices"]]
    if extra:
        values["notices"] = [*values["notices"], *extra]
        changed.append("notices")
    return changed


# --- queries --------------------------------------------------------------------------------------------------------


def _where(text: str, filters: Filters | None) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = []
    for word in text.split()[:12]:
        where.append(or_(PaperRow.search.like(f"%{_escape(_folded(word))}%", escape="\\"), PaperRow.pmid == word))
    if filters is None:
        return where
    if filters.year_from is not None:
        where.append(PaperRow.year >= filters.year_from)
    if filters.year_to is not None:
        where.append(PaperRow.year <= filters.year_to)
    if filters.study_types:
        where.append(PaperRow.study_type.in_(filters.study_types))
    if filters.journals:
        where.append(func.lower(PaperRow.journal).in_([name.lower() for name in filters.journals]))
    for term in filters.mesh:
        where.append(func.lower(PaperRow.mesh).like(f"%|{_escape(term.lower())}|%", escape="\\"))
    if filters.collections:
        members = select(CollectionPaperRow.paper_id).join(CollectionRow, CollectionRow.id == CollectionPaperRow.collection_id)
        where.append(PaperRow.id.in_(members.where(CollectionRow.name.in_(filters.collections))))
    return where


def _folded(text: str) -> str:
    """Lower case without accents: 'Müller' and 'muller' are found alike."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _pieces(items: Sequence[Any]) -> Iterator[list[Any]]:
    for at in range(0, len(items), _CHUNK):
        yield list(items[at : at + _CHUNK])


def _collections_of(session: Session, rows: Sequence[PaperRow]) -> list[tuple[str, ...]]:
    names: dict[int, list[str]] = {row.id: [] for row in rows}
    for piece in _pieces(list(names)):
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
