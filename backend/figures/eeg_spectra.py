"""Spectra with their intervals, the spectrogram, and band powers on the head."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from backend.domain import Json
from backend.figures.style import CATEGORIES, QUIET, finish

_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot", "solid")
_BANDS = {"delta": (1, 4), "theta": (4, 8), "alpha": (8, 13), "beta": (13, 30), "gamma": (30, 45)}


def plot_spectrum(prediction: Mapping[str, Json], names: Sequence[str], top: float = 45.0) -> Any:
    """Power of some channels by frequency on a logarithmic scale, each with its 95% interval; the bands named above."""
    import plotly.graph_objects as go

    figure = go.Figure()
    hertz = np.array(prediction["frequency"])
    shown = (hertz >= 0.5) & (hertz <= top)
    for n, channel in enumerate(_chosen(prediction, names)):
        colour = CATEGORIES[n % len(CATEGORIES)]
        power = np.array(channel["power"])[shown]
        if channel["low"]:
            low, high = np.array(channel["low"])[shown], np.array(channel["high"])[shown]
            figure.add_scatter(
                x=np.concatenate([hertz[shown], hertz[shown][::-1]]),
                y=np.concatenate([high, low[::-1]]),
                fill="toself",
                fillcolor=_faint(colour),
                line={"width": 0},
                hoverinfo="skip",
                showlegend=False,
                legendgroup=channel["name"],
            )
        figure.add_scatter(
            x=hertz[shown],
            y=power,
            name=channel["name"],
            legendgroup=channel["name"],
            line={"color": colour, "width": 2, "dash": _DASHES[n % len(_DASHES)]},
            hovertemplate=f"{channel['name']}, %{{x:.2f}} Hz: %{{y:.3g}} µV²/Hz<extra></extra>",
        )
    for band, (begin, end) in _BANDS.items():
        if begin < top:
            figure.add_vline(x=begin, line={"color": QUIET, "width": 1, "dash": "dot"})
            figure.add_annotation(
                x=(begin + min(end, top)) / 2, y=1, yref="paper", yanchor="bottom", text=band, showarrow=False, font={"size": 11}
            )
    finish(figure, title_of(prediction, names), 380)
    figure.update_xaxes(title="frequency (Hz)", range=[0, top])
    figure.update_yaxes(title="power (µV²/Hz), line and 95% interval", type="log", exponentformat="power", dtick=1)
    figure.update_layout(legend={"orientation": "h", "x": 0, "y": 1.08, "yanchor": "bottom"}, margin={"l": 8, "r": 8, "t": 96, "b": 8})
    return figure


def describe_spectrum(prediction: Mapping[str, Json], names: Sequence[str]) -> str:
    """The spectra in words."""
    told = []
    for channel in _chosen(prediction, names):
        hertz, power = np.array(prediction["frequency"]), np.array(channel["power"])
        inside = (hertz >= 4) & (hertz <= 30)
        at = np.flatnonzero(inside)[int((power * hertz)[inside].argmax())]
        shares = ", ".join(f"{band} {found['relative']['value']:.0%}" for band, found in channel["bands"].items() if found)
        told.append(f"{channel['name']}: {shares}; between 4 and 30 Hz it stands out most at {hertz[at]:.1f} Hz.")
    return f"{title_of(prediction, names)}. {' '.join(told)}"


def spectrum_rows(prediction: Mapping[str, Json], names: Sequence[str]) -> list[dict[str, Json]]:
    """The numbers of the drawn channels, a row for each channel and frequency."""
    return [
        {
            "channel": channel["name"],
            "hz": hertz,
            "uv2_per_hz": channel["power"][n],
            "low_95": channel["low"][n] if channel["low"] else None,
            "high_95": channel["high"][n] if channel["high"] else None,
        }
        for channel in _chosen(prediction, names)
        for n, hertz in enumerate(prediction["frequency"])
    ]


def title_of(prediction: Mapping[str, Json], names: Sequence[str]) -> str:
    """Which band holds most of the power, in the channel where it holds the largest share."""
    best = ("", "", -1.0)
    for channel in _chosen(prediction, names):
        for band, found in channel["bands"].items():
            if found and float(found["relative"]["value"]) > best[2]:
                best = (channel["name"], band, float(found["relative"]["value"]))
    return (
        f"{best[1].capitalize()} holds {best[2]:.0%} of the power between 1 and 45 Hz in {best[0]}"
        if best[0]
        else "No channel has a spectrum"
    )


def plot_spectrogram(image: Mapping[str, Json], name: str, clock: bool) -> Any:
    """Power over time and frequency, decibels of 1 uV^2/Hz; blank where nothing was or a stretch is bad.

    Parameters
    ----------
    clock : bool
        Whether times are shown in hours (long recordings) rather than seconds.
    """
    import plotly.graph_objects as go

    values = _image(image, name)
    finite = values[np.isfinite(values)]
    low, high = np.percentile(finite, [2, 99.5]) if finite.size else (0.0, 1.0)
    unit, scale = ("h", 3600.0) if clock else ("s", 1.0)
    figure = go.Figure(
        go.Heatmap(
            x=np.array(image["times"], np.float32) / scale,
            y=np.array(image["frequency"], np.float32),
            z=values.T.astype(np.float32),
            zmin=float(low),
            zmax=float(high),
            colorscale="Viridis",
            colorbar={"title": {"text": "dB"}, "thickness": 12},
            hovertemplate=f"%{{x:.2f}} {unit}, %{{y:.1f}} Hz: %{{z:.1f}} dB<extra></extra>",
        )
    )
    finish(figure, f"{name}: power over time, a column is {image['column_s']:.0f} s", 300)
    figure.update_xaxes(title=f"time from the beginning ({unit})", showgrid=False)
    figure.update_yaxes(title="frequency (Hz)", showgrid=False)
    return figure


def describe_spectrogram(image: Mapping[str, Json], name: str) -> str:
    """The spectrogram in words: where its bands are strongest."""
    values, hertz, times = _image(image, name), np.array(image["frequency"]), np.array(image["times"])
    told = []
    for band, (low, high) in _BANDS.items():
        inside = (hertz >= low) & (hertz < high)
        known = np.isfinite(values[:, 0])
        if inside.any() and known.any():
            mean = values[known][:, inside].mean(axis=1)
            told.append(f"{band} from {mean.min():.0f} to {mean.max():.0f} dB, strongest near {times[known][mean.argmax()]:,.0f} s")
    return f"Spectrogram of {name}, decibels of 1 µV²/Hz: {'; '.join(told)}."


def spectrogram_rows(image: Mapping[str, Json], name: str) -> list[dict[str, Json]]:
    """A row for each column of the picture, a number for each frequency."""
    channel = next(each for each in image["channels"] if each["name"] == name)
    return [
        {"time_s": second, **{f"{hertz:g} Hz": row[n] if row else None for n, hertz in enumerate(image["frequency"])}}
        for second, row in zip(image["times"], channel["db"], strict=True)
    ]


def band_maps(prediction: Mapping[str, Json], kind: str) -> tuple[Any, list[dict[str, Json]], str]:
    """Band powers on the head, one map a band: `kind` is ``absolute`` (uV^2) or ``relative`` (per cent)."""
    from backend.figures.eeg_topomap import topomaps

    channels = [channel for channel in prediction["channels"] if channel["electrode"] and channel["bands"]]
    maps = {
        f"{band.capitalize()} {low}-{high} Hz": [
            float("nan") if not channel["bands"][band] else (100 if kind == "relative" else 1) * channel["bands"][band][kind]["value"]
            for channel in channels
        ]
        for band, (low, high) in _BANDS.items()
        if any(channel["bands"][band] for channel in channels)
    }
    title = "Share of each band in the power between 1 and 45 Hz" if kind == "relative" else "Power of each band"
    return topomaps([channel["electrode"] for channel in channels], maps, title, "%" if kind == "relative" else "µV²", common=False)


def _chosen(prediction: Mapping[str, Json], names: Sequence[str]) -> list[Mapping[str, Json]]:
    found = {channel["name"]: channel for channel in prediction["channels"] if channel["power"]}
    return [found[name] for name in names if name in found]


def _image(image: Mapping[str, Json], name: str) -> np.ndarray:
    channel = next(each for each in image["channels"] if each["name"] == name)
    width = len(image["frequency"])
    found: np.ndarray = np.array([row if row else [np.nan] * width for row in channel["db"]], np.float64)
    return found


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[n : n + 2], 16) for n in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.18)"
