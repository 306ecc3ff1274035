"""Choose the temperature of the reader of entities: ``python -m backend.training.readers.entity_temperature DATA BODY``.

The temperature (Guo et al. 2017, arXiv:1706.04599) under which the rightness of what is marked in the calibration documents is likeliest,
written into the shipped entities.json. It changes no mention, only how sure the reader says it is. Figures on documents that nobody
used come from ``bioloom evaluate literature.entities``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from backend.config import ASSETS
from backend.literature.texts import windows
from backend.models.bert_marks import WordMarker
from backend.models.bert_text import softmax
from backend.models.families import readers
from backend.models.reader_cards import ENTITIES
from backend.training.readers.corpora import Marked
from backend.training.readers.entities import corpora

_FOLDER = ASSETS / "models" / ENTITIES.name
_TRIED = [round(0.5 + 0.1 * step, 1) for step in range(46)]


def told(marker: WordMarker, documents: Sequence[Marked]) -> dict[float, tuple[np.ndarray, np.ndarray]]:
    """For every temperature that is tried, probability and rightness of every mention of a kind that its corpus marks."""
    made: dict[float, list[tuple[float, bool]]] = {each: [] for each in _TRIED}
    for document in documents:
        spans = windows(marker, document.text)
        for (start, _), (pieces, shares) in zip(spans, marker.shares([document.text[a:b] for a, b in spans]), strict=True):
            for temperature, rows in made.items():
                for each in marker.read(pieces, softmax(np.log(np.maximum(shares, 1e-12)) / temperature)):
                    if each.kind in document.kinds:
                        rows.append((each.score, (each.start + start, each.end + start, each.kind) in document.spans))
    return {each: (np.array([p for p, _ in rows]), np.array([r for _, r in rows], dtype=np.float64)) for each, rows in made.items()}


def surprise(sure: np.ndarray, right: np.ndarray) -> float:
    """Mean -ln of the probability that was given to what turned out."""
    p = np.clip(np.where(right > 0, sure, 1 - sure), 1e-6, 1)
    return float(-np.log(p).mean())


def main() -> None:
    """Read the arguments, try the temperatures, write the best."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("body", type=Path)
    given = parser.parse_args()
    documents = corpora(given.data)["calibration"]
    made = readers.load(_FOLDER, ENTITIES, "cpu", given.body)
    assert isinstance(made, WordMarker)
    made.temperature = 1.0
    found = {each: round(surprise(*rows), 5) for each, rows in told(made, documents).items()}
    print(found, flush=True)
    best = min(found, key=lambda each: found[each])
    file = _FOLDER / "entities.json"
    settings = json.loads(file.read_text(encoding="utf-8")) | {"temperature": best}
    file.write_text(json.dumps(settings, indent=1), encoding="utf-8")
    print(json.dumps({"temperature": best, "documents": len(documents)}))


if __name__ == "__main__":
    main()
