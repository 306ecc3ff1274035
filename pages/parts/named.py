"""Chemicals, diseases and genes marked in quotes: an underline and a letter for each kind, a word where the sentence denies it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pages.parts.markup import escape

_UNSURE = 0.5
_STYLES = {"chemical": "solid", "disease": "dashed", "gene": "double"}  # any other kind is dotted and told by its letter


def quoted(quote: str, mentions: Sequence[Mapping[str, Any]], kinds: Sequence[str]) -> str:
    """A quote as HTML, its named things underlined; without mentions the quote as it is.

    Parameters
    ----------
    mentions : sequence of mapping
        ``{"start", "end", "kind", "score", "negated"}``; places count characters of the quote.
    kinds : sequence of str
        All kinds of the answer, in the order of its legend.
    """
    out, at = [], 0
    for each in sorted(mentions, key=lambda item: (item["start"], -item["end"])):
        start, end = int(each["start"]), int(each["end"])
        if not at <= start < end <= len(quote):  # inside one that is drawn already
            continue
        out += [escape(quote[at:start]), _mark(quote[start:end], each, kinds)]
        at = end
    return "".join([*out, escape(quote[at:])])


def kinds_of(mentions: Sequence[Sequence[Mapping[str, Any]]]) -> list[str]:
    """The kinds that occur, in a fixed order."""
    return sorted({str(each["kind"]) for group in mentions for each in group})


def legend(kinds: Sequence[str], mentions: Sequence[Sequence[Mapping[str, Any]]]) -> str:
    """What underlines, letters and words mean, as HTML; only of what occurs."""
    every = [each for group in mentions for each in group]
    parts = [f"<span>{_named(kind, letter(kind, kinds), kind, kind)}</span>" for kind in kinds]
    if any(each.get("negated") for each in every):
        parts.append("<span><span class='bl-name' data-letter='negated'><s>name</s></span> denied by its sentence</span>")
    if any(_unsure(each) for each in every):
        parts.append("<span><span class='bl-name' data-letter='?'>name</span> probability below one half</span>")
    return f"<div class='bl-legend'>{''.join(parts)}</div>"


def letter(kind: str, kinds: Sequence[str]) -> str:
    """The shortest beginning that tells a kind from the others."""
    for length in range(1, len(kind) + 1):
        if sum(other.casefold().startswith(kind[:length].casefold()) for other in kinds) == 1:
            return kind[:length].upper() if length == 1 else kind[:length]
    return kind


def _mark(words: str, each: Mapping[str, Any], kinds: Sequence[str]) -> str:
    kind, score = str(each["kind"]), each.get("score")
    tag = letter(kind, kinds) + ("?" if _unsure(each) else "") + (" negated" if each.get("negated") else "")
    hover = (
        kind
        + (f", probability {float(score):.2f}" if score is not None else "")
        + (", denied by its sentence" if each.get("negated") else "")
    )
    return _named(words, tag, hover, kind, bool(each.get("negated")))


def _named(words: str, tag: str, hover: str, kind: str, negated: bool = False) -> str:
    # the letter is drawn by the style sheet: whoever copies a quote gets its own words only
    style, shown = _STYLES.get(kind.casefold(), "dotted"), f"<s>{escape(words)}</s>" if negated else escape(words)
    return f"<span class='bl-name bl-name-{style}' data-letter='{escape(tag)}' title='{escape(hover)}'>{shown}</span>"


def _unsure(each: Mapping[str, Any]) -> bool:
    return each.get("score") is not None and float(each["score"]) < _UNSURE
