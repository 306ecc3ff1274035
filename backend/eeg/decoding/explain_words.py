"""What an explanation of a decoder says: the ranking, what only helps, whether other ways of asking agree, and one sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from backend.domain import Json
from backend.eeg.decoding.explain_alone import Alone
from backend.explain.deletion import correlation
from backend.explain.signals import Floats

MOST_P = 0.02  # of being ranked while telling nothing alone, whatever the number of parts asked
_LISTED = 12
_LEADS = 0.2  # of the largest share: what a part must have to be named and asked what it tells alone
_ALIKE = 0.5  # correlation over all channels and bands from which two ways of asking are said to agree


def ranked(result: Mapping[str, Json], alone: Alone, pattern: Floats, groups: Sequence[Sequence[int]]) -> dict[str, Json]:
    """The order of channels and bands, those that only help, and the agreement with other ways of asking.

    Only parts with a share worth a name are asked what they tell alone, so that the test is not spent on the others.

    Parameters
    ----------
    pattern : array (groups, bands)
        Largest absolute correlation of a group's band with the decoder's output.
    """
    shares, errors = (np.array(result["cells"][name]) for name in ("values", "errors"))
    signed = result["target"].get("calibration") is True
    size = shares if signed else np.abs(shares)
    leading = (size >= _LEADS * size.max()) & (size > 2 * errors) & (size > 0)
    leading.ravel()[np.argsort(-size.ravel(), kind="stable")[_LISTED:]] = False
    p_alone = alone.p_values(groups, leading)
    parts = []
    for flat in np.argsort(-size.ravel(), kind="stable")[:_LISTED]:
        group, band = divmod(int(flat), shares.shape[1])
        p = float(p_alone[group, band])
        parts.append(
            {
                "channel": name_group(result["groups"][group]),
                "band": result["bands"][band]["name"],
                "hertz": [result["bands"][band]["low"], result["bands"][band]["high"]],
                "value": float(shares[group, band]),
                "error": float(errors[group, band]),
                "p_alone": round(p, 4) if leading[group, band] else None,
                "carries": p < MOST_P if leading[group, band] else None,
            }
        )
    return {
        "ranking": [part for part in parts if part["carries"]],
        "helpers": [part for part in parts if part["carries"] is False],
        "by_share": parts,
        **_agreement(result, shares, pattern, signed),
    }


def verdict(result: Mapping[str, Json]) -> dict[str, Json]:
    """``words``, ``reliable`` and ``reason``."""
    trust, gain = result["faithfulness"], result["gain"]
    reliable, reason = bool(trust["reliable"]), str(trust["reason"])
    whole = result["target"].get("calibration") is True
    if whole and gain["low"] <= 0:
        reliable = False
        reason = (
            f"On trials that it had not seen, the decoder hardly favours the right class ({_gain(gain)}), so there is nothing to explain."
        )
    return {"words": _sentence(result, whole, reliable), "reliable": reliable, "reason": reason}


def name_group(names: Sequence[str]) -> str:
    """C3; or, for channels that were taken together, FC5, C5 and 2 more."""
    return ", ".join(names) if len(names) <= 3 else f"{names[0]}, {names[1]} and {len(names) - 2} more"


def name_part(part: Mapping[str, Json]) -> str:
    """C3 in alpha (8-13 Hz)."""
    low, high = part["hertz"]
    return f"{part['channel']} in {part['band']} ({low:g}-{high:g} Hz)"


def _sentence(result: Mapping[str, Json], whole: bool, reliable: bool) -> str:
    gain, parts = result["gain"], result["ranking"]
    if whole:
        lead = "On trials that it had not seen" if result["held_out"] else "On the trials that it was fitted to"
        said = f"{lead}, the decoder gives the right class {_gain(gain)}."
    else:
        said = (
            f"Trial {result['target']['trial']} is called {result['class']} with log-odds {result['score']:+.2f}; "
            f"the trials it is compared with have {result['base']:+.2f}."
        )
    if not reliable:
        return said
    if not parts:
        used = f" {name_part(result['helpers'][0])} has the largest share, but" if result["helpers"] else ""
        return f"{said}{used} no channel and band tells the classes apart alone: what the decoder uses lies in how several go together."
    if whole:
        named = [f"{name_part(part)}, {part['value']:+.2f} ± {part['error']:.2f}" for part in parts[:3]]
        said += f" Most comes from {named[0]}"
    else:
        named = [
            f"{name_part(part)}, {'for' if part['value'] > 0 else 'against'} it, {part['value']:+.2f} ± {part['error']:.2f}"
            for part in parts[:3]
        ]
        said += f" What counts most is {named[0]}"
    said += f"; then {'; '.join(named[1:])}." if len(named) > 1 else "."
    if result["helpers"]:
        names = " and ".join(name_part(part) for part in result["helpers"][:2])
        verb = "are used, but tell" if len(result["helpers"]) > 1 else "is used, but tells"
        said += f" {names} {verb} nothing alone: of use only together with other channels, as where one noise is subtracted from another."
    return said


def _gain(gain: Mapping[str, Json]) -> str:
    return f"{gain['value']:+.2f} log-odds more than a trial of another class, 95% interval {gain['low']:+.2f} to {gain['high']:+.2f}"


def _agreement(result: Mapping[str, Json], shares: Floats, pattern: Floats, signed: bool) -> dict[str, Json]:
    """Rank correlations with the other ways of asking, which part each puts first, and both in words."""
    own = shares if signed else np.abs(shares)
    others = {
        "second seed": np.array(result["second"]),
        "occlusion": np.array(result["occlusion"]),
        "activation patterns": pattern,
    }
    first = _first(result, own)
    rows: list[dict[str, Json]] = []
    for name, found in others.items():
        against = found if signed or name == "activation patterns" else np.abs(found)
        alike = correlation(own.ravel(), against.ravel())
        rows.append({"with": name, "correlation": round(alike, 3), "first": _first(result, against), "alike": alike >= _ALIKE})
    same = [row["with"] for row in rows if row["first"] == first]
    differ = [f"{row['with']}, {row['first']}" for row in rows if row["first"] != first]
    words = f"Shapley values put {first} first"
    words += f"; so do {_list(same)}." if same else "."
    words += f" First by {'; by '.join(differ)}." if differ else ""
    weak = [f"{row['with']} ({row['correlation']:+.2f})" for row in rows if not row["alike"]]
    words += f" Over all channels and bands, little agreement with {_list(weak)}." if weak else " Over all channels and bands they agree."
    return {"agreement": {"methods": rows, "words": words, "agree": not differ and not weak}}


def _first(result: Mapping[str, Json], values: Floats) -> str:
    group, band = divmod(int(values.argmax()), values.shape[1])
    found = result["bands"][band]
    return name_part({"channel": name_group(result["groups"][group]), "band": found["name"], "hertz": [found["low"], found["high"]]})


def _list(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
