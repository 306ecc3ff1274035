"""Reading sequences: from bytes of any of the field's formats to a preflight."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from backend.sequences.formats.interim import read_plain_fasta
from backend.sequences.records import Kind, Preflight


def read_sequences(path: Path, name: str = "", kinds: Mapping[str, Kind] | None = None) -> Preflight:
    """Read a file of sequences, whatever its format.

    Parameters
    ----------
    name : str
        What the person called the file; its ending is a hint, its content decides.
    kinds : mapping
        What the person said about records that may be of more than one kind, by id; under the empty id, about all.

    Raises
    ------
    InputError
        When the file as a whole is nothing that can be read: empty, binary, an unknown format.
    """
    return read_plain_fasta(path, name or path.name, kinds or {})
