"""Recordings and their annotations in the database: added, found, edited, erased."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from backend.domain import Json
from backend.errors import InputError
from backend.storage.facts import recording_facts
from backend.storage.patient_tables import AnnotationRow, RecordingRow, VisitRow
from backend.storage.rows import Sessions, clean_name, erase, find_row

_BATCH = 2_000  # annotations inserted at once


@dataclass(frozen=True)
class Recording:
    """What is known of a recording besides its signals; see `backend.eeg.recording` for channels and diagnoses."""

    id: str
    visit: str
    name: str
    sha256: str
    format: str
    duration_s: float
    channels: tuple[dict[str, Json], ...]
    diagnoses: tuple[dict[str, Json], ...]
    gaps: tuple[tuple[float, float], ...]
    created: datetime


@dataclass(frozen=True)
class StoredAnnotation:
    """A mark on a recording, seconds from its beginning; `channels` empty: on all; `origin` is ``file`` or ``user``."""

    id: int
    recording: str
    onset_s: float
    duration_s: float
    label: str
    channels: tuple[str, ...]
    origin: str


class RecordingStore:
    """The recordings of one database.

    Parameters
    ----------
    session : callable
        `Storage.session`.
    forget : callable
        Called after every erasure, so that what was erased leaves the files of the database too.
    """

    def __init__(self, session: Sessions, forget: Callable[[], None]) -> None:
        self._session = session
        self._forget = forget
        self._facts = recording_facts(session, forget)

    def add(self, recording: Recording, marks: Iterable[tuple[float, float, str, Sequence[str]]] = ()) -> Recording:
        """Store a recording with the marks of its file (onset_s, duration_s, label, channels), all or nothing."""
        with self._session(write=True) as session:
            find_row(session, VisitRow, recording.visit, "visit")
            session.add(
                RecordingRow(
                    id=recording.id,
                    visit_id=recording.visit,
                    name=clean_name(recording.name, "recording", 120),
                    sha256=recording.sha256,
                    format=recording.format,
                    duration_s=recording.duration_s,
                    channels=list(recording.channels),
                    diagnoses=list(recording.diagnoses),
                    gaps=[list(gap) for gap in recording.gaps],
                    created=recording.created,
                )
            )
            session.flush()
            rows = [
                {"recording_id": recording.id, "onset_s": on, "duration_s": long, "label": text, "channels": list(where), "origin": "file"}
                for on, long, text, where in marks
            ]
            for first in range(0, len(rows), _BATCH):
                session.execute(insert(AnnotationRow), rows[first : first + _BATCH])
        return recording

    def get(self, id: str) -> Recording:
        """The recording with this id."""
        with self._session() as session:
            return _recording(find_row(session, RecordingRow, id, "recording"))

    def list(self, visit: str = "", patient: str = "", sha256: str = "") -> list[Recording]:
        """Recordings of a visit, of a patient, or of the same file; oldest first. All of them when nothing is given."""
        query = select(RecordingRow).join(VisitRow, RecordingRow.visit_id == VisitRow.id)
        if visit:
            query = query.where(VisitRow.id == visit)
        if patient:
            query = query.where(VisitRow.patient_id == patient)
        if sha256:
            query = query.where(RecordingRow.sha256 == sha256)
        with self._session() as session:
            return [_recording(row) for row in session.scalars(query.order_by(RecordingRow.created, RecordingRow.id)).all()]

    def has(self, id: str) -> bool:
        """Whether there is a recording with this id."""
        with self._session() as session:
            return session.get(RecordingRow, id) is not None

    def edit(self, id: str, *, name: str | None = None, visit: str | None = None) -> Recording:
        """Rename a recording, or move it to another visit."""
        with self._session(write=True) as session:
            row = find_row(session, RecordingRow, id, "recording")
            if name is not None:
                row.name = clean_name(name, "recording", 120)
            if visit is not None:
                row.visit_id = find_row(session, VisitRow, visit, "visit").id
        self._forget()
        return _recording(row)

    def delete(self, id: str) -> None:
        """Erase a recording's rows with its annotations."""
        erase(self._session, self._forget, RecordingRow, id, "recording")

    def annotations(self, recording: str, start_s: float | None = None, stop_s: float | None = None) -> Sequence[StoredAnnotation]:
        """A recording's marks by onset; only those that touch [start_s, stop_s) when these are given."""
        query = select(AnnotationRow).where(AnnotationRow.recording_id == recording)
        if stop_s is not None:
            query = query.where(AnnotationRow.onset_s < stop_s)
        if start_s is not None:
            query = query.where(AnnotationRow.onset_s + AnnotationRow.duration_s >= start_s)
        with self._session() as session:
            return [_annotation(row) for row in session.scalars(query.order_by(AnnotationRow.onset_s, AnnotationRow.id)).all()]

    def annotate(
        self, recording: str, onset_s: float, duration_s: float, label: str, channels: Sequence[str] = (), id: int | None = None
    ) -> StoredAnnotation:
        """Set a mark; with `id`, change that one, which is the person's from then on.

        Raises
        ------
        InputError
            When it lies outside the recording or names a channel that is not there.
        """
        with self._session(write=True) as session:
            of = find_row(session, RecordingRow, recording, "recording")
            if not 0 <= onset_s <= of.duration_s or duration_s < 0 or onset_s + duration_s > of.duration_s + 1e-6:
                raise InputError(
                    f"A mark from {onset_s:g} s, {duration_s:g} s long, does not lie in the recording of {of.duration_s:g} s.",
                    "Give an onset and a duration inside it.",
                )
            names = [channel["name"] for channel in of.channels]
            if strange := [name for name in channels if name not in names]:
                raise InputError(f"The recording has no channel '{strange[0]}'.", f"Channels are: {', '.join(names)}.")
            if id is None:
                row = AnnotationRow(recording_id=recording)
                session.add(row)
            else:
                row = _annotation_row(session, id, recording)
            row.onset_s, row.duration_s, row.channels, row.origin = float(onset_s), float(duration_s), list(channels), "user"
            row.label = clean_name(label, "annotation", 1000)
            session.flush()
        return _annotation(row)

    def delete_annotation(self, recording: str, id: int) -> None:
        """Erase one mark."""
        with self._session(write=True) as session:
            session.delete(_annotation_row(session, id, recording))
        self._forget()

    # --- facts ----------------------------------------------------------------------------------------------------

    def fact(self, recording: str, key: str) -> Json:
        """What is kept about a recording under `key`, or None."""
        return self._facts.get(recording, key)

    def facts(self, recording: str) -> dict[str, Json]:
        """Everything that is kept about a recording, by key."""
        return self._facts.all(recording)

    def set_fact(self, recording: str, key: str, data: Json) -> None:
        """Keep `data` about a recording under `key`; None erases it."""
        self._facts.set(recording, key, data)


def _annotation_row(session: Session, id: int, recording: str) -> AnnotationRow:
    row = session.get(AnnotationRow, id)
    if row is None or row.recording_id != recording:
        raise InputError("There is no such annotation on this recording.", "It may have been deleted; look at the list again.")
    return row


def _recording(row: RecordingRow) -> Recording:
    return Recording(
        id=row.id,
        visit=row.visit_id,
        name=row.name,
        sha256=row.sha256,
        format=row.format,
        duration_s=row.duration_s,
        channels=tuple(row.channels),
        diagnoses=tuple(row.diagnoses),
        gaps=tuple((start, stop) for start, stop in row.gaps),
        created=row.created,
    )


def _annotation(row: AnnotationRow) -> StoredAnnotation:
    return StoredAnnotation(row.id, row.recording_id, row.onset_s, row.duration_s, row.label, tuple(row.channels), row.origin)
