"""A decoder for one patient: the verdict first, then how sure, what was compared, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from backend.domain import Run
from pages.parts.bench import bench
from pages.parts.figure import show_figure
from pages.parts.links import here
from pages.parts.markup import escape, facts, html, kicker, plain, some

_FOLDS = {"sessions": "whole sessions held out", "stretches": "stretches of time held out, with a gap on each side"}


def form(recording: str) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Which recordings, which labels are the classes, and the window; None when there is nothing to calibrate on."""
    from backend.eeg.decoding.trials import default_window, labels_of
    from backend.eeg.inputs import effective_channels

    context, key = bench().context, f"calibrate-{recording}"
    storage = context.storage
    patient = storage.patients.visit(storage.recordings.get(recording).visit).patient
    names = recording_names(patient)
    chosen = st.multiselect(
        "Recordings to learn from",
        list(names),
        default=[recording],
        format_func=lambda id: names.get(id, id),
        key=f"{key}-recordings",
    )
    chosen = chosen or [recording]
    counts = labels_of(context, chosen)
    if len(counts) < 2:
        st.info(
            "A decoder learns from events with at least two labels. Mark them in the signal as annotations, or import a recording that "
            "carries them.",
            icon=":material/info:",
        )
        return None
    frequent = [label for label, count in counts.items() if count >= 6]
    labels = st.multiselect(
        "Classes: labels of the events",
        list(counts),
        default=_likely(frequent),
        format_func=lambda label: f"{label} ({counts.get(label, 0)})",
        key=f"{key}-labels-{'-'.join(chosen)}",
    )
    if len(labels) < 2:
        st.caption("Choose two or more labels.")
        return None
    start, stop = default_window(context, chosen, labels)
    mark = f"{key}-{'-'.join(labels)}"
    left, right = st.columns(2)
    start = left.number_input("From (s after the event)", -5.0, 10.0, start, 0.1, key=f"{mark}-start")
    stop = right.number_input("To (s after the event)", -4.0, 20.0, stop, 0.1, key=f"{mark}-stop")
    channels = [channel.name for channel in effective_channels(context, recording) if channel.kind == "eeg"]
    with st.expander("Channels, artefacts, other patients"):
        picked = st.multiselect("Channels", channels, placeholder="All usable EEG channels", key=f"{key}-channels")
        limit = st.number_input("Leave out trials that swing more than (µV); 0 keeps all", 0.0, 5000.0, 0.0, 50.0, key=f"{key}-limit")
        pooled = st.checkbox("Let other patients' trials help, where they consented", True, key=f"{key}-pooled")
    st.caption("Takes from some seconds to about two minutes, by the number of channels and trials.")
    settings = {
        "labels": labels,
        "start_s": float(start),
        "stop_s": float(stop),
        "channels": picked,
        "limit_uv": float(limit) or None,
        "pooled": pooled,
    }
    return {"recordings": chosen}, settings


def recording_names(patient: str) -> dict[str, str]:
    """A patient's recordings by id, as visit and recording."""
    storage = bench().storage
    visits = {visit.id: visit.label for visit in storage.patients.visits(patient)}
    return {one.id: f"{visits[one.visit]}, {one.name}" for one in storage.recordings.list(patient=patient)}


def verdict_label(word: str) -> None:
    """The verdict as a coloured word with its sign."""
    from backend.figures.eeg_decode import VERDICTS

    name, _, sign = VERDICTS[word]
    css = {"usable": "", "uncertain": "", "undecodable": " bl-no"}[word]
    html(f'<span class="bl-label{css}">{sign} {escape(name.upper())}</span>')


def show(run: Run) -> None:
    """The verdict in words with its interval, then what it rests on."""
    from backend.figures.eeg_decode import (
        candidate_rows,
        candidate_words,
        confusion_rows,
        confusion_words,
        curve_rows,
        curve_words,
        permutation_rows,
        permutation_words,
        plot_candidates,
        plot_confusion,
        plot_curve,
        plot_permutations,
        plot_sessions,
        session_rows,
        session_words,
    )

    found: Mapping[str, Any] = run.prediction or {}
    names = _names(found["recordings"])
    classes = list(found["cut"]["classes"])
    left, right = st.columns([5, 3], gap="large")
    with left:
        kicker("Finding")
        _finding(found)
    with right:
        _sure(run, found)
    kicker("What was compared")
    st.caption(
        "Three accuracies are told apart: of held-out trials as they were; expected in the next session, which allows for sessions that "
        "differ; and of the quick stand-in that the permutation test refits."
    )
    show_figure(plot_candidates(found), candidate_words(found), f"calibrate-candidates-{run.id}", candidate_rows(found))
    for row in found["candidates"]:
        if "skipped" in row:
            st.caption(f"{row['title']}: not tried. {row['skipped']}")
    one, two = st.columns(2, gap="large")
    with one:
        table = found["validation"]["confusion"]
        show_figure(
            plot_confusion(table, classes), confusion_words(table, classes), f"calibrate-confusion-{run.id}", confusion_rows(table, classes)
        )
    with two:
        show_figure(plot_permutations(found), permutation_words(found), f"calibrate-null-{run.id}", permutation_rows(found))
    one, two = st.columns(2, gap="large")
    with one:
        if found["curve"]:
            show_figure(plot_curve(found), curve_words(found), f"calibrate-curve-{run.id}", curve_rows(found))
        else:
            st.caption("There are too few trials for a learning curve.")
    with two:
        show_figure(plot_sessions(found, names), session_words(found, names), f"calibrate-sessions-{run.id}", session_rows(found, names))
    _why(run, found)
    if found["verdict"]["word"] != "undecodable":
        _next(run)
    with st.expander("How this was judged"):
        _method(found)


def _finding(found: Mapping[str, Any]) -> None:
    verdict, expected = found["verdict"], found["next_session"]
    verdict_label(verdict["word"])
    html(
        f"<h3>{escape(verdict['sentence'])}</h3>"
        f"<p>In the next session <b>{expected['value']:.0%}</b> of the trials are expected to be decoded rightly, each class counting the "
        f"same (95% interval {expected['low']:.0%} to {expected['high']:.0%}; chance {verdict['chance']:.0%}).</p>"
        + "".join(f"<p>{escape(reason)}</p>" for reason in verdict["reasons"] if "expected in the next" not in reason)
    )
    gain = found["gain"]
    if not gain["n"]:
        html(f"<p class='bl-soft'>What calibrating gained cannot be said. {escape(gain['reason'])}</p>")
        return
    over = (
        f"the uncalibrated model, a decoder of {some(gain['patients'], 'other patient')} ({gain['uncalibrated']:.0%})"
        if gain["over"] == "uncalibrated"
        else "chance. There is no uncalibrated model: no other patient with such trials consented"
    )
    html(
        f"<p>Gained by calibrating, on the {gain['n']} later trials only: <b>{100 * gain['gain']['value']:+.0f} percentage points</b> (95% "
        f"interval {100 * gain['gain']['low']:+.0f} to {100 * gain['gain']['high']:+.0f}) over {escape(over)}.</p>"
    )


def _sure(run: Run, found: Mapping[str, Any]) -> None:
    kicker("How sure")
    cut, validation = found["cut"], found["validation"]
    pool = found["pool"]
    left_out = "; ".join(f"{reason}: {count}" for reason, count in cut["left_out"].items()) or "none"
    facts(
        [
            ("Held-out trials right", f"{validation['balanced_accuracy']:.0%} of {validation['n']}, each class counting the same"),
            ("Permutation test", f"p = {found['permutation']['p']:.2g}"),
            ("Validation", f"{validation['n_folds']} folds, {_FOLDS[validation['folds']]}"),
            ("Trials", ", ".join(f"{name} {count}" for name, count in cut["classes"].items())),
            ("Left out", left_out),
            ("Window", f"{cut['window_s'][0]:g} to {cut['window_s'][1]:.2f} s, {len(cut['channels'])} channels, {cut['rate']:g} Hz"),
            ("Other patients", f"{some(pool['patients'], 'patient')}, {pool['trials']} trials" if pool else "none"),
        ]
    )
    for warning in run.warnings[:10]:
        html(f"<div class='bl-notice'>{escape(warning)}</div>")


def _next(run: Run) -> None:
    """The patient's other recordings, which the decoder can be applied to."""
    from backend.eeg.inputs import recordings_of

    patient = bench().storage.recordings.get(recordings_of(run.input)[0])
    names = recording_names(bench().storage.patients.visit(patient.visit).patient)
    others = [id for id in names if id not in recordings_of(run.input)]
    if not others:
        return
    kicker("Apply it")
    for id in others[:6]:
        here(
            f"Decode {plain(names[id])}",
            {"recording": id, "show": "decode", "task": "eeg.decode"},
            f"next-{run.id}-{id}",
            ":material/arrow_forward:",
        )


def _why(run: Run, found: Mapping[str, Any]) -> None:
    kicker("Why")
    if found["verdict"]["word"] == "undecodable":
        st.caption("The decoder is no better than guessing: what it rests on is not shown.")
        return
    from pages.parts.eeg import why_decoder

    why_decoder.show(run, {"calibration": True}, "Explain what the decoder rests on")


def _method(found: Mapping[str, Any]) -> None:
    verdict, permuted = found["verdict"], found["permutation"]
    chosen = found["validation"]["chosen"]
    lines = [
        verdict["rule"],
        "For two classes 70% is the accuracy below which people cannot steer a communication aid (Kübler et al. 2001, "
        "doi:10.1006/exnr.2001.7714).",
        "In each fold the candidate was chosen inside the training part, so that choosing the best of several is part of what is judged. "
        f"Chosen were: {', '.join(chosen)}.",
        "Everything that is learned, recentring included, was learned in the training part. Cleaning by ICA, where it is on, saw the whole "
        "recording, though no labels.",
        f"Permutation test: {permuted['statistic']}.",
        "The interval is for a session not yet recorded: it holds chance within sessions and the spread between sessions. With few "
        "sessions that spread is taken from what is usual.",
    ]
    html("".join(f"<p>{escape(line)}</p>" for line in lines))


def _names(ids: list[str]) -> list[str]:
    """Recordings as they are called now; told apart by a number where two are called alike, or were deleted."""
    storage = bench().storage
    names = [storage.recordings.get(id).name if storage.recordings.has(id) else "deleted" for id in ids]
    return [name if names.count(name) == 1 else f"{n + 1}. {name}" for n, name in enumerate(names)]


def _likely(labels: list[str]) -> list[str]:
    """T1 and T2 where they are there (rest is T0), else the two most frequent."""
    return ["T1", "T2"] if {"T1", "T2"} <= set(labels) else labels[:2]
