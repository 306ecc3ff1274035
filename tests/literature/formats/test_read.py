"""Each format gives the paper that its file describes, with offsets that hold."""

from __future__ import annotations

import gzip
import itertools
import json
from pathlib import Path

import nbib as nbib_package
import pubmed_parser
import pytest

from backend.domain import Paper, Skipped
from backend.literature.formats import FORMATS, format_of, read_papers
from backend.literature.formats.embedded import embedded_files

PUBMED = """<?xml version="1.0"?><PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>1</PMID><Article>
<Journal><JournalIssue><Volume>3</Volume><PubDate><MedlineDate>1998 Winter</MedlineDate></PubDate></JournalIssue>
<Title>Gut</Title></Journal>
<ArticleTitle>Effect of H<sub>2</sub>O on &lt;script&gt;alert(1)&lt;/script&gt; люди 患者</ArticleTitle>
<Abstract><AbstractText Label="AIM">To  <i>see</i>
 it.</AbstractText><AbstractText Label="RESULTS">We saw.</AbstractText></Abstract>
<AuthorList><Author><LastName>Ng</LastName><Initials>AB</Initials></Author>
<Author><CollectiveName>A Group</CollectiveName></Author></AuthorList>
<PublicationTypeList><PublicationType>Retracted Publication</PublicationType></PublicationTypeList></Article>
<CommentsCorrectionsList><CommentsCorrections RefType="ErratumIn"><RefSource>Gut. 1999</RefSource><PMID>7</PMID></CommentsCorrections>
</CommentsCorrectionsList></MedlineCitation><PubmedData><ArticleIdList><ArticleId IdType="doi">10.1000/x</ArticleId>
<ArticleId IdType="pmc">PMC5</ArticleId></ArticleIdList></PubmedData></PubmedArticle>
<PubmedArticle><MedlineCitation><PMID>2</PMID><Article><ArticleTitle></ArticleTitle></Article></MedlineCitation></PubmedArticle>
<DeleteCitation><PMID>9</PMID></DeleteCitation></PubmedArticleSet>"""
NBIB = """
PMID- 29768149
DP  - 2019 Winter
TI  - Inhaled combined treatment
      in mild asthma.
AB  - It worked. Really
      well.
AU  - O'Byrne PM
CN  - SYGMA Group
JT  - The Journal
LID - 10.1056/abc [doi]
PT  - Randomized Controlled Trial
MH  - Asthma/*drug therapy
MH  - Asthma/genetics
RIN - J Med. 2020;1:2. PMID: 31111111

PMID- 5
TI  - Second
"""
RIS = """TY  - JOUR
T1  - A title & more
AU  - O'Byrne, Paul M.
A2  - Editor, E
JO  - Lancet
PY  - 2015/03/02/
VL  - 3
SP  - 10
EP  - 20
DO  - https://doi.org/10.1000/XYZ
AB  - First sentence.
N1  - a note
ER  -

TY  - JOUR
TI  - No end mark
"""
BIOC = {
    "documents": [
        {
            "id": "77",
            "passages": [
                {"infons": {"type": "title"}, "offset": 0, "text": "Aspirin  and bleeding", "annotations": []},
                {
                    "infons": {"type": "abstract"},
                    "offset": 22,
                    "text": "Low  dose aspirin bleeds.",
                    "annotations": [
                        {"text": "aspirin", "infons": {"type": "Chemical", "identifier": "D1"}, "locations": [{"offset": 32, "length": 7}]},
                        {"text": "aspirin", "infons": {"type": "Chemical"}, "locations": [{"offset": 25, "length": 7}]},
                    ],
                },
            ],
        }
    ]
}
CASES = {
    "pubmed-xml": PUBMED,
    "nbib": NBIB,
    "ris": RIS,
    "bioc-json": json.dumps(BIOC),
    "bioc-xml": "<collection><document><id>8</id><passage><infon key='type'>title</infon><offset>0</offset><text>Old men walk</text>"
    "<annotation id='1'><infon key='type'>Species</infon>"
    "<location offset='4' length='3'/><text>men</text></annotation></passage></document></collection>",
    "pubtator": "12|t|Lithium and heart\n12|a|Lithium  hurts.\n"
    "12\t0\t7\tLithium\tChemical\tD8\n12\t27\t32\thurts\tDisease\tD2\n12\t1\t4\tbad\tDisease\tD3\n",
    "europepmc": json.dumps({"resultList": {"result": [{"title": "T one", "pmid": "3", "pubYear": "2020", "abstractText": "Body."}]}}),
    "jats": "<article><front><article-meta><title-group><article-title>J</article-title></title-group></article-meta></front>"
    "<body><sec><title>Aim</title><p>We <xref>1</xref> saw <fig><caption><p>no</p></caption></fig>it.</p></sec></body></article>",
    "text": "A title\nBody one\nstill one.\n\nBody two.",
}


def written(folder: Path, text: str | bytes, name: str) -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def papers(path: Path, name: str | None = None) -> list[Paper]:
    return [item for item in read_papers(path, name) if isinstance(item, Paper)]


@pytest.mark.parametrize("kind", [name for name in FORMATS if name != "pdf"])
def test_every_format_is_known_by_its_content_and_its_sections_lie_in_the_text(kind: str, tmp_path: Path) -> None:
    path = written(tmp_path, CASES[kind], "file.txt")  # the suffix is wrong for most
    assert format_of(path) == kind
    packed = written(tmp_path, gzip.compress(CASES[kind].encode()), "upload.bin")
    assert format_of(packed, "file.txt.gz") == kind
    for paper in papers(path):
        assert paper.text.startswith(paper.title + "\n\n")
        assert all(paper.text[s.start : s.end].strip() == paper.text[s.start : s.end] != "" for s in paper.sections)
        assert all(paper.text[a.start : a.end].strip() for a in paper.annotations)


def test_pubmed_record_keeps_what_it_says(tmp_path: Path) -> None:
    paper, empty, deleted = read_papers(written(tmp_path, PUBMED, "a.xml"))
    assert isinstance(paper, Paper)
    assert paper.title == "Effect of H2O on <script>alert(1)</script> люди 患者"
    assert [(s.label, paper.text[s.start : s.end]) for s in paper.sections] == [("AIM", "To see it."), ("RESULTS", "We saw.")]
    assert (paper.year, paper.volume, paper.doi, paper.pmcid, paper.authors) == (1998, "3", "10.1000/x", "PMC5", ("Ng AB", "A Group"))
    assert {(n.kind, n.pmid) for n in paper.notices} == {("corrected", "7"), ("retracted", "")}
    assert empty == Skipped("record 2", "It has neither a title nor an abstract.")
    assert isinstance(deleted, Skipped)
    assert deleted.place == "PMID 9"


def test_pubmed_agrees_with_pubmed_parser_on_a_real_record(shared: Path, tmp_path: Path) -> None:
    path = shared / "literature/articles/pubmed-29768149.xml"
    [paper] = papers(path)
    [theirs] = pubmed_parser.parse_medline_xml(
        str(written(tmp_path, gzip.compress(path.read_bytes()), "a.xml.gz")), year_info_only=False, nlm_category=False
    )
    assert squeezed(paper.title) == squeezed(theirs["title"])
    body = paper.text[len(paper.title) :]
    assert all(squeezed(line) in squeezed(body) or line.isupper() for line in theirs["abstract"].split("\n") if line.strip())


def test_pubmed_agrees_with_pubmed_parser_on_embedded_records(tmp_path: Path) -> None:
    lines = []
    with gzip.open(embedded_files()[0], "rt", encoding="utf-8") as stream:
        for line in stream:
            lines.append(line)
            if "</PubmedArticle>" in line and len(lines) > 60_000:
                break
    path = written(tmp_path, gzip.compress(("".join(lines) + "</PubmedArticleSet>").encode()), "part.xml.gz")
    ours = {paper.pmid: paper for paper in papers(path)}
    theirs = [record for record in pubmed_parser.parse_medline_xml(str(path)) if record["pmid"] in ours][:200]
    assert len(theirs) == 200
    for record in theirs:
        paper = ours[record["pmid"]]
        assert squeezed(record["title"]) == squeezed(paper.title)
        assert squeezed(record["abstract"]) == squeezed(paper.text[len(paper.title) :])


def squeezed(text: str) -> str:
    return "".join(text.split())


def test_nbib_agrees_with_the_nbib_package_and_keeps_the_notice(tmp_path: Path) -> None:
    first, second = papers(written(tmp_path, NBIB, "a.nbib"))
    [theirs] = nbib_package.read(NBIB.split("\n\n")[0].strip().replace("2019 Winter", "2019") + "\n\n")
    assert (first.title, first.text[len(first.title) + 2 :]) == (theirs["title"], theirs["abstract"])
    assert (first.year, first.doi, first.mesh) == (2019, "10.1056/abc", ("Asthma",))
    assert first.authors == ("O'Byrne PM", "SYGMA Group")
    assert [(n.kind, n.pmid) for n in first.notices] == [("retracted", "31111111")]
    assert second.text == "Second\n\n"


def test_ris_record_without_its_end_is_read_too(tmp_path: Path) -> None:
    first, second = papers(written(tmp_path, RIS.replace("\n", "\r\n"), "a.ris"))
    assert (first.title, first.authors, first.journal, first.year) == ("A title & more", ("O'Byrne PM",), "Lancet", 2015)
    assert (first.pages, first.doi, first.text) == ("10-20", "10.1000/XYZ", "A title & more\n\nFirst sentence.")
    assert second.title == "No end mark"


def test_annotations_are_kept_where_their_words_are_and_the_others_are_told(tmp_path: Path) -> None:
    for kind, words in (("pubtator", ["Lithium", "hurts"]), ("bioc-json", ["aspirin"])):
        paper, note = read_papers(written(tmp_path, CASES[kind], "a.txt"))
        assert isinstance(paper, Paper)
        assert [paper.text[a.start : a.end] for a in paper.annotations] == words
        assert isinstance(note, Skipped)
        assert "1 annotation" in note.reason


def test_bc5cdr_annotations_all_lie_on_their_words(shared: Path) -> None:
    path = shared / "literature/bc5cdr/CDR_DevelopmentSet.PubTator.txt"
    found = papers(path)
    lines = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines() if line.count("\t") >= 4]
    expected = [cells[3] for cells in lines if cells[1].isdigit()]
    assert [p.text[a.start : a.end] for p in found for a in p.annotations] == expected


def test_real_full_text_has_sections_and_identity(shared: Path) -> None:
    [paper] = papers(shared / "literature/articles/pone.0000217.nxml")
    assert (paper.pmid, paper.doi, paper.year) == ("17299597", "10.1371/journal.pone.0000217", 2007)
    assert "Introduction" in [section.label for section in paper.sections]
    assert len(paper.text) > 20_000


def test_jats_leaves_figures_out_and_keeps_the_words_after_them(tmp_path: Path) -> None:
    [paper] = papers(written(tmp_path, CASES["jats"], "a.nxml"))
    assert paper.text == "J\n\nWe 1 saw it."


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "latin-1"])
def test_text_is_read_in_its_encoding_without_control_characters(encoding: str, tmp_path: Path) -> None:
    text = "Größe des Tumors im Verlauf\r\nErste Zeile\rzweite\x07 Zeile. Ärzte fanden viel."
    [paper] = papers(written(tmp_path, text.encode(encoding), "a.txt"))
    assert paper.text == "Größe des Tumors im Verlauf\n\nErste Zeile zweite Zeile. Ärzte fanden viel."


def test_reading_the_embedded_records_is_a_stream() -> None:
    first = list(itertools.islice(read_papers(embedded_files()[0]), 3))
    assert all(isinstance(item, Paper) and item.pmid for item in first)
