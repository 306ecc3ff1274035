"""Decoders fitted to patients: kept, found, erased."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from backend.domain import Json, canonical, digest
from backend.errors import InputError, StorageError
from backend.storage.patient_tables import CalibrationRow, PatientRow
from backend.storage.rows import Sessions, clean_name, erase, find_row
from backend.storage.tables import now

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Calibration:
    """A decoder fitted to one patient, without its numbers; `pooled_from` names other patients whose recordings helped."""

    id: str
    patient: str
    created: dt.datetime
    name: str
    recordings: tuple[str, ...]
    pooled_from: tuple[str, ...]
    data: dict[str, Json]
    sha256: str


class CalibrationStore:
    """The calibrations of one database.

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

    def add(
        self,
        patient: str,
        name: str,
        recordings: Sequence[str],
        data: Mapping[str, Json],
        arrays: Mapping[str, np.ndarray],
        pooled_from: Sequence[str] = (),
    ) -> Calibration:
        """Keep a decoder. Its id follows from its content: the same decoder kept again is the same calibration."""
        packed = _pack(arrays)
        sha256 = digest(packed)
        id = digest(canonical([patient, list(recordings), list(pooled_from), dict(data), sha256]))[:12].upper()
        with self._session(write=True) as session:
            find_row(session, PatientRow, patient, "patient")
            row = session.get(CalibrationRow, id)
            if row is None:
                row = CalibrationRow(
                    id=id,
                    patient_id=patient,
                    created=now(),
                    name=clean_name(name, "calibration", 120),
                    recordings=list(recordings),
                    pooled_from=list(pooled_from),
                    data=dict(data),
                    arrays=packed,
                    sha256=sha256,
                )
                session.add(row)
        return _calibration(row)

    def get(self, id: str) -> Calibration:
        """The calibration with this id."""
        with self._session() as session:
            return _calibration(find_row(session, CalibrationRow, id, "calibration"))

    def arrays(self, id: str) -> dict[str, np.ndarray]:
        """The numbers of a decoder.

        Raises
        ------
        StorageError
            When they are not what was kept.
        """
        import numpy as np

        with self._session() as session:
            row = find_row(session, CalibrationRow, id, "calibration")
        if digest(row.arrays) != row.sha256:
            raise StorageError("The numbers of this calibration were altered since it was made.", "Delete it and calibrate again.")
        with np.load(io.BytesIO(row.arrays), allow_pickle=False) as found:
            return {name: found[name] for name in found.files}

    def list(self, patient: str = "", recording: str = "") -> list[Calibration]:
        """Calibrations of a patient, or made of a recording; newest first. All of them when nothing is given."""
        query = select(CalibrationRow).order_by(CalibrationRow.created.desc(), CalibrationRow.id)
        if patient:
            query = query.where(CalibrationRow.patient_id == patient)
        with self._session() as session:
            found = [_calibration(row) for row in session.scalars(query).all()]
        return [one for one in found if not recording or recording in one.recordings]

    def rename(self, id: str, name: str) -> Calibration:
        """Call it something else."""
        with self._session(write=True) as session:
            row = find_row(session, CalibrationRow, id, "calibration")
            row.name = clean_name(name, "calibration", 120)
        self._forget()
        return _calibration(row)

    def delete(self, id: str) -> None:
        """Erase a calibration."""
        erase(self._session, self._forget, CalibrationRow, id, "calibration")

    def delete_using(self, patient: str = "", recording: str = "") -> int:
        """Erase every calibration, whoever's it is, that was made with a patient's recordings, or with one recording."""
        if not patient and not recording:
            raise InputError("Nothing was named whose calibrations are to be erased.", "")
        gone = [
            one.id
            for one in self.list()
            if (patient and (patient == one.patient or patient in one.pooled_from))
            or (recording and recording in (*one.recordings, *one.data.get("pooled_recordings", ())))
        ]
        if gone:
            with self._session(write=True) as session:
                session.execute(delete(CalibrationRow).where(CalibrationRow.id.in_(gone)))
            self._forget()
        return len(gone)


def _pack(arrays: Mapping[str, np.ndarray]) -> bytes:
    """An .npz archive; the same bytes for the same arrays."""
    import zipfile

    import numpy as np

    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(arrays):
            entry = io.BytesIO()
            np.lib.format.write_array(entry, np.ascontiguousarray(arrays[name]), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0)), entry.getvalue(), zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _calibration(row: CalibrationRow) -> Calibration:
    return Calibration(
        row.id, row.patient_id, row.created, row.name, tuple(row.recordings), tuple(row.pooled_from), dict(row.data), row.sha256
    )
