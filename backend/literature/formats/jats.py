"""Full text of journal articles in JATS XML (.nxml), as PubMed Central gives it.

Tables, figures with their captions, formulas' markup, footnotes and references are left out of the stored text.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from lxml import etree

from backend.domain import Notice, Paper, Skipped
from backend.literature.formats.compose import clean, clean_doi, make_paper, year_of
from backend.literature.formats.source import Source
from backend.literature.formats.xml import elements, text_of

_LEFT_OUT = (
    "table-wrap",
    "fig",
    "fig-group",
    "table-wrap-group",
    "ref-list",
    "fn-group",
    "fn",
    "supplementary-material",
    "tex-math",
    "boxed-text",
)
_NOTICES = {
    "retracted-article": "retraction_of",
    "corrected-article": "correction_of",
    "retraction-forward": "retracted",
    "correction-forward": "corrected",
    "object-of-concern": "concern",
}
_TYPES = {
    "case-report": "Case Reports",
    "review-article": "Review",
    "systematic-review": "Systematic Review",
    "retraction": "Retraction of Publication",
}
_NO_NAMESPACE = "{http://www.w3.org/1999/xlink}href"


def read(source: Source) -> Iterator[Paper | Skipped]:
    """The article, or every article of a collection."""
    for number, article in enumerate(elements(source, "article"), 1):
        yield _paper(article) or Skipped(f"article {number}", "It has neither a title nor a text.")


def _paper(article: Any) -> Paper | None:
    meta = article.find("front/article-meta")
    if meta is None:
        return None
    ids = {item.get("pub-id-type"): clean(item.text) for item in meta.iterfind("article-id")}
    pmcid = ids.get("pmc") or ids.get("pmcid") or ""
    first, last = clean(meta.findtext("fpage")), clean(meta.findtext("lpage"))
    kind = _TYPES.get(article.get("article-type", ""))
    return make_paper(
        clean(text_of(_bare(meta.find("title-group/article-title")))),
        [*_abstracts(meta), *_sections(_bare(article.find("body")), "")],
        authors=_authors(meta),
        journal=clean(article.findtext("front/journal-meta//journal-title")),
        year=min((year for date in meta.iterfind("pub-date") if (year := year_of(date.findtext("year")))), default=None),
        pmid=ids.get("pmid", ""),
        doi=clean_doi(ids.get("doi")),
        pmcid=pmcid if pmcid.startswith("PMC") or not pmcid else f"PMC{pmcid}",
        volume=clean(meta.findtext("volume")),
        issue=clean(meta.findtext("issue")),
        pages=f"{first}-{last}" if first and last and first != last else first or clean(meta.findtext("elocation-id")),
        publication_types=(kind,) if kind else (),
        keywords=tuple(word for item in meta.iterfind("kwd-group/kwd") if (word := clean(text_of(item)))),
        notices=tuple(
            Notice(_NOTICES[item.get("related-article-type")], clean(text_of(item)) or clean(item.get(_NO_NAMESPACE)))
            for item in meta.iterfind("related-article")
            if item.get("related-article-type") in _NOTICES
        ),
        source="jats",
    )


def _bare(element: Any) -> Any:
    """A copy without what is left out; the text that follows a left-out part stays."""
    if element is None:
        return None
    bare = copy.deepcopy(element)
    bare.tail = None
    etree.strip_elements(bare, *_LEFT_OUT, with_tail=False)
    return bare


def _authors(meta: Any) -> tuple[str, ...]:
    names = []
    for item in meta.iterfind("contrib-group/contrib"):
        if item.get("contrib-type", "author") != "author":
            continue
        given = clean(item.findtext("name/given-names"))
        initials = "".join(part[0] for part in given.replace(".", " ").replace("-", " ").split())
        name = clean(f"{item.findtext('name/surname') or ''} {initials}") or clean(text_of(item.find("collab")))
        if name:
            names.append(name)
    return tuple(names)


def _abstracts(meta: Any) -> Iterator[tuple[str, str, None]]:
    for abstract in meta.iterfind("abstract"):
        if abstract.get("abstract-type") in (None, "", "structured"):
            for label, text, _ in _sections(_bare(abstract), ""):
                yield label or "Abstract", text, None


def _sections(element: Any, label: str) -> Iterator[tuple[str, str, None]]:
    """One part for each section that has text of its own; paragraphs are parted by a line."""
    if element is None:
        return
    own: list[str] = []
    for child in element:
        if child.tag == "sec":
            if own:
                yield label, "\n".join(own), None
                own = []
            title = clean(text_of(child.find("title")))
            yield from _sections(child, " / ".join(filter(None, (label, title))))
        elif child.tag not in ("title", "label") and (text := clean(text_of(child))):
            own.append(text)
    if own:
        yield label, "\n".join(own), None
