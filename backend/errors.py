"""The few kinds of error that a person is shown: what was wrong, where, and what to do next."""

from __future__ import annotations


class BioloomError(Exception):
    """An error with a remedy.

    Parameters
    ----------
    message : str
        What was wrong and where (file, record, line), in the reader's words.
    hint : str
        What the person can do next.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class InputError(BioloomError):
    """What the person gave cannot be read or used as it is."""


class ModelError(BioloomError):
    """A model is missing, damaged, or does not fit this machine."""


class StorageError(BioloomError):
    """Something could not be stored or read back, or was altered since."""


class NetworkError(BioloomError):
    """An outside connection is switched off or failed."""


class Cancelled(BioloomError):
    """The person stopped the work; nothing of it was kept."""

    def __init__(self, message: str = "Stopped on request.", hint: str = "Nothing of it was kept.") -> None:
        super().__init__(message, hint)
