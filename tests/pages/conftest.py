"""The pages over a real data folder: real storage, a small real library, runs saved through the store."""

from dataclasses import asdict
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from backend.domain import Profile, Run, digest
from backend.storage.tables import now

ROOT = Path(__file__).resolve().parents[2]
HOSTILE = '<script>alert("x")</script><img src=http://evil.example/x.png> ![](http://evil.example/y.png)'

RIS = f"""TY  - JOUR
AN  - 90000001
TI  - Metformin and cardiovascular mortality {HOSTILE}
AU  - Made, Anna
AU  - Up, Bert
JO  - Journal of Examples
PY  - 2019
AB  - We treated 209 adults. Metformin reduced cardiovascular mortality compared with placebo. Adverse events were rare.
ER  -

TY  - JOUR
AN  - 90000002
TI  - A second trial of metformin in heart failure
AU  - Example, Carla
JO  - Journal of Examples
PY  - 2021
AB  - Heart failure is common. Metformin did not change cardiovascular mortality in this small trial. More work is needed.
ER  -
"""


@pytest.fixture(autouse=True)
def through_app(monkeypatch):
    """AppTest forgets before every run that st.navigation was called, and would run a page alone: a server remembers."""
    from streamlit.runtime.pages_manager import PagesManager

    make = PagesManager.__init__

    def remembering(self, *args, **kwargs):
        make(self, *args, **kwargs)
        PagesManager.uses_pages_directory = False

    monkeypatch.setattr(PagesManager, "__init__", remembering)


@pytest.fixture
def bench(tmp_path, monkeypatch):
    """The workbench of the pages on an empty data folder; the embedded abstracts count as read."""
    from backend import workbench

    monkeypatch.setenv("BIOLOOM_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("BIOLOOM_OFFLINE", raising=False)
    monkeypatch.setattr(workbench, "_workbench", None)
    st.cache_resource.clear()
    opened = workbench.open_workbench()
    opened.storage.settings.set("embedded_abstracts", {"works": 0})
    yield opened
    opened.close()
    st.cache_resource.clear()


@pytest.fixture
def papers(bench, tmp_path):
    """Two papers, one with a hostile title, imported through the library."""
    from backend.literature.library import library

    file = tmp_path / "two.ris"
    file.write_text(RIS, encoding="utf-8")
    shelf = library(bench.context)
    report = shelf.import_file(file, "two.ris", "Diabetes")
    assert report.added == 2
    return sorted(shelf.papers(), key=lambda stored: stored.id)


def evidence(stored, sentence: str, rank: int) -> dict:
    paper, start = stored.paper, stored.paper.text.index(sentence)
    about = ("pmid", "doi", "title", "journal", "year", "volume", "issue", "pages", "language")
    return {
        **{name: getattr(paper, name) for name in about},
        "document": stored.id,
        "authors": list(paper.authors),
        "study_type": stored.study_type,
        "study_type_source": stored.study_type_source,
        "notices": [{"kind": "retracted", "text": "See the notice.", "pmid": "90000009"}] if rank == 1 else [],
        "section": "",
        "page": None,
        "quote": sentence,
        "start": start,
        "end": start + len(sentence),
        "sha256": stored.sha256,
        "score": 0.8,
        "rank": rank,
    }


def a_run(
    found,
    id="0000AAAA",
    question=f"Does metformin help? {HOSTILE}",
    abstained=False,
    kind="run",
    parent="",
    explanation=None,
    owner="guest",
):
    rate = {"value": 0.081, "low": 0.05, "high": 0.12, "n": 209}
    prediction = {
        "question": question,
        "filters": {"year_from": 2015},
        "answer": {
            "abstained": abstained,
            "verdict": None,
            "confidence": 0.2 if abstained else 0.83,
            "reason": "Two sentences.",
            "evidence": found,
        },
        "nearest": [{"document": 1, "pmid": "90000001", "title": HOSTILE, "year": 2019}],
        "coverage": {"works": 2, "matching": 2, "with_vectors": 0, "methods": ["bm25"], "library_version": 3},
        "support": {"similarity": 0.5, "threshold": 0.42, "answered_wrongly": rate, "refused_wrongly": rate, "data": "BioASQ"},
    }
    return Run(
        id=id,
        task="literature.ask",
        title=question,
        created=now(),
        input={"question": question},
        input_sha256=digest(question),
        settings={"filters": {"year_from": 2015}, "evidence": 10},
        profile=asdict(Profile()) | {"specialties": []},
        model={"name": "bm25", "revision": "1", "sha256": "0" * 64},
        prediction=None if kind == "explanation" else prediction,
        explanation=explanation,
        warnings=("A warning.",),
        seconds=0.12,
        environment={"device": "cpu"},
        owner=owner,
        parent=parent,
        kind=kind,
    )


def an_explanation(found: dict, reliable: bool) -> dict:
    words, at = [], found["start"]
    for word, value in zip(found["quote"].split(" "), (0.31, -0.12, 0.02, 0.2, 0.05, 0.0, None), strict=False):
        words.append({"label": word, "value": value, "start": at, "end": at + len(word)})
        at += len(word) + 1
    trust = {
        "additivity_residual": 1e-9,
        "deletion_area": 0.31,
        "random_areas": [0.4 + 0.005 * n for n in range(20)],
        "p_value": 0.0476,
        "evaluations": 512,
        "reliable": reliable,
        "reason": "Removing the words that it names lowers the score faster than every random order.",
    }
    made = {
        "method": "Shapley values",
        "target": "Score of this sentence",
        "score": 0.8,
        "base_value": 0.34,
        "baseline": "no words",
        "unit": "sentence score",
        "attributions": words,
        "faithfulness": trust,
        "unseen": [],
    }
    return {"evidence": found["rank"], "model": "minilm", "words": made, "sentences": made}


@pytest.fixture
def answered(bench, papers):
    """A saved answer with two quotes and an explanation of the first."""
    found = [
        evidence(papers[0], "Metformin reduced cardiovascular mortality compared with placebo.", 1),
        evidence(papers[1], "Metformin did not change cardiovascular mortality in this small trial.", 2),
    ]
    made = bench.storage.runs.append(a_run(found))
    explanation = an_explanation(found[0], True)
    bench.storage.runs.append(a_run([], id="0000BBBB", kind="explanation", parent=made.id, explanation=explanation))
    return made


@pytest.fixture
def open_page(bench):
    """Open a page of the app as the browser would."""

    def go(name: str, /, **query: str) -> AppTest:
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30).run()
        for key, value in query.items():
            app.query_params[key] = value
        return app.switch_page(f"pages/{name}.py").run()

    return go


def texts(app: AppTest) -> str:
    """Everything that a page shows as text or HTML, joined."""
    parts = [*app.title, *app.subheader, *app.markdown, *app.caption, *app.html, *app.error, *app.warning, *app.success, *app.info]
    return "\n".join(str(part.value) for part in parts) + "\n".join(button.label for button in app.button)
