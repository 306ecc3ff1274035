"""Relations as people say them: the labels of corpora in plain words, and what in its sentence denies or asks one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from backend.domain import Json
from backend.literature.negation import negation
from backend.models.typed_pairs import known_kind

_WORDS = {  # a chemical's doings, by the labels of BC5CDR and ChemProt (Krallinger et al. 2017)
    "chemical induces disease": "induces",
    "cid": "induces",
    "inhibitor": "inhibits",
    "activator": "activates",
    "agonist": "is an agonist of",
    "antagonist": "is an antagonist of",
    "agonist-activator": "is an agonist and activator of",
    "agonist-inhibitor": "is an agonist and inhibitor of",
    "upregulator": "upregulates",
    "downregulator": "downregulates",
    "indirect-upregulator": "indirectly upregulates",
    "indirect-downregulator": "indirectly downregulates",
    "substrate": "is a substrate of",
    "product-of": "is a product of",
    "substrate_product-of": "is a substrate and a product of",
}


def in_words(stated: Mapping[str, Json]) -> str:
    """What relates head and tail, as a verb; the model's own label where the head is no chemical, of which the verbs speak."""
    label = str(stated["relation"])
    return _WORDS.get(label.casefold(), label) if known_kind(str(stated.get("head_kind") or "")) == "chemical" else label


_DENIED = re.compile(
    r"\bno evidence (?:that|for|of)\b"
    r"|\bno (?:(?!and\b|or\b)[\w-]+ ){0,3}(?:effects?|association|relation(?:ship)?|correlation|interaction|influence)\b"
    r"|\bfail(?:s|ed|ure)? to\b|\bunrelated to\b|\b(?:but |and )?not\b(?! (?:only|necessarily|just|yet))|\bcannot\b",
    re.IGNORECASE,
)
_ASKED = re.compile(
    r"\bwhether\b|\bhypothesi[sz]\w*|\bto (?:test|examine|determine|investigate|assess|evaluate|study|explore|ask)\b"
    r"|\b(?:unknown|unclear|uncertain|not known|not clear)\b",
    re.IGNORECASE,
)
_ENDS = re.compile(
    r"[;:]|, (?:and|but|or|so|while|whereas|although)\b|\b(?:but(?! not)|however|although|though|whereas|nevertheless)\b", re.IGNORECASE
)
_SHORT = re.compile(  # a comma ends them: 'A, but not B, caused C'; 'the cause is unknown, A caused B'
    r"(?:but|and|to|unknown|unclear|uncertain|not known|not clear)\b", re.IGNORECASE
)
_CLAUSE = re.compile(r"[;:]|, (?:and|but|while|whereas|or)\b|\b(?:while|whereas)\b", re.IGNORECASE)
_RELIEVED = re.compile(
    r"\b(?:attenuat|ameliorat|alleviat|prevent|protect|reliev|suppress|abolish|revers|antagoni[sz]|improv)\w*|\bagainst\b", re.IGNORECASE
)
_REACH = 12  # words from a cue to the second of the two names
_WORD = re.compile(r"\w+(?:-\w+)*")


def denial(text: str, stated: Mapping[str, Json]) -> str:
    """The cue by which its sentence denies a relation, or that one of its two things was there, or ''; places count `text`'s characters.

    A cue of the relation stands before both names or between them, in the same clause as the second: 'no evidence that A caused B',
    'A did not cause B', 'B was not caused by A'. The rule is ours.
    """
    sentence, spots = _placed(text, stated)
    if len(spots) == 2 and (cue := _over(_DENIED, sentence, spots)):
        return cue
    return next((cue for low, high in spots if (cue := negation(sentence, low, high))), "")


def question(text: str, stated: Mapping[str, Json]) -> str:
    """The cue by which its sentence asks after a relation in place of stating it, or ''; the rule is ours."""
    sentence, spots = _placed(text, stated)
    if sentence.rstrip().endswith("?"):
        return "?"
    return _over(_ASKED, sentence, spots) if len(spots) == 2 else ""


def weighed(text: str, relations: Sequence[Mapping[str, Json]], measured: Mapping[str, Mapping[str, Json]]) -> list[dict[str, Json]]:
    """Relations of one text, likeliest first, with ``denied``, ``asked``, ``relieved`` (cues, or ''), ``crossed``, ``shown``, ``right``.

    Parameters
    ----------
    measured : mapping
        For each kind of partner ``{"least", "shown", "data", "right"}``: the probabilities from which a relation is listed at all and
        from which it is shown unasked, and how often those (``"shown"``) and the ``"others"`` between were right where that was
        measured; empty where nothing is known.

    Returns
    -------
    list of dict
        ``shown`` is True where nothing was measured; ``right`` is ``{"value", "low", "high", "n", "data", "partner"}`` or None.
    """
    made = []
    for each in relations:
        partner = known_kind(str(each.get("tail_kind") or "")) or ""
        crossed = _crossed(text, each, relations)
        relieved = _relief(text, each) if partner == "disease" else ""
        told = {**each, "denied": denial(text, each), "asked": question(text, each), "crossed": crossed, "relieved": relieved}
        told |= {"shown": True, "right": None}
        if known := measured.get(partner):
            if float(each["sure"]) < float(known["least"]):
                continue
            told["shown"] = not crossed and not relieved and float(each["sure"]) >= float(known["shown"])
            told["right"] = {**known["right"]["shown" if told["shown"] else "others"], "data": known["data"], "partner": partner}
        made.append(told)
    return sorted(made, key=lambda each: -float(each["sure"]))


def _relief(text: str, each: Mapping[str, Json]) -> str:
    """The word between a chemical and a disease by which the one may relieve the other in place of inducing it, or ''."""
    if None in (each["head_at"], each["tail_at"]) or in_words(each) != "induces":
        return ""
    first, second = sorted((each["head_at"], each["tail_at"]))
    found = _RELIEVED.search(text, first[1], second[0])
    return found.group().lower() if found else ""


def _crossed(text: str, each: Mapping[str, Json], relations: Sequence[Mapping[str, Json]]) -> bool:
    """Whether it reaches over a clause where both of its names have a likelier partner in their own: 'A caused x, and B caused y'."""
    if None in (each["head_at"], each["tail_at"]) or not _border(text, each):
        return False
    own = [other for other in relations if other["sentence"] == each["sentence"] and other["score"] > each["score"]]
    own = [other for other in own if None not in (other["head_at"], other["tail_at"]) and not _border(text, other)]
    names = {str(each[side]).casefold() for side in ("head", "tail")}
    if any({str(other[side]).casefold() for side in ("head", "tail")} == names for other in own):
        return False  # the same two are related within a clause as well
    return all(any(other[side] == each[side] for other in own) for side in ("head_at", "tail_at"))


def _border(text: str, each: Mapping[str, Json]) -> bool:
    first, second = sorted((each["head_at"], each["tail_at"]))
    return bool(_CLAUSE.search(text[first[1] : second[0]]))


def _placed(text: str, stated: Mapping[str, Json]) -> tuple[str, list[tuple[int, int]]]:
    """The sentence, and those of the two names that stand in it, in its order."""
    start, end = stated["sentence"]
    spots = [spot for spot in (stated["head_at"], stated["tail_at"]) if spot is not None and start <= spot[0] < spot[1] <= end]
    return text[start:end], sorted((low - start, high - start) for low, high in spots)


def _over(cues: re.Pattern[str], sentence: str, spots: list[tuple[int, int]]) -> str:
    """The first cue before or between two names whose clause reaches the second of them."""
    (first, after), (second, _) = spots
    for found in cues.finditer(sentence, 0, second):
        if found.end() <= first:
            reach = sentence[found.end() : first]
        elif after <= found.start():
            reach = sentence[found.end() : second]
        else:
            continue
        if "," in reach and _SHORT.match(found.group()):
            continue
        if not _ENDS.search(reach) and len(_WORD.findall(reach)) <= _REACH:
            return found.group().lower()
    return ""
