"""A relation as a row of a table: what is related and how, how sure, how its sentence says it, and where that sentence stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backend.domain import Json
from backend.literature.relation_words import in_words
from backend.literature.visible import visible

ASSERTED, DENIED, ASKED = "asserted", "denied", "asked"


def said_as(each: Mapping[str, Json]) -> str:
    """Whether its sentence asserts a relation, denies it, or only asks after it; by rule."""
    return DENIED if each.get("denied") else ASKED if each.get("asked") else ASSERTED


def sure_of(each: Mapping[str, Json]) -> float:
    """Probability that a relation is right; in a run of before, of the relation alone, as though its names were certain."""
    return float(each.get("sure", each["score"]))


def relation_row(each: Mapping[str, Json], quote: str, source: Mapping[str, Json]) -> dict[str, Any]:
    """A relation with its sentence and where that stands.

    Parameters
    ----------
    quote : str
        The text in which the relation's places count.
    source : mapping
        ``pmid``, ``title``, ``year`` of the paper; ``start``, the character of its text at which the quote begins; ``evidence``, the
        number of the sentence in an answer; whatever is not known is left out.
    """
    start, end = (int(place) for place in each["sentence"])
    by = int(source.get("start") or 0)
    missing = [str(each[side]) for side in ("head", "tail") if each[f"{side}_at"] is None]
    made = {
        "Subject": visible(str(each["head"])),
        "Subject is a": str(each["head_kind"]),
        "Relation": visible(in_words(each)),
        "Object": visible(str(each["tail"])),
        "Object is a": str(each["tail_kind"]),
        "Probability": sure_of(each),
        "Less certain": "no" if each.get("shown", True) else "yes",
        "Its sentence": said_as(each),
        "Words that deny or ask": str(each.get("denied") or each.get("asked") or ""),
        "Names not in the text": visible(", ".join(missing)),
        "Sentence": quote[start:end],
        "PMID": str(source.get("pmid") or ""),
        "Title": str(source.get("title") or ""),
        "Year": source.get("year") or "",
        "Sentence begins at character": start + by,
        "Sentence ends at character": end + by,
    }
    return ({"Evidence": source["evidence"]} if "evidence" in source else {}) | made
