"""The command that runs a task on a patient's recording: the same road, and the same numbers, as the page."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backend.cli.patients import find_patient
from backend.cli.results import result_text
from backend.cli.shared import AsJson, app, pairs, say, show, workbench
from backend.domain import Profile
from backend.errors import InputError
from backend.progress import Bar

if TYPE_CHECKING:
    from backend.progress import Progress
    from backend.workbench import Workbench


@app.command()
def decode(
    files: Annotated[list[str], typer.Argument(help="A recording by its id or a file; several for eeg.calibrate.")],
    patient: Annotated[str, typer.Option(help="Pseudonym or id.")],
    task: Annotated[str, typer.Option(help="Such as eeg.sleep, eeg.calibrate, eeg.decode; a wrong name is answered with all of them.")],
    visit: Annotated[str, typer.Option(help="Label of the visit that a new file belongs to; made where it is not there.")] = "",
    repair: Annotated[list[str] | None, typer.Option(help="A repair of a new file that you agree to; may be repeated.")] = None,
    rate: Annotated[float | None, typer.Option(help="CSV without times: samples a second.")] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", help="A setting of the task, name=value; may be repeated.")] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Explain what the task finds first, or what --target names.")] = False,
    target: Annotated[list[str] | None, typer.Option(help="What to explain, name=value; may be repeated.")] = None,
    profile: Annotated[str, typer.Option(help="Id of the profile that asks.")] = "",
    as_json: AsJson = False,
) -> None:
    """Run a task on a recording of a patient.

    A file that is not there yet is imported first, under a patient that is added where the pseudonym is new; the same file is never
    imported twice.
    """
    from backend.tasks import find_task
    from backend.workbench import run_json

    if find_task(task).modality != "eeg":
        raise InputError(f"{task} is not a task on recordings.", "See the README for the commands of the other kinds of data.")
    with workbench() as bench, Bar(task) as bar:
        who = bench.storage.profiles.get(profile) if profile else Profile()
        of = _patient(bench, patient, files)
        ids = [recording_of(bench, of, file, visit, repair or (), rate, bar) for file in files]
        several = len(ids) > 1 or task == "eeg.calibrate"
        made = bench.run(
            task,
            {"recordings": ids} if several else {"recording": ids[0]},
            settings=pairs(settings, "--set"),
            profile=who,
            owner=who.id,
            explain=explain or bool(target),
            target=pairs(target, "--target"),
            progress=bar,
        )
        bar.close()
        show(run_json(made), as_json, _text)


def _patient(bench: Workbench, who: str, files: Sequence[str]) -> str:
    """The patient's id; one who is not there is added, and that is said, when there are files to import for him."""
    from backend.eeg.identifiers import person_like

    try:
        return find_patient(bench.storage, who).id
    except InputError:
        if not all(Path(file).is_file() for file in files):
            raise
    if warned := person_like(who):
        raise InputError(f"There is no patient '{who}'. {warned}", "Add the patient with bioloom patients add if that is what you want.")
    added = bench.storage.patients.add(who)
    say(f"A new patient was added: {added.pseudonym}.", sys.stderr)
    return added.id


def recording_of(
    bench: Workbench, patient: str, file: str, visit: str, repairs: Sequence[str], rate: float | None, progress: Progress | None = None
) -> str:
    """The id of a patient's recording named by its id or by a file; a file that is not among the patient's is imported.

    Raises
    ------
    InputError
        When there is no such recording or file, it is another patient's, or the file needs a repair that was not agreed to.
    """
    from backend.eeg.formats import TableOptions
    from backend.eeg.importing import import_recording

    storage, path = bench.storage, Path(file)
    if not path.exists():
        if not storage.recordings.has(file.upper()):
            raise InputError(f"There is neither a file nor a recording '{file}'.", "bioloom patients visits lists a patient's recordings.")
        found = storage.recordings.get(file.upper())
        if storage.patients.visit(found.visit).patient != patient:
            raise InputError(f"The recording {found.id} is another patient's.", "Name its own patient.")
        return found.id
    with path.open("rb") as opened:
        sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
    if there := storage.recordings.list(patient=patient, sha256=sha256):
        return there[0].id
    options = TableOptions(rate=rate) if rate is not None else None
    into = _visit(bench, patient, visit)
    try:
        return import_recording(bench.config, storage, into, path, repairs=tuple(repairs), options=options, progress=progress).id
    except InputError as error:
        if "Repair '" in error.message:
            raise InputError(error.message, "Agree with --repair WORD, the word in quotes, or export the recording again.") from None
        raise


def _visit(bench: Workbench, patient: str, label: str) -> str:
    """The visit of that label, made where it is not there; without a label the only or last one, or a first."""
    visits = bench.storage.patients.visits(patient)
    if not label:
        return visits[-1].id if visits else bench.storage.patients.add_visit(patient, "Visit 1", day=0).id
    for visit in visits:
        if visit.label.casefold() == label.casefold():
            return visit.id
    return bench.storage.patients.add_visit(patient, label).id


def _text(made: Mapping[str, Any]) -> str:
    text = made["prediction"].get("text", [])
    return result_text(made, [text] if isinstance(text, str) else text)
