"""A real database in a fresh folder, and runs to put into it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from backend.config import Config, load_config
from backend.domain import Run
from backend.storage import Storage, open_storage


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return load_config({"BIOLOOM_DATA": str(tmp_path / "data")})


@pytest.fixture
def storage(config: Config) -> Iterator[Storage]:
    opened = open_storage(config)
    yield opened
    opened.close()


def _make_run(id: str, **changes: Any) -> Run:
    """A run as `literature.ask` leaves one."""
    question = "Does metformin reduce cardiovascular mortality?"
    values: dict[str, Any] = {
        "id": id,
        "task": "literature.ask",
        "title": question,
        "created": datetime.now(UTC),
        "input": {"question": question},
        "input_sha256": "0" * 64,
        "settings": {"limit": 10},
        "profile": {"id": "guest"},
        "model": {"name": "minilm", "revision": "1", "sha256": "f" * 64},
        "prediction": {"evidence": [{"quote": "µg/dl – naïve", "score": 0.25}]},
        "explanation": None,
        "warnings": ("The library is still being indexed.",),
        "seconds": 0.2,
        "environment": {"device": "cpu"},
        "owner": "guest",
    }
    return Run(**{**values, **changes})


@pytest.fixture
def make_run() -> Callable[..., Run]:
    return _make_run


@pytest.fixture
def save(storage: Storage) -> Callable[..., Run]:
    def append(**changes: Any) -> Run:
        return storage.runs.append(_make_run(storage.runs.new_run_id(), **changes))

    return append
