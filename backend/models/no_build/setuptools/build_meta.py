"""A build program (PEP 517) that runs nothing of the archive it is handed: it reads name and version off the archive's own PKG-INFO."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def get_requires_for_build_wheel(config_settings: dict[str, Any] | None = None) -> list[str]:
    """Nothing is needed, since nothing is built."""
    return []


def prepare_metadata_for_build_wheel(metadata_directory: str, config_settings: dict[str, Any] | None = None) -> str:
    """Copy PKG-INFO, which every source archive holds, as the package's metadata; gives the folder's name."""
    about = Path("PKG-INFO").read_text(encoding="utf-8")
    fields = dict(line.split(": ", 1) for line in about.splitlines() if line.startswith(("Name: ", "Version: ")))
    folder = Path(metadata_directory) / f"{fields['Name'].replace('-', '_')}-{fields['Version']}.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(about, encoding="utf-8")
    return folder.name


def build_wheel(wheel_directory: str, config_settings: dict[str, Any] | None = None, metadata_directory: str | None = None) -> str:
    """Refused."""
    raise NotImplementedError("Bioloom fetches this package for the files in it and never builds it.")
