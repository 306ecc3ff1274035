"""AntiBERTy: a masked network of antibody variable domains."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.domain import ModelCard
from backend.errors import ModelError
from backend.models.dense import Dense
from backend.models.families.minilm import set_threads
from backend.models.masked import AMINO, Layer, Network
from backend.models.packed import Packed
from backend.models.protein import MaskedModel
from backend.models.registry import family

WINDOW = 510  # residues; 512 places with the first and the last
DOMAIN = 100  # residues of the stretch that is judged: a little shorter than a variable domain
MOST_PERPLEXITY = 6.0
"""Six variable domains of known antibodies had at most 2.9, everything else tried (13 proteins of UniRef50, a T-cell receptor, CD8, an
antibody's constant domain, TEM-1, GFP, ubiquitin) at least 13.9."""
_FOLDER = "AntiBERTy_md_smooth"

CARD = ModelCard(
    name="antiberty",
    title="AntiBERTy",
    family="antiberty",
    modality="sequences",
    kinds=("protein",),
    tasks=("protein.variants", "protein.similar", "sequence.embed"),
    source="wheel",
    licence="MIT",
    summary="A masked language model of 558 million antibody sequences, for substitutions in variable domains (VH, VL, VHH).",
    revision="0.1.3",
    package="antiberty",
    package_sha256="30d910992b190013871bac49cdc032e01a19339f7d2b958ab99b0eb44638352a",
    folder="antiberty/trained_models",
    files={
        "vocab.txt": "6db8c6cd6361eb233005b2dfe665d40d7f1ba78951bdf0fe61fa670ce192419a",
        f"{_FOLDER}/config.json": "e199c1692b5f0246ebc5522102044d6e900ffc7d56fa5932fdd5b3d56ef487e9",
        f"{_FOLDER}/pytorch_model.bin": "f1ae33eac8cc8784a7d4be5a600141d2fa7bc7d8d5b3f5324d64a6a63bd0f137",
    },
    parameters=25_759_769,
    download_bytes=96_531_379,
    disk_bytes=104_175_066,
    peak_bytes=467_165_184,  # python -m backend.models.measure antiberty (libraries included, one thread)
    peak_is_measured=True,
    paper="Ruffolo, Gray and Sulam 2021, arXiv:2112.07782",
    limits=(
        "Made for variable domains of antibodies: on any other protein its scores mean nothing.",
        "Scores what is usual among antibodies; it knows nothing of the antigen or of affinity.",
        "Reads at most 510 residues at once.",
    ),
)

# A well-known variable domain (trastuzumab, heavy chain) and what the published network makes of it.
_GOLDEN = "EVQLVESGGGLVQPGGSLRLSCAASGFNIKDTYIHWVRQAPGKGLEWVARIYPTNGYTRYADSVKGRFTISADTSKNTAYLQMNSLRAEDTAVYYCSRWGGDGFYAMDYWGQGTLVTVSS"
_GOLDEN_AT = 98
_GOLDEN_SCORES = np.array(
    [
        *(-3.77903, -5.77912, -2.30952, -2.57972, -5.16924, -2.28121, -4.38386, -5.22089, -4.73619, -4.24411),
        *(-5.52587, -4.98178, -4.48605, -4.36773, -3.45839, -3.33043, -4.90096, -3.91533, -0.67088, -4.6638),
    ]
)  # of transformers' BertForMaskedLM on the published weights
_FRAME = re.compile(r"C.{8,20}W.{50,80}C.{3,45}[FW]G.G")
"""Cysteine, tryptophan, cysteine and the J motif, as immunoglobulin and T-cell-receptor variable domains carry them (IMGT places 23,
41, 104, 118-121; Lefranc et al. 2003, doi:10.1016/S0145-305X(02)00039-3)."""


def suits(sequence: str) -> bool:
    """Whether a sequence carries the framework of a variable domain and is no longer than an antibody chain: reason to try AntiBERTy."""
    return bool(_FRAME.search(sequence)) and len(sequence) <= WINDOW


class AntibodyModel(MaskedModel):
    """AntiBERTy: a letter that is none of the twenty is read as hidden."""

    stand_in = "a hidden residue"
    sample = 6  # twenty of a variable domain

    def __init__(self, network: Network, vocabulary: Mapping[str, int]) -> None:
        mask = vocabulary["[MASK]"]
        super().__init__(network, {letter: vocabulary[letter] for letter in AMINO}, other=mask, mask=mask, window=WINDOW)

    def doubts(self, sequence: str, own: NDArray[np.float64]) -> list[str]:
        return doubts(sequence, own)


def doubts(sequence: str, own: NDArray[np.float64]) -> list[str]:
    """Why a sequence may be no variable domain: measured on how well the network foretells its hidden residues."""
    best = best_stretch(own)
    if best is None:
        return []
    told = []
    if np.exp(-best) > MOST_PERPLEXITY:
        told.append(
            "This does not look like an antibody variable domain: AntiBERTy foretells its hidden residues with a perplexity of "
            f"{np.exp(-best):.1f} (variable domains: up to {MOST_PERPLEXITY:g}; guessing: 20). Its scores mean nothing here."
        )
    elif len(sequence) > 150:
        told.append("AntiBERTy was made for variable domains (110 to 130 residues); scores outside of them mean little.")
    return told


def best_stretch(own: NDArray[np.float64]) -> float | None:
    """The highest mean of ln p over `DOMAIN` neighbouring residues (all of them in a shorter sequence); None where none was hidden."""
    held = np.isfinite(own)
    if not held.any():
        return None
    width = min(DOMAIN, len(own))
    sums, counts = (np.convolve(values, np.ones(width), "valid") for values in (np.where(held, own, 0.0), held.astype(float)))
    enough = counts >= counts.max() / 2  # where few were hidden, one lucky residue is no stretch
    return float((sums[enough] / counts[enough]).max())


@family("antiberty", cards=(CARD,))
def load(folder: Path | None, card: ModelCard, device: str) -> AntibodyModel:
    """Load the published network and check it on a known antibody.

    Raises
    ------
    ModelError
        When its vocabulary or its scores are not the published ones.
    """
    import torch

    assert folder is not None
    set_threads()
    vocabulary = {line.strip(): at for at, line in enumerate((folder / "vocab.txt").read_text(encoding="utf-8").splitlines())}
    config = json.loads((folder / _FOLDER / "config.json").read_text(encoding="utf-8"))
    held = torch.load(folder / _FOLDER / "pytorch_model.bin", map_location="cpu", weights_only=True)
    model = AntibodyModel(build(held, config, vocabulary, device), vocabulary)
    found = model.everywhere([model.tokens(_GOLDEN)])[0][_GOLDEN_AT]
    if not np.abs(found - _GOLDEN_SCORES).max() < (1e-3 if device == "cpu" else 1e-2):
        raise ModelError(f"{card.title} gives other numbers for a known antibody than published.", "Remove the model and fetch it again.")
    return model


def build(held: Mapping[str, Any], config: Mapping[str, Any], vocabulary: Mapping[str, int], device: str) -> Network:
    """The network of weights named as transformers' ``BertForMaskedLM`` names them."""
    import torch
    from torch.nn.functional import layer_norm

    weights = {name: value.float().to(device) for name, value in held.items() if value.is_floating_point()}

    def pair(name: str) -> tuple[Any, Any]:
        return weights[f"{name}.weight"], weights[f"{name}.bias"]

    def dense(*names: str) -> Dense:
        found = [pair(name) for name in names]
        return Dense(torch.cat([weight for weight, _ in found]), torch.cat([bias for _, bias in found]))

    layers = [
        Layer(
            dense(*(f"{at}.attention.self.{part}" for part in ("query", "key", "value"))),
            dense(f"{at}.attention.output.dense"),
            pair(f"{at}.attention.output.LayerNorm"),
            dense(f"{at}.intermediate.dense"),
            dense(f"{at}.output.dense"),
            pair(f"{at}.output.LayerNorm"),
        )
        for at in (f"bert.encoder.layer.{i}" for i in range(int(config["num_hidden_layers"])))
    ]
    eps = float(config["layer_norm_eps"])
    words, norm = weights["bert.embeddings.word_embeddings.weight"], pair("bert.embeddings.LayerNorm")
    places = weights["bert.embeddings.position_embeddings.weight"] + weights["bert.embeddings.token_type_embeddings.weight"][0]
    columns = torch.tensor([vocabulary[letter] for letter in AMINO], device=device)
    decoder = Dense(weights["cls.predictions.decoder.weight"][columns], weights["cls.predictions.bias"][columns])

    def embed(packed: Packed) -> Any:
        return layer_norm(words[packed.ids] + places[packed.places], norm[0].shape, *norm, eps)

    return Network(
        layers=layers,
        heads=int(config["num_attention_heads"]),
        eps=eps,
        embed=embed,
        pre_norm=False,
        speed=None,
        final=None,
        head=(dense("cls.predictions.transform.dense"), pair("cls.predictions.transform.LayerNorm"), decoder),
        first=vocabulary["[CLS]"],
        last=vocabulary["[SEP]"],
        device=device,
    )
