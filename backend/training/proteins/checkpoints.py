"""Where a training run stands: weights, optimizer and counters in one file, so that a stopped run goes on bit for bit."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from backend.errors import InputError, ModelError

_FILE = "checkpoint.pt"


@dataclass(frozen=True)
class Settings:
    """What decides a run's numbers; a run is taken up with the same only.

    Attributes
    ----------
    batch : int
        Tokens of a step at most.
    rate : float
        Highest learning rate.
    tokens, minutes : float
        Where the schedule ends, whichever comes first; 0 where it does not count.
    data : str
        SHA-256 of the training set.
    precision : str
        ``bfloat16`` or ``float32``.
    """

    shape: str
    seed: int
    window: int
    batch: int
    rate: float
    tokens: int
    minutes: float
    data: str
    precision: str


@dataclass
class Place:
    """How far a run is: the next batch, and what has been read in how many seconds."""

    epoch: int = 0
    number: int = 0
    step: int = 0
    tokens: int = 0
    seconds: float = 0.0


def save(folder: Path, network: Any, optimizer: Any, place: Place, settings: Settings) -> None:
    """Write the checkpoint beside the old one and then put it in its place: a stopped write leaves the old."""
    import torch

    draft = folder / f"{_FILE}.draft"
    state = {"network": network.state_dict(), "optimizer": optimizer.state_dict(), "place": asdict(place), "settings": asdict(settings)}
    torch.save(state, draft)
    os.replace(draft, folder / _FILE)


def restore(folder: Path, network: Any, optimizer: Any, settings: Settings) -> Place:
    """Load the folder's checkpoint into network and optimizer.

    Raises
    ------
    InputError
        When there is none, or the run was begun with other settings.
    ModelError
        When it is damaged.
    """
    import torch

    file = folder / _FILE
    if not file.is_file():
        raise InputError(f"{folder} holds no checkpoint.", "Leave --resume out to begin there.")
    try:
        state = torch.load(file, map_location="cpu", weights_only=True)
        place, held = Place(**state["place"]), state["settings"]
    except Exception as error:  # torch has many kinds for what is not a plain set of weights
        raise ModelError(f"{file} is damaged.", "Begin again in an empty folder.") from error
    given = asdict(settings)
    if other := [f"{name} {held.get(name)!r}, now {value!r}" for name, value in given.items() if held.get(name) != value]:
        raise InputError(f"The run in {folder} was begun with other settings: {'; '.join(other)}.", "Give the same ones.")
    network.load_state_dict(state["network"])
    optimizer.load_state_dict(state["optimizer"])
    return place


def present(folder: Path) -> bool:
    """Whether a run was begun there."""
    return (folder / _FILE).is_file()
