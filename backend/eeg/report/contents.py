"""Gathers what a report of one recording says: the facts, what was changed, the newest result of each analysis, the events."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from backend import __version__
from backend.domain import Run
from backend.eeg.inputs import is_bad, is_simulated
from backend.eeg.latest import latest_runs
from backend.eeg.report import results
from backend.eeg.report.choice import NEEDED, SECTIONS, Choice
from backend.eeg.report.facts import altered_facts, clock_of, elapsed, length, of_day, recording_facts
from backend.eeg.report.parts import Block, Lines, Report, Section, Table
from backend.eeg.report.signal_page import PAGE_S, draw_page
from backend.errors import InputError
from backend.models.registry import get_card
from backend.storage.recordings import StoredAnnotation
from backend.tasks import Context, find_task

TASKS = ("eeg.quality", "eeg.baseline", "eeg.sleep", "eeg.spindles", "eeg.calibrate", "eeg.decode")
STATUS = "Measured by software. Not read by a physician until signed."
NOT_WRITTEN = "Not written."
_MOST_EVENTS = 200
_MOST_PAGES = 24


def build(context: Context, recording: str, choice: Choice | None = None) -> Report:
    """Everything that the report of a recording says, in order.

    Raises
    ------
    InputError
        When the recording, a section or a chosen mark is not there.
    """
    choice = choice or Choice()
    if strange := [name for name in choice.sections if name not in SECTIONS]:
        raise InputError(f"A report has no section '{strange[0]}'.", f"Sections are: {', '.join(SECTIONS)}.")
    storage = context.storage
    found = storage.recordings.get(recording)
    visit = storage.patients.visit(found.visit)
    patient = storage.patients.get(visit.patient)
    runs = {task: run for (_, task), run in latest_runs(context, [recording], TASKS).items()}
    writers: Mapping[str, Callable[[], tuple[Sequence[Block], Sequence[str]]]] = {
        "recording": lambda: (recording_facts(context, recording), ()),
        "altered": lambda: (altered_facts(context, recording), ()),
        "quality": lambda: results.quality(runs.get("eeg.quality")),
        "background": lambda: results.background(runs.get("eeg.baseline")),
        "sleep": lambda: results.sleep(runs.get("eeg.sleep")),
        "spindles": lambda: results.spindles(runs.get("eeg.spindles")),
        "decoder": lambda: results.decoder(runs.get("eeg.calibrate"), runs.get("eeg.decode")),
        "events": lambda: (_events(context, recording, choice), ()),
    }
    sections: list[Section] = []
    summary: list[str] = []
    absent: list[str] = []
    steps = [name for name in SECTIONS if name in {*choice.sections, *NEEDED} and name != "made"]
    for n, name in enumerate(steps):
        context.progress.check()
        context.progress.update(n, len(steps), f"Writing: {SECTIONS[name].lower()}")
        blocks, lines = writers[name]()
        summary += lines
        if blocks:
            sections.append(Section(SECTIONS[name], tuple(blocks)))
        else:
            absent.append(SECTIONS[name].lower())
    sections.append(Section(SECTIONS["made"], tuple(_made(context, runs, choice))))
    when = visit.date or (f"day {visit.day}" if visit.day is not None else "date not recorded")
    made = choice.made or date.today().isoformat()
    return Report(
        title="EEG report",
        running=f"{patient.pseudonym} · {visit.label} · {found.name}",
        head=(
            ("Patient (pseudonym)", patient.pseudonym),
            ("Visit", f"{visit.label}, {when}"),
            ("Recording", found.name),
            ("Duration", length(found.duration_s)),
            ("Report of", made),
            ("Read by", choice.reader.strip() or "not signed"),
        ),
        status=STATUS,
        question=choice.question.strip() or NOT_WRITTEN,
        impression=choice.impression.strip() or NOT_WRITTEN,
        summary=tuple(summary) or ("Nothing was measured on this recording yet.",),
        sections=tuple(sections),
        made=made,
        simulated=is_simulated(context, recording),
        reader=choice.reader.strip(),
        left_out=tuple(absent),
    )


def _events(context: Context, recording: str, choice: Choice) -> list[Block]:
    marks = list(context.storage.recordings.annotations(recording))
    listed = [mark for mark in marks if not is_bad(mark.label)]
    by_id = {mark.id: mark for mark in marks}
    if strange := [one for one in choice.pages if one not in by_id]:
        raise InputError(f"There is no annotation {strange[0]} on this recording.", "It may have been deleted; choose again.")
    if len(choice.pages) + len(choice.pages_at) > _MOST_PAGES:
        raise InputError(f"More than {_MOST_PAGES} pages of signal are too many for a report.", "Choose the telling ones.")
    blocks: list[Block] = []
    if listed:
        counts: dict[str, int] = {}
        for mark in listed:
            counts[mark.label] = counts.get(mark.label, 0) + 1
        shown = listed if len(listed) <= _MOST_EVENTS else [by_id[one] for one in choice.pages]
        if len(listed) > _MOST_EVENTS:
            told = tuple((label, f"{count:,}") for label, count in sorted(counts.items(), key=lambda pair: -pair[1])[:40])
            blocks.append(Table(("Annotation", "How often"), told, (3, 1), (1,), f"{len(listed):,} annotations, counted by label"))
        if shown:
            blocks.append(_listed(shown, clock_of(context, recording)))
    look: dict[str, Any] = {
        "montage": choice.montage, "low_cut": choice.low_cut, "high_cut": choice.high_cut, "notch": choice.notch,
        "uv_per_mm": choice.uv_per_mm,
    }  # fmt: skip
    for one in choice.pages:
        mark = by_id[one]
        title = f"{mark.label}, {elapsed(mark.onset_s)}"
        blocks.append(draw_page(context, recording, mark.onset_s - PAGE_S / 3, title=title, **look))
    for start in choice.pages_at:
        blocks.append(draw_page(context, recording, start, title=f"Page from {elapsed(start)}", **look))
    return blocks


def _listed(marks: Sequence[StoredAnnotation], clock: str) -> Table:
    """The marks in time order; with the time of day where the recording tells when it began."""
    head: tuple[str, ...] = ("After", "Time of day", "Length (s)", "Annotation", "Channels", "Set by")
    rows: list[tuple[str, ...]] = [
        (
            elapsed(mark.onset_s),
            of_day(clock, mark.onset_s),
            f"{mark.duration_s:.1f}" if mark.duration_s else "",
            mark.label,
            ", ".join(mark.channels[:6]) or "all",
            "file" if mark.origin == "file" else "reader",
        )
        for mark in marks
    ]
    if clock:
        return Table(head, tuple(rows), (1.5, 1.5, 1.4, 5, 2.6, 1.1), (2,))
    return Table((head[0], *head[2:]), tuple((row[0], *row[2:]) for row in rows), (1.5, 1.4, 5, 2.6, 1.1), (1,))


def _made(context: Context, runs: Mapping[str, Run], choice: Choice) -> list[Block]:
    blocks: list[Block] = [
        Lines(
            (
                "For research use. Bioloom is not a medical device: the numbers here are measured by software on one recording, and "
                "nothing here was read by a physician unless it is signed.",
            ),
        )
    ]
    if runs:
        rows = tuple(
            (
                find_task(task).title,
                get_card(str(run.model["name"]), context.config).title,
                str(run.model["revision"])[:12],
                run.id,
                run.created.date().isoformat(),
            )
            for task, run in runs.items()
        )
        blocks.append(Table(("Analysis", "Model", "Version", "Run", "Computed"), rows, (3, 4, 1.6, 1.6, 1.7)))
    blocks.append(Lines((f"Bioloom {__version__}. Every run can be computed again from the recording that is kept with it.",), "quiet"))
    return blocks
