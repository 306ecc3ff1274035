"""Commands that open Bioloom and make it ready."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
import webbrowser
from typing import Annotated
from urllib.request import urlopen

import typer

from backend.cli.shared import app, say, workbench
from backend.config import ROOT, load_config
from backend.progress import Bar


@app.command("app")
def start_app(
    port: Annotated[int, typer.Option(help="Port on this machine.")] = 8501,
    browser: Annotated[bool, typer.Option(help="Open the browser.")] = True,
) -> None:
    """Open Bioloom in the browser. It listens on this machine only."""
    load_config()
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py"), "--server.port", str(port)]
    if browser:
        threading.Thread(target=_open_browser, args=(f"http://localhost:{port}",), daemon=True).start()
    try:
        sys.exit(subprocess.call(command, cwd=ROOT))
    except KeyboardInterrupt:
        sys.exit(0)


def _open_browser(url: str) -> None:
    """Open the browser once the server answers; a machine without one is told the address by the server."""
    for _ in range(240):
        try:
            with urlopen(f"{url}/_stcore/health", timeout=2):
                webbrowser.open(url)
                return
        except OSError:
            time.sleep(0.25)


@app.command()
def prepare() -> None:
    """Fetch the embedded models and read the embedded abstracts, so that the first question finds them. Safe to repeat."""
    from backend.literature.library import library
    from backend.models.registry import embedded

    with workbench() as bench:
        for card in embedded():
            if not bench.runtime.present(card.name):
                with Bar(f"Fetching {card.title}") as bar:
                    bench.runtime.fetch(card.name, bar, allow_network=not bench.config.offline_forced)
        with Bar("Reading the embedded PubMed abstracts") as bar:
            library(bench.context).import_embedded(bar)
        say(f"Ready: {library(bench.context).count():,} papers in the library.", sys.stderr)
