"""Simulated sessions kept as recordings, so that tasks meet them as they meet a person's."""

from __future__ import annotations

from backend.config import Config
from backend.domain import digest
from backend.eeg.decoding.trials import Trials
from backend.eeg.importing import import_source
from backend.eeg.recording import Channel
from backend.eeg.trials_file import PublishedTrials, as_recording
from backend.progress import Silent
from backend.storage import Storage


def keep_session(config: Config, storage: Storage, patient: str, trials: Trials, name: str, reference: str = "Ref") -> str:
    """A session's trials as a recording of a visit of its own, a gap after each; returns the recording's id."""
    channels = tuple(
        Channel(name=one, original=one, kind="eeg", unit="uV", rate=trials.rate, electrode=one, reference=reference) for one in trials.names
    )
    published = PublishedTrials(trials.x, tuple(trials.classes[k] for k in trials.y))
    source = as_recording(published, range(len(trials)), channels, trials.x.shape[2] / trials.rate + 2.0, ())
    visit = storage.patients.add_visit(patient, name).id
    return import_source(config, storage, visit, source, name, digest(f"{name} {patient}" + digest(trials.x.tobytes())), Silent()).id
