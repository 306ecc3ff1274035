"""The command that writes the report of a recording as PDF or HTML."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from backend.cli.shared import AsJson, app, show, workbench
from backend.errors import InputError, StorageError
from backend.progress import Bar


@app.command()
def report(
    out: Annotated[Path, typer.Option(help="The file to write; its ending, .pdf or .html, says which.")],
    patient: Annotated[str, typer.Option(help="Pseudonym or id.")],
    recording: Annotated[str, typer.Option(help="Id of the recording; without it, the patient's newest one.")] = "",
    section: Annotated[list[str] | None, typer.Option(help="Only this section; may be repeated.")] = None,
    mark: Annotated[list[int] | None, typer.Option(help="Draw the page of this annotation, by its id; may be repeated.")] = None,
    page: Annotated[list[float] | None, typer.Option(help="Draw ten seconds from this second on; may be repeated.")] = None,
    montage: Annotated[str, typer.Option(help="longitudinal, transverse, average or referential; without it, the one that suits.")] = "",
    question: Annotated[str, typer.Option(help="The clinical question.")] = "",
    impression: Annotated[str, typer.Option(help="The clinician's impression.")] = "",
    reader: Annotated[str, typer.Option(help="Who read it.")] = "",
    as_json: AsJson = False,
) -> None:
    """Write what is known of a recording as a report. Analyses are not run for it: what was computed before is gathered."""
    if out.suffix.lower() not in (".pdf", ".html"):
        raise InputError(f"A report cannot be written as '{out.suffix}'.", "Name a file that ends in .pdf or .html.")
    from backend.eeg.report.choice import SECTIONS, Choice
    from backend.eeg.report.contents import build
    from backend.eeg.report.html import to_html
    from backend.eeg.report.pdf import to_pdf

    choice = Choice(
        sections=tuple(section or SECTIONS),
        pages=tuple(mark or ()),
        pages_at=tuple(page or ()),
        montage=montage,
        question=question,
        impression=impression,
        reader=reader,
    )
    with workbench() as bench, Bar("report") as bar:
        from backend.eeg.profile import find_patient, in_time_order

        who = find_patient(bench.context, patient)
        mine = [found.id for _, found in in_time_order(bench.context, who.id)]
        if recording and recording not in mine:
            raise InputError(f"This patient has no recording '{recording}'.", f"Recordings are: {', '.join(mine) or 'none'}.")
        if not mine:
            raise InputError("This patient has no recording.", "Import one first.")
        chosen = recording or mine[-1]
        made = build(bench.context.watched(bar), chosen, choice)
        data = to_pdf(made) if out.suffix.lower() == ".pdf" else to_html(made).encode("utf-8")
        bar.close()
    try:
        out.write_bytes(data)
    except OSError as error:
        raise StorageError(f"{out} cannot be written: {error.strerror}.", "Name another file.") from error
    told = {"file": str(out), "recording": chosen, "bytes": len(data), "sections": [one.title for one in made.sections]}
    show(told, as_json, lambda _: f"{out}: {len(data):,} bytes, {len(made.sections)} sections.")
