"""What the reader in the browser and the server say to each other: acts and questions in, tiles and facts out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from pages.parts.bench import bench

if TYPE_CHECKING:
    from backend.eeg.paging import Clean, Plan, View
    from backend.eeg.recording import Channel
    from backend.eeg.signal import Signal
    from backend.tasks import Context

SETTINGS = "eeg_viewer"  # under this key of the installation's settings: cuts, page length, sensitivity, the screen's millimetres
MOST_TILES = 12  # handed out at once
MOST_MARKS = 4_000  # annotations in the browser at once; of more, those around the page
_AROUND_S = 1800.0
_STRIP = 1400  # parts of the strip above the page
_KEPT = ("page_s", "low_cut", "high_cut", "notch")


def take(recording_id: str, state: dict[str, Any], asked: Mapping[str, Any]) -> bool:
    """Note what the browser says and do what it asks; gives whether the page around the reader must be drawn anew."""
    from backend.errors import BioloomError

    state["id"] = asked.get("id", 0)
    state["at"] = float(asked.get("at") or 0.0)
    for name in ("view", "local"):
        if isinstance(asked.get(name), Mapping):
            state[name] = dict(asked[name])
    act = asked.get("act")
    if not isinstance(act, Mapping) or act.get("number") == state.get("acted"):
        return False
    state["acted"] = act.get("number")
    state.pop("error", None)
    try:
        return _act(recording_id, act)
    except BioloomError as error:
        state["error"] = {"message": error.message, "hint": error.hint}
    except (KeyError, TypeError, ValueError):
        state["error"] = {"message": "This could not be kept.", "hint": "Try once more."}
    return False


def _act(recording_id: str, act: Mapping[str, Any]) -> bool:
    from backend.eeg.inputs import bad_channels, set_bad_channels
    from backend.eeg.montages_own import delete_montage, save_montage

    context = bench().context
    store = context.storage.recordings
    match act["what"]:
        case "annotate":
            channels = [str(name) for name in act.get("channels") or ()]
            store.annotate(recording_id, float(act["onset"]), float(act["duration"]), str(act["label"]), channels, act.get("id"))
        case "delete":
            store.delete_annotation(recording_id, int(act["id"]))
        case "bad":
            name, now = str(act["name"]), list(bad_channels(context, recording_id))
            set_bad_channels(context, recording_id, [one for one in now if one != name] if name in now else [*now, name])
        case "montage":
            save_montage(context.storage, str(act["name"]), [str(row) for row in act["rows"]])
        case "no montage":
            delete_montage(context.storage, str(act["name"]))
        case "ruler":
            size = float(act["px_per_mm"])
            if not 1.0 <= size <= 40.0:
                raise ValueError(size)
            context.storage.settings.set(SETTINGS, {**context.storage.settings.get(SETTINGS), "px_per_mm": size})
    return act["what"] in ("annotate", "delete", "bad")


def answer(
    recording_id: str,
    state: dict[str, Any],
    asked: Mapping[str, Any],
    stages: Sequence[tuple[float, str]],
    cleaned: bool,
    source: str = "",
) -> bytes:
    """The message to the browser: the view's traces, the tiles asked for, and everything else where it must be told (anew)."""
    from backend.eeg import paging
    from backend.eeg.inputs import bad_channels, effective_channels
    from backend.eeg.montages_own import own_montages
    from backend.eeg.signal import open_recording
    from backend.errors import InputError

    context = bench().context
    signal = open_recording(context.config, recording_id)
    channels = effective_channels(context, recording_id)
    bad = bad_channels(context, recording_id)
    own = own_montages(context.storage)
    prefs = context.storage.settings.get(SETTINGS)
    error = state.pop("error", None)
    made: Plan | None = None
    view = paging.View()
    try:
        view = paging.read_view(state.get("view") or prefs.get("view") or {})
        made = paging.plan(channels, view, bad, own)
        state["good"] = view
    except InputError as fault:
        error = error or {"message": fault.message, "hint": fault.hint}
    if made is None:  # the browser goes back to the view before
        view = state.get("good") or paging.View()
        try:
            made = paging.plan(channels, view, bad, own)
        except InputError:
            view = paging.View(montage="referential")
            made = paging.plan(channels, view, bad, own)
        state["view"] = asdict(view)
    _keep(context, view, state, prefs)
    clean, clean_look = _cleaning(context, recording_id, cleaned)
    at = float(state.get("at", 0.0))
    wanted = asked.get("tiles")
    numbers = [int(number) for number in wanted][:MOST_TILES] if isinstance(wanted, list) else _around(at, made.page_s)
    head: dict[str, Any] = {
        "id": state.get("id", 0), "look": f"{made.look}{clean_look}", "view": asdict(view), "montage": made.montage,
        "traces": [asdict(trace) for trace in made.traces], "every": made.every, "notes": made.notes, "error": error,
        "goto": state.get("goto"), "page_s": made.page_s,
    }  # fmt: skip
    arrays: dict[str, Any] = {}
    # a page turned in the reader does not read every annotation; a page drawn anew for another reason does, for that may have changed one
    turned = asked.get("id") != state.get("answered") and isinstance(wanted, list) and not asked.get("full") and not asked.get("act")
    state["answered"] = asked.get("id")
    version = (state.get("version") if turned else None) or _version(context, recording_id, channels, bad, own, stages, prefs)
    state["version"] = version
    head["version"] = version
    if asked.get("full") or asked.get("version") != version:
        from backend.eeg.paging import own_scale, strip_of

        eeg = [channel.name for channel in channels if channel.kind == "eeg" and channel.name not in bad]
        arrays["strip"] = strip_of(signal, eeg or [channel.name for channel in channels][:1], _STRIP)
        others = [channel.name for channel in channels if channel.unit != "uV"]
        head["full"] = {
            **_recording_json(context, recording_id, signal, channels, bad, at),
            "scales": own_scale(signal, others),
            "own": {name: list(rows) for name, rows in own.items()},
            "stages": [[start, stage] for start, stage in stages],
            "staged": source,
            "px_per_mm": prefs.get("px_per_mm"),
            "local": state.get("local") or {"sensitivity": prefs.get("sensitivity", 7)},
            "at": at,
        }
    return paging.pack(head, list(paging.tiles(signal, made, numbers, clean)), arrays)


def _around(at: float, page_s: float) -> list[int]:
    here = int(at // page_s)
    return [here, here + 1, here + 2] if page_s <= 60 else [here, here + 1]


def _keep(context: Context, view: View, state: Mapping[str, Any], prefs: Mapping[str, Any]) -> None:
    """Remember how this person reads, for the next recording."""
    if "view" not in state:
        return
    kept = {name: getattr(view, name) for name in _KEPT}
    sensitivity = (state.get("local") or {}).get("sensitivity")
    fine = isinstance(sensitivity, (int, float)) and 0 < sensitivity < 100_000
    wanted = {**prefs, "view": kept, **({"sensitivity": sensitivity} if fine else {})}
    if wanted != prefs:
        context.storage.settings.set(SETTINGS, wanted)


def _cleaning(context: Context, recording_id: str, cleaned: bool) -> tuple[Clean | None, str]:
    from backend.domain import canonical, digest
    from backend.eeg import cleaning

    fact = cleaning.state(context, recording_id) if cleaned else None
    if not fact or not fact["on"] or not fact["exclude"]:
        return None, ""
    return partial(cleaning.apply, context, recording_id), digest(canonical([fact["file"], fact["exclude"]]))[:8]


def _version(context: Context, recording_id: str, *rest: Any) -> str:
    """Changes whenever something changes that the browser was told."""
    from backend.domain import digest

    marks = context.storage.recordings.annotations(recording_id)
    facts = context.storage.recordings.facts(recording_id)
    return digest(repr((marks, sorted(facts.items()), rest)))[:16]


def _recording_json(
    context: Context, recording_id: str, signal: Signal, channels: Sequence[Channel], bad: Sequence[str], at: float
) -> dict[str, Any]:
    from backend.eeg.inputs import is_bad, is_simulated
    from backend.eeg.montage import NAMES

    marks = context.storage.recordings.annotations(recording_id)
    around: list[float] | None = None
    if len(marks) > MOST_MARKS:
        around = [max(0.0, at - _AROUND_S), at + _AROUND_S]
        marks = context.storage.recordings.annotations(recording_id, *around)[:MOST_MARKS]
    segments = signal.meta.segments
    return {
        "duration": signal.duration_s,
        "clock": signal.meta.clock,
        "gaps": [[one.stop_s, two.start_s] for one, two in pairwise(segments)],
        "channels": [{"name": one.name, "kind": one.kind, "unit": one.unit, "rate": one.rate, "bad": one.name in bad} for one in channels],
        "montages": NAMES,
        "simulated": is_simulated(context, recording_id),
        "marks": [[m.id, m.onset_s, m.duration_s, m.label, list(m.channels), m.origin, is_bad(m.label)] for m in marks],
        "around": around,
    }
