"""A long RNA folded in a process of its own, so that the program stays alive meanwhile and the work can be stopped."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from backend.config import ROOT
from backend.errors import ModelError

if TYPE_CHECKING:
    from backend.models.families.viennarna import Fold

_EVERY = 0.1  # seconds between two looks at the process


def some_seconds(length: int) -> float:
    """About how long a strand of `length` bases takes on one ordinary processor core: 1.1 s for 600, 4 s for 1,000, 25 s for 2,000."""
    return max(0.05, 1.1 * math.pow(length / 600, 2.6))


def fold_apart(sequence: str, how: Mapping[str, Any], watch: Callable[[float], None]) -> Fold:
    """Fold as `Folder.fold` does, in another process.

    Parameters
    ----------
    how : mapping
        ``temperature``, ``dangles`` and ``constraint``.
    watch : callable
        Called with the seconds gone, several times a second; whatever it raises ends the process and is raised on.

    Raises
    ------
    InputError
        When the constraint does not fit the strand.
    ModelError
        When the process fails, for example for want of memory.
    """
    from backend.models.families.viennarna import Fold, check_constraint

    check_constraint(sequence, str(how.get("constraint", "")))
    with tempfile.TemporaryDirectory(prefix="bioloom-fold-") as name:
        folder = Path(name)
        asked, made, said = folder / "asked.json", folder / "made.npz", folder / "said.txt"
        asked.write_text(json.dumps({"sequence": sequence, **how}), encoding="utf-8")
        started = time.monotonic()
        with said.open("wb") as errors:
            process = subprocess.Popen(
                [sys.executable, "-m", "backend.models.fold_apart", str(asked), str(made)],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
            )
            try:
                while process.poll() is None:
                    watch(time.monotonic() - started)
                    time.sleep(_EVERY)
            finally:
                if process.poll() is None:
                    process.kill()
                process.wait()
        if process.returncode or not made.exists():
            lines = said.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            why = "it was ended from outside, most likely for want of memory" if process.returncode < 0 else lines[-1] if lines else ""
            raise ModelError(f"Folding {len(sequence):,} bases did not end well: {why}.", "Close other programs, or fold a shorter part.")
        with np.load(made, allow_pickle=False) as held:
            return Fold(**{key: held[key] if held[key].ndim else held[key].item() for key in held.files})


def main(asked: Path, made: Path) -> None:
    """The other process: read what is asked, fold, write what was found."""
    from backend.models.families.viennarna import CARD, load

    given = json.loads(asked.read_text(encoding="utf-8"))
    with made.open("wb") as stream:
        np.savez(stream, **asdict(load(None, CARD, "cpu").fold(**given)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
