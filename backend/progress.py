"""How long work tells how far it is and learns that it should stop."""

from __future__ import annotations

import os
import sys
import threading
from typing import Protocol, Self


class Progress(Protocol):
    """Handed to anything that may take more than a second."""

    def update(self, done: float, total: float | None = None, message: str = "") -> None:
        """Tell how much is done (same unit as `total`) and, in plain words, what is being done now."""

    def check(self) -> None:
        """Raise `backend.errors.Cancelled` when the person asked to stop."""


class Foreground:
    """Lets long background work stand aside while a person waits for something."""

    def __init__(self) -> None:
        self._waiting = 0
        self._free = threading.Condition()

    def __enter__(self) -> None:
        with self._free:
            self._waiting += 1

    def __exit__(self, *_: object) -> None:
        with self._free:
            self._waiting -= 1
            self._free.notify_all()

    def stand_aside(self, most: float = 20.0) -> None:
        """Return once nobody waits, or after `most` seconds, so that background work is slowed but never stopped for good."""
        with self._free:
            self._free.wait_for(lambda: not self._waiting, timeout=most)


class Silent:
    """A progress that nobody watches."""

    def update(self, done: float, total: float | None = None, message: str = "") -> None:
        pass

    def check(self) -> None:
        pass


class Bar:
    """Progress on standard error, so that standard output stays clean for scripts."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._shown = ""
        self._live = sys.stderr.isatty() or bool(os.environ.get("BIOLOOM_PROGRESS"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def update(self, done: float, total: float | None = None, message: str = "") -> None:
        share = f" {100 * done / total:3.0f}%" if total else ""
        line = f"{self._title}{share} {message}".rstrip()[:110]
        if self._live and line != self._shown:
            print(f"\r{line:<110}", end="", file=sys.stderr, flush=True)
            self._shown = line

    def check(self) -> None:
        pass

    def close(self) -> None:
        if self._shown:
            print(file=sys.stderr)
            self._shown = ""
