"""What the person wants in a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

SECTIONS: Mapping[str, str] = {
    "recording": "The recording",
    "altered": "What was altered, repaired or left out",
    "quality": "Technical quality",
    "background": "Background activity",
    "sleep": "Sleep",
    "spindles": "Sleep spindles",
    "decoder": "Decoder",
    "events": "Annotated events",
    "made": "How it was computed",
}
NEEDED = ("recording", "altered", "made")  # a report without these would hide what it rests on


@dataclass(frozen=True)
class Choice:
    """Sections, the marks whose pages are drawn, how these look, and what the clinician wrote.

    Attributes
    ----------
    pages : tuple of int
        Ids of annotations.
    pages_at : tuple of float
        Seconds from which further pages are drawn.
    question, impression, reader : str
        The clinician's own words; '' stands as not written.
    """

    sections: tuple[str, ...] = tuple(SECTIONS)
    pages: tuple[int, ...] = ()
    pages_at: tuple[float, ...] = ()
    montage: str = ""
    uv_per_mm: float = 7.0
    low_cut: float | None = 1.0
    high_cut: float | None = 70.0
    notch: float | None = 50.0
    question: str = ""
    impression: str = ""
    reader: str = ""
    made: str = ""  # date of the report; '' for today
