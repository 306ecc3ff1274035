"""The vocabulary of ESM-2 in its published order, and letters to tokens and back."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

TOKENS = tuple("<cls> <pad> <eos> <unk> L A G V S E R T I D P K Q N F Y M H W C X B U Z O . - <null_1> <mask>".split())
FIRST, PAD, LAST, MASK = (TOKENS.index(name) for name in ("<cls>", "<pad>", "<eos>", "<mask>"))
TWENTY = np.array([TOKENS.index(letter) for letter in "ACDEFGHIKLMNPQRSTVWY"])
IS_TWENTY = np.isin(np.arange(len(TOKENS)), TWENTY)

_UNKNOWN = TOKENS.index("X")
_OF_LETTER = np.full(256, _UNKNOWN, dtype=np.uint8)
for _at, _token in enumerate(TOKENS):
    if len(_token) == 1 and _token.isalpha():
        _OF_LETTER[ord(_token)] = _at
_LETTER_OF = np.frombuffer("".join(token if len(token) == 1 else "X" for token in TOKENS).encode(), np.uint8)


def to_tokens(letters: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Letters (ASCII codes) to tokens; a letter that the vocabulary lacks (J, *) is read as X."""
    made: NDArray[np.uint8] = _OF_LETTER[letters]
    return made


def to_letters(tokens: NDArray[np.uint8]) -> str:
    """Tokens of one protein to its letters."""
    return _LETTER_OF[tokens].tobytes().decode("ascii")
