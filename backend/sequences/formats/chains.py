"""Structure files as sequences: one record a chain."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from backend.errors import InputError
from backend.sequences.formats.layout import unique_ids
from backend.sequences.formats.unpack import Unpacked, to_file
from backend.sequences.records import KINDS, Entry, SequenceRecord, Summary


class Chains:
    """A `Preflight` over the chains of a structure."""

    def __init__(self, name: str, form: str, records: Sequence[SequenceRecord], notes: tuple[str, ...] = ()) -> None:
        self.name, self.format, self.notes = name, form, notes
        self._records = list(records)
        self._ids, self._numbers = unique_ids([record.id for record in records])

    def __len__(self) -> int:
        return len(self._records)

    def summary(self) -> Summary:
        entries = [record.entry for record in self._records]
        usable = [entry for entry in entries if entry.usable]
        return Summary(
            records=len(entries),
            usable=len(usable),
            altered=sum(entry.altered for entry in entries),
            refused=sum(bool(entry.refused) for entry in entries),
            ambiguous=sum(not entry.refused and entry.kind not in KINDS for entry in entries),
            kinds={kind: count for kind in KINDS if (count := sum(entry.kind == kind for entry in usable))},
            letters=sum(entry.length for entry in usable),
        )

    def entries(self, start: int = 0, stop: int | None = None) -> Sequence[Entry]:
        return [record.entry for record in self._records[start:stop]]

    def find(self, record_id: str) -> Entry | None:
        return self._records[self._numbers[record_id]].entry if record_id in self._numbers else None

    def usable(self, kinds: Sequence[str] = KINDS) -> Iterator[str]:
        return (record.id for record in self._records if record.entry.usable and record.kind in kinds)

    def numbers(self, which: str) -> np.ndarray:
        """Numbers (from 0) of the records that are ``all``, ``usable``, ``altered``, ``refused``, ``ambiguous``, or of a kind."""
        entries = [record.entry for record in self._records]
        tests: dict[str, Callable[[Entry], bool]] = {
            "all": lambda entry: True,
            "usable": lambda entry: entry.usable,
            "altered": lambda entry: entry.altered,
            "refused": lambda entry: bool(entry.refused),
            "ambiguous": lambda entry: not entry.refused and entry.kind not in KINDS,
            **{kind: partial(_is, kind=kind) for kind in KINDS},
        }
        return np.array([number for number, entry in enumerate(entries) if tests[which](entry)], dtype=np.int64)

    def lengths(self) -> np.ndarray:
        """int64: letters of every chain."""
        return np.array([record.entry.length for record in self._records], dtype=np.int64)

    def ids(self) -> Sequence[str]:
        """Ids of all chains, in the file's order."""
        return self._ids

    def record(self, record_id: str) -> SequenceRecord:
        if record_id not in self._numbers:
            raise InputError(f"{self.name} has no chain '{record_id}'.", f"Its chains are {', '.join(self._ids[:8])}.")
        record = self._records[self._numbers[record_id]]
        if not record.entry.usable:
            raise InputError(f"{record_id} was refused: {record.entry.refused or record.entry.why}", "Choose another chain.")
        return record


def _is(entry: Entry, kind: str) -> bool:
    return entry.usable and entry.kind == kind


def read_chains(raw: Unpacked, path: Path, name: str, form: str) -> Chains:
    """Chains of a PDB or mmCIF file; of a packed one an unpacked copy is read and removed.

    Raises
    ------
    InputError
        When it holds no chain that has a sequence.
    """
    from backend.sequences.structures import chain_records

    if raw.cut:
        raise InputError(f"'{name}' was cut short: its packed data end too early.", "Copy or download it again.")
    copy = to_file(raw, ".pdb" if form == "pdb" else ".cif")
    try:
        records = chain_records(copy, name)
    finally:
        copy.unlink(missing_ok=True)
    return Chains(name, form, records, raw.notes)
