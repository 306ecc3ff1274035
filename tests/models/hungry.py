"""A small network without any thrift, as a process to be measured: its attention is written out whole, so memory grows with the square.

``python -m tests.models.hungry NAME LENGTHS BATCHES`` registers it and measures as `backend.models.measure_child` does.
BIOLOOM_HUNGRY_LIMIT is the number of tokens at once above which it says that memory ran out.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from backend.domain import ModelCard
from backend.models import measure_child, registry
from backend.models.registry import Family

_WIDTH, _HEADS = 64, 8

CARD = ModelCard(
    name="hungry",
    title="Hungry",
    family="hungry",
    modality="sequences",
    tasks=("test.hunger",),
    source="bundled",
    licence="-",
    summary="-",
    revision="1",
    peak_bytes=700_000_000,
)


class Hungry:
    """One layer of attention with random weights."""

    window = 1024

    def __init__(self) -> None:
        import torch

        torch.manual_seed(0)
        self.project = torch.nn.Linear(_WIDTH, 3 * _WIDTH)

    def exercise(self, length: int = window, batch: int = 4) -> None:
        import torch

        if length * batch > int(os.environ.get("BIOLOOM_HUNGRY_LIMIT", "1000000")):
            raise torch.OutOfMemoryError("out of memory")
        with torch.inference_mode():
            query, key, value = self.project(torch.ones(batch, length, _WIDTH)).view(batch, length, 3, _HEADS, -1).permute(2, 0, 3, 1, 4)
            ((query @ key.transpose(-1, -2)).softmax(-1) @ value).sum()


def load(folder: Path | None, card: ModelCard, device: str) -> Any:
    return Hungry()


FAMILY = Family("hungry", "Hungry", "For tests.", load, (CARD,))

if __name__ == "__main__":
    registry.families()
    registry._FAMILIES["hungry"] = FAMILY
    sys.exit(measure_child.main(*sys.argv[1:4]))
