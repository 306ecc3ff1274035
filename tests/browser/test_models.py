"""A person with a checkpoint folder: the Models page is pointed at it, and its task has run within a minute; two models side by side."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from backend.config import load_config
from backend.workbench import Workbench
from tests.browser.conftest import Server, running
from tests.models import tiny_bert, untrained_dna, untrained_esm
from tests.prepare import models_folder

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

MINUTE = 60.0  # seconds from the first look at the page to the saved run


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose list of added folders is its own; the embedded abstracts count as read."""
    folder = tmp_path_factory.mktemp("models")
    models = folder / "data" / "models"
    models.mkdir(parents=True)
    for found in models_folder().iterdir():
        if found.is_dir() and not found.name.startswith("."):
            (models / found.name).symlink_to(found, target_is_directory=True)
    opened = Workbench(load_config({"BIOLOOM_DATA": str(folder / "data"), "BIOLOOM_DEVICE": "cpu"}))
    opened.storage.settings.set("embedded_abstracts", {"works": 0})
    opened.close()
    with running(folder, prepare=False) as made:
        yield made


def an_esm(folder: Path) -> None:
    untrained_esm.make(folder)
    (folder / "UNTRAINED").write_text("")


def a_bert(folder: Path) -> None:
    tiny_bert.make(folder, "marks", name="biobert-own")


def a_dnabert(folder: Path) -> None:
    untrained_dna.make_dnabert(folder)


def add(page: Page, server: Server, folder: Path) -> None:
    page.goto(f"{server.url}/models")
    page.get_by_role("button", name="Add a folder of yours").click()
    path = page.get_by_role("textbox", name="Folder on this computer")
    path.fill(str(folder))
    page.get_by_role("button", name="Look").click()
    expect(page.get_by_text("What was found", exact=False).first).to_be_visible()
    expect(page.get_by_text("UNTRAINED: for testing the loader.").first).to_be_visible()
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_text("The folder was added. Its tasks", exact=False)).to_be_visible()


def in_sequences(page: Page, task: str, letters: str) -> None:
    page.get_by_role("link", name=re.compile(f"{task} in Sequences")).click()
    page.get_by_role("textbox", name=re.compile("Or paste")).fill(letters)
    page.get_by_role("button", name="Read it").click()
    page.get_by_role("button", name=re.compile(f"Run {task}", re.I)).click()


def on_a_protein(page: Page) -> None:
    in_sequences(page, "Variant effects", ">p\nMKVLAAGIVGLLLAQPSTSQ")


def on_dna(page: Page) -> None:
    in_sequences(page, "DNA substitutions", ">d\nACGTTGCATGCCATTAGGACCATACGATTGAC")


def in_texts(page: Page) -> None:
    page.get_by_role("link", name=re.compile("Named things of a text in Texts")).click()
    page.get_by_role("button", name=re.compile("A made-up case report")).click()
    page.get_by_role("button", name=re.compile("Run: named things")).click()


@pytest.mark.parametrize(("make", "use"), [(an_esm, on_a_protein), (a_bert, in_texts), (a_dnabert, on_dna)], ids=["ESM", "BERT", "DNABERT"])
def test_a_checkpoint_folder_is_added_and_used_within_a_minute(
    page: Page, server: Server, tmp_path: Path, make: Callable[[Path], None], use: Callable[[Page], None]
) -> None:
    folder = tmp_path / f"own-{make.__name__}"
    folder.mkdir()
    make(folder)
    began = time.monotonic()
    add(page, server, folder)
    use(page)
    page.wait_for_url(re.compile(r"run="))
    expect(page.get_by_text("Saved as run").first).to_be_visible()
    assert time.monotonic() - began < MINUTE
    expect(page.locator(".bl-untrained:visible").first).to_contain_text("UNTRAINED: for testing the loader.")
    expect(page.locator(":visible", has_text=folder.name).first).to_be_visible()


def test_two_models_stand_side_by_side_on_one_protein(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/side_by_side?task=protein.variants")
    page.get_by_role("textbox", name=re.compile("Or paste")).fill(">p\nEVQLVESGGGLVQPGGSLRLSCAASGFTFSSYAMSWVRQ")
    page.get_by_role("button", name="Read it").click()
    page.get_by_role("button", name="Run both").click()
    page.wait_for_url(re.compile(r"first=.*second="))
    expect(page.get_by_text("Rank correlation", exact=False).first).to_be_visible()
    expect(page.get_by_text("Saved as run")).to_have_count(2)
    columns = page.locator(
        ".st-key-beside > [data-testid='stLayoutWrapper'] > [data-testid='stHorizontalBlock'] > [data-testid='stColumn']"
    )
    boxes = [columns.nth(at).bounding_box() for at in (0, 1)]
    assert boxes[0] is not None
    assert boxes[1] is not None
    assert boxes[1]["y"] >= boxes[0]["y"] + boxes[0]["height"], "on a laptop one stands below the other, each at full width"


def test_nothing_was_fetched_that_nobody_asked_for(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/models")
    expect(page.get_by_text("Choose a name for its card", exact=False)).to_be_visible()
    assert server.outside == []
    assert server.connections() == []
