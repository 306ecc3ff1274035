"""Patients and their visits in the database: added, found, edited, merged, erased."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from backend.domain import Json
from backend.errors import InputError
from backend.storage.facts import patient_facts
from backend.storage.patient_tables import CalibrationRow, PatientRow, RecordingRow, VisitRow
from backend.storage.rows import Sessions, clean_name, erase, find_row, new_id
from backend.storage.tables import now


@dataclass(frozen=True)
class Patient:
    """A person under a pseudonym; `pooled`: consents that the recordings help to calibrate for other patients."""

    id: str
    pseudonym: str
    note: str
    pooled: bool
    created: dt.datetime
    visits: int = 0
    recordings: int = 0


@dataclass(frozen=True)
class Visit:
    """A stay or an appointment; `day` counts from the first one, `date` is ISO, either may be None."""

    id: str
    patient: str
    label: str
    day: int | None
    date: str | None
    note: str
    created: dt.datetime


class PatientStore:
    """The patients of one database.

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
        self._facts = patient_facts(session, forget)

    # --- patients -------------------------------------------------------------------------------------------------

    def add(self, pseudonym: str, note: str = "", pooled: bool = False) -> Patient:
        """A new patient.

        Raises
        ------
        InputError
            When the pseudonym is empty, too long, or another patient's.
        """
        shown, key = _pseudonym(pseudonym)
        with self._session(write=True) as session:
            _free(session, key, shown)
            row = PatientRow(id=new_id(), pseudonym=shown, key=key, note=note.strip(), pooled=pooled, created=now())
            session.add(row)
        return _patient(row)

    def get(self, id: str) -> Patient:
        """The patient with this id."""
        with self._session() as session:
            return _patient(find_row(session, PatientRow, id, "patient"), *_counts(session, [id]).get(id, (0, 0)))

    def find(self, pseudonym: str) -> Patient:
        """The patient with this pseudonym, in any case."""
        with self._session() as session:
            row = session.scalar(select(PatientRow).where(PatientRow.key == _pseudonym(pseudonym)[1]))
            if row is None:
                raise InputError(f"There is no patient '{pseudonym}'.", "The list of patients shows the pseudonyms.")
            return _patient(row, *_counts(session, [row.id]).get(row.id, (0, 0)))

    def search(self, text: str = "", limit: int = 50, offset: int = 0) -> list[Patient]:
        """Patients whose pseudonym or note holds `text`, or one of whose visits or recordings is called so; by pseudonym."""
        query = select(PatientRow).order_by(PatientRow.key).limit(limit).offset(offset)
        if text.strip():
            part = text.strip()
            visits = select(VisitRow.patient_id).where(VisitRow.label.icontains(part, autoescape=True))
            named = RecordingRow.name.icontains(part, autoescape=True)
            recordings = select(VisitRow.patient_id).join(RecordingRow, RecordingRow.visit_id == VisitRow.id).where(named)
            query = query.where(
                or_(
                    PatientRow.key.contains(_fold(part), autoescape=True),
                    PatientRow.note.icontains(part, autoescape=True),
                    PatientRow.id.in_(visits),
                    PatientRow.id.in_(recordings),
                )
            )
        with self._session() as session:
            rows = session.scalars(query).all()
            counts = _counts(session, [row.id for row in rows])
        return [_patient(row, *counts.get(row.id, (0, 0))) for row in rows]

    def edit(self, id: str, *, pseudonym: str | None = None, note: str | None = None, pooled: bool | None = None) -> Patient:
        """Change what is given, leave the rest; what was there before is erased."""
        with self._session(write=True) as session:
            row = find_row(session, PatientRow, id, "patient")
            if pseudonym is not None:
                shown, key = _pseudonym(pseudonym)
                if key != row.key:
                    _free(session, key, shown)
                row.pseudonym, row.key = shown, key
            if note is not None:
                row.note = note.strip()
            if pooled is not None:
                row.pooled = pooled
        self._forget()
        return self.get(id)

    def merge(self, keep: str, other: str) -> Patient:
        """Give all visits of `other` to `keep` and erase `other`. Notes are joined; consent holds only where both had it."""
        if keep == other:
            raise InputError("A patient cannot be merged with itself.", "Choose two patients.")
        with self._session(write=True) as session:
            kept, gone = find_row(session, PatientRow, keep, "patient"), find_row(session, PatientRow, other, "patient")
            session.execute(update(VisitRow).where(VisitRow.patient_id == other).values(patient_id=keep))
            session.execute(update(CalibrationRow).where(CalibrationRow.patient_id == other).values(patient_id=keep))
            kept.note = "\n".join(note for note in (kept.note, gone.note) if note)
            kept.pooled = kept.pooled and gone.pooled
            session.flush()
            session.delete(gone)
        self._forget()
        return self.get(keep)

    def delete(self, id: str) -> None:
        """Erase a patient's rows with all visits, recordings and annotations; the signals are `backend.eeg.archive`'s to erase."""
        erase(self._session, self._forget, PatientRow, id, "patient")

    # --- facts ----------------------------------------------------------------------------------------------------

    def fact(self, patient: str, key: str) -> Json:
        """What is kept about a patient under `key`, or None."""
        return self._facts.get(patient, key)

    def facts(self, patient: str) -> dict[str, Json]:
        """Everything that is kept about a patient, by key."""
        return self._facts.all(patient)

    def set_fact(self, patient: str, key: str, data: Json) -> None:
        """Keep `data` about a patient under `key`; None erases it."""
        self._facts.set(patient, key, data)

    # --- visits ---------------------------------------------------------------------------------------------------

    def add_visit(self, patient: str, label: str, *, day: int | None = None, date: str | None = None, note: str = "") -> Visit:
        """A new visit, told by its day from the first one, by a date (ISO), or by neither."""
        with self._session(write=True) as session:
            find_row(session, PatientRow, patient, "patient")
            values = {"label": clean_name(label, "visit"), "day": day, "date": _date(date), "note": note.strip()}
            row = VisitRow(id=new_id(), patient_id=patient, created=now(), **values)
            session.add(row)
        return _visit(row)

    def visit(self, id: str) -> Visit:
        """The visit with this id."""
        with self._session() as session:
            return _visit(find_row(session, VisitRow, id, "visit"))

    def visits(self, patient: str) -> list[Visit]:
        """A patient's visits: those with a date by date, those with a day by day, then as they were made."""
        with self._session() as session:
            rows = session.scalars(select(VisitRow).where(VisitRow.patient_id == patient)).all()
        return [_visit(row) for row in sorted(rows, key=_when)]

    def edit_visit(self, id: str, *, label: str, day: int | None, date: str | None, note: str) -> Visit:
        """Set all of a visit's fields."""
        with self._session(write=True) as session:
            row = find_row(session, VisitRow, id, "visit")
            row.label, row.day, row.date, row.note = clean_name(label, "visit"), day, _date(date), note.strip()
        self._forget()
        return _visit(row)

    def delete_visit(self, id: str) -> None:
        """Erase a visit's rows with its recordings and annotations."""
        erase(self._session, self._forget, VisitRow, id, "visit")


def _fold(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()


def _pseudonym(text: str) -> tuple[str, str]:
    shown = clean_name(text, "patient")
    return shown, _fold(shown)


def _date(text: str | None) -> str | None:
    if not text:
        return None
    try:
        return dt.date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise InputError(f"'{text}' is no date.", "Write it as year-month-day, such as 2026-03-09, or count days instead.") from error


def _free(session: Session, key: str, shown: str) -> None:
    if session.scalar(select(PatientRow.id).where(PatientRow.key == key)) is not None:
        raise InputError(f"There is already a patient '{shown}'.", "Choose another pseudonym, or merge the two.")


def _counts(session: Session, ids: Sequence[str]) -> dict[str, tuple[int, int]]:
    query = (
        select(VisitRow.patient_id, func.count(VisitRow.id.distinct()), func.count(RecordingRow.id))
        .outerjoin(RecordingRow, RecordingRow.visit_id == VisitRow.id)
        .where(VisitRow.patient_id.in_(ids))
        .group_by(VisitRow.patient_id)
    )
    return {patient: (visits, recordings) for patient, visits, recordings in session.execute(query).all()}


def _when(row: VisitRow) -> tuple[bool, str, bool, int, dt.datetime]:
    return (row.date is None, row.date or "", row.day is None, row.day or 0, row.created)


def _patient(row: PatientRow, visits: int = 0, recordings: int = 0) -> Patient:
    return Patient(row.id, row.pseudonym, row.note, row.pooled, row.created, visits, recordings)


def _visit(row: VisitRow) -> Visit:
    return Visit(row.id, row.patient_id, row.label, row.day, row.date, row.note, row.created)
