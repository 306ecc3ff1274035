"""The list of tasks: one decorator, found by walking the three modality packages."""

from __future__ import annotations

import importlib
import pkgutil
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from backend.config import Config
from backend.domain import Json, Modality, ModelCard, Prediction, Task
from backend.errors import InputError, ModelError
from backend.models.registry import cards, get_card
from backend.models.runtime import Runtime
from backend.progress import Foreground, Progress, Silent
from backend.storage import Storage

MODALITIES = ("literature", "sequences", "eeg")
_RECENT = 4  # objects that `Context.recent` holds at once
_TASKS: dict[str, Task] = {}
_walked = threading.Event()
_T = TypeVar("_T")


@dataclass(frozen=True)
class Context:
    """What a task may use: settings, storage, models, and the process-wide resources that tasks share."""

    config: Config
    storage: Storage
    runtime: Runtime
    progress: Progress = Silent()
    foreground: Foreground = field(default_factory=Foreground)
    resources: dict[str, Any] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    recents: OrderedDict[str, Any] = field(default_factory=OrderedDict)

    def resource(self, key: str, make: Callable[[], _T]) -> _T:
        """The shared object under `key`, made once per process."""
        with self.lock:
            if key not in self.resources:
                self.resources[key] = make()
            found: _T = self.resources[key]
            return found

    def recent(self, key: str, make: Callable[[], _T]) -> _T:
        """The object under `key`, made anew when it was not among the last few asked for; for files that are read again and again."""
        with self.lock:
            if key in self.recents:
                self.recents.move_to_end(key)
                held: _T = self.recents[key]
                return held
        made = make()
        with self.lock:
            self.recents[key] = made
            while len(self.recents) > _RECENT:
                self.recents.popitem(last=False)
        return made

    def watched(self, progress: Progress) -> Context:
        """The same context, reporting to `progress`."""
        return replace(self, progress=progress)


def task(
    name: str,
    *,
    title: str,
    modality: Modality,
    models: tuple[str, ...],
    settings: Mapping[str, Json],
    read: Callable[..., dict[str, Json]] | None = None,
    explain: Callable[..., dict[str, Json]] | None = None,
    exports: Mapping[str, Callable[[Mapping[str, Json]], str]] | None = None,
    measure: Callable[..., dict[str, Json]] | None = None,
) -> Callable[[Callable[..., Prediction]], Callable[..., Prediction]]:
    """Register the decorated ``predict(context, input, settings, profile) -> Prediction`` as a task; see `backend.domain.Task`."""

    def register(predict: Callable[..., Prediction]) -> Callable[..., Prediction]:
        _TASKS[name] = Task(name, title, modality, models, dict(settings), predict, explain, read, dict(exports or {}), measure)
        return predict

    return register


def tasks() -> dict[str, Task]:
    """Every registered task by name."""
    if not _walked.is_set():
        for modality in MODALITIES:
            try:
                package = importlib.import_module(f"backend.{modality}")
            except ModuleNotFoundError:
                continue
            for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
                importlib.import_module(module.name)
        _walked.set()
    return dict(_TASKS)


def find_task(name: str) -> Task:
    """The task of that name; an unknown name is answered with the known ones."""
    known = tasks()
    if name not in known:
        raise InputError(f"There is no task called '{name}'.", f"Tasks are: {', '.join(sorted(known))}.")
    return known[name]


def serving(context: Context, name: str) -> list[ModelCard]:
    """Models that serve a task and whose files are on this machine: one's own folders, what was fetched, readers that ship, untrained."""
    able = [card for card in cards(context.config).values() if name in card.tasks and not card.template]
    here = [card for card in able if not card.files or context.runtime.present(card.name)]
    return sorted(here, key=lambda card: (card.untrained, card.source != "local", bool(card.base)))


def pick_model(context: Context, name: str, wanted: str = "") -> ModelCard:
    """The model that was named for a task, or else the first of those that serve it here.

    Raises
    ------
    InputError
        When the named model does not serve the task.
    ModelError
        When none is on this machine; the hint says which could be fetched or added.
    """
    if wanted:
        card = get_card(wanted, context.config)
        if name not in card.tasks or card.template:
            others = ", ".join(each.name for each in serving(context, name)) or "none on this machine"
            raise InputError(f"{card.title} does not serve {name}.", f"Models that do: {others}.")
        return card
    if here := serving(context, name):
        return here[0]
    able = [card.title for card in cards(context.config).values() if name in card.tasks]
    raise ModelError(
        f"No model for {name} is on this machine.",
        f"On the Models page, fetch one or add a folder with a checkpoint of yours. Known for it: {', '.join(able) or 'none'}.",
    )
