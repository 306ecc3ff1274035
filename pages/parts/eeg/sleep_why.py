"""Why an epoch, a stage or the night was staged so: shares by channel, band and time, with their test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from backend.domain import Run
from pages.parts.explanation import show_trust
from pages.parts.figure import show_figure
from pages.parts.markup import escape, facts, html
from pages.parts.why_sites import explained


def show_why(run: Run, epoch: int) -> None:
    """Choose what to explain, and see it."""
    from backend.eeg.sleep.statistics import NAMES

    found: Mapping[str, Any] = run.prediction or {}
    called = found["stages"][epoch - 1]
    there = [stage for stage in found["order"] if stage in found["stages"]]
    of_epoch = f"Epoch {epoch}"
    choice = st.segmented_control(
        "What to explain", [of_epoch, "A stage", "The night"], default=of_epoch, key=f"sleep-what-{run.id}", label_visibility="collapsed"
    )
    target: dict[str, Any]
    if choice == "The night":
        target, label = {"night": True}, "Explain the night"
    elif choice == "A stage":
        stage = st.selectbox("Stage", there, format_func=lambda name: NAMES[name], key=f"sleep-stage-{run.id}", width=320)
        target, label = {"stage": stage}, f"Explain {NAMES[stage]} in this night"
    elif called is None:
        st.caption("This epoch was not scored, so there is nothing to explain.")
        return
    else:
        options = [called, *(stage for stage in found["order"] if stage != called)]
        stage = st.selectbox(
            "Why this stage, or why not another",
            options,
            format_func=lambda name: f"Why {NAMES[name]}" if name == called else f"What spoke for and against {NAMES[name]}",
            key=f"sleep-rival-{run.id}-{epoch}",
            width=420,
        )
        target = {"epoch": epoch} | ({} if stage == called else {"stage": stage})
        label = f"Explain why epoch {epoch} is called {NAMES[called]}" if stage == called else f"Explain {NAMES[stage]} in epoch {epoch}"
    made = explained(run, target, label)
    if made:
        _show(run, made, label)


def _show(run: Run, made: Mapping[str, Any], label: str) -> None:
    from backend.figures.deletion import describe_deletion, plot_deletion
    from backend.figures.eeg_sleep_why import describe_shares, plot_shares, shares_rows

    shares = made["shares"]
    trust = shares["faithfulness"]
    mark = "-".join(str(value) for value in made["target"].values()).lower()
    left, right = st.columns([5, 3], gap="large")
    with left:
        _sentence(made)
        show_figure(plot_shares(made), describe_shares(made), f"sleep-why-{run.id}-{mark}", shares_rows(made))
    with right:
        show_trust(bool(trust["reliable"]), str(trust["reason"]))
        areas = [("this explanation", trust["deletion_area"]), *(("random", area) for area in trust["random_areas"])]
        show_figure(
            plot_deletion(trust, "score"),
            describe_deletion(trust, "score"),
            f"sleep-test-{run.id}-{mark}",
            [{"order": order, "mean score during removal": area} for order, area in areas],
        )
        facts(
            [
                ("Score", f"{shares['score']:.2f}: {shares['target']}"),
                ("Counted from", f"{shares['base_value']:.2f}"),
                ("Shares add up to within", f"{made['additivity']:.0e}"),
            ]
        )
    if made["figures"]:
        _figures(made)
    if made["by_stage"]:
        _by_stage(made)
    with st.expander("How this was computed"):
        html(f"<p>{escape(shares['method'])}</p><p>{escape(shares['baseline'])}</p>")
        html(
            "<p>Shares are in the score that the trees give a stage. The five scores are then weighed against each other (softmax) to give "
            "the probabilities, so that a stage gains also when the others lose. "
            "They say what the classifier went by, not what sleep is.</p>"
        )


def _sentence(made: Mapping[str, Any]) -> None:
    parts = sorted(made["shares"]["attributions"], key=lambda one: -one["value"])
    plus = [f"{one['label']} ({one['value']:+.2f})" for one in parts[:3] if one["value"] > 0]
    minus = [f"{one['label']} ({one['value']:+.2f})" for one in parts[:-4:-1] if one["value"] < 0]
    told = f"For it: {'; '.join(plus) or 'nothing'}. Against it: {'; '.join(minus) or 'nothing'}."
    mean = "" if made["epochs"] == 1 else f", mean of {made['epochs']:,} epochs"
    html(f"<p>Probability {made['probability']:.2f}{mean}. {escape(told)}</p>")


def _figures(made: Mapping[str, Any]) -> None:
    st.caption("The largest groups in figures: the one measure of each that stands farthest from the middle of this night.")
    st.dataframe(
        [
            {
                "Group": row["group"],
                "Share": row["share"],
                "Measure": row["measure"],
                "Value": f"{_three(row['value'])} {row['unit'].replace('uV2', 'µV²').replace('uV', 'µV')}".strip(),
                "Percentile in the night": row["above"],
            }
            for row in made["figures"]
        ],
        hide_index=True,
        column_config={
            "Share": st.column_config.NumberColumn(format="%+.2f"),
            "Percentile in the night": st.column_config.NumberColumn(format="percent"),
        },
    )


def _three(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _by_stage(made: Mapping[str, Any]) -> None:
    from backend.eeg.sleep.statistics import NAMES, STAGES

    st.caption("What each stage of this night rests on: the four groups with the largest mean shares among the epochs called so.")
    labels = [one["label"] for one in made["shares"]["attributions"]]
    lines = []
    for stage in STAGES:
        if values := made["by_stage"].get(stage):
            best = sorted(range(len(values)), key=lambda at: -values[at])[:4]
            told = "; ".join(f"{labels[at]} ({values[at]:+.2f})" for at in best)
            lines.append(f"<dt>{escape(NAMES[stage])}</dt><dd>{escape(told)}</dd>")
    html(f"<dl>{''.join(lines)}</dl>")
