"""The letters of proteins and nucleic acids, and tables that look up a whole file of them at once."""

from __future__ import annotations

import numpy as np

AMINO_ACIDS = "ACDEFGHIKLMNPQRSTVWY"
NUCLEOTIDES = "ACGT"
CORE = "ACGTUN"  # what nearly every letter of a real nucleic acid is
DEGENERATE = {
    # IUPAC-IUB 1984, doi:10.1021/bi00822a023 and its successor doi:10.1093/nar/13.9.3021
    "R": "A or G",
    "Y": "C or T",
    "S": "C or G",
    "W": "A or T",
    "K": "G or T",
    "M": "A or C",
    "B": "not A",
    "D": "not C",
    "H": "not G",
    "V": "not T",
    "N": "any base",
}
UNSURE_RESIDUES = {"X": "any residue", "B": "Asp or Asn", "Z": "Glu or Gln", "J": "Leu or Ile"}
RARE_RESIDUES = {"U": "selenocysteine", "O": "pyrrolysine"}
GAPS = b"-.~"
BLANKS = b" \t\v\f"
LINE_ENDS = b"\r\n"
DIGITS = b"0123456789"
STOP = b"*"
NO_PLACE = BLANKS + LINE_ENDS + DIGITS
"""Characters that have no place of their own in the user's numbering."""

# bits 0 to 25 of a mask are the letters A to Z, of either case
LOWER_BIT, GAP_BIT, STOP_BIT, DIGIT_BIT, BLANK_BIT, OTHER_BIT = (1 << bit for bit in range(26, 32))


def mask_of(letters: str) -> int:
    """Bits of these letters.

    >>> mask_of("AC")
    5
    """
    return sum(1 << (ord(letter) - 65) for letter in set(letters))


def letters_of(mask: int) -> str:
    """Letters of a mask, in the alphabet's order."""
    return "".join(chr(65 + bit) for bit in range(26) if mask >> bit & 1)


CORE_MASK = mask_of(CORE)
DEGENERATE_MASK = mask_of("".join(DEGENERATE)) & ~mask_of("N")
AMINO_ONLY_MASK = mask_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") & ~(CORE_MASK | DEGENERATE_MASK)
T_MASK, U_MASK = mask_of("T"), mask_of("U")


def _bits() -> np.ndarray:
    table = np.full(256, OTHER_BIT, dtype=np.uint32)
    for letter in range(26):
        table[65 + letter] = 1 << letter
        table[97 + letter] = 1 << letter | LOWER_BIT
    for characters, bit in ((GAPS, GAP_BIT), (STOP, STOP_BIT), (DIGITS, DIGIT_BIT), (BLANKS, BLANK_BIT), (LINE_ENDS, 0)):
        table[list(characters)] = bit
    return table


def _counts() -> np.ndarray:
    table = np.zeros(256, dtype=np.uint64)
    for letter in range(26):
        core = 1 << 32 if chr(65 + letter) in CORE else 0
        table[[65 + letter, 97 + letter]] = 1 + core
    return table


BITS = _bits()  # uint32 (256,): mask of each byte
COUNTS = _counts()  # uint64 (256,): 1 for a letter, and 1 << 32 for a letter of `CORE`
