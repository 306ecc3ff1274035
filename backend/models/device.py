"""Where models run and how much memory is free there."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

from backend.config import Config
from backend.errors import ModelError


def pick_device(config: Config) -> str:
    """``cuda``, ``mps`` or ``cpu``: what the configuration asks for; on ``auto`` the first of these that is there.

    Raises
    ------
    ModelError
        When the configuration names a device that this machine does not have.
    """
    if config.device == "cpu" or (config.device == "auto" and _cpu_only()):
        return "cpu"
    import torch

    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if config.device == "auto":
        return next(name for name, there in present.items() if there)
    if not present[config.device]:
        there = ", ".join(name for name, found in present.items() if found)
        raise ModelError(f"BIOLOOM_DEVICE is '{config.device}', which this machine does not have.", f"It has: {there}.")
    return config.device


def precision(device: str) -> Any:
    """The number format that a network computes in: bfloat16 on a CUDA device that has it, else float32.

    BIOLOOM_PRECISION=float32 keeps float32 everywhere.
    """
    import torch

    wanted = os.environ.get("BIOLOOM_PRECISION", "")
    bf16 = device == "cuda" and wanted != "float32" and torch.cuda.is_bf16_supported()
    return torch.bfloat16 if bf16 else torch.float32


def device_name(config: Config) -> str:
    """The device in words, for the reader."""
    device = pick_device(config)
    if device == "cuda":
        import torch

        return f"GPU ({torch.cuda.get_device_name()})"
    cores = psutil.cpu_count(logical=False) or psutil.cpu_count() or 1
    return f"Apple GPU ({platform.machine()})" if device == "mps" else f"CPU, {cores} core{'s' if cores > 1 else ''}"


def available_bytes(device: str) -> int:
    """Memory free for a model on a device, in bytes; a container's own limit counts where it is lower."""
    if device == "cuda":
        import torch

        return int(torch.cuda.mem_get_info()[0])
    free = int(psutil.virtual_memory().available)
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text().strip()
        used = int(Path("/sys/fs/cgroup/memory.current").read_text())
    except (OSError, ValueError):
        return free
    return free if limit == "max" else max(0, min(free, int(limit) - used))


def _cpu_only() -> bool:
    """True when the installed torch can use nothing but the CPU, told without the seconds that importing it takes."""
    return sys.platform == "linux" and importlib.metadata.version("torch").endswith("+cpu")
