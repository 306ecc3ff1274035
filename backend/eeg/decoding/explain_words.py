"""What an explanation of a decoder says: the ranking, what only helps, whether other ways of asking agree, and one sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from backend.domain import Json
from backend.explain.deletion import rank_correlation
from backend.explain.signals import Floats

MOST_P = 0.05
_LISTED = 12
_HELPS = 0.2  # of the largest share: what a part that tells nothing alone must have to be named
_ALIKE = 0.5  # rank correlation from which two ways of asking are said to agree


def ranked(result: Mapping[str, Json], pattern: Floats) -> dict[str, Json]:
    """The order of channels and bands, those that only help, and the agreement with other ways of asking.

    Parameters
    ----------
    pattern : array (groups, bands)
        Largest absolute correlation of a group's band with the decoder's output.
    """
    shares, errors = (np.array(result["cells"][name]) for name in ("values", "errors"))
    p_alone = np.array(result["alone"])
    signed = result["target"].get("calibration") is True
    key = shares if signed else np.abs(shares)
    carries = p_alone < MOST_P
    fallback = not carries.any()
    order = [divmod(int(n), shares.shape[1]) for n in np.argsort(-key.ravel(), kind="stable")]
    parts = [
        {
            "channel": name_group(result["groups"][group]),
            "band": result["bands"][band]["name"],
            "hertz": [result["bands"][band]["low"], result["bands"][band]["high"]],
            "value": float(shares[group, band]),
            "error": float(errors[group, band]),
            "p_alone": float(p_alone[group, band]),
            "carries": bool(carries[group, band]),
        }
        for group, band in order
    ]
    leading = [part for part in parts if (part["carries"] or fallback) and (part["value"] > 0 or not signed)]
    most = float(np.abs(shares).max())
    helpers = [
        part
        for part in sorted(parts, key=lambda one: -abs(one["value"]))
        if not part["carries"] and not fallback and abs(part["value"]) >= max(_HELPS * most, 2 * part["error"])
    ]
    return {
        "ranking": leading[:_LISTED],
        "helpers": helpers[:_LISTED],
        "by_share": parts[:_LISTED],
        "nothing_alone": fallback,
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
    elif whole and result["nothing_alone"]:
        reason += " No channel and band tells the classes apart by itself, so the order below is that of the shares alone."
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
            f"Trial {result['target']['trial'] + 1} is called {result['class']} with log-odds {result['score']:+.2f}; "
            f"the trials it is compared with have {result['base']:+.2f}."
        )
    if not reliable or not parts:
        return said
    named = [f"{name_part(part)}, {part['value']:+.2f} ± {part['error']:.2f}" for part in parts[:3]]
    said += f" Most comes from {named[0]}"
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
    first, rows = _first(result, own), []
    for name, found in others.items():
        against = found if signed or name == "activation patterns" else np.abs(found)
        # parts that no method gives anything have no order: only those that one of the two puts forward are compared
        either = np.zeros(own.shape, dtype=bool)
        for values in (own, against):
            either.ravel()[np.argsort(-values.ravel(), kind="stable")[:10]] = True
        correlation = rank_correlation(own[either], against[either])
        rows.append({"with": name, "correlation": round(correlation, 3), "first": _first(result, against), "alike": correlation >= _ALIKE})
    same = [row["with"] for row in rows if row["first"] == first]
    differ = [f"{row['with']}, {row['first']}" for row in rows if row["first"] != first]
    words = f"Shapley values put {first} first"
    words += f"; so do {_list(same)}." if same else "."
    words += f" First by {'; by '.join(differ)}." if differ else ""
    weak = [f"{row['with']} ({row['correlation']:+.2f})" for row in rows if not row["alike"]]
    words += (
        f" Of the order of the leading parts, little agreement with {_list(weak)}." if weak else " The order of the leading parts agrees."
    )
    return {"agreement": {"methods": rows, "words": words, "agree": not differ and not weak}}


def _first(result: Mapping[str, Json], values: Floats) -> str:
    group, band = divmod(int(values.argmax()), values.shape[1])
    found = result["bands"][band]
    return name_part({"channel": name_group(result["groups"][group]), "band": found["name"], "hertz": [found["low"], found["high"]]})


def _list(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
