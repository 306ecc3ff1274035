"""Train the reader that ranks evidence: ``python -m backend.training.readers.evidence DATA BODY OUT``.

One reading of a question and a sentence gives two things: whether the sentence bears on the question, and whether it supports it,
opposes it, or leaves it open. Questions are parted by their id; papers of the final part's questions are trained on by nobody.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from backend.domain import Paper
from backend.literature.formats import read_papers
from backend.literature.formats.embedded import embedded_files
from backend.training.readers.adapting import set_out
from backend.training.readers.evidence_data import STANCES, Asked, part_of, read_evidence, read_snippets, read_titles
from backend.training.readers.pair_reader import PairReader

WINDOW = 192
_TOKENS = 3_840
_POOL = 40  # sentences of other papers, nearest in meaning, among which a question's own are ranked


class Pool:
    """All sentences with their vectors by the sentence encoder: what is near a question and does not bear on it."""

    def __init__(self, body: Path, asked: Sequence[Asked]) -> None:
        from backend.models.families import minilm

        self.encoder = minilm.load(body, minilm.CARD, "cpu")
        self.texts, self.papers = list[str](), list[frozenset[str]]()
        seen: dict[str, int] = {}
        for each in asked:
            for text in [*(t for t, _ in each.bearing), *each.other]:
                if text in seen:
                    self.papers[seen[text]] |= each.papers
                else:
                    seen[text] = len(self.texts)
                    self.texts.append(text)
                    self.papers.append(each.papers)
        self.vectors = self.encoder.encode(self.texts, fast=True)
        self.at = seen

    def near(self, asked: Sequence[Asked], most: int) -> list[list[str]]:
        """For each question the nearest sentences of papers that are none of its own."""
        vectors, made = self.encoder.encode([each.question for each in asked]), list[list[str]]()
        for at in range(0, len(asked), 256):
            nearness = vectors[at : at + 256] @ self.vectors.T
            first = np.argpartition(-nearness, min(8 * most + 60, nearness.shape[1] - 1), axis=1)[:, : 8 * most + 60]
            for each, row, order in zip(asked[at : at + 256], nearness, first, strict=False):
                own = {text for text, _ in each.bearing}
                best = order[np.argsort(-row[order], kind="stable")]
                made.append([self.texts[i] for i in best if not self.papers[i] & each.papers and self.texts[i] not in own][:most])
        return made


def average_precision(scores: np.ndarray, bears: np.ndarray) -> float:
    """Mean of the precision at each sentence that bears on the question."""
    hits = bears[np.argsort(-scores, kind="stable")]
    return float((np.cumsum(hits) / np.arange(1, len(hits) + 1))[hits.astype(bool)].mean())


def ranked(reader: PairReader, pool: Pool, asked: Sequence[Asked], inside: bool) -> dict[str, Any]:
    """Mean average precision of the reader and of the encoder's similarity: among a paper's own sentences, or among near ones of others."""
    made: dict[str, list[float]] = {"reader": [], "similarity": []}
    pairs, sizes = list[tuple[str, str]](), list[tuple[int, np.ndarray]]()
    near = [list(each.other) for each in asked] if inside else pool.near(asked, _POOL)
    for each, others in zip(asked, near, strict=True):
        texts = [*(text for text, _ in each.bearing), *others]
        bears = np.array([1] * len(each.bearing) + [0] * len(others))
        pairs += [(each.question, text) for text in texts]
        sizes.append((len(texts), bears))
        made["similarity"].append(average_precision(pool.encoder.encode(texts) @ pool.encoder.encode([each.question])[0], bears))
    scores, at = reader.judge(reader.rows(pairs))[:, 0], 0
    for size, bears in sizes:
        made["reader"].append(average_precision(scores[at : at + size], bears))
        at += size
    return {name: round(float(np.mean(values)), 4) for name, values in made.items()} | {"n": len(asked)}


def stance_figures(reader: PairReader, asked: Sequence[Asked]) -> dict[str, Any]:
    """Accuracy of the side that is likelier, supports or opposes, over sentences whose side is known."""
    pairs = [(each.question, text, stance) for each in asked for text, stance in each.bearing if stance]
    scores = reader.judge(reader.rows([(q, t) for q, t, _ in pairs]))[:, 1:3]
    truth = np.array([STANCES.index(s) for *_, s in pairs])
    right = scores.argmax(1) == truth
    return {
        "accuracy": round(float(right.mean()), 4),
        "majority": round(float(max((truth == 0).mean(), (truth == 1).mean())), 4),
        "n": len(pairs),
    }


def examples(asked: Sequence[Asked], near: Sequence[Sequence[str]], seed: int) -> list[tuple[str, str, float, int]]:
    """Question, sentence, whether it bears on it, and its stance or -1: bearing ones with three times as many that do not."""
    rng = random.Random(seed)
    made: list[tuple[str, str, float, int]] = []
    for each, others in zip(asked, near, strict=True):
        chosen = rng.sample(each.bearing, min(5, len(each.bearing)))
        made += [(each.question, text, 1.0, STANCES.index(stance) if stance else -1) for text, stance in chosen]
        open_ = 2 if any(stance for _, stance in chosen) else -1
        inner = rng.sample(each.other, min(len(each.other), 2 * len(chosen)))
        made += [(each.question, text, 0.0, open_) for text in inner]
        wanted = max(1, 3 * len(chosen) - len(inner))
        made += [(each.question, text, 0.0, open_) for text in rng.sample(others, min(wanted, len(others)))]
    rng.shuffle(made)
    return made


def main() -> None:
    """Read the arguments, train, save adapters, head and figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("data", "body", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=2, help="0 measures what an earlier run left in OUT")
    parser.add_argument("--titles", type=int, default=3_000)
    given = parser.parse_args()
    set_out(given.seed, given.threads)
    held = set(json.loads((given.data / "pubmedqa_labelled_500.json").read_text(encoding="utf-8")))
    snippets = read_snippets(given.data / "bioasq_7b_9b.json")
    parts = {name: [each for each in snippets if part_of(each.id) == name] for name in ("train", "check", "final")}
    kept = frozenset().union(*(each.papers for name in ("check", "final") for each in parts[name]))
    train = [each for each in parts["train"] if not each.papers & kept]
    papers = [p for file in embedded_files() for p in read_papers(file) if isinstance(p, Paper) and p.pmid not in held | kept]
    titles = read_titles(papers, given.seed, given.titles)
    trials = read_evidence(given.data / "evidence_inference", "train", given.seed)
    check = [each for each in read_evidence(given.data / "evidence_inference", "validation", 1) if each.other]
    print(
        {"BioASQ": {k: len(v) for k, v in parts.items()}, "of them trained on": len(train), "titles": len(titles), "trials": len(trials)},
        flush=True,
    )
    given.out.mkdir(parents=True, exist_ok=True)
    reader = PairReader(given.body, 1 + len(STANCES), WINDOW)
    if given.epochs:
        fit(reader, [*train, *titles, *trials], given)
        reader.save(given.out / "evidence.safetensors")
    else:
        reader.load(given.out / "evidence.safetensors")
    apart = Pool(given.body, [*parts["check"], *parts["final"]])
    # half of the trials' questions, by document, choose the temperatures; the other half is for the figures
    chosen = [each for each in check if part_of(each.id) != "final"]
    kept_trials = [each for each in check if part_of(each.id) == "final"]
    temperature = temperatures(reader, apart, parts["check"], chosen)
    told: dict[str, Any] = {
        "BioASQ, final part": ranked(reader, apart, parts["final"], inside=False),
        "trials, within the abstract": ranked(reader, apart, kept_trials, inside=True),
        "stance, BioASQ": stance_figures(reader, parts["final"]),
        "stance, trials": stance_figures(reader, kept_trials),
    }
    kept_settings = {"stances": STANCES, "seed": given.seed, "temperature": temperature, "figures": told}
    (given.out / "evidence.json").write_text(json.dumps(kept_settings, indent=1), encoding="utf-8")
    print(json.dumps(kept_settings, indent=1), flush=True)


def fit(reader: PairReader, asked: Sequence[Asked], given: argparse.Namespace) -> None:
    """Train on every question with sentences that bear on it and three times as many that do not, drawn anew each epoch."""
    import torch

    pool = Pool(given.body, asked)
    near = [each[1:] for each in pool.near(asked, _POOL)]  # the very nearest of another paper may well say the same
    print("sentences to draw from:", len(pool.texts), flush=True)
    drawn = [row for epoch in range(given.epochs) for row in examples(asked, near, given.seed + epoch)]
    rows = reader.rows([(question, text) for question, text, *_ in drawn])
    bears, stance = torch.tensor([row[2] for row in drawn]), torch.tensor([row[3] for row in drawn])
    print("rows", len(rows), "tokens", sum(len(ids) for ids, _ in rows), flush=True)

    def loss_of(scores: Any, batch: list[int]) -> Any:
        loss = torch.nn.functional.binary_cross_entropy_with_logits(scores[:, 0], bears[batch])
        sides = stance[batch]
        if bool((sides >= 0).any()):
            loss = loss + 0.5 * torch.nn.functional.cross_entropy(scores[:, 1:], sides, ignore_index=-1)
        return loss

    reader.train(rows, loss_of, 1, 4e-4, given.seed, _TOKENS)


def temperatures(reader: PairReader, pool: Pool, snippets: Sequence[Asked], trials: Sequence[Asked]) -> dict[str, float]:
    """Temperatures under which the answers of the check part are likeliest (Guo et al. 2017), one of bearing and one of the side."""
    rows, bears = list[tuple[str, str]](), list[int]()
    for each, others in zip(snippets, pool.near(snippets, _POOL), strict=True):
        rows += [(each.question, text) for text in [*(t for t, _ in each.bearing), *others]]
        bears += [1] * len(each.bearing) + [0] * len(others)
    logits = np.stack([reader.judge(reader.rows(rows))[:, 0], np.zeros(len(rows))], 1)
    sided = [(each.question, text, STANCES.index(stance)) for each in [*snippets, *trials] for text, stance in each.bearing if stance]
    sided += [(each.question, text, STANCES.index("unclear")) for each in trials for text in each.other[:2]]
    sides = reader.judge(reader.rows([(question, text) for question, text, _ in sided]))[:, 1:]
    return {
        "bearing": temperature_of(logits, 1 - np.array(bears)),
        "stance": temperature_of(sides, np.array([stance for *_, stance in sided])),
    }


def temperature_of(scores: np.ndarray, truth: np.ndarray) -> float:
    """The divisor of scores (n, classes) that makes `truth` (n,) likeliest, between 1/4 and 8."""
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    def loss(log_t: float) -> float:
        return -float(log_softmax(scores / np.exp(log_t), axis=1)[np.arange(len(truth)), truth].mean())

    return round(float(np.exp(minimize_scalar(loss, bounds=(np.log(0.25), np.log(8)), method="bounded").x)), 4)


if __name__ == "__main__":
    main()
