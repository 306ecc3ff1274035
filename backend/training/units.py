"""Compares what a vector should stand for, and how a sentence should be scored.

`python -m backend.training.units BIOASQ.json EVIDENCE_INFERENCE_FOLDER` prints two tables as JSON.

The first table searches BioASQ's papers with one vector a paper, with the mean of its sentences' vectors, with the best sentence,
and with both. The second ranks the sentences of trial reports for questions whose evidence sentences experts marked (Evidence
Inference 2.0), by cosine, by words, and by their mixtures. The constants of backend/literature/retrieval.py come from here.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from backend.config import load_config
from backend.domain import Json
from backend.literature.library import ENCODER
from backend.literature.measure import papers_of, read_bioasq, relevant_to
from backend.literature.passages import mean_vector
from backend.literature.sentences import sentences, split
from backend.metrics import average_precision, bootstrap, ndcg_at, recall_at
from backend.models.families.bm25 import Words
from backend.models.runtime import Runtime

QUESTIONS = 600


def compare_units(path: Path, encoder: Any) -> dict[str, Json]:
    """nDCG@10 and recall@10 of four ways to make a paper's score from vectors, over the same questions."""
    rows = read_bioasq([path])
    papers = papers_of(rows)
    spans = [sentences(paper) for paper in papers]
    flat = encoder.encode([paper.text[a:b] for paper, found in zip(papers, spans, strict=True) for a, b in found], fast=True)
    edges = np.cumsum([0, *map(len, spans)])
    own = [flat[a:b] for a, b in pairwise(edges)]
    whole = encoder.encode([paper.text for paper in papers], fast=True)
    mean = np.stack([mean_vector(vectors, found) for vectors, found in zip(own, spans, strict=True)])
    pmids = [paper.pmid for paper in papers]
    chosen = np.random.default_rng(0).permutation(len(rows))[:QUESTIONS]
    asked = [(str(rows[i]["body"]), relevant_to(rows[i], set(pmids))) for i in chosen]
    found: dict[str, dict[str, list[float]]] = {}
    for (_, relevant), vector in zip(asked, encoder.encode([body for body, _ in asked]), strict=True):
        best = np.maximum.reduceat(flat @ vector, edges[:-1])
        ways = {
            "whole text": whole @ vector,
            "mean of sentences": mean @ vector,
            "best sentence": best,
            "mean + best": mean @ vector + best,
        }
        for name, scores in ways.items():
            ranked = [pmids[i] for i in np.argsort(-scores, kind="stable")[:10]]
            found.setdefault(name, {}).setdefault("ndcg@10", []).append(ndcg_at(10, ranked, relevant))
            found[name].setdefault("recall@10", []).append(recall_at(10, ranked, relevant))
    return {name: {metric: bootstrap(values).json() for metric, values in metrics.items()} for name, metrics in found.items()}


def compare_scores(folder: Path, encoder: Any) -> dict[str, Json]:
    """Mean average precision of the marked sentences among those of their abstract, for mixtures of cosine, words and place."""
    words = Words()
    abstracts = {row["pmcid"]: re.sub(r"\n+ABSTRACT[^\n]*\n", "\n\n", row["text"]) for row in _lines(folder / "abstracts.jsonl")}
    spans = {pmcid: split(text, text.find("\n\n")) for pmcid, text in abstracts.items()}
    asked: dict[tuple[str, str], tuple[str, set[tuple[int, int]]]] = {}
    for row in [*_lines(folder / "prompts_train.jsonl"), *_lines(folder / "prompts_validation.jsonl")]:
        body = f"What is the effect of {row['intervention']} compared with {row['comparator']} on {row['outcome']}?"
        marked = asked.setdefault((row["pmcid"], row["prompt"]), (body, set()))[1]
        for start, end in spans.get(row["pmcid"], ()):
            if _same(abstracts[row["pmcid"]][start:end], row["evidence"]):
                marked.add((start, end))
    usable = [(pmcid, body, marked) for (pmcid, _), (body, marked) in asked.items() if marked and len(marked) < len(spans[pmcid])]
    texts = {pmcid: [abstracts[pmcid][a:b] for a, b in spans[pmcid]] for pmcid, _, _ in usable}
    vectors = {pmcid: encoder.encode(found, fast=True) for pmcid, found in texts.items()}
    stems = {pmcid: [set(words.words(text)) for text in found] for pmcid, found in texts.items()}
    everywhere = [set().union(*found) for found in stems.values()]
    rarity: dict[str, float] = {}
    results: dict[str, list[float]] = {}
    for (pmcid, body, marked), vector in zip(usable, encoder.encode([body for _, body, _ in usable]), strict=True):
        wanted = set(words.words(body))
        for word in wanted - set(rarity):
            seen = sum(word in found for found in everywhere)
            rarity[word] = float(np.log1p((len(everywhere) - seen + 0.5) / (seen + 0.5)))
        total = sum(rarity[word] for word in wanted)
        share = np.array([sum(rarity[word] for word in wanted & found) / total for found in stems[pmcid]])
        cosine = vectors[pmcid] @ vector
        place = np.array([end / len(abstracts[pmcid]) for _, end in spans[pmcid]])
        labels = [span in marked for span in spans[pmcid]]
        ways = {"cosine": cosine, "words": share, "place": place}
        ways |= {f"{w:.1f} cosine + {1 - w:.1f} words": w * cosine + (1 - w) * share for w in (0.9, 0.7, 0.5)}
        ways |= {f"0.7 cosine + 0.3 words + {w} place": 0.7 * cosine + 0.3 * share + w * place for w in (0.05, 0.1, 0.2)}
        for name, scores in ways.items():
            results.setdefault(name, []).append(average_precision(labels, scores))
    return {"n": len(usable), **{name: bootstrap(values).json() for name, values in results.items()}}


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def _same(sentence: str, evidence: str) -> bool:
    one, other = (re.sub(r"\W+", "", text.lower()) for text in (sentence, evidence))
    return len(one) > 25 and (one in other or (len(other) > 30 and other in one))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bioasq", type=Path)
    parser.add_argument("evidence_inference", type=Path)
    chosen = parser.parse_args(arguments)
    with Runtime(load_config()).use(ENCODER) as encoder:
        print(
            json.dumps(
                {"units": compare_units(chosen.bioasq, encoder), "scores": compare_scores(chosen.evidence_inference, encoder)}, indent=1
            )
        )


if __name__ == "__main__":
    main()
