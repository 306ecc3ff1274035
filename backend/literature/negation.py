"""Whether a sentence denies what it names: the rule of NegEx, with cues before and after the mention.

Chapman et al. 2001, "A simple algorithm for identifying negated findings and diseases in discharge summaries",
doi:10.1006/jbin.2001.1029. The rule and its scope of five words are the paper's; the list of cues below is ours and shorter.
Bioloom has not measured it.
"""

from __future__ import annotations

import re

SCOPE = 5  # words between a cue and the mention
BEFORE = (
    *("no evidence of", "no evidence for", "no sign of", "no signs of", "absence of", "lack of", "negative for", "free of", "free from"),
    *("not associated with", "not caused by", "never had", "failed to show", "failed to reveal", "failed to develop", "ruled out for"),
    *("did not develop", "did not have", "did not show", "rather than", "denies", "denied", "without", "not", "no", "neither", "nor"),
)
AFTER = (
    *("was ruled out", "were ruled out", "is ruled out", "has been ruled out", "was excluded", "were excluded", "was absent"),
    *("were absent", "is absent", "are absent", "was not seen", "were not seen", "was not observed", "were not observed"),
    *("was not detected", "were not detected", "did not occur", "unlikely"),
)
NOT_A_DENIAL = (
    *(
        "no increase",
        "no decrease",
        "no change",
        "no difference",
        "no significant",
        "no further",
        "no other",
        "not only",
        "not necessarily",
    ),
    *("not change", "not changed", "not alter", "not altered", "not affect", "not affected", "not differ", "not increase", "not increased"),
    *("not decrease", "not decreased", "not reduce", "not reduced", "not improve", "not improved", "not influence", "not influenced"),
    *("not significantly", "not extend", "not cause", "not certain whether", "without difficulty", "gram negative", "no longer"),
)
ENDS = ("but", "however", "although", "though", "except", "apart from", "aside from", "nevertheless", "yet", "which", "whereas", "while")

_KINDS = {
    **dict.fromkeys(BEFORE, "before"),
    **dict.fromkeys(AFTER, "after"),
    **dict.fromkeys(NOT_A_DENIAL, "none"),
    **dict.fromkeys(ENDS, "end"),
}
_CUES = re.compile(rf"\b(?:{'|'.join(re.escape(cue) for cue in sorted(_KINDS, key=len, reverse=True))})\b|[;:]", re.IGNORECASE)
_WORD = re.compile(r"\w+(?:-\w+)*")


def negation(sentence: str, start: int, end: int) -> str:
    """The cue that denies the mention at characters `start` to `end` of its sentence, or ''."""
    cues = [(found.start(), found.end(), _KINDS.get(found.group().lower(), "end"), found.group()) for found in _CUES.finditer(sentence)]
    for at, (low, high, kind, words) in enumerate(cues):
        if kind == "before" and high <= start and _near(sentence[high:start]):
            between = [other for other in cues[at + 1 :] if other[1] <= start]
        elif kind == "after" and low >= end and _near(sentence[end:low]):
            between = [other for other in cues[:at] if other[0] >= end]
        else:
            continue
        if not any(other[2] in ("end", "none") for other in between):
            return words.lower()
    return ""


def _near(between: str) -> bool:
    return len(_WORD.findall(between)) <= SCOPE
