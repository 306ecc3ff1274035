"""Places of a text marked where they stand: the kind written beside each, its frame for how sure, the colour only in addition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pages.parts.markup import escape

UNSURE = 0.5
_TALL = 3_000  # characters beyond which the text scrolls in its frame


def brief(text: str, most: int) -> str:
    """A long name cut at a space where there is one, with dots."""
    if len(text) <= most:
        return text
    kept = text[: most - 4]
    return f"{kept.rsplit(' ', 1)[0] if ' ' in kept[most // 2 :] else kept} ..."


def colours(kinds: Sequence[str]) -> dict[str, str]:
    """A colour for each kind, the same wherever the kinds are listed in this order."""
    from backend.figures.style import CATEGORIES

    return {kind: CATEGORIES[at % len(CATEGORIES)] for at, kind in enumerate(kinds)}


def marked_text(text: str, marks: Sequence[Mapping[str, Any]], kinds: Sequence[str]) -> str:
    """The text as HTML with every mark framed and named; marks are ``{"start", "end", "kind"}``, and ``score``, ``negated`` where known."""
    tint = colours(kinds)
    places = sorted(marks, key=lambda each: (each["start"], -each["end"]))
    out: list[str] = []
    at = 0
    for each in places:
        if each["start"] < at:  # inside a mark that is drawn already; the table lists it
            continue
        out += [escape(text[at : each["start"]]), _mark(text[each["start"] : each["end"]], each, tint.get(str(each["kind"]), ""))]
        at = each["end"]
    tall = "max-height:34rem" if len(text) > _TALL else "max-height:none"
    return f"<div class='bl-text' style='{tall}'>{''.join(out)}{escape(text[at:])}</div>"


def legend(kinds: Sequence[str]) -> str:
    """What the frames mean, as HTML."""
    tint = colours(kinds)
    named = "".join(f"<span class='bl-ent' style='--bl-kind:{tint[kind]}'>{escape(kind)}</span>" for kind in kinds)
    return (
        f"<div class='bl-legend'>{named}<span class='bl-ent bl-unsure'>probability below {UNSURE}</span>"
        "<span class='bl-ent bl-denied'>denied by its sentence</span></div>"
    )


def _mark(words: str, each: Mapping[str, Any], colour: str) -> str:
    score, kind = each.get("score"), str(each["kind"])
    unsure = score is not None and score < UNSURE
    notes = [kind, f"{score:.2f}?" if unsure else "", "denied" if each.get("negated") else ""]
    css = "bl-ent" + (" bl-unsure" if unsure else "") + (" bl-denied" if each.get("negated") else "")
    hover = kind + (f", probability {score:.2f}" if score is not None else "") + (f", denied by '{each['cue']}'" if each.get("cue") else "")
    style = f" style='--bl-kind:{colour}'" if colour else ""
    said = escape(" ".join(note for note in notes if note))
    return f"<span class='{css}'{style} title=\"{escape(hover)}\">{escape(words)}<small>{said}</small></span>"
