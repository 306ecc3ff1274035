"""Where the eyes were closed or open, and where the person was awake: from annotations, from what is said, from sleep staging."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from backend.domain import Json
from backend.eeg.sleep.staged import MARKS, find_stages, marked_stages, saved_stagings
from backend.tasks import Context

STATES = ("annotated", "closed", "open", "unknown")
Stretch = tuple[float, float]

_CLOSED = re.compile(r"\b(?:eyes?[\s_-]*clos\w*|ec)\b", re.IGNORECASE)
_OPEN = re.compile(r"\b(?:eyes?[\s_-]*open\w*|eo)\b", re.IGNORECASE)
_MOST_S = 3600.0
_PARTS = 6


def state_stretches(context: Context, recording: str, settings: Mapping[str, Json], duration: float) -> dict[str, list[Stretch]]:
    """Seconds of each state: 'eyes closed', 'eyes open', or 'not said' for the whole recording.

    A mark without a duration holds until the next mark of the eyes, or the end.
    """
    whole = [(0.0, duration)]
    if settings["state"] != "annotated":
        return {{"closed": "eyes closed", "open": "eyes open", "unknown": "not said"}[str(settings["state"])]: whole}
    marks = []
    for mark in context.storage.recordings.annotations(recording):
        state = _state(mark.label, str(settings["closed_label"]), str(settings["open_label"]))
        if state:
            marks.append((mark.onset_s, mark.duration_s, state))
    found: dict[str, list[Stretch]] = {}
    for n, (onset, long, state) in enumerate(marks):
        following = marks[n + 1][0] if n + 1 < len(marks) else duration
        stop = onset + long if long else following
        if stop > onset:
            found.setdefault(state, []).append((onset, min(stop, duration)))
    return {name: merged(stretches) for name, stretches in sorted(found.items())} or {"not said": whole}


def name_staging(context: Context, recording: str) -> str:
    """Where it stands when the person was awake: stage marks, the newest sleep staging, or '' where nothing says it."""
    if marked_stages(context, recording) is not None:
        return MARKS
    return next(iter(saved_stagings(context, recording)), "")


def awake_stretches(context: Context, recording: str, staging: str) -> tuple[list[Stretch] | None, dict[str, Json]]:
    """Seconds staged as awake, or None where nothing stages the recording; and what says so."""
    if not staging:
        return None, {"known": False, "source": "", "seconds": None}
    staged = find_stages(context, recording, staging)
    awake = merged([(start, stop) for start, stop, stage in staged.spans if stage == "W"])
    return awake, {"known": True, "source": staged.source, "seconds": round(sum(stop - start for start, stop in awake), 1)}


def merged(stretches: Sequence[Stretch]) -> list[Stretch]:
    """In order, those that touch or overlap joined."""
    found: list[Stretch] = []
    for start, stop in sorted(stretches):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], stop))
        else:
            found.append((start, stop))
    return found


def overlap(one: Sequence[Stretch], two: Sequence[Stretch]) -> list[Stretch]:
    """Where both are."""
    return [(max(a, c), min(b, d)) for a, b in one for c, d in two if max(a, c) < min(b, d)]


def limit(stretches: Sequence[Stretch]) -> tuple[list[Stretch], str]:
    """At most an hour, in parts that lie evenly over what there is; and a word where something was left out."""
    total = sum(stop - start for start, stop in stretches)
    if total <= _MOST_S:
        return list(stretches), ""
    part, every = _MOST_S / _PARTS, total / _PARTS
    wanted = [(n * every, n * every + part) for n in range(_PARTS)]
    found: list[Stretch] = []
    passed = 0.0
    for start, stop in stretches:
        found += [
            (start + max(a - passed, 0.0), start + min(b - passed, stop - start))
            for a, b in wanted
            if a < passed + stop - start and b > passed
        ]
        passed += stop - start
    return found, f"Of {total / 60:.0f} min, {_MOST_S / 60:.0f} min in {_PARTS} even parts are measured."


def _state(label: str, closed: str, opened: str) -> str:
    text = label.strip()
    if closed or opened:
        return "eyes closed" if closed and text == closed.strip() else "eyes open" if opened and text == opened.strip() else ""
    return "eyes closed" if _CLOSED.search(text) else "eyes open" if _OPEN.search(text) else ""
