"""What the person adds to a file that does not say it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class TableOptions:
    """What a table of numbers does not say itself.

    Attributes
    ----------
    rate : float or None
        Samples a second; None: told by the time column.
    unit : str
        Unit of the columns.
    """

    rate: float | None = None
    unit: Literal["uV", "mV", "V"] = "uV"
