"""Start and memory of the server: `python -m tests.benchmarks.server`, on the library of .bioloom/bench, through Chromium."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

import psutil
from playwright.sync_api import sync_playwright

from backend.config import ROOT
from tests.benchmarks.literature import open_library, questions
from tests.browser.conftest import FLAGS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT / ".bioloom" / "bench")
    parser.add_argument("--questions", type=int, default=100)
    chosen = parser.parse_args()
    bench, shelf = open_library(chosen.data)
    asked = questions(shelf, chosen.questions)
    bench.close()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = {**os.environ, "BIOLOOM_DATA": str(chosen.data)}
    began = time.perf_counter()
    # what `make run` does on a machine that is set up
    subprocess.run([sys.executable, "-m", "backend.cli", "prepare"], cwd=ROOT, env=env, check=True)
    server = subprocess.Popen([sys.executable, "-m", "backend.cli", "app", "--port", str(port), "--no-browser"], cwd=ROOT, env=env)
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
            page = browser.new_page(viewport={"width": 1366, "height": 768})
            _wait(port)
            page.goto(f"http://localhost:{port}")
            page.locator("h1").first.wait_for(timeout=60_000)
            found = {"start to first page, s": round(time.perf_counter() - began, 1)}
            time.sleep(20)  # the model loads in the background
            found["memory at rest, MB"] = _memory(server.pid)
            waits = []
            for question in asked:
                page.goto(f"http://localhost:{port}/literature")
                page.get_by_label("Question").fill(question)
                clicked = time.perf_counter()
                page.get_by_role("button", name="Ask", exact=True).click()
                page.wait_for_url("**run=*", timeout=60_000)
                page.locator(".bl-quote").first.wait_for(timeout=60_000)
                waits.append(time.perf_counter() - clicked)
            waits.sort()
            found["click to answer on the page, s"] = {
                "p50": round(waits[len(waits) // 2], 2),
                "p95": round(waits[int(0.95 * len(waits))], 2),
            }
            found[f"memory after {len(asked)} questions, MB"] = _memory(server.pid)
            browser.close()
    finally:
        for child in psutil.Process(server.pid).children(recursive=True):
            child.terminate()
        server.terminate()
    print(json.dumps(found, indent=1))


def _wait(port: int) -> None:
    for _ in range(600):
        try:
            if urlopen(f"http://localhost:{port}/_stcore/health", timeout=2).status == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the server did not start")


def _memory(pid: int) -> int:
    process = psutil.Process(pid)
    return round(sum(each.memory_info().rss for each in [process, *process.children(recursive=True)]) / 2**20)


if __name__ == "__main__":
    main()
