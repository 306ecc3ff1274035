"""The list of folders that the person added, ``local.json`` beside the models; several processes may change it at once."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable, Container
from dataclasses import asdict, replace

from filelock import FileLock

from backend.config import Config
from backend.domain import Json, ModelCard
from backend.errors import ModelError, StorageError

_LISTS = ("tasks", "limits", "kinds")


def read(config: Config) -> dict[str, ModelCard]:
    """Cards of added folders by name.

    Raises
    ------
    StorageError
        When the list cannot be read.
    """
    file = config.models / "local.json"
    try:
        return {card.name: card for card in map(from_json, json.loads(file.read_text(encoding="utf-8")))}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise StorageError(
            f"The list of added model folders, {file}, cannot be read.", "Remove that file and add the folders again."
        ) from error


def add(config: Config, card: ModelCard, taken: Container[str]) -> ModelCard:
    """Put a card on the list, in place of an earlier one of the same folder; numbered where its name is `taken` or another's."""
    made = card

    def put(known: dict[str, ModelCard]) -> None:
        nonlocal made
        others = {each.name for each in known.values() if each.folder != card.folder}
        names = (card.name if number == 1 else f"{card.name}-{number}" for number in itertools.count(1))
        made = replace(card, name=next(name for name in names if name not in others and name not in taken))
        known[made.name] = made

    _change(config, put)
    return made


def remove(config: Config, name: str) -> None:
    """Take a card off the list.

    Raises
    ------
    ModelError
        When it is not there; the hint lists those that are.
    """

    def forget(known: dict[str, ModelCard]) -> None:
        if known.pop(name, None) is None:
            raise ModelError(f"'{name}' is not a folder that was added.", f"Added folders are: {', '.join(sorted(known)) or 'none'}.")

    _change(config, forget)


def from_json(entry: dict[str, Json]) -> ModelCard:
    """A card as it was written to the list; measured quality is a published model's and none of a folder's."""
    return ModelCard(**{**entry, **{name: tuple(entry.get(name, ())) for name in _LISTS}, "quality": ()})


def _change(config: Config, change: Callable[[dict[str, ModelCard]], None]) -> None:
    file = config.models / "local.json"
    try:
        for folder in (config.models, config.locks):
            folder.mkdir(parents=True, exist_ok=True)
        with FileLock(config.locks / "local-models.lock"):
            known = read(config)
            change(known)
            draft = file.with_suffix(".tmp")
            draft.write_text(json.dumps([asdict(card) for card in known.values()], indent=1), encoding="utf-8")
            os.replace(draft, file)
    except OSError as error:
        raise StorageError(
            f"The list of added model folders, {file}, cannot be written: {error.strerror}.", "Free some space there, then try again."
        ) from error
