"""Search results of Europe PMC (JSON, resultType=core), as its web service sends them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from backend.domain import Notice, Paper, Skipped
from backend.errors import InputError
from backend.literature.formats.compose import clean, clean_doi, make_paper, year_of
from backend.literature.formats.plain import read_text
from backend.literature.formats.pubmed_xml import NOTICES
from backend.literature.formats.source import Source

_NOTICES = {key.casefold(): kind for key, kind in NOTICES.items()}


def read(source: Source) -> Iterator[Paper | Skipped]:
    """Every result. Markup in titles and abstracts stays as literal text."""
    try:
        results = json.loads(read_text(source))["resultList"]["result"]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"'{source.name}' is not a complete answer of Europe PMC.", "Fetch it again.") from error
    for number, result in enumerate(results, 1):
        try:
            yield _paper(result) or Skipped(f"record {number}", "It has neither a title nor an abstract.")
        except (TypeError, AttributeError):
            yield Skipped(f"record {number}", "It does not follow the format of Europe PMC.")


def _paper(result: dict[str, Any]) -> Paper | None:
    journal = result.get("journalInfo") or {}

    def several(group: str, item: str) -> list[Any]:
        return (result.get(group) or {}).get(item) or []

    return make_paper(
        clean(result.get("title")),
        [("", clean(result.get("abstractText")), None)],
        authors=tuple(clean(item.get("fullName") or item.get("collectiveName")) for item in several("authorList", "author")),
        journal=clean((journal.get("journal") or {}).get("title")),
        year=year_of(str(result.get("pubYear") or "")),
        pmid=clean(result.get("pmid")),
        doi=clean_doi(result.get("doi")),
        pmcid=clean(result.get("pmcid")),
        volume=clean(journal.get("volume")),
        issue=clean(journal.get("issue")),
        pages=clean(result.get("pageInfo")),
        language=clean(result.get("language")),
        publication_types=tuple(clean(item) for item in several("pubTypeList", "pubType")),
        mesh=tuple(clean(item.get("descriptorName")) for item in several("meshHeadingList", "meshHeading")),
        keywords=tuple(clean(item) for item in several("keywordList", "keyword")),
        notices=tuple(
            Notice(_NOTICES[kind], clean(item.get("reference")), clean(str(item.get("id") or "")))
            for item in several("commentCorrectionList", "commentCorrection")
            if (kind := str(item.get("type", "")).replace(" ", "").casefold()) in _NOTICES
        ),
        source="europepmc",
    )
