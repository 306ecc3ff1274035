"""Small readers of our own: low-rank adapters on the embedded sentence encoder, trained by scripts of this project."""

from __future__ import annotations

import json
from pathlib import Path

from backend.domain import ModelCard
from backend.models.abilities import STANCES, VERDICTS
from backend.models.adapted import adapted_encoder, head_of
from backend.models.bert_marks import WordMarker
from backend.models.families.minilm import set_threads
from backend.models.labels import read_scheme
from backend.models.question_readers import Calibration, EvidenceReader, QuestionJudge
from backend.models.reader_cards import ENTITIES, EVIDENCE, RELATIONS, VERDICT
from backend.models.registry import family
from backend.models.stored import read_file
from backend.models.typed_pairs import Between, TypedPairReader
from backend.models.word_pieces import read_word_pieces

WINDOW = 192  # word pieces, as in training
LONG_WINDOW = 512  # word pieces of a question with a text


@family(
    "readers",
    cards=(ENTITIES, VERDICT, EVIDENCE, RELATIONS),
    title="Readers of our own",
    about="Small readers that come with Bioloom and work offline from the first start. Less exact than large fine-tuned models; what they "
    "were measured at stands on their cards.",
)
def load(folder: Path | None, card: ModelCard, device: str, base: Path) -> WordMarker | QuestionJudge | EvidenceReader | TypedPairReader:
    """The encoder at `base` with a reader's adapters added to its matrices, and the reader's head.

    Raises
    ------
    ModelError
        When an adapter or a head does not fit the encoder.
    """
    from transformers import BertForTokenClassification

    assert folder is not None
    set_threads()
    name = card.name.removeprefix("reader-")
    settings = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    added = read_file(folder / f"{name}.safetensors")
    encoder, pieces = adapted_encoder(base, added, card.title), read_word_pieces(base, card.title)
    width = int(encoder.config.hidden_size)
    if card.name == VERDICT.name:
        head = head_of(added, 2 * width, len(VERDICTS), card.title)
        calibration = Calibration(
            float(settings["temperature"]), settings["covering"], tuple(settings.get("shift", (0.0,) * len(VERDICTS)))
        )
        return QuestionJudge(encoder.to(device), head.to(device), pieces, LONG_WINDOW, device, calibration)
    if card.name == EVIDENCE.name:
        head = head_of(added, 2 * width, 1 + len(STANCES), card.title)
        temperatures = (float(settings["temperature"]["bearing"]), float(settings["temperature"]["stance"]))
        return EvidenceReader(encoder.to(device), head.to(device), pieces, LONG_WINDOW, device, temperatures)
    labels = tuple(settings["labels"])
    if card.name == RELATIONS.name:
        head = head_of(added, 2 * width, len(labels), card.title)
        between = {
            kind: Between(tuple(each["labels"]), float(each["temperature"]), float(each["least"]), each.get("measured", {}))
            for kind, each in settings["between"].items()
        }
        related = TypedPairReader(encoder.to(device), head.to(device), pieces, WINDOW, device, labels, between)
        related.halves = True
        return related
    network = BertForTokenClassification(encoder.config)
    network.bert, network.classifier = encoder, head_of(added, width, len(labels), card.title)
    scheme, temperature = read_scheme(labels, card.title), float(settings.get("temperature", 1.0))
    marker = WordMarker(network.eval().requires_grad_(False).to(device), pieces, WINDOW, device, scheme, temperature)
    marker.halves = True
    return marker
