"""Tables of patients, visits, recordings and annotations. Nothing in them names a person: pseudonyms, and what was read of a signal."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Double, ForeignKey, Index, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from backend.storage.tables import Base, now


class PatientRow(Base):
    """A person under a pseudonym."""

    __tablename__ = "patients"

    id: Mapped[str] = mapped_column(String(12), primary_key=True)
    pseudonym: Mapped[str] = mapped_column(String(80))
    key: Mapped[str] = mapped_column(String(160), unique=True)  # the pseudonym with case folded: 'P-07' and 'p-07' are one
    note: Mapped[str]
    pooled: Mapped[bool]  # consent: these recordings may help to calibrate for other patients
    created: Mapped[datetime] = mapped_column(default=now)


class VisitRow(Base):
    """A stay or an appointment, told by a day counted from the first one or by a date."""

    __tablename__ = "visits"

    id: Mapped[str] = mapped_column(String(12), primary_key=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patients.id", ondelete="CASCADE"), index=True)
    label: Mapped[str] = mapped_column(String(80))
    day: Mapped[int | None]
    date: Mapped[str | None] = mapped_column(String(10))  # ISO
    note: Mapped[str]
    created: Mapped[datetime] = mapped_column(default=now)


class RecordingRow(Base):
    """A recording of a visit; its signals lie in a folder named after `id`."""

    __tablename__ = "recordings"

    id: Mapped[str] = mapped_column(String(12), primary_key=True)
    visit_id: Mapped[str] = mapped_column(ForeignKey("visits.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(120))
    sha256: Mapped[str] = mapped_column(String(64), index=True)  # of the file as it was given
    format: Mapped[str] = mapped_column(String(32))
    duration_s: Mapped[float] = mapped_column(Double)
    channels: Mapped[list[Any]]
    diagnoses: Mapped[list[Any]]
    gaps: Mapped[list[Any]]  # [[start_s, stop_s], ...]
    created: Mapped[datetime] = mapped_column(default=now)


class AnnotationRow(Base):
    """A mark on a recording: from its file, or set by the person."""

    __tablename__ = "annotations"
    __table_args__ = (Index("ix_annotations_recording_onset", "recording_id", "onset_s"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    recording_id: Mapped[str] = mapped_column(ForeignKey("recordings.id", ondelete="CASCADE"))
    onset_s: Mapped[float] = mapped_column(Double)
    duration_s: Mapped[float] = mapped_column(Double)
    label: Mapped[str]
    channels: Mapped[list[Any]]  # names; empty: the whole recording
    origin: Mapped[str] = mapped_column(String(8))  # file | user


class PatientFactRow(Base):
    """What was decided or measured about a patient, under a key."""

    __tablename__ = "patient_facts"

    patient_id: Mapped[str] = mapped_column(ForeignKey("patients.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    data: Mapped[Any] = mapped_column(JSON)
    updated: Mapped[datetime] = mapped_column(default=now)


class RecordingFactRow(Base):
    """What was decided or measured about a recording, under a key."""

    __tablename__ = "recording_facts"

    recording_id: Mapped[str] = mapped_column(ForeignKey("recordings.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    data: Mapped[Any] = mapped_column(JSON)
    updated: Mapped[datetime] = mapped_column(default=now)


class CalibrationRow(Base):
    """A decoder fitted to a patient. Its numbers stand in the row, so that they are erased with the patient."""

    __tablename__ = "calibrations"

    id: Mapped[str] = mapped_column(String(12), primary_key=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patients.id", ondelete="CASCADE"), index=True)
    created: Mapped[datetime] = mapped_column(default=now)
    name: Mapped[str] = mapped_column(String(120))
    recordings: Mapped[list[Any]]  # ids, in time order
    pooled_from: Mapped[list[Any]]  # ids of the other patients whose recordings helped
    data: Mapped[Any] = mapped_column(JSON)  # candidate, classes, channels, window, verdict
    arrays: Mapped[bytes] = mapped_column(LargeBinary)  # an .npz archive without pickles
    sha256: Mapped[str] = mapped_column(String(64))  # of `arrays`
