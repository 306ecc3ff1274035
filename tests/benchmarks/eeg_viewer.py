"""The EEG reader in Chromium on 24 h of 32 channels at 256 Hz: first page, turning pages, bytes a page, memory of the server.

    .venv/bin/python -m tests.benchmarks.eeg_viewer [HOURS] [TURNS]

It makes the recording (3 GB of disk for a day) and starts a server of its own on a data folder of its own; with BIOLOOM_VIEWER_DATA, that
folder is kept and used again. A page counts as turned when the canvas holds it and the next frame has begun. The embedded abstracts
count as read, so that no other work of Bioloom's runs meanwhile.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page, sync_playwright

from backend.config import ROOT, load_config
from backend.eeg.importing import import_recording
from backend.storage import open_storage
from tests.benchmarks.eeg_store import write_day
from tests.benchmarks.server import _memory, _wait
from tests.browser.conftest import FLAGS
from tests.prepare import models_folder

# every turn from the key's own time stamp to the frame after the canvas said what it holds
WATCH = """() => {
  const find = () => [...document.querySelectorAll("[data-testid=stBidiComponentIsolated]")]
    .map((host) => host.shadowRoot?.querySelector("canvas.page")).find(Boolean);
  const canvas = find();
  window.turns = [];
  let pressed = 0;
  canvas.focus();
  window.addEventListener("keydown", (event) => (pressed = event.timeStamp), true);
  canvas.addEventListener("pressed", () => (pressed = performance.now()));
  const told = (stamp) => () => window.turns.push(performance.now() - stamp);
  new MutationObserver(() => {
    if (!pressed) return;
    requestAnimationFrame(told(pressed));
    pressed = 0;
  }).observe(canvas, { attributes: true, attributeFilter: ["data-at", "data-look"] });
}"""
FIRST = "canvas.page[data-at]"
KEYS = {"l": "longitudinal", "r": "referential"}


def main(hours: float, turns: int) -> None:
    kept = os.environ.get("BIOLOOM_VIEWER_DATA")
    with tempfile.TemporaryDirectory() as folder:
        data = Path(kept or folder) / "data"
        recording = prepare(data, Path(kept or folder), hours)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        env = {**os.environ, "BIOLOOM_DATA": str(data)}
        subprocess.run([sys.executable, "-m", "backend.cli", "prepare"], cwd=ROOT, env=env, check=True)
        command = [sys.executable, "-m", "backend.cli", "app", "--port", str(port), "--no-browser"]
        server = subprocess.Popen(command, cwd=ROOT, env=env, start_new_session=True)
        try:
            _wait(port)
            measure(f"http://localhost:{port}", recording, server.pid, turns)
        finally:
            os.killpg(server.pid, 15)
            server.wait(20)


def prepare(data: Path, folder: Path, hours: float) -> str:
    """The id of a recording of so many hours, made unless it is there."""
    data.mkdir(parents=True, exist_ok=True)
    if models_folder().is_dir() and not (data / "models").exists():
        (data / "models").symlink_to(models_folder(), target_is_directory=True)
    config = load_config({"BIOLOOM_DATA": str(data)})
    storage = open_storage(config)
    storage.settings.set("embedded_abstracts", {"works": 0})
    try:
        for known in storage.recordings.list():
            if known.name == f"Day of {hours:g} h":
                return known.id
        path = folder / "day.edf"
        write_day(path, hours)
        visit = storage.patients.add_visit(storage.patients.add(f"Day {hours:g}").id, "day")
        made = import_recording(config, storage, visit.id, path, name=f"Day of {hours:g} h")
        path.unlink()
        return made.id
    finally:
        storage.close()


def measure(url: str, recording: str, pid: int, turns: int) -> None:
    """Print each figure as it is found."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(viewport={"width": 1366, "height": 900})
        bytes_seen: list[int] = []
        page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: bytes_seen.append(len(frame))))
        page.goto(url)  # the server's own beginning: its imports, its library
        page.locator("h1").first.wait_for(timeout=180_000)
        time.sleep(20)
        say("server before any recording, MB", _memory(pid))
        say("load of the machine in the last minute, processes", round(os.getloadavg()[0], 1))
        say("first page after the start, then again, s", [opened(page, url, recording) for _ in range(4)])
        say("drawing a page, ms", float(page.locator("canvas.page").get_attribute("data-drawn") or "nan"))
        page.evaluate(WATCH)
        for montage, key in (("double banana", "l"), ("as recorded, 32 traces", "r")):
            if page.locator("select[data-set=montage]").input_value() != json.dumps(KEYS[key]):
                say(f"to {montage}, ms", round(pressed(page, key, 1, 0)[0]))
            page.wait_for_timeout(5000)  # reads the page that was opened
            bytes_seen.clear()
            say(f"{montage}: a page every 0.5 s", told(pressed(page, "ArrowRight", turns, 500)))
            say(f"{montage}: all bytes received for a page turned, kB", round(sum(bytes_seen) / turns / 1e3))
            say(f"{montage}: a page every 0.2 s", told(pressed(page, "ArrowRight", turns, 200)))
            say(f"{montage}: each page as soon as the one before is drawn", told(pressed(page, "ArrowRight", turns, 0)))
            say(f"{montage}: back, a page every 0.3 s", told(pressed(page, "ArrowLeft", turns, 300)))
        say("jump to a page that nobody read ahead", told(jumps(page, 20)))
        say("server after reading, MB", _memory(pid))
        say("load of the machine in the last minute, processes", round(os.getloadavg()[0], 1))
        browser.close()


def say(what: str, found: Any) -> None:
    print(f"{what}: {json.dumps(found)}", flush=True)


def opened(page: Page, url: str, recording: str) -> float:
    """Seconds from the address to the first page on the canvas, in a server that has started."""
    page.goto("about:blank")
    began = time.perf_counter()
    page.goto(f"{url}/eeg?recording={recording}&show=signal")
    page.locator(FIRST).wait_for(timeout=60_000)
    return round(time.perf_counter() - began, 2)


def pressed(page: Page, key: str, times: int, wait: int) -> list[float]:
    """Milliseconds of each turn, keys pressed every `wait` ms or, with 0, as soon as the page before stood."""
    page.evaluate("window.turns.length = 0")
    for count in range(1, times + 1):
        began = time.perf_counter()
        page.keyboard.press(key)
        page.wait_for_function(f"window.turns.length >= {count}", timeout=30_000, polling=10)
        left = wait / 1000 - (time.perf_counter() - began)
        if left > 0:
            page.wait_for_timeout(1000 * left)
    return list(page.evaluate("window.turns"))


def jumps(page: Page, times: int) -> list[float]:
    """Clicks into the strip: pages that nobody had asked for."""
    rng = np.random.default_rng(0)
    page.evaluate("window.turns.length = 0")
    box = page.locator("canvas.strip").bounding_box()
    assert box is not None
    for count in range(1, times + 1):
        page.locator("canvas.page").evaluate("canvas => canvas.dispatchEvent(new Event('pressed'))")
        page.mouse.click(box["x"] + rng.uniform(120, box["width"] - 30), box["y"] + 20)
        page.wait_for_function(f"window.turns.length >= {count}", timeout=30_000, polling=10)
        page.wait_for_timeout(800)
    return list(page.evaluate("window.turns"))


def told(times: list[float]) -> dict[str, float]:
    return {
        "n": len(times),
        "p50, ms": round(float(np.median(times)), 1),
        "p95, ms": round(float(np.quantile(times, 0.95)), 1),
        "worst, ms": round(max(times), 1),
    }


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 24.0, int(sys.argv[2]) if len(sys.argv) > 2 else 120)
