"""A page of signal on paper: the clinical montage at 7 microvolts a millimetre, with calibration bar, marks, gaps and bad stretches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from backend.eeg.inputs import bad_channels, effective_channels, is_bad
from backend.eeg.montage import NAMES
from backend.eeg.paging import Plan, Trace, View, plan
from backend.eeg.prepared import prepare
from backend.eeg.report.drawing import INK, RULE, SOFT, VERMILLION, draw
from backend.eeg.report.parts import Drawing
from backend.tasks import Context

PAGE_S = 10.0
UV_PER_MM = 7.0
_WIDTH_MM = 174.0
_LABEL_MM = 17.0
_RIGHT_MM = 1.0
_MOST_TRACES = 26
_ECG_UV_PER_MM = 70.0
_TALLEST_MM = 218.0
_PAPER = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}


def draw_page(
    context: Context,
    recording: str,
    start_s: float,
    *,
    montage: str = "",
    low_cut: float | None = 1.0,
    high_cut: float | None = 70.0,
    notch: float | None = 50.0,
    uv_per_mm: float = UV_PER_MM,
    width_mm: float = _WIDTH_MM,
    spacing_mm: float = 10.0,
    title: str = "",
) -> Drawing:
    """Ten seconds from `start_s`.

    Parameters
    ----------
    montage : str
        A key of `backend.eeg.montage.NAMES`; '' for the double banana where the electrodes allow it, else as recorded.
    low_cut, high_cut, notch : float or None
        Hz; one that a channel's rate cannot show is left away for it, and said.
    width_mm, spacing_mm : float
        Of the whole page, and from one trace to the next at most.
    """
    found = context.storage.recordings.get(recording)
    duration = found.duration_s
    start = min(max(start_s, 0.0), max(duration - PAGE_S, 0.0))
    view = View(montage=montage, page_s=PAGE_S, low_cut=low_cut, high_cut=high_cut, notch=notch)
    made = plan(effective_channels(context, recording), view, bad_channels(context, recording))
    shown = [n for n, trace in enumerate(made.traces) if trace.unit == "uV"][:_MOST_TRACES]
    stop = min(start + PAGE_S, duration)
    curves = _curves(context, recording, made, start, stop)
    gaps = [gap for gap in found.gaps if gap[0] < stop and gap[1] > start]
    marks = [mark for mark in context.storage.recordings.annotations(recording, start, stop) if mark.onset_s < stop]
    spacing = min(spacing_mm, (_TALLEST_MM - 31) / max(len(shown), 1))
    room = [0.0]
    for n in shown[1:]:
        room.append(room[-1] + spacing + (spacing * 0.45 if made.traces[n].apart else 0.0))
    height = room[-1] + 31.0

    def paint(figure: Any) -> None:
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, width_mm), ylim=(height, 0))
        axes.axis("off")
        across = width_mm - _LABEL_MM - _RIGHT_MM
        _ground(axes, across, height, start, stop)
        _gaps(axes, gaps, across, height, start)
        _marks(axes, marks, across, height, start)
        for n, down in zip(shown, room, strict=True):
            trace = made.traces[n]
            y = 13.0 + down
            scale = _ECG_UV_PER_MM if trace.kind == "ecg" else uv_per_mm
            axes.text(_LABEL_MM - 1.5, y, _label(trace), ha="right", va="center", fontsize=6.3, color=SOFT if trace.bad else INK)
            if n in curves:
                times, values = curves[n]
                level = np.nanmedian(values) if np.isfinite(values).any() else 0.0
                limit = spacing * 1.6
                axes.plot(
                    _LABEL_MM + (times - start) / PAGE_S * across,
                    y + np.clip((values - level) / scale, -limit, limit),  # negative is up, as everywhere in clinical EEG
                    color=SOFT if trace.bad else INK,
                    lw=0.38,
                    solid_joinstyle="round",
                )
        _bar(axes, height, across, uv_per_mm)

    svg, png = draw(paint, width_mm, height, vector=False)
    heading = title or f"{_time(start)} to {_time(stop)}"
    return Drawing(
        heading, _words(made, shown, marks, gaps, (start, stop)), png, width_mm, height, svg, _note(made, view, shown, uv_per_mm), True
    )


def _curves(context: Context, recording: str, made: Plan, start: float, stop: float) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    found: dict[int, tuple[np.ndarray, np.ndarray]] = {}
    for group in made.groups:
        if not group.channels:
            continue
        prepared = prepare(
            context, recording, names=group.channels, start_s=start, stop_s=stop, rate=group.rate,
            high_pass=group.low_cut, low_pass=group.high_cut, notch=group.notch,
        )  # fmt: skip
        values = np.asarray(group.weights, np.float64) @ np.nan_to_num(prepared.values.astype(np.float64))
        holes = (np.asarray(group.weights) != 0).astype(float) @ np.isnan(prepared.values).astype(float) > 0
        values[holes] = np.nan
        times = start + np.arange(values.shape[1]) / prepared.rate
        for row, curve in zip(group.rows, values, strict=True):
            found[row] = (times, curve)
    return found


def _ground(axes: Any, across: float, height: float, start: float, stop: float) -> None:
    for second in range(int(PAGE_S) + 1):
        x = _LABEL_MM + second / PAGE_S * across
        axes.plot([x, x], [8, height - 10], color=RULE, lw=0.7 if second % 5 == 0 else 0.35)
    for second in range(0, int(PAGE_S) + 1, 2):
        x = _LABEL_MM + second / PAGE_S * across
        axes.text(x, height - 9.2, _time(start + second), ha="center" if 0 < second < PAGE_S else "left" if not second else "right",
                  va="top", fontsize=6.3, color=SOFT, bbox=_PAPER, zorder=5)  # fmt: skip
    if stop - start < PAGE_S - 1e-6:
        x = _LABEL_MM + (stop - start) / PAGE_S * across
        axes.text(x + 2, 10, "end of the recording", fontsize=6.3, color=SOFT)


def _gaps(axes: Any, gaps: Sequence[tuple[float, float]], across: float, height: float, start: float) -> None:
    for first, last in gaps:
        one, two = max(first - start, 0.0), min(last - start, PAGE_S)
        if one < two:
            left, right = (_LABEL_MM + at / PAGE_S * across for at in (one, two))
            axes.fill_between([left, right], 8, height - 10, facecolor="white", lw=0.4, hatch="xxx", edgecolor=RULE, zorder=4)
            axes.text((left + right) / 2, 11, f"not recorded, {last - first:.1f} s", ha="center", fontsize=6.3, bbox=_PAPER, zorder=5)


def _marks(axes: Any, marks: Sequence[Any], across: float, height: float, start: float) -> None:
    for level, mark in enumerate(marks[:12]):
        x = _LABEL_MM + max(mark.onset_s - start, 0.0) / PAGE_S * across
        end = _LABEL_MM + min(max(mark.onset_s + mark.duration_s - start, 0.0), PAGE_S) / PAGE_S * across
        if is_bad(mark.label) and end > x:
            axes.fill_between([x, end], 8, height - 10, color=RULE, alpha=0.55, lw=0, hatch="////", edgecolor=SOFT)
        elif mark.onset_s >= start:
            axes.plot([x, x], [6.5, height - 10], color=VERMILLION, lw=0.8, ls=(0, (3, 2)))
        if end > x + 0.5:
            axes.plot([x, end], [6.5, 6.5], color=VERMILLION, lw=1.6)
        text = mark.label if len(mark.label) <= 32 else f"{mark.label[:31]}…"
        axes.text(min(x, _LABEL_MM + across - 22), 5.8 - 2.8 * (level % 2), text, fontsize=6.3, color=VERMILLION, va="bottom")


def _bar(axes: Any, height: float, across: float, uv_per_mm: float) -> None:
    """50 microvolts up and one second across, below the first trace's label."""
    tall, long, base = 50.0 / uv_per_mm, across / PAGE_S, height - 0.8
    left = 3.0
    axes.plot([left, left, left + long], [base - tall, base, base], color=INK, lw=1.0, solid_joinstyle="miter")
    told = f"50 µV, 1 s  ({uv_per_mm:g} µV/mm and {across / PAGE_S:.1f} mm/s in print at full size)"
    axes.text(left + long + 1.8, base, told, fontsize=6.3, va="bottom", bbox=_PAPER, zorder=5)


def _label(trace: Trace) -> str:
    text = trace.label if len(trace.label) <= 12 else f"{trace.label[:11]}…"
    return f"{text} (bad)" if trace.bad else text


def _time(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"


def _note(made: Plan, view: View, shown: Sequence[int], uv_per_mm: float) -> str:
    name = NAMES.get(made.montage, made.montage)
    cuts = ", ".join(
        part
        for part in (
            f"low cut {view.low_cut:g} Hz" if view.low_cut else "",
            f"high cut {view.high_cut:g} Hz" if view.high_cut else "",
            f"notch {view.notch:g} Hz" if view.notch else "",
        )
        if part
    )
    ecg = f" ECG at {_ECG_UV_PER_MM:g} µV/mm." if any(made.traces[n].kind == "ecg" for n in shown) else ""
    more = len(made.traces) - len(shown)
    left = f" {more} more traces are not drawn." if more else ""
    return f"{name}; {cuts or 'no filters'}; {uv_per_mm:g} µV/mm, negative up.{ecg} {' '.join(made.notes)}{left}".strip()


def _words(made: Plan, shown: Sequence[int], marks: Sequence[Any], gaps: Sequence[tuple[float, float]], when: tuple[float, float]) -> str:
    told = "; ".join(f"{mark.label} at {_time(mark.onset_s)}" for mark in marks[:12])
    traces = ", ".join(made.traces[n].label for n in shown)
    holes = "".join(f" Not recorded from {_time(first)} to {_time(last)}." for first, last in gaps)
    return f"Signal from {_time(when[0])} to {_time(when[1])}, {NAMES.get(made.montage, made.montage)}: {traces}.{holes} " + (
        f"Marks: {told}." if told else "No marks."
    )
