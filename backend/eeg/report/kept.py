"""Reports just made, held in memory until they are taken away: they name a pseudonym, which nothing on disk should outlive."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from backend.domain import digest
from backend.eeg.report.html import to_html
from backend.eeg.report.parts import Report
from backend.eeg.report.pdf import to_pdf
from backend.tasks import Context

_MOST = 8


@dataclass(frozen=True)
class Written:
    """A report in both forms."""

    html: bytes
    pdf: bytes


def keep(context: Context, report: Report) -> str:
    """Write a report in both forms and hold it; returns the name to find it by."""
    written = Written(to_html(report).encode("utf-8"), to_pdf(report))
    name = digest(written.html)[:16]
    held = _held(context)
    with context.lock:
        held[name] = written
        held.move_to_end(name)
        while len(held) > _MOST:
            held.popitem(last=False)
    return name


def find(context: Context, name: str) -> Written | None:
    """The report of that name, or None when it was let go."""
    with context.lock:
        return _held(context).get(name)


def _held(context: Context) -> OrderedDict[str, Written]:
    return context.resource("eeg.reports", OrderedDict[str, Written])
