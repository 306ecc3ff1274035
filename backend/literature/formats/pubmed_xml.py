"""PubMed and MEDLINE XML, as downloaded from PubMed or its yearly baseline."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from backend.domain import Notice, Paper, Skipped
from backend.literature.formats.compose import clean, clean_doi, make_paper, year_of
from backend.literature.formats.source import Source
from backend.literature.formats.xml import elements, text_of

ROOTS = ("PubmedArticleSet", "MedlineCitationSet", "PubmedArticle", "PubmedBookArticle", "PubmedBookArticleSet", "MedlineCitation")
NOTICES = {
    "RetractionIn": "retracted",
    "PartialRetractionIn": "retracted",
    "ErratumIn": "corrected",
    "CorrectedandRepublishedIn": "corrected",
    "ExpressionOfConcernIn": "concern",
    "RetractionOf": "retraction_of",
    "PartialRetractionOf": "retraction_of",
    "ErratumFor": "correction_of",
    "UpdateIn": "updated",
}


def read(source: Source) -> Iterator[Paper | Skipped]:
    """Every record of the file; records that PubMed deleted, or that hold no title and no text, as `Skipped`."""
    number = 0
    for element in elements(source, "PubmedArticle", "PubmedBookArticle", "DeleteCitation", "DeleteDocument"):
        if element.tag.startswith("Delete"):
            for pmid in element.iter("PMID"):
                yield Skipped(f"PMID {clean(pmid.text)}", "PubMed has deleted this record.")
            continue
        number += 1
        yield _paper(element) or Skipped(f"record {number}", "It has neither a title nor an abstract.")


def _paper(element: Any) -> Paper | None:
    citation = element.find("MedlineCitation")
    if citation is None:
        citation = element.find("BookDocument")
    if citation is None:
        return None
    found = citation.find("Article")
    article = citation if found is None else found  # a book's fields lie directly in the document
    journal = article.find("Journal")
    issue = None if journal is None else journal.find("JournalIssue")
    ids = {item.get("IdType"): clean(item.text) for item in element.iterfind("PubmedData/ArticleIdList/ArticleId")}
    types = tuple(clean(item.text) for item in article.iter("PublicationType"))
    return make_paper(
        _title(article),
        ((clean(part.get("Label")), clean(text_of(part)), None) for part in article.iterfind("Abstract/AbstractText")),
        authors=_authors(article),
        journal=clean(article.findtext("Journal/Title")),
        year=_year(article),
        pmid=clean(citation.findtext("PMID")),
        doi=_doi(article) or clean_doi(ids.get("doi")),
        pmcid=ids.get("pmc", ""),
        volume="" if issue is None else clean(issue.findtext("Volume")),
        issue="" if issue is None else clean(issue.findtext("Issue")),
        pages=clean(article.findtext("Pagination/MedlinePgn")),
        language=clean(article.findtext("Language")),
        publication_types=types,
        mesh=tuple(clean(item.text) for item in citation.iterfind("MeshHeadingList/MeshHeading/DescriptorName")),
        keywords=tuple(word for item in citation.iterfind("KeywordList/Keyword") if (word := clean(text_of(item)))),
        notices=_notices(citation, types),
        source="pubmed-xml",
    )


def _title(article: Any) -> str:
    title = clean(text_of(article.find("ArticleTitle")))
    if not title or title.strip("[].").casefold() == "not available":
        return clean(text_of(article.find("VernacularTitle"))) or clean(text_of(article.find("Book/BookTitle"))) or title
    return title


def _authors(article: Any) -> tuple[str, ...]:
    names = []
    for author in article.iterfind("AuthorList/Author"):
        if author.get("ValidYN") == "N":  # a spelling that PubMed has since corrected
            continue
        name = clean(f"{author.findtext('LastName') or ''} {author.findtext('Initials') or ''} {author.findtext('Suffix') or ''}")
        name = name or clean(text_of(author.find("CollectiveName")))
        if name:
            names.append(name)
    return tuple(names)


def _year(article: Any) -> int | None:
    for place in ("Journal/JournalIssue/PubDate/Year", "Journal/JournalIssue/PubDate/MedlineDate", "Book/PubDate/Year", "ArticleDate/Year"):
        if year := year_of(article.findtext(place)):
            return year
    return None


def _doi(article: Any) -> str:
    for item in article.iterfind("ELocationID"):
        if item.get("EIdType") == "doi" and item.get("ValidYN", "Y") == "Y":
            return clean_doi(item.text)
    return ""


def _notices(citation: Any, types: tuple[str, ...]) -> tuple[Notice, ...]:
    notices = [
        Notice(NOTICES[item.get("RefType")], clean(text_of(item.find("RefSource"))), clean(item.findtext("PMID")))
        for item in citation.iterfind("CommentsCorrectionsList/CommentsCorrections")
        if item.get("RefType") in NOTICES
    ]
    if "Retracted Publication" in types and all(notice.kind != "retracted" for notice in notices):
        notices.append(Notice("retracted", "PubMed lists this as a retracted publication."))
    return tuple(notices)
