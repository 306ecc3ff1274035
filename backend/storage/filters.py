"""Which papers count: filters as JSON, and the same as conditions of a query that any database understands."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select

from backend.domain import Json
from backend.errors import InputError
from backend.storage.tables import CollectionPaperRow, CollectionRow, PaperRow

CHUNK = 400  # below the 999 variables that old SQLite builds allow in one statement


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


def where(text: str, filters: Filters | None) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = []
    for word in text.split()[:12]:
        where.append(or_(PaperRow.search.like(f"%{_escape(folded(word))}%", escape="\\"), PaperRow.pmid == word))
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


def folded(text: str) -> str:
    """Lower case without accents: 'Müller' and 'muller' are found alike."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def pieces(items: Sequence[Any]) -> Iterator[list[Any]]:
    for at in range(0, len(items), CHUNK):
        yield list(items[at : at + CHUNK])
