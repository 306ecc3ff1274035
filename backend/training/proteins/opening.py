"""Open an exported model through the ESM family, as the workbench does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from backend.models.esm_cards import CARDS
from backend.models.families import esm
from backend.models.published import is_untrained


def open_model(folder: Path, device: str = "cpu") -> esm.EsmModel:
    """The model in a folder of the published layout.

    Raises
    ------
    ModelError
        When the family does not take it for one of its own.
    """
    found = esm.examine(folder)
    card = replace(
        CARDS[0], name=folder.name, title=folder.name, source="local", tasks=found.tasks, files={}, untrained=is_untrained(folder)
    )
    made: esm.EsmModel = esm.load(folder, card, device)
    return made
