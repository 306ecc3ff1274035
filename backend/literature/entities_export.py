"""Named things leave as CSV, as PubTator's text format, or as JSON."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence

from backend.domain import Json

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_COLUMNS = ("start", "end", "text", "kind", "probability", "denied", "cue", "sentence")


def to_csv(prediction: Mapping[str, Json]) -> str:
    """One row a mention; places count characters of the text from 0, the end not included."""
    text = str(prediction["material"]["content"])
    return rows_csv(
        _COLUMNS,
        [
            (
                *(each[name] for name in ("start", "end", "text", "kind", "score")),
                "yes" if each["negated"] else "no",
                each["cue"],
                text[each["sentence"][0] : each["sentence"][1]],
            )
            for each in prediction["mentions"]
        ],
    )


def rows_csv(columns: Sequence[str], rows: Sequence[Sequence[Json]]) -> str:
    """CSV with line ends as RFC 4180 has them; a text that a spreadsheet would run as a formula gets an apostrophe before it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell for cell in row])
    return out.getvalue()


def to_pubtator(prediction: Mapping[str, Json]) -> str:
    """PubTator's text format: title, abstract, and one line a mention with its place in both joined by one separator.

    A text without a title of its own (one line, then an empty one) has an empty title line. Line ends become spaces.
    """
    read = prediction["material"]
    text, name = str(read["content"]), str(read["paper"] or read["sha256"][:8])
    title = re.match(r"([^\n]+)\n\n", text)
    head, body, gap = (title[1], text[title.end() :], 2) if title else ("", text, 0)
    shift = 1 - gap  # our separator against PubTator's single character
    lines = [f"{name}|t|{head}", f"{name}|a|{_flat(body)}"]
    for each in prediction["mentions"]:
        by = 0 if each["end"] <= len(head) else shift
        lines.append("\t".join((name, str(each["start"] + by), str(each["end"] + by), _flat(each["text"]), each["kind"])))
    return "\n".join(lines) + "\n\n"


def to_json(prediction: Mapping[str, Json]) -> str:
    """The mentions with their places and the digest of the text that they count."""
    read = prediction["material"]
    head = {"name": read["name"], "paper": read["paper"], "text_sha256": read["sha256"], "model": prediction["model"]}
    return json.dumps({**head, "mentions": prediction["mentions"]}, ensure_ascii=False, indent=2)


def _flat(text: str) -> str:
    return re.sub(r"[\n\r\t]", " ", text)
