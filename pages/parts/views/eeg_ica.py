"""Independent components: what each is, why it is called so, and which to take out of the recording; reversibly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from backend.domain import Run
from pages.parts.bench import bench
from pages.parts.errors import told
from pages.parts.explanation import show_trust
from pages.parts.figure import show_figure
from pages.parts.markup import escape, facts, html, kicker, some
from pages.parts.why_sites import explained

if TYPE_CHECKING:
    from backend.eeg.cleaning import Decomposition

_PER_PAGE = 12
_WINDOW_S = 10.0
_MOST_TRACES = 12


def settings(recording: str) -> dict[str, Any]:
    """From which probability a component is suggested."""
    least = st.slider(
        "Suggest artefacts from this probability on",
        0.5,
        0.99,
        0.9,
        0.01,
        key=f"ica-from-{recording}",
        help="Nothing is taken out without your choice. 0.9 is cautious.",
    )
    return {"suggest_from": float(least)}


def show(run: Run) -> None:
    """The finding first, then how sure, then the components, then why, then the choice with a page before and after."""
    from backend.eeg import cleaning

    found: Mapping[str, Any] = run.prediction or {}
    components = found["components"]
    left, right = st.columns([5, 3], gap="large")
    with left:
        kicker("Finding")
        _finding(found, components)
    with right:
        _sure(run, found)
    with told():
        held = cleaning.read(bench().context, str(found["recording"]), str(found["file"]))
        kicker("The components")
        _maps(run, found, components, held)
        _table(components)
        kicker("One component")
        _one(run, found, components, held)
        kicker("Take out")
        show_choice(run, found, held)


def _finding(found: Mapping[str, Any], components: Sequence[Mapping[str, Any]]) -> None:
    from backend.figures.eeg_ica import percent

    suggested = [one for one in components if one["suggested"]]
    brain = sum(one["label"] == "brain" for one in components)
    head = f"{some(len(suggested), 'component')} of {len(components)} {'is' if len(suggested) == 1 else 'are'} suggested to be taken out"
    if not suggested:
        head = f"None of {len(components)} components is surely an artefact"
    lines = [
        f"<b>{one['number']}</b>: {escape(one['label'])}, {percent(one['probability'])} sure, {one['variance']:.1%} of the variance"
        for one in suggested
    ]
    body = f"<h3>{escape(head)}</h3><p>{brain} are most likely brain. Nothing is taken out until you choose below.</p>"
    html(body + "".join(f"<p>{line}</p>" for line in lines[:8]))
    if len(lines) > 8:
        st.caption(f"{len(lines) - 8} more, with smaller shares of the variance, in the table below.")


def _sure(run: Run, found: Mapping[str, Any]) -> None:
    from backend.models.registry import get_card

    kicker("How sure")
    facts(
        [
            ("Made from", f"{found['seconds']:.0f} s of {len(found['channels'])} channels at {found['rate']:g} Hz, average reference"),
            ("Method", f"extended infomax, 1-100 Hz, {found['steps']} passes"),
            ("Suggested", f"artefacts from {found['suggest_from']:.0%} on"),
        ]
    )
    for warning in run.warnings[:10]:
        html(f"<div class='bl-notice'>{escape(warning)}</div>")
    with st.expander("What ICLabel can and cannot"):
        for limit in get_card("iclabel").limits:
            html(f"<p>{escape(limit)}</p>")


def _maps(run: Run, found: Mapping[str, Any], components: Sequence[Mapping[str, Any]], held: Decomposition) -> None:
    from backend.figures.eeg_ica import describe_maps, map_rows, plot_maps

    pages = [f"{at + 1}-{min(at + _PER_PAGE, len(components))}" for at in range(0, len(components), _PER_PAGE)]
    names = ["Suggested", *pages] if found["suggested"] else pages
    chosen = st.segmented_control("Show", names, default=names[0], key=f"ica-page-{run.id}") or names[0]
    at = (pages.index(chosen) if chosen in pages else 0) * _PER_PAGE
    shown = [one for one in components if one["suggested"]][:24] if chosen == "Suggested" else components[at : at + _PER_PAGE]
    electrodes = found["electrodes"]
    words = describe_maps(electrodes, held.mixing, shown)
    show_figure(plot_maps(electrodes, held.mixing, shown), words, f"ica-maps-{run.id}-{chosen}", map_rows(electrodes, held.mixing, shown))
    st.caption("Head seen from above, nose up. Blue and orange-red are opposite signs; a component's sign itself means nothing.")


def _table(components: Sequence[Mapping[str, Any]]) -> None:
    from backend.models.families.iclabel import CLASSES

    rows = [
        {
            "Component": one["number"],
            "Label": one["label"],
            "Suggested": "take out" if one["suggested"] else "",
            "Variance": one["variance"],
            **dict(zip((name.capitalize() for name in CLASSES), one["probabilities"], strict=True)),
        }
        for one in components
    ]
    config: dict[str, Any] = {
        name.capitalize(): st.column_config.ProgressColumn(format="%.2f", min_value=0, max_value=1, width="small") for name in CLASSES
    }
    config["Variance"] = st.column_config.NumberColumn(format="percent")
    with st.expander("All probabilities"):
        st.dataframe(rows, hide_index=True, column_config=config, height=min(38 * (len(rows) + 1), 460))


def _one(run: Run, found: Mapping[str, Any], components: Sequence[Mapping[str, Any]], held: Decomposition) -> None:
    import numpy as np

    from backend.figures.eeg_ica import percent, plot_spectrum, plot_trace, spectrum_title
    from backend.figures.eeg_topomap import topomap

    first = (found["suggested"] or [1])[0]
    number = st.selectbox(
        "Component",
        [one["number"] for one in components],
        index=first - 1,
        format_func=lambda number: f"{number}: {components[number - 1]['label']}, {percent(components[number - 1]['probability'])}",
        key=f"ica-one-{run.id}",
    )
    one, own, key = components[number - 1], number - 1, f"{run.id}-{number}"
    left, right = st.columns([2, 3], gap="large")
    with left:
        figure, rows, words = topomap(
            found["electrodes"],
            held.mixing[:, own],
            f"Component {number}: {one['label']}, {percent(one['probability'])}",
            "uV",
            symmetric=True,
        )
        show_figure(figure, words, f"ica-map-{key}", rows)
    with right:
        spectrum = [{"Hz": float(at), "dB": round(float(value), 3)} for at, value in zip(held.frequencies, held.power[own], strict=True)]
        title = spectrum_title(held.frequencies, held.power[own], number, one["label"])
        show_figure(
            plot_spectrum(held.frequencies, held.power[own], number, one["label"]), f"Spectrum. {title}.", f"ica-spectrum-{key}", spectrum
        )
    start = _start(found, f"ica-at-{key}", own)
    times, before = _page(found, start)
    source = held.sources(before)[own]
    source = source - np.nanmedian(source)
    trace = [{"s": round(float(at), 4), "sd": round(float(value), 3)} for at, value in zip(times, source, strict=True)]
    words = (
        f"Trace of component {number} from {times[0]:.0f} to {times[-1]:.0f} s, between {np.nanmin(source):.1f} and {np.nanmax(source):.1f}"
    )
    show_figure(plot_trace(times, source, number, one["label"]), f"{words} standard deviations.", f"ica-trace-{key}", trace)
    _why(run, one)


def _why(run: Run, one: Mapping[str, Any]) -> None:
    from backend.figures.deletion import describe_deletion, plot_deletion
    from backend.figures.eeg_ica import describe_shares, plot_shares, share_rows

    target = {"component": one["number"], "label": one["label"]}
    made = explained(run, target, f"Explain why component {one['number']} is called {one['label']}")
    if not made:
        return
    key = f"{run.id}-{one['number']}"
    inputs, parts = made["inputs"], made["parts"]
    most = max(inputs["attributions"], key=lambda item: item["value"])
    left, right = st.columns(2, gap="large")
    with left:
        title = f"{most['label']} speaks most for {one['label']}"
        show_figure(plot_shares(inputs, title), describe_shares(inputs, title), f"ica-why-{key}", share_rows(inputs))
        st.caption(inputs["baseline"])
    with right:
        strongest = max(parts["attributions"], key=lambda item: item["value"])
        title = f"Within them: {strongest['label'].lower()}"
        show_figure(plot_shares(parts, title), describe_shares(parts, title), f"ica-parts-{key}", share_rows(parts))
        trust = parts["faithfulness"]
        show_trust(bool(trust["reliable"]), str(trust["reason"]))
        if trust["random_areas"]:
            areas = [("this explanation", trust["deletion_area"]), *(("random", area) for area in trust["random_areas"])]
            rows = [{"order": order, "mean probability during removal": area} for order, area in areas]
            show_figure(plot_deletion(trust, "probability"), describe_deletion(trust, "probability"), f"ica-deletion-{key}", rows)


def show_choice(run: Run, found: Mapping[str, Any], held: Decomposition) -> None:
    """Choose components, see a page before and after, apply."""
    from backend.eeg import cleaning
    from backend.figures.eeg_ica import before_after_rows, before_after_title, plot_before_after

    opened, recording = bench().context, str(found["recording"])
    state = cleaning.state(opened, recording)
    own = state is not None and state["file"] == found["file"]
    before = state["exclude"] if own and state else found["suggested"]
    labels = {one["number"]: one["label"] for one in found["components"]}
    chosen = st.multiselect(
        "Components to take out",
        list(labels),
        default=before,
        format_func=lambda number: f"{number} {labels[number]}",
        key=f"ica-out-{run.id}",
        help="The stored signal is not altered. Every result made of the cleaned recording says so.",
    )
    start = _start(found, f"ica-preview-{run.id}", chosen[0] - 1 if chosen else 0)
    times, raw = _page(found, start)
    after = raw - held.part(raw, sorted(chosen)) if chosen else raw
    rows = _most_changed(raw, after)
    names = [found["channels"][row] for row in rows]
    title = before_after_title(times, names, raw[rows], after[rows], sorted(chosen))
    words = f"{title}. Traces of {', '.join(names)} before and after, as recorded, 0.5 to 70 Hz."
    show_figure(
        plot_before_after(times, names, raw[rows], after[rows], sorted(chosen)),
        words,
        f"ica-before-after-{run.id}",
        before_after_rows(times, names, raw[rows], after[rows]),
    )
    st.caption(f"The {len(names)} channels that change most on this page, in the recording's own reference.")
    same = own and state is not None and sorted(chosen) == state["exclude"] and (state["on"] or not chosen)
    words = f"Take out {some(len(chosen), 'component')} of this recording" if chosen else "Take none out"
    if st.button(words, type="primary", disabled=same or (not chosen and not own), key=f"ica-apply-{run.id}"):
        cleaning.choose(opened, recording, run.id, str(found["file"]), chosen, labels)
        st.rerun()
    if same and state is not None and state["on"]:
        st.caption("This is how the recording is cleaned now.")


def _most_changed(before: Any, after: Any) -> list[int]:
    import numpy as np

    lost = np.nan_to_num(np.nanvar(before - after, axis=1))
    return sorted(int(row) for row in np.argsort(-lost, kind="stable")[:_MOST_TRACES])


def _start(found: Mapping[str, Any], key: str, row: int) -> float:
    """Seconds at which the page begins: where the component is strongest in the first two minutes, until the person moves it."""
    from backend.eeg.signal import open_recording

    recording = str(found["recording"])
    last = max(0.0, open_recording(bench().config, recording).duration_s - _WINDOW_S)
    if last < 1:
        return 0.0
    first = _strongest(recording, str(found["file"]), list(found["channels"]), float(found["rate"]), row, last)
    return float(st.slider("From second", 0.0, float(last), first, 1.0, format="%.0f s", key=f"{key}-{row}"))


@st.cache_data(max_entries=200, show_spinner=False)
def _strongest(recording: str, file: str, channels: list[str], rate: float, row: int, last: float) -> float:
    import numpy as np

    from backend.eeg import cleaning

    held = cleaning.read(bench().context, recording, file)
    stop = min(120.0, last + _WINDOW_S)
    times, values = _page({"recording": recording, "channels": channels, "rate": rate}, 0.0, stop)
    size = np.abs(np.nan_to_num(held.sources(values)[row]))
    each = len(times) / stop
    windows = [
        (float(size[int(at * each) : int((at + _WINDOW_S) * each)].mean()), -at) for at in range(0, max(1, int(stop - _WINDOW_S)), 5)
    ]
    return min(float(-max(windows)[1]), last)


def _page(found: Mapping[str, Any], start_s: float, length_s: float = _WINDOW_S) -> tuple[Any, Any]:
    """Times and values as recorded, 0.5 to 70 Hz, without any cleaning."""
    import numpy as np

    from backend.eeg.prepared import prepare

    made = prepare(
        bench().context,
        str(found["recording"]),
        names=found["channels"],
        start_s=start_s,
        stop_s=start_s + length_s,
        high_pass=0.5,
        low_pass=70.0 if found["rate"] > 145 else None,
        clean=False,
    )
    return start_s + np.arange(made.values.shape[1]) / made.rate, made.values
