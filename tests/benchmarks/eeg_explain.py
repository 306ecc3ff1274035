"""Does the explanation of a calibrated decoder find what was planted, keep a suppressor out, and say when there is nothing to explain?

    .venv/bin/python -m tests.benchmarks.eeg_explain [--patients 102] [--first 0] [--rows FILE] [--kinds plain,null] [--evaluations 8000]

With --rows each patient is appended to a file as it is done, and the summary is of all in it.

Candidates take turns over patients. `planted_first`: the planted channel and band lead the ranking, where the explanation calls itself
reliable (and, `_all`, everywhere); `_broad`: of a source that the next electrodes hear at half its amplitude. `suppressor_kept_out`: with
a suppressor, its channel is not among the first three of the ranking; `suppressor_high_by_share`: it would be, were parts ordered by
their Shapley values alone. `null_reliable`: patients whose classes do not differ, and whose explanation calls itself reliable.
Seconds are processor time of one explanation on one thread. Printed as JSON.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from backend.eeg.decoding.candidates import CANDIDATES
from backend.eeg.decoding.explain import explain_decoder
from backend.eeg.simulate.trials import joined, simulated_patient
from backend.metrics import binomial_interval

SOURCE, BAND, SUPPRESSOR = "C3", "alpha", "O2"
STRENGTH = 2.0
FOCAL = 0.25  # radians: a quarter of the amplitude at the next electrodes, so that one channel is the right answer
KINDS: dict[str, dict[str, Any]] = {
    "plain": {"reach": FOCAL},
    "suppressor": {"reach": FOCAL, "suppressor": SUPPRESSOR},
    "broad": {},
    "null": {"null": True, "runs": True},
}


def one(candidate: str, seed: int, kind: str, evaluations: int | None) -> dict[str, Any]:
    """One patient explained."""
    trials = joined(simulated_patient(seed, strength=STRENGTH, **KINDS[kind]))
    decoder = CANDIDATES[candidate].fit(trials, seed)
    start = time.process_time()
    found = explain_decoder(decoder, trials, {"calibration": True}, seed=seed, evaluations=evaluations)
    return {
        "kind": kind,
        "candidate": candidate,
        "seed": seed,
        "reliable": found["reliable"],
        "gain": found["gain"]["value"],
        "ranking": [[part["channel"], part["band"]] for part in found["ranking"][:3]],
        "by_share": [[part["channel"], part["band"]] for part in found["by_share"][:3]],
        "residual": found["faithfulness"]["additivity_residual"],
        "agree": found["agreement"]["agree"],
        "seconds": round(time.process_time() - start, 2),
    }


def share(found: list[bool]) -> dict[str, Any]:
    """A share with its 95% interval."""
    if not found:
        return {"n": 0}
    made = binomial_interval(sum(found), len(found))
    return {"value": round(made.value, 3), "low": round(made.low, 3), "high": round(made.high, 3), "n": len(found)}


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    of = {kind: [row for row in rows if row["kind"] == kind] for kind in KINDS}
    trusted = {kind: [row for row in of[kind] if row["reliable"]] for kind in KINDS}

    def leads(row: dict[str, Any]) -> bool:
        return row["ranking"][:1] == [[SOURCE, BAND]]

    def high(row: dict[str, Any], order: str) -> bool:
        return SUPPRESSOR in [channel for channel, _ in row[order]]

    return {
        "reliable": {kind: share([row["reliable"] for row in of[kind]]) for kind in ("plain", "suppressor", "broad")},
        "null_reliable": share([row["reliable"] for row in of["null"]]),
        "planted_first": share([leads(row) for row in trusted["plain"]]),
        "planted_first_all": share([leads(row) for row in of["plain"]]),
        "planted_first_broad": share([leads(row) for row in trusted["broad"]]),
        "planted_among_first_three_broad": share([[SOURCE, BAND] in row["ranking"] for row in trusted["broad"]]),
        "planted_first_with_suppressor": share([leads(row) for row in trusted["suppressor"]]),
        "suppressor_kept_out": share([not high(row, "ranking") for row in trusted["suppressor"]]),
        "suppressor_kept_out_all": share([not high(row, "ranking") for row in of["suppressor"]]),
        "suppressor_high_by_share": share([high(row, "by_share") for row in trusted["suppressor"]]),
        "additivity_residual_most": max(row["residual"] for row in rows),
        "seconds_median": float(np.median([row["seconds"] for row in rows])),
        "seconds_most": max(row["seconds"] for row in rows),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", type=int, default=102)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--rows", type=Path)
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--evaluations", type=int, help="signals scored for the shares; the task's own number unless given")
    parser.add_argument("--candidates", default="tangent,csp,bandpower")
    asked = parser.parse_args()
    names, rows = asked.candidates.split(","), []
    for seed in range(asked.first, asked.first + asked.patients):
        for kind in asked.kinds.split(","):
            rows.append(one(names[seed % len(names)], seed, kind, asked.evaluations))
            if asked.rows:
                with asked.rows.open("a") as out:
                    out.write(json.dumps(rows[-1]) + "\n")
    if asked.rows:
        rows = [json.loads(line) for line in asked.rows.read_text().splitlines()]
    each = {name: summary([row for row in rows if row["candidate"] == name]) for name in sorted({row["candidate"] for row in rows})}
    print(json.dumps({"strength": STRENGTH, **summary(rows), "candidates": each}, indent=1))
