"""The whole chain on real marks: a small checkpoint that learned a few abstracts by heart is found right where it is right.

Tokenizer, labels of word pieces, windows, places in the text and strict matching must all agree, or the figure falls.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from backend.config import load_config
from backend.evaluate import evaluate
from backend.literature.labelled import Labelled, read_labelled
from backend.models.registry import add_local
from backend.workbench import Workbench
from tests.models.tiny_bert import LABELS, make

ABSTRACTS = 8


@pytest.fixture
def few(shared: Path, tmp_path: Path) -> Path:
    whole = (shared / "literature" / "bc5cdr" / "CDR_DevelopmentSet.PubTator.txt").read_text(encoding="utf-8")
    made = tmp_path / "few.txt"
    made.write_text("\n\n".join(whole.split("\n\n")[:ABSTRACTS]) + "\n", encoding="utf-8")
    return made


def learn(folder: Path, documents: list[Labelled]) -> None:
    """Fit a token classifier to the marks of `documents`, each read whole, as the task reads it."""
    import torch
    from transformers import AutoTokenizer, BertForTokenClassification

    words = sorted({word for each in documents for word in re.findall(r"\w+|[^\w\s]", each.text.lower())})
    make(folder, "marks", name="biobert-by-heart", tokens=tuple(words), window=512)
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    network = BertForTokenClassification.from_pretrained(folder, local_files_only=True)
    rows, truth = [], []
    for document in documents:
        coded = tokenizer(document.text, return_offsets_mapping=True)
        labels = []
        for low, high in coded.offset_mapping:
            mark = next((m for m in document.marks if m.start <= low and high <= m.end and high > low), None)
            name = "O" if mark is None else f"{'B' if low == mark.start else 'I'}-{mark.kind}"
            labels.append(LABELS["marks"].index(name) if high > low else -100)
        rows.append(coded.input_ids)
        truth.append(labels)
    longest = max(map(len, rows))
    ids = torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows])
    wanted = torch.tensor([[*row, *[-100] * (longest - len(row))] for row in truth])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
    settings = folder / "config.json"
    kept = settings.read_text()
    network.train()
    torch.manual_seed(0)
    optimiser = torch.optim.AdamW(network.parameters(), lr=5e-3)
    for _ in range(120):
        optimiser.zero_grad()
        network(input_ids=ids, attention_mask=mask, labels=wanted).loss.backward()
        optimiser.step()
    network.eval().save_pretrained(folder)
    settings.write_text(kept)  # with the word that this is a test's checkpoint


@pytest.mark.slow
def test_what_a_checkpoint_knows_by_heart_is_measured_as_right(few: Path, tmp_path: Path) -> None:
    documents = read_labelled([few])
    learn(tmp_path / "by-heart", documents)
    config = load_config({"BIOLOOM_DATA": str(tmp_path / "data"), "BIOLOOM_DEVICE": "cpu"})
    card = add_local(config, tmp_path / "by-heart", "biobert")
    bench = Workbench(config)
    try:
        figures = evaluate(bench.context, "literature.entities", [few])["systems"][f"{card.name} (untrained)"]
        assert figures["f1"]["value"] > 0.9
        assert figures["precision"]["value"] > 0.9
        assert figures["recall"]["value"] > 0.9
        first = documents[0]
        run = bench.run("literature.entities", {"text": first.text, "name": first.name})
        assert run.prediction is not None
        found = {(each["start"], each["end"], each["kind"]) for each in run.prediction["mentions"]}
        truth = {(each.start, each.end, each.kind) for each in first.marks}
        assert len(found & truth) / len(truth) > 0.8
        for each in run.prediction["mentions"]:
            assert first.text[each["start"] : each["end"]] == each["text"]
    finally:
        bench.close()
