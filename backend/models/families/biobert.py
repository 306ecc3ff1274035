"""BioBERT: BERT trained further on PubMed abstracts, with BERT's own cased vocabulary; and its fine-tune that finds answers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from backend.domain import ModelCard, Quality
from backend.models.bert_checkpoint import Checkpoint, examine_with, named
from backend.models.bert_load import load_bert, text_card
from backend.models.bert_text import BertText
from backend.models.registry import family

_PAPER = "Lee et al. 2020, doi:10.1093/bioinformatics/btz682"
_ORIGIN = f"after fine-tuning, as published ({_PAPER}); not measured here"
_LICENCE = "not stated with the weights; its code is Apache-2.0"
_BARE = ("literature.embed", "literature.nearest")
_LIMITS = (
    "Not trained to compare sentences: nearness of its vectors is a rough guide.",
    "A general vocabulary: drug names are cut into many pieces.",
)

CARDS = (
    text_card(
        family="biobert",
        name="biobert",
        title="BioBERT v1.2",
        hub_id="dmis-lab/biobert-base-cased-v1.2",
        revision="67c9c25b46986521ca33df05d8540da1210b3256",
        parameters=108_931_396,
        tasks=("literature.fill", *_BARE),
        licence=_LICENCE,
        summary="BERT trained further on PubMed abstracts, capitals kept, with its head for hidden words.",
        paper=_PAPER,
        limits=_LIMITS,
    ),
    text_card(
        family="biobert",
        name="biobert-v1.1",
        title="BioBERT v1.1",
        hub_id="dmis-lab/biobert-v1.1",
        revision="551ca18efd7f052c8dfa0b01c94c2a8e68bc5488",
        parameters=108_310_272,
        tasks=_BARE,
        licence=_LICENCE,
        summary="BERT trained further on PubMed abstracts, capitals kept; the encoder of the paper's figures.",
        paper=_PAPER,
        quality=(
            Quality("entity F1", 0.8971, "NCBI-disease", _ORIGIN),
            Quality("entity F1", 0.9347, "BC5CDR, chemicals", _ORIGIN),
        ),
        limits=_LIMITS,
    ),
    text_card(
        family="biobert",
        name="biobert-large",
        title="BioBERT large v1.1",
        hub_id="dmis-lab/biobert-large-cased-v1.1",
        parameters=364_299_264,
        tasks=_BARE,
        licence=_LICENCE,
        summary="The large BioBERT: 24 layers and a vocabulary of 58,996 pieces.",
        paper=_PAPER,
        limits=_LIMITS[:1],
    ),
    text_card(
        family="biobert",
        name="biobert-squad",
        title="BioBERT v1.1, SQuAD",
        hub_id="dmis-lab/biobert-base-cased-v1.1-squad",
        parameters=108_311_810,
        tasks=("literature.answer",),
        licence=_LICENCE,
        summary="BioBERT fine-tuned on SQuAD: finds the words of a text that answer a question.",
        paper=_PAPER,
        limits=(
            "Fine-tuned on questions that the text answers: where it does not, an answer may be shown all the same.",
            "Its probabilities are not calibrated on biomedical questions.",
        ),
    ),
)


def _own(found: Checkpoint, vocabulary: Mapping[str, int]) -> bool:
    return named(found, "biobert")


@family(
    "biobert",
    cards=CARDS,
    title="BioBERT",
    about="Reads PubMed English with capitals kept. Its fine-tunes find answers in a text, mark named things or classify relations; bare, "
    "it fills in hidden words and gives vectors. It writes no text.",
    examine=examine_with(_own),
)
def load(folder: Path | None, card: ModelCard, device: str) -> BertText:
    """Load a checkpoint, bare or fine-tuned."""
    return load_bert(folder, card, device)
