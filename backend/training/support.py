"""Chooses when to say 'cannot answer': `python -m backend.training.support BIOASQ.json PUBMEDQA.json` writes the curve that ships.

Each question is asked twice of the embedded library joined with the questions' own papers: once with the papers that answer it,
once with all of them held out. A logistic curve on measures of nearness tells the two apart. Half of the questions choose curve and
threshold; the error rates that the interface states come from the other half.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from backend.config import load_config
from backend.domain import Json, Paper, Section
from backend.literature.evidence import choose
from backend.literature.library import ENCODER, Library
from backend.literature.measure import papers_of, read_bioasq, relevant_to
from backend.literature.retrieval import retrieve
from backend.literature.support import FILE
from backend.metrics import auroc, binomial_interval
from backend.progress import Bar
from backend.workbench import Workbench

ANSWERED_WRONGLY = 0.20  # the rate at which a question is answered although its papers are missing; the threshold is set for it
QUESTIONS = 1_200  # drawn from all of them; half choose, half measure
KEPT = 0.80  # of the sentences from papers that answer, this share is kept by the least score for quoting


def read_pubmedqa(path: Path) -> tuple[list[tuple[str, set[str]]], list[Paper]]:
    """Questions with the PMID that answers each, and those papers (their contexts; the conclusions are not in the file's contexts)."""
    questions: list[tuple[str, set[str]]] = []
    papers: list[Paper] = []
    for pmid, item in json.loads(path.read_text(encoding="utf-8")).items():
        body = "\n".join(item["CONTEXTS"])
        papers.append(Paper(body, "", (Section("", 0, len(body)),), pmid=f"pubmedqa-{pmid}", source="pubmedqa"))
        questions.append((item["QUESTION"], {f"pubmedqa-{pmid}"}))
    return questions, papers


Quotes = list[list[tuple[float, bool]]]
"""For every question the scores of the sentences that would be quoted, and whether each is from a paper that answers."""


def measure(
    shelf: Library, questions: Sequence[tuple[str, set[str]]], encoder: Any | None, bar: Bar
) -> tuple[list[dict[str, float]], list[dict[str, float]], Quotes]:
    """Measures of nearness of every question with its papers there and held out, and the quotes of the first."""
    snapshot = shelf.snapshot()
    ids: dict[str, int] = {}
    for at in range(0, len(snapshot.ids), 2_000):
        ids.update({stored.paper.pmid: paper_id for paper_id, stored in shelf.get(snapshot.ids[at : at + 2_000].tolist()).items()})
    there, gone = [], []
    quotes: Quotes = []
    for done, (question, relevant) in enumerate(questions):
        found = retrieve(shelf, question, encoder)
        there.append(found.nearness)
        quotes.append([(item["score"], item["pmid"] in relevant) for item in choose(found, 10)])
        without = np.ones(len(snapshot.ids), dtype=bool)
        for pmid in relevant:
            without[snapshot.position(ids[pmid])] = False
        gone.append(retrieve(shelf, question, encoder, within=without).nearness)
        bar.update(done + 1, len(questions), f"{done + 1} questions asked")
    return there, gone, quotes


def fit(with_papers: list[dict[str, float]], without: list[dict[str, float]], quotes: Quotes, seed: int = 0) -> dict[str, Json]:
    """Curve and threshold from one half of the questions, error rates with 95% Wilson intervals from the other."""
    from sklearn.linear_model import LogisticRegression

    names = list(with_papers[0])
    there, gone = (np.array([[row[name] for name in names] for row in rows]) for rows in (with_papers, without))
    half = np.random.default_rng(seed).permutation(len(there)) < len(there) // 2
    train = np.concatenate([there[half], gone[half]])
    labels = np.repeat([1, 0], [half.sum(), half.sum()])
    middle, spread = train.mean(axis=0), np.where(train.std(axis=0) > 0, train.std(axis=0), 1.0)
    there, gone = (there - middle) / spread, (gone - middle) / spread
    curve = LogisticRegression(C=1.0).fit((train - middle) / spread, labels)
    weights = curve.coef_[0] / spread
    threshold = float(np.quantile(curve.predict_proba(gone[half])[:, 1], 1 - ANSWERED_WRONGLY))
    present, absent = (curve.predict_proba(values[~half])[:, 1] for values in (there, gone))
    wrong, refused = int((absent >= threshold).sum()), int((present < threshold).sum())
    test = np.repeat([1, 0], [len(present), len(absent)])
    least = float(np.quantile([score for i in np.flatnonzero(half) for score, own in quotes[i] if own], 1 - KEPT))
    held = [pair for i in np.flatnonzero(~half) for pair in quotes[i]]
    own, others = [s for s, is_own in held if is_own], [s for s, is_own in held if not is_own]
    return {
        "intercept": round(float(curve.intercept_[0] - weights @ middle), 5),
        "weights": {name: round(float(weight), 5) for name, weight in zip(names, weights, strict=True)},
        "threshold": round(threshold, 4),
        "answered_wrongly": {**binomial_interval(wrong, len(absent)).json(), "n": len(absent)},
        "refused_wrongly": {**binomial_interval(refused, len(present)).json(), "n": len(present)},
        "quoting": {
            "least": round(least, 4),
            "kept_from_answering_papers": binomial_interval(sum(s >= least for s in own), len(own)).json(),
            "kept_from_other_papers": binomial_interval(sum(s >= least for s in others), len(others)).json(),
        },
        "auroc": round(auroc(test, np.concatenate([present, absent])), 4),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bioasq", type=Path)
    parser.add_argument("pubmedqa", type=Path)
    parser.add_argument("--data", type=Path, default=Path(".bioloom/support"), help="folder that keeps the joined library between runs")
    chosen = parser.parse_args()
    bench = Workbench(load_config({"BIOLOOM_DATA": str(chosen.data), "BIOLOOM_OFFLINE": "0"}))
    shelf = Library(bench.context)
    rows = read_bioasq([chosen.bioasq])
    first, second = papers_of(rows), read_pubmedqa(chosen.pubmedqa)
    with Bar("Preparing") as bar:
        if not bench.runtime.present(ENCODER):
            bench.runtime.fetch(ENCODER, bar, allow_network=True)
        shelf.import_embedded(bar)
        shelf.add([replace(paper, pmid=f"bioasq-{paper.pmid}") for paper in first], name="bioasq", kind="bioasq", progress=bar)
        shelf.add(second[1], name="pubmedqa", kind="pubmedqa", progress=bar)
        shelf.index_vectors(bar)
    known = {paper.pmid for paper in first}
    questions = [(str(row["body"]), {f"bioasq-{pmid}" for pmid in relevant_to(row, known)}) for row in rows]
    questions += second[0]
    questions = [questions[i] for i in np.random.default_rng(0).permutation(len(questions))[:QUESTIONS]]
    curves: dict[str, Json] = {}
    with bench.runtime.use(ENCODER) as encoder:
        for name, chosen_encoder in (("bm25+minilm", encoder), ("bm25", None)):
            with Bar(f"Asking with {name}") as bar:
                curves[name] = fit(*measure(shelf, questions, chosen_encoder, bar))
    asked = f"{len(questions):,} questions (BioASQ 7-9 and PubMedQA)"
    curves["data"] = f"{asked} asked of {shelf.count():,} papers, with and without the papers that answer them"
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text(json.dumps(curves, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(curves, indent=1))
    bench.close()


if __name__ == "__main__":
    main()
