"""Small readers of our own: low-rank adapters on the embedded sentence encoder, trained by scripts of this project."""

from __future__ import annotations

import json
from pathlib import Path

from backend.domain import ModelCard, Quality
from backend.errors import ModelError
from backend.models.bert_marks import WordMarker
from backend.models.families import minilm
from backend.models.families.minilm import set_threads
from backend.models.labels import read_scheme
from backend.models.registry import family
from backend.models.stored import read_file, read_weights
from backend.models.word_pieces import read_word_pieces

WINDOW = 192  # word pieces, as in training

_BY = "bioloom evaluate literature.entities (how: the README, under Measured)"
_BC5CDR = "240 abstracts of BC5CDR kept apart from training"


def _f1(kind: str, value: float, low: float, high: float, data: str) -> Quality:
    return Quality(f"F1, {kind}", value, data, _BY, low, high)


ENTITIES = ModelCard(
    name="reader-entities",
    title="Bioloom's reader of chemicals, diseases and genes",
    family="readers",
    modality="literature",
    tasks=("literature.entities",),
    source="bundled",
    licence="Apache-2.0, as Bioloom; its base: Apache-2.0",
    summary="Marks chemicals, diseases and genes or proteins in biomedical English. Small; runs on any laptop.",
    revision="1",
    base=minilm.CARD.name,
    files={
        "entities.safetensors": "b8ec617c6a42a59cbe159e3a752b3d69361ad51539c5e0ec256ac9c9b37a8df3",
        "entities.json": "cbfebc7ea32c13d1cfd7378da06f614c28340be1a14fe4bf6a20f5849d40c5ed",
    },
    parameters=24_000_000,
    disk_bytes=2_668_256,
    peak_bytes=620_187_648,  # python -m backend.models.measure reader-entities (libraries included)
    peak_is_measured=True,
    paper="Base: Wang et al. 2020, arXiv:2002.10957; adapters: Hu et al. 2021, arXiv:2106.09685; data: BC5CDR (Li et al. 2016), "
    "NCBI-disease (Dogan et al. 2014), ChemProt (Krallinger et al. 2017), JNLPBA (Collier and Kim 2004)",
    quality=(
        _f1("chemicals", 0.878, 0.857, 0.898, _BC5CDR),
        _f1("diseases", 0.762, 0.737, 0.787, _BC5CDR),
        _f1("diseases", 0.861, 0.809, 0.911, "172 sentences of NCBI-disease; other sentences of the same abstracts were trained on"),
        _f1("genes and proteins", 0.759, 0.729, 0.788, "368 sentences of JNLPBA; other sentences of the same abstracts were trained on"),
    ),
    limits=(
        "Learned from abstracts of PubMed; clinical notes and full texts are unlike what it knows.",
        "Genes and proteins are its weakest kind, and are one kind to it.",
        "Names are marked, not linked to a database.",
        "Its probabilities were not checked for calibration.",
    ),
)


@family(
    "readers",
    cards=(ENTITIES,),
    title="Readers of our own",
    about="Small readers that come with Bioloom and work offline from the first start. Less exact than large fine-tuned models; what they "
    "were measured at stands on their cards.",
)
def load(folder: Path | None, card: ModelCard, device: str, base: Path) -> WordMarker:
    """The encoder at `base` with a reader's adapters added to its matrices, and the reader's head.

    Raises
    ------
    ModelError
        When an adapter does not fit the encoder.
    """
    import torch
    from transformers import BertConfig, BertForTokenClassification

    assert folder is not None
    set_threads()
    labels = tuple(json.loads((folder / "entities.json").read_text(encoding="utf-8"))["labels"])
    settings = json.loads((base / "config.json").read_text(encoding="utf-8"))
    config = BertConfig(**{**settings, "num_labels": len(labels)})
    network = BertForTokenClassification(config)
    added = read_file(folder / "entities.safetensors")
    weights = {f"bert.{name}": value for name, value in read_weights(base).items() if not name.startswith("pooler.")}
    for name in [name.removesuffix(".a") for name in added if name.endswith(".a")]:
        own = f"bert.{name}.weight"
        if own not in weights:
            raise ModelError(f"{card.title} changes {name}, which its base does not have.", "Verify the files of both on the Models page.")
        weights[own] = weights[own].float() + added[f"{name}.b"].float() @ added[f"{name}.a"].float()
    weights |= {f"classifier.{part}": added[f"head.{part}"].float() for part in ("weight", "bias")}
    lost = network.load_state_dict(weights, strict=False)
    if lost.missing_keys or [name for name in lost.unexpected_keys if not name.endswith("position_ids")]:
        raise ModelError(f"{card.title} does not fit its base.", "Verify the files of both on the Models page.")
    with torch.no_grad():
        network.eval().requires_grad_(False).to(device)
    return WordMarker(network, read_word_pieces(base, card.title), WINDOW, device, read_scheme(labels, card.title))
