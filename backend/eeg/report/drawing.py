"""Figures for paper, in millimetres: spectrum, hypnogram, and pages of signal as a reader knows them."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from backend.domain import Json
from backend.eeg.report.parts import Drawing

MM = 1 / 25.4  # inch
INK, SOFT, RULE = "#1A2426", "#4E5B5D", "#C9D2D1"
BLUE, VERMILLION, GREEN, SKY, PINK, ORANGE = "#0072B2", "#D55E00", "#009E73", "#56B4E9", "#CC79A7", "#E69F00"  # Okabe and Ito 2008
REGION_STYLES = {
    "occipital": (BLUE, "-"),
    "parietal": (VERMILLION, "--"),
    "temporal": (GREEN, ":"),
    "central": (PINK, "-."),
    "frontal": (ORANGE, (0, (5, 1))),
}
_DPI = 220
_STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 7.5,
    "axes.titlesize": 8,
    "axes.edgecolor": SOFT,
    "axes.linewidth": 0.6,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.fonttype": "path",
    "svg.hashsalt": "bioloom",
    "path.simplify": True,
    "path.simplify_threshold": 0.2,
}
_lock = threading.Lock()  # matplotlib's settings are the whole process's


def draw(paint: Callable[[Any], None], width_mm: float, height_mm: float, vector: bool = True) -> tuple[str, bytes]:
    """A figure as SVG ('' when not `vector`) and as PNG, the same for the same values; `paint` is handed the matplotlib figure."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with _lock, mpl.rc_context(_STYLE):
        figure = Figure(figsize=(width_mm * MM, height_mm * MM), dpi=_DPI, facecolor="white")
        FigureCanvasAgg(figure)
        paint(figure)
        png, svg = io.BytesIO(), io.BytesIO()
        figure.savefig(png, format="png", metadata={"Software": None})
        if vector:
            figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
    text = svg.getvalue().decode("utf-8")
    return text[text.index("<svg") :] if vector else "", _smaller(png.getvalue())


def _smaller(png: bytes) -> bytes:
    """The same picture with a palette of 64 colours: a page of signal shrinks to a fifth."""
    from PIL import Image

    out = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").quantize(64, dither=Image.Dither.NONE).save(out, "png", optimize=True)
    return out.getvalue()


def spectrum(state: Mapping[str, Json], title: str) -> Drawing:
    """Spectra of the regions of one state, the 1/f line and the peak."""

    def paint(figure: Any) -> None:
        axes = figure.subplots()
        figure.subplots_adjust(left=0.09, right=0.80, bottom=0.17, top=0.97)
        freqs = np.array(state["spectra"]["freqs"])
        for region, (colour, dash) in REGION_STYLES.items():
            curve = state["spectra"]["regions"].get(region)
            if curve is None:
                continue
            axes.plot(freqs, curve["mean"], color=colour, ls=dash, lw=1.1, label=region)
            if region in ("occipital", "parietal"):
                axes.fill_between(freqs, curve["low"], curve["high"], color=colour, alpha=0.15, lw=0)
        axes.plot(freqs, state["line"], color=SOFT, lw=0.8, ls=(0, (1, 1.5)), label="1/f line")
        for edge in (4, 8, 13):
            axes.axvline(edge, color=RULE, lw=0.6)
        if state["rhythm"]["found"]:
            at = state["rhythm"]["peak"]
            axes.axvspan(at["low"], at["high"], color=SOFT, alpha=0.25, lw=0)
            axes.annotate(f"{at['value']:.1f} Hz", (at["value"], 0.97), xycoords=("data", "axes fraction"), xytext=(5, 0),
                          textcoords="offset points", va="top", fontweight="bold")  # fmt: skip
        for name, where in (("δ", 2.5), ("θ", 6), ("α", 10.5), ("β", 20)):
            axes.text(where, 0.02, name, transform=axes.get_xaxis_transform(), ha="center", va="bottom", color=SOFT)
        axes.set(yscale="log", xlim=(1, min(float(freqs[-1]), 35)), xlabel="Frequency (Hz)", ylabel="Power (µV²/Hz)")
        axes.set_xticks([1, 4, 8, 13, 20, 30])
        axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False, handlelength=2.6)

    svg, png = draw(paint, 174, 62)
    shares = ", ".join(f"{one['region']} {one['relative']['value']:.0%}" for one in state["powers"] if one["band"] == "alpha")
    return Drawing(title, f"{title}. Share of alpha power by region: {shares}.", png, 174, 62, svg, "Shading: 95% interval.")


def hypnogram(
    stages: Sequence[str],
    epoch_s: float,
    start_clock: str,
    colours: Mapping[str, str],
    confidence: Sequence[float] | None = None,
    width_mm: float = 174.0,
) -> Drawing:
    """Stages over the night; REM in bold, gaps left empty; below it the probability of the stage that was chosen."""
    order = ("W", "R", "N1", "N2", "N3")
    hours = np.arange(len(stages) + 1) * epoch_s / 3600

    def paint(figure: Any) -> None:
        rows = 2 if confidence is not None else 1
        axes = figure.subplots(rows, 1, sharex=True, squeeze=False, gridspec_kw={"height_ratios": [3, 1][:rows], "hspace": 0.12})[:, 0]
        figure.subplots_adjust(left=12 / width_mm, right=1 - 5 / width_mm, bottom=0.16, top=0.98)
        height = np.array([order.index(stage) if stage in order else np.nan for stage in stages])
        axes[0].stairs(height, hours, color=INK, lw=0.8, baseline=None)
        for stage in order:
            mine = np.flatnonzero(np.array(stages) == stage)
            if len(mine):
                bars = [(hours[first], hours[last + 1] - hours[first]) for first, last in _runs(mine)]
                level = order.index(stage)
                axes[0].broken_barh(bars, (level - 0.11, 0.22), facecolors=colours.get(stage, INK), lw=0, zorder=3)
        axes[0].set(yticks=range(len(order)), yticklabels=order, ylim=(len(order) - 0.6, -0.4), xlim=(0, hours[-1]))
        axes[0].grid(axis="y", color=RULE, lw=0.4)
        if confidence is not None:
            axes[1].stairs(np.array(confidence, float), hours, color=SOFT, lw=0.6, fill=True, alpha=0.5)
            axes[1].set(ylim=(0, 1), yticks=[0, 0.5, 1], ylabel="prob.")
        ticks = _hour_ticks(hours[-1], width_mm / 17)
        axes[-1].set_xticks(ticks, [_clock(start_clock, tick) for tick in ticks])
        axes[-1].set_xlabel("Time of day" if start_clock else "Hours from the beginning")

    svg, png = draw(paint, width_mm, 62 if confidence is not None else 48)
    counts = {stage: list(stages).count(stage) * epoch_s / 60 for stage in order}
    words = "Hypnogram. " + ", ".join(f"{stage} {minutes:.0f} min" for stage, minutes in counts.items()) + "."
    note = "Below: probability that the model gave to the stage it chose." if confidence is not None else ""
    return Drawing("Hypnogram", words, png, width_mm, 62 if confidence is not None else 48, svg, note)


def _runs(places: np.ndarray) -> list[tuple[int, int]]:
    breaks = np.flatnonzero(np.diff(places) > 1)
    firsts, lasts = places[np.concatenate([[0], breaks + 1])], places[np.concatenate([breaks, [len(places) - 1]])]
    return [(int(first), int(last)) for first, last in zip(firsts, lasts, strict=True)]


def _hour_ticks(hours: float, most: float) -> np.ndarray:
    step = next((step for step in (1 / 12, 0.25, 0.5, 1, 2, 4) if hours / step <= most), 4)
    return np.arange(0, hours + 1e-9, step)


def _clock(start: str, hours: float) -> str:
    if not start:
        return f"{hours:g}"
    parts = [int(part) for part in start.split(":")]
    minutes = round(parts[0] * 60 + parts[1] + parts[2] / 60 + hours * 60) % 1440
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
