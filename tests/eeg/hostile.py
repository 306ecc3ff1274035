"""A manifest of damaged, mistaken and odd recordings: how each is made, and the diagnoses that must be named."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.eeg.making import EEG, brain, brainvision, edf, edf_plus, eeglab, fif, put, table


@dataclass(frozen=True)
class Hostile:
    """`words`: diagnoses that must be among those named; `readable`: whether it is read in the end, with all repairs agreed to."""

    make: Callable[[Path], Path]
    words: tuple[str, ...]
    readable: bool


def _file(name: str, make: Callable[[], bytes | str], *words: str, readable: bool = True) -> Hostile:
    return Hostile(lambda folder: put(folder, name, make()), words, readable)


def _bad(name: str, make: Callable[[], bytes | str], *words: str) -> Hostile:
    return _file(name, make, *words, readable=False)


def _without(folder: Path, path: Path, suffix: str) -> Path:
    path.with_suffix(suffix).unlink()
    return path


def _six(pair: tuple[object, object], usual: tuple[object, object]) -> list[tuple[object, object]]:
    return [usual, usual, pair, usual, usual, usual]


_P, _D = (-3276.8, 3276.7), (-32768, 32767)
_RECORD = len(EEG) * 100 * 2
_LINEAR = [float(n) for n in range(10)]

MANIFEST: dict[str, Hostile] = {
    "truncated in a record": _file("a.edf", lambda: edf()[: -_RECORD * 3 - 77], "truncated"),
    "truncated in the header": _bad("a.edf", lambda: edf()[:700], "header-cut"),
    "truncated in the first 256 bytes": _bad("a.edf", lambda: edf()[:100], "header-cut"),
    "header and nothing else": _bad("a.edf", lambda: edf(records=0, said=0), "zero-length"),
    "half a record": _bad("a.edf", lambda: edf()[: 256 * 7 + 50], "zero-length"),
    "number of records -1": _file("a.edf", lambda: edf(said=-1), "record-count-open"),
    "number of records in letters": _file("a.edf", lambda: edf(said="many"), "record-count-open"),
    "fewer records promised than there": _file("a.edf", lambda: edf(said=4), "record-count-wrong"),
    "bytes behind the last record": _file("a.edf", lambda: edf() + b"\0" * 99, "record-count-wrong"),
    "wrong header length": _file("a.edf", lambda: edf(length=999), "header-size"),
    "header length in letters": _file("a.edf", lambda: edf(length="n/a"), "header-size"),
    "digital minimum is the maximum": _file("a.edf", lambda: edf(digital=_six((0, 0), _D)), "digital-range"),
    "digital range in letters": _file("a.edf", lambda: edf(digital=_six(("low", "high"), _D)), "digital-range"),
    "every digital range empty": _bad("a.edf", lambda: edf(digital=[(5, 5)] * 6), "no-signals"),
    "physical minimum is the maximum": _file("a.edf", lambda: edf(physical=_six((0, 0), _P)), "physical-range"),
    "physical range in letters": _file("a.edf", lambda: edf(physical=_six(("", "?"), _P)), "physical-range"),
    "physical range far too large": _file("a.edf", lambda: edf(physical=_six((-9e6, 9e6), _P)), "implausible-range"),
    "physical range far too small": _file("a.edf", lambda: edf(physical=_six((-0.01, 0.01), _P)), "implausible-range"),
    "physical range turned round": _file("a.edf", lambda: edf(physical=_six((3276.7, -3276.8), _P)), "inverted"),
    "values beyond the digital range": _file("a.edf", lambda: edf(digital=_six((-10, 10), _D)), "beyond-range"),
    "unit that is no voltage": _file("a.edf", lambda: edf(units=["uV", "uV", "furlong", "uV", "uV", "uV"]), "unit-unknown"),
    "mixed rates": _file("a.edf", lambda: edf((*EEG, "SpO2"), rates=[100] * 6 + [1]), "mixed-rates", "typed-by-name"),
    "duplicated names": _file("a.edf", lambda: edf(("C3", "C3", "C3", "O1")), "duplicate-names"),
    "empty and odd names": _file("a.edf", lambda: edf(("", "C3", "Wilhelmine Q.", "O1")), "odd-names"),
    "ECG, EOG, EMG, SpO2, Photic, Resp and Status typed as EEG": _file(
        "a.edf", lambda: edf(("EEG ECG-Ref", "LOC", "Chin1", "SpO2", "Photic-REF", "Resp Nasal", "Status", "C3")), "typed-by-name"
    ),
    "no electrode known": _file("a.edf", lambda: edf([f"Ch{n}" for n in range(5)]), "montage-missing"),
    "no EEG at all": _file("a.edf", lambda: edf(("ECG", "SpO2")), "no-eeg"),
    "a flat channel": _file("a.edf", lambda: edf(("C3", "C4"), values=[brain(1, 1000)[0], np.zeros(1000)]), "flat"),
    "interrupted": _file("a.edf", lambda: edf_plus([0, 1, 2, 10, 11, 30]), "discontinuous"),
    "interrupted, declared continuous": _file("a.edf", lambda: edf_plus([0, 1, 9, 10], reserved="EDF+C"), "gaps-undeclared"),
    "time runs back": _file("a.edf", lambda: edf_plus([0, 1, 2, 1.5, 4]), "time-overlap"),
    "annotations that are garbage": _file(
        "a.edf", lambda: edf_plus(_LINEAR).replace(b"+3\x14\x14\0", b"+3\x14\x14\0?x\x15\0"), "annotation-unreadable"
    ),
    "annotations after the end": _file("a.edf", lambda: edf_plus(_LINEAR, {2: [(500.0, 1.0, "late")]}), "annotation-outside"),
    "EDF+ that does not say so": _file("a.edf", lambda: edf_plus(_LINEAR, reserved=""), "plus-undeclared"),
    "annotations only": _bad("a.edf", lambda: edf((), onsets=_LINEAR, reserved="EDF+C", duration="0"), "annotations-only"),
    "record of no duration": _bad("a.edf", lambda: edf(duration="0"), "record-duration"),
    "record duration in letters": _bad("a.edf", lambda: edf(duration="one"), "record-duration"),
    "no signals": _bad("a.edf", lambda: edf((), signals=0), "no-signals"),
    "number of signals in letters": _bad("a.edf", lambda: edf(signals="6x"), "header-damaged"),
    "a whole day": _file("a.edf", lambda: edf(("C3",), rates=[1], records=2880, record_s=30), "long"),
    "BDF cut short": _file("a.bdf", lambda: edf(bdf=True)[:-5000], "truncated"),
    "wrong extension": _file("a.jpg", edf, "wrong-extension"),
    "packed": _file("a.edf.gz", lambda: gzip.compress(edf()), "packed"),
    "packed and damaged": _bad("a.edf.gz", lambda: gzip.compress(edf())[:-4000], "packed-damaged"),
    "packed without end": _bad("a.edf.gz", lambda: gzip.compress(b"\0" * 2**25), "packed-damaged"),
    "empty file": _bad("a.edf", lambda: b"", "empty-file"),
    "PDF": _bad("a.edf", lambda: b"%PDF-1.7 " + b"x" * 500, "not-eeg"),
    "JPEG": _bad("a.edf", lambda: b"\xff\xd8\xff\xe0" + b"x" * 500, "not-eeg"),
    "DICOM": _bad("a.edf", lambda: b"\0" * 128 + b"DICM" + b"\0" * 500, "not-eeg"),
    "random bytes": _bad("a.edf", lambda: np.random.default_rng(1).bytes(5000), "not-eeg"),
    "prose": _bad("a.txt", lambda: "It was the best of times.\n" * 50, "not-eeg"),
    "GDF": _bad("a.gdf", lambda: b"GDF 2.20" + b"\0" * 600, "unsupported"),
    "MATLAB 7.3": _bad("a.set", lambda: b"\x89HDF\r\n\x1a\n" + b"\0" * 600, "unsupported"),
    "marker file of BrainVision": Hostile(lambda folder: brainvision(folder).with_suffix(".vmrk"), ("companion-chosen",), False),
    "signal file of BrainVision": Hostile(lambda folder: brainvision(folder).with_suffix(".eeg"), ("companion-chosen",), False),
    "BrainVision without its signals": Hostile(lambda f: _without(f, brainvision(f), ".eeg"), ("companion-missing",), False),
    "BrainVision without its markers": Hostile(lambda f: _without(f, brainvision(f), ".vmrk"), ("companion-missing",), False),
    "BrainVision with half a header": _bad("a.vhdr", lambda: "Brain Vision Data Exchange Header File Version 1.0\n[Comm", "header-damaged"),
    "EEGLAB without its signals": Hostile(lambda folder: eeglab(folder, data="gone.fdt"), ("companion-missing",), False),
    "EEGLAB with epochs": Hostile(
        lambda folder: eeglab(folder, trials=10, data=brain(6, 1000).reshape(6, 100, 10).astype(np.float32)), ("epoched",), False
    ),
    "EEGLAB cut short": Hostile(lambda f: put(f, "b.set", eeglab(f).read_bytes()[:3000]), ("unreadable",), False),
    "FIF cut short": Hostile(lambda f: put(f, "b_raw.fif", fif(f).read_bytes()[:900]), ("unreadable",), False),
    "table without a time column": _bad("a.csv", lambda: "C3,C4\n" + "1.5,2.5\n" * 50, "rate-missing"),
    "FIF whose parts lead in a circle": Hostile(
        lambda f: put(f, "b_raw.fif", fif(f).read_bytes()[:36] + b"\0\0\0\x24".rjust(16, b"\0") + b"\0" * 99), ("unreadable",), False
    ),
    "table whose time runs back": _bad("a.csv", lambda: "time,C3\n" + "".join(f"{n % 10},{n}\n" for n in range(60)), "rate-missing"),
    "table with holes": _file(
        "a.csv", lambda: f"{table()}1003,,2,x,4\n", "missing-values", "rate-estimated", "unit-assumed"
    ),
    "table with a row too long": _bad("a.csv", lambda: table() + "1,2,3,4,5,6,7,8,9\n", "not-a-table"),
    "table with a broken line in a line": _bad("a.csv", lambda: "time,C3\r1,2\r\n".ljust(40) + table(), "not-a-table"),
    "table with numbers beyond all bounds": _file("a.csv", lambda: table() + "1002,1e39,-1e300,inf,4\n", "missing-values"),
    "table with a pause": _file("a.csv", lambda: table() + table(at=5000).split("\n", 1)[1], "discontinuous"),
    "table with a column of text": _file(
        "a.csv", lambda: "time,C3,note\n" + "".join(f"{n / 100},{n % 7},said\n" for n in range(300)), "columns-left-out"
    ),
}  # fmt: skip
