"""What every view of a text task says of its model: which it is, what was read, its limits, the run's notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from backend.domain import Run
from pages.parts.bench import bench
from pages.parts.markup import escape, facts, html, some

_LIMITS = 4


def show_sure(run: Run, items: Sequence[tuple[str, str]] = ()) -> None:
    """Facts, the model's limits and the notes of the run; a model that is no longer listed is named all the same."""
    from backend.errors import ModelError
    from backend.models.registry import get_card

    try:
        card = get_card(str(run.model["name"]), bench().config)
    except ModelError:
        facts([*items, ("By", f"{run.model['name']} (no longer listed here)")])
    else:
        facts([*items, ("By", card.title)])
        if not card.quality:
            html(
                "<p>How good this checkpoint is at this task is not known here. Measure it on your own data: <b>Check it yourself</b>.</p>"
            )
        for figure in card.quality[:_LIMITS]:
            html(f"<p>{escape(figure.metric)} {figure.value:.2f} on {escape(figure.data)} ({escape(figure.origin)}).</p>")
        html("".join(f"<p class='bl-soft'>{escape(limit)}</p>" for limit in card.limits[:_LIMITS]))
    html("".join(f"<div class='bl-notice'><b>⚠ Note.</b> {escape(line)}</div>" for line in run.warnings[:20]))
    html("<p class='bl-soft'>For research. Read the text before you act on it.</p>")


def read_facts(read: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What was read, for the list of facts."""
    return [
        ("Read", f"{some(int(read['characters']), 'character')}, {some(int(read['sentences']), 'sentence')}"),
        ("In", f"{some(len(read['windows']), 'part')} of at most {read['window_tokens']:,} tokens; nothing was left out"),
        ("Unknown to the model", f"{read['unknown']:.1%} of the text's pieces"),
    ]
