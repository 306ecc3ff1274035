"""A neurologist at the reader: turns pages by key, changes montage and scale, measures, marks, and finds the marks again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from backend.config import load_config
from backend.eeg.importing import import_recording
from backend.storage import open_storage
from tests.browser.conftest import Server
from tests.conftest import SHARED
from tests.eeg.making import edf_plus, put

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
NAMES = "Fp1 Fp2 F7 F3 Fz F4 F8 T7 C3 Cz C4 T8 P7 P3 Pz P4 P8 O1 O2 ECG".split()
REAL = SHARED / "eeg" / "eegmmi_s001" / "S001R04.edf"


@pytest.fixture(scope="module")
def recording(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Ten minutes with a break, beside the running server."""
    marks = {3: [(3.2, 0.0, "Eyes closed")], 200: [(230.0, 2.0, "Spike run")]}
    path = put(tmp_path_factory.mktemp("eeg"), "a.edf", edf_plus([*range(65), *range(95, 600)], marks, labels=NAMES))
    config = load_config({"BIOLOOM_DATA": str(server.data)})
    storage = open_storage(config)
    visit = storage.patients.add_visit(storage.patients.add("Reader").id, "day").id
    yield import_recording(config, storage, visit, path).id
    storage.close()


@pytest.fixture
def reader(page: Page, server: Server, recording: str) -> Page:
    page.goto(f"{server.url}/eeg?recording={recording}&show=signal")
    expect(page.locator("canvas.page")).to_have_attribute("data-at", "0")
    page.locator("canvas.page").focus()
    return page


def at(page: Page, seconds: float) -> None:
    expect(page.locator("canvas.page")).to_have_attribute("data-at", f"{seconds:g}")


def words(page: Page) -> str:
    return page.locator("canvas.page").get_attribute("aria-label") or ""


def test_pages_turn_by_key_and_by_button(reader: Page) -> None:
    for key, seconds in (("ArrowRight", 10), ("ArrowRight", 20), ("Shift+ArrowRight", 21), ("ArrowLeft", 11), ("End", 590), ("Home", 0)):
        reader.keyboard.press(key)
        at(reader, seconds)
    reader.get_by_role("button", name="Next page").click()
    at(reader, 10)
    expect(reader.locator(".where")).to_contain_text("0:00:10 to 0:00:20 (22:15:10) of 0:10:00")


def test_letters_choose_the_montage_and_signs_the_scale(reader: Page) -> None:
    assert "Longitudinal bipolar, 19 traces" in words(reader)
    before = reader.locator("canvas.page").get_attribute("data-look")
    reader.keyboard.press("v")
    expect(reader.locator("canvas.page")).not_to_have_attribute("data-look", str(before))
    assert "Average reference, 20 traces" in words(reader)
    sensitivity = reader.locator("select[data-set=sensitivity]")
    expect(sensitivity).to_have_value("7")
    reader.keyboard.press("+")
    expect(sensitivity).to_have_value("5")
    reader.keyboard.press("-")
    reader.keyboard.press("-")
    expect(sensitivity).to_have_value("10")
    reader.keyboard.press("n")
    expect(reader.locator("select[data-set=notch]")).to_have_value("60")


def test_a_break_is_told_and_can_be_passed(reader: Page) -> None:
    reader.keyboard.press("g")
    reader.get_by_label("Hours:minutes:seconds, or seconds").fill("1:10")
    reader.keyboard.press("Enter")
    at(reader, 70)
    assert "nothing recorded for 30.0 s" in words(reader)
    reader.keyboard.press("j")
    at(reader, 95)
    assert "nothing recorded" not in words(reader)


def test_a_stretch_is_measured_annotated_found_in_the_list_edited_and_deleted(reader: Page) -> None:
    drag(reader, 300, 500)
    told = reader.locator(".told")
    expect(told).to_contain_text(re.compile(r"\d s, \d+\.\d\d Hz; \S+ [\d.]+ µV peak to peak"))
    reader.keyboard.press("a")
    reader.get_by_label("Label", exact=True).first.fill("Sharp wave, left")
    reader.keyboard.press("Enter")
    expect(reader.get_by_text(re.compile("3 annotations of 3"))).to_be_visible()
    assert "Sharp wave, left" in words(reader)
    flag(reader, "Sharp wave, left")
    expect(reader.locator(".panel")).to_be_visible()
    reader.locator(".panel").get_by_role("button", name="Delete").click()
    expect(reader.get_by_text(re.compile("2 annotations of 2"))).to_be_visible()


def test_a_bad_stretch_and_a_bad_channel_are_marked_by_one_key(reader: Page) -> None:
    drag(reader, 300, 400)
    reader.keyboard.press("b")
    expect(reader.get_by_text(re.compile("3 annotations of 3"))).to_be_visible()
    assert "bad" in words(reader)
    reader.keyboard.press("r")
    expect(reader.locator("canvas.page")).to_have_attribute("aria-label", re.compile("As recorded"))
    reader.keyboard.press("ArrowDown")
    before = str(reader.locator("canvas.page").get_attribute("data-look"))
    reader.keyboard.press("b")  # in this montage a trace is one channel
    expect(reader.locator("canvas.page")).not_to_have_attribute("data-look", before)
    reader.get_by_role("button", name="Channels").click()
    expect(reader.locator(".panel")).to_contain_text("Bad channels: Fp1")


def test_an_own_montage_is_written_and_shown(reader: Page) -> None:
    reader.get_by_role("button", name="Own montages").click()
    reader.get_by_label("Name").fill("Mine")
    reader.get_by_label("Rows, one a line").fill("C3-O1\nC4-O2\nCz-avg")
    reader.get_by_role("button", name="Save and show").click()
    expect(reader.locator("select[data-set=montage]")).to_have_value('"Mine"')
    expect(reader.locator("canvas.page")).to_have_attribute("aria-label", re.compile("montage Mine, 4 traces"))


def test_reading_on_does_not_wait_for_the_server(reader: Page) -> None:
    """After the pages ahead have come, a turn draws in the next frames: nobody is asked."""
    expect(reader.locator("canvas.page")).to_have_attribute("data-ahead", re.compile(r"^([4-9]|\d\d)$"))
    took = reader.evaluate(
        """async () => {
          const canvas = [...document.querySelectorAll("[data-testid=stBidiComponentIsolated]")]
            .map((host) => host.shadowRoot?.querySelector("canvas.page")).find(Boolean);
          const frames = [];
          for (let n = 0; n < 3; n++) {
            const before = canvas.dataset.at;
            canvas.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true, composed: true }));
            let count = 0;
            while (canvas.dataset.at === before && count < 200) {
              await new Promise(requestAnimationFrame);
              count++;
            }
            frames.push(count);
          }
          return frames;
        }"""
    )
    assert max(took) <= 2, took


@pytest.mark.skipif(not REAL.is_file(), reason="the developers' recordings are not on this machine")
def test_a_real_recording_opens_on_the_double_banana(page: Page, server: Server, tmp_path: Path) -> None:
    config = load_config({"BIOLOOM_DATA": str(server.data)})
    storage = open_storage(config)
    visit = storage.patients.add_visit(storage.patients.add("Real").id, "day").id
    made = import_recording(config, storage, visit, REAL).id
    storage.close()
    page.goto(f"{server.url}/eeg?recording={made}&show=signal")
    expect(page.locator("canvas.page")).to_have_attribute("aria-label", re.compile("Longitudinal bipolar, 18 traces.*annotations: T0"))
    ink = page.locator("canvas.page").evaluate(
        "canvas => { const d = canvas.getContext('2d').getImageData(200, 60, canvas.width - 220, canvas.height - 100).data;"
        " let n = 0; for (let i = 3; i < d.length; i += 4) n += d[i] > 128; return n / (d.length / 4); }"
    )
    assert 0.05 < ink < 0.9, "traces are on the canvas"


def drag(page: Page, start: float, end: float) -> None:
    box = page.locator("canvas.page").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + start, box["y"] + 150)
    page.mouse.down()
    page.mouse.move(box["x"] + end, box["y"] + 152, steps=4)
    page.mouse.up()


def flag(page: Page, label: str) -> None:
    """Click an annotation's flag over the page: where it begins, in the band above the traces."""
    box = page.locator("canvas.page").bounding_box()
    assert box is not None
    for top in (10, 26):
        page.mouse.click(box["x"] + 304, box["y"] + top)
        if page.locator(".panel").is_visible():
            break
    expect(page.locator(".panel").get_by_label("Label", exact=True)).to_have_value(label)
