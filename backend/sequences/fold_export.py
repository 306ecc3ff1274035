"""A folded RNA as text for other programs: dot-bracket, connectivity table (CT), CSV of pairs."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping

from backend.domain import Json


def partners(structure: str) -> list[int]:
    """Partner of each base, from 0; -1 where there is none. All bracket kinds of the field ((), [], {}, <>, Aa...) are read.

    Raises
    ------
    ValueError
        When a bracket has no other half.
    """
    found, waiting = [-1] * len(structure), dict[str, list[int]]()
    closing = {")": "(", "]": "[", "}": "{", ">": "<"}
    for at, sign in enumerate(structure):
        if sign in "([{<" or ("A" <= sign <= "Z"):
            waiting.setdefault(sign, []).append(at)
        elif sign in closing or "a" <= sign <= "z":
            stack = waiting.get(closing.get(sign, sign.upper()), [])
            if not stack:
                raise ValueError(f"the '{sign}' at {at + 1} closes nothing")
            found[at] = stack.pop()
            found[found[at]] = at
        elif sign not in ".-_:,~":
            raise ValueError(f"'{sign}' at {at + 1} is no sign of a structure")
    if left := [at for stack in waiting.values() for at in stack]:
        raise ValueError(f"the '{structure[left[0]]}' at {left[0] + 1} is never closed")
    return found


def to_dbn(prediction: Mapping[str, Json]) -> str:
    """Name, bases, and the two structures of each record."""
    return "".join(
        f">{one['record']}\n{one['sequence']}\n{one['mfe']['structure']} ({one['mfe']['energy']:.2f})\n"
        f"{one['centroid']['structure']} {{{one['centroid']['energy']:.2f} d={one['centroid']['distance']:.2f}}}\n"
        for one in prediction["results"]
    )


def to_ct(prediction: Mapping[str, Json]) -> str:
    """The minimum free energy structures as connectivity tables; the last column is the user's numbering."""
    lines = []
    for one in prediction["results"]:
        n, pairs = len(one["sequence"]), partners(one["mfe"]["structure"])
        lines.append(f"{n} ENERGY = {one['mfe']['energy']:.2f} {one['record']}")
        for at, (base, partner) in enumerate(zip(one["sequence"], pairs, strict=True)):
            place = one["places"][at] if one["places"] else at + 1
            lines.append(f"{at + 1} {base} {at} {at + 2 if at + 1 < n else 0} {partner + 1} {place}")
    return "\n".join(lines) + "\n"


def pair_rows(result: Mapping[str, Json]) -> list[dict[str, Json]]:
    """One row a probable pair of one record, in the user's numbering, the most probable first."""
    best, middle = partners(result["mfe"]["structure"]), partners(result["centroid"]["structure"])
    places, bases = result["places"] or range(1, len(result["sequence"]) + 1), result["sequence"]
    return [
        {
            "first": places[i],
            "first_base": bases[i],
            "second": places[j],
            "second_base": bases[j],
            "probability": chance,
            "in_mfe": best[i] == j,
            "in_centroid": middle[i] == j,
        }
        for i, j, chance in sorted(result["pairs"], key=lambda pair: -pair[2])
    ]


def to_csv(prediction: Mapping[str, Json]) -> str:
    """One row a probable pair, in the user's numbering."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["record", "first", "first_base", "second", "second_base", "probability", "in_mfe", "in_centroid"])
    for one in prediction["results"]:
        record = one["record"] if one["record"][0] not in "=+-@" else f"'{one['record']}"
        writer.writerows([record, *row.values()] for row in pair_rows(one))
    return out.getvalue()
