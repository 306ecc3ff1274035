"""RNABERT: a small masked network of non-coding RNA, trained on to bring bases together that a structural alignment pairs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from backend.domain import ModelCard, Quality
from backend.errors import ModelError
from backend.models.families.minilm import set_threads
from backend.models.registry import Found, check_pickle, family, is_untrained, published_files
from backend.models.rna_bert import BASES, Encoder, Floats, Shape, plain_names
from backend.models.stored import read_weights, shapes

TASKS = ("sequence.embed", "rna.align")
_ORIGINAL = "RNA_bert_config.json"
_ORIGINAL_VOCABULARY = {"<pad>": 0, "<mask>": 1, "A": 2, "U": 3, "G": 4, "C": 5}
_PAPER = "Akiyama and Sakakibara 2022, doi:10.1093/nargab/lqac012"
_PARAMETERS = 509_896  # computed from the shapes of the published file, heads included

_LIMITS = (
    "Reads at most 440 bases at once; longer sequences are read in windows that overlap by half.",
    "Knows the four bases only: any other letter is read as a hidden base.",
    "The published file's heads have decayed to nothing: it foretells hidden bases no better than chance (22.9% of 3,104, by us), "
    "so Bioloom uses its vectors only.",
    "Its mean vectors tell RNA families apart worse than counts of three-base words do (mean average precision 0.65 against 0.74 on 1,649 "
    "5S and transfer RNAs, measured here).",
    "Its alignments keep more base pairs than letters alone (66% against 57% on 200 pairs, measured here), but their score does not tell "
    "relatives from chance: 74% of related pairs score above a shuffled copy, 97% by letters.",
    "Trained on short non-coding RNA; of messenger RNA and long RNA it knows nothing.",
)

_FAMILIES = "1,649 5S ribosomal and transfer RNAs (ArchiveII, Rfam), cosine, each as a query"
_OURS, _OTHERS = "measured by us", "measured by us with mana438's weights"
_BY_ALIGN, _BY_FAMILIES = "bioloom evaluate rna.align", "python -m tests.benchmarks.rnabert_families"
_ALIGNED = "200 pairs of 5S ribosomal or transfer RNAs with known structures (ArchiveII)"
_QUALITY = (
    Quality("Base pairs kept by its alignments", 0.662, _ALIGNED, _OTHERS, 0.630, 0.695, _BY_ALIGN),
    Quality("Base pairs kept by letters alone", 0.572, _ALIGNED, _OURS, 0.537, 0.611, _BY_ALIGN),
    Quality("Related pairs that score above a shuffled copy", 0.735, _ALIGNED, _OTHERS, 0.675, 0.795, _BY_ALIGN),
    Quality("Related pairs above a shuffled copy, letters alone", 0.965, _ALIGNED, _OURS, 0.940, 0.990, _BY_ALIGN),
    Quality("Mean average precision of families", 0.646, _FAMILIES, _OTHERS, 0.638, 0.654, _BY_FAMILIES),
    Quality("Mean average precision of families, three-base words", 0.738, _FAMILIES, _OURS, 0.725, 0.752, _BY_FAMILIES),
)


def _peak(parameters: int) -> int:
    """Computed, not measured: torch itself and 4,096 letters at once, and single-precision weights twice while loading."""
    return 700_000_000 + 8 * parameters


def _card(name: str, title: str, **more: Any) -> ModelCard:
    return ModelCard(
        name=name,
        title=title,
        family="rnabert",
        modality="sequences",
        kinds=("rna", "dna"),
        tasks=TASKS,
        summary="A vector for every base of a short non-coding RNA, for aligning and comparing RNAs.",
        parameters=_PARAMETERS,
        peak_bytes=_peak(_PARAMETERS),
        paper=_PAPER,
        quality=_QUALITY,
        limits=_LIMITS,
        **more,
    )


CARDS = (
    _card(
        "rnabert",
        "RNABERT (multimolecule)",
        source="hub",
        hub_id="multimolecule/rnabert",
        revision="main",
        licence="AGPL-3.0, as its maker states for the converted weights",
        files={"model.safetensors": "", "config.json": "", "vocab.txt": ""},
        download_bytes=2_100_000,
        disk_bytes=2_100_000,
    ),
    _card(
        "rnabert-original",
        "RNABERT (mana438)",
        source="local",
        licence="none stated by its authors: ask them before any use beyond trying it",
        template=True,
    ),
)

# Human 5S RNA, and what transformers' BertModel with the published weights makes of it: mean over bases, first six numbers.
_GOLDEN = "GCCUACGGCCAUACCACCCUGAACGCGCCCGAUCUCGUCUGAUCUCGGAAGCUAAGCAGGGUCGGGCCUGGUUAGUACUUGGAUGGGAGACCGCCUGGGAAUACCGGGUGCUGUAGGCUUU"
_GOLDEN_MEAN = np.array([0.02305, -0.02755, 0.0, 0.05058, -0.25238, 0.01508])


def examine(folder: Path) -> Found:
    """Either the authors' own files (RNA_bert_config.json and a .pth) or multimolecule's (config.json, vocab.txt, weights)."""
    if (folder / _ORIGINAL).is_file():
        weights = _pth(folder)
        check_pickle(weights)
        _settings(folder / _ORIGINAL)
        parameters = sum(value.numel() for value in _weights(folder, True).values())
        told = "RNABERT as its authors published it."
        return Found((weights.name, _ORIGINAL), TASKS, 2, parameters, _peak(parameters), summary=told, limits=_LIMITS)
    files = published_files(folder)
    settings = _settings(folder / "config.json")
    if settings.get("model_type") != "rnabert":
        raise ModelError(f"{folder.name} is no RNABERT: its config.json names {settings.get('model_type')}.", "Choose an RNABERT folder.")
    vocabulary(folder)
    parameters = count(folder)
    return Found(files, TASKS, 2, parameters, _peak(parameters), summary="An RNABERT in multimolecule's layout.", limits=_LIMITS)


class RnaBert:
    """Vectors of RNA, one a base or one a sequence."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.window = encoder.window
        self.width = encoder.width

    def unknown(self, sequence: str) -> list[int]:
        """Letters (from 0) that the network does not know and reads as hidden."""
        return [at for at, letter in enumerate(sequence) if letter not in "ACGUT"]

    def residues(self, sequences: Sequence[str]) -> list[Floats]:
        """A vector for every letter of each sequence, (letters, width)."""
        return self._encoder.residues(sequences)

    def embed(self, sequences: Sequence[str]) -> Floats:
        """One vector a sequence, (m, width): the mean over its letters."""
        return self._encoder.embed(sequences)

    def exercise(self, length: int = 0, batch: int = 64) -> None:
        """Read `batch` RNAs of `length` bases (full windows unless given), so that memory can be measured."""
        size = min(length or self.window, self.window)
        self.embed([("GCAU" * (size // 4 + 1))[:size]] * batch)


@family(
    "rnabert",
    cards=CARDS,
    title="RNABERT",
    about="Short non-coding RNAs: vectors of their bases and alignments by them. It does not tell families apart better than word counts.",
    examine=examine,
)
def load(folder: Path | None, card: ModelCard, device: str) -> RnaBert:
    """Load a checkpoint in either published layout; nothing missing, nothing left over.

    Raises
    ------
    ModelError
        When weights or vocabulary are not an RNABERT's, or the published network gives other numbers than published.
    """
    assert folder is not None
    set_threads()
    original = (folder / _ORIGINAL).is_file()
    settings = _settings(folder / (_ORIGINAL if original else "config.json"))
    known = _ORIGINAL_VOCABULARY if original else vocabulary(folder)
    weights = plain_names(_weights(folder, original), card.title)
    heads, positions = int(settings["num_attention_heads"]), int(weights["places"].shape[0])
    width = int(weights["words"].shape[1])
    if weights["words"].shape[0] != len(known) or width % heads:
        raise ModelError(
            f"{card.title}: {weights['words'].shape[0]} vectors of letters, {len(known)} letters; {width} numbers over {heads} heads.",
            "Weights, vocabulary and settings are of different models: download all of them again.",
        )
    letters = {base: known[base if base in known else "T"] for base in BASES}
    made = RnaBert(Encoder(weights, Shape(heads, positions), letters, known["<pad>"], known["<mask>"], device))
    if width == 120 and not is_untrained(folder):
        found = made.embed([_GOLDEN])[0, : len(_GOLDEN_MEAN)]
        if not np.abs(found - _GOLDEN_MEAN).max() < (1e-3 if device == "cpu" else 2e-2):
            raise ModelError(f"{card.title} gives other numbers for a known RNA than published.", "Download the checkpoint again.")
    return made


def count(folder: Path) -> int:
    """Parameters of a folder's weights, read off their headers."""
    return sum(math.prod(shape) for shape in shapes(folder).values())


def vocabulary(folder: Path) -> dict[str, int]:
    """Token numbers of vocab.txt.

    Raises
    ------
    ModelError
        When it is missing or lacks a base, the padding or the hidden token.
    """
    file = folder / "vocab.txt"
    try:
        found = {line.strip(): at for at, line in enumerate(file.read_text(encoding="utf-8").splitlines()) if line.strip()}
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder.name} has no readable vocab.txt.", "Put the checkpoint's vocab.txt beside its weights.") from error
    missing = [token for token in ("<pad>", "<mask>", "A", "G", "C") if token not in found]
    if missing or not {"U", "T"} & set(found):
        raise ModelError(f"vocab.txt of {folder.name} lacks {', '.join(missing) or 'U'}.", "Put the checkpoint's own vocab.txt there.")
    return found


def _settings(file: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        int(found["num_attention_heads"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ModelError(f"{file.name} is no readable RNABERT configuration.", "Download the checkpoint again.") from error
    return dict(found)


def _pth(folder: Path) -> Path:
    files = sorted(folder.glob("*.pth"))
    if len(files) != 1:
        raise ModelError(f"{folder.name} holds {len(files)} files of weights (.pth).", "Leave the one that is meant in the folder.")
    return files[0]


def _weights(folder: Path, original: bool) -> dict[str, Any]:
    import torch

    return dict(torch.load(_pth(folder), map_location="cpu", weights_only=True)) if original else read_weights(folder)
