"""An overview as files: a table of the records, what lies where on them, the letters that were used, the translated frames."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from backend.domain import Json
from backend.sequences.export import Gff3Row, to_csv, to_fasta, to_gff3


def as_csv(prediction: Mapping[str, Json]) -> str:
    """One row a record; where a number has only bounds, both stand."""
    rows = []
    for found in prediction["results"]:
        row: dict[str, Json] = {name: found[name] for name in ("record", "kind", "length")}
        for name, number in found["numbers"].items():
            row |= {name: number["value"]}
            if number["value"] is None:
                row |= {f"{name}_low": number["low"], f"{name}_high": number["high"]}
        rows.append(row | {f"count_{letter}": count for letter, count in found["composition"].items()})
    return to_csv(rows)


def as_gff3(prediction: Mapping[str, Json]) -> str:
    """Reading frames, restriction sites and the features that the file itself carries."""
    last = {found["record"]: found["places"][-1] if found["places"] else found["length"] for found in prediction["results"]}
    return to_gff3((row for found in prediction["results"] if found["details"] for row in _rows(found)), last)


def as_fasta(prediction: Mapping[str, Json]) -> str:
    """The records as tasks use them: upper case, without gaps and white space."""
    return to_fasta((found["record"], found["sequence"]) for found in prediction["results"] if found["sequence"] is not None)


def as_faa(prediction: Mapping[str, Json]) -> str:
    """The translated reading frames."""
    return to_fasta(
        (f"{found['record']}_orf{number} {orf['start']}-{orf['end']} frame {orf['frame']:+d}", orf["protein"])
        for found in prediction["results"]
        for number, orf in enumerate((found["details"] or {}).get("orfs", []), 1)
    )


def _rows(found: Mapping[str, Json]) -> Iterator[Gff3Row]:
    record, details = found["record"], found["details"]
    for number, orf in enumerate(details.get("orfs", []), 1):
        notes = {"ID": f"{record}_orf{number}", "frame": f"{orf['frame']:+d}", "residues": orf["residues"], "complete": orf["complete"]}
        yield Gff3Row(record, "ORF", orf["start"], orf["end"], strand=orf["frame"], phase=0, attributes=notes)
    for site in details.get("sites", []):
        notes = {"Name": site["enzyme"], "cut_after": site["cut_after"]}
        yield Gff3Row(record, "restriction_enzyme_recognition_site", site["start"], site["end"], strand=site["strand"], attributes=notes)
    for number, feature in enumerate(details.get("features", []), 1):
        notes = {"ID": f"{record}_feature{number}", "Name": feature["name"]}  # parts of one feature share their ID
        for start, end in feature["spans"]:
            yield Gff3Row(record, feature["kind"], start, end, strand=feature["strand"], source="file", attributes=notes)
