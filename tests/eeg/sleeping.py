"""Recordings with planted spindles and stage marks, brought into a workbench's database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from backend.domain import digest
from backend.eeg.importing import import_source
from backend.eeg.recording import Channel, Inspection, Mark, Segment
from backend.eeg.trials_file import ArraySource
from backend.progress import Silent
from backend.workbench import Workbench


def keep(
    bench: Workbench,
    channels: Mapping[str, np.ndarray],
    rate: float,
    marks: Sequence[tuple[float, float, str]] = (),
    segments: Sequence[tuple[float, float]] | None = None,
    reference: str = "Ref",
    patient: str = "",
) -> str:
    """Keep signals (microvolts) as a recording of a patient; gives the recording's id. `segments`: start and duration in seconds."""
    patients = bench.storage.patients
    owner = patient or patients.add(f"P-{len(patients.search(limit=500)) + 1:02d}").id
    visit = patients.add_visit(owner, "first").id
    values = np.stack([np.asarray(row, np.float32) for row in channels.values()])
    spans = segments or [(0.0, values.shape[1] / rate)]
    made = tuple(Channel(name, name, "eeg", "uV", rate, electrode=name.split("-")[0], reference=reference) for name in channels)
    inspection = Inspection(
        "made", spans[-1][0] + spans[-1][1], "", made, tuple(Segment(*span) for span in spans), tuple(Mark(*mark) for mark in marks), ()
    )
    source = ArraySource(values, rate, inspection)
    return import_source(bench.config, bench.storage, visit, source, "Recording 1", digest(values.tobytes()), Silent()).id
