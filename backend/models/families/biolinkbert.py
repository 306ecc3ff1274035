"""BioLinkBERT: BERT trained on PubMed abstracts side by side with those that they cite."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from backend.domain import ModelCard, Quality
from backend.models.bert_checkpoint import Checkpoint, examine_with, named
from backend.models.bert_load import load_bert, text_card
from backend.models.bert_text import BertText
from backend.models.registry import family

_PAPER = "Yasunaga, Leskovec and Liang 2022, arXiv:2203.15827"
_ORIGIN = f"after fine-tuning, as published with the weights ({_PAPER}); not measured here"
_TASKS = ("literature.embed", "literature.nearest")  # published as encoders, without the head for hidden words
_LIMIT = "Not trained to compare sentences: nearness of its vectors is a rough guide."
_VERDICT = "A checkpoint fine-tuned on PubMedQA or BioASQ, added as a folder, judges yes, no or maybe; this one does not."


def _card(size: str, revision: str, parameters: int, pubmedqa: float, bioasq: float) -> ModelCard:
    return text_card(
        family="biolinkbert",
        name="biolinkbert" if size == "base" else f"biolinkbert-{size}",
        title=f"BioLinkBERT-{size}",
        hub_id=f"michiyasunaga/BioLinkBERT-{size}",
        revision=revision,
        parameters=parameters,
        tasks=_TASKS,
        licence="Apache-2.0",
        summary="An encoder trained on PubMed abstracts together with the papers that they cite; a strong base for questions on papers.",
        paper=_PAPER,
        quality=(
            Quality("accuracy", pubmedqa, "PubMedQA, yes/no/maybe", _ORIGIN),
            Quality("accuracy", bioasq, "BioASQ, yes/no", _ORIGIN),
        ),
        limits=(_LIMIT, _VERDICT),
    )


CARDS = (
    _card("base", "b71f5d70f063d1c8f1124070ce86f1ee463ca1fe", 108_232_704, 0.702, 0.914),
    _card("large", "main", 333_475_840, 0.722, 0.948),
)


def _own(found: Checkpoint, vocabulary: Mapping[str, int]) -> bool:
    return named(found, "biolinkbert", "linkbert")


@family(
    "biolinkbert",
    cards=CARDS,
    title="BioLinkBERT",
    about="Reads PubMed English and has learned which papers cite one another. Bare, it gives vectors; fine-tuned, it is among the best of "
    "its size at yes/no/maybe questions on abstracts. It writes no text.",
    examine=examine_with(_own),
)
def load(folder: Path | None, card: ModelCard, device: str) -> BertText:
    """Load a checkpoint, bare or fine-tuned."""
    return load_bert(folder, card, device)
