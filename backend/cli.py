"""The command line `bioloom`: the same road as the pages, with JSON for scripts."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import threading
import time
import webbrowser
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.request import urlopen

import typer

from backend.config import ROOT, load_config
from backend.domain import Json, ModelCard, Profile
from backend.errors import BioloomError, InputError
from backend.progress import Bar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backend.workbench import Workbench

app = typer.Typer(name="bioloom", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
library_app = typer.Typer(no_args_is_help=True, help="The papers that questions are answered from.")
models_app = typer.Typer(no_args_is_help=True, help="The models of the registry.")
runs_app = typer.Typer(no_args_is_help=True, help="Everything that was computed.")
app.add_typer(library_app, name="library")
app.add_typer(models_app, name="models")
app.add_typer(runs_app, name="runs")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]


def main() -> None:
    """Entry point: a BioloomError becomes its message and hint and exit code 2."""
    wants_json = "--json" in sys.argv[1:]
    try:
        app()
    except BioloomError as error:
        if wants_json:
            print(json.dumps({"error": {"message": error.message, "hint": error.hint}}, ensure_ascii=False), file=sys.stderr)
        else:
            print(error.message, file=sys.stderr)
            if error.hint:
                print(error.hint, file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        sys.exit(130)


# --- start and set up -----------------------------------------------------------------------------------------------


@app.command("app")
def start_app(
    port: Annotated[int, typer.Option(help="Port on this machine.")] = 8501,
    browser: Annotated[bool, typer.Option(help="Open the browser.")] = True,
) -> None:
    """Open Bioloom in the browser. It listens on this machine only."""
    load_config()
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py"), "--server.port", str(port)]
    if browser:
        threading.Thread(target=_open_browser, args=(f"http://localhost:{port}",), daemon=True).start()
    try:
        sys.exit(subprocess.call(command, cwd=ROOT))
    except KeyboardInterrupt:
        sys.exit(0)


def _open_browser(url: str) -> None:
    """Open the browser once the server answers; a machine without one is told the address by the server."""
    for _ in range(240):
        try:
            with urlopen(f"{url}/_stcore/health", timeout=2):
                webbrowser.open(url)
                return
        except OSError:
            time.sleep(0.25)


@app.command()
def prepare() -> None:
    """Fetch the embedded model and read the embedded abstracts, so that the first question finds them. Safe to repeat."""
    from backend.literature.library import ENCODER, library
    from backend.models.registry import get_card

    with _workbench() as bench:
        card = get_card(ENCODER)
        if not bench.runtime.present(ENCODER):
            with Bar(f"Fetching {card.title}") as bar:
                bench.runtime.fetch(ENCODER, bar, allow_network=not bench.config.offline_forced)
        with Bar("Reading the embedded PubMed abstracts") as bar:
            library(bench.context).import_embedded(bar)
        print(f"Ready: {library(bench.context).count():,} papers in the library.", file=sys.stderr)


# --- ask ------------------------------------------------------------------------------------------------------------


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
    with _workbench() as bench:
        from backend.workbench import run_json

        who = bench.storage.profiles.get(profile) if profile else Profile()
        settings = {"filters": {name: value for name, value in filters.items() if value}, "evidence": evidence}
        run = bench.run("literature.ask", {"question": question}, settings=settings, profile=who, owner=who.id, explain=explain)
        _show(run_json(run), as_json, _answer_text)


def _answer_text(made: Mapping[str, Any]) -> str:
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
    lines += ["", *(f"Note: {warning}" for warning in made["warnings"]), f"Saved as run {made['run_id']}."]
    return "\n".join(lines)


# --- library --------------------------------------------------------------------------------------------------------


@library_app.command("import")
def library_import(
    files: Annotated[list[Path], typer.Argument(help="PubMed XML, NBIB, RIS, JATS, PDF, BioC, PubTator or text; .gz too.")],
    collection: Annotated[str | None, typer.Option(help="Put the papers in this collection.")] = None,
    vectors: Annotated[bool, typer.Option(help="Also read them for meaning now.")] = True,
    as_json: AsJson = False,
) -> None:
    """Read files into the library. Each file is taken whole or not at all."""
    from backend.literature.library import library

    with _workbench() as bench:
        shelf = library(bench.context)
        reports: list[dict[str, Json]] = []
        for file in files:
            with Bar(f"Reading {file.name}") as bar:
                reports.append(_plain(shelf.import_file(file, collection=collection, progress=bar)))
        if vectors and shelf.encoder_ready():
            with Bar("Reading for meaning") as bar:
                shelf.index_vectors(bar, most=sum(int(report["added"]) for report in reports))
        _show({"imports": reports, "works": shelf.count()}, as_json, _import_text)


def _import_text(made: Mapping[str, Any]) -> str:
    lines: list[str] = []
    for report in made["imports"]:
        lines.append(
            f"{report['name']}: {report['added']:,} added, {report['merged']:,} were already there, {len(report['skipped']):,} skipped."
        )
        lines += [f"  {item['place']}: {item['reason']}" for item in report["skipped"][:20]]
    return "\n".join([*lines, f"The library holds {made['works']:,} papers."])


@library_app.command("index")
def library_index(as_json: AsJson = False) -> None:
    """Read all papers for meaning that were not read yet; may be stopped and taken up again. The app does this by itself."""
    from backend.literature.library import library

    with _workbench() as bench:
        with Bar("Reading for meaning") as bar:
            done = library(bench.context).index_vectors(bar)
        _show({"papers": done}, as_json, lambda made: f"{made['papers']:,} papers read.")


@library_app.command("list")
def library_list(
    text: Annotated[str, typer.Argument(help="Words of title, author or journal, or a PMID.")] = "",
    collection: Annotated[list[str] | None, typer.Option(help="Only these collections.")] = None,
    limit: Annotated[int, typer.Option(help="How many to show.", min=1, max=10_000)] = 20,
    as_json: AsJson = False,
) -> None:
    """List papers, newest first."""
    from backend.literature.library import library
    from backend.storage.papers import Filters

    with _workbench() as bench:
        shelf = library(bench.context)
        filters = Filters(collections=tuple(collection or ()))
        papers = [
            {
                "id": stored.id,
                "pmid": stored.paper.pmid,
                "title": stored.paper.title,
                "year": stored.paper.year,
                "journal": stored.paper.journal,
                "study_type": stored.study_type,
                "collections": list(stored.collections),
                "sha256": stored.sha256,
            }
            for stored in shelf.papers(text, filters, limit)
        ]
        _show({"count": shelf.count(text, filters), "papers": papers}, as_json, _papers_text)


def _papers_text(made: Mapping[str, Any]) -> str:
    lines = [f"{p['id']:>7}  {p['year'] or '----'}  {p['title'][:100]}" for p in made["papers"]]
    return "\n".join([*lines, f"{made['count']:,} papers."])


@library_app.command("remove")
def library_remove(ids: Annotated[list[int], typer.Argument(help="Ids as `library list` shows them.")], as_json: AsJson = False) -> None:
    """Remove papers. Saved runs keep their quotes."""
    from backend.literature.library import library

    with _workbench() as bench:
        shelf = library(bench.context)
        unknown = sorted(set(ids) - set(shelf.get(ids)))
        if unknown:
            raise InputError(f"No paper has the id {', '.join(map(str, unknown))}.", "See `bioloom library list`. Nothing was removed.")
        gone = shelf.remove(ids)
        _show({"removed": gone, "works": shelf.count()}, as_json, lambda made: f"{made['removed']} removed; {made['works']:,} remain.")


# --- models ---------------------------------------------------------------------------------------------------------


@models_app.command("list")
def models_list(as_json: AsJson = False) -> None:
    """List the cards of all models."""
    from backend.models.registry import cards

    with _workbench() as bench:
        made = [_card(bench, card) for card in cards(bench.config).values()]
        _show(
            made,
            as_json,
            lambda rows: "\n".join(f"{c['name']:<24}{c['family']:<12}{c['source']:<9}{c['licence']:<30}{_state(c)}" for c in rows),
        )


@models_app.command("show")
def models_show(name: str, as_json: AsJson = False) -> None:
    """Show one card whole."""
    from backend.models.registry import get_card

    with _workbench() as bench:
        _show(_card(bench, get_card(name, bench.config)), as_json, lambda card: "\n".join(f"{key}: {value}" for key, value in card.items()))


@models_app.command("fetch")
def models_fetch(name: str, as_json: AsJson = False) -> None:
    """Fetch a model's weights: the one command that opens an outside connection, because you asked."""
    with _workbench() as bench:
        with Bar(f"Fetching {name}") as bar:
            bench.runtime.fetch(name, bar, allow_network=not bench.config.offline_forced)
        _show({"name": name, "present": bench.runtime.present(name)}, as_json, lambda made: f"{made['name']} is on this machine.")


@models_app.command("verify")
def models_verify(
    name: Annotated[str, typer.Argument(help="A model; all that are present when left out.")] = "", as_json: AsJson = False
) -> None:
    """Hash every file of a model again and compare with its card."""
    from backend.models.registry import cards

    with _workbench() as bench:
        names = [name] if name else [card.name for card in cards(bench.config).values() if bench.runtime.present(card.name)]
        made = [{"name": each, **_plain(bench.runtime.verify(each))} for each in names]
        _show(made, as_json, lambda rows: "\n".join(f"{row['name']}: {'intact' if row['ok'] else 'DAMAGED'}" for row in rows))
        if not all(row["ok"] for row in made):
            raise typer.Exit(1)


def _card(bench: Workbench, card: ModelCard) -> dict[str, Json]:
    fit = bench.runtime.fits(card)
    made: dict[str, Json] = _plain(card)
    made |= {
        "sha256": card.sha256,
        "fits": fit.ok,
        "fit_reason": fit.reason,
        "present": bench.runtime.present(card.name),
        "loaded": any(resident.name == card.name for resident in bench.runtime.loaded()),
    }
    return made


def _state(card: Mapping[str, Any]) -> str:
    return "present" if card["present"] else "to be fetched" if card["fits"] else "does not fit this machine"


# --- runs -----------------------------------------------------------------------------------------------------------


@runs_app.command("list")
def runs_list(
    task: Annotated[str | None, typer.Option(help="Only this task.")] = None,
    text: Annotated[str | None, typer.Option(help="Only runs whose title holds this.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000)] = 20,
    as_json: AsJson = False,
) -> None:
    """List saved runs, newest first."""
    with _workbench() as bench:
        made = [_plain(summary) for summary in bench.storage.runs.list(task=task, text=text, limit=limit)]
        _show(
            made,
            as_json,
            lambda rows: "\n".join(f"{r['id']}  {r['created'][:16]}  {r['task']:<18}{r['title'][:80]}" for r in rows) or "No runs yet.",
        )


@runs_app.command("show")
def runs_show(run_id: str, as_json: AsJson = False) -> None:
    """Show one saved run."""
    from backend.workbench import run_json

    with _workbench() as bench:
        run = bench.storage.runs.get(run_id)
        children = [child for child in bench.storage.runs.children(run.id) if child.kind == "explanation"]
        made = run_json(run, children[-1].explanation if children and run.explanation is None else None)
        _show(made, as_json, _answer_text if "answer" in made else lambda value: json.dumps(value, indent=2, ensure_ascii=False))


@runs_app.command("replay")
def runs_replay(run_id: str, as_json: AsJson = False) -> None:
    """Compute a saved run again and say whether it came out the same."""
    with _workbench() as bench:
        run = bench.replay(run_id)
        result = run.prediction or {}
        made = {"run_id": run.id, "replay_of": run.parent, "same": result["same"], "differences": result["differences"]}
        _show(made, as_json, lambda m: "The same." if m["same"] else "\n".join(["Not the same:", *m["differences"]]))


@runs_app.command("verify")
def runs_verify(as_json: AsJson = False) -> None:
    """Check the chain over all runs: any row edited, removed or inserted outside Bioloom is found."""
    with _workbench() as bench:
        found = bench.storage.runs.verify()
        made = _plain(found)
        lines = [f"Run {p['id']} (link {p['seq']}): {p['message']}" for p in made["problems"]]
        _show(made, as_json, lambda m: "\n".join([f"{m['checked']:,} links checked: {'intact' if m['ok'] else 'NOT intact'}.", *lines]))
        if not found.ok:
            raise typer.Exit(1)


@runs_app.command("export")
def runs_export(
    run_id: str,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to write; standard output when left out.")] = None,
    form: Annotated[str, typer.Option("--format", help="json, ris, bibtex or csv.")] = "json",
    as_json: AsJson = False,
) -> None:
    """Export a run: everything as JSON, or its evidence as RIS, BibTeX or CSV."""
    from backend.literature import cite

    with _workbench() as bench:
        run = bench.storage.runs.get(run_id)
        evidence = (run.prediction or {}).get("answer", {}).get("evidence", [])
        writers: dict[str, Callable[[], str]] = {
            "json": lambda: json.dumps(bench.storage.runs.export(run.id), indent=2, ensure_ascii=False),
            "ris": lambda: cite.to_ris(evidence),
            "bibtex": lambda: cite.to_bibtex(evidence),
            "csv": lambda: cite.to_csv(evidence),
        }
        if form not in writers:
            raise InputError(f"There is no export format '{form}'.", f"Formats are: {', '.join(writers)}.")
        text = writers[form]()
        if output is None:
            print(text)
            return
        try:
            output.write_text(text, encoding="utf-8")
        except OSError as error:
            raise InputError(f"{output} cannot be written: {error.strerror}.", "Choose a folder you may write to.") from error
        _show({"run_id": run.id, "file": str(output)}, as_json, lambda made: f"Written to {made['file']}.")


# --- evaluate -------------------------------------------------------------------------------------------------------


@app.command()
def evaluate(
    task: Annotated[str, typer.Argument(help="Such as literature.retrieve.")],
    files: Annotated[list[Path], typer.Argument(help="Labelled files; for literature.retrieve in BioASQ's JSON form.")],
    corpus: Annotated[list[Path] | None, typer.Option(help="Further files whose documents join the library.")] = None,
    as_json: AsJson = False,
) -> None:
    """Measure a task on your own labelled data."""
    from backend.evaluate import evaluate as measure

    with _workbench() as bench, Bar(f"Evaluating {task}") as bar:
        made = measure(bench.context.watched(bar), task, files, corpus or [])
        bar.close()
        _show(made, as_json, _evaluation_text)


def _evaluation_text(made: Mapping[str, Any]) -> str:
    lines = [f"{made['task']}: n = {made['n']:,}"]
    for name, metrics in made["systems"].items():
        figures = "  ".join(f"{metric} {m['value']:.3f} ({m['low']:.3f}-{m['high']:.3f})" for metric, m in metrics.items())
        lines.append(f"{name:<10}{figures}")
    return "\n".join([*lines, "95% bootstrap intervals over the questions.", *made.get("notes", [])])


# --- shared ---------------------------------------------------------------------------------------------------------


@contextmanager
def _workbench() -> Iterator[Workbench]:
    from backend.workbench import Workbench

    bench = Workbench(load_config())
    try:
        yield bench
    finally:
        bench.close()


def _show(made: Json, as_json: bool, text: Callable[[Any], str]) -> None:
    print(json.dumps(made, ensure_ascii=False, indent=2) if as_json else text(made))


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return value.item() if hasattr(value, "item") else value


if __name__ == "__main__":
    main()
