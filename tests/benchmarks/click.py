"""How long from a click on a residue to the same residue marked everywhere: the server's round trip, in Chromium.

    BIOLOOM_DATA=/tmp/click .venv/bin/python -m tests.benchmarks.click http://localhost:8501 [clicks]

The app must be running on the same data folder. Two structures: ubiquitin (76 residues) and 66 copies of it (5,016 residues).
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from backend.config import ASSETS, ROOT

FLAGS = ["--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update"]
EXAMPLE = ASSETS / "examples" / "ubiquitin-1ubi.pdb"
_COPIES, _APART = 66, 45.0
_NAMES = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

# from the click to the mark that only the server's answer sets, measured in the page itself
_CLICK = """([index, watched]) => new Promise((done) => {
  const find = (selector) => {
    for (const host of document.querySelectorAll("[data-testid=stBidiComponentIsolated]")) {
      const found = host.shadowRoot?.querySelector(selector);
      if (found) return found;
    }
  };
  const target = find(watched), began = performance.now();
  const watcher = new MutationObserver(() => {
    if (!target.dataset.picked.split(" ").includes(String(index))) return;
    watcher.disconnect();
    done(performance.now() - began);
  });
  watcher.observe(target, { attributes: true });
  setTimeout(() => done(null), 15000);
  find(`.strip b[data-at='${index}'] u`).click();
})"""


def many(path: Path) -> Path:
    """66 copies of ubiquitin on a grid, as mmCIF."""
    import gemmi

    made = gemmi.read_structure(str(EXAMPLE))
    made.setup_entities()
    made.remove_ligands_and_waters()
    chain = made[0][0]
    for copy in range(1, _COPIES):
        more = chain.clone()
        more.name = _NAMES[copy % 62] + ("" if copy < 62 else "x")
        shift = gemmi.Position(*(_APART * part for part in (copy % 4, copy // 4 % 4, copy // 16)))
        for residue in more:
            for atom in residue:
                atom.pos += shift
        made[0].add_chain(more)
    made.setup_entities()
    made.make_mmcif_document().write_file(str(path))
    return path


def save_run(file: Path) -> str:
    command = [sys.executable, "-m", "backend.cli", "analyse", str(file), "--task", "structure.view", "--json"]
    made = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return str(json.loads(made.stdout)["run_id"])


def measure(url: str, run: str, clicks: int) -> dict[str, float]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        page = playwright.chromium.launch(executable_path=found, args=FLAGS).new_page(viewport={"width": 1366, "height": 900})
        began = time.perf_counter()
        page.goto(f"{url}/runs?run={run}")
        page.wait_for_selector(".stage[data-ready='true']", timeout=120_000)
        ready = time.perf_counter() - began
        page.wait_for_timeout(2000)
        times = []
        for at in range(clicks + 3):
            index = (at * 29 + 7) % 76
            times.append(page.evaluate(_CLICK, [index, ".stage"]))
            page.wait_for_timeout(250)
        missed = sum(found is None for found in times)
        times = sorted(found for found in times[3:] if found is not None)  # the first clicks warm the page
        rank = min(len(times) - 1, round(0.95 * len(times)))
        return {
            "n": len(times),
            "missed": missed,
            "median_ms": round(statistics.median(times)),
            "p95_ms": round(times[rank]),
            "open_s": round(ready, 1),
        }


def main() -> None:
    url = sys.argv[1]
    clicks = int(sys.argv[2]) if len(sys.argv) > 2 else 100
    with tempfile.TemporaryDirectory() as folder:
        for name, file in (("76 residues", EXAMPLE), ("5,016 residues", many(Path(folder) / "many.cif"))):
            print(name, json.dumps(measure(url, save_run(file), clicks)), flush=True)


if __name__ == "__main__":
    main()
