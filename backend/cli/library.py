"""Commands on the papers of the library."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from backend.cli.shared import AsJson, app, plain, show, workbench
from backend.domain import Json
from backend.errors import InputError
from backend.progress import Bar

library_app = typer.Typer(no_args_is_help=True, help="The papers that questions are answered from.")
app.add_typer(library_app, name="library")


@library_app.command("import")
def library_import(
    files: Annotated[list[Path], typer.Argument(help="PubMed XML, NBIB, RIS, JATS, PDF, BioC, PubTator or text; .gz too.")],
    collection: Annotated[str | None, typer.Option(help="Put the papers in this collection.")] = None,
    vectors: Annotated[bool, typer.Option(help="Also read them for meaning now.")] = True,
    as_json: AsJson = False,
) -> None:
    """Read files into the library. Each file is taken whole or not at all."""
    from backend.literature.library import library

    with workbench() as bench:
        shelf = library(bench.context)
        reports: list[dict[str, Json]] = []
        for file in files:
            with Bar(f"Reading {file.name}") as bar:
                reports.append(plain(shelf.import_file(file, collection=collection, progress=bar)))
        if vectors and shelf.encoder_ready():
            with Bar("Reading for meaning") as bar:
                shelf.index_vectors(bar, most=sum(int(report["added"]) for report in reports))
        show({"imports": reports, "works": shelf.count()}, as_json, _import_text)


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

    with workbench() as bench:
        with Bar("Reading for meaning") as bar:
            done = library(bench.context).index_vectors(bar)
        show({"papers": done}, as_json, lambda made: f"{made['papers']:,} papers read.")


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

    with workbench() as bench:
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
        show({"count": shelf.count(text, filters), "papers": papers}, as_json, _papers_text)


def _papers_text(made: Mapping[str, Any]) -> str:
    lines = [f"{p['id']:>7}  {p['year'] or '----'}  {p['title'][:100]}" for p in made["papers"]]
    return "\n".join([*lines, f"{made['count']:,} papers."])


@library_app.command("remove")
def library_remove(ids: Annotated[list[int], typer.Argument(help="Ids as `library list` shows them.")], as_json: AsJson = False) -> None:
    """Remove papers. Saved runs keep their quotes."""
    from backend.literature.library import library

    with workbench() as bench:
        shelf = library(bench.context)
        unknown = sorted(set(ids) - set(shelf.get(ids)))
        if unknown:
            raise InputError(f"No paper has the id {', '.join(map(str, unknown))}.", "See `bioloom library list`. Nothing was removed.")
        gone = shelf.remove(ids)
        show({"removed": gone, "works": shelf.count()}, as_json, lambda made: f"{made['removed']} removed; {made['works']:,} remain.")
