"""Background activity in sentences, as a report would have them."""

from __future__ import annotations

from collections.abc import Mapping

from backend.domain import Json
from backend.eeg.baseline.rhythm import rhythm_words


def text_of(data: Mapping[str, Json]) -> list[str]:
    """The findings, one sentence each; every number with its interval."""
    lines = []
    if data["awake"]["known"]:
        lines.append(f"Only waking is measured: {data['awake']['seconds'] / 60:.1f} min, by {data['awake']['source']}.")
    for state in data["states"]:
        if state["reason"]:
            lines.append(state["reason"])
            continue
        rhythm = state["rhythm"]
        head = {"not said": "Eyes not said to be open or closed"}.get(state["state"], state["state"].capitalize())
        where = ", ".join(rhythm["channels"][:6]) + (f" and {len(rhythm['channels']) - 6} more" if len(rhythm["channels"]) > 6 else "")
        told = f"{_name(state)} {rhythm_words(rhythm)}" if rhythm["found"] else rhythm_words(rhythm)
        lines.append(f"{head} ({state['clean_s']:.0f} s clean, {data['reference']}): {told}{'' if told.endswith('.') else f' at {where}.'}")
        if rhythm["fallback"] == "none":
            lines.append(f"No posterior electrode is there; the rhythm was looked for at {where}.")
        elif rhythm["fallback"] and rhythm["found"]:
            why = "is there" if rhythm["fallback"] == "parietal" else "has enough clean signal"
            lines.append(f"No occipital electrode {why}; the next ones forward stand in for it.")
        lines += _sides(rhythm)
    if (change := data["reactivity"]) is not None:
        lines.append(_reactive(change))
    return lines


def _name(state: Mapping[str, Json]) -> str:
    """The dominant rhythm is that of closed eyes; what is seen otherwise is a peak."""
    if state["rhythm"]["fallback"] == "none":
        return "Highest peak"
    return "Posterior dominant rhythm" if state["state"] == "eyes closed" else "Posterior alpha peak"


def _sides(rhythm: Mapping[str, Json]) -> list[str]:
    sides = rhythm["sides"]
    if not rhythm["found"] or set(sides) != {"left", "right"}:
        return []
    left, right = sides["left"], sides["right"]
    if not (left["found"] and right["found"]):
        lacking = [side for side in ("left", "right") if not sides[side]["found"]]
        return [f"The peak is not found on the {' nor on the '.join(lacking)} by itself."] if lacking else []
    one, two = left["peak"]["value"], right["peak"]["value"]
    # a difference of more than 1 Hz between the sides is abnormal in clinical reading
    judged = "a difference over 1 Hz" if abs(one - two) > 1 else "alike"
    where = [" ".join(side["channels"]) for side in (left, right)]
    sizes = f"amplitude there {left['amplitude']['value']:.0f} and {right['amplitude']['value']:.0f} µV peak to peak"
    ratios = "ratios of power below are of all electrodes of a region"
    return [f"Left ({where[0]}) {one:.1f} Hz, right ({where[1]}) {two:.1f} Hz: {judged}; {sizes}; {ratios}."]


def _reactive(found: Mapping[str, Json]) -> str:
    change = found["change"]
    where = ", ".join(found["channels"][:6])
    told = f"({_percent(change['low'])} to {_percent(change['high'])}, 95% interval) at {where}"
    if change["high"] < 1:
        return f"Alpha power changes by {_percent(change['change'])} on opening the eyes {told}: reactive."
    if change["low"] > 1:
        return f"Alpha power changes by {_percent(change['change'])} on opening the eyes {told}: it does not fall."
    return f"Alpha power changes by {_percent(change['change'])} on opening the eyes {told}: no clear reactivity."


def _percent(ratio: float) -> str:
    return f"{100 * (ratio - 1):+.0f}%"
