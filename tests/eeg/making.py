"""Recordings made for tests, by writers of their own: what is read must not be checked by what wrote it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

EEG = ("Fp1", "Fp2", "C3", "C4", "O1", "O2")


def brain(channels: int, count: int, seed: int = 0, size: int = 800) -> np.ndarray:
    """Digital values that wander as a signal does, shape (channels, count)."""
    rng = np.random.default_rng(seed)
    wander = np.cumsum(rng.normal(0, size / 40, (channels, count)), axis=1) + rng.normal(0, size / 4, (channels, count))
    return np.clip(wander, -32000, 32000).astype(np.int32)


def edf(
    labels: Sequence[str] = EEG,
    *,
    values: Sequence[np.ndarray] | None = None,
    rates: Sequence[int] | None = None,
    records: int = 10,
    record_s: float = 1.0,
    bdf: bool = False,
    reserved: str = "",
    onsets: Sequence[float] | None = None,
    marks: Mapping[int, Sequence[tuple[float, float, str]]] | None = None,
    note_bytes: int = 120,
    units: Sequence[str] | None = None,
    physical: Sequence[tuple[Any, Any]] | None = None,
    digital: Sequence[tuple[Any, Any]] | None = None,
    prefilter: str = "HP:0.5Hz LP:70Hz N:50Hz",
    transducer: str = "AgAgCl electrode",
    **header: Any,
) -> bytes:
    """An EDF or BDF file; `header` overrides patient, recording, date, clock, said (records), length, duration, signals."""
    count = len(labels)
    rates = list(rates or [100] * count)
    spans = [round(rate * record_s) for rate in rates]
    if values is None:
        values = [brain(1, span * records, seed=n)[0] for n, span in enumerate(spans)]
    width = 3 if bdf else 2
    low, high = (-8388608, 8388607) if bdf else (-32768, 32767)
    rows = [
        [label, transducer, (units or ["uV"] * count)[n], *(physical or [(-3276.8, 3276.7)] * count)[n],
         *(digital or [(low, high)] * count)[n], prefilter, spans[n], header.get("signal_reserved", "")]
        for n, label in enumerate(labels)
    ]  # fmt: skip
    if onsets is not None:
        span = -(-note_bytes // width)
        rows.append([f"{'BDF' if bdf else 'EDF'} Annotations", "", "", -1, 1, low, high, "", span, ""])
    fixed = [header.get("patient", "X X X X"), header.get("recording", "Startdate X X X X"), header.get("date", "01.01.85"),
             header.get("clock", "22.15.00"), header.get("length", 256 * (len(rows) + 1)), reserved, header.get("said", records),
             header.get("duration", f"{record_s:g}"), header.get("signals", len(rows))]  # fmt: skip
    out = [b"\xffBIOSEMI" if bdf else b"0       "]
    out += [str(value).encode("latin-1")[:size].ljust(size) for value, size in zip(fixed, (80, 80, 8, 8, 8, 44, 8, 8, 4), strict=True)]
    for column, size in enumerate((16, 80, 8, 8, 8, 8, 8, 80, 8, 32)):
        out += [str(row[column]).encode("latin-1")[:size].ljust(size) for row in rows]
    for record in range(records):
        for n, span in enumerate(spans):
            piece = np.asarray(values[n][record * span : (record + 1) * span])
            out.append(piece.astype("<i4").view(np.uint8).reshape(-1, 4)[:, :3].tobytes() if bdf else piece.astype("<i2").tobytes())
        if onsets is not None:
            text = f"+{onsets[record]:g}\x14\x14\0".encode()
            for onset, duration, label in (marks or {}).get(record, ()):
                length = f"\x15{duration:g}" if duration else ""
                text += f"{onset:+g}{length}\x14{label}\x14\0".encode()
            out.append(text.ljust(-(-note_bytes // width) * width, b"\0"))
    return b"".join(out)


def edf_plus(onsets: Sequence[float], marks: Mapping[int, Sequence[tuple[float, float, str]]] | None = None, **more: Any) -> bytes:
    """An EDF+ file whose records begin at `onsets`."""
    return edf(onsets=onsets, marks=marks, records=len(onsets), **{"reserved": "EDF+D", **more})


def put(folder: Path, name: str, data: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def table(
    rows: int = 500, rate: float = 250.0, names: Sequence[str] = ("TP9", "AF7", "AF8", "TP10"), separator: str = ",", at: float = 1000
) -> str:
    """A CSV with a time column."""
    values = brain(len(names), rows) / 10
    lines = [separator.join(["timestamps", *names])]
    lines += [separator.join([f"{at + n / rate:.4f}", *(f"{v:.2f}" for v in values[:, n])]) for n in range(rows)]
    return "\n".join(lines) + "\n"


def brainvision(folder: Path, stem: str = "rec", names: Sequence[str] = EEG, comment: str = "", markers: Sequence[str] = ()) -> Path:
    """A BrainVision recording in three parts; gives the header's path."""
    data = brain(len(names), 1000).astype("<i2")
    put(folder, f"{stem}.eeg", data.T.tobytes())
    lines = [f"Mk{n + 2}={text}" for n, text in enumerate(markers)]
    marks = "\n".join(["Mk1=New Segment,,1,1,0,20190509101112000000", *lines])
    put(
        folder,
        f"{stem}.vmrk",
        f"Brain Vision Data Exchange Marker File, Version 1.0\n[Common Infos]\nDataFile={stem}.eeg\n[Marker Infos]\n{marks}\n",
    )
    channels = "\n".join(f"Ch{n + 1}={name},,0.1,µV" for n, name in enumerate(names))
    text = (
        f"Brain Vision Data Exchange Header File Version 1.0\n[Common Infos]\nCodepage=UTF-8\nDataFile={stem}.eeg\nMarkerFile={stem}.vmrk\n"
        f"DataFormat=BINARY\nDataOrientation=MULTIPLEXED\nNumberOfChannels={len(names)}\nSamplingInterval=4000\n[Binary Infos]\n"
        f"BinaryFormat=INT_16\n[Channel Infos]\n{channels}\n{comment}"
    )
    return put(folder, f"{stem}.vhdr", text)


def eeglab(folder: Path, name: str = "rec.set", trials: int = 1, data: Any = None, **fields: Any) -> Path:
    """An EEGLAB dataset in one part."""
    from scipy.io import savemat

    names = fields.pop("names", EEG)
    events = fields.pop("events", [("square", 101.0)])
    values = brain(len(names), 1000).astype(np.float32) / 10 if data is None else data
    chanlocs = np.array([(label,) for label in names], dtype=[("labels", object)])
    event = np.array(events, dtype=[("type", object), ("latency", object)])
    record = {"setname": "x", "nbchan": len(names), "trials": trials, "pnts": 1000 // trials, "srate": 250.0, "xmin": 0.0, "xmax": 3.996,
              "data": values, "chanlocs": chanlocs, "event": event, "icaweights": [], "icawinv": [], "icasphere": [], "epoch": [],
              "times": [], "ref": "common", "subject": "", "session": [], "comments": "", "filename": name, "history": ""}  # fmt: skip
    path = folder / name
    savemat(path, {"EEG": {**record, **fields}})
    return path


def fif(
    folder: Path, name: str = "rec_raw.fif", names: Sequence[str] = EEG, info: Mapping[str, Any] | None = None, notes: Any = None
) -> Path:
    """A FIF recording of 10 s at 100 Hz."""
    import mne

    made = mne.create_info(list(names), 100.0, "eeg")
    raw = mne.io.RawArray(brain(len(names), 1000) * 1e-7, made, verbose="ERROR")
    with raw.info._unlock():
        for key, value in (info or {}).items():
            raw.info[key] = value
    if notes:
        raw.set_annotations(mne.Annotations(*notes), verbose="ERROR")
    raw.save(folder / name, overwrite=True, verbose="ERROR")
    return folder / name
