"""Evidence leaves as RIS, BibTeX, CSV, JSON or a formatted citation, its quotes with their offsets."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re
from collections.abc import Mapping, Sequence

import rispy

from backend.domain import Json, Paper
from backend.errors import InputError
from backend.literature.formats.compose import clean

Evidence = Mapping[str, Json]
COLUMNS = (
    *("rank", "score", "bearing", "stance", "quote", "section", "page", "start", "end", "sha256", "title", "authors", "journal", "year"),
    *("volume", "issue", "pages", "study_type", "pmid", "doi", "notices"),
)
NOTICES = {
    "retracted": "RETRACTED",
    "corrected": "Corrected",
    "concern": "Expression of concern",
    "updated": "Updated",
    "retraction_of": "Retraction of another work",
    "correction_of": "Correction of another work",
}
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_MOST_AUTHORS = 6  # ICMJE/Vancouver: six names, then et al.
_LATEX = str.maketrans(
    {mark: f"\\{mark}" for mark in "&%$#_"}
    # BibTeX counts braces even when they are escaped, so a lone one has to go by its name
    | {"{": r"{\textbraceleft}", "}": r"{\textbraceright}"}
    | {"\\": r"{\textbackslash}", "~": r"{\textasciitilde}", "^": r"{\textasciicircum}"}
)


class _Unnumbered(rispy.RisWriter):  # type: ignore[misc]
    """RIS as the format defines it: rispy numbers the references on lines of their own, which some programs refuse."""

    def set_header(self, count: int) -> str:
        return ""


def to_ris(evidence: Sequence[Evidence]) -> str:
    """RIS with one reference a paper; every quote is a note (N1) with its place in the stored text."""
    entries = []
    for items in _by_paper(evidence):
        first = items[0]
        start, _, end = _text(first, "pages").partition("-")
        fields = {
            "type_of_reference": "JOUR",
            "title": _text(first, "title"),
            "authors": [_comma(name) for name in _authors(first)],
            "alternate_title3": _text(first, "journal"),
            "year": _text(first, "year"),
            "volume": _text(first, "volume"),
            "number": _text(first, "issue"),
            "start_page": start,
            "end_page": end,
            "doi": _text(first, "doi"),
            "accession_number": _text(first, "pmid"),
            "name_of_database": "PubMed" if _text(first, "pmid") else "",
            "notes": _notes(items),
        }
        entries.append({key: value for key, value in fields.items() if value})
    return str(rispy.dumps(entries, implementation=_Unnumbered)) if entries else ""


def to_bibtex(evidence: Sequence[Evidence]) -> str:
    """BibTeX with one entry a paper; quotes in the field ``note``. Letters stay Unicode, LaTeX's own marks are escaped."""
    entries, keys = [], set()
    for items in _by_paper(evidence):
        first = items[0]
        fields = {
            "title": "{" + _latex(_text(first, "title")) + "}",
            "author": " and ".join(_bib_author(name) for name in _authors(first)),
            "journal": _latex(_text(first, "journal")),
            "year": _text(first, "year"),
            "volume": _latex(_text(first, "volume")),
            "number": _latex(_text(first, "issue")),
            "pages": _latex(_text(first, "pages")).replace("-", "--"),
            "doi": _text(first, "doi"),  # a DOI is an address: reference managers want it bare
            "pmid": _text(first, "pmid"),
            "note": _latex(" | ".join(_notes(items))),
        }
        key = base = _key(first)
        number = 1
        while key in keys:
            number += 1
            key = f"{base}_{number}"
        keys.add(key)
        lines = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items() if value.strip("{}"))
        entries.append(f"@article{{{key},\n{lines}\n}}\n")
    return "\n".join(entries)


def to_csv(evidence: Sequence[Evidence]) -> str:
    """CSV with one line a quote. A text that a spreadsheet would run as a formula gets an apostrophe before it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for item in evidence:
        joined = {"authors": "; ".join(_authors(item)), "notices": "; ".join(notice_lines(item))}
        joined["stance"] = (item.get("stance") or {}).get("said", "")
        writer.writerow([_cell(joined.get(name, item.get(name))) for name in COLUMNS])
    return out.getvalue()


def to_json(evidence: Sequence[Evidence]) -> str:
    """JSON of the evidence as it was saved."""
    return json.dumps([dict(item) for item in evidence], ensure_ascii=False, indent=2)


def formatted(paper: Paper | Evidence, style: str = "vancouver") -> str:
    """One reference as text, for pasting.

    Source: ICMJE recommendations, after Patrias K, Wendling D. Citing Medicine. 2nd ed. NLM; 2007.
    """
    if style != "vancouver":
        raise InputError(f"There is no citation style '{style}'.", "Allowed values are: vancouver.")
    fields = dataclasses.asdict(paper) if isinstance(paper, Paper) else paper
    authors = _authors(fields)
    names = ", ".join([*authors[:_MOST_AUTHORS], *(["et al"] if len(authors) > _MOST_AUTHORS else [])])
    volume, issue, pages = (_text(fields, name) for name in ("volume", "issue", "pages"))
    where = volume + (f"({issue})" if issue else "")
    when = _text(fields, "year") + (f";{where}" if where else "") + (f":{pages}" if pages else "")
    parts = [names, _text(fields, "title"), _text(fields, "journal"), when]
    parts += [f"doi: {doi}" for doi in [_text(fields, "doi")] if doi]
    parts += [f"PMID: {pmid}" for pmid in [_text(fields, "pmid")] if pmid]
    parts += [f"[{line}]" for line in notice_lines(fields)]
    return " ".join(part if part.endswith((".", "?", "!")) else f"{part}." for part in parts if part)


def notice_lines(item: Evidence) -> list[str]:
    """Retractions, corrections and concerns that the record carries, one line each."""
    return [
        ": ".join(part for part in (NOTICES.get(str(notice["kind"]), str(notice["kind"])), _text(notice, "text")) if part)
        + (f" (PMID {notice['pmid']})" if notice.get("pmid") else "")
        for notice in item.get("notices") or ()
    ]


def _by_paper(evidence: Sequence[Evidence]) -> list[list[Evidence]]:
    papers: dict[str, list[Evidence]] = {}
    for item in evidence:
        papers.setdefault(_text(item, "pmid") or _text(item, "sha256") or _text(item, "title"), []).append(item)
    return list(papers.values())


def _text(item: Evidence, name: str) -> str:
    value = item.get(name)
    return "" if value is None else clean(str(value))


def _authors(item: Evidence) -> list[str]:
    return [name for author in item.get("authors") or () if (name := clean(str(author)))]


def _notes(items: Sequence[Evidence]) -> list[str]:
    return notice_lines(items[0]) + [
        f'Quote: "{_text(item, "quote")}" (characters {item.get("start")}-{item.get("end")}'
        + (f", page {item['page']}" if item.get("page") else "")
        + f"; text sha256 {_text(item, 'sha256')})"
        for item in items
        if item.get("quote")
    ]


def _split(name: str) -> tuple[str, str]:
    """Family name and initials; a group's name has no initials."""
    family, _, initials = name.rpartition(" ")
    return (family, initials) if family and initials.isupper() and initials.isalpha() and len(initials) <= 4 else (name, "")


def _comma(name: str) -> str:
    family, initials = _split(name)
    return f"{family}, {initials}" if initials else name


def _bib_author(name: str) -> str:
    family, initials = _split(name)
    return f"{_latex(family)}, {_latex(initials)}" if initials else "{" + _latex(name) + "}"


def _latex(text: str) -> str:
    return text.translate(_LATEX)


def _key(item: Evidence) -> str:
    if pmid := _text(item, "pmid"):
        return f"pmid{pmid}"
    names = _authors(item)
    return re.sub(r"[^A-Za-z0-9]", "", f"{_split(names[0])[0] if names else 'paper'}{_text(item, 'year')}") or "paper"


def _cell(value: Json) -> Json:
    return f"'{value}" if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA) else value
