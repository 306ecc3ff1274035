"""What can be wrong with a channel: its sign, its limit, where the limit comes from, and what it means in one sentence."""

from __future__ import annotations

from dataclasses import dataclass

PREP = "PREP, Bigdely-Shamlo et al. 2015, doi:10.3389/fninf.2015.00016"
OURS = "Bioloom's convention"
BRIDGE = "electrical distance, Alschuler et al. 2014, doi:10.1016/j.clinph.2013.08.024; the limit is Bioloom's convention"


@dataclass(frozen=True)
class Fault:
    """One thing that can be wrong.

    Attributes
    ----------
    code : str
        The letter that stands for it in a minute.
    measure : str
        Key of the number that is judged.
    limit : float
        From here on the minute counts as faulty (`below`: from here down).
    serious : bool
        Whether the channel may be suggested as bad for it.
    """

    code: str
    name: str
    measure: str
    limit: float
    unit: str
    source: str
    meaning: str
    below: bool = False
    serious: bool = True


FAULTS = (
    Fault("F", "flat", "flat", 0.5, "share of the minute", OURS, "The signal does not change: electrode off, or input unused."),
    Fault("C", "clipped", "clipped", 0.01, "share of the minute", OURS, "The amplifier was driven to its end; what lies beyond is lost."),
    Fault(
        "D",
        "dropouts",
        "dropouts",
        0.02,
        "share of the minute",
        OURS,
        "The signal stands still again and again: a loose contact or lost data.",
    ),
    Fault(
        "N",
        "unlike the others",
        "correlation",
        0.4,
        "correlation",
        PREP,
        "Its best correlation with other electrodes is low: its contact is poor.",
        below=True,
    ),
    Fault(
        "A",
        "amplitude",
        "amplitude_z",
        5.0,
        "robust z",
        PREP,
        "Far larger or smaller than the other electrodes, the alpha rhythm left out.",
    ),
    Fault(
        "U",
        "muscle or noise",
        "high_z",
        5.0,
        "robust z",
        PREP,
        "Far more power above 30 Hz than the other electrodes (and a tenth or more): muscle, or a poor contact.",
    ),
    Fault(
        "M",
        "mains",
        "mains",
        0.25,
        "share of the power",
        OURS,
        "Mains hum stands out; a notch filter may be enough, else check the contact.",
        serious=False,
    ),
    Fault(
        "B", "bridged", "bridged", 1.0, "partners", BRIDGE, "Nearly the same signal as a neighbour: gel may join the two.", serious=False
    ),
    Fault(
        "S",
        "slow drift",
        "drift",
        200.0,
        "uV in a minute",
        OURS,
        "The baseline wanders: sweat, movement or a drying electrode. A high-pass filter helps.",
        serious=False,
    ),
)
BY_CODE = {fault.code: fault for fault in FAULTS}
OF_ANY = ("F", "C", "D")  # judged in every electric channel; the rest in EEG only
SUGGEST = 0.25  # a channel with serious faults in more than this share of its minutes is suggested as bad
LEAST_HIGH = 0.1  # share of power above 30 Hz below which a channel is quiet, however it compares with the others
BRIDGE_UV2, BRIDGE_SHARE = 3.0, 0.02  # median distance (uV2), and as a share of the smaller variance
