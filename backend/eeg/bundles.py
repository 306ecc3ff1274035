"""Which of several dropped files belong together: a BrainVision header with its parts, an EEGLAB dataset with its values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

_PARTS = {".vhdr": (".eeg", ".dat", ".avg", ".vmrk"), ".set": (".fdt",)}
_ONLY_PARTS = {".vmrk": ".vhdr", ".fdt": ".set"}  # nothing else is ever kept under these


@dataclass(frozen=True)
class Bundle:
    """One recording among dropped files.

    Attributes
    ----------
    files : tuple of int
        Places in the list of names, the file to be read first.
    missing : str
        What the files are a part of and was not dropped with them, as a sentence; '' when nothing is missing.
    """

    files: tuple[int, ...]
    missing: str = ""


def bundle(names: Sequence[str]) -> list[Bundle]:
    """Recordings among files, in the order of the names.

    A header takes the parts of its own name; a header that is the only one of its kind takes all parts of that kind, because a renamed
    header still names its parts by their old name.
    """
    paths = [PurePosixPath(name.replace("\\", "/")) for name in names]
    suffixes = [path.suffix.casefold() for path in paths]
    taken: set[int] = set()
    found: dict[int, Bundle] = {}
    for header, parts in _PARTS.items():
        headers = [n for n, suffix in enumerate(suffixes) if suffix == header]
        for n in headers:
            own = [
                at
                for at, suffix in enumerate(suffixes)
                if suffix in parts and at not in taken and (len(headers) == 1 or paths[at].stem.casefold() == paths[n].stem.casefold())
            ]
            taken.update([n, *own])
            found[n] = Bundle((n, *own))
    for n, suffix in enumerate(suffixes):
        if n in taken:
            continue
        header = _ONLY_PARTS.get(suffix, "")
        text = f"This is a part of a recording whose header ({header}) was not dropped with it. Drop all parts together." if header else ""
        found[n] = Bundle((n,), text)
    return [found[n] for n in sorted(found)]
