"""How long work tells how far it is and learns that it should stop."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Handed to anything that may take more than a second."""

    def update(self, done: float, total: float | None = None, message: str = "") -> None:
        """Tell how much is done (same unit as `total`) and, in plain words, what is being done now."""

    def check(self) -> None:
        """Raise `backend.errors.Cancelled` when the person asked to stop."""


class Silent:
    """A progress that nobody watches."""

    def update(self, done: float, total: float | None = None, message: str = "") -> None:
        pass

    def check(self) -> None:
        pass
