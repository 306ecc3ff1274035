"""Variants as people write them (143G>A, g.143_145del, c.92+1G>A), read against the record that they are said to change."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from backend.errors import InputError
from backend.sequences.records import SequenceRecord, Span

_FORMS = "Write 143G>A, 143:G:A, 143_145del, 143_144insT, 143dup, 143_145delinsTT, or in a transcript's numbering c.92+1G>A."
_COMPLEMENT = str.maketrans("ACGT", "TGCA")
_POINT = r"-?\*?\d+(?:[+-]\d+)?"
_PLAIN = re.compile(rf"({_POINT})(?:_({_POINT}))?\s*(del|dup|ins|inv)?([A-Z]*?)(?:(>|ins)([A-Z]+))?", re.IGNORECASE)
_COLONS = re.compile(r"(\d+)[:\s]+([A-Z]*|[.-])[:\s]+([A-Z]*|[.-])", re.IGNORECASE)
_CODING = re.compile(r"(\*?-?\d+)([+-]\d+)?")


@dataclass(frozen=True)
class Variant:
    """A change of a record: the letters `ref` from index `start` (from 0) become `alt`; what both ends share is trimmed away."""

    text: str
    start: int
    ref: str
    alt: str

    @property
    def end(self) -> int:
        return self.start + len(self.ref)

    @property
    def kind(self) -> str:
        if len(self.ref) == len(self.alt):
            return "substitution"
        return "insertion" if not self.ref else "deletion" if not self.alt else "deletion-insertion"


@dataclass(frozen=True)
class Transcript:
    """Exons in the record's own places, in ascending order, and where the coding part begins.

    Attributes
    ----------
    coding : int
        Place of the A of the first ATG, c.1; 0 where it is not known.
    """

    exons: tuple[Span, ...] = ()
    coding: int = 0
    strand: str = "+"

    def place(self, point: str, variant: str) -> int:
        """The record's place of a coding position: ``92``, ``92+1``, ``93-21``, ``-12``.

        Raises
        ------
        InputError
            When the exons are not known, or the position is not where it says.
        """
        found = _CODING.fullmatch(point)
        if not self.exons or not self.coding:
            raise InputError(
                f"{variant} counts from the start codon, and of this record the {'exons are' if not self.exons else 'start codon is'} "
                "not known.",
                "Give the exons (1-142, 273-495, ...) and the place of the start codon's first base in the settings, "
                "or write the variant in the record's own places.",
            )
        if found is None or "*" in point:
            raise InputError(f"{variant}: positions behind the stop codon cannot be read.", "Write it in the record's own places.")
        run = [place for start, end in self.exons for place in range(start, end + 1)]
        borders = [place for span in self.exons for place in span]
        if self.strand == "-":
            run.reverse()
        if self.coding not in run:
            raise InputError(f"The start codon at {self.coding} lies in no exon.", f"Exons are {_listed(self.exons)}; check both.")
        count, offset = int(found[1]), int(found[2] or 0)
        at = run.index(self.coding) + (count - 1 if count > 0 else count)
        if count == 0 or not 0 <= at < len(run):
            raise InputError(f"{variant}: position c.{count} lies outside the exons.", f"Exons are {_listed(self.exons)}.")
        if offset and run[at] not in borders:
            raise InputError(
                f"{variant}: c.{count} is not at the border of an exon, so {offset:+d} leads nowhere.",
                f"Exons are {_listed(self.exons)}; introns are counted from their borders.",
            )
        return run[at] + (offset if self.strand == "+" else -offset)


_MOST_TOLD = 10  # variants that an error names one by one


def read_variants(given: str | Sequence[str], record: SequenceRecord, transcript: Transcript) -> list[Variant]:
    """Every variant of a list, or of a text with one a line (commas and semicolons part them too).

    Raises
    ------
    InputError
        For all that cannot be read, lie outside the record, or whose reference letters are not what stands there, at once.
    """
    parts = re.split(r"[\n,;]+", given) if isinstance(given, str) else [str(part) for part in given]
    made: list[Variant] = []
    errors: list[InputError] = []
    for part in parts:
        if part.strip():
            try:
                made.append(_read(part.strip(), record, transcript))
            except InputError as error:
                errors.append(error)
    if len(errors) == 1:
        raise errors[0]
    if errors:
        reasons = " ".join(error.message for error in errors[:_MOST_TOLD])
        more = f" And {len(errors) - _MOST_TOLD} more." if len(errors) > _MOST_TOLD else ""
        raise InputError(f"{len(errors)} of {len(errors) + len(made)} variants cannot be used. {reasons}{more}", errors[0].hint)
    return made


def _read(text: str, record: SequenceRecord, transcript: Transcript) -> Variant:
    body = re.sub(r"^\S+:(?=\s*[cgnmp]\.)", "", text).strip()  # NM_000518.5:c.92+1G>A
    numbering = body[:2].lower()
    if numbering == "p.":
        raise InputError(f"{text} is a change of a protein; splicing is read from the DNA.", _FORMS)
    if numbering in ("c.", "g.", "n.", "m."):
        body = body[2:].strip()
    coding = numbering == "c."
    if colons := _COLONS.fullmatch(body):
        first = last = colons[1]
        ref, alt, what = colons[2].strip(".-"), colons[3].strip(".-"), ">"
        whole = True
    elif (plain := _PLAIN.fullmatch(body)) and (plain[3] or plain[5]):
        first, last, what = plain[1], plain[2] or plain[1], (plain[3] or ">").lower()
        ref, alt = (plain[4], plain[6] or "") if what != "ins" else ("", plain[4])
        whole = plain[2] is None and bool(ref)
    else:
        raise InputError(f"'{text}' is not a variant that can be read.", _FORMS)
    ref, alt = (_letters(part, text) for part in (ref, alt))
    if what == "inv":
        raise InputError(f"{text}: inversions cannot be read.", "Write it as a deletion-insertion (143_146delinsGGTT).")
    if not coding and not (first.isdecimal() and last.isdecimal()):
        raise InputError(f"{text}: '{first}' is no place in the record.", "Positions like 92+1 need c. before them. " + _FORMS)
    low, high = (transcript.place(point, text) if coding else int(point) for point in (first, last))
    if coding and transcript.strand == "-":
        if whole and len(ref) > 1:
            low = high - len(ref) + 1  # the written place is the first in the transcript's direction, the last in the record's
        low, high = min(low, high), max(low, high)
        ref, alt = (part[::-1].translate(_COMPLEMENT) for part in (ref, alt))
    elif whole:
        high = low + len(ref) - 1
    if what == "ins":
        return _insertion(text, record, low, high, alt)
    start, end = _index(text, record, low), _index(text, record, max(low, high)) + 1
    if high < low and what != ">":
        raise InputError(f"{text}: {high} comes before {low}.", "Write the smaller place first.")
    if whole and not ref:
        end = start
    there = record.sequence[start:end]
    if ref and there != ref:
        raise InputError(
            f"{text}: the record {record.id} has {there or 'nothing'} at {low}{f'-{high}' if high > low else ''}, not {ref}.",
            "Check the numbering (the record's own, from 1) and the strand that the letters are written for.",
        )
    if what == "dup":
        there, alt, start = "", there, end
    return _trimmed(text, record, start, there, alt)


def _insertion(text: str, record: SequenceRecord, low: int, high: int, letters: str) -> Variant:
    if high != low + 1:
        raise InputError(f"{text}: an insertion stands between two neighbours.", "Write both, as in 143_144insT.")
    if not letters:
        raise InputError(f"{text} does not say which letters are inserted.", "Write them, as in 143_144insT.")
    _index(text, record, high)
    return Variant(text, _index(text, record, low) + 1, "", letters)


def _trimmed(text: str, record: SequenceRecord, start: int, ref: str, alt: str) -> Variant:
    if ref == alt:
        raise InputError(f"{text} changes nothing: the record has {ref or 'these letters'} there already.", "Check the new letters.")
    while ref and alt and ref[-1] == alt[-1]:
        ref, alt = ref[:-1], alt[:-1]
    while ref and alt and ref[0] == alt[0]:
        ref, alt, start = ref[1:], alt[1:], start + 1
    if len(ref) >= len(record.sequence):
        raise InputError(f"{text} deletes the whole record.", "Give a smaller deletion.")
    return Variant(text, start, ref, alt)


def _index(text: str, record: SequenceRecord, place: int) -> int:
    found = record.index(place)
    if found is None:
        raise InputError(
            f"{text}: nothing stands at {place} of {record.id}, whose places run from {record.place(0)} to "
            f"{record.place(len(record.sequence) - 1)}.",
            "Count in the record's own numbering, not in the chromosome's.",
        )
    return found


def _letters(part: str | None, text: str) -> str:
    letters = (part or "").upper().replace("U", "T")
    if strange := sorted(set(letters) - set("ACGT")):
        raise InputError(f"{text}: {', '.join(strange)} is no base.", "Write variants with A, C, G and T only.")
    return letters


def read_exons(text: str) -> tuple[Span, ...]:
    """Exons as people write them: ``1-142, 273-495``.

    Raises
    ------
    InputError
        For what is no span, or spans out of order.
    """
    found: list[Span] = []
    for part in re.split(r"[,;\s]+", text.strip()):
        if not part:
            continue
        match = re.fullmatch(r"(\d+)(?:-|\.\.|_)(\d+)", part)
        if match is None or int(match[1]) > int(match[2]) or int(match[1]) < 1:
            raise InputError(f"'{part}' is no exon.", "Write first and last place: 1-142, 273-495.")
        found.append((int(match[1]), int(match[2])))
    found.sort()
    for (_, end), (start, _) in itertools.pairwise(found):
        if start <= end:
            raise InputError(f"Two exons overlap at {start}.", "Give the exons of one transcript.")
    return tuple(found)


def _listed(exons: Sequence[Span]) -> str:
    return ", ".join(f"{start}-{end}" for start, end in exons[:12]) + (" ..." if len(exons) > 12 else "")
