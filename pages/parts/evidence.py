"""Evidence: verbatim sentences grouped by paper, with what kind of paper it is, its notices, and the text they stand in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from backend.models.abilities import STANCES
from backend.profiles.verdict_words import SIDES
from pages.parts.bench import shelf
from pages.parts.markup import escape, html
from pages.parts.named import kinds_of, quoted
from pages.parts.verdict_card import sign

_AROUND = 4_000  # characters of a long text shown before and after a quote
_NOTICES = {
    "retracted": ("⊘", "Retracted"),
    "corrected": ("✎", "Corrected"),
    "concern": ("⚠", "Expression of concern"),
    "retraction_of": ("⊘", "Notice of a retraction"),
    "correction_of": ("✎", "Notice of a correction"),
    "updated": ("↻", "Updated"),
}
_SOURCES = {"indexed": "as indexed", "title": "from the title"}

Marks = Mapping[int, Sequence[Mapping[str, Any]]]
"""Named things of each quote, by its rank."""


def show_evidence(evidence: Sequence[Mapping[str, Any]], marks: Marks | None = None) -> None:
    """Cards, best first; sentences of one paper stand together."""
    groups = by_paper(evidence)
    papers = shelf().get(list(groups))
    body = []
    for document, items in groups.items():
        stored = papers.get(document)
        if stored is None or stored.sha256 != items[0]["sha256"]:
            opened = '<div class="bl-soft">The paper was removed or changed since; the quote is kept with this run.</div>'
        else:
            text = marked(stored.paper.text, [(item["start"], item["end"]) for item in items])
            opened = f"<details><summary>Open in the {_kind(items[0])}</summary>{text}</details>"
        body.append(card(items, opened, marks))
    html("".join(body))


def by_paper(evidence: Sequence[Mapping[str, Any]]) -> dict[int, list[Mapping[str, Any]]]:
    """Evidence grouped by paper, in order of each paper's best sentence."""
    groups: dict[int, list[Mapping[str, Any]]] = {}
    for item in evidence:
        groups.setdefault(int(item["document"]), []).append(item)
    return groups


def card(items: Sequence[Mapping[str, Any]], opened: str = "", marks: Marks | None = None) -> str:
    """One paper's quotes as HTML, with `opened` (HTML) at the end."""
    first = items[0]
    quotes = "".join(_quote(item, marks or {}) for item in items)
    return (
        f'<article class="bl-paper">{notices(first.get("notices", ()))}{quotes}<h4>{escape(first["title"])}</h4>'
        f'<div class="bl-cite">{citation(first)}</div>{_tags(items)}{opened}</article>'
    )


def _quote(item: Mapping[str, Any], marks: Marks) -> str:
    """One sentence with its rank; from readers also with its side and how likely it bears on the question."""
    rank = f'<span class="bl-n">{int(item["rank"])}</span>'
    words = quoted(str(item["quote"]), marks.get(int(item["rank"]), ()), kinds_of(list(marks.values())))
    if item.get("bearing") is None:
        return f'<p class="bl-quote">{rank}{words}</p>'
    stand = f"{rank}{_stance(item)}<span>bears on the question {item['bearing']:.2f}</span>"
    return f'<div class="bl-stand">{stand}</div><p class="bl-quote">{words}</p>'


def _stance(item: Mapping[str, Any]) -> str:
    stance = item.get("stance")
    if not stance:
        return ""
    said, shares = str(stance["said"]), dict(zip(STANCES, stance["probabilities"], strict=True))
    every = ", ".join(f"{name} {p:.2f}" for name, p in shares.items())
    # there is no clear side too where neither is likely enough: then one number alone would mislead
    figure = f"{shares[said]:.2f}" if shares[said] >= max(shares.values()) else f"({every})"
    return f'<span title="{escape(every)}">{sign(said)} <b>{escape(SIDES.get(said, said))}</b> {escape(figure)}</span>'


def marked(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """A stored text with the quoted places marked; of a very long one, the neighbourhood of the quotes."""
    low = max(min((start for start, _ in spans), default=0) - _AROUND, 0)
    high = min(max((end for _, end in spans), default=0) + _AROUND, len(text))
    parts, at = ["… " if low else ""], low
    for start, end in sorted(spans):
        parts += [escape(text[at:start]), "<mark>", escape(text[start:end]), "</mark>"]
        at = end
    parts += [escape(text[at:high]), " …" if high < len(text) else ""]
    return f'<div class="bl-text">{"".join(parts)}</div>'


def citation(item: Mapping[str, Any]) -> str:
    """Authors, journal, year, place and identifiers as HTML."""
    authors = [str(name) for name in item.get("authors", ())]
    names = ", ".join(authors[:3]) + (" et al." if len(authors) > 3 else "")
    issue = f"({item['issue']})" if item.get("issue") else ""
    place = f"{item.get('volume') or ''}{issue}" + (f":{item['pages']}" if item.get("pages") else "")
    parts = [names, str(item.get("journal") or ""), " ".join(str(part) for part in (item.get("year") or "", place) if part)]
    ids = [f"PMID {item['pmid']}" if item.get("pmid") else "", f"doi {item['doi']}" if item.get("doi") else ""]
    return " · ".join(escape(part) for part in [*parts, *ids] if part)


def notices(items: Sequence[Mapping[str, Any]]) -> str:
    """Retractions, corrections and concerns as bands with a sign and a word."""
    bands = []
    for item in items:
        sign, word = _NOTICES.get(str(item["kind"]), ("⚠", str(item["kind"])))
        text, pmid = str(item.get("text") or ""), str(item.get("pmid") or "")
        more = " ".join(part for part in (text, f"PMID {pmid}" if pmid and pmid not in text else "") if part)
        bands.append(f'<div class="bl-notice" role="note"><b>{sign} {escape(word)}.</b> {escape(more)}</div>')
    return "".join(bands)


def study_label(study_type: str) -> str:
    """A study type as it is shown."""
    from backend.literature.study import STUDY_TYPES

    return STUDY_TYPES.get(study_type, study_type)


def _tags(items: Sequence[Mapping[str, Any]]) -> str:
    first = items[0]
    source = _SOURCES.get(str(first.get("study_type_source")))
    study = study_label(str(first.get("study_type") or "")) if source else "Study type not stated"
    tags = [study + (f", {source}" if source else "")]
    tags += list(dict.fromkeys(_place(item) for item in items if _place(item)))
    if first.get("language") and not str(first["language"]).lower().startswith("en"):
        tags.append(f"language: {first['language']}")
    return '<div style="margin-top:.3rem">' + "".join(f'<span class="bl-tag">{escape(tag)}</span>' for tag in tags) + "</div>"


def _place(item: Mapping[str, Any]) -> str:
    return f"page {item['page']}" if item.get("page") else str(item.get("section") or "").capitalize()


def _kind(item: Mapping[str, Any]) -> str:
    return "paper" if item.get("page") else "abstract"
