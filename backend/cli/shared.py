"""What the commands share: the application, the workbench, and how results are printed."""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer
from typer.core import TyperCommand

from backend.config import load_config
from backend.domain import Json
from backend.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backend.workbench import Workbench

HELP = "The command line `bioloom`: the same road as the pages, with JSON for scripts."
app = typer.Typer(name="bioloom", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=HELP)

_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]|\r(?!\n)")  # what a terminal obeys instead of showing it

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]


class ManyValues(TyperCommand):
    """A command whose options in `many` take several values at once, as a shell's `*.edf` gives them."""

    many: tuple[str, ...] = ("--train", "--test")

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        spread: list[str] = []
        now = ""
        for arg in args:
            if arg.startswith("-"):
                now = arg if arg in self.many else ""
            elif now and spread[-1] != now:
                spread.append(now)
            spread.append(arg)
        parsed: list[str] = super().parse_args(ctx, spread)
        return parsed


@contextmanager
def workbench() -> Iterator[Workbench]:
    from backend.workbench import Workbench

    bench = Workbench(load_config())
    try:
        yield bench
    finally:
        bench.close()


def show(made: Json, as_json: bool, text: Callable[[Any], str]) -> None:
    """Print what a command made, as JSON for scripts or in words."""
    if as_json:
        print(_CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(made, ensure_ascii=False, indent=2)))
    else:
        say(text(made))


def say(text: str, to: TextIO | None = None) -> None:
    """Print words for a person, on standard output unless said."""
    print(printable(text), file=to or sys.stdout)


def printable(text: str) -> str:
    r"""The text with its control characters as escapes (``\x1b``), so that a terminal shows them and obeys none; lines and tabs stay.

    >>> printable("\x1b[2Jgone")
    '\\x1b[2Jgone'
    """
    return _CONTROLS.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return value.item() if hasattr(value, "item") else value


def pairs(given: list[str] | None, option: str) -> dict[str, Json]:
    """``name=value`` pairs; a value is read as JSON where it is JSON, else as text."""
    found: dict[str, Json] = {}
    for pair in given or []:
        name, equals, text = pair.partition("=")
        if not equals:
            raise InputError(f"'{option} {pair}' has no '='.", f"Write {option} name=value.")
        try:
            found[name.strip()] = json.loads(text)
        except ValueError:
            found[name.strip()] = text
    return found
