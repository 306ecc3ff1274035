"""Relations as people say them: the labels of corpora in plain words, and what in its sentence denies one."""

from __future__ import annotations

from collections.abc import Mapping

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


def denial(text: str, stated: Mapping[str, Json]) -> str:
    """The cue by which its sentence denies the head or the tail of a relation, or ''; places count characters of `text`."""
    start, end = stated["sentence"]
    spots = [spot for spot in (stated["head_at"], stated["tail_at"]) if spot is not None and start <= spot[0] < spot[1] <= end]
    return next((cue for low, high in spots if (cue := negation(text[start:end], low - start, high - start))), "")
