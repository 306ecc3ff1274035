"""FIF files are walked through before MNE opens them: a damaged chain of tags that leads back into itself would hold MNE for ever."""

from __future__ import annotations

import struct
from pathlib import Path

from backend.eeg.diagnosis import Refused

_MOST_TAGS = 5_000_000


def check_chain(path: Path) -> None:
    """Follow the tags from the first to the last.

    Raises
    ------
    Refused
        When a tag leads to one that was passed already, or is cut off.
    """
    size = path.stat().st_size
    seen: set[int] = set()
    at = 0
    with path.open("rb") as file:
        while at < size:
            file.seek(at)
            tag = file.read(16)
            if len(tag) < 16 or at in seen or len(seen) > _MOST_TAGS:
                raise Refused(
                    "unreadable", f"byte {at:,}", "The FIF file is damaged: its parts do not follow one another.", "Copy it again."
                )
            seen.add(at)
            _, _, length, following = struct.unpack(">4i", tag)
            if following < 0:
                return
            at = following or at + 16 + length
            if at < 0:
                raise Refused("unreadable", "file", "The FIF file is damaged: a part leads outside.", "Copy it again.")
