"""What is told of one record: every character left out or changed, every letter that no model can be sure of, and the clean sequence."""

from __future__ import annotations

import numpy as np

from backend.sequences.alphabets import (
    BLANK_BIT,
    BLANKS,
    DEGENERATE,
    DIGIT_BIT,
    DIGITS,
    GAP_BIT,
    GAPS,
    LOWER_BIT,
    OTHER_BIT,
    RARE_RESIDUES,
    STOP,
    STOP_BIT,
    T_MASK,
    U_MASK,
    UNSURE_RESIDUES,
    mask_of,
)
from backend.sequences.formats.letters import MOST_SPANS, counted, listed, mend, stand_before, stretches
from backend.sequences.records import Alteration, Span

_LOWER = bytes(range(97, 123))
_UPPER = bytes(range(256)).upper()


def clean(body: bytes, mask: int, kind: str) -> tuple[str, np.ndarray | None]:
    """The sequence that tasks use, and the place of each of its letters (None where letter i stands at place i + 1)."""
    characters = counted(mend(body).body if mask & OTHER_BIT else body)
    places = None
    if mask & (GAP_BIT | STOP_BIT):
        inner = characters.rstrip(GAPS + STOP)
        if any(gap in inner for gap in GAPS):
            array = np.frombuffer(inner, dtype=np.uint8)
            kept = ~np.isin(array, list(GAPS))
            places, characters = np.flatnonzero(kept).astype(np.int64) + 1, array[kept].tobytes()
        else:
            characters = inner
    if mask & LOWER_BIT:
        characters = characters.upper()
    if kind == "dna" and mask & U_MASK:
        characters = characters.replace(b"U", b"T")
    elif kind == "rna" and mask & T_MASK:
        characters = characters.replace(b"T", b"U")
    return characters.decode("ascii"), places


def findings(body: bytes, mask: int, kind: str, laid_out: bool) -> tuple[Alteration, ...]:
    """What has to be told of a record that can be used.

    Parameters
    ----------
    mask : int
        Characters present, as bits of `backend.sequences.alphabets`; what is not present is not looked for.
    laid_out : bool
        True where digits and blanks are the format's own layout (GenBank), and nothing to tell.
    """
    found: list[Alteration] = []
    if mask & OTHER_BIT:
        odd = mend(body)
        body = odd.body
        if odd.comments:
            found.append(Alteration("comment", f"{_some(odd.comments, 'comment line')} beginning with ; left out."))
        if odd.blanks:
            found.append(
                Alteration(
                    "space", f"{_some(odd.blanks, 'space')} of other kinds than the ordinary (as web pages and Word write them) left out."
                )
            )
        if odd.dashes:
            found.append(
                Alteration(
                    "dash", f"{_some(odd.dashes, 'dash', 'dashes')} of other kinds than the hyphen read as gaps.", *_where(body, GAPS)
                )
            )
    characters = counted(body)
    if mask & LOWER_BIT:
        found.append(_told("case", characters, _LOWER, "{} in lower case read as capitals", "letter"))
    if mask & GAP_BIT:
        found.append(_told("gap", characters, GAPS, "{} taken out", "gap character"))
    if mask & STOP_BIT:
        found.append(_told("stop", characters, STOP, "{} at the end taken off: the stop is no residue", "stop sign (*)", "stop signs (*)"))
    if not laid_out:
        for what, bit, which, words in (
            ("digit", DIGIT_BIT, DIGITS, "Numbers inside the sequence left out, {}; each place is of the letter after it."),
            ("space", BLANK_BIT, BLANKS, "Spaces inside or beside the sequence left out, {}; each place is of the letter after it."),
        ):
            if mask & bit and (spans := stand_before(body, which))[1]:
                shown = tuple(span for span in spans[0] if span[0] <= len(characters))
                text = words.format(_some(spans[1], "stretch", "stretches"))
                found.append(Alteration(what, text, shown))
    if kind == "dna" and mask & U_MASK:
        found.append(_told("u_to_t", characters, b"Uu", "{} read as T", "U", "U"))
    if kind == "rna" and mask & T_MASK:
        found.append(_told("t_to_u", characters, b"Tt", "{} read as U", "T", "T"))
    return tuple(found) + _notices(characters, mask, kind)


def _notices(characters: bytes, mask: int, kind: str) -> tuple[Alteration, ...]:
    found = []
    unsure, model = (UNSURE_RESIDUES, "residue") if kind == "protein" else (DEGENERATE, "base")
    for letter, meaning in unsure.items() if kind != "ambiguous" else ():
        if mask & mask_of(letter):
            words = f"{{}} kept ({meaning}): no model sees which {model} this is"
            found.append(_told("ambiguous", characters, (letter + letter.lower()).encode(), words, letter, letter))
    for letter, meaning in RARE_RESIDUES.items() if kind == "protein" else ():
        if mask & mask_of(letter):
            words = f"{{}} kept ({meaning}): most models have hardly seen it"
            found.append(_told("rare", characters, (letter + letter.lower()).encode(), words, letter, letter))
    return tuple(found)


def _told(what: str, characters: bytes, which: bytes, words: str, one: str, many: str | None = None) -> Alteration:
    spans, stretches_, total = stretches(characters, which)
    text = words.format(f"{total:,} {one if total == 1 else many or one + 's'}") + f": place {listed(spans)}."
    if stretches_ > MOST_SPANS:
        text += f" The first {MOST_SPANS:,} of {stretches_:,} stretches are listed."
    return Alteration(what, text, spans)


def _where(body: bytes, which: bytes) -> tuple[tuple[Span, ...]]:
    return (stretches(counted(body), which)[0],)


def _some(count: int, one: str, many: str | None = None) -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"
