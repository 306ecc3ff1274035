"""Train the reader that answers yes, no or maybe: ``python -m backend.training.readers.verdict DATA BODY OUT``.

First weak labels and trials, then the two labelled sets. PubMedQA's figures are of five folds by question: each fifth is judged by a
reader that was trained on the other four; from those judgements the temperature is chosen as well. What ships is trained on all of them.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from backend.domain import Paper
from backend.literature.formats import read_papers
from backend.literature.formats.embedded import embedded_files
from backend.training.readers.adapting import set_out
from backend.training.readers.pair_reader import PairReader
from backend.training.readers.verdict_data import ANSWERS, Item, read_bioasq, read_pubmedqa, read_trials, weak_items

WINDOW = 512
_TOKENS = 3_840
FOLDS = 5


def train(reader: PairReader, items: Sequence[Item], epochs: int, rate: float, seed: int) -> None:
    """Cross-entropy with a little smoothing: the sets hold wrong answers."""
    import torch

    answers = torch.tensor([ANSWERS.index(item.answer) for item in items])

    def loss_of(scores: Any, batch: list[int]) -> Any:
        return torch.nn.functional.cross_entropy(scores, answers[batch], label_smoothing=0.05)

    reader.train(reader.rows([(item.question, item.context) for item in items]), loss_of, epochs, rate, seed, _TOKENS)


def judge(reader: PairReader, items: Sequence[Item]) -> np.ndarray:
    """Scores (items, 3)."""
    return reader.judge(reader.rows([(item.question, item.context) for item in items]))


def figures(scores: np.ndarray, items: Sequence[Item]) -> dict[str, float]:
    """Accuracy and macro-F1 over the answers that occur."""
    truth, said = np.array([ANSWERS.index(item.answer) for item in items]), scores.argmax(1)
    f1 = []
    for each in sorted(set(truth.tolist())):
        hit = int(((truth == each) & (said == each)).sum())
        f1.append(2 * hit / max(1, int((truth == each).sum()) + int((said == each).sum())))
    majority = max(float((truth == each).mean()) for each in range(3))
    return {
        "accuracy": round(float((truth == said).mean()), 4),
        "macro_f1": round(float(np.mean(f1)), 4),
        "majority": round(majority, 4),
        "n": len(items),
    }


def main() -> None:
    """Read the arguments, train, save adapters, head and figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("data", "body", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--first", type=int, default=2, help="epochs on weak labels and trials; 0 takes what an earlier run left in OUT")
    parser.add_argument("--second", type=int, default=3, help="epochs on the labelled sets")
    given = parser.parse_args()
    set_out(given.seed, given.threads)
    given.out.mkdir(parents=True, exist_ok=True)
    labelled, yesno = read_pubmedqa(given.data / "pubmedqa_labelled_500.json"), read_bioasq(given.data / "bioasq_7b_9b.json")
    reader = PairReader(given.body, len(ANSWERS), WINDOW)
    began = given.out / "verdict-first.json"
    told: dict[str, Any] = {"first stage": _first(reader, given, labelled, yesno)} if given.first else json.loads(began.read_text())
    if given.first:
        reader.save(given.out / "verdict-first.safetensors")
        began.write_text(json.dumps(told))
    else:
        reader.load(given.out / "verdict-first.safetensors")
    print(json.dumps(told), flush=True)
    begun = reader.state()
    rng = np.random.default_rng(given.seed)
    sets = {"PubMedQA": labelled, "BioASQ": yesno}
    folds = {name: rng.permutation(len(items)) % FOLDS for name, items in sets.items()}
    scores = {name: np.zeros((len(items), len(ANSWERS))) for name, items in sets.items()}
    for fold in range(FOLDS):
        reader.restore(begun)
        kept = [item for name, items in sets.items() for item, at in zip(items, folds[name], strict=True) if at != fold]
        train(reader, kept, given.second, 2e-4, fold)
        for name, items in sets.items():
            scores[name][folds[name] == fold] = judge(reader, [item for item, at in zip(items, folds[name], strict=True) if at == fold])
            seen = folds[name] <= fold
            print(fold, name, figures(scores[name][seen], [item for item, at in zip(items, seen, strict=True) if at]), flush=True)
    told |= {f"{name}, five folds": figures(scores[name], items) for name, items in sets.items()}
    kept_scores: dict[str, Any] = {f"{name}_scores": scores[name] for name in sets} | {f"{name}_folds": folds[name] for name in sets}
    np.savez(given.out / "folds.npz", **kept_scores)
    reader.restore(begun)
    train(reader, [*labelled, *yesno], given.second, 2e-4, given.seed)
    reader.save(given.out / "verdict.safetensors")
    (given.out / "verdict.json").write_text(json.dumps({"answers": ANSWERS, "seed": given.seed, "figures": told}, indent=1))
    print(json.dumps(told, indent=1))


def _first(reader: PairReader, given: argparse.Namespace, labelled: Sequence[Item], yesno: Sequence[Item]) -> dict[str, Any]:
    """The first stage, and how it does on its own check and on the two labelled sets, which it has not seen."""
    held = {item.id for item in labelled}
    papers = [p for file in embedded_files() for p in read_papers(file) if isinstance(p, Paper) and p.pmid not in held]
    weak = weak_items(papers, given.seed)
    trials = read_trials(given.data / "evidence_inference", "train", given.seed)
    check = read_trials(given.data / "evidence_inference", "validation", 1)
    print({"weak": len(weak), "trials": len(trials)}, flush=True)
    train(reader, [*weak, *trials], given.first, 4e-4, given.seed)
    return {name: figures(judge(reader, items), items) for name, items in (("trials", check), ("PubMedQA", labelled), ("BioASQ", yesno))}


if __name__ == "__main__":
    main()
