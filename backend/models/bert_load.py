"""A BERT checkpoint on text made ready for use, and its proof: vocabulary, known tokens, finite numbers, hidden words foretold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from backend.domain import ModelCard, Quality
from backend.errors import ModelError
from backend.models.bert_answers import Answerer, Judge
from backend.models.bert_checkpoint import load_network, peak_of, read_checkpoint
from backend.models.bert_marks import PairReader, WordMarker
from backend.models.bert_text import BertText, WordFiller
from backend.models.families.minilm import set_threads
from backend.models.labels import verdict_columns
from backend.models.word_pieces import MASK, read_word_pieces

_KNOWN = "Metformin reduced HbA1c by 1.2% in 209 patients with type 2 diabetes."
_MOST_UNKNOWN = 0.1
_SENTENCE = "The patients were treated with insulin to lower their blood glucose."
_HIDDEN = ("patients", "treated", "blood", "glucose")
_TIMES_CHANCE = 100.0  # a model that learned anything of such texts foretells these words thousands of times better than chance
_REMEDY = "Remove the model and fetch it again."


def load_bert(
    folder: Path | None, card: ModelCard, device: str, golden: tuple[str, Sequence[int]] | None = None, vocabulary: str = ""
) -> BertText:
    """The predictor of a checkpoint, of the class that its head asks for.

    Parameters
    ----------
    golden : (text, tokens), optional
        What the family's published vocabulary makes of a text, special tokens not included.
    vocabulary : str
        SHA-256 of the vocab.txt that `golden` holds for; another vocabulary is not compared with it.

    Raises
    ------
    ModelError
        When a weight is missing or left over, the vocabulary is not the checkpoint's, or a published model knows nothing.
    """
    assert folder is not None
    set_threads()
    found = read_checkpoint(folder)
    pieces = read_word_pieces(folder, card.title)
    if max(pieces.vocabulary.values()) >= found.shapes["embeddings.word_embeddings.weight"][0]:
        raise ModelError(
            f"{card.title} has fewer word vectors than its vocabulary has words.", "Put the checkpoint's own vocabulary there."
        )
    if golden and vocabulary and card.files.get("vocab.txt") == vocabulary and list(pieces.cut([golden[0]])[0].ids) != list(golden[1]):
        raise ModelError(f"{card.title} cuts a known sentence into other pieces than published.", _REMEDY)
    head, window = found.head, int(found.config.get("max_position_embeddings", 512))
    network = load_network(found, head, device, card.title)
    made: BertText
    if head == "marks":
        made = WordMarker(network, pieces, window, device, found.scheme)
    elif head == "relations":
        made = PairReader(network, pieces, window, device, found.labels)
    elif head == "verdict":
        made = Judge(network, pieces, window, device, verdict_columns(found.labels) or {})
    elif head == "spans":
        made = Answerer(network, pieces, window, device)
    else:
        made = (WordFiller if head == "words" else BertText)(network, pieces, window, device)
    _check(made, card)
    return made


def text_card(
    *, family: str, name: str, title: str, hub_id: str, parameters: int, tasks: tuple[str, ...], licence: str, summary: str, paper: str,
    revision: str = "main", vocabulary: str = "", quality: tuple[Quality, ...] = (), limits: tuple[str, ...] = (),
) -> ModelCard:  # fmt: skip
    """The card of a published checkpoint. Hashes that are not known here are left empty: what is received first is noted.

    Sizes and memory are computed from the number of parameters, four bytes each; neither was measured.
    """
    return ModelCard(
        name=name,
        title=title,
        family=family,
        modality="literature",
        tasks=tasks,
        source="hub",
        licence=licence,
        summary=summary,
        revision=revision,
        hub_id=hub_id,
        files={"config.json": "", "pytorch_model.bin": "", "vocab.txt": vocabulary},
        parameters=parameters,
        download_bytes=4 * parameters,
        disk_bytes=4 * parameters,
        peak_bytes=peak_of(parameters),
        paper=paper,
        quality=quality,
        limits=("Reads at most 512 word pieces at once; longer texts in windows.", *limits),
    )


def _check(model: BertText, card: ModelCard) -> None:
    if (share := model.unknown_share(_KNOWN)) > _MOST_UNKNOWN:
        raise ModelError(
            f"{card.title} does not know {share:.0%} of a common sentence: its vocabulary or its casing was not read.",
            "Put the checkpoint's own vocab.txt and tokenizer_config.json beside its weights.",
        )
    if not np.isfinite(model.embed([_KNOWN])).all():
        raise ModelError(f"{card.title} gives no usable numbers.", _REMEDY)
    if isinstance(model, WordFiller) and card.source != "local" and not card.untrained and foretold(model) < np.log(_TIMES_CHANCE):
        raise ModelError(f"{card.title} does not foretell the words of a plain sentence: its weights are not the published ones.", _REMEDY)


def foretold(model: WordFiller) -> float:
    """Mean of ln p of four hidden words of a known sentence, above that of chance."""
    chance = -np.log(len(model._pieces.vocabulary))
    found = [float(model.fill_score([_SENTENCE.replace(word, MASK)], 0, word)[0]) for word in _HIDDEN]
    return float(np.mean(found) - chance)
