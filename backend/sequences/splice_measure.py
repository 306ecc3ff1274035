"""How well splice sites are found in sequences whose sites are known: top-k accuracy and the area under precision and recall."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from backend.domain import Json
from backend.errors import InputError
from backend.metrics import average_precision
from backend.tasks import Context

_MODEL = "cispliceai"
_KINDS = ("acceptor", "donor")
_DRAWS = 500
_FORM = "One row a sequence: id, sequence, acceptors, donors (positions from 1, parted by spaces); CSV, TSV or a JSON list of objects."


def measure_splice(context: Context, files: Sequence[Path], options: Mapping[str, Any]) -> dict[str, Json]:
    """Measure on sequences with known sites.

    Top-k accuracy: of the k highest positions over all sequences, k being the number of true sites, the share that is true (Jaganathan
    et al. 2019). PR-AUC: average precision over all positions. Both for acceptors and donors apart. Intervals: sequences drawn with
    replacement, since the positions of one gene are not independent.

    Raises
    ------
    InputError
        For a file that is not in the form, or a position outside its sequence.
    """
    from backend.models.families.cispliceai import encode_bases

    rows = [row for file in files for row in _rows(file)]
    if not rows:
        raise InputError("The file holds no sequence.", _FORM)
    scored: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {kind: [] for kind in _KINDS}
    with context.runtime.use(_MODEL) as splicer:
        for number, (_, sequence, sites) in enumerate(rows):
            found = splicer.probabilities(encode_bases(sequence), progress=None)
            context.progress.check()
            context.progress.update(number + 1, len(rows), "Looking for splice sites")
            for channel, kind in enumerate(_KINDS):
                truth = np.zeros(len(sequence), dtype=bool)
                truth[[place - 1 for place in sites[kind]]] = True
                scored[kind].append((truth, found[:, 1 + channel].astype(np.float64)))
    metrics: dict[str, Json] = {}
    for kind in _KINDS:
        if any(truth.any() for truth, _ in scored[kind]):
            metrics |= _figures(kind, scored[kind])
    if not metrics:
        raise InputError("No sequence of the file names a site.", _FORM)
    count = {kind: int(sum(truth.sum() for truth, _ in scored[kind])) for kind in _KINDS}
    notes = [
        f"{count['acceptor']:,} acceptors and {count['donor']:,} donors in {len(rows):,} sequences "
        f"({sum(len(sequence) for _, sequence, _ in rows):,} bases), strand as written."
    ]
    if len(rows) == 1:
        notes.append("One sequence only: an interval over sequences cannot be given.")
    elif len(rows) < 20:
        notes.append(f"Intervals over {len(rows)} sequences are rough.")
    return {"task": "dna.splice", "n": len(rows), "systems": {"CI-SpliceAI": metrics}, "notes": notes}


def top_k(truth: np.ndarray, values: np.ndarray) -> float:
    """Share of true positions among the k highest, k the number of true ones; ties at the border share it evenly."""
    k = int(truth.sum())
    border = np.partition(values, -k)[-k]
    above = values > border
    tied = values == border
    return float((truth & above).sum() + (truth & tied).sum() * (k - above.sum()) / tied.sum()) / k


def _figures(kind: str, scored: Sequence[tuple[np.ndarray, np.ndarray]]) -> dict[str, Json]:
    rng = np.random.default_rng(0)
    draws: list[tuple[float, float]] = []
    if len(scored) > 1:
        while len(draws) < _DRAWS:
            drawn = rng.integers(len(scored), size=len(scored))
            if any(scored[at][0].any() for at in drawn):
                draws.append(_both([scored[at] for at in drawn]))
    made = {}
    for at, (name, value) in enumerate(zip((f"top-k {kind}", f"PR-AUC {kind}"), _both(scored), strict=True)):
        low, high = np.percentile([draw[at] for draw in draws], [2.5, 97.5]) if draws else (None, None)
        made[name] = {"value": value, "low": None if low is None else float(low), "high": None if high is None else float(high)}
    return made


def _both(scored: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[float, float]:
    truth, values = (np.concatenate(part) for part in zip(*scored, strict=True))
    kept = values >= values[truth].min()  # what lies below every true site counts for neither figure
    if truth[kept].all():
        return 1.0, 1.0
    return top_k(truth[kept], values[kept]), average_precision(truth[kept], values[kept])


def _rows(file: Path) -> list[tuple[str, str, dict[str, list[int]]]]:
    try:
        text = file.read_text(encoding="utf-8-sig")
        if file.suffix.lower() == ".json" or text.lstrip().startswith("["):
            given = json.loads(text)
        else:
            csv.field_size_limit(2_000_000)
            given = list(csv.DictReader(text.splitlines(), delimiter="\t" if "\t" in text.partition("\n")[0] else ","))
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(f"{file.name} cannot be read: {error}.", _FORM) from error
    if not isinstance(given, list) or not all(isinstance(row, dict) for row in given):
        raise InputError(f"{file.name} is no list of sequences.", _FORM)
    return [_row(file.name, number, row) for number, row in enumerate(given, start=1)]


def _row(file: str, number: int, row: Mapping[str, Any]) -> tuple[str, str, dict[str, list[int]]]:
    cells = {str(name).strip().lower(): value for name, value in row.items() if name is not None}
    place = f"{file}, sequence {number}"
    if missing := [name for name in ("sequence", "acceptors", "donors") if name not in cells]:
        raise InputError(f"{place} has no column '{missing[0]}'.", _FORM)
    sequence = re.sub(r"\s+", "", str(cells["sequence"] or "")).upper()
    if not sequence or (strange := sorted(set(sequence) - set("ACGTUNRYSWKMBDHV"))):
        raise InputError(f"{place} {f'holds {strange[0]!r}, which is no base' if sequence else 'is empty'}.", _FORM)
    sites: dict[str, list[int]] = {}
    for kind in _KINDS:
        value = cells[f"{kind}s"]
        parts = value if isinstance(value, list) else re.split(r"[\s;,|]+", str(value or "").strip())
        sites[kind] = []
        for part in parts:
            if part == "":
                continue
            if not str(part).isdecimal() or not 1 <= int(part) <= len(sequence):
                raise InputError(f"{place}: the {kind} '{part}' is no place from 1 to {len(sequence):,}.", _FORM)
            sites[kind].append(int(part))
    return str(cells.get("id") or number), sequence, sites
