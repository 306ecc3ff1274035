"""Cards as the command line prints them: stable JSON, and lines for a reader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backend.cli.shared import plain
from backend.domain import Json, ModelCard

if TYPE_CHECKING:
    from backend.models.registry import Family, Found
    from backend.workbench import Workbench

_WHY = {2: "something in it is this family's own", 1: "the architecture fits"}


def card_json(bench: Workbench, card: ModelCard) -> dict[str, Json]:
    """A card with what is known of it on this machine."""
    from backend.models.fit import peak_in_words
    from backend.models.measured import read_measured
    from backend.models.received import hashes_in_words
    from backend.models.registry import families

    own = families().get(card.family)
    fit = bench.runtime.fits(card)
    present = bench.runtime.present(card.name)
    made: dict[str, Json] = plain(card)
    made |= {
        "family_title": own.title if own else card.title,
        "about": own.about if own else card.summary,
        "sha256": card.sha256,
        "hashes": hashes_in_words(bench.config, card),
        "memory": peak_in_words(bench.config, card),
        "measured": plain(read_measured(bench.config, card)),
        "fits": fit.ok,
        "fit_reason": fit.reason,
        "fit_origin": fit.origin,
        "would_fit": list(fit.would),
        "state": "template" if card.template else "built in" if not card.files else "present" if present else "absent",
        "present": present,
        "loaded": any(resident.name == card.name for resident in bench.runtime.loaded()),
    }
    return made


def found_json(folder: Path, family: Family, found: Found) -> dict[str, Json]:
    """What a family reads off a folder."""
    from backend.models.registry import is_untrained

    return {
        "family": family.name,
        "title": family.title,
        "certainty": found.certainty,
        "why": _WHY[found.certainty],
        "tasks": list(found.tasks),
        "files": list(found.files),
        "parameters": found.parameters,
        "untrained": is_untrained(folder.expanduser()),
    }


def listing(cards: Sequence[Mapping[str, Any]]) -> str:
    """One block a family: its name, then a line for each of its models, its tasks beneath."""
    lines: list[str] = []
    for title, group in groupby(cards, key=lambda card: card["family_title"]):
        members = list(group)
        lines.append(f"\n{title} ({members[0]['family']})")
        lines += [line for card in members for line in _lines(card)]
    return "\n".join(lines).strip()


def measured_text(made: Mapping[str, Any]) -> str:
    """A measurement as a small table: a line for each length and batch."""
    lines = [
        f"{made['name']} on {made['machine']['device']}: loads in {made['load_seconds']} s, {_size(made['loaded_bytes'])} once loaded, "
        f"{_size(made['peak_bytes'])} at most."
    ]
    for point in made["points"]:
        what = f"{point['batch']:>4} of length {point['length']:>6,}" if point["length"] else "its heaviest work"
        lines.append(f"  {what}: {_size(point['bytes']):>8}, {point['seconds']:.2f} s")
    if made["ran_out"]:
        lines.append("Memory ran out at the next larger size.")
    return "\n".join(lines)


def _lines(card: Mapping[str, Any]) -> list[str]:
    size = f"{card['parameters'] / 1e6:,.1f} M" if card["parameters"] else "-"
    licence = f"{card['licence']}{' [non-commercial]' if card['non_commercial'] else ''}"
    marks = " UNTRAINED: for testing the loader." if card["untrained"] else ""
    origin = {"measured on this machine": "measured here"}.get(card["fit_origin"], card["fit_origin"])
    fit = f"{'fits' if card['fits'] else 'does not fit'} ({origin})"
    state = {"present": "on this machine", "absent": "to be fetched", "template": "add your folder"}.get(card["state"], card["state"])
    first = f"  {card['name']:<28} {card['source']:<8} {size:>12}  {state:<16} {fit}"
    return [f"{first}{marks}", f"      {licence}; {', '.join(card['tasks']) or 'no task'}"]


def _size(count: int) -> str:
    from backend.models.store import readable

    return readable(count)
