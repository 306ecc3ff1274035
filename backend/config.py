"""Where things are kept and what is allowed: data folder, database, device, network switch, limits."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from backend.errors import InputError

DEVICES = ("auto", "cpu", "cuda", "mps")
ROOT = Path(__file__).resolve().parent.parent
ASSETS = ROOT / "assets"

_SWITCH = {"0": False, "false": False, "no": False, "off": False, "1": True, "true": True, "yes": True, "on": True}


@dataclass(frozen=True)
class Limits:
    """Bounds on what is taken in, so that a hostile or mistaken file cannot exhaust the machine."""

    question_chars: int = 2_000
    upload_bytes: int = 400 * 2**20
    unpacked_bytes: int = 2 * 2**30
    unpacked_ratio: int = 200  # gzip reaches about 1,000 on zeros; real MEDLINE XML stays near 10
    paper_chars: int = 5_000_000
    evidence: int = 10


@dataclass(frozen=True)
class Config:
    """Settings of one process, read once from the environment.

    Attributes
    ----------
    data : Path
        Folder that holds everything Bioloom keeps: database, models, index, uploads, logs.
    database_url : str
        SQLAlchemy URL; SQLite inside `data` unless BIOLOOM_DATABASE_URL says otherwise.
    device : str
        One of ``auto``, ``cpu``, ``cuda``, ``mps``.
    offline : bool
        True (the default): no code path opens an outside connection.
    offline_forced : bool
        True when BIOLOOM_OFFLINE was set on, so that the page cannot switch the network on.
    """

    data: Path
    database_url: str
    device: str = "auto"
    offline: bool = True
    offline_forced: bool = False
    limits: Limits = Limits()

    @property
    def models(self) -> Path:
        return self.data / "models"

    @property
    def index(self) -> Path:
        return self.data / "index"

    @property
    def uploads(self) -> Path:
        return self.data / "uploads"

    @property
    def logs(self) -> Path:
        return self.data / "logs"

    @property
    def locks(self) -> Path:
        return self.data / "locks"


def load_config(env: Mapping[str, str] | None = None) -> Config:
    """Read BIOLOOM_DATA, BIOLOOM_DATABASE_URL, BIOLOOM_DEVICE and BIOLOOM_OFFLINE; create the data folder.

    Raises
    ------
    InputError
        When a variable holds a value that is not allowed, or the data folder cannot be made.
    """
    env = os.environ if env is None else env
    data = Path(env.get("BIOLOOM_DATA") or platformdirs.user_data_path("bioloom")).expanduser().resolve()
    device = (env.get("BIOLOOM_DEVICE") or "auto").lower()
    if device not in DEVICES:
        raise InputError(
            f"BIOLOOM_DEVICE is '{device}'; allowed values are {', '.join(DEVICES)}.",
            "Set it to one of these, or leave it unset.",
        )
    switch = (env.get("BIOLOOM_OFFLINE") or "").lower()
    if switch and switch not in _SWITCH:
        raise InputError(f"BIOLOOM_OFFLINE is '{switch}'; allowed values are 0 and 1.", "Set it to 1 to forbid any connection.")
    try:
        data.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"The data folder {data} cannot be made: {error.strerror}.", "Set BIOLOOM_DATA to a folder you may write to."
        ) from error
    return Config(
        data=data,
        database_url=env.get("BIOLOOM_DATABASE_URL") or f"sqlite:///{data / 'bioloom.db'}",
        device=device,
        offline=_SWITCH.get(switch, True),
        offline_forced=_SWITCH.get(switch, False),
    )
