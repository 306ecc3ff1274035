"""Markup, look and figures: nothing hides in a title, everything can be read, nothing is fetched from outside."""

import re
import tomllib
from pathlib import Path

import pytest

from backend.figures.deletion import describe_deletion, plot_deletion
from backend.figures.metrics import describe_metrics, headline, metric_words, plot_metrics
from pages.parts.evidence import card, marked
from pages.parts.explanation import coloured
from pages.parts.markup import escape, plain, size, span
from pages.parts.report import report
from tests.pages.conftest import HOSTILE, ROOT, a_run, an_explanation

THEME = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())["theme"]
STYLE = (ROOT / "assets" / "style.css").read_text()


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def mixed(colour: str, ground: str, share: float) -> str:
    pairs = [(int(colour[at : at + 2], 16), int(ground[at : at + 2], 16)) for at in (1, 3, 5)]
    return "#" + "".join(f"{round(share * over + (1 - share) * under):02X}" for over, under in pairs)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_text_reads_at_4_5_to_1_everywhere(mode):
    theme = THEME[mode]
    grounds = [theme["backgroundColor"], theme["secondaryBackgroundColor"], theme["sidebar"]["backgroundColor"]]
    captions = re.search(r"stCaptionContainer.*light-dark\((#\w{6}), (#\w{6})\)", STYLE).groups()
    for ground in grounds:
        assert contrast(theme["textColor"], ground) >= 4.5
        assert contrast(theme["linkColor"], ground) >= 4.5
        assert contrast(captions[mode == "dark"], ground) >= 4.5
        faint = min(float(value) for value in re.findall(r"opacity: (0?\.\d+)", STYLE) if float(value) > 0.65)
        assert contrast(mixed(theme["textColor"], ground, faint), ground) >= 4.5
    assert contrast(theme["primaryColor"], "#FFFFFF") >= 4.5


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("sign", ["for", "against"])
def test_text_on_the_strongest_attribution_reads_at_4_5_to_1(mode, sign):
    from pages.parts.explanation import _STRONGEST

    colour = re.search(rf"--bl-{sign}: light-dark\((#\w{{6}}), (#\w{{6}})\)", STYLE).groups()[mode == "dark"]
    theme = THEME[mode]
    assert contrast(theme["textColor"], mixed(colour, theme["backgroundColor"], _STRONGEST)) >= 4.5


def test_assets_and_configuration_name_no_outside_address():
    for file in [*(ROOT / "assets").glob("*.*"), ROOT / ".streamlit" / "config.toml"]:
        if file.suffix in {".css", ".js", ".svg", ".toml"}:
            addresses = set(re.findall(r"https?://[^\s\"')]+", file.read_text())) - {"http://www.w3.org/2000/svg"}
            assert not addresses, file.name


def test_the_way_in_is_short_and_light():
    lines = (ROOT / "app.py").read_text().splitlines()
    assert len(lines) < 40
    assert not any(line.startswith(("import torch", "from backend")) for line in lines)


def test_pages_never_draw_unescaped_text_with_markdown_html():
    for file in (ROOT / "pages").rglob("*.py"):
        assert "unsafe_allow_html" not in file.read_text(), file.name


def test_a_title_stays_a_title_in_html_and_in_markdown():
    assert "<" not in escape(HOSTILE)
    assert "![" not in plain(HOSTILE)
    assert "<" not in plain(HOSTILE).replace("\\<", "")
    item = {"rank": 1, "quote": HOSTILE, "title": HOSTILE, "authors": [HOSTILE], "notices": [{"kind": "retracted", "text": HOSTILE}]}
    assert "<script" not in card([item])
    assert "<img" not in card([item])


def test_a_marked_text_is_the_text_itself():
    text = "Title\n\nFirst & second. Third <b>sentence</b>."
    shown = marked(text, [(7, 22)])
    assert "<mark>First &amp; second.</mark>" in shown
    assert re.sub(r"<(?!b&gt;)[^>]+>", "", shown).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") == text


def test_a_very_long_text_is_shown_around_its_quote():
    text = "a " * 100_000
    assert len(marked(text, [(100_000, 100_010)])) < 10_000


def test_coloured_text_keeps_every_character_and_gives_unseen_parts_no_value():
    quote = "Metformin reduced cardiovascular mortality compared with placebo."
    explanation = an_explanation({"quote": quote, "start": 0, "rank": 1}, False)["words"]
    shown = coloured(explanation, quote)
    assert re.sub(r"<sup>.*?</sup>|<[^>]+>", "", shown) == quote
    assert shown.count("bl-unseen") == 1


def test_a_report_is_one_file_without_script_or_address():
    body = report(a_run([{"rank": 1, "quote": HOSTILE, "title": HOSTILE, "authors": [], "document": 1}]))
    assert "<script" not in body
    assert "<img" not in body
    assert "default-src 'none'" in body


def test_a_report_carries_quotes_sources_reasons_and_how_sure():
    quote = "Metformin reduced cardiovascular mortality compared with placebo."
    about = {
        "document": 1,
        "title": "A trial",
        "authors": ["Made, Anna"],
        "journal": "Journal of Examples",
        "year": 2019,
        "pmid": "90000001",
    }
    item = {"rank": 1, "quote": quote, "start": 100, "end": 100 + len(quote), "sha256": "0" * 64, "notices": [], **about}
    made = an_explanation(item, True)
    body = report(a_run([item], question="Does metformin help?"), [made])
    for part in (
        quote,
        "PMID 90000001",
        "Journal of Examples",
        "This explanation holds",
        "says nothing on whether the answer is right",
        "8.1%, 95% interval 5.0% to 12.0%",
        "0.83",
        "&quot;start&quot;: 100",
    ):
        assert part in body
    assert not re.search(r"(src|href)=|url\(|@import|<script|<link", body)
    assert "@media print" in body
    assert 'title="+0.3100 sentence score"' in body


def test_numbers_leave_as_csv_that_a_spreadsheet_does_not_run():
    from pages.parts.figure import to_csv

    assert to_csv([{"part": "=1+1", "share": -0.5}]) == "part,share\r\n'=1+1,-0.5\r\n"
    assert to_csv([]) == ""


def test_the_deletion_figure_says_what_is_seen_and_has_a_text_alternative():
    trust = an_explanation({"quote": "a b c", "start": 0, "rank": 1}, True)["words"]["faithfulness"]
    figure = plot_deletion(trust, "cosine similarity")
    assert "20 of 20" in figure.layout.title.text
    assert "cosine similarity" in figure.layout.xaxis.title.text
    assert len(figure.data[0].x) == 20
    assert "0.310" in describe_deletion(trust, "cosine similarity")


def test_the_metrics_figure_shows_every_interval():
    cell = {"value": 0.7, "low": 0.6, "high": 0.85}
    systems = {"bm25": {"recall@10": cell, "mrr@10": cell}, "fused": {"recall@10": cell | {"value": 0.8}}}
    figure = plot_metrics(systems, 209)
    assert figure.layout.title.text == "No clear difference in recall in the first 10 between fused and bm25 over 209 cases"
    assert list(figure.layout.yaxis.ticktext) == ["recall in the first 10", "reciprocal rank within the first 10"]
    assert figure.data[0].error_x.array[0] == pytest.approx(0.15)
    assert figure.data[0].marker.symbol != figure.data[1].marker.symbol
    assert "0.70 (0.60-0.85)" in describe_metrics(systems, 209)


def of(**values):
    return {name: {"accuracy": {"value": value, "low": value - 0.05, "high": value + 0.05}} for name, value in values.items()}


@pytest.mark.parametrize(
    ("systems", "clear", "seen", "said"),
    [
        (of(a=0.9, b=0.7), {}, (), "a has the highest accuracy over 40 cases"),
        (of(a=0.9, b=0.85), {}, (), "No clear difference in accuracy between a and b over 40 cases"),
        (of(a=0.9, b=0.85), {"b": {"a": True}}, (), "a has the highest accuracy over 40 cases"),
        (of(a=0.9, b=0.7), {"a": {"b": False}}, (), "No clear difference in accuracy between a and b over 40 cases"),
        (of(a=0.9, b=0.88, c=0.5), {}, (), "No clear difference in accuracy between a and b over 40 cases"),
        (of(a=0.9), {}, (), "Accuracy of a: 0.90 (0.85-0.95), 40 cases"),
        (of(a=0.9, b=0.7), {}, ("a",), "No test of a: trained on some or all of these 40 cases"),
        ({name: {"validation": {"value": value, "low": None, "high": None}} for name, value in (("a", 0.9), ("b", 0.8))}, {}, (),
         "Balanced accuracy, held-out trials of 2 systems over 40 cases"),
    ],
)  # fmt: skip
def test_a_headline_says_highest_only_where_a_test_or_the_intervals_do(systems, clear, seen, said):
    assert headline(systems, 40, clear, seen) == said


def test_precision_alone_is_no_headline():
    cells = {"precision": 0.9, "recall": 0.2, "f1": 0.33}
    systems = {"a": {name: {"value": value, "low": value, "high": value} for name, value in cells.items()}}
    assert headline(systems, 10).startswith("F1 of a: 0.33")


@pytest.mark.parametrize(
    ("name", "said"),
    [("ece", "expected calibration error"), ("coverage90", "90% sets cover"), ("accuracy@60", "accuracy over the surest 60%"),
     ("macro_f1", "macro-F1"), ("chemical_f1", "F1, chemical"), ("ndcg@10", "nDCG of the first 10"), ("top-k donor", "top-k donor")],
)  # fmt: skip
def test_figures_have_names_that_people_say(name, said):
    assert metric_words(name) == said


def test_sizes_and_durations_are_said_as_people_say_them():
    assert size(83_506_384) == "84 MB"
    assert span(0.042) == "42 ms"
    assert span(600) == "10 min"


def test_every_figure_colour_stands_out_from_both_grounds():
    from backend.figures.style import QUIET, VERMILLION

    for colour in (QUIET, VERMILLION):
        for mode in ("light", "dark"):
            assert contrast(colour, THEME[mode]["backgroundColor"]) >= 2.9


def test_a_selection_does_not_pass_to_the_row_that_takes_its_place():
    from pages.parts.markup import selection_key

    assert selection_key("papers", [1, 2, 3]) == selection_key("papers", [1, 2, 3])
    assert selection_key("papers", [1, 2, 3]) != selection_key("papers", [2, 3])


def test_wordmarks_are_drawings_not_fonts():
    for name in ("wordmark-light.svg", "wordmark-dark.svg", "mark.svg"):
        assert "<text" not in Path(ROOT / "assets" / name).read_text()
