"""literature.relations on marked pairs (ChemProt) and on documents whose relations experts listed (PubTator, such as CID)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from backend.domain import Json
from backend.errors import InputError
from backend.literature.counting import cells, scores, system_name
from backend.literature.labelled import Labelled, read_file, read_labelled, read_pairs
from backend.literature.pairs import Pair, fit, pairs_of, relate_pairs, within
from backend.literature.reading import AT_ONCE
from backend.literature.seen_texts import seen_texts_note, unseen_texts
from backend.literature.texts import windows
from backend.metrics import bootstrap
from backend.models.abilities import Mention
from backend.progress import Silent
from backend.tasks import Context, pick_model, serving

if TYPE_CHECKING:
    from backend.models.abilities import Relates

TASK = "literature.relations"
EVERY = "every pair of a sentence"
UNKNOWN = frozenset({"", "-", "-1"})
"""What files write where a name has no identifier: no relation can be listed of it."""
NOTHING = frozenset({"", "none", "no relation", "no_relation", "no-relation", "norelation", "na", "n/a", "negative", "false", "0"})
"""What checkpoints call it when a pair is not related."""


def measure_relations(context: Context, files: Sequence[Path], options: Mapping[str, Any]) -> dict[str, Json]:
    """Accuracy and F1 on marked pairs (one JSON object a line), or precision, recall and F1 on PubTator documents with relations.

    Options beside those of `backend.evaluate`: ``unseen``, only pairs or documents whose texts no model measured was trained on.
    """
    marked = all(read_file(path).lstrip().startswith("{") for path in files)
    names = list(options.get("models") or []) or [card.name for card in serving(context, TASK)]
    cards = [pick_model(context, TASK, name) for name in names or [""]]
    systems: dict[str, Json] = {}
    notes: list[str] = []
    rows: Sequence[Any] = [row for path in files for row in read_pairs(path)] if marked else read_labelled(files)
    what = "pairs" if marked else "documents"
    if options.get("unseen"):
        kept = [row for row, new in zip(rows, unseen_texts(_texts(rows), cards), strict=True) if new]
        if not kept:
            raise InputError(f"The models were trained on all {what} of the files.", "Give other files, or measure all of them.")
        notes.append(f"Only the {len(kept):,} of {len(rows):,} {what} that the models were not trained on, as far as is known.")
        rows = kept
    seen = {}
    if not marked and not any(document.relations for document in rows):
        raise InputError("The documents list no relation.", "PubTator's relation lines read: id, name, identifier, identifier, with tabs.")
    if marked:
        systems |= _always(rows)
    else:
        systems[EVERY], bound = _every(rows)
        notes.append(bound)
    for card in cards:
        with context.runtime.use(card.name) as model:
            if marked and not model.needs_mentions:
                raise InputError(f"{card.title} writes relations and does not classify pairs.", "Give PubTator documents with relations.")
            systems[system_name(card)] = _of_pairs(context, model, rows) if marked else _of_documents(context, model, rows)
        if warned := seen_texts_note(_texts(rows), card, what):
            seen[system_name(card)] = warned
        if card.untrained:
            notes.append(f"{card.title} is untrained: its figures are those of random numbers.")
    notes.append(
        "A pair is right when the model gives it the experts' label, whatever the case. F1 counts relations and leaves out pairs without "
        "one. The file does not say which of the two is of which "
        "kind: a checkpoint that reads kinds in place of names is measured below its worth. Intervals by drawing pairs anew."
        if marked
        else "Things are the file's own marks, paired within a sentence: a relation that no single sentence states counts as missed. "
        "Any relation that the model states counts; its name is not compared. Intervals by drawing documents anew."
    )
    return {"task": TASK, "n": len(rows), "systems": systems, "seen": seen, "notes": [*seen.values(), *notes]}


def _texts(rows: Sequence[Any]) -> list[str]:
    return [row.text if isinstance(row, Labelled) else str(row[0]) for row in rows]


def _of_pairs(context: Context, model: Relates, rows: Sequence[Any]) -> dict[str, Json]:
    said = [""] * len(rows)
    for begin in range(0, len(rows), AT_ONCE):
        context.progress.check()
        read = []
        for at in range(begin, min(begin + AT_ONCE, len(rows))):
            text, *both, _ = rows[at]
            mentions = sorted((Mention(each.start, each.end, "", 1.0) for each in both), key=lambda each: each.start)
            read += [(at, text, pair) for pair in fit(model, text, [Pair((0, len(text)), mentions[0], mentions[1])])]
        inside = [(within(pair.first, pair.sentence[0]), within(pair.second, pair.sentence[0])) for _, _, pair in read]
        for (at, _, _), found in zip(read, model.relate([text[slice(*pair.sentence)] for _, text, pair in read], inside), strict=True):
            said[at] = max(found, key=lambda each: each.score).relation.casefold() if found else ""
        context.progress.update(begin, len(rows), f"{begin:,} of {len(rows):,} pairs")
    return _figures(said, _labels(rows))


def _labels(rows: Sequence[Any]) -> list[str]:
    return [str(label).casefold() for *_, label in rows]


def _always(rows: Sequence[Any]) -> dict[str, Json]:
    """The commonest label given to every pair: what a reader of pairs must beat."""
    truth = _labels(rows)
    common = max(sorted(set(truth)), key=truth.count)
    return {f"always {common}": _figures([common] * len(truth), truth)}


def _figures(said: Sequence[str], truth: Sequence[str]) -> dict[str, Json]:
    right = np.array([a == b for a, b in zip(said, truth, strict=True)], dtype=float)
    labels = sorted(set(truth))

    def macro(drawn: Any) -> float:
        return float(np.mean([_f1([said[int(i)] for i in drawn], [truth[int(i)] for i in drawn], label) for label in labels]))

    return {
        "accuracy": bootstrap(right).json(),
        "macro_f1": bootstrap(np.arange(len(said)), macro, n=200).json(),
        "f1": scores([_counted(a, b) for a, b in zip(said, truth, strict=True)])["f1"].json(),
    }


def _counted(said: str, truth: str) -> tuple[int, int, int]:
    """One pair as found and right, found and wrong, missed; what says that there is no relation counts as nothing."""
    right = said == truth and truth not in NOTHING
    return int(right), int(said not in NOTHING and not right), int(truth not in NOTHING and not right)


def _f1(said: Sequence[str], truth: Sequence[str], label: str) -> float:
    right = sum(a == b == label for a, b in zip(said, truth, strict=True))
    return 2 * right / max(1, said.count(label) + truth.count(label))


def _every(documents: Sequence[Labelled]) -> tuple[dict[str, Json], str]:
    """Every pair of a sentence called related, and in words how many of the listed relations a reader of sentences can find at all."""
    counts = []
    for document in documents:
        truth, near = _truth(document), _near(document)
        counts.append((len(near & truth), len(near - truth), len(truth - near)))
    inside, listed = sum(right for right, _, _ in counts), sum(right + missed for right, _, missed in counts)
    note = f"Of {listed:,} listed relations {inside:,} have both names in one sentence: a reader of sentences finds no more than these."
    return cells(scores(counts)), note


def _of_documents(context: Context, model: Relates, documents: Sequence[Labelled]) -> dict[str, Json]:
    counts = []
    for at, document in enumerate(documents, start=1):
        context.progress.check()
        truth, found = _truth(document), _stated(context, model, document)
        counts.append((len(found & truth), len(found - truth), len(truth - found)))
        context.progress.update(at, len(documents), f"{at:,} of {len(documents):,} documents")
    return cells(scores(counts))


def _truth(document: Labelled) -> set[frozenset[str]]:
    return {frozenset(pair) for _, *pair in document.relations}


def _near(document: Labelled) -> set[frozenset[str]]:
    """Pairs of identifiers that share a sentence."""
    by_place = {(each.start, each.end): each.identifier for each in document.marks}
    pairs = pairs_of(document.text, _mentions(document), "different kinds")
    spots = [((pair.first.start, pair.first.end), (pair.second.start, pair.second.end)) for pair in pairs]
    return {both for one, other in spots for both in _identified(by_place[one], by_place[other])}


def _mentions(document: Labelled) -> list[Mention]:
    return [Mention(each.start, each.end, each.kind, 1.0) for each in document.marks]


def _identified(one: str, other: str) -> set[frozenset[str]]:
    """Pairs of the identifiers of two marks; a mark of several things has one for each, joined by '|'."""
    made = {frozenset((a, b)) for a in one.split("|") for b in other.split("|")}
    return {pair for pair in made if len(pair) == 2 and not pair & UNKNOWN}


def _stated(context: Context, model: Relates, document: Labelled) -> set[frozenset[str]]:
    """Pairs of identifiers that the model relates."""
    by_place = {(each.start, each.end): each.identifier for each in document.marks}
    by_name = {document.text[each.start : each.end].casefold(): each.identifier for each in document.marks}
    made: set[frozenset[str]] = set()
    if model.needs_mentions:
        pairs = pairs_of(document.text, _mentions(document), "different kinds")
        for each in relate_pairs(context.watched(Silent()), model, document.text, fit(model, document.text, pairs)):
            if each["relation"].casefold() not in NOTHING and each["verified"]:
                made |= _identified(*(by_place.get(tuple(each[side]), "") for side in ("head_at", "tail_at")))
    else:
        for found in model.relate([document.text[start:end] for start, end in windows(model, document.text)], []):
            for one in found:
                made |= _identified(*(by_name.get(name.casefold(), "") for name in (one.head, one.tail)))
    return made
