"""What Bioloom notes about its own working: names, counts and seconds, never what people ask, read or record.

Every entry passes one gate: a key that is not listed here, or a value that does not look like what the key stands for, is
replaced. An exception is noted as its type and the lines it went through, because its message may quote the input.
"""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Callable, MutableMapping
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

import structlog

from backend.config import ROOT, Config

FILE = "bioloom.jsonl"
WITHHELD = "withheld"
_BYTES, _FILES = 5 * 2**20, 5

_EVENT = re.compile(r"[a-z]+([ ._-][a-z]+){0,4}")
_TASK = re.compile(r"[a-z]+(\.[a-z_]+)+")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@/-]{0,63}")
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,32}")
_CLASS = re.compile(r"[A-Z][A-Za-z]{2,39}")

_TEXTS: dict[str, re.Pattern[str]] = {
    "event": _EVENT,
    "task": _TASK,
    "kind": _CODE,
    "state": _CODE,
    "format": _CODE,
    "service": _NAME,
    "device": _CODE,
    "model": _NAME,
    "family": _CODE,
    "revision": _NAME,
    "version": _NAME,
    "run_id": re.compile(r"[0-9A-F]{8}"),
    "job_id": re.compile(r"[0-9A-F]{12}"),
    "reference": re.compile(r"[0-9A-F]{6}"),
    "error": _CLASS,
}
_NUMBERS = frozenset(
    {"seconds", "count", "added", "merged", "skipped", "removed", "checked", "bytes", "batch", "characters", "status", "pid", "port"}
)

_logger = logging.getLogger("bioloom")
_logger.propagate = False
_logger.setLevel(logging.INFO)
_logger.addHandler(logging.NullHandler())


def log() -> Any:
    """The logger: ``log().info("run.saved", run_id=run.id, seconds=0.2)``; silent until `setup_logging` was called.

    Pass ``exc_info=error`` to note an exception. Keys that the gate does not know are written as a count only.
    """
    return _bound


def setup_logging(config: Config) -> Path:
    """Write the log as JSON lines into `config.logs`, five files of 5 MB at most; returns the current file.

    A folder that cannot be written to leaves the log silent: noting things must never stop the work.
    """
    path = config.logs / FILE
    for handler in list(_logger.handlers):
        if isinstance(handler, RotatingFileHandler):
            if Path(handler.baseFilename) == path:
                return path
            _logger.removeHandler(handler)
            handler.close()
    try:
        config.logs.mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(path, maxBytes=_BYTES, backupCount=_FILES - 1, encoding="utf-8", delay=True)
    except OSError:
        return path
    handler.setFormatter(logging.Formatter("%(message)s"))
    handler.handleError = _ignore  # type: ignore[method-assign]
    _logger.addHandler(handler)
    return path


def frames(error: BaseException) -> list[str]:
    """The lines an exception went through, as ``file:line function``, with the types of its causes; no messages, no values."""
    found: list[str] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        found.append(type(current).__name__)
        for frame in traceback.extract_tb(current.__traceback__, limit=-12):
            found.append(f"{_short(frame.filename)}:{frame.lineno} {frame.name}")
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return found


def _gate(logger: Any, method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Pass what is known to be harmless; replace or count the rest."""
    passed: dict[str, Any] = {"level": method}
    withheld = 0
    for key, value in entry.items():
        if key == "exc_info":
            error = _exception(value)
            if error is not None:
                passed["error"], passed["frames"] = type(error).__name__, frames(error)
        elif key in _NUMBERS and isinstance(value, int | float):
            passed[key] = round(value, 6)
        elif key in _TEXTS:
            if isinstance(value, BaseException):
                value = type(value).__name__
            fits = isinstance(value, str) and _TEXTS[key].fullmatch(value)
            passed[key] = value if fits else WITHHELD
        else:
            withheld += 1
    if withheld:
        passed["withheld"] = withheld
    return passed


def _exception(value: Any) -> BaseException | None:
    import sys

    if isinstance(value, BaseException):
        return value
    if isinstance(value, tuple) and len(value) == 3:
        return value[1] if isinstance(value[1], BaseException) else None
    return sys.exc_info()[1] if value else None


def _short(filename: str) -> str:
    path = Path(filename)
    if path.is_relative_to(ROOT) and "site-packages" not in path.parts:
        return path.relative_to(ROOT).as_posix()
    return "/".join(path.parts[-2:])  # a library's file: its package is enough


def _ignore(record: logging.LogRecord) -> None:
    """A full disk must not turn every log entry into a printed traceback, which would quote the entry's origin."""


_PROCESSORS: list[Callable[..., Any]] = [
    _gate,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.JSONRenderer(),
]
_bound = structlog.wrap_logger(_logger, processors=_PROCESSORS, wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))
