"""The command that sets two models side by side on one input."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backend.cli.read import unused_question
from backend.cli.results import untrained_first
from backend.cli.shared import AsJson, app, pairs, show, workbench
from backend.domain import Json, Profile
from backend.errors import InputError
from backend.progress import Bar

if TYPE_CHECKING:
    from backend.tasks import Context

_MOST_LINES = 20


@app.command()
def compare(
    file: Annotated[Path | None, typer.Argument(help="Sequences, a structure, or a text; - reads a text from standard input.")] = None,
    task: Annotated[str, typer.Option(help="Such as protein.variants; a wrong name is answered with all of them.")] = "",
    models: Annotated[str, typer.Option(help="Names of two models with a comma between: esm2-8m,esm2-35m.")] = "",
    question: Annotated[str, typer.Option(help="The question, where the task asks one.")] = "",
    record: Annotated[list[str] | None, typer.Option(help="Only this record, by its id; may be repeated.")] = None,
    kind: Annotated[str, typer.Option(help="protein, dna or rna, where a record may be of more than one kind.")] = "",
    settings: Annotated[list[str] | None, typer.Option("--set", help="A setting for both, name=value; may be repeated.")] = None,
    profile: Annotated[str, typer.Option(help="Id of the profile that asks.")] = "",
    as_json: AsJson = False,
) -> None:
    """Run a task on one input by two models. Both runs are saved; what is printed is how far they agree and where they differ."""
    from backend.side_by_side import comparable, run_both
    from backend.side_by_side import compare as set_side_by_side

    if task not in comparable():
        raise InputError(f"'{task}' is no task with a choice of models.", f"Tasks that are: {', '.join(comparable())}.")
    with workbench() as bench, Bar(task) as bar:
        who = bench.storage.profiles.get(profile) if profile else Profile()
        value = _input(bench.context, file, task, question, record or [], kind)
        named = [name.strip() for name in models.split(",") if name.strip()]
        made = run_both(bench, task, value, named, settings=pairs(settings, "--set"), profile=who, owner=who.id, progress=bar)
        bar.close()
        told = set_side_by_side(*made).json()
        told["warnings"] += unused_question(task, question)
        show(told, as_json, _text)


def _input(context: Context, file: Path | None, task: str, question: str, records: list[str], kind: str) -> dict[str, Json]:
    from backend.sequences.inputs import give_file
    from backend.tasks import find_task

    if find_task(task).modality == "sequences":
        if file is None:
            raise InputError("No file was given.", f"Name a file: bioloom compare FILE --task {task} --models a,b")
        return give_file(context, file, records=records, kind=kind)
    value: dict[str, Json] = {"question": "" if unused_question(task, question) else question}
    if file is not None:
        try:
            text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{file} cannot be read as text.", "Give a file that is there, saved as UTF-8.") from error
        value |= {"text": text, "name": "standard input" if str(file) == "-" else file.name}
    return value


def _text(made: Mapping[str, Any]) -> str:
    first, others = untrained_first(made["warnings"])
    lines = [*first, *(f"{run['model']['name']}: run {run['run_id']}, {run['seconds']:.1f} s" for run in made["runs"])]
    lines += [f"Note: {warning}" for warning in others]
    lines += [f"{each['name']}: {each['text']}" for each in made["agreements"]]
    told = made["differences"]
    lines.append(f"{told['count']:,} entries differ." if told["count"] else "The two results are the same within 0.0001.")
    lines += [f"  {line}" for line in told["first"][:_MOST_LINES]]
    if told["count"] > _MOST_LINES:
        lines.append(f"  ... {told['count'] - _MOST_LINES:,} more; the first 200: --json")
    return "\n".join(lines)
