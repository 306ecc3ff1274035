"""Chooses when to say 'cannot answer': `python -m backend.training.support BIOASQ.json PUBMEDQA.json` writes the curves that ship.

Each question is asked twice of the embedded library joined with the questions' own papers: once with the papers that answer it,
once with all of them held out. A logistic curve on measures of nearness tells the two apart; where the evidence is read as well, only
questions are asked that the reader was not trained on. Half of the questions choose curve, threshold and order of the sentences; the
error rates that the interface states come from the other half.
"""

from __future__ import annotations

import argparse
import contextlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from backend.config import load_config
from backend.domain import Json, Paper, Section
from backend.literature.answering import EVIDENCE
from backend.literature.library import ENCODER, Library
from backend.literature.measure import papers_of, read_bioasq, relevant_to
from backend.literature.retrieval import retrieve
from backend.literature.support import FILE
from backend.literature.weighing import Weighed, measures, weigh
from backend.metrics import auroc, binomial_interval, bootstrap, bootstrap_scores, paired_difference
from backend.progress import Bar
from backend.training.quoting import SHARES, WITHIN, Row, chosen_share, quotes_of, rows_of, shares_right
from backend.training.readers.evidence_data import part_of
from backend.workbench import Workbench

ANSWERED_WRONGLY = 0.20  # the rate at which a question is answered although its papers are missing; the threshold is set for it
QUESTIONS = 1_200  # drawn from all of them; half choose, half measure
SHIPPED, READ = 0, 1  # which halves: drawn apart from the questions, or the halves of all of a set would be its first and its last
KEPT = 0.80  # of the sentences from papers that answer, this share is kept by the least value for quoting

Question = tuple[str, set[str]]
"""A question, and the PMIDs of the papers that answer it."""


@dataclass
class Asked:
    """What searches gave: measures with the answering papers there and held out, and the sentences of the first, a list a question."""

    there: list[dict[str, float]] = field(default_factory=list)
    gone: list[dict[str, float]] = field(default_factory=list)
    rows: list[list[Row]] = field(default_factory=list)


def read_pubmedqa(path: Path) -> tuple[list[Question], list[Paper]]:
    """Questions with the PMID that answers each, and those papers (their contexts; the conclusions are not in the file's contexts)."""
    questions: list[Question] = []
    papers: list[Paper] = []
    for pmid, item in json.loads(path.read_text(encoding="utf-8")).items():
        body = "\n".join(item["CONTEXTS"])
        papers.append(Paper(body, "", (Section("", 0, len(body)),), pmid=f"pubmedqa-{pmid}", source="pubmedqa"))
        questions.append((item["QUESTION"], {f"pubmedqa-{pmid}"}))
    return questions, papers


def measure(shelf: Library, questions: Sequence[Question], encoder: Any | None, reader: Any | None, bar: Bar) -> Asked:
    """Every question asked with its papers there and held out."""
    snapshot = shelf.snapshot()
    ids: dict[str, int] = {}
    for at in range(0, len(snapshot.ids), 2_000):
        ids.update({stored.paper.pmid: paper_id for paper_id, stored in shelf.get(snapshot.ids[at : at + 2_000].tolist()).items()})
    made = Asked()
    for done, (question, relevant) in enumerate(questions):
        own = {ids[pmid] for pmid in relevant}
        found = retrieve(shelf, question, encoder)
        without = np.ones(len(snapshot.ids), dtype=bool)
        without[[snapshot.position(paper) for paper in own]] = False
        lacking = retrieve(shelf, question, encoder, within=without)
        read: list[list[Weighed]] = [[], []]
        if reader is not None:
            first = weigh(reader, question, found)
            read = [first, weigh(reader, question, lacking, first)]
        for kept, each, weighed in zip((made.there, made.gone), (found, lacking), read, strict=True):
            kept.append(each.nearness if reader is None else {**each.nearness, **measures(weighed)})
        made.rows.append(rows_of(found, None if reader is None else read[0], own))
        bar.update(done + 1, len(questions), f"{done + 1} questions asked")
    return made


def fit(asked: Asked, seed: int = SHIPPED) -> dict[str, Json]:
    """Curve, threshold and order from one half of the questions; from the other error rates and figures with 95% intervals."""
    half = np.random.default_rng(seed).permutation(len(asked.there)) < len(asked.there) // 2
    names = list(asked.there[0])
    curve, present, absent, threshold = _curve(asked, names, half)
    wrong, refused = int((absent >= threshold).sum()), int((present < threshold).sum())
    return {
        **curve,
        "threshold": round(threshold, 4),
        "answered_wrongly": {**binomial_interval(wrong, len(absent)).json(), "n": len(absent)},
        "refused_wrongly": {**binomial_interval(refused, len(present)).json(), "n": len(present)},
        "quoting": _quoting(asked.rows, half),
        "auroc": _auroc(present, absent),
    }


def _curve(asked: Asked, names: Sequence[str], half: np.ndarray) -> tuple[dict[str, Json], np.ndarray, np.ndarray, float]:
    """A logistic curve on `names`, the probabilities of the other half with and without its papers, and the threshold."""
    from sklearn.linear_model import LogisticRegression

    there, gone = (np.array([[row[name] for name in names] for row in rows]) for rows in (asked.there, asked.gone))
    train = np.concatenate([there[half], gone[half]])
    labels = np.repeat([1, 0], [half.sum(), half.sum()])
    middle, spread = train.mean(axis=0), np.where(train.std(axis=0) > 0, train.std(axis=0), 1.0)
    there, gone = (there - middle) / spread, (gone - middle) / spread
    curve = LogisticRegression(C=1.0).fit((train - middle) / spread, labels)
    weights = curve.coef_[0] / spread
    threshold = float(np.quantile(curve.predict_proba(gone[half])[:, 1], 1 - ANSWERED_WRONGLY))
    present, absent = (curve.predict_proba(values[~half])[:, 1] for values in (there, gone))
    made = {
        "intercept": round(float(curve.intercept_[0] - weights @ middle), 5),
        "weights": {name: round(float(weight), 5) for name, weight in zip(names, weights, strict=True)},
    }
    return made, present, absent, threshold


def _quoting(rows: Sequence[Sequence[Row]], half: np.ndarray) -> dict[str, Json]:
    """The order of sentences and the least value that is quoted, chosen on `half`, and what they keep on the other."""
    read = any(row.bearing is not None for each in rows for row in each)
    chosen, other = ([rows[i] for i in np.flatnonzero(each).tolist()] for each in (half, ~half))
    share = chosen_share(chosen) if read else None
    values = [[(row.value(share), row.own) for row in quotes_of(each, share, 10)] for each in rows]
    least = float(np.quantile([value for i in np.flatnonzero(half).tolist() for value, own in values[i] if own], 1 - KEPT))
    held = [pair for i in np.flatnonzero(~half).tolist() for pair in values[i]]
    own, others = [v for v, is_own in held if is_own], [v for v, is_own in held if not is_own]
    made: dict[str, Json] = {
        "least": round(least, 4),
        "kept_from_answering_papers": binomial_interval(sum(v >= least for v in own), len(own)).json(),
        "kept_from_other_papers": binomial_interval(sum(v >= least for v in others), len(others)).json(),
    }
    if share is not None:
        ways: dict[str, float | str | None] = {
            "the search's order": None,
            WITHIN: WITHIN,
            **{f"bearing + {each:g} x score": each for each in SHARES},
        }
        right = {name: shares_right(other, each) for name, each in ways.items()}
        made |= {
            "share": share,
            "first_three_from_answering_papers": {name: bootstrap(found).json() for name, found in right.items()},
            "gain of the answer's order": paired_difference(right[WITHIN], right["the search's order"]).json(),
        }
    return made


def _auroc(present: np.ndarray, absent: np.ndarray) -> dict[str, float]:
    test = np.repeat([1, 0], [len(present), len(absent)])
    found = bootstrap_scores(test, np.concatenate([present, absent]), auroc).json()
    return {name: round(value, 4) for name, value in found.items()}


def read_too(asked: Asked) -> dict[str, Json]:
    """The curve with the reader, beside the same questions told apart by nearness without it and by similarity alone."""
    half = np.random.default_rng(READ).permutation(len(asked.there)) < len(asked.there) // 2
    near = [name for name in asked.there[0] if "bearing" not in name]
    alone = ([row["passage"] for row, chosen in zip(rows, half, strict=True) if not chosen] for rows in (asked.there, asked.gone))
    return {
        **fit(asked, READ),
        "auroc_nearness": _auroc(*_curve(asked, near, half)[1:3]),
        "auroc_similarity": _auroc(*(np.array(values) for values in alone)),
        "auroc_bearing": _auroc(
            *(np.array([row["bearing"] for row, c in zip(rows, half, strict=True) if not c]) for rows in (asked.there, asked.gone))
        ),
    }


def main() -> None:
    """Read the arguments, ask everything, write the curves."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bioasq", type=Path)
    parser.add_argument("pubmedqa", type=Path)
    parser.add_argument("--data", type=Path, default=Path(".bioloom/support"), help="folder that keeps the joined library between runs")
    parser.add_argument("--questions", type=int, default=QUESTIONS, help="at most so many for each curve; fewer only to try it out")
    parser.add_argument("--reader", action="store_true", help="measure what the evidence reader would add, and write nothing")
    chosen = parser.parse_args()
    rows = read_bioasq([chosen.bioasq])
    first, second = papers_of(rows), read_pubmedqa(chosen.pubmedqa)
    known = {paper.pmid for paper in first}
    named = [(str(row["id"]), (str(row["body"]), {f"bioasq-{pmid}" for pmid in relevant_to(row, known)})) for row in rows]
    every = [question for _, question in named] + second[0]
    unseen = [question for name, question in named if part_of(name) == "final"] + second[0]
    curves: dict[str, Json] = {}
    with (
        joined_library(chosen.data, chosen.bioasq, chosen.pubmedqa) as (bench, shelf),
        bench.runtime.use(ENCODER) as encoder,
        bench.runtime.use(EVIDENCE) as reader,
    ):
        for name, own_encoder in () if chosen.reader else (("bm25+minilm", encoder), ("bm25", None)):
            with Bar(f"Asking with {name}") as bar:
                asked = _drawn(every, chosen.questions)
                curves[name] = fit(measure(shelf, asked, own_encoder, None, bar))
                curves["data"] = _told(asked, "BioASQ 7-9 and PubMedQA", shelf)
        if chosen.reader:
            with Bar("Asking with the reader") as bar:
                asked = _drawn(unseen, chosen.questions)
                curves["bm25+minilm+reader"] = {
                    **read_too(measure(shelf, asked, encoder, reader, bar)),
                    "data": _told(asked, "BioASQ and PubMedQA, none of which the reader was trained on", shelf),
                }
    if not chosen.reader:
        FILE.parent.mkdir(parents=True, exist_ok=True)
        FILE.write_text(json.dumps(curves, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(curves, indent=1))


@contextlib.contextmanager
def joined_library(data: Path, bioasq: Path, pubmedqa: Path) -> Iterator[tuple[Workbench, Library]]:
    """The embedded library joined with the questions' own papers, kept in `data` between runs."""
    bench = Workbench(load_config({"BIOLOOM_DATA": str(data), "BIOLOOM_OFFLINE": "0"}))
    shelf = Library(bench.context)
    try:
        with Bar("Preparing") as bar:
            if not bench.runtime.present(ENCODER):
                bench.runtime.fetch(ENCODER, bar, allow_network=True)
            shelf.import_embedded(bar)
            if not any(name == "pubmedqa" for name in (each.name for each in shelf.imports())):
                first = papers_of(read_bioasq([bioasq]))
                shelf.add([replace(paper, pmid=f"bioasq-{paper.pmid}") for paper in first], name="bioasq", kind="bioasq", progress=bar)
                shelf.add(read_pubmedqa(pubmedqa)[1], name="pubmedqa", kind="pubmedqa", progress=bar)
            shelf.index_vectors(bar)
        yield bench, shelf
    finally:
        bench.close()


def _drawn(questions: Sequence[Question], most: int) -> list[Question]:
    return [questions[i] for i in np.random.default_rng(0).permutation(len(questions))[:most]]


def _told(asked: Sequence[Question], sets: str, shelf: Library) -> str:
    return f"{len(asked):,} questions ({sets}) asked of {shelf.count():,} papers, with and without the papers that answer them"


if __name__ == "__main__":
    main()
