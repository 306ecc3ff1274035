"""Measure what a model takes on this machine: a fresh process loads it and works at a grid of lengths and batches.

``python -m backend.models.measure NAME`` prints peak memory and load seconds for a card; `measure` keeps a whole grid.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import IO, Any

from backend.config import Config
from backend.errors import BioloomError, ModelError
from backend.models import measure_child
from backend.models.measured import Measured, Point, keep_measured, machine
from backend.models.registry import get_card
from backend.progress import Progress, Silent

_CHILD = measure_child.__name__


def measure(
    config: Config, name: str, progress: Progress | None = None, lengths: Sequence[int] = (), batches: Sequence[int] = ()
) -> Measured:
    """Measure a model's peak memory at several lengths and batches in a fresh process, and keep what was found.

    Parameters
    ----------
    lengths, batches : sequence of int
        Sizes to measure; an eighth, a half and the whole of the model's window, and one and four at once, unless given.

    Raises
    ------
    ModelError
        When the model cannot be loaded or used, or memory ran out before anything was measured.
    Cancelled
        When the person stopped it; the process is ended with it.
    """
    progress = progress or Silent()
    card = get_card(name, config)
    grid = [",".join(map(str, sizes)) for sizes in (lengths, batches)]
    environment = {**os.environ, "BIOLOOM_DATA": str(config.data), "BIOLOOM_DEVICE": config.device, "BIOLOOM_OFFLINE": "1"}
    loaded: dict[str, Any] = {}
    points: list[Point] = []
    progress.update(0, None, f"Loading {card.title}")
    with tempfile.TemporaryFile("w+") as said:
        child = subprocess.Popen(
            [sys.executable, "-m", _CHILD, name, *grid], env=environment, stdout=subprocess.PIPE, stderr=said, text=True
        )
        try:
            for told in _told(child, progress):
                if "loaded_bytes" in told:
                    loaded = told
                else:
                    points.append(Point(**told))
                progress.update(len(points), loaded["sizes"], f"Measuring {card.title}")
        finally:
            child.kill()
            child.wait()
        out_of_memory = child.returncode in {measure_child.OUT_OF_MEMORY, -signal.SIGKILL} and len(points) < loaded.get("sizes", 1)
        if not points or (child.returncode and not out_of_memory):
            said.seek(0)
            reason = "memory ran out." if out_of_memory else (said.read().strip().splitlines() or ["its process ended."])[-1]
            raise ModelError(f"{card.title} could not be measured: {reason}", "Load it on the Models page to see what it lacks.")
    found = Measured(
        sha256=card.sha256,
        machine=machine(config),
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        loaded_bytes=loaded["loaded_bytes"],
        load_peak_bytes=loaded["load_peak_bytes"],
        load_seconds=loaded["load_seconds"],
        points=tuple(points),
        ran_out=out_of_memory,
    )
    keep_measured(config, name, found)
    return found


def _told(child: subprocess.Popen[str], progress: Progress) -> Iterator[dict[str, Any]]:
    """What the process prints, as it comes; asks between whether to stop."""
    lines: queue.Queue[str | None] = queue.Queue()
    assert child.stdout is not None
    threading.Thread(target=_pass_on, args=(child.stdout, lines), daemon=True).start()
    while True:
        progress.check()
        try:
            line = lines.get(timeout=0.2)
        except queue.Empty:
            continue
        if line is None:
            child.wait()
            return
        yield json.loads(line)


def _pass_on(source: IO[str], lines: queue.Queue[str | None]) -> None:
    for line in source:
        lines.put(line)
    lines.put(None)


if __name__ == "__main__":
    try:
        print(measure_child.heaviest(sys.argv[1] if len(sys.argv) > 1 else "minilm"))
    except BioloomError as error:
        sys.exit(str(error))
