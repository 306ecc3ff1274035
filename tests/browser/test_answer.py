"""The answer in a browser: the verdict without scrolling, one side at a time without a jump, quotes that stay word for word."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server
from tests.browser.test_story import QUESTION, ask, saved_run

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
_SET_LINE = 110  # pixels from the top of the card to below its prediction set


def test_the_verdict_is_seen_without_scrolling(page: Page, server: Server) -> None:
    ask(page, server, QUESTION)
    card = page.locator(".bl-verdict")
    expect(card).to_be_visible()
    assert re.search(r"\b(Yes|No|Maybe|Open)\b", card.inner_text())
    assert "90% set" in card.inner_text()
    box, window = card.bounding_box(), page.viewport_size
    assert box is not None
    assert window is not None
    assert box["y"] + _SET_LINE < window["height"]


def test_one_side_is_shown_without_a_jump(page: Page, server: Server) -> None:
    ask(page, server, QUESTION)
    chosen = page.locator("[data-variant='segmented_control']", has_text=re.compile(r"no clear side \d+"))
    chosen.scroll_into_view_if_needed()
    stands = chosen.bounding_box()
    chosen.click()
    expect(chosen).to_have_attribute("data-selected", "true")
    count = int(re.sub(r"\D", "", chosen.inner_text()))
    expect(page.locator("article.bl-paper .bl-quote")).to_have_count(count)
    expect(page.locator(".bl-stand", has_text="no clear side")).to_have_count(count)
    assert chosen.bounding_box() == stands


def test_marks_leave_a_quote_word_for_word(page: Page, server: Server) -> None:
    ask(page, server, QUESTION)
    quotes = {item["quote"] for item in saved_run(page, server)["prediction"]["answer"]["evidence"]}
    expect(page.locator(".bl-name").first).to_be_visible()
    shown = {" ".join(text.split()) for text in page.locator("article.bl-paper .bl-quote").all_inner_texts()}
    assert shown == {" ".join(quote.split()) for quote in quotes}


def test_a_question_without_yes_or_no_gets_sentences_and_no_verdict(page: Page, server: Server) -> None:
    ask(page, server, "Which antibiotics are effective against methicillin-resistant Staphylococcus aureus?")
    expect(page.get_by_text("This question has no yes or no.")).to_be_visible()
    assert page.locator(".bl-shares").count() == 0
    expect(page.locator(".bl-quote").first).to_be_visible()
