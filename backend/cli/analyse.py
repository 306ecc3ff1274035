"""The command that runs a task on a file of sequences or a structure."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from backend.cli.results import result_text
from backend.cli.shared import AsJson, app, pairs, show, workbench
from backend.domain import Profile
from backend.errors import InputError
from backend.progress import Bar


@app.command()
def analyse(
    file: Annotated[Path, typer.Argument(help="FASTA, FASTQ, GenBank, EMBL, plain text, PDB or mmCIF; .gz too.")],
    task: Annotated[str, typer.Option(help="Such as protein.variants; a wrong name is answered with all of them.")],
    record: Annotated[list[str] | None, typer.Option(help="Only this record, by its id; may be repeated.")] = None,
    kind: Annotated[str, typer.Option(help="protein, dna or rna, where a record may be of more than one kind.")] = "",
    settings: Annotated[list[str] | None, typer.Option("--set", help="A setting of the task, name=value; may be repeated.")] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Explain what the task finds first, or what --target names.")] = False,
    target: Annotated[list[str] | None, typer.Option(help="What to explain, name=value; may be repeated.")] = None,
    profile: Annotated[str, typer.Option(help="Id of the profile that asks.")] = "",
    as_json: AsJson = False,
) -> None:
    """Run a task on the sequences of a file. The result carries what was read, what was altered and what was refused."""
    from backend.sequences.inputs import give_file
    from backend.tasks import find_task
    from backend.workbench import run_json

    if find_task(task).modality != "sequences":
        raise InputError(f"{task} is not a task on sequences.", "See the README for the commands of the other kinds of data.")
    with workbench() as bench, Bar(task) as bar:
        who = bench.storage.profiles.get(profile) if profile else Profile()
        value = give_file(bench.context, file, records=record or [], kind=kind)
        made = bench.run(
            task,
            value,
            settings=pairs(settings, "--set"),
            profile=who,
            owner=who.id,
            explain=explain or bool(target),
            target=pairs(target, "--target"),
            progress=bar,
        )
        bar.close()
        show(run_json(made), as_json, _text)


def _text(made: Mapping[str, Any]) -> str:
    found = made["prediction"]
    lines: list[str] = []
    for entry in found.get("records", [])[:50]:
        state = f"REFUSED: {entry['refused']}" if entry["refused"] else f"{entry['kind']}, {entry['length']:,} letters"
        lines.append(f"{entry['id']}: {state}")
        lines += [f"    {alteration['text']}" for alteration in entry["alterations"][:10]]
    return result_text(made, found.get("text", []), lines)
