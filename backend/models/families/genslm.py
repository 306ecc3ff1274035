"""GenSLMs: language models of prokaryotic and viral genes, codon by codon; weights come as a person's folder."""

from __future__ import annotations

import contextlib
import json
import pathlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backend.domain import ModelCard
from backend.errors import ModelError
from backend.models.codon_neox import CodonNetwork, Shape, read_shape, remap
from backend.models.codons import CODONS, CodonModel
from backend.models.device import precision
from backend.models.families.minilm import set_threads
from backend.models.registry import Found, family

TASKS = ("dna.genome", "dna.generate", "sequence.embed")
_WEIGHTS = (".pt", ".ckpt", ".safetensors", ".bin")
_KNOWN = "ATGGTGCATCTGACTCCTGAGGAGAAGTCTGCCGTTACTGCCCTGTGGGGCAAGGTGAACGTGGATGAAGTTGGTGGTGAGGCCCTGGGC"
_SHAPES = {  # layers, width, heads, inner width of the published architecture files; the name counts what it rounds
    "25M": (8, 512, 8, 2048),
    "250M": (12, 1840, 16, 2048),
    "2.5B": (28, 3840, 32, 4096),
}


def _card(size: str) -> ModelCard:
    layers, width, heads, inner = _SHAPES[size]
    shape = Shape(layers, width, heads, inner, 69, 2048, width // heads // 4, 10000.0, 1e-5, True, True)
    return ModelCard(
        name=f"genslm-{size.lower()}",
        title=f"GenSLM {size}",
        family="genslm",
        modality="sequences",
        kinds=("dna", "rna"),
        tasks=TASKS,
        source="local",
        licence="not stated for the weights: as their provider says; the code is MIT",
        summary=f"Foresees the next codon of a gene; {shape.parameters / 1e6:,.0f} million weights, learned from prokaryotic genes.",
        revision="published architecture",
        parameters=shape.parameters,
        peak_bytes=700_000_000 + 8 * shape.parameters,  # computed, not measured: libraries, float32 weights twice while loading
        paper="Zvyagin et al. 2023, doi:10.1177/10943420231201154",
        limits=(
            "The weights are not on a hub: put the published .pt, its architecture file and the codon tokenizer into one folder.",
            "Reads codons in one frame, 2,048 at once; introns, promoters and everything between genes is strange to it.",
            "Learned from prokaryotic genes (BV-BRC), later from SARS-CoV-2: human genes are not what it knows.",
            "The 25-billion model's published architecture cannot be computed (its width is no multiple of its heads) and is refused.",
        ),
        template=True,
    )


CARDS = tuple(_card(size) for size in _SHAPES)


def examine(folder: Path) -> Found:
    """The three files of a GenSLM in a folder: weights, architecture, codon tokenizer.

    Raises
    ------
    ModelError
        When one is missing or there are several of a kind, or the architecture cannot be computed.
    """
    weights, architecture, tokenizer, settings = _files(folder)
    shape = read_shape(settings, folder.name)
    vocabulary = read_vocabulary(tokenizer)
    _check_size(vocabulary, shape, folder.name)
    remap(_stored(weights, "meta"), shape, folder.name)
    return Found(
        files=tuple(sorted(file.name for file in (weights, architecture, tokenizer))),
        tasks=TASKS,
        certainty=2,
        parameters=shape.parameters,
        peak_bytes=700_000_000 + 8 * shape.parameters,
        summary=f"A GenSLM of {shape.parameters:,} weights from a folder on this machine.",
        limits=(f"Reads {shape.places:,} codons at once, in one frame.",),
    )


@family(
    "genslm",
    cards=CARDS,
    title="GenSLMs",
    about="Reads and writes genes codon by codon. Good for how expected each codon of a bacterial or viral gene is, for vectors of whole "
    "genes, and for writing coding sequences (always marked as generated); it knows nothing of what a gene is for.",
    examine=examine,
)
def load(folder: Path | None, card: ModelCard, device: str) -> CodonModel:
    """Load a GenSLM: every weight of its architecture, and none besides.

    Raises
    ------
    ModelError
        When a weight is missing, left over or of another shape, or the tokenizer does not know codons.
    """
    assert folder is not None
    set_threads()
    weights, _, tokenizer, settings = _files(folder)
    shape, vocabulary = read_shape(settings, card.title), read_vocabulary(tokenizer)
    _check_size(vocabulary, shape, card.title)
    network = CodonNetwork(remap(_stored(weights, "cpu"), shape, card.title), shape, device, precision(device))
    made = CodonModel(network, vocabulary)
    known = made.tokens([_KNOWN[at : at + 3] for at in range(0, len(_KNOWN), 3)])
    if (known == made.unknown).any():
        raise ModelError(f"{card.title} does not know codons of a well-known gene.", "Use the codon tokenizer that came with the weights.")
    return made


def read_vocabulary(file: Path) -> dict[str, int]:
    """Ids of a codon tokenizer (tokenizers' JSON, one word a codon).

    Raises
    ------
    ModelError
        When a codon or one of [UNK], [PAD] is missing.
    """
    vocabulary: dict[str, int] = _json(file).get("model", {}).get("vocab", {})
    if missing := [word for word in (*CODONS, "[UNK]", "[PAD]") if word not in vocabulary]:
        raise ModelError(f"{file.name} lacks {', '.join(missing[:4])}: it is no codon tokenizer.", "Use GenSLM's codon_wordlevel file.")
    return vocabulary


def _check_size(vocabulary: Mapping[str, int], shape: Shape, name: str) -> None:
    if max(vocabulary.values()) + 1 > shape.tokens:
        raise ModelError(
            f"The tokenizer of {name} has {max(vocabulary.values()) + 1} signs, its architecture {shape.tokens}.",
            "Use the tokenizer that belongs to the weights: 69 signs for the models of genes, 71 for those with [BOS] and [EOS].",
        )


def _files(folder: Path) -> tuple[Path, Path, Path, dict[str, Any]]:
    """Weights, architecture, tokenizer, and what the architecture says."""
    found = {file.name: _json(file) for file in sorted(folder.glob("*.json"))}
    shapes = [name for name, content in found.items() if content.get("model_type") == "gpt_neox"]
    tokenizers = [name for name, content in found.items() if "GGC" in _words(content)]
    weights = [file.name for file in sorted(folder.iterdir()) if file.suffix in _WEIGHTS]
    for what, names, remedy in (
        (
            "architecture file (a .json with model_type gpt_neox)",
            shapes,
            "neox_25,290,752.json from GenSLM's repository, for the 25M model",
        ),
        ("codon tokenizer (a .json with the codons)", tokenizers, "codon_wordlevel_69vocab.json from GenSLM's repository"),
        ("file of weights (.pt)", weights, "the downloaded checkpoint"),
    ):
        if len(names) != 1:
            which = f"holds no {what}" if not names else f"holds {len(names)} of a kind: {', '.join(names[:3])}; one {what} is needed"
            raise ModelError(f"{folder.name} {which}.", f"Put into one folder: {remedy}, and the two others.")
    return folder / weights[0], folder / shapes[0], folder / tokenizers[0], found[shapes[0]]


def _words(content: Mapping[str, Any]) -> Mapping[str, Any]:
    model = content.get("model")
    words = model.get("vocab") if isinstance(model, dict) else None
    return words if isinstance(words, dict) else {}


def _stored(file: Path, device: str) -> dict[str, Any]:
    """Tensors of a checkpoint: safetensors, plain weights, or PyTorch Lightning's, whose other content is read as plain data or refused."""
    if file.suffix == ".safetensors":
        if device == "meta":
            import torch
            from safetensors import safe_open

            with safe_open(file, framework="pt") as opened:
                return {key: torch.empty(opened.get_slice(key).get_shape(), device="meta") for key in opened.keys()}  # noqa: SIM118
        from safetensors.torch import load_file

        return dict(load_file(file))
    import torch

    plain: list[Any] = [pathlib.PosixPath, pathlib.PurePosixPath]  # Lightning keeps the paths of its training run: words, no code
    with contextlib.ExitStack() as stack:
        stack.enter_context(torch.serialization.safe_globals(plain))
        try:
            found = torch.load(file, map_location=device, weights_only=True)
        except OSError:
            raise
        except Exception as error:  # torch has many kinds for what is not a plain set of weights
            raise ModelError(
                f"{file.name} was refused: it holds something other than weights, and opening it could run code.",
                "Where you trust its maker, open it there and save its weights alone: torch.save(checkpoint['state_dict'], 'weights.pt').",
            ) from error
    found = found.get("state_dict", found) if isinstance(found, dict) else {}
    return {str(name): value for name, value in found.items() if hasattr(value, "shape")}


def _json(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
