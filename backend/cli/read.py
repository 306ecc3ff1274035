"""The command that runs a task on a text: a file, what is piped in, a paper of the library, or the papers that an answer quotes."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from backend.cli.results import result_text
from backend.cli.shared import AsJson, app, pairs, show, workbench
from backend.domain import Profile
from backend.errors import InputError
from backend.progress import Bar

_NOT_HERE = ("literature.ask",)  # a question to the library, with a command of its own
_ASKING = ("literature.answer", "literature.evidence", "literature.nearest", "literature.rewrite", "literature.verdict")


@app.command("read")
def read_with_a_model(
    file: Annotated[str, typer.Argument(help="A text file (UTF-8), or - for what is piped in.")] = "",
    task: Annotated[str, typer.Option(help="Such as literature.entities; a wrong name is answered with all of them.")] = "",
    question: Annotated[str, typer.Option(help="For tasks that ask one: literature.verdict, literature.evidence.")] = "",
    paper: Annotated[int | None, typer.Option(help="A paper of the library by its id, in place of a file.")] = None,
    run: Annotated[str, typer.Option(help="A run of literature.ask: the papers it quotes, in place of a file.")] = "",
    settings: Annotated[list[str] | None, typer.Option("--set", help="A setting of the task, name=value; may be repeated.")] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Explain what the task finds first, or what --target names.")] = False,
    target: Annotated[list[str] | None, typer.Option(help="What to explain, name=value; may be repeated.")] = None,
    profile: Annotated[str, typer.Option(help="Id of the profile that asks.")] = "",
    as_json: AsJson = False,
) -> None:
    """Read a text with a model: named things, relations, a verdict, answers word for word, and what other text tasks there are."""
    from backend.tasks import tasks
    from backend.workbench import run_json

    able = sorted(name for name, found in tasks().items() if found.modality == "literature" and name not in _NOT_HERE)
    if task not in able:
        raise InputError(f"{task} is not a task on a text." if task else "No task was named.", f"Name one with --task: {', '.join(able)}.")
    unasked = unused_question(task, question)
    given: dict[str, Any] = {"question": question} if question and not unasked else {}
    named = sum((bool(file), paper is not None, bool(run)))
    if named > 1 or not (named or question):  # a question alone goes to the library, where the task can
        raise InputError("Name one text: a file, - , --paper or --run.", "Such as: bioloom read abstract.txt --task literature.entities")
    given |= {"paper": paper} if paper is not None else {"run": run} if run else _text(file) if file else {}
    with workbench() as bench, Bar(task) as bar:
        who = bench.storage.profiles.get(profile) if profile else Profile()
        made = bench.run(task, given, settings=pairs(settings, "--set"), profile=who, owner=who.id, progress=bar)
        why, not_explained = None, ""
        if explain or target:
            try:
                why = bench.explain(made.id, pairs(target, "--target"), owner=who.id, progress=bar).explanation
            except InputError as error:  # nothing was found that could be explained: the result stands all the same
                if target:
                    raise
                not_explained = f"{error.message} {error.hint}".strip()
        bar.close()
        told = run_json(made, why)
        told["warnings"] += unasked
        show(told, as_json, lambda run: _words({**run, "not_explained": not_explained}))


def unused_question(task: str, question: str) -> list[str]:
    """The warning that a question was given to a task that asks none."""
    return [f"The question was not used: {task} asks none."] if question and task not in _ASKING else []


def _text(file: str) -> dict[str, str]:
    try:
        if file == "-":
            return {"text": sys.stdin.buffer.read().decode("utf-8-sig"), "name": "text"}
        path = Path(file).expanduser()
        return {"text": path.read_bytes().decode("utf-8-sig"), "name": path.name}
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}.", "Check the path.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{file} is no UTF-8 text (byte {error.start:,}).", "Save it as plain text in UTF-8.") from error


def _words(made: Mapping[str, Any]) -> str:
    return result_text(made, made["prediction"].get("text", []))
