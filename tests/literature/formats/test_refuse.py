"""Damaged, hostile and mistaken files are refused in words that say what, where and what to do."""

from __future__ import annotations

import gzip
import os
import tracemalloc
from pathlib import Path

import pytest
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfgen.canvas import Canvas

from backend.config import Limits
from backend.domain import Paper
from backend.errors import Cancelled, InputError
from backend.literature.formats import read_papers
from backend.literature.formats.embedded import embedded_files
from backend.progress import Silent
from tests.literature.formats.test_read import PUBMED, written


def refusal(path: Path, limits: Limits = Limits()) -> InputError:
    with pytest.raises(InputError) as caught:
        list(read_papers(path, limits=limits))
    assert caught.value.hint
    assert path.name in caught.value.message
    return caught.value


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"", "a.xml", "is empty"),
        (b"\x00\x00 \n", "a.txt", "is empty"),
        (gzip.compress(b"", mtime=0), "a.xml.gz", "is empty"),
        (PUBMED.replace("</Abstract>", "</Abstrac>").encode(), "a.xml", "line"),
        (PUBMED[:900].encode(), "a.xml", "record 1"),
        (b"PK\x03\x04aaaa", "a.zip", "ZIP archive"),
        (os.urandom(4096).replace(b"%PDF-", b""), "a.xml", "not text"),
        (b"@article{a, title={b}}", "a.ris", "BibTeX"),
        (b"<!DOCTYPE html><html><body>x</body></html>", "a.xml", "web page"),
        (b"just some words", "a.ris", "not RIS"),
        (b"just some words", "a.docm", "no format"),
        (b"%PDF-1.4\nrubbish", "a.pdf", "damaged"),
        (b'{"passages": [', "a.json", "JSON"),
        (b"<unknown/>", "a.xml", "not PubMed XML"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_reason(content: bytes, name: str, words: str, tmp_path: Path) -> None:
    assert words in refusal(written(tmp_path, content, name)).message


def test_truncated_gzip_says_in_which_record_it_ends(tmp_path: Path) -> None:
    content = embedded_files()[0].read_bytes()[:400_000]
    assert "ends in the middle of record" in refusal(written(tmp_path, content, "cut.xml.gz")).message


@pytest.mark.parametrize("start", [b"<PubmedArticleSet>", b""])
def test_zip_bomb_is_stopped_early_with_little_memory(start: bytes, tmp_path: Path) -> None:
    path = written(tmp_path, gzip.compress(start + b" " * (200 * 2**20), 9), "bomb.txt.gz")
    tracemalloc.start()
    with pytest.raises(InputError):
        list(read_papers(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 80 * 2**20
    many = written(tmp_path, gzip.compress((PUBMED[:21] + "<PubmedArticleSet>" + "<X/>" * 5_000_000).encode()), "bomb.xml.gz")
    assert "unpacks to more than" in refusal(many).message


def test_bounds_on_size_and_text(tmp_path: Path) -> None:
    path = written(tmp_path, PUBMED, "a.xml")
    assert "the most that is taken in" in refusal(path, Limits(upload_bytes=100)).message
    assert "unpacks to more" in refusal(path, Limits(unpacked_bytes=100)).message
    assert not any(isinstance(item, Paper) for item in read_papers(path, limits=Limits(paper_chars=10)))


@pytest.mark.parametrize(
    "dtd",
    [
        '<!DOCTYPE PubmedArticleSet [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE PubmedArticleSet [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY x "&b;&b;&b;">]>',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_own_entities_are_refused(dtd: str, encoding: str, tmp_path: Path) -> None:
    body = PUBMED.removeprefix('<?xml version="1.0"?>').replace("We saw", "&x; saw")
    text = f'<?xml version="1.0" encoding="{encoding}"?>{dtd}{body}'
    assert "entities" in refusal(written(tmp_path, text.encode(encoding), "a.xml")).message


def pdf(path: Path, pages: list[list[str]], password: str = "") -> Path:
    canvas = Canvas(str(path), encrypt=StandardEncryption(password) if password else None)
    for lines in pages:
        for number, line in enumerate(lines):
            canvas.drawString(60, 780 - 14 * number, line)
        canvas.showPage()
    canvas.save()
    return path


def test_pdf_pages_become_sections_and_parted_words_are_joined(tmp_path: Path) -> None:
    pages = [
        ["Effect of salt on pressure", "doi: 10.1000/abc.1", "We measured blood pres-", "sure in X-", "ray and beta-blocker users."],
        ["Second page."],
    ]
    [paper] = read_papers(pdf(tmp_path / "a.pdf", pages))
    assert isinstance(paper, Paper)
    assert (paper.title, paper.doi, [s.page for s in paper.sections]) == ("Effect of salt on pressure", "10.1000/abc.1", [1, 2])
    assert "blood pressure in X-ray and beta-blocker users." in paper.text


def test_pdf_without_text_or_with_password_is_refused(tmp_path: Path) -> None:
    assert "holds no text" in refusal(pdf(tmp_path / "scan.pdf", [[], []])).message
    assert "password" in refusal(pdf(tmp_path / "locked.pdf", [["Hidden words that are many"]], "secret")).message


def test_reading_stops_when_asked() -> None:
    class Stop(Silent):
        def check(self) -> None:
            raise Cancelled

    with pytest.raises(Cancelled):
        list(read_papers(embedded_files()[0], progress=Stop()))
