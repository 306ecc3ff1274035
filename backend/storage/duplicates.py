"""Two records of one work: how they are recognised, and what of the second is added to the first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.domain import Paper
from backend.storage.filters import folded, pieces
from backend.storage.tables import PaperRow


@dataclass(frozen=True)
class Entry:
    """A paper with what the library derives from it before it is stored."""

    paper: Paper
    study_type: str
    study_type_source: str
    title_key: str  # '' where the title is too short to identify a work


_FILLED = ("pmid", "doi", "pmcid", "journal", "volume", "issue", "pages", "language", "mesh")
_FILLED_LISTS = ("authors", "keywords")


class Known:
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
            for piece in pieces(keys):
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


def body_length(paper: Paper) -> int:
    return sum(section.end - section.start for section in paper.sections)


def has_body(values: Mapping[str, Any]) -> bool:
    return any(section["end"] > section["start"] for section in values["sections"])


def values_of(entry: Entry, import_id: int) -> dict[str, Any]:
    paper = entry.paper
    return {
        "sha256": paper.sha256,
        "text": paper.text,
        "title": paper.title,
        "title_key": entry.title_key,
        "search": folded(" ".join([paper.title, *paper.authors, paper.journal])),
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


def replace_text(values: dict[str, Any], entry: Entry) -> None:
    new = values_of(entry, values["import_id"])
    for key in ("sha256", "text", "title", "title_key", "search", "sections", "annotations", "source"):
        values[key] = new[key]


def merge(values: dict[str, Any], entry: Entry) -> list[str]:
    """Fill gaps of a stored record from another record of the same work; the names of the columns that changed."""
    new = values_of(entry, values["import_id"])
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
        values["search"] = folded(" ".join([values["title"], *values["authors"], values["journal"]]))
        changed.append("search")
    extra = [notice for notice in new["notices"] if notice not in values["notices"]]
    if extra:
        values["notices"] = [*values["notices"], *extra]
        changed.append("notices")
    return changed
