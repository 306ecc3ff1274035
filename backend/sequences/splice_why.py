"""Why the networks see a splice site, or what a variant does to one: Shapley values of bases, with in-silico mutagenesis beside them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json
from backend.errors import InputError
from backend.explain.sites import explain_sites
from backend.explain.text import to_json
from backend.sequences.splice_delta import EFFECTS, WORDS, align, changed, judge, reversed_strand, window
from backend.sequences.splice_notation import Variant
from backend.tasks import Context

if TYPE_CHECKING:
    from backend.models.families.cispliceai import Splicer

MODEL = "cispliceai"
EVALUATIONS = 1024
_FLANK = 45  # bases on each side of the site that take part
_RINGS = ((6, 1), (24, 3), (_FLANK, 7))  # up to so many bases from the site, so many bases are one player
_LETTERS = "ACGT"
_CHANNEL = {"acceptor": 1, "donor": 2}

Values = Callable[[np.ndarray], np.ndarray]
"""Codes (m, w) of the explained letters to m scores."""


def explain_splice(
    context: Context, prediction: Mapping[str, Json], target: Mapping[str, Json], settings: Mapping[str, Json]
) -> dict[str, Json]:
    """Explain one site's probability, or one delta score of a variant.

    Parameters
    ----------
    target : mapping
        ``record``, and either ``site`` ("donor" or "acceptor") with ``place``, or ``variant`` (as it was given) with ``effect``
        (one of `EFFECTS`; the largest unless given). Empty: the first variant, or else the surest site.

    Raises
    ------
    InputError
        When the target names nothing of the result.
    """
    from backend.models.families.cispliceai import UNKNOWN, encode_bases

    found = _result(prediction, target)
    wanted = _wanted(found, target)
    codes = encode_bases(found["sequence"])
    places = found["places"] or range(1, len(codes) + 1)
    with context.runtime.use(MODEL) as splicer:
        if "variant" in wanted:
            made = next(item for item in found["variants"] if item["variant"] == wanted["variant"])
            site, low, high, values = _of_variant(splicer, codes, found["strand"], made, wanted["effect"], places)
            words = f"delta score of {made['variant']}: {WORDS[wanted['effect']]} at {places[site]:,}"
        else:
            site = _index(places, int(wanted["place"]))
            low, high = max(0, site - _FLANK), min(len(codes), site + _FLANK + 1)
            judged = _one_site(splicer, codes, found["strand"], site, low, high)

            def values(letters: np.ndarray) -> np.ndarray:
                return judged(letters)[:, _CHANNEL[wanted["site"]]]

            words = f"probability of a splice {wanted['site']} at {places[site]:,}"
        here = codes[low:high]

        def score(present: NDArray[np.bool_]) -> np.ndarray:
            return values(np.where(present[:, low:high], here, UNKNOWN).astype(np.uint8))

        explanation = explain_sites(
            score,
            found["sequence"],
            places,
            _players(site, low, high),
            target=words,
            unit="probability",
            baseline="unknown letters (N) in place of the absent bases",
            noun="base",
            note=f"bases {places[low]:,} to {places[high - 1]:,} take part, all others stay as they are; mean of all five networks",
            evaluations=EVALUATIONS,
            progress=context.progress,
        )
        mutated = _mutagenesis(values, here)
    return {
        "target": wanted,
        "model": MODEL,
        "sites": to_json(explanation),
        "site": site,
        "window": [low, high],
        "mutagenesis": {
            "places": [places[at] for at in range(low, high)],
            "letters": found["sequence"][low:high],
            "bases": list(_LETTERS),
            "change": mutated,
            "unit": "change of the explained number when one base is exchanged",
        },
    }


def _result(prediction: Mapping[str, Json], target: Mapping[str, Json]) -> dict[str, Json]:
    results = prediction["results"]
    name = target.get("record", results[0]["record"])
    for found in results:
        if found["record"] == name:
            return dict(found)
    raise InputError(f"The result has no record '{name}'.", f"Its records are: {', '.join(item['record'] for item in results)}.")


def _wanted(found: Mapping[str, Json], target: Mapping[str, Json]) -> dict[str, Json]:
    """The target with everything named that was left open."""
    record = found["record"]
    if target.get("site") or target.get("place"):
        kind, place = str(target.get("site", "")), target.get("place")
        if kind not in _CHANNEL or place is None:
            raise InputError("A site is named by its kind and its place.", "Give site=donor (or acceptor) and place=142.")
        return {"record": record, "site": kind, "place": int(place)}
    if target.get("variant") or (found["variants"] and not target.get("site")):
        names = [made["variant"] for made in found["variants"]]
        name = str(target.get("variant") or names[0])
        if name not in names:
            raise InputError(f"{name} is no variant of this result.", f"Its variants are: {', '.join(names) or 'none'}.")
        effect = str(target.get("effect") or found["variants"][names.index(name)]["effect"])
        if effect not in EFFECTS:
            raise InputError(f"'{effect}' is no effect on splicing.", f"Effects are: {', '.join(EFFECTS)}.")
        return {"record": record, "variant": name, "effect": effect}
    if not found["sites"]:
        raise InputError("No splice site was found, so there is none to explain.", "Name a place: site=donor and place=142.")
    best = max(found["sites"], key=lambda site: site["probability"])
    return {"record": record, "site": best["kind"], "place": best["place"]}


def _index(places: Any, place: int) -> int:
    try:
        return int(list(places).index(place)) if not isinstance(places, range) else places.index(place)
    except ValueError as error:
        raise InputError(f"Nothing stands at {place} of the record.", "Name a place of the sites table.") from error


def _one_site(splicer: Splicer, codes: np.ndarray, strand: str, site: int, low: int, high: int) -> Values:
    """Probabilities (m, 3) at `site` for versions of the letters `low` to `high`, in the order of the letters as given."""
    if strand == "+":
        return splicer.at_base(codes, site, low, high).probabilities
    n = len(codes)
    judged = splicer.at_base(reversed_strand(codes), n - 1 - site, n - high, n - low)
    turned = np.array([3, 2, 1, 0, 4], dtype=np.uint8)
    return lambda letters: judged.probabilities(turned[letters][:, ::-1])


def _of_variant(
    splicer: Splicer, codes: np.ndarray, strand: str, made: Mapping[str, Json], effect: str, places: Any
) -> tuple[int, int, int, Values]:
    """The site that a delta score is about, the letters that take part, and the score of versions of them.

    A letter that the variant replaces is masked in both sequences at once; inserted letters are masked with the base before them.
    """
    from backend.models.families.cispliceai import UNKNOWN, encode_bases

    variant = Variant(str(made["variant"]), int(made["index"]), str(made["ref"]), str(made["alt"]))
    kind, change = effect.split("_")
    channel, site = _CHANNEL[kind], _index(places, int(made[effect]["place"]))
    new = changed(codes, variant)
    first, last = window(variant, len(codes))
    aligned = align(judge(splicer, new, strand, first, last + len(variant.alt) - len(variant.ref)), first, variant)
    origin = int(aligned.origin[site - first, channel])
    low = max(0, min(site - _FLANK, variant.start - 5))
    high = min(len(codes), max(site + _FLANK + 1, variant.end + 5))
    grown = len(variant.alt) - len(variant.ref)
    before = _one_site(splicer, codes, strand, site, low, high)
    after = _one_site(splicer, new, strand, origin, low, high + grown) if origin >= 0 else None
    sign = 1.0 if change == "gain" else -1.0
    inserted = encode_bases(variant.alt)
    at, until = variant.start - low, variant.end - low
    shared = min(len(variant.ref), len(variant.alt))

    def values(letters: np.ndarray) -> np.ndarray:
        old = before(letters)[:, channel]
        if after is None:
            return -sign * old
        block = np.repeat(inserted[None], len(letters), axis=0)
        block[:, :shared][letters[:, at : at + shared] == UNKNOWN] = UNKNOWN
        if len(inserted) > shared:
            ahead = max(0, at + shared - 1)
            block[letters[:, ahead] == UNKNOWN, shared:] = UNKNOWN
        return sign * (after(np.concatenate([letters[:, :at], block, letters[:, until:]], axis=1))[:, channel] - old)

    return site, low, high, values


def _players(site: int, low: int, high: int) -> list[tuple[int, int]]:
    """Single bases at the site, threes around it, longer stretches beyond: few enough that their shares are steady."""
    edges, at = [site], site
    for reach, size in _RINGS:
        while at < min(high, site + reach + 1):
            at = min(high, at + size)
            edges.append(at)
    at = site
    for reach, size in _RINGS:
        while at > max(low, site - reach):
            at = max(low, at - size)
            edges.append(at)
    edges += [*range(low, min(edges), _RINGS[-1][1]), *range(high, max(edges), -_RINGS[-1][1])]
    return list(itertools.pairwise(sorted(set(edges))))


def _mutagenesis(values: Values, here: np.ndarray) -> list[list[float]]:
    """What each exchange of one base does to the score: (letters, 4) in the order A, C, G, T; 0 where the base is the given one."""
    versions = np.repeat(here[None], 4 * len(here), axis=0)
    versions[np.arange(4 * len(here)), np.repeat(np.arange(len(here)), 4)] = np.tile(np.arange(4, dtype=np.uint8), len(here))
    same = (versions == here).all(axis=1)
    found = np.zeros(len(versions))
    found[~same] = values(versions[~same]) - float(values(here[None])[0])
    return [[round(float(value), 4) for value in row] for row in found.reshape(-1, 4)]
