"""A database with one patient and one visit to import into."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from backend.config import Config, load_config
from backend.eeg.importing import import_recording
from backend.eeg.signal import Signal, open_recording
from backend.storage import Storage, open_storage
from backend.storage.recordings import Recording


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return load_config({"BIOLOOM_DATA": str(tmp_path / "data")})


@pytest.fixture
def storage(config: Config) -> Iterator[Storage]:
    opened = open_storage(config)
    yield opened
    opened.close()


@pytest.fixture
def visit(storage: Storage) -> str:
    return storage.patients.add_visit(storage.patients.add("P-01").id, "first").id


@pytest.fixture
def take(config: Config, storage: Storage, visit: str) -> Callable[..., Recording]:
    def do(path: Path, **more: Any) -> Recording:
        return import_recording(config, storage, visit, path, **more)

    return do


@pytest.fixture
def taken(config: Config, take: Callable[..., Recording]) -> Callable[..., Signal]:
    def do(path: Path, **more: Any) -> Signal:
        return open_recording(config, take(path, **more).id)

    return do
