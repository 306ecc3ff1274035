"""The list of models: a decorator and a dict, filled by walking the family files, plus folders that the person added."""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import pkgutil
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from filelock import FileLock

from backend.config import Config
from backend.domain import Json, ModelCard
from backend.errors import ModelError, StorageError

Predictor = Any
"""What a family's load function hands out; its methods are the family's own vocabulary."""

Loader = Callable[[Path | None, ModelCard, str], Predictor]

_FAMILIES: dict[str, tuple[Loader, tuple[ModelCard, ...]]] = {}
_LOCAL: dict[str, ModelCard] = {}
_lock = threading.RLock()
_walked = False


def family(name: str, *, cards: tuple[ModelCard, ...]) -> Callable[[Loader], Loader]:
    """Register the decorated ``load(folder, card, device) -> Predictor`` under a family name, with its cards.

    A family without weights is handed ``folder=None``.
    """

    def register(load: Loader) -> Loader:
        _FAMILIES[name] = (load, cards)
        return load

    return register


def cards() -> dict[str, ModelCard]:
    """Every known card by name: those of the family files, then the folders that the person added."""
    built_in = {card.name: card for _, made in _families().values() for card in made}
    return {**_LOCAL, **built_in}


def get_card(name: str) -> ModelCard:
    """The card of that name.

    Raises
    ------
    ModelError
        When there is none; the hint lists the known names.
    """
    known = cards()
    if name not in known:
        raise ModelError(f"There is no model called '{name}'.", f"Models are: {', '.join(sorted(known))}.")
    return known[name]


def get_loader(card: ModelCard) -> Loader:
    """The load function of the card's family."""
    return _families()[card.family][0]


def read_local(config: Config) -> None:
    """Make the folders known that the person added earlier (kept in ``local.json`` beside the models)."""
    file = config.models / "local.json"
    with _lock:
        _LOCAL.clear()
        if not file.exists():
            return
        try:
            for entry in json.loads(file.read_text(encoding="utf-8")):
                card = _from_json(entry)
                if card.family in _families():
                    _LOCAL[card.name] = card
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise StorageError(
                f"The list of added model folders, {file}, cannot be read.", "Remove that file and add the folders again."
            ) from error


def add_local(config: Config, folder: Path, family: str) -> ModelCard:
    """Register a folder in the published format (config.json with safetensors or .bin weights); it is used in place.

    The hash of every file is kept now and compared at each first load.

    Raises
    ------
    ModelError
        When the family is unknown or has no weights, or the folder does not hold a model.
    """
    known = sorted(name for name, (_, made) in _families().items() if any(card.files for card in made))
    if family not in known:
        raise ModelError(f"There is no model family called '{family}' that loads from a folder.", f"Families are: {', '.join(known)}.")
    folder = folder.expanduser().resolve()
    if not (folder / "config.json").is_file():
        raise ModelError(f"{folder} holds no config.json.", "Choose the folder that holds config.json and the weights.")
    weights = sorted(folder.glob("*.safetensors")) or sorted(folder.glob("*.bin"))
    if not weights:
        raise ModelError(f"{folder} holds no weights (*.safetensors or *.bin).", "Download the checkpoint's weights into it.")
    _check_config(folder / "config.json")
    wanted = [
        file for file in sorted(folder.iterdir()) if file.is_file() and (file in weights or file.suffix in {".json", ".txt", ".model"})
    ]
    pattern = next(card for card in _families()[family][1] if card.files)
    name = _free_name(re.sub(r"[^A-Za-z0-9._-]+", "-", folder.name).strip("-.") or family, folder)
    size = sum(file.stat().st_size for file in wanted)
    card = ModelCard(
        name=name,
        title=folder.name,
        family=family,
        modality=pattern.modality,
        tasks=pattern.tasks,
        source="local",
        licence="not stated",
        summary=f"A checkpoint of the {family} family from a folder on this machine.",
        folder=str(folder),
        files={file.name: file_sha256(file) for file in wanted},
        disk_bytes=size,
        # Not measured: what the family's own model needs, with its weights exchanged for these, counted twice while loading.
        peak_bytes=max(pattern.peak_bytes, pattern.peak_bytes + 2 * (size - pattern.disk_bytes)),
        limits=("Added by hand: neither its quality nor its licence is known to Bioloom.",),
    )
    card = replace(card, revision=card.sha256[:12])
    with _lock:
        _write(config, {card.name: card})
    return card


def remove_local(config: Config, name: str) -> None:
    """Forget an added folder; the folder itself is left as it is."""
    with _lock:
        if name not in _LOCAL:
            raise ModelError(f"'{name}' is not a folder that was added.", f"Added folders are: {', '.join(sorted(_LOCAL)) or 'none'}.")
        _write(config, {}, without=name)


def file_sha256(file: Path) -> str:
    """SHA-256 of a file, read in pieces."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _families() -> Mapping[str, tuple[Loader, tuple[ModelCard, ...]]]:
    global _walked
    with _lock:
        if not _walked:
            package = importlib.import_module("backend.models.families")
            for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
                importlib.import_module(module.name)
            _walked = True
    return _FAMILIES


def _write(config: Config, added: Mapping[str, ModelCard], without: str = "") -> None:
    config.models.mkdir(parents=True, exist_ok=True)
    config.locks.mkdir(parents=True, exist_ok=True)
    file = config.models / "local.json"
    with FileLock(config.locks / "local-models.lock"):  # another process may have added a folder meanwhile
        read_local(config)
        _LOCAL.update(added)
        _LOCAL.pop(without, None)
        draft = file.with_suffix(".tmp")
        draft.write_text(json.dumps([asdict(card) for card in _LOCAL.values()], indent=1), encoding="utf-8")
        os.replace(draft, file)


def _from_json(entry: dict[str, Json]) -> ModelCard:
    return ModelCard(**{**entry, "tasks": tuple(entry["tasks"]), "limits": tuple(entry["limits"]), "quality": ()})


def _free_name(name: str, folder: Path) -> str:
    taken = {card.name for card in cards().values() if card.folder != str(folder)}
    return next(candidate for number in range(1, 1000) if (candidate := name if number == 1 else f"{name}-{number}") not in taken)


def _check_config(file: Path) -> None:
    try:
        settings = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{file} is not readable JSON.", "Download the checkpoint again.") from error
    if not isinstance(settings, dict) or "model_type" not in settings:
        raise ModelError(f"{file} does not name a model_type.", "Choose a checkpoint in the published (Hugging Face) format.")
