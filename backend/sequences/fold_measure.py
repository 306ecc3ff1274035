"""How well predicted RNA structures agree with known ones: F1, sensitivity and PPV of base pairs, beside a guess without energies."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from backend.domain import Json
from backend.errors import InputError
from backend.metrics import bootstrap
from backend.sequences.fold_export import partners
from backend.tasks import Context

_NAMES = {
    "id": ("id", "name", "record"),
    "sequence": ("sequence", "seq"),
    "structure": ("structure", "dot_bracket", "dot-bracket", "dotbracket", "dbn"),
}
_PAIRS = frozenset(("AU", "UA", "GC", "CG", "GU", "UG"))
GUESS = "longest stems"


def measure(context: Context, files: Sequence[Path], options: Mapping[str, Any]) -> dict[str, Json]:
    """Mean over strands of F1, sensitivity and PPV of exact pairs, with 95% bootstrap intervals.

    The file is CSV or TSV with id, sequence and structure (dot-bracket); a column ``family``, or else the id up to its first
    underscore, groups the strands.
    """
    rows = [row for file in files for row in read_rows(file)]
    scores: dict[str, list[tuple[float, float, float]]] = {"MFE": [], "centroid": [], GUESS: []}
    with context.runtime.use("viennarna") as folder:
        for done, row in enumerate(rows):
            context.progress.check()
            context.progress.update(done, len(rows), f"Folding {row['id']}")
            found = folder.fold(row["sequence"])
            for name, structure in (("MFE", partners(found.mfe)), ("centroid", partners(found.centroid))):
                scores[name].append(agreement(row["true"], structure))
            scores[GUESS].append(agreement(row["true"], longest_stems(row["sequence"])))
    families = list(dict.fromkeys(row["family"] for row in rows))
    groups = {"": np.ones(len(rows), dtype=bool)}
    if 1 < len(families) <= 12:
        groups |= {f", {name}": np.array([row["family"] == name for row in rows]) for name in families}
    systems = {
        f"{name}{group}": {
            metric: bootstrap(np.array(values)[inside, column]).json() for column, metric in enumerate(("F1", "sensitivity", "PPV"))
        }
        for group, inside in groups.items()
        for name, values in scores.items()
    }
    notes = [
        "Mean over strands of exact base pairs; a pair shifted by one base counts as wrong.",
        f"{GUESS}: the longest run of pairing bases first, then the longest that fits it, without any energy.",
        *(f"{name.strip(', ')}: {int(inside.sum()):,} strands" for name, inside in groups.items() if name),
    ]
    if knotted := sum(row["knotted"] for row in rows):
        notes.append(f"{knotted:,} known structures hold a pseudoknot, which ViennaRNA cannot predict; its pairs count as missed.")
    return {"task": "rna.fold", "n": len(rows), "systems": systems, "notes": notes}


def agreement(true: Sequence[int], found: Sequence[int]) -> tuple[float, float, float]:
    """F1, sensitivity and PPV of pairs given as partners; 1 where nothing pairs in either, 0 where only one has pairs."""
    known = {(i, j) for i, j in enumerate(true) if j > i}
    made = {(i, j) for i, j in enumerate(found) if j > i}
    if not known and not made:
        return 1.0, 1.0, 1.0
    hits = len(known & made)
    return 2 * hits / (len(known) + len(made)), hits / len(known) if known else 0.0, hits / len(made) if made else 0.0


def longest_stems(sequence: str, least: int = 3) -> list[int]:
    """Partners when the longest helix is taken first, then the next longest that neither overlaps nor crosses it; loops of 3 or more."""
    n, found = len(sequence), [-1] * len(sequence)
    stems = []
    for i in range(n):
        for j in range(i + 4, n):
            if sequence[i] + sequence[j] not in _PAIRS or (i and j + 1 < n and sequence[i - 1] + sequence[j + 1] in _PAIRS):
                continue  # not a pair, or the inside of a stem already seen
            size = 0
            while j - size - (i + size) > 3 and sequence[i + size] + sequence[j - size] in _PAIRS:
                size += 1
            if size >= least:
                stems.append((-size, i, j))
    for size, i, j in sorted(stems):
        bases = [(i + k, j - k) for k in range(-size)]
        if any(found[a] >= 0 or found[b] >= 0 for a, b in bases):
            continue
        if all(i < found[k] < j for k in range(i, j + 1) if found[k] >= 0):
            for a, b in bases:
                found[a], found[b] = b, a
    return found


def read_rows(file: Path) -> list[dict[str, Any]]:
    """Strands with known structures: ``id``, ``sequence``, ``true`` (partners), ``family``, ``knotted``.

    Raises
    ------
    InputError
        When a column is missing or a line is damaged.
    """
    with file.open(encoding="utf-8-sig", newline="") as stream:
        first = stream.readline()
        stream.seek(0)
        reader = csv.DictReader(stream, delimiter="\t" if "\t" in first else ",")
        columns = {name.strip().lower(): name for name in reader.fieldnames or []}
        named = {key: next((columns[name] for name in names if name in columns), None) for key, names in _NAMES.items()}
        missing = [key for key, name in named.items() if name is None]
        if missing:
            raise InputError(f"{file.name} has no column {' and '.join(missing)}.", "It needs id, sequence and structure (dot-bracket).")
        rows = [_row(file.name, number, line, named, columns) for number, line in enumerate(reader, 2)]
    if not rows:
        raise InputError(f"{file.name} holds no strand.", "Give one strand a line.")
    return rows


def _row(file: str, number: int, line: Mapping[str, str], named: Mapping[str, Any], columns: Mapping[str, str]) -> dict[str, Any]:
    name, sequence, structure = ((line[named[key]] or "").strip() for key in ("id", "sequence", "structure"))
    sequence = sequence.upper().replace("T", "U")
    if not sequence or len(sequence) != len(structure):
        raise InputError(f"{file}, line {number} ({name}): {len(sequence)} bases but {len(structure)} signs.", "Mend or remove the line.")
    try:
        true = partners(structure)
    except ValueError as error:
        raise InputError(f"{file}, line {number} ({name}): {error}.", "Mend or remove the line.") from error
    family = (line.get(columns.get("family", "")) or "").strip() or name.split("_")[0]
    return {"id": name, "sequence": sequence, "true": true, "family": family, "knotted": bool(set(structure) - set("().-_:,~"))}
