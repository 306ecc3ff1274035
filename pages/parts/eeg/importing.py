"""Taking recordings in: dropped or by path, looked at first, agreed to, then imported in the background.

Files go from the browser's memory straight into a draft folder that is removed afterwards; they are never kept as they came, and their
names stand in no job, because a file's name often tells who was recorded.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.parts.bench import bench
from pages.parts.eeg.looking import Offered, Wanted, consider
from pages.parts.eeg.taking_in import start_import
from pages.parts.errors import told
from pages.parts.markup import some
from pages.parts.uploads import local

if TYPE_CHECKING:
    from collections.abc import Iterator


_FORMATS = "EDF, EDF+, BDF, BrainVision (.vhdr with .eeg and .vmrk), EEGLAB (.set with .fdt), FIF, CSV; EDF and CSV also packed as .gz"


def show_import(visit: str) -> None:
    """Where recordings are dropped on a visit, what was found in each, and the button that takes them in."""
    turn = st.session_state.setdefault(f"eeg-turn-{visit}", 0)
    files = st.file_uploader(
        f"Drop recordings: {_FORMATS}",
        accept_multiple_files=True,
        key=f"eeg-drop-{visit}-{turn}",
        help="Up to 400 MB each. Formats of several parts: drop all parts together.",
    )
    path = st.text_input(
        "Or the path of a recording on this computer, for large ones: it is read where it lies, not through the browser",
        key=f"eeg-path-{visit}-{turn}",
        placeholder="/home/me/recordings/night.edf",
    )
    offered = _dropped(files or [])
    if (path or "").strip():
        with told():
            offered.append(_by_path(str(path)))
    wanted: list[Wanted] = []
    for one in offered:
        with st.container(border=True), told():
            if (ready := consider(one, visit)) is not None:
                wanted.append(ready)
    if offered:
        label = "Import the recording" if len(offered) == 1 else f"Import {len(wanted)} of {some(len(offered), 'recording')}"
        if st.button(label, type="primary", disabled=not wanted, key=f"eeg-import-{visit}"):
            start_import(visit, wanted, turn)


# --- what was given ----------------------------------------------------------------------------------------------------


def _dropped(files: Sequence[Any]) -> list[Offered]:
    from backend.eeg.bundles import bundle

    found = []
    for group in bundle([file.name for file in files]):
        parts = [files[n] for n in group.files]
        name = parts[0].name + (f" ({len(parts)} files)" if len(parts) > 1 else "")
        key = " ".join(part.file_id for part in parts)
        found.append(Offered(key, name, _is_table(parts[0].name), _receiving(parts), group.missing))
    return found


def _receiving(parts: Sequence[Any]) -> Callable[[], AbstractContextManager[Path]]:
    views = {part.name: part.getbuffer() for part in parts}
    config = bench().config

    @contextmanager
    def opened() -> Iterator[Path]:
        from backend.eeg.importing import received

        with received(config, {name: _Bytes(view) for name, view in views.items()}) as path:
            yield path

    return opened


class _Bytes(io.RawIOBase):
    """An upload read without a second copy of it in memory."""

    def __init__(self, view: memoryview) -> None:
        self._view, self._at = view, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        part = self._view[self._at : self._at + len(buffer)]
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)


def _by_path(text: str) -> Offered:
    path = local(text)
    stat = path.stat()
    return Offered(f"{path} {stat.st_mtime_ns} {stat.st_size}", path.name, _is_table(path.name), lambda: nullcontext(path))


def _is_table(name: str) -> bool:
    return name.casefold().removesuffix(".gz").endswith((".csv", ".tsv", ".txt"))
