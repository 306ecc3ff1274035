"""Every base of a DNA scored while it is hidden from a k-mer model, with a model of the sequence's own three-letter words beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.errors import InputError
from backend.models.kmer_bert import BASES, FREE, KmerBert
from backend.progress import Progress, Silent
from backend.sequences.overview_orfs import complement
from backend.sequences.scan import home, windows

STRAND_NAMES = {"+": "given", "-": "other"}
_ROWS = 32  # between two looks at whether to stop
_PRIOR = 1.0  # added to each count of a three-letter word: none is impossible because it was not seen


@dataclass(frozen=True)
class Scan:
    """What a model makes of a DNA. Rows are letters of the sequence as given, columns the bases of the given strand, A C G T.

    Attributes
    ----------
    log_probs : array of shape (letters, 4)
        ln p of each base while the place is hidden; NaN where it was not asked or the letter is none of the four.
    kept : array of shape (letters,)
        Share of the model's distribution that agreed with the neighbours it was shown.
    windows : list of (int, int)
        Stretches (half-open) that the network read.
    """

    log_probs: NDArray[np.float64]
    kept: NDArray[np.float64]
    windows: list[tuple[int, int]]


def oriented(sequence: str, strand: str) -> str:
    """The sequence as it stands, or the other strand from its own 5' end.

    Raises
    ------
    InputError
        When the strand is none.
    """
    if strand not in STRAND_NAMES:
        raise InputError(f"'{strand}' is no strand.", "Choose + (as given) or - (the other strand).")
    return sequence if strand == "+" else complement(sequence)


def scan(model: KmerBert, sequence: str, strand: str, asked: tuple[int, int] | None = None, progress: Progress | None = None) -> Scan:
    """Probabilities of the four bases at every place of `asked` (half-open letters; all of them unless given)."""
    progress = progress or Silent()
    first, last = asked or (0, len(sequence))
    length, text = len(sequence), oriented(sequence, strand)
    letters = model.letters(text)
    wanted = range(first, last) if strand == "+" else range(length - last, length - first)
    known = [i for i in wanted if letters[i] != FREE]
    read = windows(length, model.window)
    at = {i: home(i, read) for i in known}
    log_probs, kept = np.full((length, 4), np.nan), np.full(length, np.nan)
    done = 0
    for number, (start, end) in enumerate(read):
        mine = [i for i in known if at[i] == number]
        tokens = model.tokens(text[start:end])
        for step in range(0, len(mine), _ROWS):
            progress.check()
            part = np.array(mine[step : step + _ROWS])
            present = np.ones((len(part), end - start), dtype=bool)
            present[np.arange(len(part)), part - start] = False
            log_probs[part], kept[part] = hidden_bases(model, tokens, letters[start:end], present, part - start)
            done += len(part)
            progress.update(done, len(known), "Hiding one base after another")
    if strand == "-":
        log_probs, kept = log_probs[::-1, ::-1].copy(), kept[::-1].copy()  # complements of A C G T are T G C A
        read = [(length - end, length - start) for start, end in reversed(read)]
    return Scan(log_probs, kept, read)


def hidden_bases(
    model: KmerBert, tokens: NDArray[np.int64], letters: NDArray[np.int8], present: NDArray[np.bool_], where: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """ln p of the four bases at one place of each copy of a window, letters that are not present being hidden (see `KmerBert.bases`)."""
    shown = np.where(present, letters, FREE).astype(np.int8)
    return model.bases(model.hide(tokens, present), where, shown)


def own_words(sequence: str) -> NDArray[np.float64]:
    """ln p of each base at every place by a chain of order two, learned from the sequence itself without the place it judges.

    The chance of a base is the product of the chances of the three three-letter words that contain it, each given its first two
    letters; counts begin at one, and the words that touch the place are not counted.

    Returns
    -------
    array of shape (letters, 4), NaN where the letter is none of the four.
    """
    table = np.full(256, FREE, dtype=np.int64)
    table[np.frombuffer(BASES.encode(), dtype=np.uint8)] = np.arange(4)
    letters = table[np.frombuffer(sequence.encode("ascii", "replace"), dtype=np.uint8)]
    counts = np.zeros((4, 4, 4))
    words = [(letters[i], letters[i + 1], letters[i + 2]) for i in range(len(letters) - 2)]
    for word in words:
        if FREE not in word:
            counts[word] += 1
    made = np.full((len(letters), 4), np.nan)
    for i in np.flatnonzero(letters != FREE):
        touching = [at for at in range(i - 2, i + 1) if 0 <= at < len(words)]
        mine = [words[at] for at in touching if FREE not in words[at]]
        for word in mine:
            counts[word] -= 1
        total = np.zeros(4)
        for at in touching:
            word = words[at]
            if any(letter == FREE for place, letter in enumerate(word) if at + place != i):
                continue
            for base in range(4):
                a, b, c = (base if at + place == i else int(letter) for place, letter in enumerate(word))
                total[base] += np.log((counts[a, b, c] + _PRIOR) / (counts[a, b].sum() + 4 * _PRIOR))
        made[i] = total - np.logaddexp.reduce(total)
        for word in mine:
            counts[word] += 1
    return made


def foretold(log_probs: NDArray[np.float64], columns: Sequence[int]) -> tuple[float | None, float | None]:
    """Perplexity (1 foretells every base, 4 guesses) and share of bases that were the likeliest; None where nothing was judged."""
    rows = [i for i, column in enumerate(columns) if column != FREE and np.isfinite(log_probs[i, column])]
    if not rows:
        return None, None
    own = np.array([log_probs[i, columns[i]] for i in rows])
    best = np.array([int(np.argmax(log_probs[i])) == columns[i] for i in rows])
    return float(np.exp(-own.mean())), float(best.mean())
