"""The one way in for every sequence task: a kept file, the records chosen from it, and the preflight that goes with the result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from backend.domain import Json
from backend.errors import InputError
from backend.sequences.formats import read_sequences
from backend.sequences.records import KINDS, Kind, Preflight, SequenceRecord
from backend.storage.files import Files
from backend.tasks import Context

MOST_LISTED = 10_000  # entries of a preflight that a saved run carries one by one
_NAMES = {"protein": "protein", "dna": "DNA", "rna": "RNA"}


@dataclass(frozen=True)
class Chosen:
    """The records that a task works on.

    Attributes
    ----------
    records : tuple of SequenceRecord
        In the file's order; at least one.
    preflight : dict
        ``{"file", "summary", "records", "notes"}``: spread it into the prediction.
    warnings : tuple of str
        What was left out, and why.
    """

    records: tuple[SequenceRecord, ...]
    preflight: dict[str, Json]
    warnings: tuple[str, ...]


def give_file(context: Context, path: Path, name: str = "", *, records: Sequence[str] = (), kind: str = "") -> dict[str, Json]:
    """Keep a file under its digest and describe it as a task's input."""
    kept = Files(context.config).keep(path, name or path.name)
    return {"file": kept.sha256, "name": kept.name, "records": list(records), "kinds": {"": kind} if kind else {}}


def give_text(context: Context, text: str, name: str = "pasted.txt", *, kind: str = "") -> dict[str, Json]:
    """Keep a pasted text and describe it as a task's input."""
    kept = Files(context.config).put(text.encode("utf-8", "surrogatepass"), name)
    return {"file": kept.sha256, "name": kept.name, "records": [], "kinds": {"": kind} if kind else {}}


def open_input(context: Context, value: Mapping[str, Json]) -> Preflight:
    """The preflight of a task's input; kept in memory while the same file is asked for again.

    Raises
    ------
    InputError
        When the file was removed since, or is nothing that can be read.
    """
    kinds = {str(record): _kind(kind) for record, kind in dict(value.get("kinds") or {}).items()}
    key = f"sequences:{value['file']}:{sorted(kinds.items())}"
    path, name, limits = Files(context.config).path(str(value["file"])), str(value["name"]), context.config.limits
    return context.recent(key, lambda: read_sequences(path, name, kinds, limits))


def read_input(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json]) -> dict[str, Json]:
    """The ``read`` of every sequence task: the input in its one spelling, its file found and named.

    Raises
    ------
    InputError
        When no record of the file can be used.
    """
    if not value.get("file"):
        raise InputError("No file was given.", "Drop a file, paste a sequence, or take an example.")
    given: dict[str, Json] = {
        "file": str(value["file"]),
        "name": str(value.get("name") or "input"),
        "records": [str(record) for record in value.get("records") or []],
        "kinds": {str(record): _kind(kind) for record, kind in dict(value.get("kinds") or {}).items()},
    }
    found = open_input(context, given)
    if not found.summary().usable:
        raise InputError(*_why_none(found))
    return given


def choose(context: Context, value: Mapping[str, Json], kinds: Sequence[Kind] = KINDS, most: int = 50) -> Chosen:
    """The records that were named, or else all usable ones of these kinds, up to `most`.

    Raises
    ------
    InputError
        When a named record cannot be used, or none of these kinds is there.
    """
    found = open_input(context, value)
    named = [str(record) for record in value.get("records") or []]
    fitting = list(found.usable(kinds))
    warnings: list[str] = []
    if named:
        records = tuple(found.record(record) for record in named)
        for record in records:
            if record.kind not in kinds:
                raise InputError(
                    f"{record.id} is {_NAMES[record.kind]}; this task reads {_listed(kinds)}.", "Choose another record or another task."
                )
    else:
        if not fitting:
            raise InputError(
                f"{found.name} holds no usable {_listed(kinds)} record.",
                "Choose a file that does, or a task that reads what this one holds.",
            )
        records = tuple(found.record(record) for record in fitting[:most])
        if len(fitting) > most:
            warnings.append(
                f"{len(fitting):,} records can be used; the first {most:,} were computed. Name the others to have them computed too."
            )
    summary = found.summary()
    listed = [found.find(record.id) for record in records] if named else found.entries(0, MOST_LISTED)
    if not named and len(found) > MOST_LISTED:
        warnings.append(f"The file has {len(found):,} records; the first {MOST_LISTED:,} are listed in the result, all are counted.")
    preflight: dict[str, Json] = {
        "file": {"name": found.name, "sha256": str(value["file"]), "format": found.format},
        "summary": summary.json(),
        "records": [entry.json() for entry in listed if entry is not None],
        "notes": list(found.notes),
    }
    if summary.refused:
        warnings.append(f"{summary.refused:,} of {summary.records:,} records were refused; the preflight says why.")
    if summary.ambiguous:
        warnings.append(f"{summary.ambiguous:,} of {summary.records:,} records may be of more than one kind and wait for you to say which.")
    return Chosen(records, preflight, tuple(warnings))


def _kind(text: object) -> Kind:
    for kind in KINDS:
        if str(text).lower() == kind:
            return kind
    raise InputError(f"'{text}' is no kind of sequence.", "Kinds are protein, dna and rna.")


def _listed(kinds: Sequence[str]) -> str:
    return " or ".join(_NAMES[kind] for kind in kinds)


def _why_none(found: Preflight) -> tuple[str, str]:
    entries = found.entries(0, 3)
    if not entries:
        return f"{found.name} holds no sequence.", "Check that it is the file you meant."
    if all(entry.kind == "ambiguous" and not entry.refused for entry in entries):
        first = entries[0]
        hint = f"Say which it is: {' or '.join(first.choices)} (on the page, or with --kind)."
        return f"{found.name}: {first.id} may be {' or '.join(_NAMES[choice] for choice in first.choices)}; {first.why}", hint
    reasons = "; ".join(f"{entry.id}: {entry.refused or entry.why}" for entry in entries)
    return f"No record of {found.name} can be used. {reasons}", "Mend the records named, or choose another file."
