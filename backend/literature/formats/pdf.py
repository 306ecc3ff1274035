"""PDF files with text in them, one section a page.

Lines are joined to running text. A word parted by a hyphen at the end of a line is joined only where the hyphen can
hardly belong to it: both halves lower case and the first at least three letters. What is stored is what is shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from backend.domain import Paper, Skipped
from backend.errors import InputError
from backend.literature.formats.compose import clean, clean_doi, make_paper, strip_controls
from backend.literature.formats.source import Source

_HYPHEN = re.compile(r"(?<![\w-])([^\W\d_A-Z]{3,})(?:[-\u00ad]\n|\ufffe)([^\W\d_A-Z]{2,})")
_DOI = re.compile(r"\b10\.\d{4,9}/[^\s\"<>]+[\w)]")
_PMID = re.compile(r"\bPMID:?\s*(\d{5,9})\b")
_FEWEST = 20  # letters on all pages together; a scan often carries a stamp or page numbers


def read(source: Source) -> Iterator[Paper | Skipped]:
    """The one paper of the file.

    Raises
    ------
    InputError
        When the PDF is encrypted, damaged, or holds pictures of pages only.
    """
    title, pages = _extract(source)
    if sum(map(str.isalpha, "".join(pages))) < _FEWEST:
        raise InputError(
            f"'{source.name}' holds no text: its {len(pages)} pages are probably scanned pictures.",
            "Run text recognition (OCR) on it first, or import the reference from PubMed instead.",
        )
    lines = [text for line in pages[0].replace("\ufffe", "-").split("\n") if (text := clean(line))]
    dois = {clean_doi(found).lower() for found in _DOI.findall(pages[0])}
    pmids = set(_PMID.findall(pages[0]))
    paper = make_paper(
        title or next((line for line in lines if sum(map(str.isalpha, line)) > 12), source.name),
        ((f"Page {number}", _running(page), number) for number, page in enumerate(pages, 1)),
        doi=dois.pop() if len(dois) == 1 else "",
        pmid=pmids.pop() if len(pmids) == 1 else "",
        source="pdf",
    )
    if paper:
        yield paper


def _running(page: str) -> str:
    return clean(_HYPHEN.sub(r"\1\2", page).replace("\ufffe", "-"))


def _extract(source: Source) -> tuple[str, list[str]]:
    import pypdfium2 as pdfium

    try:
        document = pdfium.PdfDocument(source.read())
    except pdfium.PdfiumError as error:
        if "password" in str(error).lower():
            raise InputError(f"'{source.name}' is protected by a password.", "Save a copy without password, then import that.") from error
        raise InputError(f"'{source.name}' is damaged: it cannot be opened as a PDF.", "Download it again from the publisher.") from error
    try:
        title = clean(document.get_metadata_dict().get("Title"))
        plausible = len(title.split()) >= 3 and not re.search(
            r"\.(docx?|pdf|indd|tex|qxd)$|^microsoft word|^untitled", title, re.IGNORECASE
        )
        pages = []
        for number in range(len(document)):
            source.progress.check()
            source.progress.update(number, len(document), f"Reading page {number + 1} of {source.name}")
            pages.append(_page(document, number))
        return title if plausible else "", pages or [""]
    finally:
        document.close()


def _page(document: Any, number: int) -> str:
    page = document[number]
    text = page.get_textpage()
    try:
        # the parser marks a hyphen at a line's end with U+FFFE or U+0002, depending on its version
        return strip_controls(text.get_text_bounded().replace("\x02", "\ufffe")).replace("\ufffe\n", "\ufffe")
    finally:
        text.close()
        page.close()
