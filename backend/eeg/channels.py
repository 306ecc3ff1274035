"""Channel names: the 10-20 spelling, the kind that a name tells, and which labels may be kept at all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from backend.eeg.identifiers import has_date
from backend.eeg.recording import Kind

# Oostenveld and Praamstra 2001, doi:10.1016/S1388-2457(00)00527-7: rows of the 10-5 system, front to back
_ROWS = (
    "N Fp AFp AF AFF F FFT FFC FT FC FTT FCC T C TTP CCP TP CP TPP CPP P PPO PO POO O OI I".split()
)  # fmt: skip
_CANONICAL = {row.casefold(): row for row in _ROWS}
_ELECTRODE = re.compile(r"(?P<row>[a-z]{1,3})(?P<place>z|10|[1-9])(?P<half>h?)", re.IGNORECASE)
_EARS = {name.casefold(): name for name in ("A1", "A2", "M1", "M2", "Cb1", "Cb2")}
OLD_NAMES = {"T3": "T7", "T4": "T8", "T5": "P7", "T6": "P8"}
_COMMON = {"ref": "Ref", "le": "LE", "avg": "Avg", "av": "Avg", "ave": "Avg", "car": "Avg", "g1": "Ref", "g2": "Ref", "org": "Ref"}

_WORDS: tuple[tuple[Kind, str], ...] = (
    ("photic", "photic|photo|pho|flash|strobe"),
    ("trigger", "status|triggers?|trig|sti|stim|events?|markers?|dc"),
    ("ecg", "ecg[lr]?|ekg[lr]?|cardiogram"),
    ("eog", "eog[lrvhud]?|[vhlr]eog|loc|roc|e[12]"),
    ("emg", "emg|chin|tib|tibialis|legs?|l?leg|r?leg|arm|masseter|deltoid|submental|plm[lr]?"),
    ("spo2", "spo2|sao2|osat|sat|oxy|oximetry|oxstat"),
    ("pulse", "pulse|pleth|ppg|hr|heart ?rate|pr|puls"),
    (
        "resp",
        "resp|respiration|airflow|flow|nasal|oronasal|oral|therm|thermistor|thor|thorax|thoracic|chest|abd|abdo|abdomen|abdominal"
        "|effort|cannula|rip|cpap|ptaf|co2|etco2|breathing|belt",
    ),
    ("sound", "snore|mic|sound|audio|voice"),
    ("position", "pos|position|body"),
    ("temperature", "temp|temperature|rectal|skin"),
    ("motion", "acc[xyz]?|accelerometer|gyro[xyz]?|motion|movement|actigraphy|activity"),
    ("other", "aux[a-z]?|ext|exg|battery|counter|light|light sensor|gsr|eda|impedance|annotations?|misc|nc"),
)
_KINDS = tuple((kind, re.compile(rf"(?<![a-z])(?:{words})(?![a-z])")) for kind, words in _WORDS)
_PLAIN_WORDS = frozenset(
    """eeg ecg ekg eog emg ref avg left right upper lower horizontal vertical hor ver chin leg arm tib anterior posterior nasal oro oral
    rectal temp body position resp pressure flow air airflow thermistor thoracic thorax chest abdominal abdomen effort snore sound light
    sensor marker
    event status trigger stim photic pulse heart rate spo2 sao2 saturation oxygen battery counter channel chan electrode aux auxiliary
    misc lead bipolar mastoid ear linked average ground reference input output digital analog submental tibialis masseter acc accel
    accelerometer gyro motion activity signal raw sum mean total muse pleth oximetry cpap cannula belt derivation
    frontal central parietal occipital temporal diff deriv unused empty spare""".split()
)


@dataclass(frozen=True)
class Named:
    """What a label says: the name to show, the kind (None: it does not say), the electrode and the reference."""

    name: str
    kind: Kind | None
    electrode: str = ""
    reference: str = ""


def electrode(text: str) -> str:
    """The 10-20 or 10-05 spelling of an electrode ('FP1' gives 'Fp1'), or ''."""
    text = text.strip(" .").casefold()
    if text in _EARS:
        return _EARS[text]
    found = _ELECTRODE.fullmatch(text)
    if found is None or found["row"] not in _CANONICAL:
        return ""
    return f"{_CANONICAL[found['row']]}{found['place'].lower()}{found['half'].lower()}"


def read_label(label: str) -> Named:
    """What one channel label says.

    Examples
    --------
    'EEG Fp1-Ref' is Fp1 against a common reference; 'Fc5.' is FC5; 'C4-A1' is C4 against the left ear; 'Fp1-F7' a bipolar lead.
    """
    text = " ".join(label.replace("\0", " ").split()).strip(" .")
    bare = re.sub(r"^(?:EEG|POL)[ _:-]+(?=\S)", "", text, flags=re.IGNORECASE)
    left, dash, right = bare.partition("-")
    one, two = electrode(left), electrode(right)
    against = _COMMON.get(right.strip(" .").casefold(), "")
    if one and not dash:
        return Named(one, "eeg", one)
    if one and against:
        return Named(one, "eeg", one, against)
    if one and two:
        return Named(f"{one}-{two}", "eeg", one, two)
    kind = kind_of(text)
    if kind is None and text[:3].casefold() == "eeg":
        kind = "eeg"
    if against and left.strip():
        return Named(left.strip(" ."), kind, "", against)
    return Named(bare or text, kind)


def kind_of(label: str) -> Kind | None:
    """The kind that a label's words tell, or None."""
    words = re.sub(r"[^a-z0-9]+|(?<=[a-z])(?=\d+$)", " ", label.casefold())
    for kind, pattern in _KINDS:
        if pattern.search(words) or pattern.search(label.casefold()):
            return kind
    return None


def may_keep(label: str) -> bool:
    """Whether a label is made only of what channel labels are made of, so that no name can stand in it.

    An electrode, words for sensors and places of the body, numbers, and groups of at most four letters.
    """
    if len(label) > 40 or not label.isprintable() or has_date(label) or re.search(r"\d{5,}", label):
        return False
    if read_label(label).electrode:
        return True
    return all(len(word) <= 4 or word in _PLAIN_WORDS for word in re.findall(r"[^\W\d_]+", label.casefold()))


def amplifier_inputs(labels: Sequence[str]) -> bool:
    """Whether 'A1', 'B7', 'E12' count an amplifier's inputs, as BioSemi and EGI do, so that A1 and E2 are neither ear nor eye."""
    return any(re.fullmatch(r"[ABDEGH](?:[3-9]|\d{2,3})", label.strip()) for label in labels)


def unique(names: Sequence[str]) -> list[str]:
    """The names with a number behind those that were taken: Fp1, Fp1 (2)."""
    seen: dict[str, int] = {}
    taken = set(names)
    found: list[str] = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        fresh = name
        while seen[name] > 1 and (fresh == name or fresh in taken):
            fresh = f"{name} ({seen[name]})"
            seen[name] += fresh in taken
        taken.add(fresh)
        found.append(fresh)
    return found
