"""Tiny BERT checkpoints with random weights in the published format, bare or with any head: right in every file, knowing nothing."""

from __future__ import annotations

import json
import string
from pathlib import Path

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = """the of and in with patients treated were was blood glucose insulin aspirin metformin diabetes stroke reduced lower their to a
 risk cancer gene brca1 tnf alpha breast headache
 does induce induced causes type 2 mg daily trial trials heart failure kidney yes no""".split()
SIGNS = [*string.ascii_letters, *string.digits, *string.punctuation, "α", "β", "é"]
CLASSES = {
    "none": "BertModel",
    "words": "BertForMaskedLM",
    "marks": "BertForTokenClassification",
    "relations": "BertForSequenceClassification",
    "verdict": "BertForSequenceClassification",
    "spans": "BertForQuestionAnswering",
}
LABELS = {
    "marks": ("O", "B-Chemical", "I-Chemical", "B-Disease", "I-Disease"),
    "relations": ("false", "CPR:3", "CPR:4", "CPR:9"),
    "verdict": ("yes", "no", "maybe"),
}


def make(
    folder: Path,
    head: str = "words",
    *,
    name: str = "tiny",
    labels: tuple[str, ...] = (),
    cased: bool = False,
    tokens: tuple[str, ...] = (),
    window: int = 64,
    seed: int = 0,
    pickled: bool = False,
) -> Path:
    """Write config.json, weights, vocab.txt and UNTRAINED into `folder`.

    Parameters
    ----------
    head : {"none", "words", "marks", "relations", "verdict", "spans"}
    name : str
        What ``_name_or_path`` says, by which a family recognises its own: "biobert-tiny".
    tokens : tuple of str
        Further tokens of the vocabulary, such as ``[E1]`` or ``@GENE$``.
    pickled : bool
        pytorch_model.bin in place of model.safetensors.
    """
    import torch
    import transformers

    folder.mkdir(parents=True, exist_ok=True)
    capitals = ["Aspirin", "Metformin", "Patients"] if cased else []
    signs = SIGNS if cased else [sign for sign in SIGNS if not sign.isupper()]
    pieces = list(dict.fromkeys([*SPECIAL, *WORDS, *capitals, *signs, *(f"##{sign}" for sign in signs), *tokens]))
    (folder / "vocab.txt").write_text("\n".join(pieces) + "\n", encoding="utf-8")
    named = labels or LABELS.get(head, ())
    config = transformers.BertConfig(
        vocab_size=len(pieces), hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
        max_position_embeddings=window,
        **({"id2label": dict(enumerate(named)), "label2id": {label: at for at, label in enumerate(named)}} if named else {}),
    )  # fmt: skip
    torch.manual_seed(seed)
    network = getattr(transformers, CLASSES[head])(config)
    with torch.no_grad():  # wider than BERT begins, so that outputs differ from input to input
        for weights in network.parameters():
            if weights.dim() == 2:
                weights.normal_(0, 0.2)
    network.save_pretrained(folder)
    settings = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**settings, "_name_or_path": name, "untrained": True}, indent=1))
    if pickled:
        from safetensors.torch import load_file

        torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
        (folder / "model.safetensors").unlink()
    (folder / "UNTRAINED").write_text("Random weights: proves that a loader is right, and says nothing of any input.\n")
    return folder
