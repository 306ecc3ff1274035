"""Small honest predictors for tests: they find what their word lists name, so that what a task does with it can be told exactly."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pytest

from backend.domain import ModelCard
from backend.models import registry
from backend.models.abilities import Mention, Span, Stated

ABSTRACT = (
    "Lithium carbonate toxicity in a newborn infant\n\n"
    "A newborn with tricuspid regurgitation and atrial flutter is described. Lithium may cause tricuspid regurgitation. "
    "There was no evidence of atrial flutter in the mother. Aspirin treats headache, but cyanosis was not observed."
)
NAMES = {
    "Disease": {"tricuspid regurgitation": 0.9, "atrial flutter": 0.8, "headache": 0.3, "cyanosis": 0.7, "toxicity": 0.6},
    "Chemical": {"lithium carbonate": 0.95, "lithium": 0.9, "aspirin": 0.97},
}
TASKS = ("literature.entities", "literature.relations", "literature.verdict", "literature.answer", "literature.evidence")


class Toy:
    """Reads 24 words at once; knows the words of `NAMES`."""

    window = 24
    kinds = ("Disease", "Chemical")
    relations = ("none", "cause", "treats")
    needs_mentions = True
    covering: float | None = None

    def lengths(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) + 2 for text in texts]

    def unknown_share(self, text: str) -> float:
        return sum(not word.isascii() for word in text.split()) / max(1, len(text.split()))

    def mentions(self, texts: Sequence[str]) -> list[list[Mention]]:
        assert all(self.lengths([text])[0] <= self.window for text in texts), "the task cut the text to what is read at once"
        every = sorted(((name, kind, p) for kind, names in NAMES.items() for name, p in names.items()), key=lambda row: -len(row[0]))
        made = []
        for text in texts:
            found: list[Mention] = []
            for name, kind, p in every:
                for at in re.finditer(rf"\b{name}\b", text, re.IGNORECASE):
                    if not any(each.start < at.end() and at.start() < each.end for each in found):
                        found.append(Mention(at.start(), at.end(), kind, p))
            made.append(found)
        return made

    def mention_score(self, texts: Sequence[str], words: Sequence[str], kind: str) -> np.ndarray:
        whole = [max((p for name, p in NAMES[kind].items() if name in word.lower()), default=0.1) for word in words]
        return np.array([p * (1.0 if "described" in text else 0.8) for p, text in zip(whole, texts, strict=True)], dtype=np.float32)

    def relate(self, texts: Sequence[str], pairs: Sequence[tuple[Mention, Mention]]) -> list[list[Stated]]:
        made = []
        for text, (first, second) in zip(texts, pairs, strict=True):
            between = text[first.end : second.start]  # pairs come in the order of the text
            name = next((word for word in self.relations[1:] if word in between), "none")
            spots = ((first.start, first.end), (second.start, second.end))
            made.append([Stated(text[slice(*spots[0])], name, text[slice(*spots[1])], 0.9, *spots, first.kind, second.kind)])
        return made

    def relation_score(self, texts: Sequence[str], stated: Stated) -> np.ndarray:
        return np.array([3.0 * (stated.relation in text) - 4.0 * (stated.head not in text) for text in texts], dtype=np.float32)

    def verdict(self, question: str, contexts: Sequence[str]) -> np.ndarray:
        made = []
        for text in contexts:
            weights = np.array([1.0 + 3 * len(re.findall(r"cause|treats", text)), 1.0 + 2 * len(re.findall(r"\bno\b|\bnot\b", text)), 0.5])
            made.append(weights / weights.sum())
        return np.array(made, dtype=np.float32).reshape(-1, 3)

    def weigh(self, question: str, sentences: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        bearing, stance = [], []
        for text in sentences:
            states, denies = len(re.findall(r"cause|treats", text)), len(re.findall(r"\bno\b|\bnot\b", text))
            bearing.append(0.1 + 0.4 * min(2, states + denies))
            weights = np.array([0.5 + 2 * states, 0.5 + 2 * denies, 1.0])
            stance.append(weights / weights.sum())
        return np.array(bearing, dtype=np.float32), np.array(stance, dtype=np.float32).reshape(-1, 3)

    def answer(self, question: str, contexts: Sequence[str], most: int) -> list[list[Span]]:
        return [
            [Span(each.start, each.end, each.score) for each in sorted(found, key=lambda m: -m.score) if each.kind == "Chemical"][:most]
            for found in self.mentions(contexts)
        ]

    def answer_score(self, question: str, contexts: Sequence[str], answer: str) -> np.ndarray:
        return np.array([2.0 if answer in text else -10.0 for text in contexts], dtype=np.float32)


class Writer(Toy):
    """States one relation that is in the text and one that is not."""

    needs_mentions = False

    def relate(self, texts: Sequence[str], pairs: Sequence[tuple[Mention, Mention]]) -> list[list[Stated]]:
        made = []
        for text in texts:
            at = text.find("Lithium")
            there = (at, at + 7) if at >= 0 else None
            made.append([Stated("Lithium", "cause", "tricuspid regurgitation", 0.6, there, _place(text, "tricuspid regurgitation"))])
        return made


def _place(text: str, words: str) -> tuple[int, int] | None:
    at = text.find(words)
    return (at, at + len(words)) if at >= 0 else None


def card(name: str, tasks: tuple[str, ...] = TASKS, untrained: bool = False) -> ModelCard:
    return ModelCard(
        name=name,
        title=f"Toy {name}",
        family=f"family-{name}",
        modality="literature",
        tasks=tasks,
        source="bundled",
        licence="for tests",
        summary="Finds the words of a list.",
        revision="1",
        untrained=untrained,
    )


def register(patch: pytest.MonkeyPatch, made: ModelCard, predictor: type[Toy] = Toy) -> ModelCard:
    """A family of its own for this test only."""
    registry.cards()  # the real families first
    family = registry.Family(made.family, made.title, made.summary, lambda folder, own, device: predictor(), (made,))
    patch.setitem(registry._FAMILIES, made.family, family)
    return made
