"""A model's folder in the published format: which files take part in loading, and whether opening them could run code."""

from __future__ import annotations

import hashlib
import json
import warnings
import zipfile
from collections.abc import Iterable
from pathlib import Path

from backend.errors import ModelError

_WEIGHTS = {".safetensors", ".bin", ".pt", ".pth", ".ckpt"}

# torch asks its developers to be told of unusual pickles; what cannot be read is refused in words anyway
warnings.filterwarnings("ignore", message="Detected pickle protocol", category=UserWarning)


class UnsafeError(ModelError):
    """A pickled file that holds more than weights: opening it as pickles are opened could run code."""


def unusable(folder: Path, refusals: Iterable[ModelError]) -> ModelError | None:
    """What keeps a folder from every family, of all that the families said of it: unsafe weights, or none; None where it is neither."""
    if unsafe := next((error for error in refusals if isinstance(error, UnsafeError)), None):
        return unsafe
    return None if any(file.suffix in _WEIGHTS for file in folder.iterdir()) else _no_weights(folder)


def model_files(folder: Path) -> list[Path]:
    """The files of a folder in the published format that take part in loading: weights, settings, vocabulary.

    Safetensors are read where there are any, pickled weights only where there are none, as transformers does.
    """
    weights = sorted(folder.glob("*.safetensors")) or sorted(folder.glob("pytorch_model*.bin"))
    return weights + sorted(file for file in folder.iterdir() if file.is_file() and file.suffix in {".json", ".txt", ".model"})


def is_untrained(folder: Path) -> bool:
    """Whether a checkpoint says of itself that its weights are random: ``"untrained": true`` in config.json, or a file UNTRAINED."""
    if (folder / "UNTRAINED").is_file():
        return True
    try:
        settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(settings, dict) and settings.get("untrained") is True


def file_sha256(file: Path) -> str:
    """SHA-256 of a file, read in pieces."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def published_files(folder: Path) -> tuple[str, ...]:
    """The model files of a folder in the published format (config.json beside weights), by name, once they are found to be a model.

    Raises
    ------
    ModelError
        When settings or weights are missing, unreadable, or could run code.
    """
    if not (folder / "config.json").is_file():
        raise ModelError(f"{folder} holds no config.json.", "Choose the folder that holds config.json and the weights.")
    files = model_files(folder)
    weights = [file for file in files if file.suffix in {".safetensors", ".bin"}]
    if not weights:
        raise _no_weights(folder)
    _check_config(folder / "config.json")
    for file in weights:
        if file.suffix == ".bin":
            check_pickle(file)
    return tuple(file.name for file in files)


def _check_config(file: Path) -> None:
    try:
        settings = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelError(f"{file} is not readable JSON.", "Download the checkpoint again.") from error
    if not isinstance(settings, dict) or "model_type" not in settings:
        raise ModelError(f"{file} does not name a model_type.", "Choose a checkpoint in the published (Hugging Face) format.")


def _no_weights(folder: Path) -> ModelError:
    return ModelError(f"{folder} holds no weights (*.safetensors or pytorch_model*.bin).", "Download the checkpoint's weights into it.")


def check_pickle(file: Path) -> None:
    """Refuse a pickled file that holds anything but weights; nothing in it is run.

    Raises
    ------
    UnsafeError
        With the file's name and the remedy.
    """
    import torch

    try:
        torch.load(file, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(file))
    except OSError:
        raise
    except Exception as error:  # torch has many kinds for what is not a plain set of weights
        raise UnsafeError(
            f"{file.name} was refused: it holds something other than weights, and opening it could run code.",
            "Ask its maker for the checkpoint as safetensors.",
        ) from error
