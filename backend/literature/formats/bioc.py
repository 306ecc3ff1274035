"""BioC, XML and JSON: passages with the annotations that the file itself carries."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from backend.domain import Annotation, Paper, Skipped
from backend.errors import InputError
from backend.literature.formats.compose import clean, clean_doi, make_paper, year_of
from backend.literature.formats.plain import read_text
from backend.literature.formats.source import Source
from backend.literature.formats.xml import elements, text_of


def read_xml(source: Source) -> Iterator[Paper | Skipped]:
    """Every document of a BioC XML collection."""
    for number, element in enumerate(elements(source, "document"), 1):
        passages = [
            {
                "infons": _infons(passage),
                "offset": passage.findtext("offset") or 0,
                # sentences of a passage carry the text when the passage does not
                "text": text_of(passage.find("text")) or " ".join(text_of(item) for item in passage.iterfind("sentence/text")),
                "annotations": [
                    {
                        "infons": _infons(item),
                        "text": text_of(item.find("text")),
                        "locations": [dict(place.attrib) for place in item.iterfind("location")],
                    }
                    for item in passage.iter("annotation")
                ],
            }
            for passage in element.iterfind("passage")
        ]
        yield from _document({"id": clean(element.findtext("id")), "passages": passages}, number)


def read_json(source: Source) -> Iterator[Paper | Skipped]:
    """Every document of a BioC JSON collection, or of a list of collections as PubMed Central sends it."""
    try:
        content = json.loads(read_text(source))
    except ValueError as error:
        raise InputError(f"'{source.name}' is not complete JSON: {error}.", "Download it again.") from error
    collections = content if isinstance(content, list) else [content]
    documents = [
        item for part in collections if isinstance(part, dict) for item in part.get("documents", [part] if "passages" in part else [])
    ]
    for number, document in enumerate(documents, 1):
        try:
            yield from _document(document, number)
        except (TypeError, KeyError, AttributeError, ValueError):
            yield Skipped(f"document {number}", "It does not follow the BioC format.")


def _infons(element: Any) -> dict[str, str]:
    return {item.get("key"): item.text or "" for item in element.iterfind("infon")}


def _document(document: dict[str, Any], number: int) -> Iterator[Paper | Skipped]:
    passages = document["passages"]
    kinds = [_kind(item.get("infons", {})) for item in passages]
    head = next((at for at, kind in enumerate(kinds) if kind in ("title", "front")), None)
    kept = [at for at, item in enumerate(passages) if at != head and kinds[at] not in ("ref", "references") and clean(item.get("text"))]
    infons = passages[0].get("infons", {}) if passages else {}
    identity = clean(str(document.get("id", "")))
    pmcid = clean(infons.get("article-id_pmc"))
    paper = make_paper(
        clean(passages[head].get("text")) if head is not None else "",
        (
            (infon.get("section_type") or infon.get("type") or "", clean(passages[at].get("text")), None)
            for at in kept
            for infon in [passages[at].get("infons", {})]
        ),
        pmid=clean(infons.get("article-id_pmid")) or (identity if identity.isdigit() else ""),
        pmcid=f"PMC{pmcid.removeprefix('PMC')}" if pmcid else (identity if identity.startswith("PMC") else ""),
        doi=clean_doi(infons.get("article-id_doi")),
        year=year_of(infons.get("year")),
        journal=clean(infons.get("journal")) if "year" in infons else "",
        source="bioc",
    )
    if paper is None:
        yield Skipped(f"document {number}", "It has neither a title nor a text.")
        return
    starts = {at: section.start for at, section in zip(kept, paper.sections, strict=True)} | ({} if head is None else {head: 0})
    annotations, lost = [], 0
    for at, start in starts.items():
        for item in passages[at].get("annotations", []):
            found = _place(paper.text, passages[at], item, start)
            lost += not found
            annotations += found
    yield replace(paper, annotations=tuple(annotations))
    if lost:
        yield Skipped(
            f"document {number}", f"{lost} annotations were left out: their words are not where the file says. The text was kept."
        )


def _kind(infons: dict[str, Any]) -> str:
    return str(infons.get("type", "")).casefold()


def _place(text: str, passage: dict[str, Any], item: dict[str, Any], start: int) -> list[Annotation]:
    """An annotation in our text: cleaning can only shorten, so the place is counted in the cleaned text before it."""
    infons = item.get("infons", {})
    identifier = next((str(infons[key]) for key in ("identifier", "MESH", "NCBI GENE", "Identifier") if infons.get(key)), "")
    found = []
    for place in item.get("locations", []):
        begin = int(place["offset"]) - int(passage.get("offset", 0))
        mention = clean(passage["text"][begin : begin + int(place["length"])])
        # one mark after the words before keeps the space that cleaning would cut off
        at = start + len(clean(passage["text"][:begin] + "|")) - 1
        whole = len(item["locations"]) > 1 or mention == clean(item.get("text"))
        if begin < 0 or not mention or not whole or text[at : at + len(mention)] != mention:
            return []
        found.append(Annotation(at, at + len(mention), str(infons.get("type", "")), identifier))
    return found
