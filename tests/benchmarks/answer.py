"""How long a whole answer takes once everything is loaded: `python -m tests.benchmarks.answer PUBMEDQA.json`.

Questions of PubMedQA are asked of the embedded library, from the question to the saved run, without explanation; each of them with and
without the readers, in turn. The library is kept in .bioloom/bench between runs.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections import Counter
from pathlib import Path

import numpy as np

from backend.config import ROOT
from backend.metrics import bootstrap
from tests.benchmarks.literature import open_library

QUESTIONS = 60
_WARM = 5  # questions asked before, so that models and index are in memory


def main() -> None:
    """Read the arguments, ask, print milliseconds as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pubmedqa", type=Path)
    parser.add_argument("--questions", type=int, default=QUESTIONS)
    parser.add_argument("--data", type=Path, default=ROOT / ".bioloom" / "bench")
    chosen = parser.parse_args()
    bench, shelf = open_library(chosen.data)
    held = [item["QUESTION"] for item in json.loads(chosen.pubmedqa.read_text(encoding="utf-8")).values()]
    asked = [held[i] for i in np.random.default_rng(7).permutation(len(held))[: chosen.questions + _WARM]]
    times: dict[str, list[float]] = {"readers": [], "nearness alone": []}
    grounds: Counter[str] = Counter()
    for at, question in enumerate(asked):
        for name, readers in (("readers", True), ("nearness alone", False)):
            began = time.perf_counter()
            run = bench.run("literature.ask", {"question": question}, settings={"readers": readers})
            if at >= _WARM:
                times[name].append(1_000 * (time.perf_counter() - began))
            if at >= _WARM and readers:
                answer = (run.prediction or {})["answer"]
                grounds[answer["ground"] or answer["verdict"]["said"]] += 1
    found = {
        "questions": chosen.questions,
        "papers": shelf.count(),
        "cores": os.cpu_count(),
        "load of the machine, one minute": round(os.getloadavg()[0], 1),
        "in memory": [model.name for model in bench.runtime.loaded()],
        "verdicts": dict(grounds),
        "milliseconds": {
            name: {
                part: {bound: round(ms) for bound, ms in bootstrap(values, lambda v, q=q: float(np.quantile(v, q))).json().items()}
                for part, q in (("p50", 0.5), ("p95", 0.95))
            }
            for name, values in times.items()
        },
    }
    print(json.dumps(found, indent=1))
    bench.close()


if __name__ == "__main__":
    main()
