"""The command that measures a task on labelled data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from backend.cli.shared import AsJson, ManyValues, app, show, workbench
from backend.errors import InputError
from backend.figures.metrics import metric_words
from backend.progress import Bar


@app.command(cls=ManyValues)
def evaluate(
    task: Annotated[str, typer.Argument(help="Such as literature.retrieve.")],
    files: Annotated[list[Path] | None, typer.Argument(help="Labelled files; the page Check it yourself shows the forms.")] = None,
    corpus: Annotated[list[Path] | None, typer.Option(help="literature.retrieve: further files whose documents join the library.")] = None,
    wildtype: Annotated[Path | None, typer.Option(help="protein.variants: FASTA of the protein that was changed.")] = None,
    model: Annotated[list[str] | None, typer.Option(help="Only these models; may be repeated.")] = None,
    score: Annotated[str, typer.Option(help="protein.variants: the column of the measured score, where its name does not say so.")] = "",
    train: Annotated[list[Path] | None, typer.Option(help="eeg.calibrate: recordings to learn from, in time order.")] = None,
    test: Annotated[list[Path] | None, typer.Option(help="eeg.calibrate: later recordings to be judged on.")] = None,
    labels: Annotated[str, typer.Option(help="eeg.calibrate: the classes, such as T1,T2.")] = "",
    demo: Annotated[str, typer.Option(help="eeg.calibrate: an embedded patient, such as scp1.")] = "",
    window: Annotated[str, typer.Option(help="eeg.calibrate: seconds from the event, such as 0.5,3.5.")] = "",
    unseen: Annotated[
        bool,
        typer.Option(
            "--unseen", help="literature.entities, .relations, .verdict, .evidence: only what Bioloom's own readers were not trained on."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Measure a task on your own labelled data."""
    from backend.evaluate import evaluate as measure

    files = files or []
    if not files and not (train or demo):
        raise InputError("No file was named.", "Name labelled files; for eeg.calibrate use --train or --demo.")
    options: dict[str, Any] = {"corpus": corpus or [], "wildtype": wildtype, "models": model or [], "score": score}
    options |= {"unseen": unseen, "train": train or [], "test": test or [], "labels": labels, "demo": demo, **_window(window)}
    with workbench() as bench, Bar(f"Evaluating {task}") as bar:
        made = measure(bench.context.watched(bar), task, files, options)
        bar.close()
        show(made, as_json, _evaluation_text)


def _window(given: str) -> dict[str, float]:
    if not given:
        return {}
    try:
        start, stop = (float(part) for part in given.split(","))
    except ValueError as error:
        raise InputError(f"'{given}' is no window.", "Write its beginning and end in seconds from the event: --window 0.5,3.5.") from error
    return {"start_s": start, "stop_s": stop}


def _evaluation_text(made: Mapping[str, Any]) -> str:
    seen = [str(said) for said in made.get("seen", {}).values()]
    notes = [note for note in made.get("notes", []) if note not in seen]
    lines = [f"{made['task']}: n = {made['n']:,}", *seen]
    if "verdict" in made:
        lines += [f"Verdict: {made['verdict']}. {made['sentence']}", *made["reasons"], f"Chosen: {made['chosen']}"]
    for name, metrics in made["systems"].items():
        figures = "; ".join(m if isinstance(m, str) else _figure(metric, m) for metric, m in metrics.items())
        lines.append(f"{name}: {figures}")
    if "verdict" in made:
        bounds = "of the balanced accuracy Wilson's, of that expected next time the predicted"
        return "\n".join([*lines, f"In brackets the 95% interval: {bounds}.", *notes])
    return "\n".join([*lines, "In brackets the 95% bootstrap interval.", *notes])


def _figure(metric: str, cell: Mapping[str, float | None]) -> str:
    interval = f" ({cell['low']:.3f}-{cell['high']:.3f})" if cell.get("low") is not None else ""
    return f"{metric_words(metric)} {cell['value']:.3f}{interval}"
