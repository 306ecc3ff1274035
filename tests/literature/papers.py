"""A small library of made-up records in PubMed's form, with findings that tests can ask for."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape

FACTS = [
    ("90000001", 2018, "Metformin and cardiovascular mortality in type 2 diabetes: a randomised controlled trial",
     "We studied whether metformin changes cardiovascular mortality in adults with type 2 diabetes. "
     "In 2,000 patients followed for five years, metformin reduced cardiovascular mortality compared with placebo. "
     "Gastrointestinal complaints were more frequent with metformin.", ["Randomized Controlled Trial"], ["Metformin", "Humans"]),
    ("90000002", 2012, "Metformin use and heart failure: a cohort study",
     "Data of 12,000 patients were analysed. Metformin use was not associated with lower cardiovascular mortality after adjustment. "
     "Residual confounding cannot be excluded.", ["Observational Study"], ["Metformin", "Heart Failure"]),
    ("90000003", 2020, "Aspirin for primary prevention of stroke",
     "Aspirin did not prevent a first stroke in people at low risk. Major bleeding was more frequent with aspirin than with placebo. "
     "Routine use for primary prevention is not supported.", ["Meta-Analysis"], ["Aspirin", "Stroke"]),
    ("90000004", 2016, "Sodium oxybate in narcolepsy",
     "Sodium oxybate reduced the number of cataplexy attacks per week. Excessive daytime sleepiness improved as well. "
     "Nausea and dizziness were the most common adverse events.", ["Clinical Trial"], ["Narcolepsy"]),
    ("90000005", 1999, "Helicobacter pylori eradication and peptic ulcer recurrence",
     "Eradication of Helicobacter pylori lowered the recurrence of duodenal ulcer within one year. "
     "Triple therapy with clarithromycin was effective in nine of ten patients.", ["Journal Article"], ["Helicobacter pylori"]),
]  # fmt: skip


def pubmed_xml(records: list[tuple] | None = None) -> str:  # type: ignore[type-arg]
    """PubMed XML of the records (pmid, year, title, abstract, publication types, MeSH headings)."""
    articles = []
    for pmid, year, title, abstract, types, mesh in FACTS if records is None else records:
        kinds = "".join(f"<PublicationType>{escape(kind)}</PublicationType>" for kind in types)
        headings = "".join(f"<MeshHeading><DescriptorName>{escape(term)}</DescriptorName></MeshHeading>" for term in mesh)
        articles.append(
            f"<PubmedArticle><MedlineCitation><PMID>{pmid}</PMID><Article><Journal><JournalIssue><PubDate><Year>{year}</Year></PubDate>"
            f"</JournalIssue><Title>Journal of Examples</Title></Journal><ArticleTitle>{escape(title)}</ArticleTitle>"
            f"<Abstract><AbstractText>{escape(abstract)}</AbstractText></Abstract>"
            f"<AuthorList><Author><LastName>Example</LastName><Initials>A</Initials></Author></AuthorList>"
            f"<Language>eng</Language><PublicationTypeList>{kinds}</PublicationTypeList></Article>"
            f"<MeshHeadingList>{headings}</MeshHeadingList></MedlineCitation></PubmedArticle>"
        )
    return f'<?xml version="1.0" encoding="utf-8"?><PubmedArticleSet>{"".join(articles)}</PubmedArticleSet>'


def write(folder: Path, name: str = "papers.xml", records: list[tuple] | None = None) -> Path:  # type: ignore[type-arg]
    path = folder / name
    path.write_text(pubmed_xml(records), encoding="utf-8")
    return path
