"""PubMed's own text format (.nbib, "PubMed" in its Save menu).

The tags are read here rather than by the nbib package: that drops the retraction notices and refuses a whole file for
one date such as "2019 Winter". A test holds both to the same titles and abstracts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from backend.domain import Notice, Paper, Skipped
from backend.literature.formats.compose import clean, clean_doi, make_paper, year_of
from backend.literature.formats.plain import read_text
from backend.literature.formats.source import Source

_LINE = re.compile(r"^([A-Z][A-Z0-9]{0,3}) *- ?(.*)$")
_NOTICES = {
    "RIN": "retracted",
    "EIN": "corrected",
    "CRI": "corrected",
    "ECI": "concern",
    "ROF": "retraction_of",
    "EFR": "correction_of",
    "UIN": "updated",
}
_PMID = re.compile(r"PMID: ?(\d+)")


def read(source: Source) -> Iterator[Paper | Skipped]:
    """Every record of the file."""
    for number, tags in enumerate(_records(read_text(source)), 1):
        yield _paper(tags) or Skipped(f"record {number}", "It has neither a title nor an abstract.")


def _records(text: str) -> Iterator[dict[str, list[str]]]:
    tags: dict[str, list[str]] = {}
    values: list[str] | None = None
    for line in text.split("\n"):
        found = _LINE.match(line)
        if found:
            if found[1] == "PMID" and tags:
                yield tags
                tags = {}
            values = tags.setdefault(found[1], [])
            values.append(found[2])
        elif line.strip() and values:
            values[-1] += " " + line.strip()
    if tags:
        yield tags


def _paper(tags: dict[str, list[str]]) -> Paper | None:
    def first(tag: str) -> str:
        return clean(tags.get(tag, [""])[0])

    types = tuple(clean(item) for item in tags.get("PT", []))
    notices = [
        Notice(kind, clean(text), found[1] if (found := _PMID.search(text)) else "")
        for tag, kind in _NOTICES.items()
        for text in tags.get(tag, [])
    ]
    if "Retracted Publication" in types and all(notice.kind != "retracted" for notice in notices):
        notices.append(Notice("retracted", "PubMed lists this as a retracted publication."))
    dois = [clean_doi(item) for tag in ("LID", "AID") for item in tags.get(tag, []) if "[doi]" in item]
    return make_paper(
        first("TI") or first("BTI") or first("TT"),
        [("", first("AB"), None)],
        authors=tuple(clean(item) for tag in ("AU", "CN") for item in tags.get(tag, [])),
        journal=first("JT") or first("TA"),
        year=year_of(first("DP")),
        pmid=first("PMID"),
        doi=dois[0].removesuffix("[doi]") if dois else "",
        pmcid=first("PMC"),
        volume=first("VI"),
        issue=first("IP"),
        pages=first("PG"),
        language=first("LA"),
        publication_types=types,
        mesh=tuple(dict.fromkeys(clean(item).split("/")[0].lstrip("*") for item in tags.get("MH", []))),
        keywords=tuple(clean(item).lstrip("*") for item in tags.get("OT", [])),
        notices=tuple(notices),
        source="nbib",
    )
