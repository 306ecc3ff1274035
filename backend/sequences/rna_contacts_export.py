"""Contacts and the structure drawn from them as text for other programs: dot-bracket, connectivity table (CT), CSV."""

from __future__ import annotations

from collections.abc import Mapping

from backend.domain import Json
from backend.sequences import export
from backend.sequences.fold_export import partners


def contact_rows(one: Mapping[str, Json]) -> list[dict[str, Json]]:
    """One row a listed contact of one record, in the user's numbering, the highest score first."""
    places, bases = one["places"] or range(1, len(one["sequence"]) + 1), one["sequence"]
    vienna = partners(one["vienna"]["structure"]) if one["vienna"] else None
    return [
        {
            "record": one["record"],
            "first": places[i],
            "first_base": bases[i],
            "second": places[j],
            "second_base": bases[j],
            "score": score,
            "unit": one["unit"],
            "in_structure": drawn,
            "in_viennarna": None if vienna is None else vienna[i] == j,
        }
        for i, j, score, drawn in one["contacts"]
    ]


def to_csv(prediction: Mapping[str, Json]) -> str:
    """The listed contacts of every record."""
    return export.to_csv(row for one in prediction["results"] for row in contact_rows(one))


def to_dbn(prediction: Mapping[str, Json]) -> str:
    """Name, bases and structure of each record."""
    return "".join(f">{one['record']}\n{one['sequence']}\n{one['structure']}\n" for one in prediction["results"])


def to_ct(prediction: Mapping[str, Json]) -> str:
    """The structures as connectivity tables; the last column is the user's numbering."""
    lines = []
    for one in prediction["results"]:
        n, pairs = len(one["sequence"]), partners(one["structure"])
        lines.append(f"{n} {one['record']}")
        for at, (base, partner) in enumerate(zip(one["sequence"], pairs, strict=True)):
            place = one["places"][at] if one["places"] else at + 1
            lines.append(f"{at + 1} {base} {at} {at + 2 if at + 1 < n else 0} {partner + 1} {place}")
    return "\n".join(lines) + "\n"
