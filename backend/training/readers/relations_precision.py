"""How often a relation read off a text is right: ``python -m backend.training.readers.relations_precision DATA BODY OUT``.

What the pages show is measured: names as the reader of named things marks them, relations as the reader of relations reads them, without
those that their sentence denies or asks after. The probability from which one is shown unasked is chosen on the documents that set the
thresholds, and measured on those kept for the final figures; both are written into OUT, the settings of the reader of relations.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from backend.config import ASSETS
from backend.literature.counting import scores
from backend.literature.labelled import Labelled, read_pairs
from backend.literature.marking import name_things
from backend.literature.pairs import as_json, fit, pairs_of, within
from backend.literature.relation_rows import ASSERTED, said_as
from backend.literature.relation_words import weighed
from backend.literature.texts import windows
from backend.models.families import readers
from backend.models.reader_cards import ENTITIES, RELATIONS
from backend.models.typed_pairs import known_kind
from backend.progress import Silent
from backend.training.readers.adapting import set_out
from backend.training.readers.corpora import part_of
from backend.training.readers.relations_data import UNKNOWN, cdr_documents

LEVELS = tuple(round(0.05 * step, 2) for step in range(6, 19))  # .30 to .90
WANTED = 0.75  # share that must be right where the level is chosen: a little is lost where it is measured, and .7 should be kept
_FEW = 30  # relations without which no level is chosen
_ON = {
    "disease": "240 abstracts of BC5CDR kept apart from training: the experts list it for the abstract",
    "gene": "ChemProt's development part: its experts give that pair this relation; each sentence holds one, elsewhere expect fewer",
}


class Read(NamedTuple):
    """A relation that was read: how sure, no more than the least level for what is never shown unasked; whether experts say the same."""

    sure: float
    right: bool


def of_document(document: Labelled, stated: Iterable[Mapping[str, Any]]) -> list[Read]:
    """Relations of a chemical with a disease; right where both names overlap marks of their kind of which the relation is listed.

    Names that overlap a mark without an identifier are left out: no relation can be listed of those.
    """
    listed = {frozenset(pair) for _, *pair in document.relations}
    made = []
    for each in stated:
        sides = [
            {
                name
                for gold in document.marks
                if gold.start < each[place][1] and each[place][0] < gold.end and known_kind(gold.kind) == known_kind(each[kind])
                for name in gold.identifier.split("|")
            }
            for place, kind in (("head_at", "head_kind"), ("tail_at", "tail_kind"))
        ]
        if known_kind(each["tail_kind"]) == "disease" and not any(UNKNOWN in side for side in sides):
            made.append(Read(_sure(each), any(frozenset((one, other)) in listed for one in sides[0] for other in sides[1])))
    return made


def of_sentence(listed: Mapping[frozenset[tuple[int, int]], str], stated: Iterable[Mapping[str, Any]]) -> list[Read]:
    """Relations of a chemical with a gene; right where both names overlap those of a listed pair and the relation is the same."""
    made = []
    for each in stated:
        if known_kind(each["tail_kind"]) != "gene":
            continue
        said = {
            relation
            for pair, relation in listed.items()
            if len({place for spot in (each["head_at"], each["tail_at"]) for place in pair if place[0] < spot[1] and spot[0] < place[1]})
            > 1
        }
        made.append(Read(_sure(each), each["relation"] in said))
    return made


def _sure(each: Mapping[str, Any]) -> float:
    return min(float(each["sure"]), LEVELS[0]) if each["crossed"] or each["relieved"] else float(each["sure"])


def precision(texts: Sequence[Sequence[Read]], low: float, high: float = 2.0) -> dict[str, Any]:
    """Share of the relations of at least `low` and less than `high` that are right; 95% interval by drawing texts anew."""
    counts = [[each.right for each in text if low <= each.sure < high] for text in texts]
    made = scores([(sum(rights), len(rights) - sum(rights), 0) for rights in counts])["precision"].json()
    return {name: round(float(value), 4) for name, value in made.items() if name in ("value", "low", "high")} | {"n": sum(map(len, counts))}


def choose(texts: Sequence[Sequence[Read]]) -> float:
    """The lowest level from which `WANTED` are right; where none is, the level of the highest share among those with enough relations."""
    told = {level: precision(texts, level) for level in LEVELS}
    enough = {level: each["value"] for level, each in told.items() if each["n"] >= _FEW} or {LEVELS[0]: 0.0}
    return next((level for level, share in enough.items() if share >= WANTED), max(enough, key=lambda level: enough[level]))


def settled(check: Sequence[Sequence[Read]], final: Sequence[Sequence[Read]], data: str) -> dict[str, Any]:
    """The level from which a relation is shown, chosen on `check`, and how often relations are right, on `final`."""
    level = choose(check)
    at = [told for each in LEVELS if (told := {"least": each, **precision(final, each)})["n"] >= _FEW]
    right = {"shown": precision(final, level), "others": precision(final, LEVELS[0], level), "at": at}
    return {"least": LEVELS[0], "shown": level, "data": data, "right": right}


def main() -> None:
    """Read the arguments, read all texts with the shipped readers, write and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("data", "body", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    set_out(0, given.threads)
    marker: Any = readers.load(ASSETS / "models" / ENTITIES.name, ENTITIES, "cpu", given.body)
    reader: Any = readers.load(ASSETS / "models" / RELATIONS.name, RELATIONS, "cpu", given.body)
    documents = cdr_documents(given.data)
    parts = {
        ("disease", part): [of_document(each, read(marker, reader, each.text)) for each in documents[part]] for part in ("check", "final")
    }
    for part, name in (("check", "chemprot_train"), ("final", "chemprot_dev")):
        pairs = _chemprot(given.data / f"ner_re/{name}.txt", part)
        parts["gene", part] = [of_sentence(listed, read(marker, reader, text)) for text, listed in pairs.items()]
    made = json.loads(given.out.read_text(encoding="utf-8"))
    for partner, data in _ON.items():
        made["between"][partner]["measured"] = settled(parts[partner, "check"], parts[partner, "final"], data)
        print(partner, json.dumps(made["between"][partner]["measured"], indent=1), flush=True)
    given.out.write_text(json.dumps(made, indent=1), encoding="utf-8")


def read(marker: Any, reader: Any, text: str) -> list[dict[str, Any]]:
    """What a page lists of a text, without what its sentence denies or asks after."""
    pairs = fit(reader, text, pairs_of(text, name_things(marker, text, windows(marker, text), Silent()), "different kinds"))
    inside = [(within(pair.first, pair.sentence[0]), within(pair.second, pair.sentence[0])) for pair in pairs]
    found = reader.relate([text[slice(*pair.sentence)] for pair in pairs], inside)
    stated = [
        as_json(each, pair.sentence[0], pair.sentence, pair.first.score * pair.second.score)
        for pair, several in zip(pairs, found, strict=True)
        for each in several
    ]
    return [each for each in weighed(text, stated, {}) if said_as(each) == ASSERTED]


def _chemprot(file: Path, part: str) -> dict[str, dict[frozenset[tuple[int, int]], str]]:
    made: dict[str, dict[frozenset[tuple[int, int]], str]] = {}
    for text, one, other, relation in read_pairs(file):
        if part == "final" or part_of(text, 0.9, 0.1) == "calibration":
            made.setdefault(text, {})[frozenset(((one.start, one.end), (other.start, other.end)))] = relation
    return made


if __name__ == "__main__":
    main()
