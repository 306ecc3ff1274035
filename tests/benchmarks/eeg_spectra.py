"""What spectra and evoked responses are worth: ``python -m tests.benchmarks.eeg_spectra``, as JSON.

- ``interval``: share of simulated recordings (noise with a 10 Hz rhythm, of two kinds) whose 95% interval of alpha power holds the
  true power, with its own interval; 20 blocks in 4 min.
- ``false_alarms``: share of comparisons of noise with noise that the cluster test calls different at 0.05.
- ``eyes``: alpha power with open and closed eyes, EEGMMIDB subject 1 (R01, R02), where ../shared/data is there.
- ``targets``: P300 of the Muse recordings: p of the comparison and where, session by session.
- ``night``: CPU-seconds for the spectrum and spectrogram of a simulated night of 8 h with 8 channels at 256 Hz.
"""

from __future__ import annotations

import gzip
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from backend.config import ROOT, load_config
from backend.eeg.importing import import_recording
from backend.eeg.simulate.planted import background
from backend.eeg.spectra.clusters import compare
from backend.eeg.welch import windows
from backend.metrics import binomial_interval
from backend.progress import Silent
from backend.workbench import Workbench

SHARED = ROOT.parent / "shared" / "data" / "eeg"
RATE = 128.0
_POWER = 50.0  # uV^2 of the rhythm
_SAMPLES = round(240 * RATE)


def interval(count: int = 300) -> dict[str, Any]:
    return {"waxing and waning": _held(_narrow, count), "bursts": _held(_bursts, count)}


def _held(make: Callable[[np.random.Generator], np.ndarray], count: int) -> dict[str, Any]:
    from backend.eeg.spectra.spectrum import _channel

    held = 0
    for seed in range(count):
        rng = np.random.default_rng(seed)
        values = np.sqrt(_POWER) * make(rng) + 3 * rng.standard_normal(_SAMPLES)
        frequency, power, _, _ = windows(values[None], RATE, 4.0, None)
        block = np.minimum((np.arange(power.shape[1]) * 2.0 // 12).astype(int), 19)
        sums = np.stack([power[0, block == n].sum(axis=0) for n in range(block.max() + 1)])
        alpha = _channel("x", "", "", frequency, sums, np.bincount(block).astype(float))["bands"]["alpha"]["absolute"]
        held += alpha["low"] <= _POWER + 9 * 2 * 5 / RATE <= alpha["high"]
    return _share(held, count)


def _narrow(rng: np.random.Generator) -> np.ndarray:
    """Noise of 9.5 to 10.5 Hz with a power of 1: its height waxes and wanes over about a second."""
    hertz = np.fft.rfftfreq(_SAMPLES, 1 / RATE)
    inside = np.abs(hertz - 10) <= 0.5
    random = (rng.standard_normal(len(hertz)) + 1j * rng.standard_normal(len(hertz))) * inside
    made: np.ndarray = np.fft.irfft(random, _SAMPLES) * _SAMPLES / 2 / np.sqrt(inside.sum())
    return made


def _bursts(rng: np.random.Generator) -> np.ndarray:
    """A 10 Hz wave with a power of 1 on the whole that takes a new, log-normal height every 5 s: few stretches hold most of it."""
    slow = np.repeat(rng.standard_normal(_SAMPLES // 640 + 2), 640)[:_SAMPLES]
    phase = np.cumsum(rng.standard_normal(_SAMPLES)) * 0.02
    made: np.ndarray = np.exp(0.5 * slow - 0.25) * np.sqrt(2) * np.sin(2 * np.pi * 10 * np.arange(_SAMPLES) / RATE + phase)
    return made


def false_alarms(count: int = 100) -> dict[str, Any]:
    names, times = ("F3", "F4", "C3", "C4", "P3", "P4", "O1", "O2"), np.arange(-26, 103) / RATE
    found = 0
    for seed in range(count):
        rng = np.random.default_rng(seed)
        one, two = (np.stack([background(8 * 129, rng).reshape(8, 129) for _ in range(30)]).astype(np.float64) for _ in range(2))
        found += compare(one, two, times, names, names, 100, Silent())["p"] < 0.05
    return _share(found, count)


def eyes(bench: Workbench) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, state in (("S001R01", "open"), ("S001R02", "closed")):
        made = bench.run("eeg.spectrum", {"recording": _bring(bench, SHARED / "eegmmi_s001" / f"{name}.edf")}).prediction
        assert made is not None
        found[state] = {
            channel["name"]: channel["bands"]["alpha"]["absolute"] for channel in made["channels"] if channel["name"] in ("O1", "O2", "Fp1")
        }
    return found


def targets(bench: Workbench) -> dict[str, Any]:
    found = {}
    for path in sorted((SHARED / "muse_subject1").glob("P300*.csv.gz")):
        plain = bench.config.data / "muse.csv"
        plain.write_bytes(gzip.decompress(path.read_bytes()))
        recording = _bring(bench, plain)
        made = bench.run("eeg.evoked", {"recording": recording}, settings={"label": "2", "compare": "1", "reject_uv": 100.0}).prediction
        assert made is not None
        first = (made["comparison"]["clusters"] or [None])[0]
        found[path.name.split("_data_")[0] + path.stem[-12:-4]] = {
            "trials": [condition["trials"] for condition in made["conditions"]],
            "p": made["comparison"]["p"],
            "cluster": first and {key: first[key] for key in ("from_s", "to_s", "channels", "higher")},
        }
        plain.unlink()
    return found


def night(bench: Workbench) -> dict[str, Any]:
    from tests.eeg.sleeping import keep

    rng = np.random.default_rng(0)
    rows = {name: background(8 * 3600 * 256, rng) for name in ("F3", "F4", "C3", "C4", "P3", "P4", "O1", "O2")}
    recording = keep(bench, rows, 256.0)
    began = time.process_time()
    bench.run("eeg.spectrum", {"recording": recording})
    return {"cpu_seconds": round(time.process_time() - began, 1), "channels": 8, "hours": 8}


def _bring(bench: Workbench, path: Path) -> str:
    patients = bench.storage.patients
    visit = patients.add_visit(patients.add(f"B-{len(patients.search(limit=500)) + 1:02d}").id, "first").id
    return import_recording(bench.config, bench.storage, visit, path).id


def _share(k: int, n: int) -> dict[str, Any]:
    found = binomial_interval(k, n)
    return {"share": round(k / n, 4), "low": round(found.low, 4), "high": round(found.high, 4), "n": n}


def main(wanted: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        bench = Workbench(load_config({"BIOLOOM_DATA": folder, "BIOLOOM_DEVICE": "cpu"}))
        for name, make in (("interval", interval), ("false_alarms", false_alarms)):
            if not wanted or name in wanted:
                found[name] = make()
        for name, do in (("eyes", eyes), ("targets", targets), ("night", night)):
            if (not wanted or name in wanted) and (name == "night" or SHARED.is_dir()):
                found[name] = do(bench)
        bench.close()
    return found


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1:]), indent=1))
