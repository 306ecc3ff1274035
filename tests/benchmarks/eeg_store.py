"""Measures the store on 24 h of 32 channels at 256 Hz: import, memory, a page, the whole day as a strip.

Run by name: ``python -m tests.benchmarks.eeg_store [HOURS]``; it needs about 3 GB of disk for a day.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from backend.config import load_config
from backend.eeg.channels import electrode
from backend.eeg.importing import import_recording
from backend.eeg.signal import open_recording
from backend.storage import open_storage
from tests.eeg.making import brain, edf

NAMES = "Fp1 Fp2 F7 F3 Fz F4 F8 T7 C3 Cz C4 T8 P7 P3 Pz P4 P8 O1 O2 AF3 AF4 FC1 FC2 FC5 FC6 CP1 CP2 CP5 CP6 PO3 PO4 Oz".split()
RATE = 256


def write_day(path: Path, hours: float) -> int:
    """An EDF of 32 channels, the same ten minutes again and again; gives its size in bytes."""
    assert len(NAMES) == 32
    assert all(electrode(name) for name in NAMES)
    piece = 600
    values = list(brain(32, RATE * piece))
    head = 256 * 33
    first = edf(NAMES, values=values, rates=[RATE] * 32, records=piece, said=round(hours * 3600))
    with path.open("wb") as out:
        out.write(first)
        for _ in range(round(hours * 3600 / piece) - 1):
            out.write(first[head:])
    return path.stat().st_size


def main(hours: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "day.edf"
        written = write_day(path, hours)
        config = load_config({"BIOLOOM_DATA": f"{folder}/data"})
        storage = open_storage(config)
        visit = storage.patients.add_visit(storage.patients.add("P").id, "day")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        start = time.perf_counter()
        recording = import_recording(config, storage, visit.id, path)
        took = time.perf_counter() - start
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        start = time.perf_counter()
        signal = open_recording(config, recording.id)
        opened = time.perf_counter() - start
        rng = np.random.default_rng(0)
        pages, strips = [], []
        for at in rng.uniform(0, signal.duration_s - 10, 200):
            start = time.perf_counter()
            signal.read(NAMES, at, at + 10)
            pages.append(time.perf_counter() - start)
        for _ in range(10):
            start = time.perf_counter()
            signal.overview(NAMES, 0, signal.duration_s, 1500)
            strips.append(time.perf_counter() - start)
        made = sum(file.stat().st_size for file in (config.data / "recordings").rglob("pyramid*"))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        storage.close()
    result = {
        "hours": hours,
        "file_mb": round(written / 1e6),
        "import_s": round(took, 2),
        "memory_before_mb": round(before),
        "memory_peak_import_mb": round(after),
        "memory_peak_mb": round(peak),
        "overview_files_mb": round(made / 1e6, 1),
        "open_ms": round(opened * 1e3, 2),
        "page_10s_ms": {"median": round(float(np.median(pages)) * 1e3, 2), "p95": round(float(np.quantile(pages, 0.95)) * 1e3, 2)},
        "whole_strip_1500_ms": {"median": round(float(np.median(strips)) * 1e3, 1), "worst": round(max(strips) * 1e3, 1)},
    }
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 24.0)
