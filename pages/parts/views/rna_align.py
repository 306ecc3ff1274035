"""RNAs aligned to one of them: both alignments one above the other, how sure, the table of cosines, why two bases stand together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from backend.domain import Run
from pages.parts.bench import bench
from pages.parts.choosing import choose_model
from pages.parts.errors import told
from pages.parts.figure import show_figure
from pages.parts.markup import escape, facts, html, kicker, plain
from pages.parts.why_sites import show_sites

_WIDTH = 50
_NAMES = {"vectors": "By vectors", "letters": "By letters"}


def settings(kind: str) -> dict[str, Any] | None:
    """Which model, which reference, what gaps cost."""
    model = choose_model("rna.align", "rna-align-model")
    if model is None:
        return None
    st.caption("All chosen records are aligned to the first. One record chosen alone is aligned to every other of the file.")
    with st.expander("Reference and gaps"):
        reference = st.text_input("Align to (id of a record; empty for the first)", key="rna-align-reference")
        opening = st.number_input("A gap's first base costs (in cosines)", 0.0, 20.0, 1.0, 0.1, key="rna-align-open")
        extension = st.number_input("Each further base", 0.0, 20.0, 0.1, 0.1, key="rna-align-extend")
    return {"model": model, "reference": reference.strip(), "open": float(opening), "extend": float(extension)}


def show(run: Run) -> None:
    """The two alignments first, then how sure, then the table of cosines, then why."""
    found: Mapping[str, Any] = run.prediction or {}
    results, reference = found["results"], found["reference"]
    at = 0
    if len(results) > 1:
        _table(results)
        at = st.selectbox(
            f"Aligned to {reference['record']}",
            range(len(results)),
            format_func=lambda i: results[i]["record"],
            key=f"rna-align-record-{run.id}",
        )
    one, key = results[at], f"{run.id}-{at}"
    left, right = st.columns([5, 3], gap="large")
    with left:
        kicker("Finding")
        _finding(found, one)
    with right:
        kicker("How sure")
        _sure(run, found, one)
    kicker("Every base against every other")
    if one["map"] is None:
        st.caption("The table of cosines was kept for the first pairs only. Align this record by itself to see it.")
    else:
        from backend.figures.rna_align import describe_near, near_rows, plot_near

        left, right = st.columns([3, 2], gap="large")
        with left:
            show_figure(plot_near(reference, one), describe_near(reference, one), f"rna-align-{key}", near_rows(reference, one))
        with right:
            _columns(found, one)
    kicker("Why")
    _why(run, found, one, key)


def _table(results: Sequence[Mapping[str, Any]]) -> None:
    rows = [
        {
            "Record": one["record"],
            "Bases": len(one["sequence"]),
            "Score": one["vectors"]["score"],
            "Best of shuffled": max(one["vectors"]["shuffled"], default=None),
            "Identity by vectors": one["vectors"]["identity"],
            "Identity by letters": one["letters"]["identity"],
            "Shared": one["shared"],
        }
        for one in results
    ]
    share = st.column_config.NumberColumn(format="percent")
    st.dataframe(
        rows,
        hide_index=True,
        column_config={"Identity by vectors": share, "Identity by letters": share, "Shared": share},
        height=min(38 * (len(rows) + 1), 300),
    )


def _finding(found: Mapping[str, Any], one: Mapping[str, Any]) -> None:
    reference = found["reference"]
    shared = one["shared"]
    head = "Both ways give the same alignment" if shared == 1 else f"The two ways share {shared:.0%} of their aligned bases"
    html(f"<h3>{escape(head)}</h3>")
    for way, name in _NAMES.items():
        rows = one[way]
        gaps = f"{rows['gaps']:,} gap{'' if rows['gaps'] == 1 else 's'}"
        html(
            f"<p><b>{name}: {rows['identity']:.1%} identical</b> ({rows['identical']:,} of {rows['columns']:,} columns), {gaps}. "
            f"{escape(_sentence(found['method'][way]))}</p>"
        )
        st.code(blocks(rows, _places(reference), _places(one)), language=None, height="content" if rows["columns"] <= 240 else 360)
    st.caption(plain(f"Above {reference['record']}, below {one['record']}; a bar marks the same base. Numbers are places in your records."))


def blocks(rows: Mapping[str, Any], first: Sequence[int], second: Sequence[int]) -> str:
    """An alignment in lines of fifty columns, with the first and last place of each line."""
    lines, i, j = [], 0, 0
    room = max(len(str(first[-1])), len(str(second[-1])))
    for at in range(0, len(rows["first"]), _WIDTH):
        top, low = rows["first"][at : at + _WIDTH], rows["second"][at : at + _WIDTH]
        own, other = len(top) - top.count("-"), len(low) - low.count("-")
        ends = [(first[i], first[i + own - 1]) if own else ("", ""), (second[j], second[j + other - 1]) if other else ("", "")]
        between = "".join("|" if a == b else " " for a, b in zip(top, low, strict=True))
        lines += [
            f"{ends[0][0]:>{room}} {top} {ends[0][1]}".rstrip(),
            f"{'':>{room}} {between}".rstrip(),
            f"{ends[1][0]:>{room}} {low} {ends[1][1]}".rstrip(),
            "",
        ]
        i, j = i + own, j + other
    return "\n".join(lines[:-1])


def _columns(found: Mapping[str, Any], one: Mapping[str, Any]) -> None:
    """The alignment by vectors as a table, column by column."""
    from backend.sequences.rna_align_export import column_rows

    rows = [
        {
            "Column": row["column"],
            "Reference": f"{row['reference_base']}{row['reference_place'] or ''}",
            "Aligned": f"{row['base']}{row['place'] or ''}",
            "Cosine": row["cosine"],
        }
        for row in column_rows(found, one)
    ]
    st.dataframe(
        rows, hide_index=True, column_config={"Cosine": st.column_config.NumberColumn(format="%.2f")}, height=min(38 * (len(rows) + 1), 520)
    )


def _chance(one: Mapping[str, Any]) -> str:
    """Both scores beside those with the second RNA's bases in random order."""
    told = []
    for way, name in _NAMES.items():
        above = sum(score >= one[way]["score"] for score in one[way]["shuffled"])
        total = len(one[way]["shuffled"])
        told.append(f"{name} it scores higher than {'all' if not above else f'{total - above} of'} {total} copies with shuffled bases.")
    if all(score < one["letters"]["score"] for score in one["letters"]["shuffled"]):
        return f"{told[1]} {told[0]} The letters alone show that the two have more in common than their composition."
    return f"{told[1]} {told[0]} The letters do not show more in common than composition: the alignment may be chance."


def _sure(run: Run, found: Mapping[str, Any], one: Mapping[str, Any]) -> None:
    from backend.models.registry import get_card

    card, near = get_card(str(run.model["name"]), bench().config), one["vectors"]
    if near["shuffled"]:
        html(f"<p>{escape(_chance(one))}</p>")
    facts(
        [
            ("By", card.title),
            (
                "Score by vectors",
                f"{near['score']:.2f}; shuffled, at best {max(near['shuffled']):.2f}" if near["shuffled"] else f"{near['score']:.2f}",
            ),
            ("Mean cosine of aligned bases", "none aligned" if near["cosine"] is None else f"{near['cosine']:.2f}"),
            ("Score by letters", f"{one['letters']['score']:.0f}"),
        ]
    )
    for quality in card.quality:
        html(f"<p class='bl-soft'>{escape(quality.metric)}: {quality.value:.3f} ({escape(quality.data)})</p>")
    for limit in card.limits:
        html(f"<p class='bl-soft'>{escape(limit)}</p>")
    for warning in run.warnings[:20]:
        html(f"<div class='bl-notice'>{escape(warning)}</div>")


def _why(run: Run, found: Mapping[str, Any], one: Mapping[str, Any], key: str) -> None:
    from backend.sequences.rna_align_why import MOST_EXPLAINED, find_pair

    reference = found["reference"]
    first, second = str(reference["sequence"]), str(one["sequence"])
    if max(len(first), len(second)) > MOST_EXPLAINED:
        st.caption(f"Sequences of up to {MOST_EXPLAINED} bases can be explained. Align the parts in question by themselves.")
        return
    places = _places(reference)
    with told():
        best = find_pair(one, None, places, first, second)
        with st.form(f"rna-align-why-{key}"):
            typed = st.text_input(f"Which base of {reference['record']}?", value=str(places[best[0]]), help="Its place in your numbering.")
            st.form_submit_button("Choose")
        i, j = find_pair(one, typed.strip(), places, first, second)
        st.caption(
            plain(f"{first[i]}{places[i]} stands beside {second[j]}{_places(one)[j]} of {one['record']} in the alignment by vectors.")
        )
        show_sites(run, {"record": one["record"], "place": places[i]}, f"Explain {first[i]}{places[i]}", first, (0, len(first)))


def _places(side: Mapping[str, Any]) -> list[int]:
    return side["places"] or list(range(1, len(side["sequence"]) + 1))


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
