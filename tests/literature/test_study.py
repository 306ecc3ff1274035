"""The kind of study comes from PubMed's types, else from a title that states it plainly."""

from __future__ import annotations

import pytest

from backend.domain import Paper
from backend.literature.formats import read_papers
from backend.literature.formats.embedded import embedded_files
from backend.literature.study import STUDY_TYPES, stated_in_title, study_type, title_key


@pytest.mark.parametrize(
    ("title", "types", "expected"),
    [
        ("x", ("Journal Article", "Randomized Controlled Trial", "Clinical Trial"), ("randomised trial", "indexed")),
        ("x", ("Review", "Meta-Analysis"), ("meta-analysis", "indexed")),
        ("Salt and pressure: a systematic review", ("Review",), ("systematic review", "title")),
        ("Salt and pressure: a randomised controlled trial", (), ("randomised trial", "title")),
        ("Salt: systematic review and meta-analysis", (), ("meta-analysis", "title")),
        ("Salt and stroke: a prospective cohort study", (), ("observational", "title")),
        ("Salt poisoning: a case report", (), ("case report", "title")),
        ("Protocol for a randomised controlled trial of salt", (), ("other", "none")),
        ("Reply to: Salt, a randomized trial", (), ("other", "none")),
        ("Quality of reporting of randomized trials", (), ("other", "none")),
        ("Genes of yeast", ("Journal Article",), ("other", "none")),
    ],
)
def test_study_type(title: str, types: tuple[str, ...], expected: tuple[str, str]) -> None:
    found = study_type(Paper(text=title, title=title, publication_types=types))
    assert found == expected
    assert found[0] in STUDY_TYPES


def test_titles_merge_only_when_they_are_long_and_the_same() -> None:
    assert title_key("Effect of salt on blood pressure.") == title_key("EFFECT of Salt on blood-pressure")
    assert title_key("Editorial") == ""
    assert title_key("Effect of salt on blood pressure") != title_key("Effect of salt on blood pressures")


@pytest.mark.slow
def test_precision_of_the_title_rule_on_the_embedded_records(capsys: pytest.CaptureFixture[str]) -> None:
    records = [item for path in embedded_files() for item in read_papers(path) if isinstance(item, Paper)]
    reviews = {"review", "systematic review", "meta-analysis"}  # PubMed files most systematic reviews under Review alone
    lines = []
    for kind in STUDY_TYPES:
        indexed = [(study_type(Paper(text="", title="", publication_types=p.publication_types)), stated_in_title(p.title)) for p in records]
        judged = [(known, stated) for (known, source), stated in indexed if source == "indexed"]
        said = [known for known, stated in judged if stated == kind]
        right = sum(known == kind or (kind in reviews and known in reviews) for known in said)
        total = sum(known == kind for known, _ in judged)
        lines.append(f"{kind}: stated {len(said)}, right {right}, indexed {total}")
        if len(said) >= 50:
            assert right / len(said) >= 0.95
    with capsys.disabled():
        print("\n" + "\n".join(lines))
