"""The list of folders that the person added, ``local.json`` beside the models; several processes may change it at once."""

from __future__ import annotations

import itertools
import json
import os
import re
from collections.abc import Callable, Container, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from backend.config import Config
from backend.domain import Json, ModelCard
from backend.errors import ModelError, StorageError

if TYPE_CHECKING:
    from backend.models.registry import Family, Found

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


def card_of(folder: Path, family: Family, found: Found, files: Mapping[str, str], size: int, untrained: bool) -> ModelCard:
    """The card of a folder as a family found it: named after the folder, with what the family's own card tells of all such weights.

    Parameters
    ----------
    files : dict of str to str
        SHA-256 of every file that takes part in loading.
    size : int
        Bytes of those files.
    """
    pattern = family.pattern
    bound = pattern.non_commercial
    card = ModelCard(
        name=_name(folder, family.name),
        title=folder.name,
        family=family.name,
        modality=pattern.modality,
        tasks=found.tasks,
        source="local",
        licence=f"{pattern.licence}, as the published weights of {family.title}" if bound else "not stated",
        summary=found.summary or f"A checkpoint of the {family.title} family from a folder on this machine.",
        folder=str(folder),
        files=files,
        parameters=found.parameters,
        disk_bytes=size,
        # Not measured: what the family's own model needs, with its weights exchanged for these, counted twice while loading.
        peak_bytes=found.peak_bytes or max(pattern.peak_bytes, pattern.peak_bytes + 2 * (size - pattern.disk_bytes)),
        limits=(
            "Added by hand: who trained these weights is not checked, and they were not measured here. "
            f"Figures given for {family.title} are those of its published weights.",
            *found.limits,
        ),
        non_commercial=bound,
        kinds=pattern.kinds,
        untrained=untrained,
    )
    return replace(card, revision=card.sha256[:12])


def renamed(card: ModelCard) -> str:
    """That an added folder could not keep its name, in a sentence; nothing where it did."""
    wanted = _name(Path(card.folder), card.family)
    return "" if card.name == wanted else f"'{wanted}' is the name of another model, so this one is called '{card.name}'."


def alike(config: Config, card: ModelCard) -> str:
    """A hint at added folders that had to give way to a card's name, as a sentence; nothing where there are none."""
    try:
        names = [f"'{each.name}'" for each in read(config).values() if _name(Path(each.folder), each.family) == card.name != each.name]
    except StorageError:
        return ""
    return f"Or use the folder of that name that you added: {', '.join(names)}." if names else ""


def _name(folder: Path, family: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", folder.name).strip("-.") or family


def add(config: Config, card: ModelCard, taken: Container[str]) -> ModelCard:
    """Put a card on the list, in place of an earlier one of the same folder; numbered where its name is `taken` or another's."""
    made = card

    def put(known: dict[str, ModelCard]) -> None:
        nonlocal made
        others = {each.name for each in known.values() if each.folder != card.folder}
        names = (card.name if number == 1 else f"{card.name}-{number}" for number in itertools.count(1))
        name = next(name for name in names if name not in others and name not in taken)
        made = replace(card, name=name, title=card.title if name == card.name else name)
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
