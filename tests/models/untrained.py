"""A small encoder with random weights in the published format: right in every file, and knowing nothing."""

from __future__ import annotations

import string
from pathlib import Path

from backend.domain import ModelCard
from backend.models.families import minilm
from backend.models.registry import file_sha256

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
SIGNS = [*string.ascii_lowercase, *string.digits, *string.punctuation]


def make(folder: Path, width: int = minilm.WIDTH) -> ModelCard:
    """Write config, weights and tokenizer (one token a character) into `folder`; the card of a model of the hub with these files."""
    import torch
    from tokenizers import BertWordPieceTokenizer
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    words = [*SPECIAL, *SIGNS, *(f"##{sign}" for sign in SIGNS)]
    tokenizer = BertWordPieceTokenizer(vocab={word: i for i, word in enumerate(words)})
    names = dict(zip(["pad_token", "unk_token", "cls_token", "sep_token", "mask_token"], SPECIAL, strict=True))
    PreTrainedTokenizerFast(tokenizer_object=tokenizer._tokenizer, **names).save_pretrained(folder)
    torch.manual_seed(0)
    shape = {"hidden_size": width, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
    BertModel(BertConfig(vocab_size=len(words), **shape)).save_pretrained(folder)
    files = sorted(folder.iterdir())
    size = sum(file.stat().st_size for file in files)
    return ModelCard(
        name="untrained",
        title="Untrained encoder (random weights, for tests)",
        family="minilm",
        modality="literature",
        tasks=("literature.ask",),
        source="hub",
        licence="Apache-2.0",
        summary="Untrained: its numbers mean nothing.",
        revision="0123456789abcdef0123456789abcdef01234567",
        hub_id="bioloom-tests/untrained",
        files={file.name: file_sha256(file) for file in files},
        download_bytes=size,
        disk_bytes=size,
        peak_bytes=100_000_000,
        limits=("Untrained.",),
    )
