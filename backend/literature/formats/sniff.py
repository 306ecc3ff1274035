"""What a file is, told by how it begins."""

from __future__ import annotations

import re

from backend.errors import InputError
from backend.literature.formats.plain import decode
from backend.literature.formats.pubmed_xml import ROOTS

_PROLOG = re.compile(r"\s*(?:<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^\[>]*(?:\[.*?\]\s*)?>)", re.DOTALL)
_ROOT = re.compile(r"\s*<(?:[\w.-]+:)?([\w.-]+)")
_XML_ROOTS = {**dict.fromkeys(ROOTS, "pubmed-xml"), "article": "jats", "pmc-articleset": "jats", "collection": "bioc-xml"}
_TEXT = (
    ("nbib", re.compile(r"\s*PMID *- ?\d")),
    ("ris", re.compile(r"\s*TY {1,2}- ")),
    ("pubtator", re.compile(r"\s*\w+\|[ta]\|")),
)
_REFUSED = (
    (re.compile(r"\s*@\w+\s*\{"), "a BibTeX file", "Export the references as RIS instead."),
    (re.compile(r"\s*%[0A-Z] "), "an EndNote file", "Export the references as RIS instead."),
    (re.compile(r"\s*\{\\rtf"), "a rich text document", "Save it as plain text (.txt) or PDF."),
    (re.compile(r"\s*(FN |FN\t|PT [JBSP]\n)"), "a Web of Science file", "Export the references as RIS instead."),
)
_BINARY = (
    (b"PK\x03\x04", "a ZIP archive or an Office document", "Unpack it and import the files in it; save a document as PDF or text."),
    (b"\xd0\xcf\x11\xe0", "an old Office document", "Save it as PDF or text."),
    (b"7z\xbc\xaf", "a 7-Zip archive", "Unpack it and import the files in it."),
    (b"BZh", "a bzip2 archive", "Unpack it and import the file in it."),
    (b"\xfd7zXZ", "an xz archive", "Unpack it and import the file in it."),
    (b"\x89PNG", "a picture", "Import the text of the paper instead."),
    (b"\xff\xd8\xff", "a picture", "Import the text of the paper instead."),
    (b"SQLite format 3", "a database", "Export its references as RIS."),
)


def sniff(head: bytes, name: str) -> str:
    """Name of the format that `head` begins, 'plain' for text of no known format.

    Raises
    ------
    InputError
        When it is recognisably something that cannot be read.
    """
    for magic, what, hint in _BINARY:
        if head.startswith(magic):
            raise InputError(f"'{name}' cannot be read: this looks like {what}.", hint)
    if b"%PDF-" in head[:1024]:
        return "pdf"
    text = decode(head)
    if text is None:
        raise InputError(
            f"'{name}' cannot be read: it is not text and no format that is known here.", "Check that it is the file you meant."
        )
    text = text.lstrip("\ufeff")
    for pattern, what, hint in _REFUSED:
        if pattern.match(text):
            raise InputError(f"'{name}' cannot be read: this looks like {what}.", hint)
    for kind, pattern in _TEXT:
        if pattern.match(text):
            return kind
    stripped = text.lstrip()
    if stripped[:1] in "{[":
        if '"resultList"' in text:
            return "europepmc"
        if '"passages"' in text:
            return "bioc-json"
    return _xml(stripped, name) if stripped.startswith("<") else "plain"


def _xml(text: str, name: str) -> str:
    if re.match(r"(?i)\s*(<!doctype\s+html|<html)", text):
        raise InputError(
            f"'{name}' cannot be read: this looks like a web page.", "Use the site's own export (PubMed: Save, format PubMed) or its PDF."
        )
    at = 0
    while found := _PROLOG.match(text, at):
        at = found.end()
    root = _ROOT.match(text, at)
    if root and root[1].casefold() == "html":
        return _xml("<html", name)
    return _XML_ROOTS.get(root[1], "plain") if root else "plain"
