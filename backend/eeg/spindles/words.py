"""What a run of `eeg.spindles` says in sentences, and what speaks against trusting it."""

from __future__ import annotations

from collections.abc import Mapping

from backend.domain import Json

_FEW_MINUTES = 10.0
_FAST_ENOUGH = 200.0
_FULL_BAND = 100.0
_POOR = 0.4  # F1 below which the two detectors hardly speak of the same events


def text_of(data: Mapping[str, Json]) -> list[str]:
    """One line a channel: densities and agreement over all stages asked for."""
    return [line_of(channel, data["stages"]["within"]) for channel in data["channels"]]


def line_of(channel: Mapping[str, Json], within: list[str]) -> str:
    """'C3-M2: 4.1 spindles a minute of N2 and N3 (95% interval 3.6 to 4.7) by OpenSpindleNet, ...'."""
    whole = channel["summary"][0]
    density = whole["density"]
    told = [
        f"{channel['name']}: {rate(density['network'])} spindles a minute of {' and '.join(within)} by OpenSpindleNet",
        f"{rate(density['second'])} by YASA",
        f"{rate(density['both'])} by both",
    ]
    f1 = whole["agreement"]["f1"]
    agreed = f"agreement F1 {f1['value']:.2f}" if f1 else "neither found any"
    return f"{', '.join(told)}; {agreed}, {whole['minutes']:.0f} min."


def rate(density: Mapping[str, Json] | None) -> str:
    """'4.1 (3.6 to 4.7)'."""
    return "none" if density is None else f"{density['value']:.1f} ({density['low']:.1f} to {density['high']:.1f})"


def agreement_words(whole: Mapping[str, Json]) -> str:
    """How far two detectors agree on one channel, as a clinician would say it."""
    found = whole["agreement"]
    pairs, only, second = found["pairs"], found["only_network"], found["only_second"]
    if not pairs + only + second:
        return "Neither detector found a spindle."
    f1 = float(found["f1"]["value"])
    word = "well" if f1 >= 0.7 else "moderately" if f1 >= 0.5 else "poorly"
    bounds = "" if found["f1"]["low"] is None else f", 95% interval {found['f1']['low']:.2f} to {found['f1']['high']:.2f}"
    kappa = "" if found["kappa"] is None else f"; of the time itself, kappa {found['kappa']:.2f}"
    return (
        f"The two detectors agree {word}: {pairs:,} spindles were found by both, {only:,} by the network only and {second:,} by YASA only "
        f"(F1 {f1:.2f}{bounds}{kappa})."
    )


def warnings_of(data: Mapping[str, Json]) -> list[str]:
    """What the reader should know before relying on the numbers."""
    found = list(data["notes"])
    channels = data["channels"]
    if slow := [channel["name"] for channel in channels if channel["rate"] and channel["rate"] < _FAST_ENOUGH]:
        rates = sorted({channel["rate"] for channel in channels if channel["name"] in slow})
        found.append(
            f"{', '.join(slow)}: sampled at {', '.join(f'{one:g}' for one in rates)} Hz. Below 200 Hz the network marks more events than "
            "at 250 Hz; the publisher counted 7% more at 128 Hz and 26% more at 100 Hz in one hour of sleep."
        )
    if dull := [channel["name"] for channel in channels if channel["low_pass"] and channel["low_pass"] < _FULL_BAND]:
        cuts = sorted({channel["low_pass"] for channel in channels if channel["name"] in dull})
        found.append(
            f"{', '.join(dull)}: the amplifier cut off above {', '.join(f'{one:g}' for one in cuts)} Hz. The network reads up to 125 Hz; "
            "with a cut at 50 Hz the publisher counted 25% more events in one hour of sleep."
        )
    for channel in channels:
        whole = channel["summary"][0]
        if whole["minutes"] < _FEW_MINUTES:
            found.append(f"{channel['name']}: only {whole['minutes']:.1f} min could be searched, so densities are uncertain.")
        f1 = whole["agreement"]["f1"]
        if f1 and f1["value"] < _POOR:
            found.append(
                f"{channel['name']}: the two detectors hardly agree (F1 {f1['value']:.2f}). Look at events before using either count."
            )
    if data["stages"]["source"].startswith("said by the person"):
        found.append("All of the recording was taken as NREM sleep, as asked. In other stages the detectors mark alpha and artefacts.")
    return found
