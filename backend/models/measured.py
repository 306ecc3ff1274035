"""What models were found to take on this machine: peak memory by length and batch, kept in the data folder, and read between."""

from __future__ import annotations

import bisect
import importlib.metadata
import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

from backend.config import Config
from backend.domain import ModelCard
from backend.models.device import device_name


@dataclass(frozen=True)
class Point:
    """One measured size: `batch` inputs of `length` tokens or letters (0 and 0: the model's own heaviest work).

    Attributes
    ----------
    bytes : int
        Largest memory while it was computed, the model included; on a CPU also the libraries that it needs.
    """

    length: int
    batch: int
    bytes: int
    seconds: float


@dataclass(frozen=True)
class Measured:
    """Peaks of one model on one machine.

    Attributes
    ----------
    sha256 : str
        Of the model's files: other files are other measurements.
    machine : mapping
        Device, operating system and torch; figures of another machine are not used.
    loaded_bytes : int
        Memory with the model loaded and nothing asked of it.
    load_peak_bytes : int
        Largest memory while it was loaded.
    points : tuple of Point
        A full grid of lengths and batches, unless memory ran out: then what was measured before.
    """

    sha256: str
    machine: Mapping[str, str]
    date: str
    loaded_bytes: int
    load_peak_bytes: int
    load_seconds: float
    points: tuple[Point, ...]
    ran_out: bool = False

    @property
    def peak_bytes(self) -> int:
        """The largest of all that was measured, loading included."""
        return max(self.load_peak_bytes, *(point.bytes for point in self.points))

    @property
    def by_size(self) -> bool:
        """Whether the model was measured at several sizes, so that a request's own size can be judged."""
        return any(point.length for point in self.points)

    def peak(self, length: int, batch: int) -> int:
        """Bytes that `batch` inputs of `length` take: read between the measured sizes, never below a smaller one's.

        Between four sizes the reading is bilinear, which is exact where memory grows with length, batch and their product, and above
        the truth where it grows faster. Beyond the largest sizes what the inputs take (all but the loaded model) is taken to grow
        with the batch and with the square of the length, as attention at worst does.
        """
        lengths, batches = (sorted({getattr(point, axis) for point in self.points}) for axis in ("length", "batch"))
        grid = self._grid(lengths, batches)

        def at(i: int, j: int) -> float:
            """The largest peak of all sizes up to this one."""
            return max(grid[a, b] for a in lengths[: i + 1] for b in batches[: j + 1])

        i, right = _between(lengths, length)
        j, up = _between(batches, batch)
        inside = sum(
            at(i + a, j + b) * (right if a else 1 - right) * (up if b else 1 - up)
            for a in (0, 1)
            for b in (0, 1)
            if i + a < len(lengths) and j + b < len(batches)
        )
        beyond = max(1.0, length / lengths[-1]) ** 2 * max(1.0, batch / batches[-1])
        return round(self.loaded_bytes + max(0.0, inside - self.loaded_bytes) * beyond) if beyond > 1 else round(inside)

    def _grid(self, lengths: list[int], batches: list[int]) -> dict[tuple[int, int], float]:
        """Peaks by size; sizes that memory did not suffice for are drawn on from fewer at once of the same length."""
        made: dict[tuple[int, int], float] = {(point.length, point.batch): point.bytes for point in self.points}
        for length in lengths:
            for fewer, batch in pairwise(batches):
                if (length, batch) not in made:
                    made[length, batch] = self.loaded_bytes + max(0.0, made[length, fewer] - self.loaded_bytes) * batch / fewer
        return made


def machine(config: Config) -> dict[str, str]:
    """What a measurement is bound to; told without importing torch where the device is a CPU."""
    return {
        "device": device_name(config),
        "system": f"{platform.system()} {platform.machine()}",
        "torch": importlib.metadata.version("torch"),
        "precision": os.environ.get("BIOLOOM_PRECISION", "") or "as the device has it",
    }


def read_measured(config: Config, card: ModelCard) -> Measured | None:
    """What was measured of these files of a model on this machine; None where nothing was, or where the note cannot be read."""
    try:
        entry = json.loads(_file(config, card.name).read_text(encoding="utf-8"))
        found = Measured(**{**entry, "points": tuple(Point(**point) for point in entry["points"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None  # a measurement is repeated by a press of a button: a damaged one is no reason to stop
    return found if found.points and found.sha256 == card.sha256 and found.machine == machine(config) else None


def keep_measured(config: Config, name: str, found: Measured) -> None:
    """Note a measurement in the data folder; an earlier one is replaced."""
    file = _file(config, name)
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".tmp")
    draft.write_text(json.dumps(asdict(found), indent=1), encoding="utf-8")
    os.replace(draft, file)


def _file(config: Config, name: str) -> Path:
    return config.data / "measured" / f"{name}.json"


def _between(known: list[int], wanted: int) -> tuple[int, float]:
    """Index of the known size at or below the wanted one, and the share of the way to the next; held at both ends."""
    at = bisect.bisect_right(known, wanted) - 1
    if at < 0:
        return 0, 0.0
    if at >= len(known) - 1:
        return len(known) - 1, 0.0
    return at, (wanted - known[at]) / (known[at + 1] - known[at])
