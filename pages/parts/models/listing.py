"""What the list of models shows: every card with its state, and which of them a filter leaves."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pages.parts.bench import bench
from pages.parts.markup import size

if TYPE_CHECKING:
    from backend.domain import ModelCard
    from backend.models.registry import Family
    from backend.models.runtime import Fit

State = Literal["loaded", "here", "absent", "template"]

READERS = "readers"  # the family that comes with Bioloom
MODALITIES = {"": "All", "literature": "Literature", "sequences": "Sequences", "eeg": "Brain signals"}


@dataclass(frozen=True)
class Row:
    """One model as the list shows it."""

    card: ModelCard
    state: State
    device: str
    fit: Fit

    @property
    def here(self) -> bool:
        return self.state in ("loaded", "here")

    @property
    def state_words(self) -> str:
        """Where the model is, short."""
        if self.state == "template":
            return "bring a folder"
        if self.state == "loaded":
            return f"loaded on {self.device.upper()}"
        if not self.card.files:
            return "built in"
        if self.state == "here":
            return "your folder" if self.card.source == "local" else "on this machine"
        return f"to fetch, {size(self.card.download_bytes)}" if self.card.download_bytes else "to fetch"

    @property
    def fit_words(self) -> str:
        """Whether it fits, short; whether that was measured is told on the card."""
        needs = size(self.fit.needed) if self.fit.needed else "little"
        return f"fits, {needs}" if self.fit.ok else f"too large, {needs}"

    @property
    def licence_known(self) -> bool:
        from backend.models.licence import licence_known

        return licence_known(self.card)

    @property
    def commercial(self) -> bool:
        from backend.models.licence import commercial_use

        return commercial_use(self.card)

    @property
    def licence_words(self) -> str:
        if self.card.non_commercial:
            return "non-commercial"
        return re.split(r" \(|[;,]", self.card.licence)[0] if self.licence_known else "not stated"


@dataclass(frozen=True)
class Group:
    """A family with those of its models that are shown."""

    family: Family
    rows: tuple[Row, ...]

    @property
    def here(self) -> bool:
        """Whether one of its models works on this machine without a fetch."""
        return any(row.here for row in self.rows)


FILTERS: dict[str, Callable[[Row], bool]] = {
    "On this machine": lambda row: row.here,
    "Fits this machine": lambda row: row.fit.ok,
    "Commercial use allowed": lambda row: row.commercial,
}


def gather() -> list[Group]:
    """Every family with its models: those of which one works here now come first, our own readers before the rest, then by name.

    A person's own folders stand first within their family.
    """
    from backend.models.registry import cards, families

    runtime = bench().runtime
    resident = {found.name: found.device for found in runtime.loaded()}
    rows: dict[str, list[Row]] = {}
    for card in cards(bench().config).values():
        state: State = "template" if card.template else "loaded" if card.name in resident else "absent"
        if state == "absent" and (not card.files or runtime.present(card.name)):
            state = "here"
        rows.setdefault(card.family, []).append(Row(card, state, resident.get(card.name, ""), runtime.fits(card)))
    known = families()
    made = [Group(known[name], tuple(found)) for name, found in rows.items() if name in known]
    return sorted(made, key=lambda group: (not group.here, group.family.name != READERS, group.family.title.lower()))


def narrow(groups: Iterable[Group], modality: str, task: str = "", words: str = "", filters: Sequence[str] = ()) -> list[Group]:
    """What is left of the list: one kind of data ("" for all), then a task, words that must all appear, and switches."""
    asked = words.lower().split()

    def passes(group: Group, row: Row) -> bool:
        card = row.card
        text = " ".join((card.name, card.title, card.hub_id, card.licence, card.summary, group.family.title, group.family.about)).lower()
        return (
            modality in ("", card.modality)
            and (not task or task in card.tasks)
            and all(word in text for word in asked)
            and all(FILTERS[name](row) for name in filters)
        )

    kept = [Group(group.family, tuple(row for row in group.rows if passes(group, row))) for group in groups]
    return [group for group in kept if group.rows]


def task_titles(names: Iterable[str]) -> list[str]:
    """Tasks as people call them; a task that is not in this build keeps its name."""
    from backend.tasks import tasks

    known = tasks()
    return [known[name].title if name in known else name.split(".")[-1].capitalize() for name in names]


def parameters(count: int) -> str:
    """'650 million', '2.8 billion'; 'none' for what learned nothing."""
    if not count:
        return "none"
    if count >= 1e9:
        return f"{count / 1e9:.1f} billion"
    return f"{count / 1e6:,.0f} million" if count >= 1e7 else f"{count / 1e6:.1f} million" if count >= 1e5 else f"{count:,}"
