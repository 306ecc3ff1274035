"""A run's result as a file of its field. What an untrained model made says so inside the file, wherever the file goes."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable

from backend.domain import Json, Run
from backend.tasks import find_task
from backend.workbench import UNTRAINED

_SHORT = "UNTRAINED model: random numbers"


def forms(run: Run) -> tuple[str, ...]:
    """Forms that the run's task offers for its result; none for a run without a result of its own."""
    return tuple(find_task(run.task).exports) if run.prediction is not None and run.kind == "run" else ()


def export(run: Run, form: str) -> str:
    """The result in one of its task's forms.

    Tables of an untrained model get a column that says so, sequences a mark in each header, texts a first line.
    """
    made = find_task(run.task).exports[form](run.prediction or {})
    if not run.model.get("untrained") or _SHORT in made or UNTRAINED in made:
        return made
    kind = form.rpartition(".")[2]
    return _MARKS[kind](made) if kind in _MARKS else made


def _table(text: str) -> str:
    rows = list(csv.reader(io.StringIO(text, newline="")))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n" if "\r\n" in text else "\n")
    writer.writerows([*row, "warning" if at == 0 else _SHORT] for at, row in enumerate(rows))
    return out.getvalue()


def _headers(text: str) -> str:
    return "\n".join(f"{line} [{_SHORT}]" if line.startswith(">") else line for line in text.split("\n"))


def _first_line(text: str) -> str:
    return f"{UNTRAINED}\n\n{text}"


def _title(text: str) -> str:
    head, newline, rest = text.partition("\n")
    return f"{head} [{_SHORT}]{newline}{rest}"


def _comment(text: str) -> str:
    head, newline, rest = text.partition("\n")
    return f"{head}{newline}# {UNTRAINED}\n{rest}"


def _key(text: str) -> str:
    held: Json = json.loads(text)
    marked = {"warning": UNTRAINED, **held} if isinstance(held, dict) else [{"warning": UNTRAINED}, *held]
    return json.dumps(marked, ensure_ascii=False, indent=2)


_MARKS: dict[str, Callable[[str], str]] = {
    "csv": _table,
    "fasta": _headers,
    "faa": _headers,
    "dbn": _headers,
    "sto": _comment,
    "gff3": _comment,
    "ct": _title,
    "txt": _first_line,
    "json": _key,
}
"""What is left out holds the mark of its own (PDB) or has no place for one (PubTator, SVG)."""
