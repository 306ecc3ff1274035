"""A biologist's first hour: an example, its heatmap, a click that all views share; a gene, a broken splice site, why; a dirty file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]


def take(page: Page, server: Server, example: str) -> None:
    page.goto(f"{server.url}/sequences")
    page.get_by_role("button", name=re.compile(example)).click()
    expect(page.get_by_text("What was read", exact=False).first).to_be_visible()


def run(page: Page, name: str) -> None:
    page.get_by_role("button", name=f"Run {name}").click()
    page.wait_for_url(re.compile(r"run="))
    expect(page.get_by_text("Saved as run").first).to_be_visible()


def test_an_enzyme_has_a_heatmap_and_a_click_on_a_letter_selects_its_residue(page: Page, server: Server) -> None:
    take(page, server, "TEM-1 beta-lactamase")
    run(page, "variant effects")
    expect(page.get_by_text("BASELINE", exact=True)).to_be_visible()
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    page.locator("b[data-at='69']").first.click()
    expect(page.get_by_text(re.compile(r"F\s?70: Mean effect")).first).to_be_visible()


def test_a_structure_is_seen_in_three_dimensions(page: Page, server: Server) -> None:
    take(page, server, "Human ubiquitin")
    run(page, "structure")
    expect(page.locator(".stage[data-ready='true']")).to_be_visible()


def test_a_variant_at_an_exon_border_breaks_splicing(page: Page, server: Server) -> None:
    take(page, server, "human beta-globin gene")
    asked = page.get_by_role("textbox", name=re.compile("Variants, one a line"))
    asked.fill("143G>A")
    asked.press("Control+Enter")
    run(page, "splicing")
    expect(page.get_by_text(re.compile("donor", re.I)).first).to_be_visible()
    expect(page.get_by_text("143G>A").first).to_be_visible()


def test_a_transfer_rna_folds(page: Page, server: Server) -> None:
    take(page, server, "Yeast tRNA-Phe")
    run(page, "RNA folding")
    expect(page.get_by_text(re.compile(r"\(\(\(\(\(\(\(\.\.\(\(\(\(")).first).to_be_visible()


def test_a_dirty_file_is_read_and_says_what_was_changed(page: Page, server: Server, tmp_path: Path) -> None:
    file = tmp_path / "dirty.fasta"
    file.write_text(">one\nmkvLAAGIVGLLLAQPSTSQ*\n>one\nMKVLAAGIVGLLLAQPST\n>bad\nMK@V\n", encoding="utf-8")
    page.goto(f"{server.url}/sequences")
    page.locator("input[type=file]").first.set_input_files(file)
    expect(page.get_by_text("dirty.fasta").first).to_be_visible()
    expect(page.get_by_text(re.compile("Refused 1")).first).to_be_visible()
    page.reload()
    expect(page.get_by_text(re.compile("Refused 1")).first).to_be_visible()


def test_nothing_went_outside(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/sequences")
    expect(page.get_by_text("Drop a file", exact=False).first).to_be_visible()
    assert server.outside == []
    assert server.connections() == []
