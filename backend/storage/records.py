"""Small records: askers' profiles, saved searches, facts about this installation, outside connections."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.domain import Json, Profile
from backend.errors import InputError
from backend.storage.tables import ConnectionRow, ProfileRow, SearchRow, SettingRow, now

Sessions = Callable[..., AbstractContextManager[Session]]


@dataclass(frozen=True)
class SavedSearch:
    """A question with its filters and settings, under a name of its owner's."""

    id: int
    owner: str
    name: str
    data: dict[str, Json]
    created: datetime


@dataclass(frozen=True)
class Connection:
    """An outside connection that the person asked for."""

    id: int
    service: str
    request: str
    outcome: str
    created: datetime


class ProfileStore:
    """Who asks. The guest is always there, even when nobody saved it."""

    def __init__(self, session: Sessions) -> None:
        self._session = session

    def get(self, id: str) -> Profile:
        """The profile with this id, or InputError."""
        with self._session() as session:
            row = session.get(ProfileRow, id)
            if row is not None:
                return _profile(row)
        if id == Profile().id:
            return Profile()
        raise InputError(f"There is no profile '{id}'.", "Choose one on the profile page, or make a new one there.")

    def save(self, profile: Profile) -> Profile:
        """Store a profile, in place of the one with the same id."""
        if not profile.id or len(profile.id) > 32:
            raise InputError(f"'{profile.id}' cannot be a profile's id.", "Use 1 to 32 characters.")
        if not profile.name.strip():
            raise InputError("The profile has no name.", "Give it one, so that you find it again.")
        with self._session(write=True) as session:
            session.merge(ProfileRow(id=profile.id, data=asdict(profile), updated=now()))
        return profile

    def list(self) -> list[Profile]:
        """Every saved profile by name, the guest first."""
        with self._session() as session:
            saved = [_profile(row) for row in session.scalars(select(ProfileRow)).all()]
        guest = Profile()
        if guest.id not in {profile.id for profile in saved}:
            saved.append(guest)
        return sorted(saved, key=lambda profile: (profile.id != guest.id, profile.name.casefold(), profile.id))

    def delete(self, id: str) -> None:
        """Remove a profile; the guest goes back to its defaults."""
        with self._session(write=True) as session:
            row = session.get(ProfileRow, id)
            if row is not None:
                session.delete(row)
            elif id != Profile().id:
                raise InputError(f"There is no profile '{id}'.", "It may have been removed already.")


class SearchStore:
    """Saved searches, each its owner's."""

    def __init__(self, session: Sessions) -> None:
        self._session = session

    def save(self, owner: str, name: str, data: dict[str, Json]) -> SavedSearch:
        """Store a search; the same name of the same owner is replaced."""
        name = " ".join(name.split())
        if not name or len(name) > 200:
            raise InputError("A saved search needs a name of 1 to 200 characters.", "Give it a short name.")
        with self._session(write=True) as session:
            row = session.scalar(select(SearchRow).where(SearchRow.owner == owner, SearchRow.name == name).with_for_update())
            if row is None:
                row = SearchRow(owner=owner, name=name)
                session.add(row)
            row.data, row.created = data, now()
            session.flush()
            return _search(row)

    def list(self, owner: str) -> list[SavedSearch]:
        """The searches of one owner, newest first."""
        mine = select(SearchRow).where(SearchRow.owner == owner).order_by(SearchRow.created.desc(), SearchRow.id.desc())
        with self._session() as session:
            return [_search(row) for row in session.scalars(mine).all()]

    def delete(self, id: int) -> None:
        """Remove a search."""
        with self._session(write=True) as session:
            row = session.get(SearchRow, id)
            if row is None:
                raise InputError("This saved search is not there any more.", "It may have been removed already.")
            session.delete(row)


class SettingStore:
    """Small facts about this installation, each a JSON object under a key."""

    def __init__(self, session: Sessions) -> None:
        self._session = session

    def get(self, key: str, default: dict[str, Json] | None = None) -> dict[str, Json]:
        """The value under `key`, or `default` (an empty object unless given)."""
        with self._session() as session:
            row = session.get(SettingRow, key)
            if row is not None:
                return row.value
        return {} if default is None else default

    def set(self, key: str, value: dict[str, Json]) -> None:
        """Put `value` under `key`."""
        with self._session(write=True) as session:
            session.merge(SettingRow(key=key, value=value))


class ConnectionStore:
    """The log of outside connections: each an act that somebody asked for."""

    def __init__(self, session: Sessions) -> None:
        self._session = session

    def add(self, service: str, request: str, outcome: str) -> None:
        """Note one connection: to whom, what was asked, what came back."""
        with self._session(write=True) as session:
            session.add(ConnectionRow(service=service, request=request, outcome=outcome))

    def list(self, limit: int = 100) -> list[Connection]:
        """The latest connections, newest first."""
        with self._session() as session:
            rows = session.scalars(select(ConnectionRow).order_by(ConnectionRow.id.desc()).limit(limit)).all()
        return [Connection(row.id, row.service, row.request, row.outcome, row.created) for row in rows]


def _profile(row: ProfileRow) -> Profile:
    data = {**row.data, "id": row.id, "specialties": tuple(row.data.get("specialties", ()))}
    return Profile(**data)


def _search(row: SearchRow) -> SavedSearch:
    return SavedSearch(row.id, row.owner, row.name, row.data, row.created)
