"""What both spindle detectors find of planted spindles, and what they mark elsewhere: ``python -m tests.benchmarks.eeg_spindles``.

Prints JSON: sensitivity and precision with 95% intervals (Wilson) by height of the spindles, false marks a minute, and seconds a minute
of signal. The signals are made (backend/eeg/simulate/planted.py); the numbers say nothing of how well a detector does on people.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np

from backend.config import load_config
from backend.eeg.prepared import resampled
from backend.eeg.simulate.planted import RATE, planted_spindles
from backend.eeg.spindles.events import MATCH
from backend.metrics import binomial_interval
from backend.models.runtime import Runtime
from backend.models.spindle_network import RATE as NETWORK_RATE
from backend.models.spindle_network import iou

HEIGHTS = ((6.0, 10.0), (10.0, 15.0), (15.0, 25.0), (25.0, 40.0))


def measure(minutes: float = 20.0, seeds: int = 1) -> dict[str, object]:
    runtime = Runtime(load_config())
    found: dict[str, object] = {"minutes": minutes, "seeds": seeds}
    with runtime.use("openspindlenet") as network, runtime.use("yasa-spindles") as second:
        for heights in HEIGHTS:
            tallies = {name: np.zeros(3) for name in ("openspindlenet", "yasa")}  # found, planted, false
            spent = dict.fromkeys(tallies, 0.0)
            for seed in range(seeds):
                made = planted_spindles(minutes, 4.0, heights, seed)
                values = resampled(made.values[None], RATE, NETWORK_RATE)[0].astype(np.float64)
                slow = resampled(made.values[None], RATE, 100.0)[0].astype(np.float64)
                began = time.process_time()
                marks = {"openspindlenet": network.detect(values)}
                spent["openspindlenet"] += time.process_time() - began
                began = time.process_time()
                marks["yasa"] = second.detect(slow, 100.0, np.ones(len(slow), bool))
                spent["yasa"] += time.process_time() - began
                for name, rows in marks.items():
                    tallies[name] += score(made.spindles, rows)
            found[f"{heights[0]:g}-{heights[1]:g} uV"] = {
                name: {
                    "sensitivity": share(tally[0], tally[1]),
                    "precision": share(tally[0], tally[0] + tally[2]),
                    "false_per_minute": round(float(tally[2]) / (minutes * seeds), 3),
                    "cpu_seconds_per_minute": round(spent[name] / (minutes * seeds), 3),
                }
                for name, tally in tallies.items()
            }
    return found


def score(planted: np.ndarray, marks: np.ndarray) -> np.ndarray:
    """Planted spindles that a mark shares `MATCH` of the union with, planted ones, and marks that share it with none."""
    hit = [bool(len(marks)) and bool((iou((row[0], row[1]), marks) >= MATCH).any()) for row in planted]
    false = [not (iou((row[0], row[1]), planted) >= MATCH).any() for row in marks]
    return np.array([sum(hit), len(planted), sum(false)], np.float64)


def share(k: float, n: float) -> dict[str, float | int] | None:
    if not n:
        return None
    interval = binomial_interval(int(k), int(n))
    return {"value": round(k / n, 3), "low": round(interval.low, 3), "high": round(interval.high, 3), "n": int(n)}


if __name__ == "__main__":
    print(json.dumps(measure(float(sys.argv[1]) if len(sys.argv) > 1 else 20.0, int(sys.argv[2]) if len(sys.argv) > 2 else 1), indent=1))
