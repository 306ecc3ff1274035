"""Two recordings of one patient side by side: how they differ in the making, signal, spectra, band powers, sleep, calibrations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from backend.domain import Run, canonical, digest
from backend.storage.patients import Visit
from pages.parts.bench import bench
from pages.parts.eeg.choosing import length
from pages.parts.errors import told
from pages.parts.figure import show_figure
from pages.parts.markup import escape, facts, html, kicker, plain

_MONTAGES = ("longitudinal", "average", "referential", "transverse")
_EYES = {"not said": "eyes not said"}
_POWERS = {"relative": "Share of 1 to 30 Hz", "absolute": "µV²"}


def show_comparison(patient: str) -> None:
    """Choose two, then what they have in common, from the making to the numbers."""
    from backend.eeg.latest import latest_runs
    from backend.eeg.profile import in_time_order

    ordered = in_time_order(bench().context, patient)
    if len(ordered) < 2:
        return
    kicker("Two recordings side by side")
    names = {recording.id: f"{visit.label}, {recording.name}" for visit, recording in ordered}
    ids = list(names)
    left, right = st.columns(2, gap="large")
    one = left.selectbox("Earlier", ids, index=len(ids) - 2, format_func=names.__getitem__, key=f"compare-one-{patient}")
    two = right.selectbox("Later", ids, index=len(ids) - 1, format_func=names.__getitem__, key=f"compare-two-{patient}")
    if one == two:
        st.info("Choose two different recordings.", icon=":material/info:")
        return
    when = {recording.id: visit for visit, recording in ordered}
    if (unsure := _in_time(when[one], when[two])) is not None:
        st.warning(unsure, icon=":material/event:")
    if not st.toggle("Show the comparison", key=f"compare-show-{patient}"):
        return
    runs = latest_runs(bench().context, [one, two], ("eeg.baseline", "eeg.sleep"))
    pair = (runs.get((one, "eeg.baseline")), runs.get((two, "eeg.baseline")))
    with told():
        _making(one, two, pair)
        _signal(patient, names, (one, two))
        _numbers(patient, names, (one, two), pair)
        _sleep(patient, names, (one, two), (runs.get((one, "eeg.sleep")), runs.get((two, "eeg.sleep"))))
        _calibrations(patient, (one, two), names)


def _in_time(one: Visit, two: Visit) -> str | None:
    """Why it cannot be said which of two visits was first, or None where it can, and they are named rightly."""
    if one.id == two.id:
        return None
    for a, b in ((one.date, two.date), (one.day, two.day)):
        if a is not None and b is not None:
            later = str(a) > str(b) if isinstance(a, str) else int(a) > int(b)  # ISO dates sort as text
            return "The recording named as earlier is of the later visit: differences below run backwards in time." if later else None
    return (
        "These visits have no common date or day, so it is not known which came first. "
        "Give both a date, or both a day, under 'Change the visit'."
    )


def _making(one: str, two: str, pair: tuple[Run | None, Run | None]) -> None:
    from backend.eeg.compare import conditions

    differing = conditions(bench().context, one, two, pair)
    if not differing:
        st.caption("Same channels, rate, reference and filters as far as the files tell.")
        return
    html("<div class='bl-notice'>These recordings were not made alike. Read every difference below with this in mind.</div>")
    st.dataframe(
        [{"What differs": row["what"], "Earlier": row["first"] or "not told", "Later": row["second"] or "not told"} for row in differing],
        hide_index=True,
    )


def _numbers(patient: str, names: Mapping[str, str], ids: tuple[str, str], pair: tuple[Run | None, Run | None]) -> None:
    from backend.eeg.compare import CAVEAT, change_told, change_words, common_states, compare, number_told, state_of
    from backend.figures.eeg_baseline import plot_overlay

    kicker("Background activity")
    missing = [id for id, run in zip(ids, pair, strict=True) if run is None]
    if missing:
        _measure_first(missing, names)
        return
    first, second = (run.prediction or {} for run in pair if run is not None)
    states = common_states(first, second)
    if not states:
        told_states = "; ".join(
            f"{names[id]}: {', '.join(state['state'] for state in found['states'] if not state['reason'])}"
            for id, found in zip(ids, (first, second), strict=True)
        )
        st.info(
            f"They were not measured in the same state of the eyes, so no number is compared. {plain(told_states)}", icon=":material/info:"
        )
        states_of = [next(state for state in found["states"] if not state["reason"]) for found in (first, second)]
    else:
        state = st.segmented_control("State", states, default=states[0], key=f"compare-state-{patient}") if len(states) > 1 else states[0]
        states_of = [dict(state_of(found, state or states[0])) for found in (first, second)]
    shared = [region for region in states_of[0]["spectra"]["regions"] if region in states_of[1]["spectra"]["regions"]]
    if shared:
        begin = shared.index("occipital") if "occipital" in shared else 0
        region = st.selectbox("Region", shared, index=begin, key=f"compare-region-{patient}")
        shown = [(f"{names[id]} ({_EYES.get(state['state'], state['state'])})", state) for id, state in zip(ids, states_of, strict=True)]
        rows = [
            {"recording": name, "Hz": hertz, **{key: values[n] for key, values in state["spectra"]["regions"][region].items()}}
            for name, state in shown
            for n, hertz in enumerate(state["spectra"]["freqs"])
        ]
        words = f"Spectra of {region} electrodes in both recordings, with 95% intervals."
        show_figure(plot_overlay(shown, str(region)), words, f"compare-{patient}-{region}", rows)
    if not states:
        return
    powers = st.segmented_control(
        "Band powers", list(_POWERS), default="relative", format_func=_POWERS.__getitem__, key=f"compare-powers-{patient}"
    )
    rows = compare(states_of[0], states_of[1], powers or "relative")
    html("".join(f"<p>{escape(line)}</p>" for line in change_words(states_of[0], states_of[1], rows)[:5]))
    st.dataframe(
        [
            {
                "Number": row["measure"],
                "Earlier": number_told(row["first"], row),
                "Later": number_told(row["second"], row),
                "Change": change_told(row),
                "p (Holm)": row["p_holm"],
                "Judged": row["judged"],
            }
            for row in rows
        ],
        hide_index=True,
        column_config={"p (Holm)": st.column_config.NumberColumn(format="%.3g")},
        height=min(38 * (len(rows) + 1), 420),
    )
    st.caption("× is a ratio, later over earlier; 95% intervals in brackets; p values adjusted by Holm over all rows. " + plain(CAVEAT))


def _measure_first(missing: Sequence[str], names: Mapping[str, str]) -> None:
    st.caption("Spectra and band powers are compared once both recordings have been measured.")
    for id in missing:
        st.page_link(
            "pages/eeg.py",
            label=f"Measure the background activity of {plain(names[id])}",
            icon=":material/arrow_forward:",
            query_params={"recording": id, "show": "decode", "task": "eeg.baseline"},
        )


def _sleep(patient: str, names: Mapping[str, str], ids: tuple[str, str], pair: tuple[Run | None, Run | None]) -> None:
    there = [(id, run) for id, run in zip(ids, pair, strict=True) if run is not None]
    if not there:
        return
    from backend.eeg.report.results import sleep
    from backend.eeg.sleep.statistics import NAMES, PARAMETERS

    kicker("Sleep")
    columns = st.columns(len(there), gap="large")
    for column, (id, run) in zip(columns, there, strict=True):
        blocks, _ = sleep(run, 104)
        drawing = next((block for block in blocks if hasattr(block, "png")), None)
        with column:
            st.caption(plain(names[id]))
            if drawing is not None:
                st.image(drawing.png, width="stretch", alt=drawing.words)
    rows = []
    keys = [(one.key, f"{one.name}{f' ({one.unit})' if one.unit else ''}") for one in PARAMETERS]
    keys += [(f"min_{stage}", f"{name} (min)") for stage, name in NAMES.items()]
    for key, name in keys:
        numbers = [((run.prediction or {}).get("statistics") or {}).get(key) for _, run in there]
        rows.append({"Measure": name, **{names[id]: _number(number) for (id, _), number in zip(there, numbers, strict=True)}})
    st.dataframe(rows, hide_index=True)
    st.caption("Intervals tell of the classifier's own doubt only; nights differ from one another for many reasons, the first night most.")


def _number(number: Mapping[str, Any] | None) -> str:
    if not number or number["value"] is None:
        return ""
    return f"{number['value']:.1f}" + ("" if number["low"] is None else f" ({number['low']:.1f} to {number['high']:.1f})")


def _calibrations(patient: str, ids: tuple[str, str], names: Mapping[str, str]) -> None:
    from backend.eeg.profile import calibration_words

    found = [one for one in bench().storage.calibrations.list(patient) if set(one.recordings) & set(ids)]
    if not found:
        return
    kicker("Calibrations made of these recordings")
    for one in found:
        made_of = ", ".join(names[id] for id in one.recordings if id in names)
        facts([("Calibration", one.name), ("Made of", made_of), ("Verdict", calibration_words(one.data))])


def _signal(patient: str, names: Mapping[str, str], ids: tuple[str, str]) -> None:
    kicker("Signal")
    storage = bench().storage
    left, right = st.columns(2, gap="medium")
    montage = left.selectbox("Montage of both", _possible(ids), format_func=_montage, key=f"compare-montage-{patient}")
    sensitivity = right.select_slider(
        "Sensitivity of both (µV/mm)", (3.0, 5.0, 7.0, 10.0, 15.0, 20.0), 10.0, key=f"compare-scale-{patient}"
    )
    columns = st.columns(2, gap="medium")
    for column, id in zip(columns, ids, strict=True):
        long = storage.recordings.get(id).duration_s
        with column:
            last = max(0.0, long - 10.0)
            start = st.number_input(
                f"{names[id]}: page from (s), of {length(long)}", 0.0, last, min(last, 10.0), 10.0, key=f"compare-at-{patient}-{id}"
            )
            with told():
                png, words, note = _page(id, float(start), montage, float(sensitivity), _mark(id))
                st.image(png, width="stretch", alt=words)
                st.caption(plain(note))


@st.cache_data(max_entries=24, show_spinner="Drawing ten seconds ...")
def _page(recording: str, start: float, montage: str, sensitivity: float, mark: str) -> tuple[bytes, str, str]:
    """A drawn page; `mark` names what else decides how it looks."""
    from backend.eeg.report.signal_page import draw_page

    made = draw_page(bench().context, recording, start, montage=montage, uv_per_mm=sensitivity, width_mm=112, spacing_mm=7)
    return made.png, made.words, made.note


def _mark(recording: str) -> str:
    storage = bench().storage
    marks = [(one.id, one.onset_s, one.duration_s, one.label) for one in storage.recordings.annotations(recording)]
    return digest(canonical([storage.recordings.facts(recording), marks]))


def _possible(ids: Sequence[str]) -> list[str]:
    """Montages that the electrodes of all these recordings allow; as recorded first where a chain has hardly an electrode."""
    from backend.eeg.inputs import effective_channels
    from backend.eeg.montage import make_montage
    from backend.eeg.paging import suited
    from backend.errors import InputError

    found: list[str] = []
    for name in _MONTAGES:
        try:
            for id in ids:
                make_montage(name, [channel for channel in effective_channels(bench().context, id) if channel.kind == "eeg"])
        except InputError:
            continue
        found.append(name)
    begin = "longitudinal" if all(suited(effective_channels(bench().context, id)) == "longitudinal" for id in ids) else "referential"
    return sorted(found, key=lambda name: name != begin)


def _montage(name: str) -> str:
    from backend.eeg.montage import NAMES

    return NAMES[name]
