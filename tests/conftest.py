"""What tests share: a data folder of their own, the real encoder, real papers, and the developers' data where it is there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.config import ROOT, Config, load_config
from tests.prepare import models_folder

SHARED = ROOT.parent / "shared" / "data"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that need CUDA are skipped, with the reason, where there is none."""
    marked = [item for item in items if item.get_closest_marker("gpu")]
    if marked:
        import torch

        if not torch.cuda.is_available():
            for item in marked:
                item.add_marker(pytest.mark.skip(reason="needs CUDA, which this machine does not have"))


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)  # on a busy machine one thread is many times faster than two


@pytest.fixture
def data_folder(tmp_path: Path) -> Path:
    """An empty data folder that sees the fetched models."""
    folder = tmp_path / "data"
    folder.mkdir()
    if models_folder().is_dir():
        (folder / "models").symlink_to(models_folder(), target_is_directory=True)
    return folder


@pytest.fixture
def config(data_folder: Path) -> Config:
    return load_config({"BIOLOOM_DATA": str(data_folder), "BIOLOOM_DEVICE": "cpu"})


@pytest.fixture
def bench(config: Config) -> Iterator[object]:
    """A workbench on an empty database."""
    from backend.workbench import Workbench

    opened = Workbench(config)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def shared() -> Path:
    if not SHARED.is_dir():
        pytest.skip("the developers' data folder ../shared/data is not on this machine")
    return SHARED
