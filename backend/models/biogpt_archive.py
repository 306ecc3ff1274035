"""BioGPT as fairseq stored it: one pickled file of weights, a dictionary and BPE codes; read without running anything of it."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backend.domain import ModelCard
from backend.errors import ModelError
from backend.models.device import precision
from backend.models.published import UnsafeError
from backend.models.whole import check_whole

_HEAD = 64  # numbers a head; of every published BioGPT
_SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")  # in fairseq's order, before the dictionary's own


def archive_files(folder: Path) -> tuple[str, ...]:
    """Weights, dictionary and codes of a folder, by name; empty where it holds no fairseq archive.

    Raises
    ------
    ModelError
        When there are weights but not what is needed to read text with them.
    """
    weights = next(
        (file for name in ("checkpoint_avg.pt", "checkpoint_best.pt", "checkpoint.pt") if (file := folder / name).is_file()), None
    )
    if weights is None:
        return ()
    words = next(iter(sorted([*folder.glob("dict.txt"), *folder.glob("dict.*.txt")])), None)
    codes = folder / "bpecodes"
    lacking = [name for name, there in (("dict.txt", words is not None), ("bpecodes", codes.is_file())) if not there]
    if words is None or lacking:
        raise ModelError(
            f"{folder} holds {weights.name} but no {' and no '.join(lacking)}.",
            "Copy dict.txt (of the data-bin folder) and bpecodes (of the data folder) from the published archive beside the weights.",
        )
    return weights.name, words.name, codes.name


def read_weights(file: Path) -> Mapping[str, Any]:
    """The archive as plain values; a file that holds anything but weights and settings is refused unread.

    Raises
    ------
    ModelError
        When opening it could run code, or it is damaged.
    """
    import torch

    try:
        with torch.serialization.safe_globals([argparse.Namespace]):  # fairseq keeps its settings in one: a bag of names and values
            held = torch.load(file, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except Exception as error:  # torch has many kinds for what is not a plain set of weights
        raise UnsafeError(
            f"{file.name} was refused: it is damaged, or holds something other than weights, and opening it could run code.",
            "Convert it with the script that transformers has for BioGPT, where you trust it, and add that folder.",
        ) from error
    if not isinstance(held, Mapping) or not isinstance(held.get("model"), Mapping):
        raise ModelError(
            f"{file.name} is no fairseq checkpoint: it holds no 'model'.", "Choose the checkpoint_avg.pt of the published archive."
        )
    return held


def read_vocabulary(words: Path, codes: Path) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Tokens and merges as BioGPT's tokenizer in transformers names them: the end of a word is marked, not its inside."""
    lines = [line.rsplit(" ", 1)[0] for line in words.read_text(encoding="utf-8").splitlines() if line.strip()]
    names = [*_SPECIAL, *(line[:-2] if line.endswith("@@") else f"{line}</w>" for line in lines)]
    merges = [(pair[0], pair[1]) for line in codes.read_text(encoding="utf-8").splitlines() if len(pair := line.split()) >= 2]
    return {name: at for at, name in enumerate(names)}, merges


def build(held: Mapping[str, Any], card: ModelCard, device: str) -> Any:
    """The network of transformers with these weights, every one of them placed.

    Raises
    ------
    ModelError
        When weights are missing, left over or of another shape.
    """
    import torch
    from transformers import BioGptConfig, BioGptForCausalLM

    weights = {_renamed(name): value for name, value in held["model"].items() if not name.endswith((".version", "_float_tensor"))}
    try:
        words, places = weights["biogpt.embed_tokens.weight"], weights["biogpt.embed_positions.weight"]
        inner = weights["biogpt.layers.0.fc1.weight"].shape[0]
        layers = 1 + max(int(found[1]) for name in weights if (found := re.match(r"biogpt\.layers\.(\d+)\.", name)))
    except (KeyError, ValueError, AttributeError) as error:
        raise ModelError(
            f"{card.title} lacks weights of a BioGPT: {error}.", "Choose the checkpoint_avg.pt of the published archive."
        ) from error
    weights.setdefault("output_projection.weight", words)
    config = BioGptConfig(
        vocab_size=words.shape[0],
        hidden_size=words.shape[1],
        num_hidden_layers=layers,
        num_attention_heads=_heads(held, words.shape[1]),
        intermediate_size=inner,
        max_position_embeddings=places.shape[0] - 2,
        tie_word_embeddings=bool(torch.equal(words, weights["output_projection.weight"])),
    )
    network = BioGptForCausalLM(config)
    shapes = {name: value.shape for name, value in network.state_dict().items()}
    check_whole(
        card.title,
        sorted(shapes.keys() - weights.keys()),
        sorted(name for name in shapes.keys() & weights.keys() if shapes[name] != weights[name].shape),
        sorted(weights.keys() - shapes.keys()),
    )
    network.load_state_dict(weights, strict=True)
    network.tie_weights()
    return network.eval().to(device=device, dtype=precision(device))


def _renamed(name: str) -> str:
    return name.removeprefix("decoder.") if name == "decoder.output_projection.weight" else re.sub(r"^decoder\.", "biogpt.", name)


def _heads(held: Mapping[str, Any], width: int) -> int:
    """Heads of attention: no shape tells them, so the settings are asked, and else every published BioGPT has 64 numbers a head."""
    settings = held.get("cfg") or {}
    model = settings.get("model") if isinstance(settings, Mapping) else None
    for source in (model, held.get("args")):
        found = source.get("decoder_attention_heads") if isinstance(source, Mapping) else getattr(source, "decoder_attention_heads", None)
        if isinstance(found, int) and found > 0 and width % found == 0:
            return found
    return max(1, width // _HEAD)
