"""Fetches, once, the embedded model that the tests run: `python -m tests.prepare`."""

from __future__ import annotations

import sys
from pathlib import Path

from backend.config import ROOT, load_config

STORE = ROOT / ".bioloom"


def main() -> None:
    from backend.literature.library import ENCODER
    from backend.models.runtime import Runtime
    from backend.progress import Bar

    runtime = Runtime(load_config({"BIOLOOM_DATA": str(STORE), "BIOLOOM_OFFLINE": "0"}))
    if not runtime.present(ENCODER):
        print("Fetching the embedded model for the tests (83 MB, once).", file=sys.stderr)
        with Bar("Fetching the embedded model") as bar:
            runtime.fetch(ENCODER, bar, allow_network=True)


def models_folder() -> Path:
    """The folder of fetched models that every test's own data folder links to."""
    return STORE / "models"


if __name__ == "__main__":
    main()
