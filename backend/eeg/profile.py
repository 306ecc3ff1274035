"""What is known of one patient over his visits: channels, alpha peak, band powers, sleep, calibrations, and what changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from backend.domain import Json, Run
from backend.eeg.compare import CAVEAT, change_words, compare, conditions, state_of
from backend.eeg.inputs import bad_channels, is_bad, is_simulated
from backend.eeg.latest import latest_runs
from backend.errors import InputError
from backend.storage.patients import Patient, Visit
from backend.storage.recordings import Recording
from backend.tasks import Context

TASKS = ("eeg.baseline", "eeg.sleep", "eeg.calibrate", "eeg.quality")


def profile(context: Context, patient: str) -> dict[str, Json]:
    """Everything about one patient, gathered from facts and from the newest results of each recording; nothing is computed anew.

    Returns
    -------
    dict
        ``recordings``: in time order, each with its visit, facts and newest results; ``changes``: from one recording to the next that
        was measured in the same state of the eyes; ``calibrations``: newest first; ``caveat``: what the intervals leave out.
    """
    context.storage.patients.get(patient)
    ordered = in_time_order(context, patient)
    runs = latest_runs(context, [recording.id for _, recording in ordered], TASKS)
    rows = [_recording(context, visit, recording, runs) for visit, recording in ordered]
    return {
        "patient": patient,
        "recordings": rows,
        "changes": _changes(context, rows, runs),
        "calibrations": _calibrations(context, patient),
        "caveat": CAVEAT,
    }


def find_patient(context: Context, named: str) -> Patient:
    """A patient by pseudonym or id."""
    try:
        return context.storage.patients.find(named)
    except InputError:
        if named and named.isalnum() and (found := [one for one in context.storage.patients.search(limit=100_000) if one.id == named]):
            return found[0]
        raise


def in_time_order(context: Context, patient: str) -> list[tuple[Visit, Recording]]:
    """A patient's recordings with their visits, first visit first."""
    visits = context.storage.patients.visits(patient)
    return [(visit, recording) for visit in visits for recording in context.storage.recordings.list(visit=visit.id)]


def _recording(context: Context, visit: Visit, recording: Recording, runs: Mapping[tuple[str, str], Run]) -> dict[str, Json]:
    marks = [mark for mark in context.storage.recordings.annotations(recording.id) if is_bad(mark.label)]
    of = {task: runs.get((recording.id, task)) for task in TASKS}
    baseline = of["eeg.baseline"]
    found = baseline.prediction if baseline is not None and baseline.prediction else None
    return {
        "recording": recording.id,
        "name": recording.name,
        "visit": visit.id,
        "visit_label": visit.label,
        "when": visit.date or (f"day {visit.day}" if visit.day is not None else ""),
        "duration_s": recording.duration_s,
        "channels": len(recording.channels),
        "simulated": is_simulated(context, recording.id),
        "bad_channels": list(bad_channels(context, recording.id)),
        "bad_stretches": len(marks),
        "bad_s": round(sum(mark.duration_s for mark in marks), 1),
        "channel_map": context.storage.recordings.fact(recording.id, "channel_map") or {},
        "cleaned": bool((context.storage.recordings.fact(recording.id, "cleaning") or {}).get("on")),
        "runs": {task: run.id for task, run in of.items() if run is not None},
        "states": [] if found is None else [_short(state) for state in found["states"] if not state["reason"]],
        "reference": found["reference"] if found else "",
    }


def _short(state: Mapping[str, Json]) -> dict[str, Json]:
    """The part of a state that a profile lists."""
    rhythm = state["rhythm"]
    posterior = "occipital" if any(power["region"] == "occipital" for power in state["powers"]) else "parietal"
    return {
        "state": state["state"],
        "clean_s": state["clean_s"],
        "alpha_peak": rhythm["peak"] if rhythm["found"] else None,
        "alpha_reason": rhythm["reason"],
        "amplitude": rhythm["amplitude"] if rhythm["found"] else None,
        "region": posterior,
        "posterior": {power["band"]: power["relative"] for power in state["powers"] if power["region"] == posterior},
    }


def _changes(context: Context, rows: Sequence[Mapping[str, Json]], runs: Mapping[tuple[str, str], Run]) -> list[dict[str, Json]]:
    """From each measured recording to the next one measured in the same state."""
    found: list[dict[str, Json]] = []
    before: dict[str, Mapping[str, Json]] = {}
    for row in rows:
        run = runs.get((row["recording"], "eeg.baseline"))
        if run is None or run.prediction is None:
            continue
        for state in [one["state"] for one in row["states"]]:
            if state in before:
                earlier = runs[before[state]["recording"], "eeg.baseline"]
                found.append(_change(context, state, before[state], row, (earlier, run)))
            before[state] = row
    return found


def _change(context: Context, state: str, one: Mapping[str, Json], two: Mapping[str, Json], runs: tuple[Run, Run]) -> dict[str, Json]:
    first, second = (state_of(run.prediction or {}, state) for run in runs)
    rows = compare(first, second)
    return {
        "state": state,
        "first": one["recording"],
        "second": two["recording"],
        "first_name": f"{one['visit_label']}, {one['name']}",
        "second_name": f"{two['visit_label']}, {two['name']}",
        "text": change_words(first, second, rows),
        "differs": conditions(context, str(one["recording"]), str(two["recording"]), runs),
        "rows": rows,
    }


def calibration_words(data: Mapping[str, Json]) -> str:
    """The verdict of a kept calibration and what it promises: 'uncertain, 67% (43 to 86) expected in the next session'."""
    verdict = {"undecodable": "cannot be decoded"}.get(str(data.get("verdict")), str(data.get("verdict") or "not judged"))
    expected = data.get("next_session")
    if not expected:
        return verdict
    ends = f"{100 * expected['low']:.0f} to {100 * expected['high']:.0f}"
    return f"{verdict}, {expected['value']:.0%} ({ends}) expected in the next session"


def _calibrations(context: Context, patient: str) -> list[dict[str, Json]]:
    return [
        {
            "id": one.id,
            "name": one.name,
            "created": one.created.isoformat(),
            "recordings": list(one.recordings),
            "judged": calibration_words(one.data),
        }
        for one in context.storage.calibrations.list(patient)
    ]
