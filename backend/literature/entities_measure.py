"""literature.entities on texts that experts marked: strict precision, recall and F1 by kind, with 95% intervals by document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backend.domain import Json, ModelCard
from backend.errors import InputError
from backend.literature.counting import cells, scores, sureness, system_name
from backend.literature.labelled import Labelled, read_labelled
from backend.literature.marking import name_things
from backend.literature.seen_texts import seen_texts_note, unseen_texts
from backend.literature.texts import windows
from backend.progress import Silent
from backend.tasks import Context, pick_model, serving

if TYPE_CHECKING:
    from backend.models.abilities import Marks

TASK = "literature.entities"


def measure_entities(context: Context, files: Sequence[Path], options: Mapping[str, Any]) -> dict[str, Json]:
    """Strict match: a mention is right when its first and last character and its kind are an expert's.

    ``precision``, ``recall`` and ``f1`` over all kinds; the same of each kind, as ``chemical_f1``; ``ece`` of the probabilities.

    A kind of the file is compared with the model's kind of the same name, whatever the case. Kinds that the model does not know are left
    out and told, as are mentions of the model's kinds that the file does not mark. Options beside those of `backend.evaluate`:
    ``unseen``, only documents that no model measured was trained on.
    """
    every = read_labelled(files)
    names = list(options.get("models") or []) or [card.name for card in serving(context, TASK)]
    cards = [pick_model(context, TASK, name) for name in names or [""]]
    documents, notes = kept_apart(every, cards, options)
    systems: dict[str, Json] = {}
    seen = {}
    notes += [f"{len(documents):,} documents with {sum(len(each.marks) for each in documents):,} marked mentions."]
    for card in cards:
        with context.runtime.use(card.name) as model:
            known = {kind.casefold(): kind for kind in model.kinds}
            marked = sorted({each.kind for document in documents for each in document.marks})
            shared = {kind: known[kind.casefold()] for kind in marked if kind.casefold() in known}
            if not shared:
                raise InputError(
                    f"{card.title} finds {', '.join(model.kinds)}; the files mark {', '.join(marked)}.",
                    "Give files that mark the same kinds.",
                )
            counts, told = _counts(context, card.title, model, documents, shared)
        together = [
            (sum(r[0] for r in rows), sum(r[1] for r in rows), sum(r[2] for r in rows)) for rows in zip(*counts.values(), strict=True)
        ]
        systems[system_name(card)] = cells(scores(together))
        for kind, rows in counts.items():
            systems[system_name(card)] |= cells(scores(rows), f"{kind.lower().replace(' ', '_')}_")
        if any(told):
            systems[system_name(card)] |= {"ece": sureness(told).json()}
        notes.append(f"{card.title}: " + "; ".join(f"{kind} of the files is {own} of the model" for kind, own in shared.items()) + ".")
        if left := [kind for kind in marked if kind not in shared]:
            notes.append(f"{card.title} does not know {', '.join(left)}: left out of its figures.")
        if extra := sorted(set(known.values()) - set(shared.values())):
            notes.append(f"{card.title} also finds {', '.join(extra)}, which the files do not mark: left out.")
        if warned := seen_texts_note([each.text for each in documents], card, "documents"):
            seen[system_name(card)] = warned
        if card.untrained:
            notes.append(f"{card.title} is untrained: its figures are those of random numbers.")
    notes.append("Expected calibration error: mean gap between how sure it says it is of what it marked and how often it is right.")
    notes.append("Strict: first character, last character and kind must all be the expert's. Intervals by drawing documents anew.")
    return {"task": TASK, "n": len(documents), "systems": systems, "seen": seen, "notes": [*seen.values(), *notes]}


def kept_apart(every: Sequence[Labelled], cards: Sequence[ModelCard], options: Mapping[str, Any]) -> tuple[list[Labelled], list[str]]:
    """The documents to measure on, and what was left out of them.

    Raises
    ------
    InputError
        When only unseen documents are asked for and there are none.
    """
    if not options.get("unseen"):
        return list(every), []
    kept = [each for each, new in zip(every, unseen_texts([each.text for each in every], cards), strict=True) if new]
    if not any(each.marks for each in kept):
        raise InputError("The models were trained on every document of the files.", "Give other documents, or measure all of them.")
    return kept, [f"Only the {len(kept):,} of {len(every):,} documents that the models were not trained on, as far as is known."]


def _counts(
    context: Context, title: str, model: Marks, documents: Sequence[Labelled], shared: Mapping[str, str]
) -> tuple[dict[str, list[tuple[int, int, int]]], list[list[tuple[float, bool]]]]:
    """For each kind of the files, (right, wrong, missed) of each document; and of each document what was marked: probability, right."""
    rows: dict[str, list[tuple[int, int, int]]] = {kind: [] for kind in shared}
    told: list[list[tuple[float, bool]]] = []
    for done, document in enumerate(documents, start=1):
        told.append([])
        made = name_things(model, document.text, windows(model, document.text), Silent())
        for kind, own in shared.items():
            found = {(each.start, each.end) for each in made if each.kind == own}
            truth = {(each.start, each.end) for each in document.marks if each.kind == kind}
            told[-1] += [(each.score, (each.start, each.end) in truth) for each in made if each.kind == own]
            rows[kind].append((len(found & truth), len(found - truth), len(truth - found)))
        context.progress.check()
        context.progress.update(done, len(documents), f"{title}: {done:,} of {len(documents):,} documents")
    return rows, told
