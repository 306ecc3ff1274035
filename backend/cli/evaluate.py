"""The command that measures a task on labelled data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from backend.cli.shared import AsJson, app, show, workbench
from backend.progress import Bar


@app.command()
def evaluate(
    task: Annotated[str, typer.Argument(help="Such as literature.retrieve.")],
    files: Annotated[list[Path], typer.Argument(help="Labelled files; `bioloom evaluate --help` and the README name the forms.")],
    corpus: Annotated[list[Path] | None, typer.Option(help="literature.retrieve: further files whose documents join the library.")] = None,
    wildtype: Annotated[Path | None, typer.Option(help="protein.variants: FASTA of the protein that was changed.")] = None,
    model: Annotated[list[str] | None, typer.Option(help="Only these models; may be repeated.")] = None,
    score: Annotated[str, typer.Option(help="protein.variants: the column of the measured score, where its name does not say so.")] = "",
    as_json: AsJson = False,
) -> None:
    """Measure a task on your own labelled data."""
    from backend.evaluate import evaluate as measure

    options = {"corpus": corpus or [], "wildtype": wildtype, "models": model or [], "score": score}
    with workbench() as bench, Bar(f"Evaluating {task}") as bar:
        made = measure(bench.context.watched(bar), task, files, options)
        bar.close()
        show(made, as_json, _evaluation_text)


def _evaluation_text(made: Mapping[str, Any]) -> str:
    lines = [f"{made['task']}: n = {made['n']:,}"]
    for name, metrics in made["systems"].items():
        figures = "  ".join(_figure(metric, m) for metric, m in metrics.items())
        lines.append(f"{name:<11} {figures}")
    return "\n".join([*lines, "In brackets the 95% bootstrap interval.", *made.get("notes", [])])


def _figure(metric: str, cell: Mapping[str, float | None]) -> str:
    interval = f" ({cell['low']:.3f}-{cell['high']:.3f})" if cell.get("low") is not None else ""
    return f"{metric} {cell['value']:.3f}{interval}"
