"""Fetches, once, the embedded models that the tests run: `python -m tests.prepare`."""

from __future__ import annotations

import sys
from pathlib import Path

from backend.config import ROOT, load_config

STORE = ROOT / ".bioloom"


def main() -> None:
    from backend.models.registry import embedded
    from backend.models.runtime import Runtime
    from backend.progress import Bar

    runtime = Runtime(load_config({"BIOLOOM_DATA": str(STORE), "BIOLOOM_OFFLINE": "0"}))
    missing = [card for card in embedded() if not runtime.present(card.name)]
    if missing:
        whole = sum(card.download_bytes for card in missing) / 1e6
        print(f"Fetching {len(missing)} embedded models for the tests ({whole:,.0f} MB, once).", file=sys.stderr)
    for card in missing:
        with Bar(f"Fetching {card.title}") as bar:
            runtime.fetch(card.name, bar, allow_network=True)


def models_folder() -> Path:
    """The folder of fetched models that every test's own data folder links to."""
    return STORE / "models"


if __name__ == "__main__":
    main()
