"""A track as colours: one palette and one code a letter, with a second carrier and a legend, for strip and structure alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from backend.domain import Json
from backend.figures.style import BLUE, CATEGORIES, GREEN, ORANGE, PINK, SKY, VERMILLION, YELLOW
from backend.figures.track import Track

PLDDT = ("#FF7D45", "#FFDB13", "#65CBF3", "#0053D6")  # AlphaFold DB, from very low to very high
NONE = "#9AA5A6"  # residues without a value
_BANDS = ("very low, under 50", "low, 50 to 70", "confident, 70 to 90", "very high, 90 or more")
_STEPS = 33  # colours of a continuous scale
_LEVELS = 5  # steps of the second carrier, the bar under a letter

# Kyte and Doolittle 1982, doi:10.1016/0022-2836(82)90515-0
HYDROPATHY = dict(
    zip(
        "ARNDCQEGHILKMFPSTWYV",
        (1.8, -4.5, -3.5, -3.5, 2.5, -3.5, -3.5, -0.4, -3.2, 4.5, 3.8, -3.9, 1.9, 2.8, -1.6, -0.8, -0.7, -0.9, -1.3, 4.2),
        strict=True,
    )
)
_CLASSES = (
    ("hydrophobic", "AVILMFWY", ORANGE),
    ("polar", "STNQ", GREEN),
    ("positive", "KRH", BLUE),
    ("negative", "DE", VERMILLION),
    ("glycine, proline", "GP", "#999999"),
    ("cysteine", "CU", YELLOW),
)
_BASES = (("A", "A", GREEN), ("C", "C", BLUE), ("G", "G", ORANGE), ("U or T", "UT", VERMILLION))


@dataclass(frozen=True)
class Colouring:
    """How a track is painted.

    Attributes
    ----------
    codes : tuple of int
        One a letter: number of its colour in `palette`; -1 where there is no value.
    levels : tuple of int
        One a letter, -5 to 5: height and direction of the bar under it, the second carrier; all zero for categories.
    words : tuple of str
        One a letter: the value in words.
    legend : tuple of (str, str)
        Colour and meaning, in order; for a continuous scale its two ends (and the middle), `ramp` is True then.
    """

    name: str
    palette: tuple[str, ...]
    codes: tuple[int, ...]
    levels: tuple[int, ...]
    words: tuple[str, ...]
    legend: tuple[tuple[str, str], ...]
    ramp: bool = False
    source: str = ""

    def at(self, places: Sequence[int | None]) -> Colouring:
        """The same for other letters: `places` says which of these stands at each."""
        return replace(
            self,
            codes=tuple(self.codes[at] if at is not None else -1 for at in places),
            levels=tuple(self.levels[at] if at is not None else 0 for at in places),
            words=tuple(self.words[at] if at is not None else "" for at in places),
        )

    def json(self) -> dict[str, Json]:
        """For the browser."""
        return {
            "name": self.name,
            "palette": list(self.palette),
            "codes": list(self.codes),
            "levels": list(self.levels),
            "words": list(self.words),
            "legend": [list(item) for item in self.legend],
            "ramp": self.ramp,
            "source": self.source,
        }


def paint(track: Track) -> Colouring:
    """Colours of a track by its scale."""
    values = np.array([np.nan if value is None else float(value) for value in track.values])
    if track.scale == "category":
        return _categories(track, values)
    if track.scale == "plddt":
        codes = np.where(np.isnan(values), -1, np.digitize(np.nan_to_num(values), (50, 70, 90)))
        levels = np.where(np.isnan(values), 0, np.ceil(np.nan_to_num(values) / 100 * _LEVELS))
        legend = tuple(zip(reversed(PLDDT), reversed(_BANDS), strict=True))
        return _made(track, PLDDT, codes, levels, _words(track, values, ".1f"), legend)
    low, high = _range(track, values)
    share = np.clip((np.nan_to_num(values) - low) / (high - low), 0, 1)
    codes = np.where(np.isnan(values), -1, np.rint(share * (_STEPS - 1)))
    signed = track.scale in ("diverging", "hydropathy")
    if signed:
        most = max(abs(low), abs(high))
        levels = np.rint(np.nan_to_num(values) / most * _LEVELS)
    else:
        levels = np.rint(share * _LEVELS)
    levels = np.where(np.isnan(values), 0, np.clip(levels, -_LEVELS, _LEVELS))
    colours = _ramp(track.scale)
    unit = f" {track.unit}" if track.unit else ""
    names = {"diverging": ("against", "for"), "hydropathy": ("water-loving", "water-fearing")}.get(track.scale, ("", ""))
    ends = [f"{value:{'+' if signed else ''}.3g}{unit} {name}".strip() for value, name in zip((low, high), names, strict=True)]
    if not signed and (np.nanmin(values, initial=low) < low or np.nanmax(values, initial=high) > high):
        ends = [f"{ends[0]} or less", f"{ends[1]} or more"]
    legend = ((colours[0], ends[0]), (colours[_STEPS // 2], ""), (colours[-1], ends[1]))
    return _made(track, colours, codes, levels, _words(track, values, "+.3g" if signed else ".4g"), legend, ramp=True)


def residue_tracks(sequence: str, kind: str) -> list[Track]:
    """What every sequence has: classes of its residues, and for a protein their hydropathy."""
    classes = _CLASSES if kind == "protein" else _BASES
    values = [next((float(at) for at, (_, letters, _) in enumerate(classes) if letter in letters), None) for letter in sequence]
    made = [Track("Kind of residue", values, scale="category", source="letters", labels=tuple(name for name, _, _ in classes))]
    if kind == "protein":
        values = [HYDROPATHY.get(letter) for letter in sequence]
        made.append(Track("Hydropathy", values, "", "hydropathy", "Kyte and Doolittle 1982"))
    return made


def _categories(track: Track, values: np.ndarray) -> Colouring:
    colours = {name: colour for name, _, colour in (*_CLASSES, *_BASES)}
    palette = tuple(colours.get(label, CATEGORIES[at % len(CATEGORIES)]) for at, label in enumerate(track.labels))
    codes = np.where(np.isnan(values), -1, np.nan_to_num(values))
    words = tuple(track.labels[int(code)] if code >= 0 else "" for code in codes)
    present = sorted({int(code) for code in codes if code >= 0})
    legend = tuple((palette[at], track.labels[at]) for at in present)
    return _made(track, palette, codes, np.zeros(len(values)), words, legend)


def _range(track: Track, values: np.ndarray) -> tuple[float, float]:
    known = values[~np.isnan(values)]
    if track.bounds is not None:
        return track.bounds
    if track.scale == "hydropathy":
        return -4.5, 4.5
    if not len(known):
        return 0.0, 1.0
    if track.scale == "diverging":
        most = float(np.max(np.abs(known))) or 1.0
        return -most, most
    low, high = (float(value) for value in np.percentile(known, (2, 98)))
    return (low, high) if high > low else (low, low + 1.0)


def _ramp(scale: str) -> tuple[str, ...]:
    from plotly.colors import sample_colorscale, sequential

    stops = {"diverging": [BLUE, "#FFFFFF", VERMILLION], "hydropathy": [SKY, "#FFFFFF", PINK]}.get(scale, sequential.Cividis)
    found = sample_colorscale(stops, [at / (_STEPS - 1) for at in range(_STEPS)], colortype="tuple")
    return tuple("#" + "".join(f"{round(part * 255):02X}" for part in colour) for colour in found)


def _words(track: Track, values: np.ndarray, form: str) -> tuple[str, ...]:
    unit = f" {track.unit}" if track.unit else ""
    return tuple("" if np.isnan(value) else f"{value:{form}}{unit}" for value in values)


def _made(
    track: Track,
    palette: Sequence[str],
    codes: np.ndarray,
    levels: np.ndarray,
    words: tuple[str, ...],
    legend: tuple[tuple[str, str], ...],
    ramp: bool = False,
) -> Colouring:
    return Colouring(
        track.name,
        tuple(palette),
        tuple(int(code) for code in codes),
        tuple(int(level) for level in levels),
        words,
        legend,
        ramp,
        track.source,
    )
