"""Reading sequences: from bytes of any of the field's formats to a preflight."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from backend.config import Limits
from backend.sequences.formats.chains import read_chains
from backend.sequences.formats.fasta import read_fasta
from backend.sequences.formats.fastq import read_fastq
from backend.sequences.formats.flat import read_flat
from backend.sequences.formats.plain import read_plain
from backend.sequences.formats.sniff import refuse_binary, sniff
from backend.sequences.formats.unpack import as_text, unpack
from backend.sequences.preflight import Table
from backend.sequences.records import Kind, Preflight


def read_sequences(path: Path, name: str = "", kinds: Mapping[str, Kind] | None = None, limits: Limits = Limits()) -> Preflight:
    """Read a file of sequences, whatever its format.

    Parameters
    ----------
    name : str
        What the person called the file; its ending is a hint, its content decides.
    kinds : mapping
        What the person said about records, by id; under the empty id, about every record whose letters allow it.

    Raises
    ------
    InputError
        When the file as a whole is nothing that can be read: empty, binary, an unknown format.
    """
    path = Path(path)
    name = name or path.name
    raw = unpack(path, name, limits)
    refuse_binary(raw.head(), name)
    text = as_text(raw)
    form = sniff(text.head(), name)
    if form in ("pdb", "mmcif"):
        return read_chains(text, path, name, form)
    if form == "fasta":
        layout = read_fasta(text, name)
    elif form == "fastq":
        layout = read_fastq(text, name)
    elif form == "plain":
        layout = read_plain(text, name)
    else:
        layout = read_flat(text, name, form)
    return Table(name, layout, kinds or {})
