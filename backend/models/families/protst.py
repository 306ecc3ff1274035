"""ProtST: how well a description in words fits a protein, without an example of either."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np

from backend.domain import ModelCard, Quality
from backend.errors import ModelError
from backend.models.families.minilm import set_threads
from backend.models.protein_text import ProteinText, build
from backend.models.registry import Found, family, published_files
from backend.models.stored import read_weights, shapes, weight_files

_SIGNS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_UBIQUITIN = "MQIFVKTLTGKTITLEVEPSDTIENVKAKIQDKEGIPPDQQRLIFAGKQLEDGRTLSDYNIQKESTLHLVLRLRGG"
_SENTENCE = "Binds oxygen in the cytoplasm and transports it to the cell membrane."
_PARAMETERS = 765_000_000  # ESM-1b's 652 million, PubMedBERT's 109 million, the projections
_BYTES = 2 * _PARAMETERS  # published in half precision


def _peak(parameters: int, stored: int) -> int:
    """Computed, not measured: libraries, single-precision weights, and the stored file while it is read."""
    return 600_000_000 + 4 * parameters + stored


CARD = ModelCard(
    name="protst-esm1b",
    title="ProtST (ESM-1b)",
    family="protst",
    modality="sequences",
    kinds=("protein",),
    tasks=("protein.function", "protein.retrieve", "sequence.embed"),
    source="hub",
    licence="not stated with the weights; its authors' code is Apache-2.0",
    summary="A protein encoder and a text encoder trained into one space on Swiss-Prot's descriptions: fits words to proteins.",
    revision="main",
    hub_id="mila-intel/ProtST-esm1b",
    files={"config.json": "", "pytorch_model.bin": "", "vocab.txt": ""},
    # the vocabulary of its text encoder
    borrowed={"vocab.txt": "microsoft/BiomedNLP-BiomedBERT-base-uncased-abstract@d673b8835373c6fa116d6d8006b33d48734e305d"},
    parameters=_PARAMETERS,
    download_bytes=_BYTES,
    disk_bytes=_BYTES,
    peak_bytes=_peak(_PARAMETERS, _BYTES),
    paper="Xu et al. 2023, arXiv:2301.12040",
    quality=(
        Quality(
            "accuracy without examples",
            0.44,
            "subcellular location of test proteins, ten classes by name",
            "the authors' published account of the hub's checkpoint; not measured here",
        ),
    ),
    limits=(
        "Its probabilities compare the descriptions that you give with each other: if none is true, one of them still comes first.",
        "They are not calibrated, and they change with the wording.",
        "Was trained on the descriptions of known proteins: what is unlike them is guessed from what is like them.",
        "Reads 1,022 residues at once and 127 word pieces of a description.",
    ),
)


def examine(folder: Path) -> Found:
    """A folder with config.json of model_type protst, its weights, and the text encoder's vocab.txt.

    Raises
    ------
    ModelError
        When it is none, or lacks the vocabulary.
    """
    files = published_files(folder)
    settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if settings.get("model_type") != "protst" or not {"protein_config", "text_config"} <= set(settings):
        raise ModelError(f"{folder} is no ProtST: its config.json does not name both encoders.", "Choose a checkpoint of ProtST.")
    if "vocab.txt" not in files:
        raise ModelError(
            f"{folder} has no vocab.txt, so descriptions cannot be read.",
            "Put the vocab.txt of its text encoder (PubMedBERT, abstracts) beside the weights.",
        )
    parameters = sum(math.prod(shape) for shape in shapes(folder).values())
    stored = sum(file.stat().st_size for file in weight_files(folder))
    return Found(
        tuple(name for name in files if not name.startswith("tokenizer")),
        CARD.tasks,
        certainty=2,
        parameters=parameters,
        peak_bytes=_peak(parameters, stored),
    )


@family(
    "protst",
    cards=(CARD,),
    title="ProtST",
    about="Joins proteins and words: says which of your descriptions fits a protein best, and finds the proteins of a set that fit a "
    "description. A guess to follow up, not an annotation.",
    examine=examine,
)
def load(folder: Path | None, card: ModelCard, device: str) -> ProteinText:
    """Load both encoders and their projections.

    Raises
    ------
    ModelError
        When weights are missing or left over, the vocabulary is another one, or nothing usable comes out.
    """
    assert folder is not None
    set_threads()
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    words = {line.strip(): at for at, line in enumerate((folder / "vocab.txt").read_text(encoding="utf-8").splitlines())}
    if missing := [sign for sign in _SIGNS if sign not in words]:
        raise ModelError(
            f"The vocab.txt of {card.title} lacks {', '.join(missing)}: it is not that of a text encoder.",
            "Put the vocab.txt of its text encoder (PubMedBERT, abstracts) beside the weights.",
        )
    made = build(read_weights(folder), config, words, device, card.title)
    if card.source == "hub" and not made.unknown_share(_SENTENCE) < 0.1:
        raise ModelError(f"{card.title} does not know common words: its vocabulary was not read.", "Fetch it again.")
    if not np.isfinite(made.embed([_UBIQUITIN])).all():
        raise ModelError(f"{card.title} gives no usable numbers.", "Fetch it again, or take the checkpoint from its makers.")
    return made
