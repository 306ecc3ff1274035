"""Protein volumes of BLAST databases, version 4: titles from .phr, places from .pin, residues from .psq.

Format: NCBI C++ Toolkit, "SeqDB file format" (.pin big-endian but for the count of residues); residues are NCBIstdaa codes with a zero
between sequences; titles are VisibleStrings inside BER-coded Blast-def-line-sets.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.errors import InputError

LETTERS = "-ABCDEFGHIKLMNPQRSTVWXYZU*OJ"
"""NCBIstdaa: the letter of each code, from 0."""

_VERSION, _PROTEIN = 4, 1
_SET, _TITLE_FIELD, _VISIBLE_STRING = 0x30, 0xA0, 0x1A  # BER: SEQUENCE, context tag 0, string


@dataclass(frozen=True)
class Volume:
    """One volume.

    Attributes
    ----------
    codes : array (total,)
        uint8, the whole .psq: NCBIstdaa codes, a zero before and after every sequence.
    starts, ends : array (n,)
        Where each sequence lies in `codes`.
    titles : list of str
        The first title of each sequence.
    """

    codes: NDArray[np.uint8]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    titles: list[str]


def read_volume(stem: Path) -> Volume:
    """Read ``stem``.pin, .phr and .psq.

    Raises
    ------
    InputError
        When a file is missing, cut off, or no protein volume of version 4.
    """
    index, headers, codes = (_bytes(stem.with_name(f"{stem.name}{ending}")) for ending in (".pin", ".phr", ".psq"))
    name = f"{stem.name}.pin"
    try:
        version, kind, at = *struct.unpack_from(">ii", index), 8
        if (version, kind) != (_VERSION, _PROTEIN):
            raise InputError(f"{name} is of version {version}, kind {kind}.", "Give a protein volume of a BLAST database, version 4.")
        for _ in ("title", "date"):
            at += 4 + struct.unpack_from(">i", index, at)[0]
        (count,) = struct.unpack_from(">i", index, at)
        (residues,) = struct.unpack_from("<q", index, at + 4)
        places = np.frombuffer(index, ">i4", 2 * (count + 1), at + 16).astype(np.int64).reshape(2, -1)
    except (struct.error, ValueError) as error:
        raise InputError(f"{name} ends within its table of {len(index):,} bytes.", "Install the package with the data again.") from error
    starts, ends = places[1, :-1], places[1, 1:] - 1
    if places[0, -1] > len(headers) or places[1, -1] > len(codes) or int((ends - starts).sum()) != residues:
        raise InputError(f"{stem.name}: titles or residues are cut off, or belong to another index.", "Install the data again.")
    titles = [_title(headers, int(begin), f"{stem.name}.phr, sequence {i + 1:,}") for i, begin in enumerate(places[0, :-1])]
    return Volume(np.frombuffer(codes, np.uint8), starts, ends, titles)


def _title(headers: bytes, begin: int, where: str) -> str:
    """The VisibleString of the first definition line that begins at `begin`: SEQUENCE, SEQUENCE, tag 0, string, its length."""
    opened = headers[begin : begin + 7 : 2]
    if len(opened) < 4 or tuple(opened) != (_SET, _SET, _TITLE_FIELD, _VISIBLE_STRING):
        raise InputError(f"{where}: no title where one must be.", "Install the data again.")
    at = begin + 7
    size = headers[at]
    if size & 0x80:  # the length itself takes so many bytes
        wide = size & 0x7F
        size, at = int.from_bytes(headers[at + 1 : at + 1 + wide], "big"), at + wide
    return headers[at + 1 : at + 1 + size].decode("ascii", "replace")


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputError(
            f"{file} cannot be read.", "Install the data: apt-get install metastudent-data, or give its folder with --source."
        ) from error
