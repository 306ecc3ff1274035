"""Relations wherever they are shown: how often such are right, the drawing, the sentences they were read off, the table, its CSV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from pages.parts.figure import show_figure
from pages.parts.markup import escape, html, some

CARDS = 12  # relations quoted in full; the table lists all
_LISTED = 300  # rows of the table
_KINDS = {"disease": "a disease", "gene": "a gene or protein"}
_IN_TABLE = ("Evidence", "Subject", "Relation", "Object", "Probability", "Its sentence", "Sentence")


def show_relations(relations: Sequence[Mapping[str, Any]] | None, key: str, evidence: Sequence[Mapping[str, Any]] = ()) -> None:
    """All of it, most probable first; says so where there is none, or where none could be read.

    Parameters
    ----------
    relations : sequence of mapping, or None
        None where the reader of relations was not on this machine. As in literature.relations, each with ``quote``, the text in
        which its places count, and ``evidence``, the number of the sentence of an answer, where it is one's.
    key : str
        Tells this drawing and its downloads from others of the page.
    evidence : sequence of mapping
        The sentences of the answer, for where each stands.
    """
    if relations is None:
        html("<p>Relations were not read: the reader of relations is not on this machine.</p>")
        return
    if not relations:
        html("<p>No relation that the model knows was read off: of a chemical with a disease, a gene or a protein.</p>")
        return
    by_rank = {int(item["rank"]): item for item in evidence}
    seen = [
        readable(each, at, by_rank.get(int(each.get("evidence") or 0), {}) | {"evidence": each.get("evidence")})
        for at, each in enumerate(relations, start=1)
    ]
    shown = choose(seen, key)
    html(f"<p>{escape(counted(shown, seen))}</p>{how_often(shown)}")
    if shown:
        draw_relations(shown, key)
        quote_relations(shown)
        list_relations(shown)


def readable(each: Mapping[str, Any], number: int, source: Mapping[str, Any]) -> dict[str, Any]:
    """A relation as it is shown, with its number in the run and where it stands: a generator may have written signs that cannot be seen."""
    from backend.literature.visible import visible

    return {**each, **{name: visible(str(each[name])) for name in ("head", "relation", "tail")}, "number": number, "source": dict(source)}


def choose(relations: list[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    """Those sure enough to be shown; all of them when the person asks for it."""
    less = [each for each in relations if not each.get("shown", True)]
    if not less or st.toggle(f"Also show {some(len(less), 'less certain one')}", key=f"relations-less-{key}"):
        return relations
    return [each for each in relations if each.get("shown", True)]


def counted(shown: Sequence[Mapping[str, Any]], every: Sequence[Mapping[str, Any]]) -> str:
    """How many were read off the sentences; those that are denied or asked after are told apart."""
    from backend.literature.relation_rows import ASKED, ASSERTED, DENIED, said_as

    if not shown:
        return f"No relation is sure enough to be shown unasked; {some(len(every), 'less certain one')} read off the sentences."
    count = {name: sum(said_as(each) == name for each in shown) for name in (ASSERTED, DENIED, ASKED)}
    parts = [f"{some(count[ASSERTED], 'relation')} read off the sentences"]
    parts += [f"{count[DENIED]:,} more that the sentence denies"] if count[DENIED] else []
    parts += [f"{count[ASKED]:,} more that the sentence only asks after"] if count[ASKED] else []
    hidden = len(every) - len(shown)
    return ", ".join(parts) + (f"; {hidden:,} less certain not shown." if hidden else ".")


def how_often(relations: Sequence[Mapping[str, Any]]) -> str:
    """As HTML, for each kind of relation among them: how many of ten are right where it was measured; '' where it was not."""
    lines = {}
    for each in relations:
        right = each.get("right")
        if not right:
            continue
        which = "Less certain ones" if not each.get("shown", True) else "Relations"
        named = f"{which} of a chemical with {_KINDS.get(right['partner'], right['partner'])}"
        figure = f"{right['value']:.2f}, 95% interval {right['low']:.2f}-{right['high']:.2f}, n = {right['n']:,}"
        lines[named] = (
            f"<b>{escape(named)}:</b> about {round(10 * right['value'])} of ten are right ({escape(figure)}; {escape(right['data'])})."
        )
    return "".join(f"<p class='bl-soft'>{lines[name]}</p>" for name in sorted(lines, reverse=True))


def draw_relations(relations: Sequence[Mapping[str, Any]], key: str) -> None:
    """Who is related to whom, with the words of the drawing and its downloads."""
    from backend.figures.relations import describe_relations, plot_relations

    show_figure(plot_relations(relations), describe_relations(relations), f"relations-{key}", [_row(each) for each in relations])


def quote_relations(relations: Sequence[Mapping[str, Any]]) -> None:
    """The sentence of each of the most probable relations, both names marked in it."""
    html("".join(_card(each) for each in relations[:CARDS]))
    if len(relations) > CARDS:
        st.caption(f"The {CARDS} most probable of {len(relations):,}; all are listed in the table.")


def list_relations(relations: Sequence[Mapping[str, Any]]) -> None:
    """Every relation, one a row; sentences wrap, so that none is cut."""
    rows = [_row(each) for each in relations[:_LISTED]]
    names = [name for name in _IN_TABLE if name in rows[0]]
    head = "".join(f"<th scope='col'>{escape(name)}</th>" for name in names)
    cells = ("".join(f"<td>{escape(_told(row[name]))}</td>" for name in names) for row in rows)
    body = "".join(f"<tr>{row}</tr>" for row in cells)
    html(f"<div class='bl-rows' tabindex='0'><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>")
    if len(relations) > _LISTED:
        st.caption(f"The first {_LISTED:,} of {len(relations):,}; the CSV has them all.")


def _told(value: Any) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def _row(each: Mapping[str, Any]) -> dict[str, Any]:
    from backend.literature.relation_rows import relation_row

    source = {name: value for name, value in each.get("source", {}).items() if value is not None}
    return relation_row(each, str(each["quote"]), source)


def _card(each: Mapping[str, Any]) -> str:
    from backend.literature.relation_rows import sure_of
    from backend.literature.relation_words import in_words

    text, (start, end) = each["quote"], each["sentence"]
    spots = sorted(spot for spot in (each["head_at"], each["tail_at"]) if spot is not None)
    out, place = [], start
    for spot in spots:
        if spot[0] < place:
            continue
        out += [escape(text[place : spot[0]]), f"<mark>{escape(text[spot[0] : spot[1]])}</mark>"]
        place = spot[1]
    gone = " and ".join(f"“{escape(each[side])}”" for side in ("head", "tail") if each[f"{side}_at"] is None)
    denied, asked = each.get("denied"), each.get("asked")
    note = _notice("Not verified.", f"The model writes {gone}, which this part of the text does not hold.") if gone else ""
    note += _notice("Denied.", f"The sentence says “{escape(denied)}”: it may state that this is not so.") if denied else ""
    note += _notice("Asked.", f"The sentence says “{escape(asked)}”: it may only ask whether this is so.") if asked and not denied else ""
    crossed = each.get("crossed")
    note += _notice("Two clauses.", "Each of the two names has a likelier partner in its own clause.") if crossed else ""
    relieved = each.get("relieved")
    note += _notice("Perhaps relieved.", f"The sentence says “{escape(relieved)}” between the two names.") if relieved else ""
    source = f", evidence {each['evidence']}" if "evidence" in each else ""
    less = "" if each.get("shown", True) else ", less certain"
    return (
        f"<article class='bl-paper'><h4>{each['number']}. {escape(each['head'])} <span class='bl-tag'>{escape(in_words(each))}</span> "
        f"{escape(each['tail'])} <span class='bl-soft'>probability {sure_of(each):.2f}{less}{source}</span></h4>"
        f"<div class='bl-text' style='border:0;padding:.2rem 0'>{''.join(out)}{escape(text[place:end])}</div>{note}</article>"
    )


def _notice(title: str, words: str) -> str:
    return f"<div class='bl-notice'><b>{title}</b> {words}</div>"
