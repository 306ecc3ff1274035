"""Commands on saved runs."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from backend.cli.ask import answer_text
from backend.cli.shared import AsJson, app, plain, printable, show, workbench
from backend.errors import InputError

runs_app = typer.Typer(no_args_is_help=True, help="Everything that was computed.")
app.add_typer(runs_app, name="runs")


@runs_app.command("list")
def runs_list(
    task: Annotated[str | None, typer.Option(help="Only this task.")] = None,
    text: Annotated[str | None, typer.Option(help="Only runs whose title holds this.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000)] = 20,
    as_json: AsJson = False,
) -> None:
    """List saved runs, newest first."""
    with workbench() as bench:
        made = [plain(summary) for summary in bench.storage.runs.list(task=task, text=text, limit=limit)]
        show(made, as_json, _listing)


def _listing(rows: Sequence[Mapping[str, Any]]) -> str:
    width = max((len(row["task"]) for row in rows), default=0)
    lines = [f"{row['id']}  {row['created'][:16]}  {row['task']:<{width}}  {' '.join(row['title'].split())[:80]}" for row in rows]
    return "\n".join(lines) or "No runs yet."


@runs_app.command("show")
def runs_show(run_id: str, as_json: AsJson = False) -> None:
    """Show one saved run."""
    from backend.workbench import run_json

    with workbench() as bench:
        run = bench.storage.runs.get(run_id)
        children = [child for child in bench.storage.runs.children(run.id) if child.kind == "explanation"]
        made = run_json(run, children[-1].explanation if children and run.explanation is None else None)
        show(made, as_json or "answer" not in made, answer_text)


@runs_app.command("replay")
def runs_replay(run_id: str, as_json: AsJson = False) -> None:
    """Compute a saved run again and say whether it came out the same."""
    with workbench() as bench:
        run = bench.replay(run_id)
        result = run.prediction or {}
        made = {"run_id": run.id, "replay_of": run.parent, "same": result["same"], "differences": result["differences"]}
        show(made, as_json, lambda m: "The same." if m["same"] else "\n".join(["Not the same:", *m["differences"]]))


@runs_app.command("verify")
def runs_verify(as_json: AsJson = False) -> None:
    """Check the chain over all runs: any row edited, removed or inserted outside Bioloom is found."""
    with workbench() as bench:
        found = bench.storage.runs.verify()
        made = plain(found)
        lines = [f"Run {p['id']} (link {p['seq']}): {p['message']}" for p in made["problems"]]
        show(made, as_json, lambda m: "\n".join([f"{m['checked']:,} links checked: {'intact' if m['ok'] else 'NOT intact'}.", *lines]))
        if not found.ok:
            raise typer.Exit(1)


@runs_app.command("export")
def runs_export(
    run_id: str,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to write; standard output when left out.")] = None,
    form: Annotated[str, typer.Option("--format", help="json, or what the task offers: csv, gff3, fasta, ris, bibtex ...")] = "json",
    as_json: AsJson = False,
) -> None:
    """Export a run: everything as JSON, or its result in a form of the field."""
    from backend.exporting import export, forms

    with workbench() as bench:
        run = bench.storage.runs.get(run_id)
        writers: dict[str, Callable[[], str]] = {name: functools.partial(export, run, name) for name in forms(run)}
        writers |= {"json": lambda: json.dumps(bench.storage.runs.export(run.id), indent=2, ensure_ascii=False)}
        if form not in writers:
            raise InputError(f"There is no export format '{form}'.", f"Formats are: {', '.join(writers)}.")
        text = writers[form]()
        if output is None:
            print(printable(text) if sys.stdout.isatty() else text)  # what is piped on stays as it is, byte for byte
            return
        try:
            output.write_text(text, encoding="utf-8")
        except OSError as error:
            raise InputError(f"{output} cannot be written: {error.strerror}.", "Choose a folder you may write to.") from error
        show({"run_id": run.id, "file": str(output)}, as_json, lambda made: f"Written to {made['file']}.")
