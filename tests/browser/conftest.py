"""A real server on the embedded library with outside connections blocked, and a real Chromium that notes where it went."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from backend.config import ROOT
from tests.prepare import models_folder

FLAGS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 120_000  # milliseconds: two busy cores load a model and index a library meanwhile


@dataclass
class Server:
    """The app under test."""

    url: str
    data: Path
    guard: Path
    outside: list[str] = field(default_factory=list)  # where the browser went besides the server

    def connections(self) -> list[str]:
        """Outside connections that the server tried."""
        return self.guard.read_text(encoding="utf-8").splitlines() if self.guard.exists() else []


@pytest.fixture(scope="package")  # not session: a server that reads papers would slow every other test
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    (folder / "data").mkdir()
    (folder / "data" / "models").symlink_to(models_folder(), target_is_directory=True)
    with running(folder, prepare=True) as made:
        yield made


@contextmanager
def running(folder: Path, prepare: bool) -> Iterator[Server]:
    """The app on the data folder ``folder / "data"``, its papers read beforehand if so asked."""
    data = folder / "data"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    guard = folder / "connections.txt"
    path = os.pathsep.join([str(Path(__file__).parent / "guard"), os.environ.get("PYTHONPATH", "")])
    env = {**os.environ, "BIOLOOM_DATA": str(data), "BIOLOOM_DEVICE": "cpu", "PYTHONPATH": path, "BIOLOOM_GUARD_FILE": str(guard)}
    env.pop("BIOLOOM_OFFLINE", None)
    if prepare:
        subprocess.run([sys.executable, "-m", "backend.cli", "prepare"], cwd=ROOT, env=env, check=True, timeout=280)
    command = [sys.executable, "-m", "backend.cli", "app", "--port", str(port), "--no-browser"]
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log, start_new_session=True)
    made = Server(f"http://localhost:{port}", data, guard)
    try:
        _wait(made.url, process)
        yield made
    finally:
        os.killpg(process.pid, 15)
        process.wait(20)


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(240):
        assert process.poll() is None, "the server ended"
        try:
            if urlopen(f"{url}/_stcore/health", timeout=2).status == 200:
                return
        except OSError:
            time.sleep(0.25)
    raise AssertionError("the server did not start within a minute")


@pytest.fixture(scope="package")  # not session: a server that reads papers would slow every other test
def browser() -> Iterator[Browser]:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("chromium is not installed; .ci/run installs it")
        pytest.skip("chromium is not installed")
    with sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE)
        opened = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1366, "height": 768}, accept_downloads=True)
    context.set_default_timeout(PATIENCE)
    opened = context.new_page()
    opened.on("request", lambda request: _note(server, request.url))
    opened.on("dialog", lambda dialog: (server.outside.append(f"dialog {dialog.message}"), dialog.dismiss()))
    yield opened
    context.close()


def _note(server: Server, url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname not in ("localhost", "127.0.0.1"):
        server.outside.append(url)
