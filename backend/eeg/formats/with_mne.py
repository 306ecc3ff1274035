"""BrainVision, EEGLAB and FIF, read with MNE-Python (Gramfort et al. 2013, doi:10.3389/fnins.2013.00267) and whitelisted here."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from backend.eeg.describing import Draft, describe
from backend.eeg.diagnosis import Diagnosis, Refused
from backend.eeg.formats.eeglab import rehearse
from backend.eeg.formats.fif import check_chain
from backend.eeg.formats.sniff import Format
from backend.eeg.identifiers import Identifiers, identifiers
from backend.eeg.recording import Inspection, Kind, Mark, Segment
from backend.progress import Progress

_CHUNK = 2**20  # values read at once
_KINDS: dict[str, Kind] = {"eeg": "eeg", "eog": "eog", "ecg": "ecg", "emg": "emg", "stim": "trigger", "resp": "resp", "mag": "meg",
                           "grad": "meg", "ref_meg": "meg", "temperature": "temperature", "bio": "other", "misc": "other", "seeg": "eeg",
                           "ecog": "eeg"}  # fmt: skip
_VOLTS = ("eeg", "eog", "ecg", "emg", "bio", "seeg", "ecog", "dbs")
_SPELT = ("µV", "uV", "mV", "V", "nV")
_SKIP = "BAD_ACQ_SKIP"
_SHOWN: dict[Format, str] = {"brainvision": "BrainVision", "eeglab": "EEGLAB", "fif": "FIF"}


@dataclass(frozen=True)
class MneSource:
    """A file opened by MNE, its signals still on the disk."""

    raw: Any
    factors: np.ndarray  # (channels, 1): from MNE's units to ours
    stretches: tuple[tuple[int, int], ...]  # samples that were recorded
    inspection: Inspection
    dtype: str = "float32"
    record_s: float = 0.0

    def blocks(self, progress: Progress) -> Iterator[Mapping[float, np.ndarray]]:
        rate = float(self.raw.info["sfreq"])
        step = max(1, _CHUNK // len(self.factors))
        for first, last in self.stretches:
            for at in range(first, last, step):
                progress.check()
                progress.update(at, self.stretches[-1][1], "Reading signals")
                try:
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore")
                        values = self.raw.get_data(start=at, stop=min(at + step, last), verbose="ERROR")
                except Exception as error:
                    raise Refused("unreadable", f"second {at / rate:g}", "The signals cannot be read from here on.", _AGAIN) from error
                with np.errstate(over="ignore", invalid="ignore"):
                    scaled = (values * self.factors).astype(np.float32)
                scaled[~np.isfinite(scaled)] = np.nan
                yield {rate: scaled}


_AGAIN = "Copy or export the recording again, with all its parts."


def open_with_mne(path: Path, format: Format) -> MneSource:
    """Open a BrainVision, EEGLAB or FIF recording.

    Raises
    ------
    Refused
        When a part is missing or MNE cannot read it. What MNE says is not quoted: it may hold parts of the header.
    """
    who = _private(path, format)
    raw = _open(path, format)
    try:
        return _described(raw, format, who)
    except (Refused, MemoryError):
        raise
    except Exception as error:  # a damaged header may hold anything
        raise Refused("unreadable", "header", f"The header of the {_SHOWN[format]} recording makes no sense.", _AGAIN) from error


def _described(raw: Any, format: Format, who: Identifiers) -> MneSource:
    private = _info_texts(raw.info)
    who = Identifiers(who.tokens | identifiers(private).tokens)
    found: list[Diagnosis] = []
    rate = float(raw.info["sfreq"])
    if not 1e-3 <= rate <= 1e6:
        raise Refused("header-damaged", "header", "The sampling rate is no number of samples a second that could be.", _AGAIN)
    first = raw.first_samp / rate if format == "fif" else 0.0
    stretches = _stretches(raw, rate, first)
    segments = tuple(Segment(a / rate, (b - a) / rate) for a, b in stretches)
    if len(segments) > 1 or (segments and segments[0].start_s > 0):
        lost = raw.n_times / rate - sum(segment.duration_s for segment in segments)
        text = f"The recording is interrupted {len(segments) - 1:,} times; {lost:,.1f} s in all were not recorded."
        found.append(Diagnosis("discontinuous", f"second {segments[0].stop_s:g}", text))
    types = raw.get_channel_types()
    spelt = getattr(raw, "_orig_units", {})  # MNE calls some BrainVision channels 'misc' although it turned them into volts
    electric = np.array([kind in _VOLTS or spelt.get(label) in _SPELT for label, kind in zip(raw.ch_names, types, strict=True)])
    drafts = [
        Draft(
            label, "uV" if volts else "T" if kind == "mag" else "T/m" if kind == "grad" else "", rate,
            kind=_KINDS.get(kind, "other"), high_pass=_filter(raw.info["highpass"], rate), low_pass=_filter(raw.info["lowpass"], rate / 2),
        )
        for label, kind, volts in zip(raw.ch_names, types, electric, strict=True)
    ]  # fmt: skip
    marks = _marks(raw, first, found)
    told = format == "brainvision" and raw.info["meas_date"] is not None  # by the amplifier's own clock, without a zone
    clock = raw.info["meas_date"].strftime("%H:%M:%S") if told else ""
    inspection = describe(_SHOWN[format], clock, drafts, segments, marks, found, who)
    return MneSource(raw, np.where(electric, 1e6, 1.0)[:, None], stretches, inspection)


def _open(path: Path, format: Format) -> Any:
    import mne

    readers = {"brainvision": mne.io.read_raw_brainvision, "eeglab": mne.io.read_raw_eeglab, "fif": mne.io.read_raw_fif}
    extra: dict[str, Any] = {"on_split_missing": "raise"} if format == "fif" else {}
    if format == "eeglab":
        extra = {"montage_units": "auto"}
    _companions(path, format)
    if format == "fif":
        check_chain(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return readers[format](path, preload=False, verbose="ERROR", **extra)
    except TypeError as error:
        if format == "eeglab":
            raise Refused(
                "epoched", "file", "The EEGLAB file holds epochs, no continuous recording.", "Save the continuous dataset."
            ) from error
        raise Refused("unreadable", "header", f"The {_SHOWN[format]} recording cannot be read.", _AGAIN) from error
    except MemoryError:
        raise
    except Exception as error:
        raise Refused("unreadable", "header", f"The {_SHOWN[format]} recording cannot be read.", _AGAIN) from error


def _companions(path: Path, format: Format) -> None:
    """Name the part that is missing before MNE stumbles over it."""
    if format == "brainvision":
        head = path.read_bytes()[: 2**20].decode("utf-8", "replace")
        for key, what in (("DataFile", "signals"), ("MarkerFile", "markers")):
            found = re.search(rf"(?im)^{key}=(.+)$", head)
            if found is None:
                if key == "DataFile":
                    raise Refused("header-damaged", "header", "The header does not name the file with the signals.", _AGAIN)
                continue
            name = found[1].strip().replace("$b", path.stem)
            if Path(name).name != name:
                raise Refused(
                    "companion-missing", "header", f"The header names its {what} in another folder.", "Put all parts side by side."
                )
            if not (path.parent / name).is_file():
                suffix = Path(name).suffix if Path(name).suffix.lower() in (".eeg", ".dat", ".vmrk", ".amrk", ".avg", ".seg") else "other"
                text = f"The file with the {what} ({suffix}) is not beside the header."
                raise Refused("companion-missing", "header", text, "Put all parts of the recording in one folder, under their own names.")


def _private(path: Path, format: Format) -> Identifiers:
    """The tokens of the header's fields that may name a person, where MNE does not give them."""
    if format == "brainvision":
        head = path.read_bytes()[: 2**20].decode("utf-8", "replace")
        texts = re.findall(r"(?ims)^\[(?:User Infos|Comment)\]\s*$(.*?)(?=^\[|\Z)", head)
        lines = [line for text in texts for line in text.splitlines()]
        told = [line for line in lines if re.search(r"(?i)subject|patient|name|birth|born|geb|\bid\b|operator|doctor|physician", line)]
        return identifiers([re.sub(r"(?i)^[^:=]*[:=]", "", line) for line in told])
    if format == "eeglab":
        found = rehearse(path)
        if missing := found.pop("missing", ""):
            text = f"The file with the signals ({missing}) is not beside the .set file."
            raise Refused("companion-missing", "header", text, "Put both parts in one folder, under their own names.")
        return identifiers(found.values())
    return Identifiers()


def _info_texts(info: Any) -> list[str]:
    texts: list[str] = []
    for name in ("subject_info", "helium_info", "device_info"):
        fields = info.get(name) or {}
        texts += [str(value) for value in fields.values() if value is not None and not isinstance(value, int | float)]
    texts += [str(info[name]) for name in ("experimenter", "description", "proj_name", "xplotter_layout") if info.get(name)]
    if info.get("meas_date") is not None:
        texts.append(info["meas_date"].strftime("%Y-%m-%d"))
    return texts


def _stretches(raw: Any, rate: float, first: float) -> tuple[tuple[int, int], ...]:
    """Samples that were recorded, without those that a FIF file skips."""
    found: list[tuple[int, int]] = []
    at = 0
    skips = [(note["onset"] - first, note["duration"]) for note in raw.annotations if note["description"] == _SKIP]
    for onset, duration in sorted(skips):
        begin = min(max(round(onset * rate), at), raw.n_times)
        if begin > at:
            found.append((at, begin))
        at = max(at, min(round((onset + duration) * rate), raw.n_times))
    if at < raw.n_times:
        found.append((at, int(raw.n_times)))
    return tuple(found)


def _marks(raw: Any, first: float, found: list[Diagnosis]) -> list[Mark]:
    marks = []
    joined = 0
    for note in raw.annotations:
        label = str(note["description"])
        if label == _SKIP:
            continue
        joined += label.casefold() in ("boundary", "edge boundary", "bad boundary")
        marks.append(Mark(round(float(note["onset"]) - first, 6), float(note["duration"]), label))
    if joined:
        text = f"The signals were cut and joined at {joined:,} places, marked 'boundary': time does not run on across them."
        found.append(Diagnosis("segment-joined", "annotations", text))
    return marks


def _filter(value: float | None, below: float) -> float | None:
    return round(float(value), 4) if value is not None and 0 < value < below else None
