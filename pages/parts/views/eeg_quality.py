"""Signal quality: which channels to trust and when; the person marks the bad ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from backend.domain import Run
from pages.parts.bench import bench
from pages.parts.errors import told
from pages.parts.figure import show_figure
from pages.parts.markup import escape, html, kicker, plain, some


def show(run: Run) -> None:
    """The finding first, then how sure, then the grid, then what to mark."""
    found: Mapping[str, Any] = run.prediction or {}
    left, right = st.columns([5, 3], gap="large")
    with left:
        kicker("Finding")
        _finding(found)
        kicker("What to do")
        _mark(run, found)
    with right:
        _sure(run, found)
    from backend.figures.eeg_quality import describe_quality, plot_quality, quality_rows

    show_figure(plot_quality(found), describe_quality(found), f"quality-{run.id}", quality_rows(found))
    _table(found)


def _finding(found: Mapping[str, Any]) -> None:
    bad, every = found["suggested"], found["channels"]
    fine = [one["name"] for one in every if not one["counts"]]
    head = (
        f"{some(len(bad), 'channel')} of {len(every)} {'is' if len(bad) == 1 else 'are'} suggested as bad" if bad else "No channel is bad"
    )
    lines = [f"<b>{escape(one['name'])}</b>: {escape('; '.join(one['why']))}" for one in every if one["suggested"]]
    lines += [
        f"<b>{escape(' and '.join(pair['channels']))}</b> carry nearly the same signal in {pair['minutes']} of {found['minutes']} minutes: "
        "gel may join them. Neither is wrong alone; do not read a difference between them."
        for pair in found["bridges"][:6]
    ]
    body = f"<h3>{escape(head)}</h3><p>{some(len(fine), 'channel')} of {len(every)} without any fault.</p>"
    html(body + "".join(f"<p>{line}</p>" for line in lines[:12]))
    if len(lines) > 12:
        st.caption(f"{len(lines) - 12} more in the table below.")


def _mark(run: Run, found: Mapping[str, Any]) -> None:
    from backend.eeg.inputs import bad_channels, set_bad_channels

    recording = str(found["recording"])
    with told():
        marked = list(bad_channels(bench().context, recording))
        names = [one["name"] for one in found["channels"]]
        others = [name for name in marked if name not in names]
        wanted = st.multiselect(
            "Channels to call bad",
            names,
            default=[name for name in names if name in marked or name in found["suggested"]],
            key=f"quality-bad-{run.id}-{'-'.join(marked)}",
            help="Bad channels are left out of averages, maps and analyses. They stay in the recording and can be taken back.",
        )
        said = f"Now marked: {', '.join(marked)}." if marked else "No channel is marked as bad now."
        st.caption(plain(said))
        if any("U" in one["counts"] for one in found["channels"] if one["suggested"]):
            st.caption("Muscle may also be taken out as a component instead; a channel called bad takes no part in that.")
        same = set(wanted) == {name for name in marked if name in names}
        words = f"Mark {some(len(wanted), 'channel')} as bad" if wanted else "Mark none as bad"
        if st.button(words, type="primary", disabled=same, key=f"quality-mark-{run.id}"):
            set_bad_channels(bench().context, recording, [*wanted, *others])
            st.rerun()


def _sure(run: Run, found: Mapping[str, Any]) -> None:
    from backend.models.registry import get_card

    kicker("How sure")
    for warning in run.warnings[:10]:
        html(f"<div class='bl-notice'>{escape(warning)}</div>")
    for limit in get_card("channel-quality").limits:
        html(f"<p>{escape(limit)}</p>")
    with st.expander("Limits, and where they come from"):
        st.dataframe(
            [
                {
                    "": each["code"],
                    "Fault": each["name"],
                    "Limit": f"{'below' if each['below'] else 'from'} {each['limit']:g} {each['unit']}",
                    "Means": each["meaning"],
                    "Source": each["source"],
                    "Suggests": "bad" if each["serious"] else "-",
                }
                for each in found["limits"]
            ],
            hide_index=True,
        )
        st.caption("A channel is suggested as bad when more than a quarter of its minutes have such a fault.")


def _table(found: Mapping[str, Any]) -> None:
    rows = [
        {
            "Channel": one["name"],
            "Kind": one["kind"].upper(),
            "Suggested": "bad" if one["suggested"] else "",
            "Marked": "bad" if one["marked"] else "",
            "Why": "; ".join(one["why"]) or "nothing found",
            "Faulty minutes": _percent(one["share"]),
            "Correlation": one["values"]["correlation"],
            "Amplitude (uV)": one["values"]["amplitude"],
            "Above 30 Hz": _percent(one["values"]["high"]),
            "Mains": _percent(one["values"]["mains"]),
            "Drift (uV)": one["values"]["drift"],
        }
        for one in sorted(found["channels"], key=lambda one: -one["share"] - 1e-3 * bool(one["counts"]))
    ]
    percent = st.column_config.NumberColumn(format="%.1f%%")
    st.dataframe(
        rows,
        hide_index=True,
        column_config={
            "Faulty minutes": percent,
            "Above 30 Hz": percent,
            "Mains": percent,
            "Correlation": st.column_config.NumberColumn(format="%.2f"),
            "Amplitude (uV)": st.column_config.NumberColumn(format="%.1f"),
            "Drift (uV)": st.column_config.NumberColumn(format="%.0f"),
        },
        height=min(38 * (len(rows) + 1), 420),
    )
    st.caption("Medians over the minutes. None: not judged for this channel.")


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share
