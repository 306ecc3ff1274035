"""Where electrodes of the 10-20 and 10-10 system lie: their region and side, and which carry the posterior rhythm."""

from __future__ import annotations

from collections.abc import Mapping

REGIONS: Mapping[str, tuple[str, ...]] = {  # by the row of the 10-10 system; T7, T8, P7, P8 and their like lie over the temporal lobe
    "frontal": ("Fp", "AFp", "AF", "AFF", "F", "FFC"),
    "central": ("FC", "FCC", "C", "CCP", "CP"),
    "temporal": ("FT", "FTT", "T", "TTP", "TP", "TPP"),
    "parietal": ("CPP", "P", "PPO"),
    "occipital": ("PO", "POO", "O", "OI", "I"),
}
_TEMPORAL = ("P7", "P8", "T5", "T6", "P9", "P10", "A1", "A2", "M1", "M2")
POSTERIOR = (  # the first of these groups of which an electrode is there carries the rhythm
    ("O1", "O2", "Oz"),
    ("PO3", "PO4", "POz", "PO7", "PO8"),
    ("P3", "P4", "Pz", "P7", "P8"),
)
_EARS = ("A1", "A2", "M1", "M2")


def region_of(electrode: str) -> str:
    """The region of a 10-20 or 10-10 electrode; '' for ears and mastoids."""
    if electrode in _EARS:
        return ""
    if electrode in _TEMPORAL:
        return "temporal"
    row = electrode.rstrip("0123456789zh")
    return next((region for region, own in REGIONS.items() if row in own), "")


def side_of(electrode: str) -> str:
    """'left', 'right' or 'middle'."""
    number = "".join(letter for letter in electrode if letter.isdigit())
    return "middle" if not number else "left" if int(number) % 2 else "right"
