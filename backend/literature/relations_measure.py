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
from backend.literature.pairs import Pair, fit, pairs_of, relate_pairs
from backend.literature.texts import windows
from backend.metrics import bootstrap
from backend.models.abilities import Mention
from backend.progress import Silent
from backend.tasks import Context, pick_model, serving

if TYPE_CHECKING:
    from backend.models.abilities import Relates

TASK = "literature.relations"
NOTHING = frozenset({"", "none", "no relation", "no_relation", "no-relation", "norelation", "na", "n/a", "negative", "false", "0"})
"""What checkpoints call it when a pair is not related."""


def measure_relations(context: Context, files: Sequence[Path], options: Mapping[str, Any]) -> dict[str, Json]:
    """Accuracy and macro-F1 on marked pairs (one JSON object a line), or precision, recall and F1 on PubTator documents with relations."""
    marked = all(read_file(path).lstrip().startswith("{") for path in files)
    names = list(options.get("models") or []) or [card.name for card in serving(context, TASK)]
    cards = [pick_model(context, TASK, name) for name in names or [""]]
    systems: dict[str, Json] = {}
    notes: list[str] = []
    rows: Sequence[Any] = [row for path in files for row in read_pairs(path)] if marked else read_labelled(files)
    if not marked and not any(document.relations for document in rows):
        raise InputError("The documents list no relation.", "PubTator's relation lines read: id, name, identifier, identifier, with tabs.")
    for card in cards:
        with context.runtime.use(card.name) as model:
            if marked and not model.needs_mentions:
                raise InputError(f"{card.title} writes relations and does not classify pairs.", "Give PubTator documents with relations.")
            systems[system_name(card)] = _of_pairs(context, model, rows) if marked else _of_documents(context, model, rows)
        if card.untrained:
            notes.append(f"{card.title} is untrained: its figures are those of random numbers.")
    notes.append(
        "A pair is right when the model gives it the experts' label, whatever the case. The file does not say which of the two is of which "
        "kind: a checkpoint that reads kinds in place of names is measured below its worth. Intervals by drawing pairs anew."
        if marked
        else "Things are the file's own marks, paired within a sentence: a relation that no single sentence states counts as missed. "
        "Any relation that the model states counts; its name is not compared. Intervals by drawing documents anew."
    )
    return {"task": TASK, "n": len(rows), "systems": systems, "notes": notes}


def _of_pairs(context: Context, model: Relates, rows: Sequence[Any]) -> dict[str, Json]:
    said = []
    for at, (text, first, second, _) in enumerate(rows, start=1):
        context.progress.check()
        mentions = [Mention(each.start, each.end, "", 1.0) for each in (first, second)]
        mentions.sort(key=lambda each: each.start)
        pair = fit(model, text, [Pair((0, len(text)), mentions[0], mentions[1])])
        found = relate_pairs(context.watched(Silent()), model, text, pair)
        said.append(max(found, key=lambda each: each["score"])["relation"].casefold() if found else "")
        context.progress.update(at, len(rows), f"{at:,} of {len(rows):,} pairs")
    truth = [str(label).casefold() for *_, label in rows]
    labels = sorted(set(truth))
    right = np.array([a == b for a, b in zip(said, truth, strict=True)], dtype=float)

    def macro(drawn: Any) -> float:
        return float(np.mean([_f1([said[int(i)] for i in drawn], [truth[int(i)] for i in drawn], label) for label in labels]))

    return {"accuracy": bootstrap(right).json(), "macro_f1": bootstrap(np.arange(len(rows)), macro, n=200).json()}


def _f1(said: Sequence[str], truth: Sequence[str], label: str) -> float:
    right = sum(a == b == label for a, b in zip(said, truth, strict=True))
    return 2 * right / max(1, said.count(label) + truth.count(label))


def _of_documents(context: Context, model: Relates, documents: Sequence[Labelled]) -> dict[str, Json]:
    counts = []
    for at, document in enumerate(documents, start=1):
        context.progress.check()
        truth = {frozenset(pair) for _, *pair in document.relations}
        found = _stated(context, model, document)
        counts.append((len(found & truth), len(found - truth), len(truth - found)))
        context.progress.update(at, len(documents), f"{at:,} of {len(documents):,} documents")
    return cells(scores(counts))


def _stated(context: Context, model: Relates, document: Labelled) -> set[frozenset[str]]:
    """Pairs of identifiers that the model relates."""
    by_place = {(each.start, each.end): each.identifier for each in document.marks}
    by_name = {document.text[each.start : each.end].casefold(): each.identifier for each in document.marks}
    made: set[frozenset[str]] = set()
    if model.needs_mentions:
        mentions = [Mention(each.start, each.end, each.kind, 1.0) for each in document.marks]
        pairs = pairs_of(document.text, mentions, "different kinds")
        for each in relate_pairs(context.watched(Silent()), model, document.text, fit(model, document.text, pairs)):
            if each["relation"].casefold() not in NOTHING and each["verified"]:
                made.add(frozenset(by_place.get(tuple(each[side]), "") for side in ("head_at", "tail_at")))
    else:
        spans = windows(model, document.text)
        for found in model.relate([document.text[start:end] for start, end in spans], []):
            made |= {frozenset(by_name.get(name.casefold(), "") for name in (one.head, one.tail)) for one in found}
    return {pair for pair in made if "" not in pair and len(pair) == 2}
