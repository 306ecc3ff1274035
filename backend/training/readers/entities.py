"""Train the reader of chemicals, diseases and genes: ``python -m backend.training.readers.entities DATA BODY OUT``.

DATA is a folder with bc5cdr/ (BioCreative V) and ner_re/ (NCBI-disease, JNLPBA and ChemProt as the SciBERT repository holds them);
BODY is MiniLM's folder. Documents are parted by the hash of their id:
training, calibration, and the final figure, which nothing else sees.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from backend.training.readers.adapting import adapted, adapter_weights, batches, quick, schedule, set_out
from backend.training.readers.corpora import Marked, gene_names, part_of, pubtator, read_bio, read_chemprot, read_pubtator

KINDS = ("Chemical", "Disease", "Gene")
LABELS = ("O", *(f"{prefix}-{kind}" for kind in KINDS for prefix in ("B", "I")))
WINDOW = 192  # tokens of a training example
_TOKENS = 3_072
_RATE, _HEAD_RATE = 6e-4, 2e-3


def corpora(data: Path) -> dict[str, list[Marked]]:
    """Every corpus by part: ``train``, ``calibration``, ``final``."""
    both = ("Chemical", "Disease")
    train = read_pubtator(data / "bc5cdr/CDR_TrainingSet.PubTator.txt", "BC5CDR", both)
    parts: dict[str, list[Marked]] = {"train": list(train), "calibration": [], "final": []}
    for document in read_pubtator(data / "bc5cdr/CDR_DevelopmentSet.PubTator.txt", "BC5CDR", both):
        parts[part_of(document.id, 0.3, 0.2)].append(document)
    parts["train"] += read_bio(data / "ner_re/ner_NCBI-disease_train.txt", "NCBI-disease", {"Disease": "Disease"})
    for name, names in (("NCBI-disease", {"Disease": "Disease"}), ("JNLPBA", gene_names())):
        for sentence in read_bio(data / f"ner_re/ner_{name}_dev.txt", name, names):
            keep = part_of(sentence.text, 0.7, 0.1)
            parts[keep].append(sentence)
    chemicals = {d.text[a:b].lower() for d in train for a, b, kind in d.spans if kind == "Chemical"}
    parts["train"] += read_chemprot([data / "ner_re/chemprot_train.txt"], chemicals)
    held = {d.text.strip() for d in (*parts["calibration"], *parts["final"])}
    parts["train"] = [d for d in parts["train"] if d.text.strip() not in held and not any(len(d.text) > 40 and d.text in h for h in held)]
    return parts


class Example:
    """A window of a document as tokens, each with the labels that it may have."""

    def __init__(self, ids: list[int], allowed: np.ndarray, offsets: list[tuple[int, int]], document: int) -> None:
        self.ids, self.allowed, self.offsets, self.document = ids, allowed, offsets, document


def examples(documents: Sequence[Marked], tokenizer: Any, words: Any) -> list[Example]:
    """Windows of whole sentences; the first piece of a word carries its label, other pieces none (every label allowed)."""
    made = []
    for number, document in enumerate(documents):
        encoded = tokenizer.encode(document.text, add_special_tokens=False)
        label = _labels(document, encoded.offsets, encoded.word_ids)
        cut = [
            i for i, (a, b) in enumerate(encoded.offsets) if document.text[a:b] in ".;" and encoded.word_ids[i] != encoded.word_ids[i - 1]
        ]
        at, size = 0, len(encoded.ids)
        while at < size:
            end = size if size - at <= WINDOW - 2 else max((i + 1 for i in cut if at < i + 1 <= at + WINDOW - 2), default=at + WINDOW - 2)
            none = np.ones((1, len(LABELS)), bool)
            ids = [words["[CLS]"], *encoded.ids[at:end], words["[SEP]"]]
            made.append(Example(ids, np.concatenate([none, label[at:end], none]), encoded.offsets[at:end], number))
            at = end
    return made


def _labels(document: Marked, offsets: Sequence[tuple[int, int]], words: Sequence[int | None]) -> np.ndarray:
    """Labels that each piece may have, shape (pieces, labels), all True where nothing is known."""
    unknown = [at for at, kind in enumerate(KINDS) if kind not in document.kinds]
    outside = np.zeros(len(LABELS), bool)
    outside[0] = True
    for kind in unknown:
        outside[1 + 2 * kind : 3 + 2 * kind] = True
    made = np.repeat(outside[None], len(offsets), axis=0)
    spans, at = sorted(document.spans), 0
    for i, (start, end) in enumerate(offsets):
        while at < len(spans) and spans[at][1] <= start:
            at += 1
        if at < len(spans) and spans[at][0] < end and start < spans[at][1]:
            first = not (i and offsets[i - 1][1] > spans[at][0])
            made[i] = False
            made[i, 1 + 2 * KINDS.index(spans[at][2]) + (0 if first else 1)] = True
        if i and words[i] == words[i - 1]:
            made[i] = True
    return made


def train(body: Path, documents: Sequence[Marked], held: Sequence[Marked], epochs: int, seed: int) -> tuple[Any, Any, Any]:
    """Adapters and head; the loss is -ln of the probability of all labels that a word may have."""
    import torch
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(body / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    words = tokenizer.get_vocab()
    network = adapted(body)
    head = torch.nn.Linear(network.config.hidden_size, len(LABELS))
    rows = examples(documents, tokenizer, words)
    print(f"{len(documents)} documents, {len(rows)} windows, {sum(len(r.ids) for r in rows):,} tokens", flush=True)
    plan = [batch for epoch in range(epochs) for batch in batches([len(row.ids) for row in rows], _TOKENS, seed + epoch)]
    groups: list[dict[str, Any]] = [
        {"params": [p for p in network.parameters() if p.requires_grad], "lr": _RATE},
        {"params": list(head.parameters()), "lr": _HEAD_RATE},
    ]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
    rising, began, told = schedule(optimizer, len(plan)), time.monotonic(), 0.0
    network.train()
    for step, batch in enumerate(plan):
        ids, real, allowed = _stack([rows[i] for i in batch])
        with quick():
            hidden = network(input_ids=ids, attention_mask=real).last_hidden_state
            scores = head(torch.nn.functional.dropout(hidden, 0.1)).float()
        whole = torch.logsumexp(scores, -1)
        part = torch.logsumexp(scores.masked_fill(~allowed, -1e4), -1)
        known = real.bool() & ~allowed.all(-1)
        loss = (whole - part)[known].mean()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_([p for g in groups for p in g["params"]], 1.0)
        optimizer.step()
        rising.step()
        optimizer.zero_grad()
        told = 0.98 * told + 0.02 * float(loss) if step else float(loss)
        if step % 200 == 199:
            print(f"step {step + 1}/{len(plan)} loss {told:.4f} {time.monotonic() - began:.0f} s", flush=True)
        if (step + 1) % (len(plan) // epochs * 5) == 0 and held:
            print(json.dumps(score(network, head, held, tokenizer)), flush=True)
            network.train()
    return network, head, tokenizer


def _stack(rows: Sequence[Example]) -> tuple[Any, Any, Any]:
    import torch

    longest = max(len(row.ids) for row in rows)
    ids = torch.zeros((len(rows), longest), dtype=torch.long)
    real = torch.zeros_like(ids)
    allowed = torch.ones((len(rows), longest, len(LABELS)), dtype=torch.bool)
    for i, row in enumerate(rows):
        ids[i, : len(row.ids)] = torch.tensor(row.ids)
        real[i, : len(row.ids)] = 1
        allowed[i, : len(row.ids)] = torch.from_numpy(row.allowed)
    return ids, real, allowed


def predict(network: Any, head: Any, documents: Sequence[Marked], tokenizer: Any) -> list[list[tuple[int, int, str, float]]]:
    """Mentions of each document with the mean probability of their words' labels."""
    import torch

    network.eval()
    rows = examples(documents, tokenizer, tokenizer.get_vocab())
    found: list[list[tuple[int, int, str, float]]] = [[] for _ in documents]
    order = sorted(range(len(rows)), key=lambda i: len(rows[i].ids))
    for at in range(0, len(order), 16):
        chosen = [rows[i] for i in order[at : at + 16]]
        ids, real, _ = _stack(chosen)
        with torch.inference_mode(), quick():
            shares = head(network(input_ids=ids, attention_mask=real).last_hidden_state).float().softmax(-1).numpy()
        for row, share in zip(chosen, shares, strict=True):
            found[row.document] += _decoded(row, share[1 : len(row.ids) - 1], documents[row.document].text)
    return [sorted(each) for each in found]


def _decoded(row: Example, shares: np.ndarray, text: str) -> list[tuple[int, int, str, float]]:
    made: list[tuple[int, int, str, float]] = []
    open_at: list[float] = []
    for (start, end), share, allowed in zip(row.offsets, shares, row.allowed[1:-1], strict=True):
        if allowed.all() and made and made[-1][1] == start:  # a further piece of a word
            if open_at:
                made[-1] = (made[-1][0], end, made[-1][2], made[-1][3])
            continue
        if allowed.all() and not (made and made[-1][1] == start):
            continue
        best = int(share.argmax())
        if best == 0:
            open_at = []
            continue
        kind, inside = KINDS[(best - 1) // 2], (best - 1) % 2 == 1
        if inside and open_at and made[-1][2] == kind:
            open_at.append(float(share[best]))
            made[-1] = (made[-1][0], end, kind, float(np.mean(open_at)))
        else:
            open_at = [float(share[best])]
            made.append((start, end, kind, open_at[0]))
    return made


def score(network: Any, head: Any, documents: Sequence[Marked], tokenizer: Any) -> dict[str, float]:
    """Strict precision, recall and F1 by corpus and kind: same characters, same kind."""
    found = predict(network, head, documents, tokenizer)
    made: dict[str, float] = {}
    for corpus in sorted({d.corpus for d in documents}):
        for kind in KINDS:
            hit = wrong = missed = 0
            for document, mentions in zip(documents, found, strict=True):
                if document.corpus == corpus and kind in document.kinds:
                    truth = {(a, b) for a, b, k in document.spans if k == kind}
                    ours = {(a, b) for a, b, k, _ in mentions if k == kind}
                    hit, wrong, missed = hit + len(truth & ours), wrong + len(ours - truth), missed + len(truth - ours)
            if hit + missed:
                made[f"{corpus} {kind} F1"] = round(2 * hit / (2 * hit + wrong + missed), 4)
                made[f"{corpus} {kind} P"], made[f"{corpus} {kind} R"] = round(hit / max(1, hit + wrong), 4), round(hit / (hit + missed), 4)
    return made


def main() -> None:
    """Read the arguments, train, save adapters, head and figures."""
    import torch
    from safetensors.torch import save_file

    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("data", "body", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--final", action="store_true", help="only write the documents kept for the final figure, as PubTator files in OUT")
    given = parser.parse_args()
    set_out(given.seed, given.threads)
    parts = corpora(given.data)
    given.out.mkdir(parents=True, exist_ok=True)
    if given.final:
        for corpus in sorted({document.corpus for document in parts["final"]}):
            (given.out / f"{corpus}.PubTator.txt").write_text(pubtator([d for d in parts["final"] if d.corpus == corpus]), encoding="utf-8")
        return
    print({name: len(found) for name, found in parts.items()}, flush=True)
    network, head, tokenizer = train(given.body, parts["train"], parts["calibration"], given.epochs, given.seed)
    figures = {name: score(network, head, parts[name], tokenizer) for name in ("calibration", "final")}
    weights = adapter_weights(network)
    weights |= {"head.weight": head.weight.detach().to(torch.float16), "head.bias": head.bias.detach().to(torch.float16)}
    save_file(weights, given.out / "entities.safetensors")
    (given.out / "entities.json").write_text(
        json.dumps({"labels": LABELS, "seed": given.seed, "epochs": given.epochs, "figures": figures}, indent=1)
    )
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
