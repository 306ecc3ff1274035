"""Two models on one input: two ordinary saved runs, and in words how far they agree and where they differ."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.agreement import Agreement, agreements
from backend.domain import Json, Profile, Run
from backend.errors import InputError
from backend.progress import Progress, Silent
from backend.tasks import find_task, pick_model, tasks
from backend.workbench import differences

if TYPE_CHECKING:
    from backend.workbench import Workbench

_MOST_TOLD = 200  # differences that the JSON lists one by one
_OWN_NAME = re.compile(r"[^:]*\bmodel: ")  # that the models are two is no difference of the results
_ASIDE = {
    "records", "summary", "file", "notes", "text", "question", "name", "quality", "material", "how", "vector", "sequence", "places",
    "pdb", "pae", "map", "nearest_method", "citations_method",
}  # fmt: skip
"""Parts of a result that say what was read, say it in words, or are drawings: what differs in them is told by the rest."""


@dataclass(frozen=True)
class Comparison:
    """What two runs of one task on one input have in common and where they differ.

    Attributes
    ----------
    agreements : tuple of Agreement
        In the task's own terms; empty where its result has no measure of its own.
    differences : tuple of str
        Entry by entry, in words that name the models.
    warnings : tuple of str
        What must be known before believing any of it: another input, other settings, an untrained model.
    """

    first: Run
    second: Run
    agreements: tuple[Agreement, ...]
    differences: tuple[str, ...]
    warnings: tuple[str, ...]

    def json(self) -> dict[str, Json]:
        """The stable JSON that the command line prints."""
        return {
            "task": self.first.task,
            "runs": [
                {"run_id": run.id, "model": run.model, "seconds": round(run.seconds, 4), "warnings": list(run.warnings)}
                for run in (self.first, self.second)
            ],
            "agreements": [each.json() for each in self.agreements],
            "differences": {"count": len(self.differences), "first": list(self.differences[:_MOST_TOLD])},
            "warnings": list(self.warnings),
        }


def comparable() -> list[str]:
    """Tasks that let the person choose the model."""
    return sorted(name for name, found in tasks().items() if "model" in found.settings)


def run_both(
    bench: Workbench,
    task: str,
    value: Mapping[str, Json],
    models: Sequence[str],
    *,
    settings: Mapping[str, Json] | None = None,
    profile: Profile | None = None,
    owner: str = "",
    progress: Progress | None = None,
) -> tuple[Run, Run]:
    """Run a task twice on one input, once by each model; both are saved as ordinary runs.

    Raises
    ------
    InputError
        When the task has no choice of models, not two different ones were named, or one does not serve the task.
    """
    found = find_task(task)
    if "model" not in found.settings:
        raise InputError(f"{found.title} has no choice of models.", f"Tasks that have: {', '.join(comparable())}.")
    if len(models) != 2 or len(set(models)) != 2:
        named = {0: "No model was", 1: "Only one model was"}.get(len(set(models)), f"{len(set(models))} models were")
        raise InputError(f"{named} named; a comparison needs two different ones.", "Name two, as in a,b.")
    cards = [pick_model(bench.context, task, name) for name in models]  # both are known before the first is run
    made = []
    for at, card in enumerate(cards):
        watch = _Half(progress or Silent(), at, card.title)
        chosen = {**(settings or {}), "model": card.name}
        made.append(bench.run(task, value, settings=chosen, profile=profile, owner=owner, progress=watch))
    return made[0], made[1]


def compare(first: Run, second: Run) -> Comparison:
    """Two saved runs set side by side; nothing is computed anew.

    Raises
    ------
    InputError
        When they are of different tasks, or one holds no result.
    """
    if first.task != second.task:
        raise InputError("These runs are of different tasks: their results cannot be set side by side.", "Choose two runs of one task.")
    if first.prediction is None or second.prediction is None:
        raise InputError("One of these runs holds no result of its own.", "Choose the run that it belongs to.")
    names = [_name(run) for run in (first, second)]
    if names[0] == names[1]:
        names = [f"{name}, run {run.id}" for name, run in zip(names, (first, second), strict=True)]
    warnings = []
    if first.input_sha256 != second.input_sha256:
        warnings.append("The two runs are of different inputs: what differs may come from there.")
    keys = {*first.settings, *second.settings} - {"model"}
    if other := sorted(key for key in keys if first.settings.get(key) != second.settings.get(key)):
        warnings.append(f"They also differ in their settings: {', '.join(other)}.")
    for run, name in zip((first, second), names, strict=True):
        if run.model.get("untrained"):
            warnings.append(f"UNTRAINED: the weights of {name} are random numbers; its side says nothing about the input.")
    return Comparison(
        first,
        second,
        tuple(agreements(first.prediction, second.prediction)),
        tuple(_named(line, names) for line in differences(_finding(first), _finding(second)) if not _OWN_NAME.match(line)),
        tuple(warnings),
    )


class _Half:
    """The progress of one of two runs, as half of the whole."""

    def __init__(self, whole: Progress, at: int, title: str) -> None:
        self._whole, self._at, self._title = whole, at, title

    def update(self, done: float, total: float | None = None, message: str = "") -> None:
        share = min(done / total, 1.0) if total else 0.0
        self._whole.update(self._at + share, 2, f"{self._title}: {message}" if message else self._title)

    def check(self) -> None:
        self._whole.check()


def _finding(run: Run) -> dict[str, Json]:
    made: dict[str, Json] = _bare(run.prediction or {})
    return made


def _bare(value: Json) -> Json:
    if isinstance(value, Mapping):
        return {name: _bare(part) for name, part in value.items() if name not in _ASIDE}
    return [_bare(part) for part in value] if isinstance(value, list) else value


def _name(run: Run) -> str:
    return str(run.model["name"])


def _named(line: str, names: Sequence[str]) -> str:
    """'0.1 before, 0.2 now' becomes '0.1 by esm2-8m, 0.2 by esm2-35m'."""
    before, comma, now = line.rpartition(" before, ")
    return f"{before} by {names[0]}, {now.removesuffix(' now')} by {names[1]}" if comma else line
