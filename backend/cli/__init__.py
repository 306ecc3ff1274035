"""The command line `bioloom`: one file a group of commands."""

from __future__ import annotations

import json
import sys

from backend.cli import analyse, ask, compare, decode, evaluate, library, models, patients, read, report, runs, start
from backend.cli.shared import app, say
from backend.errors import BioloomError

__all__ = [
    "analyse",
    "app",
    "ask",
    "compare",
    "decode",
    "evaluate",
    "library",
    "main",
    "models",
    "patients",
    "read",
    "report",
    "runs",
    "start",
]


def main() -> None:
    """Entry point: a BioloomError becomes its message and hint and exit code 2."""
    wants_json = "--json" in sys.argv[1:]
    try:
        app()
    except BioloomError as error:
        if wants_json:
            print(json.dumps({"error": {"message": error.message, "hint": error.hint}}, ensure_ascii=False), file=sys.stderr)
        else:
            say(error.message, sys.stderr)
            if error.hint:
                say(error.hint, sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        sys.exit(130)
