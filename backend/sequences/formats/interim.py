"""A small FASTA reader that stands until the real one does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from backend.errors import InputError
from backend.sequences.records import KINDS, Entry, Kind, SequenceRecord, Summary


class _Simple:
    def __init__(self, name: str, records: list[SequenceRecord]) -> None:
        self.name, self.format = name, "fasta"
        self.notes: tuple[str, ...] = ()
        self._records = records

    def __len__(self) -> int:
        return len(self._records)

    def summary(self) -> Summary:
        kinds = [record.kind for record in self._records]
        return Summary(len(kinds), len(kinds), 0, 0, 0, {kind: kinds.count(kind) for kind in KINDS}, 0)

    def entries(self, start: int = 0, stop: int | None = None) -> Sequence[Entry]:
        return [record.entry for record in self._records[start:stop]]

    def find(self, record_id: str) -> Entry | None:
        return next((record.entry for record in self._records if record.id == record_id), None)

    def usable(self, kinds: Sequence[str] = KINDS) -> Iterator[str]:
        return (record.id for record in self._records if record.kind in kinds)

    def record(self, record_id: str) -> SequenceRecord:
        for record in self._records:
            if record.id == record_id:
                return record
        raise InputError(f"There is no record '{record_id}'.", "See the preflight.")


def read_plain_fasta(path: Path, name: str, kinds: Mapping[str, Kind]) -> _Simple:
    records = []
    for part in path.read_text().split(">")[1:]:
        head, _, body = part.partition("\n")
        sequence = "".join(body.split()).upper()
        kind = "protein" if set(sequence) - set("ACGTUN") else "rna" if "U" in sequence else "dna"
        record_id = (head.split() or ["record"])[0]
        records.append(SequenceRecord(Entry(record_id, record_id, kind, "its letters", len(sequence), description=head), sequence))
    return _Simple(name, records)
