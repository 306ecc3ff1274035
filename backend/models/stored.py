"""Stored weights in the published formats, in one file or several: names and shapes without loading, and numbers; nothing is run."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backend.errors import ModelError
from backend.models.published import check_pickle


def weight_files(folder: Path) -> list[Path]:
    """The files that are read: safetensors where there are any, else pytorch_model*.bin, as transformers does."""
    return sorted(folder.glob("*.safetensors")) or sorted(folder.glob("pytorch_model*.bin"))


def read_weights(folder: Path) -> dict[str, Any]:
    """All weights of a folder by name.

    Raises
    ------
    ModelError
        When a file is damaged or could run code, or the folder's index names a file or a weight that is not there.
    """
    made = {name: value for file in weight_files(folder) for name, value in read_file(file).items()}
    _check_whole(folder, made)
    return made


def read_file(file: Path) -> dict[str, Any]:
    """The weights of one file.

    Raises
    ------
    ModelError
        When it is damaged or could run code.
    """
    if file.suffix == ".safetensors":
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            return dict(load_file(file))
        except SafetensorError as error:
            raise _damaged(file) from error
    import torch

    check_pickle(file)
    return dict(torch.load(file, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(file)))


def shapes(folder: Path) -> dict[str, tuple[int, ...]]:
    """Names and shapes of a folder's weights, read off their headers where the format has them.

    Raises
    ------
    ModelError
        When a file is damaged or could run code.
    """
    made: dict[str, tuple[int, ...]] = {}
    for file in weight_files(folder):
        if file.suffix == ".safetensors":
            from safetensors import SafetensorError, safe_open

            try:
                with safe_open(file, framework="pt") as opened:
                    made |= {name: tuple(opened.get_slice(name).get_shape()) for name in opened.keys()}  # noqa: SIM118 - it is no dict
            except SafetensorError as error:
                raise _damaged(file) from error
        else:
            made |= {name: tuple(value.shape) for name, value in read_file(file).items() if hasattr(value, "shape")}
    return made


def modern(name: str) -> str:
    """Norms were once named after the paper's symbols, and some writers of checkpoints still do."""
    return re.sub(r"\.beta$", ".bias", re.sub(r"\.gamma$", ".weight", name))


def _check_whole(folder: Path, found: Mapping[str, Any]) -> None:
    for file in sorted(folder.glob("*.index.json")):
        if file.name.startswith("model.safetensors") != any(folder.glob("*.safetensors")):
            continue  # of the other format, which is not read
        listed = dict(json.loads(file.read_text(encoding="utf-8"))["weight_map"])
        if lost := sorted({part for name, part in listed.items() if name not in found}):
            raise ModelError(f"The checkpoint is not whole: {', '.join(lost[:3])} missing or cut.", f"Download it into {folder} again.")


def _damaged(file: Path) -> ModelError:
    return ModelError(f"{file.name} cannot be read: it is damaged or cut.", "Download the checkpoint again.")
