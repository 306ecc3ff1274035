"""Alignments of RNAs to one of them as files for other programs: CSV of columns, aligned FASTA, Stockholm."""

from __future__ import annotations

import re
from collections.abc import Mapping

from backend.domain import Json
from backend.sequences import export

WAYS = (("vectors", "by vectors"), ("letters", "by letters"))


def column_rows(prediction: Mapping[str, Json], one: Mapping[str, Json]) -> list[dict[str, Json]]:
    """One row a column of one pair's alignment by vectors, in the user's numbering."""
    reference, near = prediction["reference"], one["vectors"]
    first = iter(reference["places"] or range(1, len(reference["sequence"]) + 1))
    second = iter(one["places"] or range(1, len(one["sequence"]) + 1))
    return [
        {
            "reference": reference["record"],
            "record": one["record"],
            "column": at,
            "reference_place": next(first) if a != "-" else None,
            "reference_base": a,
            "place": next(second) if b != "-" else None,
            "base": b,
            "cosine": cosine,
        }
        for at, (a, b, cosine) in enumerate(zip(near["first"], near["second"], near["cosines"], strict=True), 1)
    ]


def to_csv(prediction: Mapping[str, Json]) -> str:
    """Every column of every alignment by vectors."""
    return export.to_csv(row for one in prediction["results"] for row in column_rows(prediction, one))


def to_fasta(prediction: Mapping[str, Json]) -> str:
    """Both alignments of every pair as aligned FASTA, pair after pair."""
    name = prediction["reference"]["record"]
    return export.to_fasta(
        (f"{which} {how}, aligned with {other}", one[way][side])
        for one in prediction["results"]
        for way, how in WAYS
        for which, other, side in ((name, one["record"], "first"), (one["record"], name, "second"))
    )


def to_stockholm(prediction: Mapping[str, Json]) -> str:
    """Both alignments of every pair, each an alignment of its own in Stockholm 1.0."""
    made = []
    for one in prediction["results"]:
        names = [_name(prediction["reference"]["record"]), _name(one["record"])]
        names[1] += "_2" if names[0] == names[1] else ""
        width = max(map(len, names)) + 2
        for way, how in WAYS:
            made.append(
                f"# STOCKHOLM 1.0\n#=GF CC Pairwise alignment {how}, Bioloom\n"
                f"{names[0]:<{width}}{one[way]['first']}\n{names[1]:<{width}}{one[way]['second']}\n//\n"
            )
    return "".join(made)


def _name(record: str) -> str:
    return re.sub(r"\s+", "_", record) or "unnamed"
