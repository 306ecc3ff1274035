"""Uploads put on disk at once, under their digest: the browser keeps showing a file that a restarted server no longer has."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backend.errors import InputError, StorageError
from pages.parts.bench import bench

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

_PIECE = 2**20


def keep(uploaded: UploadedFile | Any) -> Path:
    """The upload as a file in the data folder, named by its content and its own suffix.

    Raises
    ------
    StorageError
        When the disk does not take it.
    """
    folder = bench().config.uploads
    suffix = "".join(Path(uploaded.name).suffixes[-2:])[:24]
    digest = hashlib.sha256()
    view = uploaded.getbuffer()
    digest.update(view)
    path = folder / (digest.hexdigest() + suffix)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + ".part")
        with part.open("wb") as file:
            for at in range(0, len(view), _PIECE):
                file.write(view[at : at + _PIECE])
        part.replace(path)
    except OSError as error:
        raise StorageError(
            f"The file '{uploaded.name}' could not be kept: {error.strerror}.", "Free some space on the disk, then try again."
        ) from error
    return path


def local(text: str) -> Path:
    """A path that the person typed, as a file that can be read.

    Raises
    ------
    InputError
        When there is no such file.
    """
    path = Path(text.strip().strip("'\"")).expanduser()
    if not path.is_file():
        raise InputError(f"There is no file at {path}.", "Give the whole path, as the file manager shows it.")
    return path
