"""Networks in the published format, loaded whole or not at all: a weight that is missing would be random, and nobody would see it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from backend.domain import ModelCard
from backend.errors import ModelError
from backend.models.device import precision

_HARMLESS = re.compile(r"(\.version|\.masked_bias|\.attn\.bias|position_ids|inv_freq)$")  # buffers that older writers stored
_SHOWN = 3


def load_whole(kind: str, folder: Path, card: ModelCard, device: str) -> Any:
    """A network of transformers from a folder, every weight of it read and every stored weight used.

    Parameters
    ----------
    kind : str
        Name of the class in transformers, its head included: ``OPTForCausalLM``.

    Raises
    ------
    ModelError
        When weights are missing, of another shape, or left over.
    """
    import transformers
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    network, info = getattr(transformers, kind).from_pretrained(
        folder,
        local_files_only=True,
        trust_remote_code=False,
        weights_only=True,
        use_safetensors=any(folder.glob("*.safetensors")),
        dtype=precision(device),
        ignore_mismatched_sizes=True,
        output_loading_info=True,
    )
    missing = sorted(info["missing_keys"])
    other = sorted(str(each[0]) for each in info["mismatched_keys"])
    left = sorted(name for name in info["unexpected_keys"] if not _HARMLESS.search(name))
    check_whole(card.title, missing, other, left)
    return network.eval().to(device)


def check_whole(title: str, missing: list[str], other: list[str], left: list[str]) -> None:
    """Refuse, by name, weights that are missing, of another shape, or left over."""
    for names, what in (
        (missing, "lacks weights of this kind of network"),
        (other, "has weights of another shape than its settings say"),
        (left, "holds weights that this kind of network has no place for"),
    ):
        if names:
            more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
            raise ModelError(
                f"{title} {what}: {', '.join(names[:_SHOWN])}{more}. It was not loaded, because the rest would be guesswork.",
                "Choose a checkpoint that was saved with its language-model head, or download it again.",
            )
