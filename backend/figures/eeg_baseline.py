"""Background activity drawn: spectra of regions with their bands, shares of bands, left against right, and two recordings overlaid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from backend.domain import Json
from backend.figures.style import BLUE, CATEGORIES, QUIET, SYMBOLS, VERMILLION, finish

BANDS = {"delta": (1.0, 4.0), "theta": (4.0, 8.0), "alpha": (8.0, 13.0), "beta": (13.0, 30.0)}
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
_COLOURS = dict(zip(("occipital", "parietal", "temporal", "central", "frontal"), CATEGORIES, strict=False))


def plot_spectra(state: Mapping[str, Json]) -> Any:
    """Power by frequency of each region, the 1/f line of the posterior electrodes, and the peak where one was found."""
    import plotly.graph_objects as go

    curves, rhythm = state["spectra"], state["rhythm"]
    freqs = np.array(curves["freqs"])
    figure = go.Figure()
    for n, (region, colour) in enumerate(_COLOURS.items()):
        if region not in curves["regions"]:
            continue
        curve = {name: np.array(part) for name, part in curves["regions"][region].items()}
        if region in ("occipital", "parietal"):
            _ribbon(figure, freqs, curve, colour)
        figure.add_scatter(
            x=freqs,
            y=curve["mean"],
            name=region,
            line={"color": colour, "width": 2, "dash": _DASHES[n]},
            hovertemplate=f"{region}, %{{x:.2f}} Hz: %{{y:.3g}} µV²/Hz<extra></extra>",
        )
    figure.add_scatter(
        x=freqs, y=np.array(state["line"]), name="1/f line", line={"color": QUIET, "width": 1.5, "dash": "dash"}, hoverinfo="skip"
    )
    if rhythm["found"]:
        at = rhythm["peak"]
        figure.add_vrect(x0=at["low"], x1=at["high"], fillcolor=QUIET, opacity=0.25, line_width=0)
        figure.add_annotation(
            x=at["value"],
            y=1,
            yref="paper",
            text=f"{at['value']:.1f} Hz",
            showarrow=False,
            xanchor="left",
            xshift=4,
            yanchor="top",
            font={"size": 13},
        )
    _axes(figure, title_of(state), freqs)
    return figure


def plot_overlay(curves: Sequence[tuple[str, Mapping[str, Json]]], region: str) -> Any:
    """Spectra of the same region in two or more recordings, each with its 95% band: name and `state` of each."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for n, (name, state) in enumerate(curves):
        freqs = np.array(state["spectra"]["freqs"])
        curve = {key: np.array(part) for key, part in state["spectra"]["regions"][region].items()}
        colour = (BLUE, VERMILLION, *CATEGORIES[2:])[n]
        _ribbon(figure, freqs, curve, colour)
        figure.add_scatter(
            x=freqs,
            y=curve["mean"],
            name=name,
            line={"color": colour, "width": 2, "dash": _DASHES[n]},
            hovertemplate="%{x:.2f} Hz: %{y:.3g} µV²/Hz<extra></extra>",
        )
    _axes(figure, f"Spectra, {region}, with 95% intervals", np.array(curves[0][1]["spectra"]["freqs"]))
    return figure


def plot_powers(state: Mapping[str, Json]) -> Any:
    """Share of each band in 1 to 30 Hz, a row a region, with 95% intervals."""
    rows = [(power["region"], power["band"], power["relative"]) for power in state["powers"]]
    figure = _forest(rows, 100)
    top = max(state["powers"], key=lambda power: power["relative"]["value"])
    finish(figure, f"{top['band'].capitalize()} has the largest share: {top['relative']['value']:.0%} {_over(top['region'])}", 330)
    figure.update_xaxes(title="share of the power from 1 to 30 Hz (%), with 95% interval", rangemode="tozero")
    figure.update_layout(legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"}, margin={"l": 8, "r": 8, "t": 76, "b": 8})
    return figure


def plot_sides(state: Mapping[str, Json]) -> Any:
    """Power on the left over that on the right, by region and band, on a logarithmic axis; 1 is even."""
    figure = _forest([(side["region"], side["band"], side["ratio"]) for side in state["sides"]], 1)
    figure.add_vline(x=1, line={"color": QUIET, "width": 1, "dash": "dash"})
    uneven = [
        side for side in state["sides"] if side["ratio"]["low"] is not None and not side["ratio"]["low"] <= 1 <= side["ratio"]["high"]
    ]
    finish(figure, f"{len(uneven)} of {len(state['sides'])} ratios have an interval that leaves out 1", 330)
    figure.update_xaxes(
        title="power left over right, with 95% interval", type="log", tickvals=[0.25, 0.5, 0.67, 1, 1.5, 2, 4], range=_reach(state["sides"])
    )
    figure.update_layout(legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"}, margin={"l": 8, "r": 8, "t": 76, "b": 8})
    return figure


def title_of(state: Mapping[str, Json]) -> str:
    """What the spectra show."""
    rhythm = state["rhythm"]
    if not rhythm["found"]:
        return "No alpha peak stands out from the 1/f fall"
    at = rhythm["peak"]
    return f"A peak at {at['value']:.1f} Hz (95% interval {at['low']:.1f} to {at['high']:.1f}) over the 1/f fall"


def spectra_words(state: Mapping[str, Json]) -> str:
    """The spectra in words."""
    shares = "; ".join(
        f"{power['region']} {power['band']} {power['relative']['value']:.0%}" for power in state["powers"] if power["band"] == "alpha"
    )
    return f"Spectra by region from 1 to 30 Hz. {title_of(state)}. Share of alpha: {shares}."


def spectra_rows(state: Mapping[str, Json]) -> list[dict[str, Json]]:
    """The spectra's numbers, a row a region and frequency."""
    freqs = state["spectra"]["freqs"]
    return [
        {"region": region, "Hz": hertz, "uV2_per_Hz": mean, "low_95": low, "high_95": high}
        for region, curve in state["spectra"]["regions"].items()
        for hertz, mean, low, high in zip(freqs, curve["mean"], curve["low"], curve["high"], strict=True)
    ]


def forest_rows(parts: Sequence[Mapping[str, Json]], key: str) -> list[dict[str, Json]]:
    """Region, band and number with its interval."""
    return [
        {"region": part["region"], "band": part["band"], key: part[key]["value"], "low_95": part[key]["low"], "high_95": part[key]["high"]}
        for part in parts
    ]


def forest_words(parts: Sequence[Mapping[str, Json]], key: str) -> str:
    """The same in one sentence."""
    return "; ".join(f"{part['region']} {part['band']} {part[key]['value']:.2g}" for part in parts) + "."


def _forest(rows: Sequence[tuple[str, str, Mapping[str, Json]]], factor: float) -> Any:
    import plotly.graph_objects as go

    regions = list(dict.fromkeys(region for region, _, _ in rows))
    bands = list(dict.fromkeys(band for _, band, _ in rows))
    figure = go.Figure()
    for n, band in enumerate(bands):
        mine = [(region, number) for region, of, number in rows if of == band]
        values = np.array([number["value"] for _, number in mine]) * factor
        low = np.array([number["low"] if number["low"] is not None else number["value"] for _, number in mine]) * factor
        high = np.array([number["high"] if number["high"] is not None else number["value"] for _, number in mine]) * factor
        figure.add_scatter(
            x=values,
            y=np.array([regions.index(region) + (n - (len(bands) - 1) / 2) * 0.18 for region, _ in mine]),
            mode="markers",
            name=band,
            marker={"color": CATEGORIES[n], "symbol": SYMBOLS[n], "size": 9},
            error_x={"type": "data", "symmetric": False, "array": high - values, "arrayminus": values - low, "thickness": 1.5, "width": 0},
            customdata=np.stack([low, high], axis=-1),
            hovertemplate=f"{band}, {BANDS[band][0]:g} to {BANDS[band][1]:g} Hz: "
            "%{x:.3g} (%{customdata[0]:.3g} to %{customdata[1]:.3g})<extra></extra>",
        )
    figure.update_yaxes(tickvals=list(range(len(regions))), ticktext=regions, range=[len(regions) - 0.5, -0.5])
    return figure


def _ribbon(figure: Any, freqs: np.ndarray, curve: Mapping[str, np.ndarray], colour: str) -> None:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    figure.add_scatter(
        x=np.concatenate([freqs, freqs[::-1]]),
        y=np.concatenate([curve["high"], curve["low"][::-1]]),
        fill="toself",
        fillcolor=f"rgba({red},{green},{blue},0.18)",
        line={"width": 0},
        hoverinfo="skip",
        showlegend=False,
    )


def _axes(figure: Any, title: str, freqs: np.ndarray) -> None:
    finish(figure, title, 400)
    top = min(float(freqs[-1]), 35.0)
    figure.update_xaxes(title="frequency (Hz)", range=[1, top], tickvals=[1, 4, 8, 13, 20, 30])
    figure.update_yaxes(title="power (µV²/Hz), logarithmic", type="log", exponentformat="power", dtick=1)
    for name, (low, high) in BANDS.items():
        figure.add_vline(x=high, line={"color": QUIET, "width": 0.6, "dash": "dot"})
        figure.add_annotation(x=(low + high) / 2, y=0.01, yref="paper", text=name, showarrow=False, font={"size": 12}, yanchor="bottom")
    figure.update_layout(legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"}, margin={"l": 8, "r": 8, "t": 76, "b": 8})


def _reach(sides: Sequence[Mapping[str, Json]]) -> list[float]:
    ends = [abs(np.log10(side["ratio"][end])) for side in sides for end in ("low", "high") if side["ratio"][end]]
    most = max([0.35, *ends]) * 1.05
    return [-most, most]


def _over(region: str) -> str:
    return f"in {region} electrodes"
