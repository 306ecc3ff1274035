"""Whether a question is in another language than English, told by its function words; the papers and the readers are English."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

OTHER = "another language"

_SURE = {  # no English word, no Latin of medicine, no part of a name
    "German": "aus bei beim das dem den der durch ein eine einem einen einer eines für gegen gibt haben ist kann können mit nach nicht "
    "oder sind über und welche welchem welchen welcher welches werden wie wird wirkt zum zur zwischen",
    "French": "aux avec ce ces cette chez contre dans elle entre est être les leur leurs par peut peuvent pour quel quelle quelles quels "
    "que qui sont sur une",
    "Spanish": "cómo cuál cuáles del el es está están las los más para por pueden puede que qué una",
    "Italian": "alla alle che degli dei del della delle dell gli il nei nel nella nelle più può quale quali sono sul sulla una è",
    "Portuguese": "ao aos como das dos em mais não nas nos pela pelo pode podem quais qual que são uma é",
    "Dutch": "aan bij deze een het hoe kan kunnen naar niet ook op tegen tussen uit voor wat welke wordt worden zijn",
}
_UNSURE = {  # also an English word, Latin or in names: they count only beside another
    "German": "als auf die hat im von",
    "French": "au de des du en et il la le ou pas se un à",
    "Spanish": "con de en la lo se son un y",
    "Italian": "con da di e ha i la le lo non per se un",
    "Portuguese": "com da de e na o os para por se um à",
    "Dutch": "dat de die en met te van",
}
_MARKS = {"Spanish": re.compile("[¿¡]"), "German": re.compile("ß|\\bdie [A-ZÄÖÜ][a-zäöüß]")}  # as sure as a word; English too has "die"
_PARTICLES = frozenset("da de del di do dos du el il la las le los são van von".split())
_ENGLISH = frozenset(
    "a about after against an and any are as at be been between by can could do does during for from had has have how if in into is it its "
    "may more not of on or over should so than that the their there these this those to under was were what when where which who why "
    "will with within without would".split()
)
_WORD = re.compile(r"(?<![\w=])[^\W\d_]+(?![\w=])")  # not the letters of "nos2b" or "Ce=O"
_BEFORE = ".?!:;(¿¡\"'“„«"  # what a clause begins after
_LOANS = re.compile(
    r"\bin (vitro|vivo|situ|silico|utero|ovo)\b|\bde novo\b|\ben (bloc|face|masse)\b|\bper (se|os)\b|\bet al\b|\b(van der|vander) waals\b|"
    r"\bcafé au lait\b|\bcoup de (grâce|fouet)\b|\bpas de deux\b|\bfolie à deux\b|\btorsades? de pointes?\b",
    re.IGNORECASE,
)


def language_of(question: str) -> str | None:
    """The language of a question that is not in English; None for English, and where words do not tell.

    It is another language where its function words outnumber the English ones: one sure word is enough, or two others; a small word with
    an accent counts as one of those. Names ("Das et al."), abbreviations ("DAS28") and what English has borrowed ("de novo") count as
    nothing. `OTHER` is a language that is not listed, or what several languages share. A question without function words is not told.
    """
    letters = [character for character in question if character.isalpha()]
    if sum(not unicodedata.name(character, "").startswith("LATIN") for character in letters) > len(letters) / 2:
        return OTHER
    text = _LOANS.sub(" ", question)
    words = [match[0].casefold() for match in _WORD.finditer(text) if _counts(text, match)]
    english = sum(word in _ENGLISH for word in words)
    votes: Counter[str] = Counter(name for name, mark in _MARKS.items() if mark.search(text))
    sure, unsure = len(votes), 0
    for word in words:
        certain = [name for name, listed in _SURE_SETS.items() if word in listed]
        likely = [name for name, listed in _UNSURE_SETS.items() if word in listed]
        votes.update(certain + likely + ["German"] * bool(re.search("[äöü]", word)))
        sure += bool(certain)
        unsure += not certain and (bool(likely) or _accented(word))
    if max(2 * sure, unsure) < 2 or 2 * sure + unsure <= english:
        return None
    first, second = [*votes.most_common(2), (OTHER, 0), (OTHER, 0)][:2]
    return first[0] if first[1] > second[1] else OTHER


def words_about(language: str) -> str:
    """What whoever asked in another language is told first."""
    looks = "does not look like English" if language == OTHER else f"looks like {language}"
    return (
        f"The question {looks}. The papers and the readers are English: ask it again in English. "
        "It was searched all the same, and nothing was judged."
    )


def _counts(text: str, match: re.Match[str]) -> bool:
    """Whether a word can be a function word where it stands: written small or beginning a clause, no part of a name or a joined word."""
    word, before, after = match[0], text[: match.start()].rstrip(), text[match.end() :].lstrip()
    if text[match.end() : match.end() + 1] in ("-", "/") and word.casefold() not in ("est", "qu"):
        return False
    if match.start() and text[match.start() - 1] in "-/":
        return False
    if after[:1].isupper() and (word in _PARTICLES or (word[0].isupper() and word.casefold() in _PARTICLES | {"das", "der"})):
        return False
    begins = not before or before[-1] in _BEFORE
    return word.islower() or (begins and word == word.capitalize())


def _accented(word: str) -> bool:
    return any(unicodedata.decomposition(character) or character == "ß" for character in word)


_SURE_SETS = {name: frozenset(words.split()) for name, words in _SURE.items()}
_UNSURE_SETS = {name: frozenset(words.split()) for name, words in _UNSURE.items()}
