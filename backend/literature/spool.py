"""Records on their way into the database: parsed whole into a nameless file first, so that a damaged end touches nothing."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from backend.domain import Paper, Skipped
from backend.literature.study import study_type, title_key
from backend.progress import Progress
from backend.storage.papers import Entry


class Of:
    """A progress whose total is known from outside."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress, self._total = progress, total

    def update(self, done: float, total: float | None = None, message: str = "") -> None:
        self._progress.update(done, self._total, message)

    def check(self) -> None:
        self._progress.check()


def write(records: Iterable[Paper | Skipped], file: Any, progress: Progress) -> int:
    """Write the records to `file`; how many they are."""
    total = 0
    for record in records:
        pickle.dump(record, file, protocol=pickle.HIGHEST_PROTOCOL)
        total += 1
        if total % 200 == 0:
            progress.check()
            progress.update(total, None, f"{total:,} read")
    return total


def read(file: Any) -> Iterator[Entry | Skipped]:
    """What `write` wrote, with study type and title key."""
    while True:
        try:
            record = pickle.load(file)  # our own nameless file, written a moment ago by this process
        except EOFError:
            return
        if isinstance(record, Skipped):
            yield record
        else:
            kind, source = study_type(record)
            yield Entry(record, kind, source, title_key(record.title))


def file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
