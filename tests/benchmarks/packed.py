"""Residues a second, packed and padded: ``python -m tests.benchmarks.packed [8M 35M 650M]``, printed as JSON.

Ours lays sequences end to end; the peer is transformers' EsmForMaskedLM on the same weights and the same precision with naive padding:
batches as they come, padded to the longest under an attention mask. Both give the logits of every residue. Lengths are drawn from a
log-normal with a median of 290 residues and a sigma of 0.75, cut to 30 to 1,022: as Swiss-Prot's lengths lie (UniProtKB/Swiss-Prot
statistics: mean about 360, most between 100 and 600). Weights are random: speed does not depend on them. On a processor float32 and
one thread; on CUDA, where it is, also the shape of ESM-2 650M in bfloat16.
"""

from __future__ import annotations

import json
import platform
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from backend.domain import Json
from backend.models.families import esm
from tests.models import untrained_esm

SHAPES = {**untrained_esm.SHAPES, "650M": (33, 1280, 20)}
_ROUNDS = 5
_PEER_BATCH = 16
_RESIDUES = {"cpu": {"8M": 24_000, "35M": 8_000, "150M": 4_000, "650M": 2_000}, "cuda": {"650M": 1_000_000}}


def lengths(residues: int, seed: int = 0) -> list[int]:
    """Lengths of proteins, in random order, that sum to about `residues`."""
    drawn = np.clip(np.exp(np.random.default_rng(seed).normal(np.log(290), 0.75, residues // 50)), 30, 1022).astype(int)
    return [int(each) for each in drawn[: 1 + int(np.searchsorted(np.cumsum(drawn), residues))]]


def measure(size: str, device: str) -> dict[str, Json]:
    """Residues a second of both in alternating rounds, and their ratio."""
    import torch

    theirs = untrained_esm.network(SHAPES[size])
    vocabulary = untrained_esm.vocabulary()
    ours = esm.EsmModel(esm.build(theirs.state_dict(), theirs.config.to_dict(), vocabulary, device, size), vocabulary)
    kept = torch.bfloat16 if device == "cuda" else torch.float32
    theirs = theirs.to(device, kept)
    sizes = lengths(_RESIDUES[device][size])
    drawn = np.random.default_rng(1)
    rows = [drawn.integers(4, 24, each) for each in sizes]
    check = [rows[at] for at in np.argsort(sizes)[:3]]
    difference = max(
        float(np.abs(one - two).max()) for one, two in zip(ours.everywhere(check), _padded(theirs, check, device), strict=True)
    )
    _seconds(lambda: ours.everywhere(rows[:_PEER_BATCH]), device), _seconds(lambda: _padded(theirs, rows[:_PEER_BATCH], device), device)
    rounds = []
    for _ in range(_ROUNDS):
        packed = sum(sizes) / _seconds(lambda: ours.everywhere(rows), device)
        padded = sum(sizes) / _seconds(lambda: _padded(theirs, rows, device), device)
        rounds.append((packed, padded))
    ratios = [packed / padded for packed, padded in rounds]
    return {
        "device": _name(device),
        "torch": torch.__version__,
        "precision": str(kept).removeprefix("torch."),
        "proteins": len(sizes),
        "residues": sum(sizes),
        "median_length": float(np.median(sizes)),
        "peer_batch": _PEER_BATCH,
        "padding_share": round(_padding(sizes), 3),
        "ours_residues_per_s": round(float(np.median([packed for packed, _ in rounds]))),
        "padded_residues_per_s": round(float(np.median([padded for _, padded in rounds]))),
        "ratio": round(float(np.median(ratios)), 2),
        "ratio_lowest": round(min(ratios), 2),
        "ratio_highest": round(max(ratios), 2),
        "rounds": _ROUNDS,
        "largest_difference_of_log_probability": difference,
    }


def _padded(network: Any, rows: Sequence[Any], device: str) -> list[Any]:
    """Log-probabilities of the twenty by transformers, batches as they come."""
    import torch

    columns = [untrained_esm.vocabulary()[letter] for letter in esm.AMINO]
    made = []
    for start in range(0, len(rows), _PEER_BATCH):
        batch = rows[start : start + _PEER_BATCH]
        ids = torch.ones((len(batch), max(map(len, batch)) + 2), dtype=torch.long)
        real = torch.zeros_like(ids)
        for i, row in enumerate(batch):
            ids[i, : len(row) + 2] = torch.tensor([0, *row.tolist(), 2])
            real[i, : len(row) + 2] = 1
        with torch.inference_mode():
            logits = network(input_ids=ids.to(device), attention_mask=real.to(device)).logits[:, :, columns]
            found = torch.log_softmax(logits.float(), -1).cpu().numpy()
        made += [found[i, 1 : len(row) + 1] for i, row in enumerate(batch)]
    return made


def _padding(sizes: Sequence[int]) -> float:
    parts = [sizes[at : at + _PEER_BATCH] for at in range(0, len(sizes), _PEER_BATCH)]
    return 1 - sum(sizes) / sum(len(part) * max(part) for part in parts)


def _seconds(work: Callable[[], object], device: str) -> float:
    import torch

    if device == "cuda":
        torch.cuda.synchronize()
    began = time.perf_counter()
    work()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - began


def _name(device: str) -> str:
    import torch

    if device == "cuda":
        return torch.cuda.get_device_name()
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        names = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    return f"{names[0] if names else platform.processor()}, {torch.get_num_threads()} thread"


def main() -> None:
    import torch

    torch.set_num_threads(1)
    found = {f"{size}, cpu": measure(size, "cpu") for size in sys.argv[1:] or ("8M", "35M")}
    if torch.cuda.is_available():
        found["650M, cuda"] = measure("650M", "cuda")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
