"""DNA classes: what the checkpoint calls the record, the probability along its length, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from backend.domain import Run
from pages.parts.choosing import choose_model
from pages.parts.figure import show_figure
from pages.parts.markup import escape, facts, html, kicker, some
from pages.parts.views.dna_variants import choose_record, choose_strand, show_notices
from pages.parts.why_sites import show_sites


def settings(kind: str) -> dict[str, Any] | None:
    """Model, strand, windows."""
    model = choose_model("dna.classify", "dna-classify-model")
    if model is None:
        st.caption(
            "Fine-tuned DNABERT checkpoints exist for promoters, splice sites and transcription-factor binding; each knows only its "
            "own classes."
        )
        return None
    strand = choose_strand("dna-classify-strand")
    left, right = st.columns(2)
    window = left.number_input(
        "Window (bases; 0: all it reads)", 0, 100_000, 0, key="dna-classify-window", help="The length the checkpoint was trained on."
    )
    step = right.number_input("Step (bases; 0: half a window)", 0, 100_000, 0, key="dna-classify-step")
    return {"model": model, "strand": strand, "window": int(window), "step": int(step)}


def show(run: Run) -> None:
    """The call first, then how sure, then the windows, then why."""
    data = run.prediction or {}
    labels: list[str] = list(data["labels"])
    found = choose_record(run, "dna-classify")
    key = f"{run.id}-{data['results'].index(found)}"
    left, right = st.columns([5, 3], gap="large")
    with left:
        kicker("Finding")
        _finding(found, labels)
    with right:
        kicker("How sure")
        _sure(run, found, data)
    from backend.figures.dna import class_rows, describe_classes, plot_classes

    if len(found["windows"]) > 1:
        kicker("Along the record")
        show_figure(plot_classes(found, labels), describe_classes(found, labels), f"dna-classes-{key}", class_rows(found, labels))
    else:
        st.dataframe(class_rows(found, labels), hide_index=True, key=f"dna-classes-{key}")
    kicker("Why")
    _why(run, found, labels, key)


def _finding(found: Mapping[str, Any], labels: list[str]) -> None:
    mean = dict(zip(labels, found["mean"], strict=True))
    html(f"<h3>{escape(found['record'])}: {escape(found['call'])} ({mean[found['call']]:.2f})</h3>")
    places = found["places"] or range(1, len(found["sequence"]) + 1)
    rows = []
    for item in sorted(found["highest"], key=lambda item: -item["probability"])[:8]:
        start, end = found["windows"][item["window"] - 1]
        rows.append(
            {
                "Class": item["label"],
                "Mean probability": mean[item["label"]],
                "Highest": item["probability"],
                "There": f"{places[start]:,} to {places[end - 1]:,}",
            }
        )
    st.dataframe(rows, hide_index=True, height=35 * (len(rows) + 1) + 3, key=f"dna-call-{found['record']}-{found['model']}")
    if len(labels) > len(rows):
        st.caption(f"The {len(rows)} likeliest of {len(labels)} classes.")


def _sure(run: Run, found: Mapping[str, Any], data: Mapping[str, Any]) -> None:
    facts(
        [
            ("Model", found["model"]),
            ("Windows", some(len(found["windows"]), "window")),
            ("Strand", "as written" if found["strand"] == "+" else "the other strand"),
            ("Classes", "each judged alone" if data["several"] else "against each other: one of them always wins"),
        ]
    )
    html("<p>A probability is the checkpoint's own; whether it is right on sequences like yours was not measured here.</p>")
    show_notices(run)
    st.caption("Research use only.")


def _why(run: Run, found: Mapping[str, Any], labels: list[str], key: str) -> None:
    left, right = st.columns(2)
    label = left.selectbox("Class", labels, index=labels.index(found["call"]), key=f"dna-why-label-{key}")
    best = next(item["window"] for item in found["highest"] if item["label"] == label)
    places = found["places"] or range(1, len(found["sequence"]) + 1)
    numbers = list(range(1, len(found["windows"]) + 1))

    def words(number: int) -> str:
        start, end = found["windows"][number - 1]
        chance = found["probabilities"][number - 1][labels.index(label)]
        return f"{number}: {places[start]:,} to {places[end - 1]:,} ({chance:.2f})"

    number = right.selectbox("Window", numbers, index=best - 1, format_func=words, key=f"dna-why-window-{key}-{label}")
    start, end = found["windows"][number - 1]
    target = {"record": found["record"], "label": label, "window": number}
    if show_sites(run, target, f"Explain {label} in window {number}", found["sequence"], (start, end)) is None:
        st.caption("Shares of up to 24 stretches of the window: some 740 copies with stretches hidden are read, in the background.")
