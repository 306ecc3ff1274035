"""The command that asks the papers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from backend.cli.results import result_text
from backend.cli.shared import AsJson, app, show, workbench
from backend.domain import Profile
from backend.models.abilities import STANCES
from backend.profiles.verdict_words import (
    NOT_HERE,
    SIDES,
    apart_words,
    error_words,
    figure_words,
    head,
    measured_words,
    set_words,
    shares_words,
    sides_words,
)


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
    readers: Annotated[bool, typer.Option(help="Let the readers rank the sentences and judge the papers; else by nearness alone.")] = True,
    explain: Annotated[bool, typer.Option("--explain", help="Explain the first paper's verdict, or the first evidence sentence.")] = False,
    profile: Annotated[str, typer.Option(help="Id of the profile that asks.")] = "",
    as_json: AsJson = False,
) -> None:
    """Answer a question with verbatim sentences from the library and, where yes or no can answer it, a verdict."""
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
        settings = {"filters": {name: value for name, value in filters.items() if value}, "evidence": evidence, "readers": readers}
        run = bench.run("literature.ask", {"question": question}, settings=settings, profile=who, owner=who.id, explain=explain)
        missing = "The library holds no answer, so no sentence of it was explained." if explain and run.explanation is None else ""
        show(run_json(run), as_json, lambda made: answer_text({**made, "not_explained": missing}))


def answer_text(made: Mapping[str, Any]) -> str:
    answer = made["answer"]
    sure = [] if answer.get("language") else [f"Confidence that the library holds an answer: {answer['confidence']:.2f}"]
    lines = [answer["reason"], *sure, *_judged(answer)]
    for item in answer["evidence"]:
        source = ", ".join(
            str(part) for part in (item["journal"], item["year"], item["study_type"], item["pmid"] and f"PMID {item['pmid']}") if part
        )
        notice = "".join(f" [{notice['kind'].upper()}]" for notice in item["notices"])
        lines += ["", f"{item['rank']:>2}. “{item['quote']}”", f"    {item['title']}", f"    {source}{notice}", *_read(item)]
    if answer["abstained"]:
        lines += ["", "Nearest titles:"] + [f"  - {near['title']} ({near['year']})" for near in made["prediction"]["nearest"]]
    return result_text(made, lines)


def _judged(answer: Mapping[str, Any]) -> list[str]:
    """The verdict, its set, why none is given, and whether the papers disagree; nothing of a run whose papers were not judged."""
    verdict, lines = answer.get("verdict"), []
    if answer.get("ground") == NOT_HERE:
        lines += ["No verdict: nothing near enough to the question was found."]
    elif answer.get("ground") and not verdict:
        lines += ["No verdict: none of the papers found is likely enough to answer the question to be judged."]
    if verdict:
        said = Counter("no clear side" if paper["said"] == "open" else paper["said"] for paper in verdict["papers"])
        by_paper = ", ".join(f"{name} {count}" for name, count in said.items())
        others = len((answer.get("contradiction") or {}).get("papers") or ()) - len(verdict["papers"])
        more = f" {others} more {'was' if others == 1 else 'were'} read and not joined." if others > 0 else ""
        lines += [
            f"Verdict: {head(answer)}; {figure_words(verdict)} ({shares_words(verdict['probabilities'])}).",
            *filter(None, [apart_words(answer)]),
            set_words(verdict, "professional"),
            f"{verdict['how']} Paper by paper: {by_paper}.{more}",
            *filter(None, [measured_words(verdict)]),
            verdict["calibration"],
        ]
    if meter := answer.get("contradiction"):
        lines += [f"Do the studies disagree? {sides_words(meter)}", error_words(meter["error"], "professional")]
    return lines


def _read(item: Mapping[str, Any]) -> list[str]:
    """What the reader says of one sentence, where it was read."""
    if item.get("bearing") is None:
        return []
    stance = item.get("stance")
    shares = ", ".join(f"{name} {p:.2f}" for name, p in zip(STANCES, stance["probabilities"], strict=True)) if stance else ""
    side = f"{SIDES[stance['said']]} ({shares}); " if stance else ""
    return [f"    {side}bears on the question with probability {item['bearing']:.2f}"]
