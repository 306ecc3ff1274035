"""A neurologist's first minutes: a patient under a pseudonym, a recording dropped and opened; a demo patient; one deleted for good."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server
from tests.eeg.making import edf, put
from tests.eeg.test_identifiers import _edf, _found

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]


def add(page: Page, server: Server, pseudonym: str) -> None:
    page.goto(f"{server.url}/patients")
    field = page.get_by_role("textbox", name="Pseudonym")
    folded = page.get_by_text("Add a patient", exact=True)
    expect(folded.or_(field).first).to_be_visible()
    if folded.is_visible():
        folded.click()
    field.fill(pseudonym)
    field.press("Tab")
    page.get_by_role("button", name=re.compile("Add the patient")).click()
    page.wait_for_url(re.compile("patient="))


def test_a_recording_is_dropped_on_a_visit_and_opened_and_no_identifier_stays(page: Page, server: Server, tmp_path: Path) -> None:
    file = _edf(tmp_path, False, True)
    add(page, server, "P-07")
    page.locator("input[type=file]").first.set_input_files(file)
    expect(page.get_by_text(file.name, exact=True).last).to_be_visible()
    expect(page.get_by_role("textbox", name="Call it")).to_be_visible()
    for box in page.get_by_text(re.compile("^Agreed:")).all():
        box.click()
    page.get_by_role("button", name="Import the recording").click()
    expect(page.get_by_text("1 recording taken in")).to_be_visible()
    page.reload()
    page.get_by_role("link", name="Recording 1").click()
    page.wait_for_url(re.compile(r"/eeg\?recording="))
    expect(page.get_by_text("P-07").first).to_be_visible()
    assert _found(server.data) == {}


def test_parts_of_one_recording_dropped_together_are_one(page: Page, server: Server, tmp_path: Path) -> None:
    from tests.eeg.making import brainvision

    header = brainvision(tmp_path)
    add(page, server, "P-08")
    page.locator("input[type=file]").first.set_input_files(sorted(tmp_path.iterdir()))
    expect(page.get_by_text(f"{header.name} (3 files)")).to_be_visible()
    page.get_by_role("button", name="Import the recording").click()
    expect(page.get_by_text("1 recording taken in")).to_be_visible()
    expect(page.get_by_text(re.compile("BrainVision$")).first).to_be_visible()


def test_a_demo_patient_is_one_click_away(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/patients")
    folded = page.get_by_text("Demo patients", exact=True)
    expect(folded.or_(page.get_by_text("Or open a demo patient")).first).to_be_visible()
    if folded.is_visible():
        folded.click()
    page.get_by_role("button", name=re.compile("^Open")).first.click()
    page.wait_for_url(re.compile("patient="))
    expect(page.get_by_text("Training sessions").first).to_be_visible()
    expect(page.get_by_text("Test session", exact=True).first).to_be_visible()


def test_a_deleted_patient_is_gone_with_all_files(page: Page, server: Server, tmp_path: Path) -> None:
    add(page, server, "P-09")
    page.locator("input[type=file]").first.set_input_files(put(tmp_path, "x.edf", edf()))
    page.get_by_role("button", name="Import the recording").click()
    expect(page.get_by_text("1 recording taken in")).to_be_visible()
    before = {path.name for path in (server.data / "recordings").iterdir()}
    page.get_by_text("Edit, export, merge, delete").click()
    expect(page.get_by_role("button", name="Delete the patient")).to_be_disabled()
    page.get_by_role("textbox", name="Type the pseudonym").fill("P-09")
    page.get_by_role("button", name="Delete the patient").click()
    expect(page.get_by_text("P-09 was deleted, with all files")).to_be_visible()
    after = {path.name for path in (server.data / "recordings").iterdir()}
    assert len(before - after) == 1


def test_nothing_went_outside(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/patients")
    expect(page.get_by_text("People under a pseudonym")).to_be_visible()
    assert server.outside == []
    assert server.connections() == []
