"""Who is named in a file's header, so that nothing of it is kept: tokens, their removal from marks, and names that look like a person's."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

REMOVED = "[removed]"
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
# Words that headers and marks share; taken for identifiers they would erase 'Sleep stage W' or 'Eyes open'.
_HARMLESS = frozenset(
    """startdate unknown anonymous anonymized anonymised patient subject none null test male female eeg edf bdf record recording
    recordings start stop end sleep stage wake rem nrem eyes open closed left right hand feet foot lights light movement time night day
    seizure spike wave sharp slow artefact artifact event stimulus response rest task run trial marker photic hyperventilation montage
    impedance calibration channel electrode signal system amplifier device study lab laboratory ambulatory routine video psg polysomnography
    data file format annotation annotations epoch page baseline apnea apnoea hypopnea arousal desaturation bci""".split()
)


@dataclass(frozen=True)
class Identifiers:
    """Tokens of a header that may tell who was recorded. Held in memory while a file is read, never stored."""

    tokens: frozenset[str] = frozenset()

    def redact(self, text: str) -> str:
        """The text with every token replaced by '[removed]'; long tokens also inside other words, short ones only as words."""
        if not self.tokens:
            return text
        found = unicodedata.normalize("NFC", text)
        for token in sorted(self.tokens, key=len, reverse=True):
            inner = re.escape(token)
            pattern = inner if len(token) >= 5 else rf"(?<![^\W_]){inner}(?![^\W_])"
            found = re.sub(pattern, REMOVED, found, flags=re.IGNORECASE)
        return re.sub(rf"(?:{re.escape(REMOVED)}[\s,._-]*){{2,}}", f"{REMOVED} ", found).strip() if found != text else text


def identifiers(fields: Iterable[str]) -> Identifiers:
    """The tokens of a header's free fields: every word of three or more characters with a letter, every number of four or more
    digits, and the dates among them in other spellings."""
    tokens: set[str] = set()
    for field in fields:
        text = unicodedata.normalize("NFC", field.replace("\0", " "))
        tokens |= _dates(text)
        for word in re.split(r"[\s_,;:/|()\[\]^=\"'<>]+", text):
            for piece in {word.strip(".-"), *re.split(r"[-.]", word)}:
                if _tells(piece):
                    tokens.add(piece)
    return Identifiers(frozenset(tokens))


def person_like(text: str) -> str:
    """Why a pseudonym or a name looks as if it told a person, in a gentle sentence; '' when it does not."""
    if _dates(text) or re.search(r"\b(?:19|20)\d\d\b", text) or re.search(r"(?<!\d)\d{6}(?!\d)|(?<!\d)\d{8}(?!\d)", text):
        return "This looks like a date, perhaps a birthday. A pseudonym that says nothing about the person is safer."
    words = re.findall(r"[^\W\d_]{2,}", text)
    named = [word for word in words if word[0].isupper() and word[1:].islower() and len(word) > 2]
    if len(named) >= 2 or (words and "," in text):
        return "This looks like a person's name. A pseudonym such as P-07 keeps the person unknown to whoever sees this screen."
    if re.search(r"\d{7,}", text):
        return "This looks like a hospital or insurance number. A pseudonym that is used nowhere else is safer."
    return ""


def has_date(text: str) -> bool:
    """Whether a whole date stands in the text."""
    return bool(_dates(text))


def _tells(word: str) -> bool:
    lower = word.casefold()
    if len(word) < 3 or lower in _HARMLESS or lower in _MONTHS or set(lower) <= {"x"}:
        return False
    if word.isdigit():
        return len(word) >= 4
    return any(c.isalpha() for c in word)


def _dates(text: str) -> set[str]:
    """Every date in `text`, in the spellings in which it may turn up again."""
    found: set[str] = set()
    spelt = re.finditer(r"(?<!\d)(\d{1,2})[-./ ]([A-Za-z]{3}|\d{1,2})[-./ ](\d{4}|\d{2})(?!\d)", text)
    parts = [(m[3], m[2], m[1]) for m in spelt]
    parts += [(m[1], m[2], m[3]) for m in re.finditer(r"(?<!\d)(\d{4})[-./]?(\d{2})[-./]?(\d{2})(?!\d)", text)]
    for year, month, day in parts:
        number = _MONTHS.index(month.lower()) + 1 if month.lower() in _MONTHS else int(month) if month.isdigit() else 0
        if not (1 <= number <= 12 and 1 <= int(day) <= 31):
            continue
        d, m, y = f"{int(day):02d}", f"{number:02d}", year if len(year) == 4 else ("19" if int(year) >= 85 else "20") + year
        for sep in (".", "-", "/", ""):
            found |= {f"{d}{sep}{m}{sep}{y}", f"{m}{sep}{d}{sep}{y}", f"{y}{sep}{m}{sep}{d}", f"{d}{sep}{m}{sep}{y[2:]}"}
        found |= {f"{d}-{_MONTHS[number - 1]}-{y}", f"{int(d)}.{int(m)}.{y}", f"{int(m)}/{int(d)}/{y}", y}
    return found
