"""The living view in a real browser: drawn, clicked, focused, unharmed by a rerun, and never outside."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from backend.config import ASSETS, ROOT
from tests.browser.conftest import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow]
EXAMPLE = ASSETS / "examples" / "ubiquitin-1ubi.pdb"


def save_run(data: Path, file: Path) -> str:
    """A run of `structure.view`, saved from the command line; its id."""
    command = [sys.executable, "-m", "backend.cli", "analyse", str(file), "--task", "structure.view", "--json"]
    env = {**os.environ, "BIOLOOM_DATA": str(data)}
    made = subprocess.run(command, cwd=ROOT, env=env, check=True, capture_output=True, text=True, timeout=120)
    return str(json.loads(made.stdout)["run_id"])


def open_run(page: Page, server: Server, file: Path) -> None:
    page.goto(f"{server.url}/runs?run={save_run(server.data, file)}")
    expect(page.locator(".stage[data-ready='true']")).to_be_visible()
    page.locator(".stage").scroll_into_view_if_needed()
    page.wait_for_timeout(1000)


def colours_drawn(page: Page) -> int:
    """How many different colours the canvas shows."""
    from PIL import Image

    picture = Image.open(io.BytesIO(page.locator(".stage").screenshot())).convert("RGB")
    return len(set(picture.resize((120, 60)).getdata()))


def find_residue(page: Page) -> tuple[float, float, int]:
    """A point of the canvas with a residue under it, and which."""
    box = page.locator(".stage").bounding_box()
    assert box is not None
    for down in (0.5, 0.45, 0.55, 0.4, 0.6):
        for right in (0.5, 0.47, 0.53, 0.44, 0.56, 0.41, 0.59):
            x, y = box["x"] + right * box["width"], box["y"] + down * box["height"]
            page.mouse.move(x, y)
            page.wait_for_timeout(220)
            found = page.locator(".stage").get_attribute("data-hovered")
            if found is not None and int(found) >= 0:
                return x, y, int(found)
    raise AssertionError("no residue was found under the mouse")


def test_a_structure_is_drawn_and_a_click_in_it_selects_the_same_residue_in_the_sequence(page, server):
    open_run(page, server, EXAMPLE)
    assert colours_drawn(page) > 30
    x, y, residue = find_residue(page)
    page.mouse.click(x, y)
    expect(page.locator(".strip")).to_have_attribute("data-picked", str(residue))
    expect(page.locator(".stage")).to_have_attribute("data-picked", str(residue))
    assert not server.outside
    assert not server.connections()


def test_a_letter_lights_its_residue_and_the_arrow_keys_walk_on(page, server):
    open_run(page, server, EXAMPLE)
    page.locator(".strip b[data-at='47']").click()
    expect(page.locator(".stage")).to_have_attribute("data-picked", "47")
    expect(page.locator(".told")).to_contain_text("A Lys 48")
    page.locator(".strip").press("ArrowRight")
    page.locator(".strip").press("ArrowRight")
    expect(page.locator(".stage")).to_have_attribute("data-picked", "49")
    expect(page.locator(".strip")).to_have_attribute("aria-valuetext", "L 50: B-factor 9.59 Å²")
    page.locator(".strip").press("Escape")
    expect(page.locator(".stage")).to_have_attribute("data-picked", "")


def test_the_camera_survives_a_rerun_and_the_way_back(page, server):
    open_run(page, server, EXAMPLE)
    page.locator(".stage").focus()
    for _ in range(6):
        page.keyboard.press("ArrowRight")
    view = page.locator(".stage").get_attribute("data-view")
    chooser = page.get_by_role("combobox", name="Colour by")
    chooser.click()
    chooser.fill("Hydropathy")
    expect(page.get_by_role("option")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator(".legend b")).to_have_text("Hydropathy")
    page.wait_for_timeout(500)
    assert page.locator(".stage").get_attribute("data-view") == view


def test_a_distance_is_measured_between_two_residues_by_keyboard(page, server):
    open_run(page, server, EXAMPLE)
    page.get_by_role("button", name="Distance").click()
    page.locator(".strip b[data-at='47']").click()
    expect(page.locator(".told")).to_contain_text("From A Lys 48 CA")
    page.locator(".strip b[data-at='62']").click()
    expect(page.locator(".stage")).to_have_attribute("data-distance", "17.75")


def test_the_picture_is_saved(page, server):
    open_run(page, server, EXAMPLE)
    with page.expect_download() as download:
        page.get_by_role("button", name="PNG").first.click()
    saved = Path(download.value.path()).read_bytes()
    assert saved.startswith(b"\x89PNG")
    assert len(saved) > 10_000


def test_script_in_a_structure_file_never_runs(page, server, tmp_path):
    evil = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
    lines = EXAMPLE.read_text().splitlines()
    lines[:3] = [f"TITLE     {evil}", f"COMPND    {evil}", f"REMARK   3 {evil}"]
    file = tmp_path / "evil<img src=x onerror=alert(3)>.pdb"
    file.write_text("\n".join(lines))
    open_run(page, server, file)
    page.wait_for_timeout(1500)
    assert not [entry for entry in server.outside if entry.startswith("dialog")]
    assert page.locator("img[src='x']").count() == 0
    assert page.locator(".stage[data-ready='true']").is_visible()


def test_without_webgl_the_page_says_so_in_words(page, server):
    page.add_init_script(
        "const get = HTMLCanvasElement.prototype.getContext;"
        "HTMLCanvasElement.prototype.getContext = function (kind, ...rest)"
        "{ return kind.startsWith('webgl') ? null : get.call(this, kind, ...rest); };"
    )
    page.goto(f"{server.url}/runs?run={save_run(server.data, EXAMPLE)}")
    expect(page.locator(".stage[data-ready='without']")).to_be_visible()
    expect(page.locator(".stage")).to_contain_text("chain A of 76 residues")
