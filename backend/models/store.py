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
from backend.models import added, hub, received
from backend.models.gather import gather, readable, room_needed, waiting
from backend.models.registry import file_sha256, remove_local, taking_part
from backend.progress import Progress

__all__ = ["FileState", "Store", "Verification", "readable"]

_YOUNG_NS = 2_000_000_000  # a file changed so lately may change again without its times showing it
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
        self._seen: dict[Path, tuple[int, ...]] = {}  # files found intact by this process: their marks then
        self._checking = threading.Lock()
        self._wheels = config.models / "wheels"  # where a person without network may put the packages

    def path(self, card: ModelCard) -> Path:
        """Folder of the model's files, whether or not they are there."""
        card = received.settled(self._config, card)
        if card.source == "local":
            return Path(card.folder)
        if card.source == "bundled":
            return ASSETS / "models" / card.name
        return self._config.models / card.name / card.sha256[:12]

    def present(self, card: ModelCard) -> bool:
        """Whether every file of the card is there. True for a model without weights, False for one that stands for added folders."""
        folder = self.path(card)
        return not card.template and all((folder / name).is_file() for name in card.files)

    def verify(self, card: ModelCard) -> Verification:
        """Hash every file again and compare with the card."""
        card = received.settled(self._config, card)
        folder = self.path(card)
        files: dict[str, FileState] = {}
        for name, expected in card.files.items():
            file = folder / name
            files[name] = "missing" if not file.is_file() else "intact" if file_sha256(file) == expected else "altered"
        try:
            files.update(dict.fromkeys(self._foreign(card), "altered"))
        except ModelError:  # the family no longer takes the folder for its own
            files.setdefault(".", "altered")
        return Verification(all(state == "intact" for state in files.values()), files)

    def checked(self, card: ModelCard) -> Path:
        """The model's folder, its files found intact; a file is hashed again when its times, place on disk or size differ.

        Raises
        ------
        ModelError
            When a file is missing or is not the published one; the message names it.
        """
        self._refuse_template(card)
        card = received.settled(self._config, card)
        folder = self.path(card)
        remedy = "Fetch it on the Models page." if card.source in {"wheel", "hub"} else "Restore the file, or add the folder again."
        with self._checking:
            for name, expected in card.files.items():
                file = folder / name
                try:
                    marks, age = _marks(file)
                    if self._seen.get(file) == marks:
                        continue
                    found = file_sha256(file)
                except OSError as error:
                    raise ModelError(
                        f"{card.title} is not complete on this machine: {name} is missing or unreadable.",
                        f"{remedy} {added.alike(self._config, card)}".strip(),
                    ) from error
                if found != expected:
                    raise ModelError(f"{card.title} was not loaded: {name} is not the file that was published.", remedy)
                if age > _YOUNG_NS:
                    self._seen[file] = marks
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
        self._refuse_template(card)
        if card.source in {"local", "bundled"} or not card.files:
            return self.checked(card)
        try:
            for folder in (self._config.models, self._config.locks):
                folder.mkdir(parents=True, exist_ok=True)
            with waiting(self._lock(card), card, progress):
                if received.open_ended(card):
                    received.read_note(self._config, card)  # a damaged one is told, never silently taken anew
                    card = received.settled(self._config, card)  # another process may just have fetched it
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
                    self._take_away(card)
            except Timeout as error:
                raise ModelError(f"{card.title} is being fetched.", "Stop that first, then remove it.") from error

    def _take_away(self, card: ModelCard) -> None:
        """Out of sight in one step, then deleted: whoever loads it meanwhile finds it whole or not at all."""
        area, place = self._staging(card), self.path(card).parent
        shutil.rmtree(area, ignore_errors=True)
        if place.is_dir():
            area.mkdir(parents=True)
            os.replace(place, area / "removed")
        shutil.rmtree(area, ignore_errors=True)

    def _refuse_template(self, card: ModelCard) -> None:
        if card.template:
            raise ModelError(
                f"{card.title} has no weights that could be fetched here.",
                "Add the folder that holds your checkpoint: on the Models page, or with `bioloom models add FOLDER`.",
            )

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
            came = gather(card, made, self._wheels, progress, allow_network)
            progress.check()
            self._put(card, made, area, came)
        except NetworkError:
            resumable = card.source == "hub"
            raise
        finally:
            if not resumable:
                shutil.rmtree(area, ignore_errors=True)
        log().info("model.fetched", model=card.name, kind=card.source, seconds=round(time.monotonic() - began, 1))

    def _put(self, card: ModelCard, made: Path, area: Path, came: hub.Received) -> None:
        found = {name: file_sha256(made / name) for name in card.files}
        for name, known in card.files.items():
            if found[name] != (known or came.linked.get(name, found[name])):
                raise ModelError(f"{card.title} was not stored: {name} is not the file that was published.", "Fetch it again.")
        if received.open_ended(card):
            size = sum((made / name).stat().st_size for name in card.files)
            card = received.take_note(self._config, card, came.revision, found, size)
        place = self.path(card)
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.exists():
            os.replace(place, area / "damaged")
        os.replace(made, place)

    def _foreign(self, card: ModelCard) -> list[str]:
        """Files that would take part in loading an added folder though they were not there when it was added."""
        if card.source != "local" or not Path(card.folder).is_dir():
            return []
        return [name for name in taking_part(card, Path(card.folder)) if name not in card.files]

    def _full(self, card: ModelCard) -> StorageError:
        needed, free = room_needed(card, self._wheels), shutil.disk_usage(self._config.models).free
        return StorageError(
            f"There is no room for {card.title}: {readable(needed)} are needed, {readable(free)} are free.",
            f"Free some space where {self._config.models} lies, or set BIOLOOM_DATA to another disk.",
        )


def _marks(file: Path) -> tuple[tuple[int, ...], int]:
    """What tells a changed file from the same one without reading it, and how long ago it changed, in ns.

    The time of change of the file's entry cannot be set back by a program, that of its content can.
    """
    stat = file.stat()
    return (stat.st_ctime_ns, stat.st_mtime_ns, stat.st_size, stat.st_ino), time.time_ns() - max(stat.st_ctime_ns, stat.st_mtime_ns)
