"""Where the records of a file stand: offsets into its bytes, and how a header is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from backend.errors import InputError
from backend.sequences.records import Feature

MOST_RECORDS = 2_000_000
_LONGEST = 200  # characters of an id


def first_word(header: bytes) -> tuple[str, str]:
    """Id and description of a FASTA or FASTQ header, without its sign."""
    text = decode(header).strip()
    name, _, rest = text.partition(" ") if "\t" not in text else text.replace("\t", " ").partition(" ")
    return name, rest.strip()


def decode(data: bytes) -> str:
    """Bytes of a header as text: UTF-8, or else Latin-1, in which every byte is a character."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


@dataclass(frozen=True)
class Layout:
    """Records of one file.

    Attributes
    ----------
    format : str
        Name of the format.
    buffer : numpy.ndarray
        uint8: the whole file.
    heads, head_ends, starts, ends : numpy.ndarray
        int64 (n,): where each record's header and letters begin and end.
    label : callable
        Id and description from a header's bytes.
    notes : tuple of str
        What was found about the file as a whole.
    refusals : dict
        Records that the format itself makes unusable, and why.
    laid_out : bool
        True where digits and blanks between letters are the format's own.
    features : callable or None
        Annotation from a whole record's bytes; raises ValueError when it cannot be read.
    """

    format: str
    buffer: np.ndarray
    heads: np.ndarray
    head_ends: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    label: Callable[[bytes], tuple[str, str]] = first_word
    notes: tuple[str, ...] = ()
    refusals: dict[int, str] = field(default_factory=dict)
    laid_out: bool = False
    features: Callable[[bytes], tuple[Feature, ...]] | None = None

    def __len__(self) -> int:
        return len(self.starts)

    def header(self, record: int) -> bytes:
        return self.buffer[self.heads[record] : self.head_ends[record]].tobytes()

    def body(self, record: int) -> bytes:
        return self.buffer[self.starts[record] : self.ends[record]].tobytes()

    def whole(self, record: int) -> bytes:
        return self.buffer[self.heads[record] : self.ends[record]].tobytes()


def check_count(count: int, name: str) -> None:
    """Refuse a file of more records than can be held.

    Raises
    ------
    InputError
    """
    if count > MOST_RECORDS:
        raise InputError(f"'{name}' has {count:,} records; at most {MOST_RECORDS:,} are read.", "Split it into parts.")


def unique_ids(names: list[str]) -> tuple[list[str], dict[str, int]]:
    """Ids that are one of a kind, in order, and their numbers: an empty name becomes record_N, a repeated one gets _2, _3 and so on."""
    taken: dict[str, int] = {}
    ids: list[str] = []
    own = set(names)
    count: dict[str, int] = {}
    for number, name in enumerate(names):
        record_id = tidy(name)
        if not record_id:
            record_id = f"record_{number + 1}"
        if record_id in taken or (record_id != name and record_id in own):
            base, at = record_id, count.get(record_id, 1)
            while record_id in taken or record_id in own:
                at += 1
                record_id = f"{base}_{at}"
            count[base] = at
        taken[record_id] = number
        ids.append(record_id)
    return ids, taken


def tidy(name: str) -> str:
    """A name without unprintable characters, and no longer than can be shown."""
    if not name.isprintable():
        name = "".join(letter if letter.isprintable() else "\ufffd" for letter in name)
    return name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"
