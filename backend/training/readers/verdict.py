"""Train the reader that answers yes, no or maybe: ``python -m backend.training.readers.verdict DATA BODY OUT``.

First weak labels and trials, then the two labelled sets. PubMedQA's figures are of five folds by question: each fifth is judged by a
reader that was trained on the other four; from those judgements the temperature is chosen as well. What ships is trained on all of them.
"""

from __future__ import annotations

import argparse
import copy
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from backend.domain import Paper
from backend.literature.formats import read_papers
from backend.literature.formats.embedded import embedded_files
from backend.training.readers.adapting import adapted, adapter_weights, batches, quick, schedule, set_out
from backend.training.readers.verdict_data import ANSWERS, Item, read_bioasq, read_pubmedqa, read_trials, weak_items

WINDOW = 320
_TOKENS = 3_840
FOLDS = 5


class Reader:
    """MiniLM with adapters and a head on the first token and the mean: a question and a context to three scores."""

    def __init__(self, body: Path) -> None:
        import torch
        from tokenizers import Tokenizer

        self.tokenizer = Tokenizer.from_file(str(body / "tokenizer.json"))
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        self.words = self.tokenizer.get_vocab()
        self.network = adapted(body)
        self.head = torch.nn.Linear(2 * self.network.config.hidden_size, len(ANSWERS))

    def rows(self, items: Sequence[Item]) -> list[tuple[list[int], int]]:
        """Tokens of question and context, and where the context begins; a long context loses its middle."""
        made = []
        for item in items:
            asked = self.tokenizer.encode(item.question, add_special_tokens=False).ids[:96]
            given = self.tokenizer.encode(item.context, add_special_tokens=False).ids
            room = WINDOW - len(asked) - 3
            if len(given) > room:
                given = [*given[: room // 3], *given[len(given) - (room - room // 3) :]]
            made.append(([self.words["[CLS]"], *asked, self.words["[SEP]"], *given, self.words["[SEP]"]], len(asked) + 2))
        return made

    def scores(self, rows: Sequence[tuple[list[int], int]]) -> Any:
        import torch

        longest = max(len(ids) for ids, _ in rows)
        ids = torch.zeros((len(rows), longest), dtype=torch.long)
        real, kind = torch.zeros_like(ids), torch.zeros_like(ids)
        for at, (tokens, begin) in enumerate(rows):
            ids[at, : len(tokens)] = torch.tensor(tokens)
            real[at, : len(tokens)] = 1
            kind[at, begin : len(tokens)] = 1
        with quick():
            hidden = self.network(input_ids=ids, attention_mask=real, token_type_ids=kind).last_hidden_state
            mean = (hidden * real.unsqueeze(-1)).sum(1) / real.sum(1, keepdim=True)
            pooled = torch.nn.functional.dropout(torch.cat([hidden[:, 0], mean], -1), 0.1, self.network.training)
            return self.head(pooled).float()

    def train(self, items: Sequence[Item], epochs: int, rate: float, seed: int) -> None:
        import torch

        rows, answers = self.rows(items), [ANSWERS.index(item.answer) for item in items]
        plan = [batch for epoch in range(epochs) for batch in batches([len(ids) for ids, _ in rows], _TOKENS, seed + epoch)]
        groups: list[dict[str, Any]] = [
            {"params": [p for p in self.network.parameters() if p.requires_grad], "lr": rate},
            {"params": list(self.head.parameters()), "lr": 2 * rate},
        ]
        optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
        rising, told, began = schedule(optimizer, len(plan)), 0.0, time.monotonic()
        self.network.train()
        for step, batch in enumerate(plan):
            loss = torch.nn.functional.cross_entropy(
                self.scores([rows[i] for i in batch]), torch.tensor([answers[i] for i in batch]), label_smoothing=0.05
            )
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_([p for g in groups for p in g["params"]], 1.0)
            optimizer.step()
            rising.step()
            optimizer.zero_grad()
            told = 0.98 * told + 0.02 * float(loss.detach()) if step else float(loss.detach())
            if step % 100 == 99:
                print(f"step {step + 1}/{len(plan)} loss {told:.4f} {time.monotonic() - began:.0f} s", flush=True)

    def judge(self, items: Sequence[Item]) -> np.ndarray:
        """Scores (items, 3)."""
        import torch

        self.network.eval()
        rows = self.rows(items)
        made = np.zeros((len(items), len(ANSWERS)))
        order = sorted(range(len(rows)), key=lambda i: len(rows[i][0]))
        with torch.inference_mode():
            for at in range(0, len(order), 12):
                chosen = order[at : at + 12]
                made[chosen] = self.scores([rows[i] for i in chosen]).numpy()
        return made

    def state(self) -> Any:
        return copy.deepcopy(({n: p.detach() for n, p in self.network.named_parameters() if p.requires_grad}, self.head.state_dict()))

    def restore(self, state: Any) -> None:
        import torch

        with torch.no_grad():
            for name, value in self.network.named_parameters():
                if name in state[0]:
                    value.copy_(state[0][name])
        self.head.load_state_dict(state[1])


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
    import torch
    from safetensors.torch import save_file

    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("data", "body", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--first", type=int, default=2, help="epochs on weak labels and trials")
    parser.add_argument("--second", type=int, default=3, help="epochs on the labelled sets")
    given = parser.parse_args()
    set_out(given.seed, given.threads)
    labelled, yesno = read_pubmedqa(given.data / "pubmedqa_labelled_500.json"), read_bioasq(given.data / "bioasq_7b_9b.json")
    held = {item.id for item in labelled}
    papers = [p for file in embedded_files() for p in read_papers(file) if isinstance(p, Paper) and p.pmid not in held]
    weak = weak_items(papers, given.seed)
    trials, check = (
        read_trials(given.data / "evidence_inference", "train", given.seed),
        read_trials(given.data / "evidence_inference", "validation", 1),
    )
    print({"weak": len(weak), "trials": len(trials), "BioASQ": len(yesno), "PubMedQA": len(labelled)}, flush=True)
    reader = Reader(given.body)
    reader.train([*weak, *trials], given.first, 4e-4, given.seed)
    told: dict[str, Any] = {
        "first stage": {
            name: figures(reader.judge(items), items) for name, items in (("trials", check), ("PubMedQA", labelled), ("BioASQ", yesno))
        }
    }
    print(json.dumps(told), flush=True)
    begun = reader.state()
    given.out.mkdir(parents=True, exist_ok=True)
    _save(reader, given.out / "verdict-first.safetensors", save_file)
    rng = np.random.default_rng(given.seed)
    fold_q, fold_y = rng.permutation(len(labelled)) % FOLDS, rng.permutation(len(yesno)) % FOLDS
    scores_q, scores_y = np.zeros((len(labelled), 3)), np.zeros((len(yesno), 3))
    for fold in range(FOLDS):
        reader.restore(begun)
        reader.train(
            [
                *(i for i, f in zip(labelled, fold_q, strict=True) if f != fold),
                *(i for i, f in zip(yesno, fold_y, strict=True) if f != fold),
            ],
            given.second,
            2e-4,
            fold,
        )
        for items, folds, scores in ((labelled, fold_q, scores_q), (yesno, fold_y, scores_y)):
            scores[folds == fold] = reader.judge([i for i, f in zip(items, folds, strict=True) if f == fold])
        print(fold, figures(scores_q[fold_q <= fold], [i for i, f in zip(labelled, fold_q, strict=True) if f <= fold]), flush=True)
    told |= {"PubMedQA, five folds": figures(scores_q, labelled), "BioASQ, five folds": figures(scores_y, yesno)}
    np.savez(given.out / "folds.npz", pubmedqa=scores_q, bioasq=scores_y)
    reader.restore(begun)
    reader.train([*labelled, *yesno], given.second, 2e-4, given.seed)
    _save(reader, given.out / "verdict.safetensors", save_file)
    (given.out / "verdict.json").write_text(json.dumps({"answers": ANSWERS, "seed": given.seed, "figures": told}, indent=1))
    print(json.dumps(told, indent=1), torch.__version__)


def _save(reader: Reader, file: Path, save: Any) -> None:
    import torch

    weights = adapter_weights(reader.network)
    weights |= {"head.weight": reader.head.weight.detach().to(torch.float16), "head.bias": reader.head.bias.detach().to(torch.float16)}
    save(weights, file)


if __name__ == "__main__":
    main()
