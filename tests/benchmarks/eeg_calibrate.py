"""How well calibrations keep their word on simulated patients: does the interval hold the next session, is nothing found in nothing?

``python -m tests.benchmarks.eeg_calibrate 200`` judges patients with seeds from 0; ``--choose 200`` uses others (seeds from 10,000) and
prints what the constants of `backend.eeg.decoding.interval` should be. Patients differ in trials (40 to 120 a session), sessions (1 to 4),
effect, drift between and within sessions, bursts, and whether classes come in runs; a quarter have no effect at all. The next session
has 400 trials. Candidates are the linear ones: a network would take hours for 200 patients.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from backend.eeg.decoding import interval, protocol
from backend.eeg.decoding.candidates import CANDIDATES
from backend.eeg.decoding.judge import judge
from backend.eeg.decoding.permutation import balanced
from backend.eeg.decoding.trials import Trials
from backend.eeg.simulate.trials import joined, simulated_patient
from backend.metrics import binomial_interval

LINEAR = tuple(name for name, one in CANDIDATES.items() if one.linear)
NEXT = 400  # trials of the next session
_CHOOSING = 10_000  # first seed of the patients that constants are chosen on


def patient(seed: int) -> tuple[Trials, Trials, dict[str, Any]]:
    """Trials to calibrate on, the next session, and what was planted."""
    rng = np.random.default_rng([seed, 99])
    about = {
        "sessions": int(rng.integers(1, 5)),
        "trials": int(rng.choice([40, 60, 80, 120])),
        "strength": float(rng.uniform(0.2, 2.2)),
        "drift": float(rng.uniform(0.3, 1.5)),
        "runs": bool(rng.random() < 0.4),
        "null": bool(rng.random() < 0.25),
    }
    same = {name: about[name] for name in ("strength", "drift", "runs", "null")}
    past = simulated_patient(seed, trials=about["trials"], sessions=about["sessions"], **same)
    later = simulated_patient(seed, trials=NEXT, sessions=about["sessions"] + 1, **same)[-1]
    return joined(past), replace(later, block=later.block + 1000), about


def measure(seed: int) -> dict[str, Any]:
    """One patient: what calibration said, and what the next session was."""
    trials, later, about = patient(seed)
    began = time.process_time()
    judged = judge(trials, only=LINEAR, permutations=300, seed=0, curve=False)
    seconds = time.process_time() - began
    material = CANDIDATES[judged.decoder.candidate].material(later.x, later.rate)
    answers = protocol.predict_new(judged.decoder, material, later.block).argmax(axis=1)
    found = judged.report["validation"]
    return {
        **about,
        "seed": seed,
        "verdict": judged.verdict.word,
        "p": judged.report["permutation"]["p"],
        "said": judged.report["next_session"],
        "came": float(balanced(later.y[None], answers[None], 2)[0]),
        "kind": found["folds"],
        "right": [[row["value"], row["n"]] for row in found["sessions"]],
        "seconds": seconds,
    }


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Coverage of the interval and frequencies of the verdicts, with binomial intervals."""
    held = [row["said"]["low"] <= row["came"] <= row["said"]["high"] for row in rows]
    null = [row for row in rows if row["null"]]
    real = [row for row in rows if not row["null"]]
    good = [row for row in real if row["came"] >= 0.7]

    def share(part: list[Any], true: list[bool]) -> dict[str, Any]:
        return {"n": len(part), **(binomial_interval(sum(true), len(true)).json() if true else {})}

    return {
        "patients": len(rows),
        "coverage": share(rows, held),
        "above": sum(row["came"] > row["said"]["high"] for row in rows),
        "below": sum(row["came"] < row["said"]["low"] for row in rows),
        "coverage_by": {
            name: share(part, [held[rows.index(row)] for row in part])
            for name, part in {
                "one session": [row for row in rows if row["sessions"] == 1],
                "two sessions": [row for row in rows if row["sessions"] == 2],
                "three or four": [row for row in rows if row["sessions"] > 2],
                "no effect": null,
                "classes in runs": [row for row in rows if row["runs"]],
            }.items()
        },
        "width": float(np.mean([row["said"]["high"] - row["said"]["low"] for row in rows])),
        "null called usable": share(null, [row["verdict"] == "usable" for row in null]),
        "null p <= 0.05": share(null, [row["p"] <= 0.05 for row in null]),
        "null verdicts": {word: sum(row["verdict"] == word for row in null) for word in ("usable", "uncertain", "undecodable")},
        "70% or more next time, called usable": share(good, [row["verdict"] == "usable" for row in good]),
        "70% or more next time, refused": share(good, [row["verdict"] == "undecodable" for row in good]),
        "called usable, below 60% next time": share(
            [row for row in rows if row["verdict"] == "usable"], [row["came"] < 0.6 for row in rows if row["verdict"] == "usable"]
        ),
        "mean error of the median": float(np.mean([row["said"]["value"] - row["came"] for row in rows])),
        "cpu_seconds": {"mean": float(np.mean([row["seconds"] for row in rows])), "most": float(max(row["seconds"] for row in rows))},
    }


def choose(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Coverage for a grid of the interval's constants, those nearest to 95% first."""
    found = []
    for spread in (0.15, 0.2, 0.25, 0.3, 0.35, 0.45):
        for share in (0.6, 0.8, 1.0):
            for fall in (0.0, 0.1, 0.2, 0.3):
                interval.SPREAD, interval.SHARE, interval.FALL = spread, share, {"sessions": 0.0, "stretches": fall}
                said = [
                    interval.next_session([value * n for value, n in row["right"]], [n for _, n in row["right"]], 0.5, row["kind"])
                    for row in rows
                ]
                low = np.mean([row["came"] < one.low for row, one in zip(rows, said, strict=True)])
                high = np.mean([row["came"] > one.high for row, one in zip(rows, said, strict=True)])
                width = float(np.mean([one.high - one.low for one in said]))
                row = {"spread": spread, "share": share, "fall": fall, "coverage": float(1 - low - high)}
                found.append({**row, "below": float(low), "above": float(high), "width": width})
    return sorted(found, key=lambda row: (abs(row["coverage"] - 0.95) > 0.01, abs(row["below"] - row["above"]) + row["width"] / 5))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("patients", type=int, nargs="?", default=200)
    parser.add_argument("--choose", action="store_true")
    parser.add_argument("--first", type=int, default=0, help="first patient, to measure in parts")
    parser.add_argument("--rows", type=Path, help="file that parts are gathered in")
    asked = parser.parse_args()
    first = asked.first + (_CHOOSING if asked.choose else 0)
    rows = json.loads(asked.rows.read_text()) if asked.rows and asked.rows.exists() else []
    for seed in range(first, first + asked.patients):
        rows.append(measure(seed))
        print(_line(rows[-1]), flush=True)
        if asked.rows:
            asked.rows.write_text(json.dumps(rows))
    print(json.dumps(choose(rows)[:12] if asked.choose else summary(rows), indent=1))


def _line(row: Mapping[str, Any]) -> str:
    said, null, runs = row["said"], "null" if row["null"] else "", "runs" if row["runs"] else ""
    return (
        f"{row['seed']:>6} {row['sessions']} x {row['trials']:>3} {null:<4} {runs:<4} "
        f"said {said['value']:.2f} ({said['low']:.2f}-{said['high']:.2f}) came {row['came']:.2f} p {row['p']:.3f} {row['verdict']}"
    )


if __name__ == "__main__":
    main()
