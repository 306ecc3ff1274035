"""Files of papers, read by what they hold rather than by what they are called."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from backend.config import Limits
from backend.domain import Paper, Skipped
from backend.errors import InputError
from backend.literature.formats import bioc, europepmc, jats, nbib, pdf, pubmed_xml, pubtator, ris, text
from backend.literature.formats.sniff import sniff
from backend.literature.formats.source import Source
from backend.progress import Progress, Silent


@dataclass(frozen=True)
class Format:
    """A kind of file: its name, the suffixes it usually has, how it is called in a message, and its reader."""

    name: str
    suffixes: tuple[str, ...]
    title: str
    read: Callable[[Source], Iterator[Paper | Skipped]]


FORMATS = {
    item.name: item
    for item in (
        Format("pubmed-xml", (".xml",), "PubMed XML", pubmed_xml.read),
        Format("nbib", (".nbib",), "PubMed text (NBIB)", nbib.read),
        Format("ris", (".ris",), "RIS references", ris.read),
        Format("jats", (".nxml", ".xml"), "JATS full text", jats.read),
        Format("pdf", (".pdf",), "PDF", pdf.read),
        Format("bioc-xml", (".xml",), "BioC XML", bioc.read_xml),
        Format("bioc-json", (".json",), "BioC JSON", bioc.read_json),
        Format("pubtator", (".pubtator", ".txt"), "PubTator", pubtator.read),
        Format("europepmc", (".json",), "Europe PMC results", europepmc.read),
        Format("text", (".txt",), "Plain text", text.read),
    )
}
SUFFIXES = tuple(sorted({suffix for item in FORMATS.values() for suffix in item.suffixes} | {".gz"}))
_EVERY = 200  # papers between two looks at the cancel button


def format_of(path: Path, name: str | None = None) -> str:
    """Key of `FORMATS` that a file's content belongs to, whatever its suffix.

    Raises
    ------
    InputError
        When the file is empty, or nothing that can be read here.
    """
    return _format(Source(Path(path), name or Path(path).name))


def read_papers(path: Path, name: str | None = None, limits: Limits = Limits(), progress: Progress = Silent()) -> Iterator[Paper | Skipped]:
    """Every paper of a file, one after another, and what was skipped.

    Parameters
    ----------
    path : Path
        The file; gzip is unpacked on the way.
    name : str, optional
        What the person calls the file, when `path` is a stored upload.

    Raises
    ------
    InputError
        When the file is too large, damaged, or nothing that can be read here; says where and what to do.
    """
    source = Source(Path(path), name or Path(path).name, limits, progress)
    size = source.path.stat().st_size
    if size > limits.upload_bytes:
        raise InputError(
            f"'{source.name}' has {size / 2**20:,.0f} MB; the most that is taken in is {limits.upload_bytes / 2**20:,.0f} MB.",
            "Export the references in smaller parts.",
        )
    for number, item in enumerate(FORMATS[_format(source)].read(source), 1):
        if number % _EVERY == 0:
            progress.check()
        if isinstance(item, Paper) and len(item.text) > limits.paper_chars:
            yield Skipped(f"record {number}", f"Its text is longer than {limits.paper_chars:,} characters.")
        else:
            yield item


def _format(source: Source) -> str:
    head = source.head()
    if not head.strip(b"\x00 \t\r\n\xef\xbb\xbf"):
        raise InputError(f"'{source.name}' is empty.", "Export or download it again.")
    found = sniff(head, source.name)
    if found != "plain":
        return found
    suffix = Path(source.name.removesuffix(".gz")).suffix.casefold()
    if suffix in (".txt", ".text"):
        return "text"
    known = [item.title for item in FORMATS.values() if suffix in item.suffixes]
    if known:
        raise InputError(
            f"'{source.name}' ends in {suffix}, but what it holds is not {' or '.join(known)}.",
            "Export it again, or rename plain text to .txt.",
        )
    titles = ", ".join(item.title for item in FORMATS.values())
    raise InputError(f"'{source.name}' is of no format that can be read here.", f"These can: {titles}.")
