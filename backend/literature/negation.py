"""Whether a sentence denies what it names: the rule of NegEx, with cues before and after the mention.

Chapman et al. 2001, "A simple algorithm for identifying negated findings and diseases in discharge summaries",
doi:10.1006/jbin.2001.1029. The rule and its scope of five words are the paper's; the list of cues below is ours and shorter, and so are
the ends of a scope: a new clause, a verb that says what a thing did. Bioloom has not measured it.
"""

from __future__ import annotations

import re

SCOPE = 5  # words between a cue and the mention
BEFORE = (
    *("no evidence of", "no evidence for", "no sign of", "no signs of", "absence of", "lack of", "negative for", "free of", "free from"),
    *("never had", "failed to show", "failed to reveal", "failed to develop", "ruled out for"),
    *("did not develop", "did not have", "did not show", "rather than", "denies", "denied", "without", "not", "no", "neither", "nor"),
)
AFTER = (
    *("was ruled out", "were ruled out", "is ruled out", "has been ruled out", "was excluded", "were excluded", "was absent"),
    *("were absent", "is absent", "are absent", "was not seen", "were not seen", "was not observed", "were not observed"),
    *("was not detected", "were not detected", "did not occur", "unlikely"),
)
_DONE = r"caus|induc|affect|alter|chang|differ|increas|decreas|reduc|improv|influenc|inhibit|activat|associat|relat|correlat|extend|due"
_FOUND = r"effect|difference|change|influence|benefit|association|relation|relationship|interaction|correlation|improvement|reduction"
NOT_A_DENIAL = (  # what is denied is what a thing did, or how much, and not the thing
    *(r"no increase\w*", r"no decrease\w*", "no significant", "no further", "no other", "not only", "not necessarily", "no longer"),
    *(r"no evidence that", "not significantly", "not certain whether", "without difficulty", "gram negative", "not found to"),
    *(rf"not (?:be )?(?:\w+ly )?(?:{_DONE})\w*", rf"no (?:[\w-]+ ){{0,3}}(?:{_FOUND})s?"),
)
ENDS = (
    *("but", "however", "although", "though", "except", "apart from", "aside from", "nevertheless", "yet", "which", "whereas", "while"),
    *("than", "in addition to", "in combination with", "compared with", "compared to", "because", "since"),
    r"(?<!-)(?:increased|decreased|reduced|improved|rose|fell|declined|worsened|caused|causes|induced|induces|led to|resulted in)",
)

_GROUPS = (("none", NOT_A_DENIAL), ("before", tuple(map(re.escape, BEFORE))), ("after", tuple(map(re.escape, AFTER))), ("end", ENDS))
_CUES = re.compile(
    "|".join(rf"(?P<{kind}>\b(?:{'|'.join(sorted(cues, key=len, reverse=True))})\b)" for kind, cues in _GROUPS) + "|(?P<border>[;:])",
    re.IGNORECASE,
)
_WORD = re.compile(r"\w+(?:-\w+)*")
_JOINED = re.compile(r"\b(?:and|or|nor)\b", re.IGNORECASE)
_DOES = re.compile(  # a mention that is followed by one of these is the subject of its clause
    r"\s+(?:\w+ly )?(?:was|were|is|are|has|have|had|did|does|may|might|can|could|will|would|rose|fell|led|remained|either|neither"
    r"|(?:increase|decrease|reduce|improve|cause|induce)[sd]|declined|worsened|inhibit(?:s|ed)|show(?:s|ed))\b",
    re.IGNORECASE,
)


def negation(sentence: str, start: int, end: int) -> str:
    """The cue that denies the mention at characters `start` to `end` of its sentence, or ''."""
    cues = [(found.start(), found.end(), str(found.lastgroup), found.group()) for found in _CUES.finditer(sentence)]
    for at, (low, high, kind, words) in enumerate(cues):
        if kind == "before" and high <= start and _near(sentence[high:start]):
            between = [other for other in cues[at + 1 :] if other[1] <= start]
            if _new_clause(sentence[high:start], sentence[end:]):
                continue
        elif kind == "after" and low >= end and _near(sentence[end:low]):
            between = [other for other in cues[:at] if other[0] >= end]
        else:
            continue
        if not any(other[2] in ("end", "none", "border") for other in between):
            return words.lower()
    return ""


def _near(between: str) -> bool:
    return len(_WORD.findall(between)) <= SCOPE


def _new_clause(between: str, after: str) -> bool:
    """Whether the mention is the subject of a clause that a comma begins: 'without pain, LVEF increased', but not a list of things."""
    _, comma, rest = between.rpartition(",")
    return bool(comma) and not _JOINED.search(rest) and bool(_DOES.match(after))
