"""Chemicals, diseases and genes of quoted sentences, what denies them, and the relations read off them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from backend.domain import Json
from backend.literature.abbreviations import as_defined, defined_in, whole
from backend.literature.library import library
from backend.literature.marking import mark
from backend.literature.negation import negation
from backend.literature.pairs import Pair, as_json, fit, pairs_of, within
from backend.literature.reading import around
from backend.literature.relation_words import weighed
from backend.literature.texts import sentence_spans, windows
from backend.models.registry import cards, get_card
from backend.progress import Silent
from backend.tasks import Context

if TYPE_CHECKING:
    from backend.models.abilities import Marks, Mention

ENTITIES, RELATIONS = "reader-entities", "reader-relations"
MOST = 120  # pairs of all quotes together: an answer must not wait for more


def named_in(context: Context, evidence: Sequence[Mapping[str, Json]]) -> dict[str, Json] | None:
    """What the quotes of an answer name and relate.

    Parameters
    ----------
    evidence : sequence of mapping
        Items with ``quote`` and ``rank``.

    Returns
    -------
    dict or None
        ``mentions``: for each item a list of ``{"start", "end", "kind", "score", "negated", "cue"}``; ``relations``: as in
        literature.relations, with ``evidence`` (the rank) and the ``quote`` that it was read off; every place counts characters of the
        quote; None where the reader of relations is not on this machine. ``left_out``: pairs that were not read, being more than `MOST`
        or too far apart. None where the reader of named things is not on this machine.
    """
    there = [name for name in (ENTITIES, RELATIONS) if name in cards() and context.runtime.present(name)]
    if ENTITIES not in there:
        return None
    quotes = [str(item["quote"]) for item in evidence]
    with context.runtime.use(ENTITIES) as marker:
        found = _marked(context, marker, evidence)
    relations, left_out = _related(context, evidence, found) if RELATIONS in there else (None, 0)
    return {
        "mentions": [_described(quote, mentions) for quote, mentions in zip(quotes, found, strict=True)],
        "relations": relations,
        "left_out": left_out,
        "models": [{"name": name, "sha256": get_card(name, context.config).sha256} for name in there],
    }


def _related(
    context: Context, evidence: Sequence[Mapping[str, Json]], found: Sequence[Sequence[Mention]]
) -> tuple[list[dict[str, Any]], int]:
    """What is read off the quotes, most probable first, and how many pairs were not read."""
    quotes = [str(item["quote"]) for item in evidence]
    pairs = [(at, pair) for at, quote in enumerate(quotes) for pair in pairs_of(quote, found[at], "different kinds")]
    made: list[dict[str, Any]] = []
    with context.runtime.use(RELATIONS) as model:
        measured = getattr(model, "measured", {})
        read = [(at, fitting) for at, pair in pairs[:MOST] for fitting in fit(model, quotes[at], [pair])]
        stated = model.relate([quotes[at][slice(*pair.sentence)] for at, pair in read], [_inside(pair) for _, pair in read])
    by_quote: dict[int, list[dict[str, Any]]] = {}
    for (at, pair), several in zip(read, stated, strict=True):
        by_quote.setdefault(at, []).extend(
            as_json(each, pair.sentence[0], pair.sentence, pair.first.score * pair.second.score) for each in several
        )
    for at, relations in by_quote.items():
        made += [each | {"evidence": evidence[at]["rank"], "quote": quotes[at]} for each in weighed(quotes[at], relations, measured)]
    return sorted(made, key=lambda each: -each["sure"]), len(pairs) - len(read)


def _marked(context: Context, marker: Marks, evidence: Sequence[Mapping[str, Json]]) -> list[list[Mention]]:
    """Mentions of each quote: those that fit are read together, a longer one in its windows; abbreviations as their papers define them."""
    quotes = [str(item["quote"]) for item in evidence]
    fits = [size <= marker.window for size in marker.lengths(quotes)]
    together = iter(marker.mentions([quote for quote, short in zip(quotes, fits, strict=True) if short]))
    found = [
        whole(quote, next(together) if short else mark(marker, quote, windows(marker, quote), Silent()))
        for quote, short in zip(quotes, fits, strict=True)
    ]
    ids = list({int(item["document"]) for item in evidence if item.get("document")})
    papers = library(context).get(ids) if ids else {}
    made = []
    for item, quote, mentions in zip(evidence, quotes, found, strict=True):
        paper = papers.get(int(item.get("document") or 0))
        made.append(_by_paper(marker, paper.paper.text if paper else quote, quote, mentions))
    return made


def _by_paper(marker: Marks, text: str, quote: str, mentions: Sequence[Mention]) -> list[Mention]:
    """The mentions, those of an abbreviation of the kind that its long form has where the paper defines it."""
    made = as_defined(quote, mentions)
    named = {quote[each.start : each.end] for each in made} - {each.short for each in defined_in(quote)}
    for each in defined_in(text):
        if each.short in named:
            start, end = around(sentence_spans(text), each.long[0], each.at[1])
            definition = mark(marker, text[start:end], windows(marker, text[start:end]), Silent())
            kinds = [m.kind for m in definition if each.long[0] - start <= m.start and m.end == each.long[1] - start]
            made = [replace(m, kind=kinds[0]) if kinds and quote[m.start : m.end] == each.short else m for m in made]
    return made


def _inside(pair: Pair) -> tuple[Mention, Mention]:
    return within(pair.first, pair.sentence[0]), within(pair.second, pair.sentence[0])


def _described(quote: str, mentions: Sequence[Mention]) -> list[dict[str, Any]]:
    made = []
    sentences = sentence_spans(quote)
    for each in mentions:
        start, end = around(sentences, each.start, each.end)
        cue = negation(quote[start:end], each.start - start, each.end - start)
        place = {"start": each.start, "end": each.end, "kind": each.kind, "score": round(each.score, 6)}
        made.append({**place, "negated": bool(cue), "cue": cue})
    return made
