"""What kind of study a paper reports, and when two titles are the same work."""

from __future__ import annotations

import re

from backend.domain import Paper, digest

STUDY_TYPES = {
    "meta-analysis": "Meta-analysis",
    "systematic review": "Systematic review",
    "randomised trial": "Randomised trial",
    "clinical trial": "Clinical trial",
    "observational": "Observational study",
    "case report": "Case report",
    "review": "Review",
    "guideline": "Guideline",
    "other": "Other",
}
"""Every study type with its label, the most telling kind of evidence first."""

_INDEXED = {
    "meta-analysis": "meta-analysis",
    "network meta-analysis": "meta-analysis",
    "systematic review": "systematic review",
    "guideline": "guideline",
    "practice guideline": "guideline",
    "consensus development conference": "guideline",
    "consensus development conference, nih": "guideline",
    "randomized controlled trial": "randomised trial",
    "equivalence trial": "randomised trial",
    "pragmatic clinical trial": "clinical trial",
    "clinical trial": "clinical trial",
    "clinical trial, phase i": "clinical trial",
    "clinical trial, phase ii": "clinical trial",
    "clinical trial, phase iii": "clinical trial",
    "clinical trial, phase iv": "clinical trial",
    "controlled clinical trial": "clinical trial",
    "adaptive clinical trial": "clinical trial",
    "observational study": "observational",
    "case reports": "case report",
    "scoping review": "review",
    "review": "review",
}
_PRECEDENCE = tuple(STUDY_TYPES)
_SHARPER = ("meta-analysis", "systematic review")
# what a paper is *not*, although its title names a kind of study: a plan for one, a letter on one, a method for one
_NOT_THE_STUDY = re.compile(
    r"""\bprotocols?\b | \brationale\b | \bstudy\ design\b | \bdesign\ (and|of)\b | \bfeasibility\ of\b | \bstatistical\ analysis\ plan\b
    | ^\W*(re|reply|response|comments?|letter|editorial|erratum|correction|corrigendum|retraction|retracted)\b
    | ^\W*author'?s?'?\ (reply|response)\b
    | \bcomment(ary)?\ on\b | \b(secondary|post[- ]hoc|subgroup|exploratory|pooled|additional)\ (\w+\ ){0,2}analys[ei]s\b | \bsub-?study\b
    | \bappraisal\ of\b | \bquality\ of\ (reporting|systematic|randomi[sz]ed)\b | \bemulati(ng|on)\b
    | \b(used|reported|reporting|registered|search|retrieval|methods?|methodolog\w+|characteristics)\ (in|of|for)\b
      .*\b(trials?|reviews?|analyses|studies)\b""",
    re.VERBOSE,
)
_TITLE = (
    ("meta-analysis", r"\bmeta-?\ ?analys[ei]s\b(?!\ of\ (individual|genome|gwas|transcriptom|microarray|gene))"),
    ("systematic review", r"\bsystematic\ (literature\ )?review\b|\bsystematically\ review|\bumbrella\ review\b"),
    ("randomised trial", r"\brandomi[sz]ed,?\ (double|single|triple)[- ]blind\w*\b|\brandomi[sz]ed\ ([\w-]+,?\ ){0,3}trial\b"),
    ("case report", r"\bcase\ reports?\b|\ba\ report\ of\ (a|one|two|three|four|\d)\ cases?\b"),
    (
        "observational",
        r"\b(cohort|case[- ]control|cross[- ]sectional|observational)\ (\w+\ )?(study|survey|analysis)\b"
        r"|\b(prospective|retrospective)\ cohort\b|\bretrospective\ study\b",
    ),
    ("guideline", r"\bclinical\ practice\ guidelines?\b|\b(consensus|position)\ (statement|guidelines?)\b"),
    (
        "review",
        r"[:.]\ an?\ ([\w-]+\ ){0,2}(narrative|literature|scoping|mini|comprehensive|brief|critical|state[- ]of[- ]the[- ]art)[- ]?review\b"
        r"|:\ a\ review\b",
    ),
    ("clinical trial", r"\bphase\ (i{1,3}v?|iv|[1-4])([ab])?\ (\w+[- ]){0,3}(trial|study)\b"),
)
_RULES = tuple((kind, re.compile(pattern, re.VERBOSE)) for kind, pattern in _TITLE)
_SHORTEST_TITLE = 20  # letters and digits; "Editorial" or "Book reviews" would merge different works


def study_type(paper: Paper) -> tuple[str, str]:
    """The kind of study, and where it is known from.

    Returns
    -------
    type : str
        A key of `STUDY_TYPES`.
    source : str
        ``indexed`` when PubMed's publication types say it, ``title`` when the title states it plainly, else ``none``.
    """
    known = {_INDEXED[name] for item in paper.publication_types if (name := item.casefold()) in _INDEXED}
    if known == {"review"} and (stated := stated_in_title(paper.title)) in _SHARPER:
        return stated, "title"  # PubMed files most systematic reviews of the last years under "Review" alone
    if known:
        return min(known, key=_PRECEDENCE.index), "indexed"
    stated = stated_in_title(paper.title)
    return (stated, "title") if stated else ("other", "none")


def stated_in_title(title: str) -> str:
    """The kind of study that a title states plainly, or ''. A protocol for a trial is not a trial."""
    plain = title.casefold()
    if _NOT_THE_STUDY.search(plain):
        return ""
    return next((kind for kind, rule in _RULES if rule.search(plain)), "")


def title_key(title: str) -> str:
    """Digest of a title's letters and digits, case-folded, by which duplicates are found; '' for a title too short to tell."""
    plain = "".join(letter for letter in title.casefold() if letter.isalnum())
    return digest(plain) if len(plain) >= _SHORTEST_TITLE else ""
