"""Choose which papers are judged: `python -m backend.training.voters BIOASQ.json PUBMEDQA.json` writes the curves that ship.

Yes/no questions of both sets are asked of the embedded library joined with the questions' own papers, once with these and once with all of
them held out. Among the papers with the best sentences, a logistic curve tells a question's own papers from the others; one half of the
questions fits it, the other gives the figures. A paper of another question that answers as well counts as wrong here: the figures are on
the safe side.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json
from backend.literature.library import ENCODER, Library
from backend.literature.measure import papers_of, read_bioasq, relevant_to
from backend.literature.retrieval import retrieve
from backend.literature.voters import CONSIDERED, FILE, measures, probability
from backend.literature.yesno import kind_of
from backend.metrics import auroc, bootstrap, bootstrap_scores
from backend.progress import Bar
from backend.training.support import Question, joined_library, read_pubmedqa

LEAST = 0.2  # probability from which a paper is judged
QUESTIONS = 500


@dataclass(frozen=True)
class Asked:
    """Papers found for one question: their measures, and which are the question's own (of those found with all of these held out, none)."""

    rows: tuple[dict[str, float], ...]
    own: tuple[bool, ...]
    lacking: tuple[dict[str, float], ...]


def ask(shelf: Library, questions: Sequence[Question], encoder: Any | None, bar: Bar) -> list[Asked]:
    """Every question asked."""
    snapshot = shelf.snapshot()
    ids: dict[str, int] = {}
    for at in range(0, len(snapshot.ids), 2_000):
        ids.update({stored.paper.pmid: paper_id for paper_id, stored in shelf.get(snapshot.ids[at : at + 2_000].tolist()).items()})
    made = []
    for done, (question, relevant) in enumerate(questions):
        own = {ids[pmid] for pmid in relevant}
        without = np.ones(len(snapshot.ids), dtype=bool)
        without[[snapshot.position(paper) for paper in own]] = False
        held = measures(shelf, question, retrieve(shelf, question, encoder))
        lacking = measures(shelf, question, retrieve(shelf, question, encoder, within=without))
        made.append(Asked(tuple(held.values()), tuple(paper in own for paper in held), tuple(lacking.values())))
        bar.update(done + 1, len(questions), f"{done + 1} questions asked")
    return made


def fit(asked: Sequence[Asked], seed: int = 1) -> dict[str, Json]:
    """The curve from one half of the questions, its figures on the other, with 95% intervals by question."""
    from sklearn.linear_model import LogisticRegression

    half = np.random.default_rng(seed).permutation(len(asked)) < len(asked) // 2
    chosen, kept = ([each for each, first in zip(asked, half, strict=True) if first == side and each.rows] for side in (True, False))
    names = list(chosen[0].rows[0])
    values, truth = table(chosen, names)
    middle, spread = values.mean(axis=0), np.where(values.std(axis=0) > 0, values.std(axis=0), 1.0)
    fitted = LogisticRegression(C=1.0).fit((values - middle) / spread, truth)
    weights = fitted.coef_[0] / spread
    curve: dict[str, Json] = {
        "intercept": round(float(fitted.intercept_[0] - weights @ middle), 5),
        "weights": {name: round(float(weight), 5) for name, weight in zip(names, weights, strict=True)},
    }
    return {**curve, "figures": figures(kept, curve)}


def table(asked: Sequence[Asked], names: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Measures of all papers of all questions, (papers, measures), and which answer."""
    rows = [(row, own) for each in asked for row, own in zip(each.rows, each.own, strict=True)]
    rows += [(row, False) for each in asked for row in each.lacking]
    return np.array([[row[name] for name in names] for row, _ in rows]), np.array([own for _, own in rows])


def figures(asked: Sequence[Asked], curve: dict[str, Json]) -> dict[str, Json]:
    """How well the curve tells the papers apart, and what `LEAST` lets through."""
    told = [np.array([probability(row, curve) for row in each.rows]) for each in asked]
    own = [np.array(each.own) for each in asked]
    every, truth = np.concatenate(told), np.concatenate(own)
    alone = np.concatenate([np.array([row["sentence"] for row in each.rows]) for each in asked])

    def share(above: Sequence[NDArray[np.bool_]], below: Sequence[NDArray[np.bool_]]) -> Json:
        many, of = (np.array([each.sum() for each in side], dtype=np.float64) for side in (above, below))
        return bootstrap(np.arange(len(of)), lambda rows: float(many[rows.astype(int)].sum() / max(1.0, of[rows.astype(int)].sum()))).json()

    through = [p >= LEAST for p in told]
    gone = [np.array([probability(row, curve) for row in each.lacking]) for each in asked]
    return {
        "questions": len(asked),
        "papers": len(every),
        "own": share(own, [np.ones_like(o) for o in own]),
        "auroc": bootstrap_scores(truth, every, auroc, n=500).json(),
        "auroc of the best sentence's score": bootstrap_scores(truth, alone, auroc, n=500).json(),
        "judged that are the question's own": share([t & o for t, o in zip(through, own, strict=True)], through),
        "own that are judged": share([t & o for t, o in zip(through, own, strict=True)], own),
        "questions with a paper judged": bootstrap(np.array([t.any() for t in through], dtype=np.float64)).json(),
        "the same, their own held out": bootstrap(np.array([(g >= LEAST).any() for g in gone], dtype=np.float64)).json(),
        "precision and recall by least": {
            str(each): [round(float((truth & (every >= each)).sum() / max(n, 1)), 3) for n in ((every >= each).sum(), truth.sum())]
            for each in (0.1, 0.2, 0.3, 0.4, 0.5)
        },
    }


def main() -> None:
    """Read the arguments, ask everything, write the curves."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bioasq", type=Path)
    parser.add_argument("pubmedqa", type=Path)
    parser.add_argument("--data", type=Path, default=Path(".bioloom/support"), help="folder that keeps the joined library between runs")
    parser.add_argument("--questions", type=int, default=QUESTIONS, help="at most so many; fewer only to try it out")
    given = parser.parse_args()
    rows = read_bioasq([given.bioasq])
    known = {paper.pmid for paper in papers_of(rows)}
    asked = [(str(row["body"]), {f"bioasq-{pmid}" for pmid in relevant_to(row, known)}) for row in rows]
    asked = [each for each in asked if kind_of(each[0]) == "yes/no"] + read_pubmedqa(given.pubmedqa)[0]
    drawn = [asked[i] for i in np.random.default_rng(0).permutation(len(asked))[: given.questions]]
    made: dict[str, Json] = {"least": LEAST, "considered": CONSIDERED}
    with joined_library(given.data, given.bioasq, given.pubmedqa) as (bench, shelf), bench.runtime.use(ENCODER) as encoder:
        for name, own_encoder in (("bm25+minilm", encoder), ("bm25", None)):
            with Bar(f"Asking with {name}") as bar:
                made[name] = fit(ask(shelf, drawn, own_encoder, bar))
        made["data"] = f"{len(drawn):,} yes/no questions of BioASQ and PubMedQA asked of {shelf.count():,} papers"
    FILE.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(made, indent=1))


if __name__ == "__main__":
    main()
