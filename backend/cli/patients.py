"""Commands on patients, visits and recordings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from backend.cli.shared import AsJson, app, plain, show, workbench
from backend.domain import Json
from backend.errors import InputError, StorageError
from backend.progress import Bar

if TYPE_CHECKING:
    from backend.eeg.formats import TableOptions
    from backend.storage import Storage
    from backend.storage.patients import Patient
    from backend.storage.recordings import Recording

patients_app = typer.Typer(no_args_is_help=True, help="Patients under a pseudonym, their visits and recordings.")
app.add_typer(patients_app, name="patients")

Who = Annotated[str, typer.Argument(help="Pseudonym or id.")]


def find_patient(storage: Storage, who: str) -> Patient:
    """The patient with this pseudonym, or else with this id.

    Raises
    ------
    InputError
        When there is neither.
    """
    try:
        return storage.patients.find(who)
    except InputError:
        if who.isalnum() and len(who) == 12:
            return storage.patients.get(who.upper())
        raise


@patients_app.command("list")
def patients_list(
    text: Annotated[str, typer.Argument(help="Part of a pseudonym, a note, or the name of a visit or recording.")] = "",
    as_json: AsJson = False,
) -> None:
    """List patients by pseudonym."""
    with workbench() as bench:
        found = [_patient(patient) for patient in bench.storage.patients.search(text, limit=100_000)]
        show({"patients": found}, as_json, _patients_text)


def _patients_text(made: Mapping[str, Any]) -> str:
    lines = [f"{p['id']}  {p['pseudonym']:<24} {p['visits']:>3} visits {p['recordings']:>4} recordings" for p in made["patients"]]
    return "\n".join([*lines, f"{len(made['patients'])} patients."])


@patients_app.command("add")
def patients_add(
    pseudonym: Annotated[str, typer.Argument(help="A name that says nothing about the person, such as P-07.")],
    visit: Annotated[str, typer.Option(help="The first visit; '' for none.")] = "Visit 1",
    note: Annotated[str, typer.Option(help="What one needs to know.")] = "",
    pooled: Annotated[bool, typer.Option(help="The person's consent is recorded: may help to calibrate for others.")] = False,
    as_json: AsJson = False,
) -> None:
    """Add a patient."""
    from backend.eeg.identifiers import person_like

    with workbench() as bench:
        store = bench.storage.patients
        added = store.add(pseudonym, note, pooled)
        if visit.strip():
            store.add_visit(added.id, visit, day=0)
        warning = person_like(pseudonym)
        made = {**_patient(store.get(added.id)), "warning": warning}
        show(made, as_json, lambda made: f"{made['pseudonym']} was added as {made['id']}. {made['warning']}".rstrip())


@patients_app.command("visits")
def patients_visits(who: Who, as_json: AsJson = False) -> None:
    """Show a patient's visits with their recordings."""
    with workbench() as bench:
        patient = find_patient(bench.storage, who)
        visits = [
            {**plain(visit), "recordings": [_recording(bench.storage, one) for one in bench.storage.recordings.list(visit=visit.id)]}
            for visit in bench.storage.patients.visits(patient.id)
        ]
        show({"patient": _patient(patient), "visits": visits}, as_json, _visits_text)


def _visits_text(made: Mapping[str, Any]) -> str:
    lines = [f"{made['patient']['pseudonym']} ({made['patient']['id']})"]
    for visit in made["visits"]:
        lines.append(f"  {visit['label']}")
        for one in visit["recordings"]:
            lines.append(f"    {one['id']}  {one['name']}: {one['duration_s']:.1f} s, {len(one['channels'])} channels, {one['format']}")
    return "\n".join(lines)


@patients_app.command("import")
def patients_import(
    who: Who,
    files: Annotated[list[Path], typer.Argument(help="Recordings; of formats in several parts the header (.vhdr, .set).")],
    visit: Annotated[str, typer.Option(help="Label of the visit; made if there is none of that name. Default: the last one.")] = "",
    repair: Annotated[list[str] | None, typer.Option(help="Agree to this repair, by its word; may be given again.")] = None,
    name: Annotated[str, typer.Option(help="What to call it; default: the file's name where nothing in it can name a person.")] = "",
    rate: Annotated[float | None, typer.Option(help="Samples a second, for tables without a time column.")] = None,
    unit: Annotated[str, typer.Option(help="Unit of a table's values: uV, mV or V.")] = "uV",
    annotations: Annotated[bool, typer.Option(help="Take in the annotations.")] = True,
    as_json: AsJson = False,
) -> None:
    """Import recordings on a visit. Faults that a repair is offered for are listed and nothing is imported until it is agreed to."""
    from backend.eeg.importing import import_recording, suggest_name

    options = _options(rate, unit)
    with workbench() as bench:
        patient = find_patient(bench.storage, who)
        target = _visit(bench.storage, patient.id, visit)
        made = []
        for file in files:
            with Bar(f"Importing {file.name}") as bar:
                kept = import_recording(
                    bench.config,
                    bench.storage,
                    target,
                    file,
                    repairs=repair or (),
                    name=name if len(files) == 1 and name else suggest_name(file.name),
                    options=options,
                    annotations=annotations,
                    progress=bar,
                )
            made.append(_recording(bench.storage, kept))
        show({"patient": _patient(bench.storage.patients.get(patient.id)), "visit": target, "recordings": made}, as_json, _import_text)


def _import_text(made: Mapping[str, Any]) -> str:
    lines = []
    for one in made["recordings"]:
        lines.append(f"{one['id']}  {one['name']}: {one['duration_s']:.1f} s, {len(one['channels'])} channels")
        lines += [f"  {found['level']} {found['word']}: {found['sentence']}" for found in one["diagnoses"]]
    return "\n".join(lines)


@patients_app.command("export")
def patients_export(
    who: Who,
    out: Annotated[Path, typer.Option(help="The ZIP archive to write.")],
    as_json: AsJson = False,
) -> None:
    """Write everything about a patient as one ZIP archive."""
    from backend.eeg.archive import export_patient

    with workbench() as bench:
        patient = find_patient(bench.storage, who)
        if out.exists():
            raise InputError(f"{out} is there already.", "Give another name, or remove it.")
        part = out.with_name(f"{out.name}.part")
        try:
            with part.open("wb") as file, Bar("Writing the archive") as bar:
                export_patient(bench.config, bench.storage, patient.id, file, bar)
            part.replace(out)
        except OSError as error:
            raise StorageError(f"{out} could not be written: {error.strerror}.", "Check the folder and the room on its disk.") from error
        finally:
            part.unlink(missing_ok=True)
        show(
            {"patient": _patient(patient), "file": str(out), "bytes": out.stat().st_size}, as_json, lambda made: f"Written: {made['file']}"
        )


@patients_app.command("delete")
def patients_delete(
    who: Who,
    confirm: Annotated[str, typer.Option(help="The pseudonym once more; nothing is deleted without it.")] = "",
    as_json: AsJson = False,
) -> None:
    """Delete a patient with all visits, recordings, results and files. It cannot be undone."""
    from backend.eeg.archive import delete_patient
    from backend.eeg.exports import forget_export

    with workbench() as bench:
        patient = find_patient(bench.storage, who)
        if confirm != patient.pseudonym:
            raise InputError(
                f"{patient.pseudonym} has {patient.visits} visits and {patient.recordings} recordings, and was not deleted.",
                f"To delete all of it: --confirm '{patient.pseudonym}'",
            )
        forget_export(bench.config, patient.id)
        delete_patient(bench.config, bench.storage, patient.id)
        show({"deleted": _patient(patient)}, as_json, lambda made: f"{made['deleted']['pseudonym']} was deleted, with all files.")


@patients_app.command("demo")
def patients_demo(
    name: Annotated[str, typer.Argument(help="scp1, scp2 or night; without a name: list them.")] = "",
    as_json: AsJson = False,
) -> None:
    """Bring in a demo patient; what is there already stays as it is."""
    from backend.eeg.demo import DEMOS, add_demo, find_demo

    with workbench() as bench:
        if not name:
            known = [
                {"name": key, "title": demo.title, "about": demo.about, "licence": demo.licence, "patient": find_demo(bench.context, key)}
                for key, demo in DEMOS.items()
            ]
            show({"demos": known}, as_json, lambda made: "\n".join(f"{d['name']:<6} {d['title']}. {d['licence']}" for d in made["demos"]))
            return
        with Bar("Bringing in the demo patient") as bar:
            patient = bench.storage.patients.get(add_demo(bench.context, name, bar))
        show(_patient(patient), as_json, lambda made: f"{made['pseudonym']} is there as {made['id']}.")


def _visit(storage: Storage, patient: str, label: str) -> str:
    """Id of the visit of that label, made if there is none; '' stands for the last one."""
    visits = storage.patients.visits(patient)
    if label:
        same = next((visit.id for visit in visits if visit.label.casefold() == label.strip().casefold()), "")
        return same or storage.patients.add_visit(patient, label).id
    return visits[-1].id if visits else storage.patients.add_visit(patient, "Visit 1", day=0).id


def _options(rate: float | None, unit: str) -> TableOptions:
    from backend.eeg.formats import TableOptions

    known: dict[str, Literal["uV", "mV", "V"]] = {"uV": "uV", "mV": "mV", "V": "V"}
    if unit not in known:
        raise InputError(f"'{unit}' is no unit of a table's values.", "Give uV, mV or V.")
    return TableOptions(rate, known[unit])


def _patient(patient: Patient) -> dict[str, Json]:
    made: dict[str, Json] = plain(patient)
    return made


def _recording(storage: Storage, recording: Recording) -> dict[str, Json]:
    """A recording as scripts see it: channels by name and kind."""
    made: dict[str, Json] = plain(recording)
    made["channels"] = [
        {key: channel[key] for key in ("name", "kind", "unit", "rate", "electrode", "reference")} for channel in recording.channels
    ]
    made["gaps"] = len(recording.gaps)
    made["annotations"] = len(storage.recordings.annotations(recording.id))
    made["facts"] = storage.recordings.facts(recording.id)
    return made
