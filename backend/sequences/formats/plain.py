"""Letters without any header, as people paste them: also numbered, in blocks, over many lines."""

from __future__ import annotations

import re

import numpy as np

from backend.sequences.alphabets import NO_PLACE, OTHER_BIT
from backend.sequences.formats.fasta import CUT
from backend.sequences.formats.layout import Layout
from backend.sequences.formats.letters import mend
from backend.sequences.formats.scan import scan
from backend.sequences.formats.sniff import not_sequences
from backend.sequences.formats.unpack import Unpacked

_PROSE = frozenset("the and of is to in for with this that are from by was be as on it or not at have has we i you".split())
_THREE = "Ala Arg Asn Asp Cys Gln Glu Gly His Ile Leu Lys Met Phe Pro Ser Thr Trp Tyr Val Sec Pyl Asx Glx Xaa Ter".split()
_THREE_LETTERS = re.compile(rf"(?i)\s*(?:p\.)?(?:{'|'.join(_THREE)})(?:[-\s]*(?:{'|'.join(_THREE)})){{2,}}[-\s]*(?:OH)?\s*")
_LONGEST_ALIKE = 10_000
_ACCESSION = re.compile(r"(?:[A-Z]{2}_|[A-Z]{1,4})\d{5,9}(?:\.\d+)?|rs\d{3,}|[OPQ]\d[A-Z0-9]{3}\d|ENS[A-Z]+\d{6,}(?:\.\d+)?")


def read_plain(raw: Unpacked, name: str) -> Layout:
    """Take the whole text as one record without a name.

    Raises
    ------
    InputError
        When it is prose, three-letter codes, or mostly something else than letters.
    """
    buffer = raw.buffer
    head = raw.head(_LONGEST_ALIKE).decode("utf-8", "replace")
    if len(buffer) <= _LONGEST_ALIKE and _THREE_LETTERS.fullmatch(head):
        hint = "Write it in one-letter codes: M for Met, S for Ser, and so on."
        raise not_sequences(name, "it is a protein in three-letter codes", hint)
    words = re.findall(r"[A-Za-z']+", head)
    prose = sum(word.lower() in _PROSE for word in words)
    if len(words) >= 4 and prose >= 2 and prose >= 0.1 * len(words):
        raise not_sequences(name, "it is ordinary text", "Paste the letters of the sequence, or choose a FASTA file.")
    if _ACCESSION.fullmatch(head.strip()):
        raise not_sequences(
            name,
            f"{head.strip()} looks like the accession of an entry, not its letters",
            "Bioloom fetches no sequences: paste the letters.",
        )
    start, end = np.array([0]), np.array([len(buffer)])
    stats = scan(buffer, start, end)
    if stats.mask[0] & OTHER_BIT:
        odd = mend(buffer.tobytes())
        held = len(odd.body.translate(None, NO_PLACE))
        if odd.count > 0.1 * held:
            signs = ", ".join(dict.fromkeys(repr(character) for character, _, _ in odd.foreign))
            raise not_sequences(
                name, f"{odd.count:,} of its {held:,} characters are no letters ({signs} ...)", "Choose a FASTA, GenBank or structure file."
            )
    if not stats.letters[0]:
        raise not_sequences(name, "it holds no letters", "Choose a FASTA, GenBank or structure file.")
    nowhere = np.array([0])
    notes = (*raw.notes, "There is no header line; the whole text was read as one sequence.")
    return Layout("plain", buffer, nowhere, nowhere, start, end, notes=notes, refusals={0: CUT} if raw.cut else {})
