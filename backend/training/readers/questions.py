"""Statements turned into questions, and into their opposites: weak labels out of titles, conclusions and trials' outcomes."""

from __future__ import annotations

import re

_AUXILIARY = re.compile(r"\b(is|are|was|were|can|could|may|might|has|have|had|did|does|do|will|should)\b( not\b)?", re.IGNORECASE)
_VERBS = (
    "reduce improve increase decrease inhibit enhance prevent promote attenuate induce predict affect suppress protect regulate cause "
    "mediate activate alleviate ameliorate stimulate impair modulate contribute correlate associate influence alter show provide lead "
    "result differ appear remain reveal suggest demonstrate indicate support play represent exhibit require produce lower raise worsen "
    "accelerate delay facilitate block restore reflect determine"
).split()
_OPPOSITES = {
    "increase": "decrease", "decrease": "increase", "reduce": "increase", "improve": "worsen", "worsen": "improve", "higher": "lower",
    "lower": "higher", "greater": "smaller", "inhibit": "promote", "promote": "inhibit", "enhance": "reduce", "suppress": "induce",
    "induce": "suppress", "activate": "inhibit", "better": "worse", "worse": "better", "longer": "shorter", "shorter": "longer",
    "more": "less", "less": "more", "positively": "negatively", "negatively": "positively", "superior": "inferior", "inferior": "superior",
    "effective": "ineffective", "safe": "unsafe", "early": "late", "attenuate": "aggravate", "alleviate": "aggravate",
}  # fmt: skip


def _forms(verb: str) -> dict[str, tuple[str, str]]:
    """Finite forms of a regular verb, each with its auxiliary and base: reduces -> (Does, reduce)."""
    ending = verb[:-1] if verb.endswith("e") else verb[:-1] + "i" if verb.endswith("y") and verb[-2] not in "aeiou" else verb
    third = verb + "s" if verb.endswith("e") or ending == verb else ending + "es"
    return {third: ("Does", verb), ending + "ed": ("Did", verb), verb: ("Do", verb)}


_FINITE = {form: made for verb in _VERBS for form, made in _forms(verb).items()} | {
    "led": ("Did", "lead"),
    "leads": ("Does", "lead"),
    "showed": ("Did", "show"),
}
_MAIN = re.compile(rf"\b({'|'.join(sorted(_FINITE, key=len, reverse=True))})\b")
_TURNED = sorted({form for word in _OPPOSITES for form in (word, word + "s", word + "d", word + "ed")}, key=len, reverse=True)
_OPPOSITE = re.compile(rf"\b({'|'.join(_TURNED)})\b")
_SAY = r"(suggest|show|indicate|demonstrate|reveal)(s|ed)?"
_BEGINNING = re.compile(
    r"^(this|these|those|that|it|they|we|our|its|their|such|both|although|while|hence|because|since|despite|given|based|by|in|with|from|for|on|"
    r"as|to|there|here|search|using|through|among|after|before|during|at|but|and)\b",
    re.IGNORECASE,
)  # a subject that points back, a clause or a phrase before it: the question would not stand alone
_OPENING = re.compile(
    r"^(in conclusion|in summary|conclusions?|overall|taken together|thus|therefore|however|moreover|furthermore|"
    rf"our (results|findings|data|study) {_SAY} that|these (results|findings|data) {_SAY} that|this study {_SAY} that|"
    r"we (found|conclude|show|demonstrated?|showed) that)[,:]?\s+",
    re.IGNORECASE,
)


def as_question(statement: str) -> tuple[str, bool] | None:
    """A statement as a question without its 'not', and whether the statement answers it with yes; None where its verb is not found."""
    text = _cleaned(statement)
    if (
        text.endswith("?")
        or ":" in text
        or not 25 <= len(text) <= 220
        or text.lower().startswith(("if ", "when ", "further", "future", "more "))
        or _BEGINNING.match(text)
    ):
        return None
    found, main = _AUXILIARY.search(text), _MAIN.search(text)
    if found and 3 < found.start() <= 150 and (main is None or found.start() < main.start()):
        subject, rest = text[: found.start()].strip(), text[found.end() :].strip()
        if not rest or "," in subject:
            return None
        return f"{found[1].capitalize()} {_small(subject)} {rest}?", found[2] is None
    if main and 3 < main.start() <= 150:
        helper, base = _FINITE[main[1]]
        subject, rest = text[: main.start()].strip(), text[main.end() :].strip()
        if main[1].endswith("ed") and re.match(r"(by|in|with|from|as|during|after|at|on|for|using)\b", rest):
            return None  # a participle: 'cells activated by ...'
        if (
            not rest
            or "," in subject
            or subject.split()[-1].lower()
            in {
                "to",
                "the",
                "a",
                "an",
                "of",
                "and",
                "in",
                "with",
                "for",
                "by",
                "as",
                "that",
                "which",
            }
        ):
            return None
        return f"{helper} {_small(subject)} {base} {rest}?", True
    return None


def opposite(text: str) -> str | None:
    """The same with one word of direction turned round: increase for decrease; None where there is none."""
    found = list(_OPPOSITE.finditer(text))
    if len(found) != 1:
        return None
    word = found[0][1]
    base = next((each for each in (word, word[:-1], word[:-2]) if each in _OPPOSITES), None)
    if base is None:
        return None
    other, ending = _OPPOSITES[base], word[len(base) :]
    if ending in ("d", "ed"):
        ending = "d" if other.endswith("e") else "ed"
    return f"{text[: found[0].start()]}{other}{ending}{text[found[0].end() :]}"


def _cleaned(statement: str) -> str:
    text = " ".join(statement.split()).strip().rstrip(".").strip("[] ")
    for _ in range(2):
        text = _OPENING.sub("", text)
    return text


def _small(subject: str) -> str:
    first = subject.split(" ", 1)[0]
    return (
        subject
        if (first.isupper() and first != "A") or any(c.isdigit() for c in first) or not first[1:].islower()
        else subject[0].lower() + subject[1:]
    )
