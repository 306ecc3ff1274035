"""The preflight of a file of letters: verdicts on all records at once, entries and records made when asked for."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from backend.errors import InputError
from backend.sequences import alphabets as abc
from backend.sequences.formats import kinds as kind_of
from backend.sequences.formats.findings import clean, findings
from backend.sequences.formats.layout import Layout, tidy, unique_ids
from backend.sequences.formats.letters import counted, listed, mend, named, stretches
from backend.sequences.formats.scan import Lines, scan
from backend.sequences.records import KINDS, Alteration, Entry, Feature, Kind, SequenceRecord, Span, Summary

_HELD = 512  # entries kept in memory
_LONGEST = 1_000  # characters of a description
_CODES = ("ambiguous", *KINDS)
_NONE, _FORMAT, _EMPTY, _OTHER, _STOP, _BASES = range(6)  # why a record is refused


class Table:
    """A `Preflight` over offsets into the file's bytes: some 60 bytes a record, and the file itself.

    Parameters
    ----------
    layout : Layout
        Where the records stand.
    kinds : mapping
        What the person said, by id; under the empty id of every record whose letters allow it.
    """

    def __init__(self, name: str, layout: Layout, kinds: Mapping[str, Kind]) -> None:
        self.name, self.format = name, layout.format
        self._layout, self._lines = layout, Lines(layout.buffer)
        self._names = [layout.label(layout.header(number))[0] for number in range(len(layout))]
        self._ids, self._numbers = unique_ids(self._names)
        self._stats = scan(layout.buffer, layout.starts, layout.ends)
        self._odd = self._stats.mask & np.uint32(abc.OTHER_BIT)  # also where all of the odd characters were understood
        self._changed = np.array([ours != theirs for ours, theirs in zip(self._ids, self._names, strict=True)], dtype=bool)
        self._mend()
        self._kinds = kind_of.decide(self._stats, self._share_u())
        if "" in kinds:
            kind_of.ask(self._kinds, self._stats, None, kinds[""])
        for record_id, wanted in kinds.items():
            if record_id in self._numbers:
                kind_of.ask(self._kinds, self._stats, self._numbers[record_id], wanted)
        self._refused = self._refuse()
        self._altered = self._find_altered()
        self.notes = layout.notes + self._alignment()
        self._entries: OrderedDict[int, Entry] = OrderedDict()

    def __len__(self) -> int:
        return len(self._ids)

    def summary(self) -> Summary:
        fine, kind = self._refused == _NONE, self._kinds.kind
        settled = fine & (kind != kind_of.AMBIGUOUS)
        return Summary(
            records=len(self),
            usable=int(np.count_nonzero(settled)),
            altered=int(np.count_nonzero(self._altered & fine)),
            refused=int(np.count_nonzero(~fine)),
            ambiguous=int(np.count_nonzero(fine & ~settled)),
            kinds={name: int(count) for code, name in enumerate(KINDS, 1) if (count := np.count_nonzero(settled & (kind == code)))},
            letters=int(self._stats.letters[settled].sum()),
        )

    def entries(self, start: int = 0, stop: int | None = None) -> Sequence[Entry]:
        return [self._entry(number) for number in range(*slice(start, stop).indices(len(self)))]

    def find(self, record_id: str) -> Entry | None:
        return self._entry(self._numbers[record_id]) if record_id in self._numbers else None

    def usable(self, kinds: Sequence[str] = KINDS) -> Iterator[str]:
        codes = [_CODES.index(kind) for kind in kinds if kind in KINDS]
        fitting = (self._refused == _NONE) & np.isin(self._kinds.kind, codes)
        return (self._ids[number] for number in np.flatnonzero(fitting).tolist())

    def numbers(self, which: str) -> np.ndarray:
        """Numbers (from 0) of the records that are ``all``, ``usable``, ``altered``, ``refused``, ``ambiguous``, or of a kind."""
        fine, kind = self._refused == _NONE, self._kinds.kind
        chosen: dict[str, np.ndarray] = {
            "all": np.ones(len(self), dtype=bool),
            "usable": fine & (kind != kind_of.AMBIGUOUS),
            "altered": fine & self._altered,
            "refused": ~fine,
            "ambiguous": fine & (kind == kind_of.AMBIGUOUS),
            **{name: fine & (kind == code) for code, name in enumerate(KINDS, 1)},
        }
        return np.flatnonzero(chosen[which])

    def lengths(self) -> np.ndarray:
        """int64: letters of every record."""
        return self._stats.letters

    def ids(self) -> Sequence[str]:
        """Ids of all records, in the file's order."""
        return self._ids

    def record(self, record_id: str) -> SequenceRecord:
        if record_id not in self._numbers:
            some = ", ".join(self._ids[:3])
            raise InputError(f"{self.name} has no record '{record_id}'.", f"Its records are {some}{' ...' if len(self) > 3 else ''}.")
        number = self._numbers[record_id]
        entry = self._entry(number)
        if entry.refused:
            raise InputError(f"{entry.id} was refused: {entry.refused}", "Mend the file, or choose another record.")
        if entry.kind not in KINDS:
            raise InputError(
                f"{entry.id} may be {' or '.join(entry.choices)}. {entry.why}", "Say which it is (on the page, or with --kind)."
            )
        sequence, places = clean(self._layout.body(number), self._mask(number), entry.kind)
        features: tuple[Feature, ...] = ()
        if self._layout.features is not None:
            try:
                features = self._layout.features(self._layout.whole(number))
            except ValueError as error:
                told = Alteration("features", f"Its annotation cannot be read ({error}) and is left out; the sequence is whole.")
                entry = replace(entry, alterations=(*entry.alterations, told))
        return SequenceRecord(entry, sequence, places, features)

    def _entry(self, number: int) -> Entry:
        if number not in self._entries:
            self._entries[number] = self._make(number)
            while len(self._entries) > _HELD:
                self._entries.popitem(last=False)
        return self._entries[number]

    def _make(self, number: int) -> Entry:
        name, description = self._layout.label(self._layout.header(number))
        kind, mask = _CODES[self._kinds.kind[number]], int(self._stats.mask[number])
        alterations = self._naming(number, name, description)
        refused = self._refusal(number)
        if not refused:
            alterations += findings(self._layout.body(number), self._mask(number), kind, self._layout.laid_out)
        why = kind_of.explain_kind(int(self._kinds.why[number]), mask, int(self._stats.letters[number]))
        if self._kinds.why[number] == kind_of.Why.STRAY:
            spans, _ = self._strays(number)
            line = self._line(number, spans[0][0])
            why = f"{why} See place {listed(spans)} (line {line:,}). Mend the letters, or say that it is a protein."
        return Entry(
            id=self._ids[number],
            name=tidy(name),
            kind=kind,
            why=why,
            length=int(self._stats.letters[number]),
            alterations=alterations,
            refused=refused,
            choices=kind_of.choices_of(int(self._kinds.choices[number])),
            line=self._lines.line(int(self._layout.heads[number])),
            description=_short(description),
        )

    def _naming(self, number: int, name: str, description: str) -> tuple[Alteration, ...]:
        ours = self._ids[number]
        told = []
        if not name:
            told.append(Alteration("renamed", f"It has no name; it is called {ours} here."))
        elif tidy(name) != name:
            told.append(Alteration("renamed", f"Its name has unprintable characters or is very long; it is called {ours} here."))
        elif ours != name:
            told.append(Alteration("renamed", f"Another record is called {name} too; this one is called {ours} here."))
        if _short(description) != description:
            told.append(Alteration("description", f"Its description of {len(description):,} characters is shown in part."))
        return tuple(told)

    def _mend(self) -> None:
        """Records with characters beyond letters: comment lines and odd white space are no reason to refuse, and no letters."""
        for number in np.flatnonzero(self._stats.mask & abc.OTHER_BIT).tolist():
            odd = mend(self._layout.body(number))
            again = scan(array := np.frombuffer(odd.body, dtype=np.uint8), np.array([0]), np.array([len(array)]))
            self._stats.mask[number], self._stats.letters[number], self._stats.core[number] = again.mask[0], again.letters[0], again.core[0]
            self._changed[number] |= odd.changed

    def _share_u(self) -> np.ndarray:
        share = np.full(len(self), 0.5)
        both = abc.T_MASK | abc.U_MASK
        for number in np.flatnonzero((self._stats.mask & both) == both).tolist():
            body = self._layout.body(number)
            t, u = body.count(b"T") + body.count(b"t"), body.count(b"U") + body.count(b"u")
            share[number] = u / max(t + u, 1)
        return share

    def _refuse(self) -> np.ndarray:
        mask, refused = self._stats.mask, np.zeros(len(self), dtype=np.uint8)
        nucleic = (self._kinds.kind == kind_of.DNA) | (self._kinds.kind == kind_of.RNA)
        refused[nucleic & ((mask & abc.AMINO_ONLY_MASK) != 0)] = _BASES
        for number in np.flatnonzero(mask & abc.STOP_BIT).tolist():
            if abc.STOP in counted(self._layout.body(number)).rstrip(abc.STOP + abc.GAPS):
                refused[number] = _STOP
        refused[(mask & abc.OTHER_BIT) != 0] = _OTHER
        refused[(self._stats.letters == 0) & (refused != _OTHER)] = _EMPTY
        refused[list(self._layout.refusals)] = _FORMAT
        return refused

    def _find_altered(self) -> np.ndarray:
        mask, kind = self._stats.mask, self._kinds.kind
        bits = abc.LOWER_BIT | abc.GAP_BIT | abc.STOP_BIT | (0 if self._layout.laid_out else abc.DIGIT_BIT | abc.BLANK_BIT)
        spelt = ((kind == kind_of.DNA) & ((mask & abc.U_MASK) != 0)) | ((kind == kind_of.RNA) & ((mask & abc.T_MASK) != 0))
        altered: np.ndarray = self._changed | ((mask & bits) != 0) | spelt
        return altered

    def _refusal(self, number: int) -> str:
        reason = int(self._refused[number])
        if reason == _FORMAT:
            return self._layout.refusals[number]
        if reason == _EMPTY:
            held = "only gaps or stop signs" if self._stats.mask[number] & (abc.GAP_BIT | abc.STOP_BIT) else "nothing"
            return f"It is empty: after its header stands {held}."
        if reason == _OTHER:
            return self._foreign(number)
        if reason == _STOP:
            characters = counted(self._layout.body(number))
            spans, _, _ = stretches(characters.rstrip(abc.STOP + abc.GAPS), abc.STOP)
            return (
                f"A stop (*) stands inside it, at place {listed(spans)}: a chain ends there. "
                "Give the part that is meant as a record of its own, or X where the residue is not known."
            )
        if reason == _BASES:
            spans, letters = self._strays(number)
            stand = "stand" if len(letters) > 1 else "stands"
            line = self._line(number, spans[0][0])
            return f"{letters} at place {listed(spans)} (line {line:,}) {stand} for no base. Mend the letters, or say that it is a protein."
        return ""

    def _strays(self, number: int) -> tuple[tuple[Span, ...], str]:
        letters = abc.letters_of(int(self._stats.mask[number]) & abc.AMINO_ONLY_MASK)
        characters = counted(self._body(number))
        return stretches(characters, (letters + letters.lower()).encode())[0], ", ".join(letters)

    def _foreign(self, number: int) -> str:
        odd = mend(self._layout.body(number))
        first = self._lines.line(int(self._layout.starts[number]))
        words = ", ".join(f"{named(character)} at place {place:,} (line {first + line:,})" for character, place, line in odd.foreign)
        more = f" and {odd.count - len(odd.foreign):,} more" if odd.count > len(odd.foreign) else ""
        hint = ""
        if odd.foreign[0][0] in "()[]{}<":
            hint = " It looks like the brackets of a secondary structure: leave that line out."
        return f"{words}{more} stand{'s' if odd.count == 1 else ''} for no residue and no base.{hint}"

    def _mask(self, number: int) -> int:
        return int(self._stats.mask[number] | self._odd[number])

    def _body(self, number: int) -> bytes:
        body = self._layout.body(number)
        return mend(body).body if self._odd[number] else body

    def _line(self, number: int, place: int) -> int:
        """Line of a place of a record."""
        body, at, start = self._body(number), 0, int(self._layout.starts[number])
        line = self._lines.line(start)
        for row in body.split(b"\n"):
            at += len(counted(row))
            if at >= place:
                return line
            line += 1
        return line

    def _alignment(self) -> tuple[str, ...]:
        gapped = int(np.count_nonzero(self._stats.mask & abc.GAP_BIT))
        if len(self) < 2 or 2 * gapped < len(self):
            return ()
        return ("Most records hold gaps: this looks like an alignment. The gaps are taken out; places are the alignment's columns.",)


def _short(description: str) -> str:
    shown = "".join(letter if letter.isprintable() else "\ufffd" for letter in description)
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…"
