"""Measure what a model takes: ``python -m backend.models.measure NAME`` prints peak memory and load seconds for its card."""

from __future__ import annotations

import resource
import sys
import time

from backend.config import load_config
from backend.errors import BioloomError


def measure(name: str) -> dict[str, float]:
    """Load a model and run it on full windows; run it in a fresh process, since a peak is never taken back.

    Returns
    -------
    dict
        ``peak_bytes`` (growth of the process's largest resident size, libraries included) and ``load_seconds``.
    """
    from backend.models.runtime import Runtime

    runtime = Runtime(load_config())
    before, started = _peak(), time.perf_counter()
    with runtime.use(name) as predictor:
        seconds = time.perf_counter() - started
        if hasattr(predictor, "exercise"):
            predictor.exercise()
        elif hasattr(predictor, "encode"):
            for fast in (False, True):
                predictor.encode(["insulin resistance " * 400] * 16, fast=fast)
    return {"peak_bytes": _peak() - before, "load_seconds": round(seconds, 2)}


def _peak() -> int:
    unit = 1 if sys.platform == "darwin" else 1024  # getrusage counts bytes on macOS, kB on Linux
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


if __name__ == "__main__":
    try:
        print(measure(sys.argv[1] if len(sys.argv) > 1 else "minilm"))
    except BioloomError as error:
        sys.exit(str(error))
