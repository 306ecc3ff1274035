"""The process that is measured: ``python -m backend.models.measure_child NAME LENGTHS BATCHES`` prints a line of JSON for each size."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import inspect
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

from backend.config import load_config
from backend.errors import BioloomError

OUT_OF_MEMORY = 3  # exit code
_BATCHES = (1, 4)
_RESET = Path("/proc/self/clear_refs")  # Linux: "5" forgets the process's largest resident size
_STATUS = Path("/proc/self/status")


def sizes(model: Any, lengths: list[int], batches: list[int]) -> list[tuple[int, int]]:
    """Lengths and batches to measure, the small ones first; one of (0, 0) for a model that has no notion of length.

    Where the largest resident size cannot be forgotten between two sizes, the order still makes it that of the latest.
    """
    window = getattr(model, "window", 0)
    if not window or "length" not in inspect.signature(model.exercise).parameters:
        return [(0, 0)]
    lengths = sorted({min(length, window) for length in lengths}) or sorted({max(1, window // 8), max(1, window // 2), window})
    return sorted(((length, batch) for length in lengths for batch in batches or _BATCHES), key=lambda size: size[0] * size[1])


def heaviest(name: str) -> dict[str, float]:
    """Load a model and have it do its own heaviest work: ``peak_bytes`` (libraries included) and ``load_seconds``."""
    found = list(_run(name, [], [], heaviest=True))
    return {"peak_bytes": found[-1]["bytes"], "load_seconds": found[0]["load_seconds"]}


def _run(name: str, lengths: list[int], batches: list[int], heaviest: bool = False) -> Any:
    from backend.models.runtime import Runtime

    runtime = Runtime(load_config())
    before, began = _resident(), time.perf_counter()
    with runtime.use(name) as model:
        seconds = time.perf_counter() - began
        device = next(found.device for found in runtime.loaded() if found.name == name)
        meter = _Cuda() if device == "cuda" else _Process(before)
        wanted = [(0, 0)] if heaviest else sizes(model, lengths, batches)
        peak = meter.peak()
        yield {"loaded_bytes": meter.now(), "load_peak_bytes": peak, "load_seconds": round(seconds, 2), "sizes": len(wanted)}
        for length, batch in wanted:
            if not heaviest:
                meter.forget()
            began = time.perf_counter()
            if length:
                model.exercise(length, batch)
            else:
                model.exercise()
            yield {"length": length, "batch": batch, "bytes": meter.peak(), "seconds": round(time.perf_counter() - began, 3)}


class _Process:
    """Memory of this process since it held neither libraries nor model."""

    def __init__(self, before: int) -> None:
        self._before = before

    def now(self) -> int:
        _trim()
        return _resident() - self._before

    def forget(self) -> None:
        _trim()
        with contextlib.suppress(OSError):  # the largest of all sizes so far is read then
            _RESET.write_text("5")

    def peak(self) -> int:
        return _largest() - self._before


class _Cuda:
    """Memory of tensors on the GPU."""

    def now(self) -> int:
        import torch

        gc.collect()
        return int(torch.cuda.memory_allocated())

    def forget(self) -> None:
        import torch

        gc.collect()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()

    def peak(self) -> int:
        import torch

        torch.cuda.synchronize()
        return int(torch.cuda.max_memory_allocated())


def _trim() -> None:
    gc.collect()
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)) is not None:
        trim(0)


def _resident() -> int:
    return int(psutil.Process().memory_info().rss)


def _largest() -> int:
    if _STATUS.is_file():
        kept = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(kept.split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024  # getrusage counts bytes on macOS, kB elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def main(name: str, lengths: str, batches: str) -> int:
    """Exit code: 0, or `OUT_OF_MEMORY` where a size found no room."""
    from backend.models.batching import TooLittleMemory, is_out_of_memory

    grid = [[int(each) for each in listed.split(",") if each] for listed in (lengths, batches)]
    try:
        for made in _run(name, grid[0], grid[1]):
            print(json.dumps(made), flush=True)
    except TooLittleMemory:
        return OUT_OF_MEMORY
    except BioloomError as error:
        sys.exit(f"{error.message} {error.hint}".strip())
    except Exception as error:
        if is_out_of_memory(error):
            return OUT_OF_MEMORY
        raise
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
