"""A number for each letter of a sequence: what strip, structure and plots are coloured by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Scale = Literal["diverging", "sequential", "plddt", "hydropathy", "category"]


@dataclass(frozen=True)
class Track:
    """Values along a sequence.

    Attributes
    ----------
    name : str
        What the reader chooses it by: "Mean effect of a substitution", "Disorder".
    values : sequence of float or None
        One a letter; None where there is none.
    unit : str
        Of the values, for legends.
    scale : str
        ``diverging`` (attribution colours, symmetric about zero), ``sequential``, ``plddt`` (AlphaFold's four bands), ``hydropathy``,
        ``category`` (values are 0, 1, 2 ... into `labels`).
    source : str
        Where the numbers come from, in a few words.
    bounds : tuple of float
        Values of the two ends of the colours, where the unit has its own (a probability: 0 and 1); else the colours span the values
        themselves, and a sequence without contrast would look as if it had some.
    """

    name: str
    values: Sequence[float | None]
    unit: str = ""
    scale: Scale = "sequential"
    source: str = ""
    labels: tuple[str, ...] = ()
    bounds: tuple[float, float] | None = None
