"""PubMedBERT (now called BiomedBERT): BERT trained from the start on PubMed, with a vocabulary made of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from backend.domain import ModelCard, Quality
from backend.models.bert_checkpoint import Checkpoint, examine_with, named
from backend.models.bert_load import load_bert, text_card
from backend.models.bert_text import BertText
from backend.models.registry import family

_PIECES = 30_522  # as many as BERT's uncased vocabulary has; the words below are whole in this one only (Gu et al. 2021, table 1)
_WHOLE = ("lymphoma", "lidocaine", "naloxone", "acetyltransferase", "nephropathy")
_PAPER = "Gu et al. 2021, doi:10.1145/3458754"
_ORIGIN = f"after fine-tuning, as published for BLURB ({_PAPER}); not measured here"
_TASKS = ("literature.fill", "literature.embed", "literature.nearest")
_LIMIT = "Not trained to compare sentences: nearness of its vectors is a rough guide."

CARDS = (
    text_card(
        family="pubmedbert",
        name="pubmedbert",
        title="PubMedBERT, abstracts and full texts",
        hub_id="microsoft/BiomedNLP-BiomedBERT-base-uncased-abstract-fulltext",
        revision="e1354b7a3a09615f6aba48dfad4b7a613eef7062",
        parameters=110_104_890,
        tasks=_TASKS,
        licence="MIT",
        summary="A masked language model made of PubMed abstracts and PubMed Central full texts alone; biomedical words stay whole.",
        paper=_PAPER,
        limits=(_LIMIT,),
    ),
    text_card(
        family="pubmedbert",
        name="pubmedbert-abstract",
        title="PubMedBERT, abstracts",
        hub_id="microsoft/BiomedNLP-BiomedBERT-base-uncased-abstract",
        revision="d673b8835373c6fa116d6d8006b33d48734e305d",
        parameters=110_104_890,
        tasks=_TASKS,
        licence="MIT",
        summary="A masked language model made of PubMed abstracts alone; the base of many fine-tuned readers.",
        paper=_PAPER,
        quality=(
            Quality("relation micro-F1", 0.7724, "ChemProt", _ORIGIN),
            Quality("accuracy", 0.5584, "PubMedQA, yes/no/maybe", _ORIGIN),
        ),
        limits=(_LIMIT,),
    ),
)


def _own(found: Checkpoint, vocabulary: Mapping[str, int]) -> bool:
    words = len(vocabulary) >= _PIECES and all(word in vocabulary for word in _WHOLE)
    return words or named(found, "pubmedbert", "biomedbert")


@family(
    "pubmedbert",
    cards=CARDS,
    title="PubMedBERT",
    about="Reads PubMed English; its vocabulary was made of it, so that biomedical words stay whole. Bare, it fills in hidden words, gives "
    "vectors and re-ranks what a word search found; its fine-tunes mark named things, classify relations and judge yes, no or maybe.",
    examine=examine_with(_own),
)
def load(folder: Path | None, card: ModelCard, device: str) -> BertText:
    """Load a checkpoint, bare or fine-tuned."""
    return load_bert(folder, card, device)
