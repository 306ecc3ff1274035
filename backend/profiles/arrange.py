"""The order in which evidence is shown to a reader: nothing is added, dropped or changed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from backend.domain import Json

_DESIGNS = {
    "guideline": 0,
    "systematic review": 0,
    "meta-analysis": 0,
    "randomised trial": 1,
    "clinical trial": 2,
    "observational": 3,
    "case report": 4,
    "review": 5,
}
"""Clinical study designs, strongest first.

Source: OCEBM Levels of Evidence Working Group. The Oxford 2011 Levels of Evidence (treatment benefits): systematic reviews, then
randomised trials, then other controlled studies, then series and cases, then reasoning from mechanism. Guidelines stand with what
they are made from; a review without a stated search stands last, before what states no design.
"""

_LABORATORY = re.compile(
    r"""\b(in\ v(itro|ivo)|ex\ vivo|mechanis\w+|pathways?|signall?ing|phosphorylat\w+|transcript\w*|mrna|micrornas?|genes?
    |knock-?(out|down)\w*|proteins?|enzym\w+|receptors?|ligands?|binding|kinases?|cell\ lines?|cultured|cells?|mitochondri\w+
    |molecular|mice|mouse|murine|rats?|zebrafish|drosophila|yeast|xenografts?|assays?|crystal\ structure
    |overexpress\w+|up-?regulat\w+|down-?regulat\w+)\b""",
    re.IGNORECASE | re.VERBOSE,
)
_TOLD_BY = 2  # different laboratory words in a title and its quotes: one alone ("cells") is common in the clinic too


def arrange(evidence: Sequence[dict[str, Json]], profile: Mapping[str, Json]) -> list[dict[str, Json]]:
    """The same evidence in the order in which this reader sees it; ties keep the rank.

    Parameters
    ----------
    evidence : sequence of dict
        Evidence of a literature.ask run. Sentences of one paper keep together, since they are ordered by their paper.
    profile : mapping
        JSON of `backend.domain.Profile`: its ``role`` and ``specialties`` count.
    """
    papers: dict[Json, list[dict[str, Json]]] = {}
    for item in evidence:
        papers.setdefault(item["document"], []).append(item)
    role = profile.get("role", "both")
    topics = _topics(profile)
    if role == "both" and not topics:
        return list(evidence)

    def place(items: Sequence[Mapping[str, Json]]) -> tuple[int, int, int, int]:
        best = min(int(item["rank"]) for item in items)
        retracted = any(notice.get("kind") == "retracted" for notice in items[0].get("notices", ()))
        design = _DESIGNS.get(str(items[0].get("study_type")), 6) if role == "clinician" else 0
        bench = 0 if role != "biologist" or _laboratory(items) else 1
        return int(retracted), design + bench, 0 if topics and topics.search(_text(items)) else 1, best

    ordered = sorted(papers.values(), key=place)
    return [item for items in ordered for item in sorted(items, key=lambda item: int(item["rank"]))]


def why_this_order(profile: Mapping[str, Json]) -> str:
    """One sentence that says why evidence stands as `arrange` puts it."""
    role, topics = profile.get("role", "both"), [str(name) for name in profile.get("specialties", ()) if str(name).strip()]
    first = {
        "clinician": "stronger study designs first (guidelines and systematic reviews, randomised trials, other studies)",
        "biologist": "papers on mechanisms and laboratory work first, told by the words of their titles and quotes",
    }.get(str(role), "")
    second = f"papers that name {', '.join(topics)} {'before others of their kind' if first else 'first'}" if topics else ""
    if not first and not second:
        return "In the order of the search: how near each sentence comes to the question."
    last = "then as ranked by the search; retracted papers last"
    return f"For this profile: {'; '.join(part for part in (first, second, last) if part)}."


def _topics(profile: Mapping[str, Json]) -> re.Pattern[str] | None:
    stems = [re.escape(_stem(word)) for name in profile.get("specialties", ()) for word in re.findall(r"\w{4,}", str(name).casefold())]
    return re.compile(rf"\b(?:{'|'.join(stems)})", re.IGNORECASE) if stems else None


def _stem(word: str) -> str:
    # 'cardiology' should meet 'cardiac' and 'cardiovascular', 'oncology' 'oncological'; short stems would meet everything
    return re.sub(r"(ologist|ology|ologic|iatrics|iatry|ics|ical|al|ist|y|s)$", "", word) if len(word) > 6 else word


def _laboratory(items: Sequence[Mapping[str, Json]]) -> bool:
    return len({found.group(0).casefold() for found in _LABORATORY.finditer(_text(items))}) >= _TOLD_BY


def _text(items: Sequence[Mapping[str, Json]]) -> str:
    return " ".join([str(items[0].get("title", "")), str(items[0].get("journal", "")), *(str(item["quote"]) for item in items)])
