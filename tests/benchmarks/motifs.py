"""Binding motifs along a million random bases: what is found beside what chance alone gives, and how long it takes.

BIOLOOM_DATA=.bioloom .venv/bin/python -m tests.benchmarks.motifs
"""

from __future__ import annotations

import json
import time

import numpy as np

from backend.config import load_config
from backend.sequences.inputs import give_text
from backend.workbench import Workbench

LETTERS = 1_000_000


def main() -> None:
    bases = np.random.default_rng(0).choice(list("ACGT"), LETTERS)
    bench = Workbench(load_config())
    began = time.process_time()
    run = bench.run("dna.motifs", give_text(bench.context, f">random\n{''.join(bases)}\n", "random.fasta"))
    seconds = time.process_time() - began
    print(json.dumps({"cpu_seconds": round(seconds, 1), "text": (run.prediction or {})["text"][0]}))
    bench.close()


if __name__ == "__main__":
    main()
