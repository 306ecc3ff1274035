"""The command that asks the papers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from backend.cli.results import result_text
from backend.cli.shared import AsJson, app, show, workbench
from backend.domain import Profile


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="A question in words.")],
    year_from: Annotated[int | None, typer.Option(help="Earliest year.")] = None,
    year_to: Annotated[int | None, typer.Option(help="Latest year.")] = None,
    study_type: Annotated[list[str] | None, typer.Option(help="Such as 'randomised trial'; may be repeated.")] = None,
    journal: Annotated[list[str] | None, typer.Option(help="Full journal title; may be repeated.")] = None,
    mesh: Annotated[list[str] | None, typer.Option(help="MeSH heading; all given must be present.")] = None,
    collection: Annotated[list[str] | None, typer.Option(help="Collection; may be repeated.")] = None,
    evidence: Annotated[int, typer.Option(help="Number of sentences, 1 to 10.")] = 10,
    explain: Annotated[bool, typer.Option("--explain", help="Explain the first evidence sentence.")] = False,
    profile: Annotated[str, typer.Option(help="Id of the profile that asks.")] = "",
    as_json: AsJson = False,
) -> None:
    """Answer a question with verbatim sentences from the library."""
    filters = {
        "year_from": year_from,
        "year_to": year_to,
        "study_types": study_type or [],
        "journals": journal or [],
        "mesh": mesh or [],
        "collections": collection or [],
    }
    with workbench() as bench:
        from backend.workbench import run_json

        who = bench.storage.profiles.get(profile) if profile else Profile()
        settings = {"filters": {name: value for name, value in filters.items() if value}, "evidence": evidence}
        run = bench.run("literature.ask", {"question": question}, settings=settings, profile=who, owner=who.id, explain=explain)
        missing = "The library holds no answer, so no sentence of it was explained." if explain and run.explanation is None else ""
        show(run_json(run), as_json, lambda made: answer_text({**made, "not_explained": missing}))


def answer_text(made: Mapping[str, Any]) -> str:
    answer = made["answer"]
    lines = [answer["reason"], f"Confidence that the library holds an answer: {answer['confidence']:.2f}"]
    for item in answer["evidence"]:
        source = ", ".join(
            str(part) for part in (item["journal"], item["year"], item["study_type"], item["pmid"] and f"PMID {item['pmid']}") if part
        )
        notice = "".join(f" [{notice['kind'].upper()}]" for notice in item["notices"])
        lines += ["", f"{item['rank']:>2}. “{item['quote']}”", f"    {item['title']}", f"    {source}{notice}"]
    if answer["abstained"]:
        lines += ["", "Nearest titles:"] + [f"  - {near['title']} ({near['year']})" for near in made["prediction"]["nearest"]]
    return result_text(made, lines)
