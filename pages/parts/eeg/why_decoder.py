"""Why a calibrated decoder decides as it does: the ranking, its test, the head, and four other ways of asking beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from backend.domain import Run
from backend.errors import InputError
from pages.parts.explanation import show_trust
from pages.parts.figure import show_figure
from pages.parts.markup import escape, facts, html, plain
from pages.parts.why_sites import explained


def show(run: Run, target: Mapping[str, Any], label: str) -> None:
    """The explanation of ``{"trial": n}`` or ``{"calibration": True}``, or the button that has it made."""
    found = explained(run, target, label)
    if found is None:
        return
    name = f"{run.id}-{'-'.join(str(value) for value in found['target'].values()).lower()}"
    left, right = st.columns([5, 3], gap="large")
    with left:
        html(f"<p>{escape(found['words'])}</p>")
        _cells(found, name)
    with right:
        _trust(found, name)
    one, two = st.columns(2, gap="large")
    with one:
        _map(found, name)
    with two:
        from backend.figures.eeg_why import describe_margins, margin_rows, plot_margins

        show_figure(plot_margins(found), describe_margins(found), f"why-margins-{name}", margin_rows(found))
    _methods(found)
    with st.expander("Activation patterns and weights"):
        _patterns(found, name)
    with st.expander("How this was computed"):
        _method(found)


def _cells(found: Mapping[str, Any], name: str) -> None:
    from backend.figures.eeg_why import cell_rows, describe_cells, plot_cells

    show_figure(plot_cells(found), describe_cells(found), f"why-cells-{name}", cell_rows(found))
    for part in found["helpers"][:3]:
        st.caption(
            f"○ {plain(part['channel'])} in {part['band']} is used, share {part['value']:+.2f}, but alone it tells the classes apart no "
            f"better than chance (p = {part['p_alone']:.2g}). It stays out of the ranking."
        )


def _trust(found: Mapping[str, Any], name: str) -> None:
    from backend.figures.deletion import describe_deletion, plot_deletion

    show_trust(bool(found["reliable"]), str(found["reason"]))
    trust, unit = found["faithfulness"], found["unit"]
    if trust["random_areas"]:
        areas = [("this explanation", trust["deletion_area"]), *(("random", area) for area in trust["random_areas"])]
        rows = [{"order": order, f"mean {unit} during removal": area} for order, area in areas]
        show_figure(plot_deletion(trust, unit), describe_deletion(trust, unit), f"why-test-{name}", rows)
    facts(
        [
            ("Log-odds", f"{found['score']:+.2f}, from {found['base']:+.2f} with nothing of the trial"),
            ("Shares add up to within", f"{trust['additivity_residual']:.0e}"),
            ("Trials scored", f"{trust['evaluations']:,}"),
        ]
    )


def _map(found: Mapping[str, Any], name: str) -> None:
    from backend.figures.eeg_topomap import topomap
    from backend.figures.eeg_why import share_map

    electrodes, values = share_map(found)
    try:
        figure, rows, words = topomap(electrodes, values, "Share of each electrode, all bands", found["unit"], symmetric=True)
    except InputError as error:
        st.caption(plain(str(error)))
        return
    show_figure(figure, words, f"why-map-{name}", rows)
    if any(len(names) > 1 for names in found["groups"]):
        st.caption("With many channels, neighbours were weighed together, and only the leading regions channel by channel.")


def _methods(found: Mapping[str, Any]) -> None:
    """The leading parts by every way of asking, and what they agree on."""
    html(f"<p>{escape(found['agreement']['words'])}</p>")
    bands = [band["name"] for band in found["bands"]]
    from backend.figures.eeg_why import group_name

    groups = [group_name(names) for names in found["groups"]]
    rows = []
    for part in found["by_share"][:8]:
        group, band = groups.index(part["channel"]), bands.index(part["band"])
        rows.append(
            {
                "Channel and band": f"{part['channel']}, {part['band']}",
                "Share": part["value"],
                "± standard error": part["error"],
                "Second seed": found["second"][group][band],
                "Occlusion": found["occlusion"][group][band],
                "Activation pattern": found["pattern_strength"][group][band],
                "Tells the classes apart alone": _alone(part),
            }
        )
    number = st.column_config.NumberColumn
    st.dataframe(
        rows,
        hide_index=True,
        column_config={
            "Share": number(format="%+.2f", help="Shapley value, log-odds"),
            "± standard error": number(format="%.2f"),
            "Second seed": number(format="%+.2f", help="Other orders, other background trials, a decoder fitted from another seed"),
            "Occlusion": number(format="%+.2f", help="Fall of the log-odds when this part alone is replaced"),
            "Activation pattern": number(format="%.2f", help="Largest correlation of its power or mean with the decoder's output"),
        },
    )


def _alone(part: Mapping[str, Any]) -> str:
    if part["carries"] is None:
        return "share too small to ask"
    return f"{'yes' if part['carries'] else 'not shown'}, p = {part['p_alone']:.2g}"


def _patterns(found: Mapping[str, Any], name: str) -> None:
    from backend.figures.eeg_topomap import topomap
    from backend.figures.eeg_why import describe_weights, pattern_map, plot_weights, weight_rows

    bands, patterns = [band["name"] for band in found["bands"]], found["patterns"]
    leading = (found["ranking"] or found["by_share"])[0]["band"]
    left, right = st.columns(2, gap="large")
    with left:
        band = st.selectbox("Band", bands, index=bands.index(leading), key=f"why-band-{name}", width=220)
        outputs = patterns["outputs"]
        output = st.selectbox("Output", outputs, key=f"why-output-{name}", width=320) if len(outputs) > 1 else outputs[0]
        values, what, unit = pattern_map(found, output, band)
        try:
            figure, rows, words = topomap(found["electrodes"], values, f"{what} in {band} that goes with {output}", unit, symmetric=True)
        except InputError as error:
            st.caption(plain(str(error)))
        else:
            show_figure(figure, words, f"why-pattern-{name}", rows)
        st.caption("For one standard deviation of the decoder's output.")
    with right:
        if found["weights"]:
            show_figure(plot_weights(found), describe_weights(found), f"why-weights-{name}", weight_rows(found))
            st.caption("A dot far to a side and near the middle line is weighed and tells nothing: the decoder subtracts it.")
        else:
            st.caption("This decoder has no weight for a single channel, so there is nothing to set beside the patterns.")


def _method(found: Mapping[str, Any]) -> None:
    lines = [
        "Each trial is split into channel, frequency band and window of time; the parts add up to the trial exactly. Shares are Shapley "
        f"values, sampled over {found['cases']} trials or comparisons, each in one random order of joining and its reverse. Their sum is "
        "the log-odds of the trial less those of what stands for it when absent.",
        found["baseline"] + " So parts that belong together are torn apart on the way, and a decoder that lives on how channels go "
        "together is asked about signals that no head would give.",
        "Shares say what the decoder uses. A channel that only carries noise can have a large one, because subtracting it helps. So parts "
        "with a fifth of the largest share or more are also asked whether their power or mean tells the classes apart alone (labels "
        "exchanged within sessions, corrected for asking all of them). Those that do not stand apart from the ranking.",
    ]
    if found["held_out"] and "calibration" in found["target"]:
        lines.append(
            "Every trial is explained with a decoder of the same kind fitted without its half of the sessions, or of the time where there "
            "is one session; the decoder kept was fitted to all of them."
        )
    html("".join(f"<p>{escape(line)}</p>" for line in lines))
