"""Two recordings of one patient compared: what differs in how they were made, then number by number, judged together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from backend.domain import Json, Run
from backend.eeg.baseline.measured import difference, holm, told
from backend.eeg.inputs import bad_channels, effective_channels, is_simulated
from backend.tasks import Context

CLEAR = 0.05  # of p values after Holm
CAVEAT = (
    "The intervals cover how much a number varies within each recording. They do not cover how much a healthy person varies from day "
    "to day: over 12 to 16 weeks band powers of 19 adults correlated 0.84 with themselves, and how much a record varied within itself "
    "did not tell how much it varied between records (doi:10.1016/0013-4694(91)90203-g). A clear change here is a change of the "
    "recording; whether it is one of the patient is for the reader to judge."
)


def conditions(context: Context, one: str, two: str, runs: tuple[Run | None, Run | None] = (None, None)) -> list[dict[str, str]]:
    """How the two recordings and their measuring differ, worst first; empty where nothing does.

    Returns
    -------
    list of dict
        ``what``, ``first``, ``second``.
    """
    sides = [_conditions(context, recording, run) for recording, run in zip((one, two), runs, strict=True)]
    return [{"what": name, "first": sides[0][name], "second": sides[1][name]} for name in sides[0] if sides[0][name] != sides[1][name]]


def common_states(one: Mapping[str, Json], two: Mapping[str, Json]) -> list[str]:
    """States of the eyes that were measured in both."""
    first, second = ([state["state"] for state in found["states"] if not state["reason"]] for found in (one, two))
    return [state for state in first if state in second]


def state_of(found: Mapping[str, Json], name: str) -> Mapping[str, Any]:
    """The measurements of one state."""
    wanted: Mapping[str, Any] = next(state for state in found["states"] if state["state"] == name)
    return wanted


def compare(one: Mapping[str, Json], two: Mapping[str, Json], powers: str = "relative") -> list[dict[str, Json]]:
    """Every number that both states have, with its change, p after Holm over all of them, and a judgement in words.

    Parameters
    ----------
    one, two : mapping
        States of two predictions of ``eeg.baseline``, earlier first.
    powers : {'relative', 'absolute'}
        Which band powers: shares of 1 to 30 Hz, or square microvolts.
    """
    rows: list[dict[str, Json]] = []
    first, second = one["rhythm"], two["rhythm"]
    if first["found"] and second["found"]:
        rows.append(_row("Alpha peak", "Hz", 1, first["peak"], second["peak"]))
        rows.append(_row("Alpha centre of gravity", "Hz", 1, first["gravity"], second["gravity"]))
        rows.append(_row("Alpha amplitude", "µV", 0, first["amplitude"], second["amplitude"]))
    rows.append(_row("1/f exponent", "", 2, first["exponent"], second["exponent"]))
    others = {(power["region"], power["band"]): power[powers] for power in two["powers"]}
    for power in one["powers"]:
        if other := others.get((power["region"], power["band"])):
            name = f"{power['region'].capitalize()} {power['band']}"
            rows.append(_row(name, "share" if powers == "relative" else "µV²", 2 if powers == "relative" else 1, power[powers], other))
    adjusted = holm([row["difference"]["p"] if row["difference"] else None for row in rows])
    for row, p in zip(rows, adjusted, strict=True):
        row["p_holm"] = p
        row["judged"] = "not comparable" if p is None else "clear change" if p < CLEAR else "no clear change"
    return rows


def change_words(one: Mapping[str, Json], two: Mapping[str, Json], rows: Sequence[Mapping[str, Json]]) -> list[str]:
    """What changed, in sentences: the alpha peak always, then whatever changed clearly."""
    lines = []
    first, second = one["rhythm"], two["rhythm"]
    peak = next((row for row in rows if row["measure"] == "Alpha peak"), None)
    if peak is not None:
        change = peak["difference"]
        by = ""
        if peak["judged"] == "clear change" and change:
            by = f", {change['change']:+.1f} Hz ({change['low']:+.1f} to {change['high']:+.1f})"
        lines.append(f"Alpha peak {told(first['peak'], 'Hz')}, then {told(second['peak'], 'Hz')}: {peak['judged']}{by}.")
    else:
        words = [told(side["peak"], "Hz") if side["found"] else "none found" for side in (first, second)]
        lines.append(f"Alpha peak {words[0]}, then {words[1]}: not comparable by number.")
    others = [row for row in rows if row["judged"] == "clear change" and row["measure"] not in ("Alpha peak", "Alpha centre of gravity")]
    tested = sum(row["p_holm"] is not None for row in rows)
    for row in others:
        lines.append(f"{row['measure']} {_told(row['first'], row)}, then {_told(row['second'], row)}: clear change, {_change(row)}.")
    if not others:
        lines.append(f"None of the other numbers changed clearly ({tested} compared, p values adjusted by Holm).")
    return lines


def change_told(row: Mapping[str, Json]) -> str:
    """The change of one row with its interval: '+0.4 (0.1 to 0.7)' or 'x 1.3 (1.1 to 1.6)'."""
    return "" if not row["difference"] else _change(row)


def number_told(number: Mapping[str, Json], row: Mapping[str, Json]) -> str:
    """One number of a row with its interval, in the row's digits."""
    return _told(number, row)


def _row(name: str, unit: str, digits: int, one: Mapping[str, Json], two: Mapping[str, Json]) -> dict[str, Json]:
    return {"measure": name, "unit": unit, "digits": digits, "first": dict(one), "second": dict(two), "difference": difference(one, two)}


def _told(number: Mapping[str, Json], row: Mapping[str, Json]) -> str:
    if row["unit"] == "share":
        percent = {key: None if number[key] is None else number[key] * 100 for key in ("value", "low", "high")}
        return told(percent, "%", 0).replace(" %", "%")
    return told(number, row["unit"], row["digits"])


def _change(row: Mapping[str, Json]) -> str:
    change = row["difference"]
    sign, digits = ("×", 2) if change["scale"] == "log" else ("", row["digits"])
    if change["low"] is None:
        return "no change"
    rounded = {name: round(change[name], digits) + 0.0 for name in ("change", "low", "high")}  # + 0.0: no '-0.0'
    number, *ends = (f"{value:.{digits}f}" if sign else f"{value:+.{digits}f}" for value in rounded.values())
    return f"{sign}{number} ({ends[0]} to {ends[1]})"


def _conditions(context: Context, recording: str, run: Run | None) -> dict[str, str]:
    channels = [channel for channel in effective_channels(context, recording) if channel.kind == "eeg"]
    found = run.prediction if run is not None and run.prediction else {}
    bad = bad_channels(context, recording)
    cleaning = context.storage.recordings.fact(recording, "cleaning")
    return {
        "Simulated": "yes" if is_simulated(context, recording) else "no",
        "Reference measured against": str(found.get("reference", "")),
        "Reference of the file": ", ".join(sorted({channel.reference or "not named" for channel in channels})),
        "Sampling rate": ", ".join(f"{rate:g} Hz" for rate in sorted({channel.rate for channel in channels})),
        "Filters of the amplifier": _filters(channels),
        "EEG channels": _names(channels, bad),
        "Cleaning by components": "yes" if cleaning and cleaning.get("on") and cleaning.get("exclude") else "no",
        "Awake": ("by staging" if found["awake"]["known"] else "not known") if found else "",
        "Settings of the measuring": ", ".join(f"{name} {run.settings[name]}" for name in ("reject_uv",)) if run else "",
    }


def _names(channels: Sequence[Any], bad: Sequence[str]) -> str:
    names = sorted(channel.name for channel in channels if channel.name not in bad)
    return f"{len(names)}: {', '.join(names)}"


def _filters(channels: Sequence[Any]) -> str:
    told_of = {(channel.high_pass, channel.low_pass, channel.notch) for channel in channels}
    return "; ".join(
        sorted(
            ", ".join(f"{name} {value:g} Hz" for name, value in zip(("low cut", "high cut", "notch"), one, strict=True) if value)
            for one in told_of
        )
    )
