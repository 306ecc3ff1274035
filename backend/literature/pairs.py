"""Pairs of named things in a sentence, put to a model that classifies marked pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

from backend.domain import Json
from backend.errors import InputError, ModelError
from backend.literature.library import library
from backend.literature.marking import name_things
from backend.literature.reading import AT_ONCE
from backend.literature.texts import sentence_spans, windows
from backend.models.abilities import Mention
from backend.tasks import Context, pick_model

if TYPE_CHECKING:
    from backend.models.abilities import Relates, Stated

MOST = 2_000  # pairs of one text
_MARKERS = 12  # tokens that marking a pair may cost
_MARGINS = (1_200, 600, 300, 150, 60, 0)  # characters kept on both sides of a pair, the most that fits
WHICH = ("different kinds", "all")


@dataclass(frozen=True)
class Pair:
    """Two mentions of one sentence, in the order of the text; every place counts characters of the whole text."""

    sentence: tuple[int, int]
    first: Mention
    second: Mention


def own_mentions(context: Context, value: Mapping[str, Json], wanted: str) -> tuple[list[Mention], str]:
    """The named things of a text, and who marked them: the paper's own record, or a model.

    Raises
    ------
    InputError
        When the paper's marks are asked for and it has none.
    ModelError
        When no model for it is on this machine.
    """
    own = library(context).paper(int(value["paper"])).paper.annotations if value.get("paper") and wanted in ("", "paper") else ()
    if own:
        return [Mention(each.start, each.end, each.kind, 1.0) for each in own], "the paper's own record"
    if wanted == "paper":
        raise InputError("This text carries no marks of its own.", "Choose a model that marks named things.")
    try:
        card = pick_model(context, "literature.entities", wanted)
    except ModelError as error:
        raise ModelError(
            "This model reads relations between marked things, and no model that marks them is on this machine.",
            "On the Models page, fetch or add one for literature.entities, or read a paper imported from PubTator, which carries marks.",
        ) from error
    text = str(value["text"])
    with context.runtime.use(card.name) as model:
        return name_things(model, text, windows(model, text), context.progress), card.title


def pairs_of(text: str, mentions: Sequence[Mention], which: str) -> list[Pair]:
    """Every two mentions of a sentence that do not overlap.

    Raises
    ------
    InputError
        When `which` is unknown, or there are more pairs than can be read.
    """
    if which not in WHICH:
        raise InputError(f"'{which}' is no way to pair.", f"Choose: {', '.join(WHICH)}.")
    made = []
    ordered = sorted(mentions, key=lambda each: (each.start, each.end))
    for start, end in sentence_spans(text):
        inside = [each for each in ordered if start <= each.start and each.end <= end]
        for first, second in combinations(inside, 2):
            if first.end <= second.start and (which == "all" or first.kind != second.kind):
                made.append(Pair((start, end), first, second))
    if len(made) > MOST:
        raise InputError(
            f"The text has {len(made):,} pairs of named things; at most {MOST:,} are read at once.",
            "Give a part of the text, or pair only things of different kinds.",
        )
    return made


def fit(model: Relates, text: str, pairs: Sequence[Pair]) -> list[Pair]:
    """The pairs with as much of their sentence as the model reads at once; those that stand too far apart for that are left out."""
    made = []
    for pair in pairs:
        for margin in _MARGINS:
            start = max(pair.sentence[0], pair.first.start - margin)
            end = min(pair.sentence[1], pair.second.end + margin)
            start = (
                text.find(" ", start, pair.first.start) + 1 if start > pair.sentence[0] and " " in text[start : pair.first.start] else start
            )
            end = text.rfind(" ", pair.second.end, end) if end < pair.sentence[1] and " " in text[pair.second.end : end] else end
            if model.lengths([text[start:end]])[0] + _MARKERS <= model.window:
                made.append(Pair((start, end), pair.first, pair.second))
                break
    return made


def relate_pairs(context: Context, model: Relates, text: str, pairs: Sequence[Pair]) -> list[dict[str, Any]]:
    """What the model calls each pair, as JSON with places of the whole text."""
    made: list[dict[str, Any]] = []
    for at in range(0, len(pairs), AT_ONCE):
        context.progress.check()
        batch = pairs[at : at + AT_ONCE]
        texts = [text[pair.sentence[0] : pair.sentence[1]] for pair in batch]
        inside = [(within(pair.first, pair.sentence[0]), within(pair.second, pair.sentence[0])) for pair in batch]
        for pair, found in zip(batch, model.relate(texts, inside), strict=True):
            made += [as_json(each, pair.sentence[0], pair.sentence, pair.first.score * pair.second.score) for each in found]
        context.progress.update(at + len(batch), len(pairs), f"{at + len(batch):,} of {len(pairs):,} pairs read")
    return made


def as_json(stated: Stated, by: int, sentence: tuple[int, int], names: float = 1.0) -> dict[str, Any]:
    """A relation that a model read, its places moved by `by` to count the whole text; verified where both names stand there.

    ``score`` is the model's for two given names; ``sure`` is that times `names`, the probability that both names are what they are
    called: a relation is right only where all three are.
    """
    places = [None if spot is None else [spot[0] + by, spot[1] + by] for spot in (stated.head_at, stated.tail_at)]
    return {
        "head": stated.head,
        "relation": stated.relation,
        "tail": stated.tail,
        "score": round(float(stated.score), 6),
        "sure": round(float(stated.score) * names, 6),
        "head_at": places[0],
        "tail_at": places[1],
        "head_kind": stated.head_kind,
        "tail_kind": stated.tail_kind,
        "verified": None not in places,
        "sentence": list(sentence),
    }


def within(mention: Mention, start: int) -> Mention:
    """The mention with its place counted from the beginning of its sentence."""
    return Mention(mention.start - start, mention.end - start, mention.kind, mention.score)
