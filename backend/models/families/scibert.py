"""SciBERT: BERT trained on scientific papers, most of them biomedical, with a vocabulary of its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from backend.domain import ModelCard, Quality, digest
from backend.models.bert_checkpoint import Checkpoint, examine_with, named
from backend.models.bert_load import load_bert, text_card
from backend.models.bert_text import BertText
from backend.models.registry import family

VOCABULARY = "f0a650346e51ede8996710f79ba65d83fdb8da05b159f17037b74ba4e3a36c6f"  # of the published vocab.txt, uncased
_PIECES = 31_090
_LISTED = "5856b001787aafb7c71f26c807790d89795827a729cb59379691cad069c36e7c"  # of its pieces in order, one a line, the empty one left out
_TEXT = "Metformin reduced HbA1c by 1.2% in 209 patients with type 2 diabetes."
_IDS = (20210, 1797, 17194, 30130, 30116, 214, 158, 205, 170, 1863, 121, 22339, 568, 190, 1211, 170, 3604, 205)
_PAPER = "Beltagy, Lo and Cohan 2019, arXiv:1903.10676"
_ORIGIN = f"after fine-tuning, as published ({_PAPER}); not measured here"
_TASKS = ("literature.fill", "literature.embed", "literature.nearest")
_LIMIT = "Not trained to compare sentences: nearness of its vectors is a rough guide."

CARDS = (
    text_card(
        family="scibert",
        name="scibert",
        title="SciBERT (uncased)",
        hub_id="allenai/scibert_scivocab_uncased",
        revision="24f92d32b1bfb0bcaf9ab193ff3ad01e87732fc1",
        vocabulary=VOCABULARY,
        parameters=110_541_682,
        tasks=_TASKS,
        licence="Apache-2.0",
        summary="A masked language model of 1.14 million scientific papers, 82% of them biomedical; the base of many fine-tuned readers.",
        paper=_PAPER,
        quality=(
            Quality("entity F1", 0.9001, "BC5CDR", _ORIGIN),
            Quality("relation micro-F1", 0.8364, "ChemProt", _ORIGIN),
        ),
        limits=(_LIMIT,),
    ),
    text_card(
        family="scibert",
        name="scibert-cased",
        title="SciBERT (cased)",
        hub_id="allenai/scibert_scivocab_cased",
        parameters=110_561_676,
        tasks=_TASKS,
        licence="Apache-2.0",
        summary="SciBERT with capitals kept: gene symbols and abbreviations differ from words.",
        paper=_PAPER,
        limits=(_LIMIT,),
    ),
)


def _own(found: Checkpoint, vocabulary: Mapping[str, int]) -> bool:
    listed = digest("\n".join(piece for piece in sorted(vocabulary, key=vocabulary.__getitem__) if piece and vocabulary[piece] < _PIECES))
    return listed == _LISTED or named(found, "scibert", "scivocab")


@family(
    "scibert",
    cards=CARDS,
    title="SciBERT",
    about="Reads scientific English. Bare, it fills in hidden words and gives vectors of sentences; checkpoints fine-tuned from it mark "
    "genes, drugs and diseases, or classify relations. It writes no text and answers no question by itself.",
    examine=examine_with(_own),
)
def load(folder: Path | None, card: ModelCard, device: str) -> BertText:
    """Load a checkpoint; the published vocabulary is compared with its golden tokens."""
    return load_bert(folder, card, device, golden=(_TEXT, _IDS), vocabulary=VOCABULARY)
