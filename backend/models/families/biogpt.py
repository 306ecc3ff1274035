"""BioGPT: a decoder trained on PubMed abstracts, and its fine-tunes that give verdicts or write relations out."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from backend.domain import ModelCard, Quality
from backend.errors import ModelError
from backend.models.biogpt_archive import archive_files, build, read_vocabulary, read_weights
from backend.models.biogpt_model import BioGptModel
from backend.models.biogpt_purposes import (
    LEARNED,
    PURPOSE_FILE,
    PURPOSES,
    purpose_in,
    purpose_of,
)
from backend.models.biogpt_tokens import BioGptCodec, archive_tokenizer, published_tokenizer
from backend.models.families.minilm import set_threads
from backend.models.registry import Found, family, published_files
from backend.models.whole import load_whole

_KNOWN_TEXT = "COVID-19 is"
_KNOWN_IDS = [2, 4805, 9, 656, 21]  # of the published vocabulary
_PAPER = "Luo et al. 2022, doi:10.1093/bib/bbac409"
_ORIGIN = f"published ({_PAPER}); not measured here"
_VOCABULARY = {"biogpt": 42_384, "large": 57_717}
_REPEATED = {"biogpt": 42_384 * 1_024}  # its published file holds the word vectors a second time, as the output layer


def _parameters(layers: int, width: int, words: int, places: int) -> int:
    return (words + places + 2) * width + layers * (12 * width**2 + 13 * width) + 2 * width


def _peak(parameters: int, stored: int) -> int:
    """Computed, not measured: libraries, single-precision weights, and the stored file while it is read."""
    return 700_000_000 + 4 * parameters + stored


def _card(name: str, title: str, hub_id: str, size: tuple[int, int, int, int], **more: Any) -> ModelCard:
    parameters = _parameters(*size)
    stored = 4 * (parameters + _REPEATED.get(name, 0))
    made = ModelCard(
        name=name,
        title=title,
        family="biogpt",
        modality="literature",
        tasks=("literature.write",),
        source="hub",
        licence="MIT",
        summary="Continues text in the manner of PubMed abstracts. What it states may be false: nothing it writes is evidence.",
        revision="main",
        hub_id=hub_id,
        files={"config.json": "", "merges.txt": "", "pytorch_model.bin": "", "vocab.json": ""},
        parameters=parameters,
        download_bytes=stored,
        disk_bytes=stored,
        peak_bytes=_peak(parameters, stored),
        paper=_PAPER,
        limits=(
            "Writes fluent statements that are false.",
            f"Holds {size[3]:,} tokens of prompt and text together.",
            "Trained on 15 million titles and abstracts up to 2021, in English.",
        ),
    )
    return replace(made, **more)


_BASE, _XL = (24, 1_024, _VOCABULARY["biogpt"], 1_024), (48, 1_600, _VOCABULARY["large"], 2_048)
CARDS = (
    _card("biogpt", "BioGPT", "microsoft/biogpt", _BASE, revision="eb0d815e95434dc9e3b78f464e52b899bee7d923"),
    _card("biogpt-large", "BioGPT Large", "microsoft/BioGPT-Large", _XL, revision="c6a5136a91c5e3150d9f05ab9d33927a3210a22e"),
    _card(
        "biogpt-large-pubmedqa",
        "BioGPT Large for PubMedQA",
        "microsoft/BioGPT-Large-PubMedQA",
        (48, 1_600, _VOCABULARY["large"] + LEARNED, 2_048),
        tasks=PURPOSES[0].tasks,
        summary="Says yes, no or maybe to a question about an abstract, by the likelihood of each answer.",
        quality=(Quality("accuracy", 0.81, "PubMedQA", f"published (repository of {_PAPER}); not measured here"),),
        limits=(
            "In training it also read the paper's own conclusion, which is not given to it here unless it stands in the text.",
            "Its probabilities are not calibrated.",
        ),
    ),
    _card(
        "biogpt-fine-tunes",
        "BioGPT fine-tunes (a folder of yours)",
        "",
        _BASE,
        source="local",
        template=True,
        revision="",
        files={},
        download_bytes=0,
        disk_bytes=0,
        tasks=("literature.verdict", "literature.relations", "literature.write"),
        summary="The published fairseq archives RE-BC5CDR, RE-DDI, RE-DTI and QA-PubMedQA: bring a folder with checkpoint_avg.pt, dict.txt "
        "and bpecodes. Its name, or a file purpose.txt in it, says which fine-tune it is.",
        quality=(
            Quality("F1", 0.4498, "BC5CDR, end to end", _ORIGIN),
            Quality("F1", 0.4076, "DDI, end to end", _ORIGIN),
            Quality("F1", 0.3842, "KD-DTI, end to end", _ORIGIN),
            Quality("accuracy", 0.782, "PubMedQA", _ORIGIN),
        ),
        limits=("More than half of the relations it writes are wrong or missing on the published tests.",),
    ),
)


def examine(folder: Path) -> Found:
    """A BioGPT in the format of transformers or of fairseq, and what it was fine-tuned for.

    Raises
    ------
    ModelError
        When the folder holds something else, or a part of it is missing.
    """
    archive = archive_files(folder)
    files = archive or published_files(folder)
    parameters = 0
    if not archive:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        if config.get("model_type") != "biogpt":
            raise ModelError(f"{folder} is no BioGPT: its network is of the kind {config.get('model_type')}.", "Choose a BioGPT folder.")
        if lacking := [name for name in ("vocab.json", "merges.txt") if not (folder / name).is_file()]:
            raise ModelError(f"{folder} holds no {' and no '.join(lacking)}.", "Put the checkpoint's vocabulary beside its weights.")
        shape = ("num_hidden_layers", "hidden_size", "vocab_size", "max_position_embeddings")
        parameters = _parameters(*(int(config.get(name, 0)) for name in shape))
    else:
        parameters = sum(value.numel() for value in read_weights(folder / archive[0])["model"].values() if hasattr(value, "numel"))
    extra = (PURPOSE_FILE,) if (folder / PURPOSE_FILE).is_file() else ()
    purpose = purpose_in(folder)
    stored = sum((folder / name).stat().st_size for name in files if name.endswith((".safetensors", ".bin", ".pt")))
    return Found(
        files=tuple(dict.fromkeys((*files, *extra))),
        tasks=purpose.tasks if purpose else CARDS[0].tasks,
        certainty=2,
        parameters=parameters,
        peak_bytes=700_000_000 + 3 * stored,
        summary=f"BioGPT, fine-tuned for {purpose.title}." if purpose else "BioGPT as a language model.",
        limits=(CARDS[0].limits[0],)
        if purpose
        else (
            CARDS[0].limits[0],
            f"Taken for a plain language model: if it was fine-tuned, write one of {', '.join(each.key for each in PURPOSES)} into a file "
            f"{PURPOSE_FILE} in the folder and add it again.",
        ),
    )


@family(
    "biogpt",
    cards=CARDS,
    title="BioGPT",
    about="Continues biomedical text; fine-tunes of it say yes, no or maybe to a question, or write out the relations that a text states. "
    "A relation counts as found only where its words stand in your text.",
    examine=examine,
)
def load(folder: Path | None, card: ModelCard, device: str) -> BioGptModel:
    """Load a BioGPT checkpoint of either format.

    Raises
    ------
    ModelError
        When weights are missing, or vocabulary and weights do not belong together.
    """
    assert folder is not None
    set_threads()
    archive = archive_files(folder)
    if archive:
        tokenizer = archive_tokenizer(*read_vocabulary(folder / archive[1], folder / archive[2]))
        network = build(read_weights(folder / archive[0]), card, device)
    else:
        tokenizer = published_tokenizer(folder)
        network = load_whole("BioGptForCausalLM", folder, card, device)
    codec = BioGptCodec(tokenizer, int(network.config.vocab_size))
    purpose = purpose_in(folder) if card.source == "local" else purpose_of(card.name)
    model = BioGptModel(network, codec, device, purpose)
    _check(model, card, len(tokenizer.encoder))
    return model


def _check(model: BioGptModel, card: ModelCard, words: int) -> None:
    remedy = "Choose the vocabulary that belongs to these weights, or fetch the model again."
    ids = model.codec.read(_KNOWN_TEXT)
    if max(ids) >= model.rows or model.unknown_share(_KNOWN_TEXT) > 0.1:
        raise ModelError(f"{card.title} does not know common words: its vocabulary and its weights do not belong together.", remedy)
    if words == _VOCABULARY["biogpt"] and ids != _KNOWN_IDS:
        raise ModelError(f"{card.title} cuts a known text into other tokens than published.", remedy)
    if model.purpose and len(model.codec.learned) not in (0, LEARNED):
        raise ModelError(
            f"{card.title} has {len(model.codec.learned)} virtual tokens; the published fine-tunes have {LEARNED}.",
            "Choose the dict.txt or vocab.json that belongs to these weights.",
        )
