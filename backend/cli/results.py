"""A run's result in words: the warning that its model knows nothing first, then by whom, what was found, why, and where it was saved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from backend.profiles.wording import holds

_STRONGEST = 10


def result_text(made: Mapping[str, Any], found: Sequence[str], before: Sequence[str] = ()) -> str:
    """What a command prints of a run.

    Parameters
    ----------
    made : mapping
        The run as `backend.workbench.run_json` gives it; ``"not_explained"`` says why there is
        none where an explanation was asked for.
    found : sequence of str
        The result in words, led by the model's name.
    before : sequence of str
        Lines on the input, which no model made; the name then stands on a line of its own.
    """
    first, others = untrained_first(made["warnings"])
    by = f"By {made['model']['name']}:"
    led = [by, *found] if before else [" ".join([by, *found[:1]]), *found[1:]]
    lines = [*first, *before, *led]
    lines += why_lines(made.get("explanation") or {})
    if made.get("not_explained"):
        lines += ["", f"Why: not explained. {made['not_explained']}"]
    lines += [""] if "" in lines else []
    lines += [f"Note: {warning}" for warning in others]
    return "\n".join([*lines, f"Saved as run {made['run_id']}; the whole result: bioloom runs show {made['run_id']} --json"])


def untrained_first(warnings: Sequence[str]) -> tuple[list[str], list[str]]:
    """Warnings that a model knows nothing, which stand before any result, and the others."""
    first = [warning for warning in warnings if warning.startswith("UNTRAINED")]
    return first, [warning for warning in warnings if warning not in first]


def why_lines(explanation: Mapping[str, Any]) -> list[str]:
    """Every score that was explained: its target, whether the shares can be relied on and why, and the strongest of them."""
    lines: list[str] = []
    for part in explanation.values():
        if isinstance(part, Mapping) and "attributions" in part:
            lines += ["", *_shares(part)]
    if isinstance(explanation.get("words"), str) and "reliable" in explanation:  # a decoder's, whose shares stand in a grid
        lines += ["", f"Why: {explanation['words']} {_trust(explanation)}"]
    return lines


def _shares(part: Mapping[str, Any]) -> Iterator[str]:
    yield f"Why: {part['target']}. {_trust(part['faithfulness'])}"
    told = [item for item in part["attributions"] if item["value"]]
    for item in sorted(told, key=lambda item: -abs(item["value"]))[:_STRONGEST]:
        yield f"{item['value']:+.3f} {part['unit']}  {item['label']}"
    if len(told) > _STRONGEST:
        yield f"... and {len(told) - _STRONGEST:,} weaker shares"


def _trust(told: Mapping[str, Any]) -> str:
    return f"{holds(bool(told['reliable']))}: {told['reason']}"
