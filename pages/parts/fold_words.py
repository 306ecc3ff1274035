"""What is said of a folded RNA: how far to trust it, the selected base, bases and brackets in blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from backend.domain import ModelCard

RIGHT, SEEN = "Mean PPV of base pairs", "Mean sensitivity to base pairs"  # as the card names them


def blocks(lines: Sequence[str], places: Sequence[int] | None, width: int = 60) -> str:
    """Lines of equal length cut into blocks that stand below one another, the first line of each with the place of its first base."""
    numbers = [str(places[at] if places else at + 1) for at in range(0, len(lines[0]), width)]
    room = max(map(len, numbers))
    return "\n\n".join(
        "\n".join(f"{number if row == 0 else '':>{room}} {line[at * width : (at + 1) * width]}" for row, line in enumerate(lines))
        for at, number in enumerate(numbers)
    )


def sentence(result: Mapping[str, Any]) -> str:
    """How far the drawn structure can be trusted within the model, in one sentence."""
    defect, mfe = result["mfe"]["defect"], result["mfe"]
    if "(" not in mfe["structure"]:
        return "Left to itself this strand stays open: no structure is more stable than none."
    word = "Well defined" if defect <= 0.1 else "Partly defined" if defect <= 0.3 else "Poorly defined"
    tail = (
        "other structures are about as stable: trust the pairs that are probable, not the whole drawing."
        if defect > 0.1
        else "few others compete."
    )
    return f"{word} within the model: {percent(mfe['frequency'])} of the molecules would take exactly this structure, and {tail}"


def energy(value: float) -> str:
    """Kilocalories a mole, with a true minus."""
    return f"{value:.1f}".replace("-", "\u2212") + " kcal/mol"


def percent(share: float) -> str:
    """A share as people say it, also a very small one."""
    return f"{share:.0%}" if share >= 0.1 else f"{share:.1%}" if share >= 0.001 else "less than 0.1%"


def known_accuracy(card: ModelCard) -> str:
    """What the card's measurement means for the pairs of a drawing."""
    found = {quality.metric: quality for quality in card.quality}
    right, seen = found.get(RIGHT), found.get(SEEN)
    if right is None or seen is None:
        return "How often its pairs are right was not measured."
    return (
        f"On {right.data}, {right.value:.0%} of the pairs it draws are real ({right.low:.0%} to {right.high:.0%}), "
        f"and it finds {seen.value:.0%} of the real ones ({seen.low:.0%} to {seen.high:.0%})."
    )


def selected_base(result: Mapping[str, Any], selected: int | None) -> str:
    """The selected base and its likeliest partners."""
    if selected is None:
        return (
            "Click a base here or in the strand above to see its likeliest partners. Drag to move, scroll to enlarge, double-click for all."
        )
    from backend.figures.rna import places_of

    bases, places = result["sequence"], places_of(result)
    mine = sorted(((chance, i + j - selected) for i, j, chance in result["pairs"] if selected in (i, j)), reverse=True)
    listed = ", ".join(f"{bases[at]}{places[at]} {chance:.0%}" for chance, at in mine[:5])
    open_ = f"unpaired {max(0.0, 1 - result['paired'][selected]):.0%}"
    return f"{bases[selected]}{places[selected]}: {f'pairs with {listed}; ' if listed else ''}{open_}."
