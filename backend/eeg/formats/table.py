"""Tables of numbers (CSV, as Muse and many amplifiers export): columns are channels, a time column or a given rate tells when."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import BinaryIO

import numpy as np

from backend.eeg.describing import Draft, describe
from backend.eeg.diagnosis import Diagnosis, Refused
from backend.eeg.formats.options import TableOptions
from backend.eeg.identifiers import identifiers
from backend.eeg.recording import Inspection, Mark, Segment, samples
from backend.progress import Progress

_TIME = re.compile(r"(?i)^\W*(?:time ?stamps?|times?|t|seconds?|sec|ms|millis|lsl[ _]?time(?:stamp)?)(?:\W*[(\[]?(s|sec|ms|us)?[)\]]?)\W*$")
_MARKER = re.compile(r"(?i)^\W*(?:markers?|events?|triggers?|stim|stimulus|annotations?|labels?|class)\d?\W*$")
_COUNTER = re.compile(r"(?i)^\W*(?:index|counter|sample(?: ?(?:index|number|no))?|#|package)\W*$")
_COMMON_RATES = (1, 10, 25, 50, 64, 100, 125, 128, 160, 200, 220, 240, 250, 256, 300, 400, 500, 512, 600, 1000, 1024, 2000, 2048, 5000)
_MOST_VALUES = 100_000_000
_ROWS = 50_000
_LARGEST = 1e30  # what is kept as a 32-bit number, also in microvolts
_AGAIN = "Export the table again."
_JITTER_S = 0.05  # what the clock of a wireless headset wavers by
_MICROVOLTS = {"uV": 1.0, "mV": 1e3, "V": 1e6}


@dataclass(frozen=True)
class TableSource:
    """A table that was read into memory, shape (channels, rows)."""

    values: np.ndarray
    rate: float
    inspection: Inspection
    dtype: str = "float32"
    record_s: float = 0.0

    def blocks(self, progress: Progress) -> Iterator[Mapping[float, np.ndarray]]:
        progress.check()
        yield {self.rate: self.values}


def open_table(file: BinaryIO, size: int, options: TableOptions, progress: Progress) -> TableSource:
    """Read a table with one row of names.

    Raises
    ------
    Refused
        When it is no table of numbers, or its rate cannot be told.
    """
    layout = _layout(file)
    table, bad, first_bad = _numbers(file, size, layout, progress)
    found: list[Diagnosis] = []
    names = layout.names
    empty = [n for n in range(len(names)) if np.isnan(table[:, n]).all()]
    counters = [n for n in range(len(names)) if _COUNTER.match(names[n]) and n not in empty]
    time_at = next((n for n in range(len(names)) if _TIME.match(names[n]) and n not in empty), None)
    marker_at = next((n for n in range(len(names)) if _MARKER.match(names[n]) and n not in empty), None)
    signals = [n for n in range(len(names)) if n not in empty and n not in counters and n not in (time_at, marker_at)]
    if not signals:
        raise Refused("not-a-table", "file", "No column of the table holds signals.", "Choose a table with one column for each channel.")
    if empty or counters:
        text = f"Columns without numbers ({len(empty)}) and counters ({len(counters)}) are no signals and are left out."
        found.append(Diagnosis("columns-left-out", "first row", text))
    rate, segments = _time(table, time_at, names, options, found)
    values = np.ascontiguousarray(table[:, signals].T, np.float32) * np.float32(_MICROVOLTS[options.unit])
    missing = int(np.isnan(values).sum())
    if missing or bad:
        text = f"{missing:,} values are missing or no numbers; they stay empty in the signals."
        found.append(Diagnosis("missing-values", f"line {first_bad}" if first_bad else "file", text))
    text = f"The table does not say its unit; its values are taken as {options.unit}."
    found.append(Diagnosis("unit-assumed", "file", text, "Say another unit if they are not."))
    marks = _marks(table[:, marker_at], rate, segments, names[marker_at]) if marker_at is not None else []
    drafts = [Draft(names[n], "uV", rate) for n in signals]
    inspection = describe("table", "", drafts, segments, marks, found, identifiers(layout.comments))
    return TableSource(values, rate, inspection)


@dataclass(frozen=True)
class _Layout:
    names: tuple[str, ...]
    delimiter: str
    decimal: str
    first: int  # bytes before the first row of numbers
    line: int  # its number
    comments: tuple[str, ...]


def _layout(file: BinaryIO) -> _Layout:
    file.seek(0)
    comments: list[str] = []
    names: list[str] | None = None
    delimiter = ","
    for number in range(1, 200):
        at = file.tell()
        raw = file.readline(2**20)
        if not raw:
            break
        line = raw.decode("utf-8-sig", "replace").strip("\r\n")
        if not line.strip() or line.lstrip()[:1] in "#%;":
            comments.append(line)
            continue
        delimiter = next((mark for mark in "\t;, " if mark in line), ",")  # a comma may be decimal where another divides
        try:
            cells = [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter))]
        except csv.Error as error:
            raise Refused("not-a-table", f"line {number}", f"Line {number} cannot be divided into cells.", _AGAIN) from error
        numeric = sum(_is_number(cell) for cell in cells)
        if names is None and numeric * 2 <= len(cells):
            names = cells
            continue
        if names is None:
            names = [f"Ch {n + 1}" for n in range(len(cells))]
        if len(cells) != len(names):
            if numeric * 2 > len(cells):
                text = f"Line {number} has {len(cells)} columns, the row of names {len(names)}."
                raise Refused("not-a-table", f"line {number}", text, "Export the table again with one name for each column.")
            comments.append(delimiter.join(names))  # what stood before the row of names
            names = cells
            continue
        if numeric * 2 <= len(cells):
            comments.append(delimiter.join(names))
            names = cells
            continue
        decimal = "," if delimiter != "," and any("," in cell for cell in cells) else "."
        return _Layout(tuple(names), delimiter, decimal, at, number, tuple(comments))
    raise Refused("not-a-table", "file", "No row of numbers follows a row of names.", "Choose a table with one column for each channel.")


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", ".", 1) if cell.count(",") == 1 else cell)
    except ValueError:
        return False
    return True


def _numbers(file: BinaryIO, size: int, layout: _Layout, progress: Progress) -> tuple[np.ndarray, int, int]:
    """All rows as float64 (rows, columns), cells that are no numbers as NaN; how many there are, and the line of the first."""
    import pandas as pd

    file.seek(layout.first)
    parts: list[np.ndarray] = []
    rows = bad = first_bad = 0
    text = io.TextIOWrapper(file, encoding="utf-8", errors="replace", newline="")
    try:
        reader = pd.read_csv(
            text, sep=layout.delimiter, header=None, names=list(range(len(layout.names))), index_col=False, decimal=layout.decimal,
            chunksize=_ROWS, dtype=str, keep_default_na=False, on_bad_lines="error", skip_blank_lines=True,
        )  # fmt: skip
        for chunk in reader:
            progress.check()
            progress.update(file.tell(), size, "Reading the table")
            if layout.decimal == ",":
                chunk = chunk.apply(lambda column: column.str.replace(",", ".", regex=False))
            part = chunk.apply(pd.to_numeric, errors="coerce").to_numpy(np.float64, copy=True)
            part[~(np.abs(part) < _LARGEST)] = np.nan
            holes = np.flatnonzero(np.isnan(part).any(axis=1) & ~np.isnan(part).all(axis=1))
            if holes.size and not first_bad:
                first_bad = layout.line + rows + int(holes[0])
            bad += int(holes.size)
            rows += len(part)
            if rows * len(layout.names) > _MOST_VALUES:
                text_ = f"The table has more than {_MOST_VALUES // 10**6} million values."
                raise Refused("unsupported", f"line {rows:,}", text_, "Export it as EDF, which is made for long recordings.")
            parts.append(part)
    except (pd.errors.ParserError, csv.Error) as error:
        found = re.search(r"line (\d+)", str(error))
        line = f"line {int(found[1]) + layout.line - 1}" if found else "file"
        raise Refused("not-a-table", line, "A row has more columns than there are names.", "Export the table again.") from error
    finally:
        text.detach()
    if not rows:
        raise Refused("zero-length", "file", "The table has no row of numbers.", "Check that it is the file you meant.")
    return np.concatenate(parts), bad, first_bad


def _time(
    table: np.ndarray, time_at: int | None, names: tuple[str, ...], options: TableOptions, found: list[Diagnosis]
) -> tuple[float, tuple[Segment, ...]]:
    rows = len(table)
    if options.rate is not None:
        if not 0.1 <= options.rate <= 100_000:
            raise Refused("rate-missing", "file", f"{options.rate:g} Hz is no sampling rate.", "Give the samples a second, such as 256.")
        return options.rate, (Segment(0.0, rows / options.rate),)
    if time_at is None:
        raise Refused("rate-missing", "first row", "The table has no time column, so its rate is unknown.", "Give the samples a second.")
    times = table[:, time_at] / _divisor(names[time_at], table[:, time_at])
    if rows < 3 or np.isnan(times).any():
        line = int(np.flatnonzero(np.isnan(times))[0]) + 2 if np.isnan(times).any() else 2
        raise Refused("rate-missing", f"line {line}", "The time column has holes, so times are unknown.", "Give the samples a second.")
    steps = np.diff(times)
    back = np.flatnonzero(steps < 0)
    if times[-1] <= times[0] or (back.size and (back.size > rows / 100 or -steps.min() > _JITTER_S)):
        line = int(back[0]) + 3 if back.size else 2
        raise Refused("rate-missing", f"line {line}", "The time column runs backwards.", "Sort the table, or give the samples a second.")
    usual = float(np.median(steps[steps > 0]))
    if back.size:
        text = f"The time column steps back by up to {-steps.min():.3g} s at {back.size:,} rows; rows are taken as evenly spaced."
        found.append(Diagnosis("time-jitter", f"row {int(back[0]) + 2}", text))
    close = steps <= max(2.5 * usual, _JITTER_S)
    rate = _snap(float(close.sum() / steps[close].sum()))
    text = f"The rate was told from the time column: {rate:g} Hz."
    found.append(Diagnosis("rate-estimated", f"column {time_at + 1}", text, "Give the samples a second if you know them better."))
    breaks = np.flatnonzero(steps > max(2.5 * usual, _JITTER_S)) + 1
    if not breaks.size:
        return rate, (Segment(0.0, rows / rate),)
    edges = np.concatenate([[0], breaks, [rows]])
    segments: list[Segment] = []
    for first, last in pairwise(edges):
        start = max(round((times[first] - times[0]) * rate) / rate, segments[-1].stop_s if segments else 0.0)
        segments.append(Segment(float(start), float(last - first) / rate))
    lost = segments[-1].stop_s - rows / rate
    text = f"The recording is interrupted {len(segments) - 1:,} times; {lost:,.1f} s in all were not recorded."
    found.append(Diagnosis("discontinuous", f"second {segments[0].stop_s:g}", text))
    return rate, tuple(segments)


def _divisor(name: str, times: np.ndarray) -> float:
    """What the time column is divided by to be seconds."""
    if re.search(r"(?i)\bus\b|[(\[]us", name):
        return 1e6
    if re.search(r"(?i)\bms\b|milli|[(\[]ms", name) or float(times[0]) > 1e11:  # milliseconds since 1970
        return 1e3
    return 1.0


def _snap(rate: float) -> float:
    near = min(_COMMON_RATES, key=lambda common: abs(common - rate) / common)
    return float(near) if abs(near - rate) / near < 0.01 else round(rate, 3)


def _marks(column: np.ndarray, rate: float, segments: tuple[Segment, ...], name: str) -> list[Mark]:
    """A mark wherever the column changes to a number other than zero."""
    codes = np.nan_to_num(column)
    changed = np.flatnonzero((codes != np.concatenate([[0], codes[:-1]])) & (codes != 0))
    counts = np.concatenate([[0], np.cumsum(samples(segments, rate))])
    where = np.searchsorted(counts, changed, side="right") - 1
    return [
        Mark(round(segments[int(n)].start_s + (int(at) - int(counts[n])) / rate, 6), 0.0, f"{codes[at]:g}")
        for at, n in zip(changed, where, strict=True)
        if n < len(segments)
    ]
