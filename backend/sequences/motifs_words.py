"""Matches of motifs as files (CSV, GFF3) and as plain words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from backend.domain import Json
from backend.sequences.export import Gff3Row, to_csv, to_gff3


def csv(prediction: Mapping[str, Json]) -> str:
    """The matches that the run carries, one a row."""
    catalogue = prediction["motifs"]
    rows = [
        {"record": found["record"], "family": catalogue[hit["motif"]]["family"], **hit}
        for found in prediction["results"]
        for hit in found["hits"]
    ]
    names = ["record", "motif", "name", "family", "strand", "start", "end", "score", "relative", "p_value", "by_chance", "match"]
    return to_csv(rows, names)


def gff3(prediction: Mapping[str, Json]) -> str:
    """The same as features of the Sequence Ontology's kind TF_binding_site, score in bits."""
    rows = [
        Gff3Row(
            found["record"],
            "TF_binding_site",
            hit["start"],
            hit["end"],
            hit["score"],
            -1 if hit["strand"] == "-" else 1,
            source="JASPAR2026",
            attributes={
                "ID": f"{found['record']}.motif{number}",
                "Name": hit["name"],
                "motif": hit["motif"],
                "p_value": hit["p_value"],
                "match": hit["match"],
            },
        )
        for found in prediction["results"]
        for number, hit in enumerate(found["hits"], 1)
    ]
    last = {found["record"]: found["places"][-1] if found["places"] else found["length"] for found in prediction["results"]}
    return to_gff3(rows, last)


def notes(result: Mapping[str, Json], beyond: Sequence[str], motifs: int, p_value: float) -> list[str]:
    """What the reader of a result must know: motifs, letters and matches left out, and a composition that suits the motifs."""
    told = []
    if beyond:
        first = ", ".join(beyond[:5]) + (f" and {len(beyond) - 5:,} more" if len(beyond) > 5 else "")
        told.append(
            f"{len(beyond):,} of {motifs:,} motifs are too short or too loose to reach p = {p_value:g} even at their best, and were not "
            f"scanned: {first}. A larger p-value brings them in."
        )
    if result["unread"]:
        told.append(f"{result['record']}: {result['unread']:,} letters are not A, C, G or T; no place that holds one is scored.")
    if result["found"] > result["kept"]:
        told.append(f"{result['record']}: {result['found']:,} matches were found; the {result['kept']:,} least likely ones are listed.")
    if result["expected_by_composition"] > 1.5 * result["expected"] and result["expected_by_composition"] > 5:
        told.append(
            f"{result['record']}: with its own base shares chance would give {result['expected_by_composition']:,.0f} matches, not "
            f"{result['expected']:,.0f}: its composition suits these motifs. Compare with the former, or set the background to 'record'."
        )
    return told


def lines(result: Mapping[str, Json]) -> list[str]:
    """The result for the command line."""
    head = (
        f"{result['record']}: {result['found']:,} matches of {len(result['motifs']):,} motifs; by chance about {result['expected']:,.0f} "
        f"({result['expected_by_composition']:,.0f} with the record's own base shares)"
    )
    shown = [
        f"    {hit['name']} ({hit['motif']}) {hit['start']:,}-{hit['end']:,} {hit['strand']}: "
        f"{hit['score']:.2f} bits, p {hit['p_value']:.1e}, {hit['by_chance']:.2g} as good by chance; {hit['match']}"
        for hit in result["hits"][:10]
    ]
    return [head, *shown]
