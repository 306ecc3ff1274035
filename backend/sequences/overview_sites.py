"""Where restriction enzymes cut a linear piece of DNA."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from backend.domain import Json
from backend.errors import InputError
from backend.sequences.overview_orfs import complement

USUAL = (
    "AatII AccI AflII AgeI ApaI AscI AvrII BamHI BclI BglI BglII BsaI BsmBI BspEI BstBI ClaI DraI EagI EcoRI EcoRV FseI HindIII HpaI KpnI "
    "MfeI MluI NcoI NdeI NheI NotI NruI NsiI PacI PmeI PstI PvuI PvuII SacI SacII SalI SapI SbfI ScaI SmaI SnaBI SpeI SphI SspI StuI SwaI "
    "XbaI XhoI XmaI"
).split()
_CLASSES = {"R": "AG", "Y": "CT", "S": "CG", "W": "AT", "K": "GT", "M": "AC", "B": "CGT", "D": "AGT", "H": "ACT", "V": "ACG", "N": "ACGT"}


def choose_enzymes(given: str) -> list[Any]:
    """Enzymes by ``usual`` (53 of the bench), ``all`` (every commercially available one), or names parted by commas.

    Raises
    ------
    InputError
        When a name is not in REBASE as Biopython carries it.
    """
    from Bio import Restriction

    wanted = given.strip().lower()
    if wanted == "none":
        return []
    if wanted == "all":
        return sorted((enzyme for enzyme in Restriction.CommOnly if _cuts(enzyme)), key=str)
    names = USUAL if wanted in ("", "usual") else [part for part in re.split(r"[\s,;]+", given) if part]
    known = {str(enzyme).lower(): enzyme for enzyme in Restriction.AllEnzymes}
    for name in names:
        if name.lower() not in known or not _cuts(known[name.lower()]):
            raise InputError(
                f"There is no restriction enzyme '{name}' with a known cut.", "Names are as in REBASE, such as EcoRI; or 'all', 'none'."
            )
    return [known[name.lower()] for name in dict.fromkeys(names)]


def find_sites(sequence: str, enzymes: list[Any], most: int = 20_000) -> tuple[list[dict[str, Json]], list[dict[str, Json]]]:
    """Every site, and every enzyme with its number of sites.

    A site is told where every letter of the sequence certainly fits; ambiguous letters of the sequence fit nothing.

    Returns
    -------
    list of dict
        Sites by place, at most `most`: ``enzyme``, ``start`` and ``end`` (half-open letters, from 0), ``strand``, ``cut`` (the upper
        strand is cut before this letter, from 0; may lie outside the site).
    list of dict
        ``enzyme``, ``site``, ``overhang``, ``count`` of every enzyme asked for.
    """
    sites: list[dict[str, Json]] = []
    table: list[dict[str, Json]] = []
    places: dict[str, list[int]] = {}  # many enzymes share a site
    for enzyme in enzymes:
        site = str(enzyme.site)
        other = complement(site)
        count = 0
        for strand, text in ((1, site), (-1, other)) if other != site else ((1, site),):
            if text not in places:
                places[text] = _places(sequence, text)
            for start in places[text]:
                cut = start + int(enzyme.fst5) if strand > 0 else start - int(enzyme.fst3)
                if not 0 < cut < len(sequence):
                    continue
                count += 1
                sites.append({"enzyme": str(enzyme), "start": start, "end": start + len(site), "strand": strand, "cut": cut})
        overhang = "blunt" if enzyme.is_blunt() else "5'" if enzyme.is_5overhang() else "3'" if enzyme.is_3overhang() else "unknown"
        table.append({"enzyme": str(enzyme), "site": site, "overhang": overhang, "count": count})
    sites.sort(key=lambda found: (found["start"], found["enzyme"]))
    return sites[:most], table


def _cuts(enzyme: Any) -> bool:
    return enzyme.fst5 is not None and enzyme.fst3 is not None and enzyme.scd5 is None and bool(enzyme.site)


def _places(sequence: str, site: str) -> list[int]:
    if set(site) <= set("ACGT"):
        found, at = [], sequence.find(site)
        while at >= 0:
            found.append(at)
            at = sequence.find(site, at + 1)
        return found
    return [match.start() for match in _pattern(site).finditer(sequence)]


@lru_cache(maxsize=2_000)
def _pattern(site: str) -> re.Pattern[str]:
    return re.compile("(?=" + "".join(f"[{_CLASSES[letter]}]" if letter in _CLASSES else letter for letter in site) + ")")
