"""A clinician's first hour: ask, look behind a quote, narrow, import, ask again, export, pass on the link; nothing leaves the machine."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server
from tests.literature.papers import write

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
QUESTION = "Does metformin reduce cardiovascular mortality?"


def ask(page: Page, server: Server, question: str) -> None:
    page.goto(f"{server.url}/literature")
    page.get_by_label("Question").fill(question)
    page.get_by_role("button", name="Ask", exact=True).click()
    page.wait_for_url(re.compile(r"run="))
    expect(page.get_by_text("How sure", exact=False).first).to_be_visible()


def test_from_the_home_page_to_an_explained_answer(page: Page, server: Server) -> None:
    page.goto(server.url)
    expect(page.get_by_text("33,045 papers").first).to_be_visible()
    page.get_by_role("button", name=QUESTION).click()
    page.wait_for_url(re.compile(r"run="))
    quote = page.locator(".bl-quote").first
    expect(quote).to_be_visible()
    words = re.sub(r"^\d+\s*", "", quote.inner_text()).strip()

    page.get_by_text("Open in the abstract").first.click()
    marks = page.locator("details[open] mark")
    expect(marks.first).to_be_visible()
    assert words in [mark.strip() for mark in marks.all_inner_texts()]

    page.get_by_role("button", name=re.compile("Explain sentence 1")).click()
    expect(page.get_by_text(re.compile(r"^This explanation (holds|may not hold)$")).first).to_be_visible()
    expect(page.get_by_text("Which words of the sentence")).to_be_visible()


def test_what_the_library_does_not_hold_is_said(page: Page, server: Server) -> None:
    ask(page, server, "Who won the football world cup in 2014?")
    expect(page.get_by_text(re.compile("nothing near enough", re.I)).first).to_be_visible()
    assert page.locator(".bl-quote .bl-n").count() == 0


def test_a_question_that_is_empty_gets_a_message_not_a_traceback(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/literature")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.get_by_text("The question is empty.")).to_be_visible()
    assert page.get_by_text("Traceback").count() == 0


def test_randomised_trials_since_2015(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/literature")
    page.get_by_text("Filters and settings", exact=True).click()
    page.get_by_label("From year").fill("2015")
    page.get_by_label("From year").press("Enter")
    page.get_by_label("Study type").click()
    page.get_by_role("option", name=re.compile("randomised trial", re.I)).click()
    page.keyboard.press("Escape")
    page.get_by_label("Question").fill("Does web-based strengthening exercise with automated text messages improve knee osteoarthritis?")
    page.get_by_role("button", name="Ask", exact=True).click()
    page.wait_for_url(re.compile(r"run="))
    expect(page.locator(".bl-quote").first).to_be_visible()
    run = saved_run(page, server)
    assert run["settings"]["filters"]["year_from"] == 2015
    for item in run["prediction"]["answer"]["evidence"]:
        assert item["study_type"] == "randomised trial"
        assert item["year"] >= 2015


def test_imported_references_and_pdfs_answer_the_next_question(page: Page, server: Server, tmp_path: Path) -> None:
    files = [
        nbib(tmp_path, 300),
        pdf(tmp_path, "one.pdf", "Bloomase inhibition and ageing"),
        pdf(tmp_path, "two.pdf", "Loomin in kidney disease"),
    ]
    page.goto(f"{server.url}/library")
    page.get_by_role("tab", name="Import files").click()
    page.locator("input[type=file]").first.set_input_files([str(file) for file in files])
    for file in files:
        expect(page.get_by_text(file.name).first).to_be_visible()
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_text("33,347").first).to_be_visible()
    ask(page, server, "Does zorbafexin lower serum urate in gout?")
    expect(page.get_by_text("zorbafexin lowered serum urate", exact=False).first).to_be_visible()
    ask(page, server, "What does loomin do in kidney disease?")
    expect(page.get_by_text(re.compile("page 1", re.I)).first).to_be_visible()


def test_the_evidence_leaves_as_ris_and_the_link_opens_the_run(page: Page, server: Server) -> None:
    ask(page, server, QUESTION)
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("button", name=re.compile("RIS")).click()
    text = download.value.path().read_text(encoding="utf-8")
    quote = saved_run(page, server)["prediction"]["answer"]["evidence"][0]["quote"]
    assert "TY  - JOUR" in text
    assert quote[:40] in text
    link = page.url
    page.goto("about:blank")
    page.goto(link)
    expect(page.locator(".bl-quote").first).to_be_visible()
    assert quote[:40] in page.locator("body").inner_text()


def test_script_in_a_title_is_shown_and_never_run(page: Page, server: Server, tmp_path: Path) -> None:
    evil = "<script>alert('title')</script><img src=x onerror=alert(2)> Quuxivir in influenza"
    abstract = "Quuxivir shortened influenza by one day <script>alert('abstract')</script><b onmouseover=alert(3)>in adults</b>."
    page.goto(f"{server.url}/library")
    page.get_by_role("tab", name="Import files").click()
    page.locator("input[type=file]").first.set_input_files(str(write(tmp_path, "evil.xml", [("91", 2020, evil, abstract, [], [])])))
    expect(page.get_by_text("evil.xml").first).to_be_visible()
    page.get_by_role("button", name="Import", exact=True).click()
    wait_for_paper(server, "Quuxivir")
    # the page says so itself while the words of new papers are still being indexed: ask again, as it advises
    for _ in range(6):
        ask(page, server, "Does quuxivir shorten influenza?")
        if page.get_by_text("<script>alert('abstract')</script>", exact=False).count():
            break
        page.wait_for_timeout(5_000)
    expect(page.get_by_text("<script>alert('abstract')</script>", exact=False).first).to_be_visible(timeout=5_000)
    assert not [event for event in server.outside if event.startswith("dialog")]


def test_a_tour_of_every_page_makes_no_outside_connection(page: Page, server: Server) -> None:
    for name in (
        "",
        "literature",
        "texts",
        "sequences",
        "eeg",
        "patients",
        "library",
        "runs",
        "models",
        "side_by_side",
        "evaluate",
        "profile",
    ):
        page.goto(f"{server.url}/{name}")
        expect(page.locator("h1").first).to_be_visible()
        assert page.get_by_text("Traceback").count() == 0
        page.wait_for_timeout(500)
    assert server.outside == []
    assert server.connections() == []


def wait_for_paper(server: Server, title: str) -> None:
    """Until the library holds a paper of that title, as any other process sees it."""
    from backend.config import load_config
    from backend.storage import open_storage
    from backend.storage.papers import PaperStore

    store = PaperStore(open_storage(load_config({"BIOLOOM_DATA": str(server.data)})))
    for _ in range(240):
        if store.count(title):
            return
        time.sleep(0.5)
    raise AssertionError(f"{title} was not imported")


def saved_run(page: Page, server: Server) -> dict:  # type: ignore[type-arg]
    """The run that the page shows, from the database."""
    from backend.config import load_config
    from backend.storage import open_storage

    match = re.search(r"run=([0-9A-F]+)", page.url)
    assert match
    return json.loads(json.dumps(open_storage(load_config({"BIOLOOM_DATA": str(server.data)})).runs.export(match.group(1))))["run"]


def nbib(folder: Path, count: int) -> Path:
    """References as PubMed exports them."""
    records = [
        f"PMID- {80000000 + n}\nDP  - 2019 Mar\nTI  - Zorbafexin in gout, report number {n} of a series\nAB  - "
        f"In group {n} zorbafexin lowered serum urate in gout by {n / 10:.1f} mg/dl.\nFAU - Example, Anna\nAU  - Example A\nLA  - eng\n"
        f"PT  - Journal Article\nJT  - Journal of Examples\n"
        for n in range(1, count + 1)
    ]
    path = folder / "pubmed-export.nbib"
    path.write_text("\n".join(records), encoding="utf-8")
    return path


def pdf(folder: Path, name: str, title: str) -> Path:
    """A small PDF with text."""
    from reportlab.lib.pagesizes import A4
    from reportlab.pdfgen import canvas

    path = folder / name
    sheet = canvas.Canvas(str(path), pagesize=A4)
    sheet.setTitle(title)
    sheet.drawString(72, 780, title)
    topic = title.split()[0]
    sheet.drawString(72, 750, f"{topic} was studied in forty patients with kidney disease over two years.")
    sheet.drawString(72, 735, f"{topic} protected the kidney and lowered albuminuria in kidney disease.")
    sheet.save()
    return path
