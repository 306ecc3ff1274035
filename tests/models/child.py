"""A process of its own that fetches one model: ``python -m tests.models.child CARD.json [LIMIT]``, no file over LIMIT bytes."""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path

from backend.config import load_config
from backend.errors import BioloomError
from backend.models.added import from_json
from backend.models.store import Store
from backend.progress import Silent


class Told(Silent):
    def update(self, done: float, total: float | None = None, message: str = "") -> None:
        print(message, flush=True)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
    config = load_config()
    card = from_json(json.loads(Path(sys.argv[1]).read_text()))
    try:
        Store(config).fetch(card, Told(), allow_network=not config.offline)
    except BioloomError as error:
        sys.exit(f"{type(error).__name__}: {error}")
