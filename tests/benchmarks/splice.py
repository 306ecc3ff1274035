"""Speed of the splice networks: ``python -m tests.benchmarks.splice [BASES]`` prints bases a second on one thread (100,000 bases)."""

from __future__ import annotations

import json
import sys
import time

import numpy as np


def main(bases: int) -> None:
    import torch

    from backend.config import load_config
    from backend.models.runtime import Runtime
    from tests.prepare import STORE

    torch.set_num_threads(1)
    codes = np.random.default_rng(0).integers(0, 4, bases).astype(np.uint8)
    with Runtime(load_config({"BIOLOOM_DATA": str(STORE), "BIOLOOM_DEVICE": "cpu"})).use("cispliceai") as splicer:
        splicer.probabilities(codes[:2000])
        began, worked = time.perf_counter(), time.process_time()
        splicer.probabilities(codes)
        seconds, cpu = time.perf_counter() - began, time.process_time() - worked
        site, count = bases // 2, 256
        judged = splicer.at_base(codes, site, site - 45, site + 46)
        versions = np.repeat(codes[None, site - 45 : site + 46], count, axis=0)
        versions[np.random.default_rng(1).random(versions.shape) < 0.5] = 4
        began_at = time.process_time()
        judged.probabilities(versions)
        short = (time.process_time() - began_at) / count
        began_at = time.process_time()
        splicer.probabilities(codes, site, site + 1)
        plain = time.process_time() - began_at
    made = {
        "bases": bases,
        "seconds": round(seconds, 2),
        "cpu_seconds": round(cpu, 2),
        "bases_per_cpu_second": round(bases / cpu),
        "one_base_of_a_masked_window_ms": round(1000 * short, 2),
        "the_same_by_a_whole_pass_ms": round(1000 * plain, 1),
    }
    print(json.dumps(made))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
