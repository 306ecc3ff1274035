"""Speed of variant scans on one processor core: `python -m tests.benchmarks.variants [8M 35M 150M]`, printed as JSON.

The peer is transformers' own network, one masked copy at a time, in the same process. Weights are random: speed does not depend on them.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import numpy as np

from backend.config import ROOT
from backend.domain import Json
from backend.models.families import esm
from backend.models.masked import AMINO
from backend.sequences.scan import scan
from tests.models import untrained_esm

PEER_COPIES = {"8M": 286, "35M": 24, "150M": 8}  # the larger ones are timed on some copies and told per copy


def measure(size: str, sequence: str) -> dict[str, Json]:
    """CPU-seconds of the whole masked scan, of one copy after another by transformers, and of the preview."""
    import torch
    from transformers.models.esm.configuration_esm import get_default_vocab_list

    vocabulary = {token: at for at, token in enumerate(get_default_vocab_list())}
    theirs = untrained_esm.network(untrained_esm.SHAPES[size])
    ours = esm.EsmModel(esm.build(theirs.state_dict(), theirs.config.to_dict(), vocabulary, "cpu", size), vocabulary)
    copies = PEER_COPIES[size]
    columns = [vocabulary[letter] for letter in AMINO]
    tokens = ours.tokens(sequence)

    def peer(i: int) -> Any:
        ids = torch.tensor([[0, *tokens, 2]])
        ids[0, i + 1] = ours.mask
        with torch.inference_mode():
            logits = theirs(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[0, i + 1, columns]
        return (logits - logits[AMINO.index(sequence[i])]).numpy()

    peer(0), ours.everywhere([tokens])  # neither is timed while it warms
    began = time.process_time()
    expected = np.array([peer(i) for i in range(copies)])
    theirs_s = (time.process_time() - began) / copies
    began = time.process_time()
    found = scan(ours, sequence).scores if size == "8M" else _some(ours, tokens, copies)
    ours_s = (time.process_time() - began) / (len(sequence) if size == "8M" else copies)
    began = time.process_time()
    scan(ours, sequence, "wildtype")
    preview = time.process_time() - began
    length = len(sequence)
    return {
        "residues": length,
        "copies_timed": copies,
        "transformers_cpu_s": round(theirs_s * length, 2),
        "bioloom_cpu_s": round(ours_s * length, 2),
        "times_fewer": round(theirs_s / ours_s, 2),
        "tokens_per_s": round((length + 2) / ours_s),
        "preview_cpu_s": round(preview, 3),
        "largest_difference": float(np.abs(found[:copies] - expected).max()) if size == "8M" else None,
    }


def _some(model: esm.EsmModel, tokens: Any, copies: int) -> Any:
    from backend.sequences.scan import hidden_scores

    return hidden_scores(model, tokens, range(copies))


def main() -> None:
    import torch

    torch.set_num_threads(1)
    sequence = "".join((ROOT / "assets" / "examples" / "tem-1.fasta").read_text().split("\n")[1:])
    print(json.dumps({size: measure(size, sequence) for size in sys.argv[1:] or untrained_esm.SHAPES}, indent=1))


if __name__ == "__main__":
    main()
