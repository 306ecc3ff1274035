"""Train the reader of relations: ``python -m backend.training.readers.relations DATA BODY OUT``.

Pairs of a chemical with a disease (BC5CDR) and of a chemical with a gene (ChemProt), marked in their sentence. It begins with the
adapters of the reader of chemicals, diseases and genes, whose final documents are final here as well. ChemProt's development file is
final; a tenth of the sentences of its training file, and BC5CDR's calibration part, choose temperatures and thresholds.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from backend.config import ASSETS
from backend.models.families import readers
from backend.models.reader_cards import ENTITIES
from backend.models.typed_pairs import UNTOLD, in_order, mark_pair
from backend.models.word_pieces import read_word_pieces
from backend.training.readers.adapting import quick, set_out
from backend.training.readers.corpora import part_of
from backend.training.readers.pair_reader import PairReader, Row
from backend.training.readers.relations_data import INDUCES, NONE, Example, cdr_documents, cdr_pairs, chemprot_pairs, untold, without_kinds
from backend.training.readers.relations_figures import figures, settle

WINDOW = 192
_TOKENS = 2_048
_RATE = 5e-4
_ENTITIES = ASSETS / "models/reader-entities"


class MarkedPairs(PairReader):
    """A head on the states of the two opening markers; labels that a pair's kinds rule out are left out of its choice."""

    def __init__(self, body: Path, labels: Sequence[str]) -> None:
        super().__init__(body, len(labels), WINDOW)
        self.labels = tuple(labels)
        self.pieces = read_word_pieces(body, "the encoder")
        self.held: list[tuple[tuple[int, int], str]] = []
        related = [at for at, label in enumerate(labels) if label not in (NONE, INDUCES)]
        none, induces = self.labels.index(NONE), self.labels.index(INDUCES)
        self.between = {"disease": [none, induces], "gene": [none, *related], UNTOLD: related}

    def add(self, examples: Sequence[Example]) -> tuple[list[Row], list[Example]]:
        """The pairs as tokens, each with its number among all that were added, and the pairs that fit the window."""
        rows, kept = list[Row](), []
        for each in examples:
            ordered = in_order(each.first, each.second)
            if ordered is None:
                continue
            ids, places = mark_pair(self.pieces, each.text, *ordered[:2])
            if len(ids) + 2 <= self.window:
                rows.append(([self.pieces.first, *ids, self.pieces.last], len(self.held)))
                self.held.append(((places[0] + 1, places[1] + 1), ordered[2]))
                kept.append(each)
        return rows, kept

    def scores(self, rows: Sequence[Row]) -> Any:
        """The head's numbers, (rows, labels); -1e4 for labels that are ruled out."""
        import torch

        ids = torch.zeros((len(rows), max(len(tokens) for tokens, _ in rows)), dtype=torch.long)
        real, barred = torch.zeros_like(ids), torch.ones((len(rows), len(self.labels)), dtype=torch.bool)
        for at, (tokens, number) in enumerate(rows):
            ids[at, : len(tokens)] = torch.tensor(tokens)
            real[at, : len(tokens)] = 1
            barred[at, self.between[self.held[number][1]]] = False
        places = torch.tensor([self.held[number][0] for _, number in rows])
        with quick():
            hidden = self.network(input_ids=ids, attention_mask=real).last_hidden_state
            pooled = hidden[torch.arange(len(rows))[:, None], places].flatten(1)
            found = self.head(torch.nn.functional.dropout(pooled, 0.1, self.network.training)).float()
        return found.masked_fill(barred, -1e4)


def judged(reader: MarkedPairs, examples: Sequence[Example]) -> tuple[np.ndarray, list[Example]]:
    """Scores (pairs, labels) and the pairs that fit the window."""
    rows, kept = reader.add(examples)
    return reader.judge(rows), kept


def write_final(data: Path, out: Path) -> None:
    """The documents of BC5CDR kept for the final figure, as the corpus holds them."""
    names = {document.name for document in cdr_documents(data)["final"]}
    blocks = re.split(r"\n\s*\n", (data / "bc5cdr/CDR_DevelopmentSet.PubTator.txt").read_text(encoding="utf-8").strip("\n"))
    (out / "CID.PubTator.txt").write_text("\n\n".join(b for b in blocks if b.split("|", 1)[0] in names) + "\n", encoding="utf-8")


def main() -> None:
    """Read the arguments, train, settle temperatures and thresholds, save adapters, head and figures."""
    import torch

    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("data", "body", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument(
        "--final", action="store_true", help="only write the documents kept for the final figure, as a PubTator file in OUT"
    )
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    if given.final:
        write_final(given.data, given.out)
        return
    set_out(given.seed, given.threads)
    marker: Any = readers.load(_ENTITIES, ENTITIES, "cpu", given.body)
    documents = cdr_documents(given.data)
    pairs = {name: cdr_pairs(found) for name, found in documents.items()}
    chemprot = chemprot_pairs(given.data / "ner_re/chemprot_train.txt", documents["train"], marker)
    final = chemprot_pairs(given.data / "ner_re/chemprot_dev.txt", documents["train"], marker)
    held = {each.text for each in final} | {document.text for name in ("check", "final") for document in documents[name]}
    seen = [each for each in chemprot if part_of(each.text, 0.9, 0.1) == "train" and not any(each.text in text for text in held)]
    check = [each for each in chemprot if part_of(each.text, 0.9, 0.1) == "calibration"]
    labels = (NONE, INDUCES, *sorted({each.relation for each in seen} - {NONE}))
    train = [each for document in pairs["train"] for each in document]
    reader = MarkedPairs(given.body, labels)
    reader.begin(_ENTITIES / "entities.safetensors")
    rows, kept = reader.add([*train, *untold(seen, given.seed)])
    truth = torch.tensor([labels.index(each.relation) for each in kept])
    print(
        {"CID": len(train), "ChemProt": len(seen), "fit": len(rows), "check": len(check), "tokens": sum(len(i) for i, _ in rows)},
        flush=True,
    )

    def loss_of(scores: Any, batch: list[int]) -> Any:
        return torch.nn.functional.cross_entropy(scores, truth[batch])

    reader.train(rows, loss_of, given.epochs, _RATE, given.seed, _TOKENS)
    reader.save(given.out / "relations.safetensors")
    parts: dict[str, dict[str, tuple[np.ndarray, list[Example]]]] = {}
    for name, found in (("check", check), ("final", final)):
        disease = [each for document in pairs[name] for each in document]
        typed, related = [each for each in found if each.first.kind], [without_kinds(each) for each in found if each.relation != NONE]
        parts[name] = {"disease": judged(reader, disease), "gene": judged(reader, typed), UNTOLD: judged(reader, related)}
    listed = {name: {each.name: len(each.relations) for each in found} for name, found in documents.items()}
    settled = settle(labels, reader.between, parts["check"], listed["check"])
    told = figures(labels, settled, parts["final"], listed["final"])
    made = {"labels": labels, "between": settled, "seed": given.seed, "epochs": given.epochs, "figures": told}
    (given.out / "relations.json").write_text(json.dumps(made, indent=1), encoding="utf-8")
    print(json.dumps(made, indent=1), flush=True)


if __name__ == "__main__":
    main()
