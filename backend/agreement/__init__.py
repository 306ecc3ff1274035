"""How far two results of one task agree, in the task's own terms: one sentence each, with a 95% interval where there is one."""

from __future__ import annotations

from collections.abc import Mapping

from backend.agreement import nearness, sequences, texts
from backend.agreement.measures import Agreement, Measure
from backend.domain import Json

__all__ = ["Agreement", "agreements"]

_MEASURES: tuple[Measure, ...] = (*texts.MEASURES, *sequences.MEASURES, *nearness.MEASURES)


def agreements(first: Mapping[str, Json], second: Mapping[str, Json]) -> list[Agreement]:
    """Every measure that the shape of both results allows; empty where none is known for it."""
    return [made for measure in _MEASURES for made in measure(first, second)]
