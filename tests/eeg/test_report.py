"""The report: complete, self-contained, the same for the same choices, and silent about who it is."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from backend.eeg.importing import import_recording
from backend.eeg.report.choice import SECTIONS, Choice
from backend.eeg.report.contents import STATUS, build
from backend.eeg.report.html import to_html
from backend.eeg.report.pdf import to_pdf
from backend.eeg.report.results import STAGE_COLOURS
from backend.eeg.report.signal_page import draw_page
from backend.errors import InputError
from tests.eeg.making import edf, put
from tests.eeg.quiet import keep, keep_broken, quiet, visit_of

DAY = "2026-11-26"
BANANA = "Fp1 Fp2 F7 F3 Fz F4 F8 T7 C3 Cz C4 T8 P7 P3 Pz P4 P8 O1 O2".split()


def pages(pdf: bytes) -> list[str]:
    import pypdfium2

    document = pypdfium2.PdfDocument(io.BytesIO(pdf))
    told = [page.get_textpage().get_text_bounded() for page in document]
    document.close()
    return told


@pytest.fixture
def recording(bench, tmp_path):
    """A measured recording with a mark, a bad stretch and a bad channel."""
    made = keep(bench, tmp_path, quiet(10.0))
    bench.storage.recordings.annotate(made, 12.0, 0.0, "spike? <b>left</b>")
    bench.storage.recordings.annotate(made, 40.0, 3.0, "BAD movement")
    bench.run("eeg.baseline", {"recording": made}, settings={"state": "closed"})
    return made


def test_the_report_says_what_a_neurologist_files(bench, recording):
    report = build(bench.context, recording, Choice(made=DAY, question="Syncope?", impression="Normal.", reader="Dr. N."))
    told = dict(report.head)
    assert told["Patient (pseudonym)"] == "P-07"
    assert told["Read by"] == "Dr. N."
    assert (report.question, report.impression) == ("Syncope?", "Normal.")
    assert report.status == STATUS
    titles = [section.title for section in report.sections]
    assert titles == [SECTIONS[name] for name in ("recording", "altered", "background", "events", "made")]
    assert any("Posterior dominant rhythm" in line for line in report.summary)
    assert "sleep" in report.left_out, "what was not measured is named"


def test_what_was_left_out_is_told(bench, recording):
    bench.storage.recordings.set_fact(recording, "bad_channels", ["O2"])
    report = build(bench.context, recording, Choice(made=DAY))
    facts = dict(next(section for section in report.sections if section.title == SECTIONS["altered"]).blocks[0].rows)
    assert facts["Channels called bad"] == "O2"
    assert facts["Stretches called bad"] == "1, together 3.0 s"
    assert facts["Names and dates in the file"] == "not kept at import"


def test_fields_left_empty_say_so(bench, recording):
    report = build(bench.context, recording, Choice(made=DAY))
    assert report.question == report.impression == "Not written."
    text = to_html(report)
    assert "Not read by a physician until signed" in text
    assert text.count("For research use") == 1


def test_html_needs_nothing_from_outside_and_runs_nothing(bench, recording):
    mark = bench.storage.recordings.annotations(recording)[0]
    choice = Choice(made=DAY, pages=(mark.id,), impression="<script>alert(1)</script>")
    text = to_html(build(bench.context, recording, choice))
    assert "default-src 'none'" in text
    assert "<script" not in text
    assert "<b>left</b>" not in text
    outside = re.sub(r"base64,[A-Za-z0-9+/=]+", "", text)
    assert not re.search(r"(?:src|href)=[\"']?(?!data:)\w", outside)
    assert "http:" not in outside
    assert "https:" not in outside
    assert text.count("<img alt=") == 2
    assert "Signal from" in text, "a page of signal has its words"


def test_every_pdf_page_names_the_pseudonym_and_its_number(bench, recording):
    mark = bench.storage.recordings.annotations(recording)[0]
    told = pages(to_pdf(build(bench.context, recording, Choice(made=DAY, pages=(mark.id,)))))
    assert len(told) >= 2
    for number, page in enumerate(told, 1):
        assert "P-07" in page
        assert f"page {number} of {len(told)}" in page
    assert re.search(r"(9\.[89]|10\.[012]) Hz", " ".join(" ".join(told).split()))
    assert "µV²" in " ".join(told)


def test_the_same_choices_give_the_same_bytes(bench, recording):
    one, two = (build(bench.context, recording, Choice(made=DAY, pages_at=(5.0,))) for _ in range(2))
    assert to_pdf(one) == to_pdf(two)
    assert to_html(one) == to_html(two)


def test_identifiers_of_the_file_reach_neither_form(bench, tmp_path):
    planted = ("Haagse", "Harry", "0234567", "1951", "Gravenhage", "tech-Jansen", "Startdate", "secret-name")
    values = [np.round(row * 10).astype(np.int32) for row in quiet(10.0)]
    data = edf(
        ("O1", "O2"), values=values, rates=[128, 128], records=60,
        patient="MCH-0234567 F 02-MAY-1951 Haagse_Harry", recording="Startdate 02-MAR-2002 s-Gravenhage tech-Jansen",
    )  # fmt: skip
    made = import_recording(bench.config, bench.storage, visit_of(bench), put(tmp_path, "secret-name.edf", data)).id
    bench.run("eeg.baseline", {"recording": made}, settings={"state": "closed"})
    report = build(bench.context, made, Choice(made=DAY, pages_at=(5.0,)))
    pdf = to_pdf(report)
    seen = to_html(report) + " ".join(pages(pdf)) + pdf.decode("latin-1")
    for word in planted:
        assert word not in seen


def test_metadata_name_neither_patient_nor_machine(bench, recording):
    import pypdfium2

    document = pypdfium2.PdfDocument(io.BytesIO(to_pdf(build(bench.context, recording, Choice(made=DAY)))))
    told = document.get_metadata_dict()
    document.close()
    assert told["Title"] == "EEG report"
    assert told["Author"] == ""
    assert "P-07" not in json.dumps(told)


def test_letters_that_the_font_lacks_are_counted_not_dropped(bench, recording):
    report = build(bench.context, recording, Choice(made=DAY, question="Řeka μ 脑"))
    told = " ".join(pages(to_pdf(report)))
    assert "Řeka" in told
    assert "1 letters that this document's font lacks" in told
    assert "脑" in to_html(report)


def test_a_page_is_drawn_to_scale_in_the_double_banana(bench, tmp_path):
    values = np.vstack([quiet(10.0, seconds=30, seed=n)[:1] for n in range(len(BANANA))])
    made = draw_page(bench.context, keep(bench, tmp_path, values, BANANA), 5.0)
    assert "Longitudinal bipolar" in made.note
    assert "7 µV/mm, negative up" in made.note
    assert "Fp1-F7" in made.words
    assert made.png.startswith(b"\x89PNG")
    assert made.width_mm <= 174
    assert made.height_mm <= 220, "fits on a page of paper"


def test_gaps_and_the_end_of_the_recording_are_drawn(bench, tmp_path):
    short = keep(bench, tmp_path, quiet(10.0, seconds=6))
    made = draw_page(bench.context, short, 0.0)
    assert "0:00:00 to 0:00:06" in made.title
    broken = keep_broken(bench, tmp_path, quiet(10.0, seconds=20), [*range(10), *range(13, 23)], patient="P-08")
    assert "Not recorded from 0:00:10 to 0:00:13" in draw_page(bench.context, broken, 5.0).words


def test_unknown_sections_and_marks_are_refused_with_the_known_ones(bench, recording):
    with pytest.raises(InputError, match="no section 'mri'") as told:
        build(bench.context, recording, Choice(sections=("mri",)))
    assert "background" in told.value.hint
    with pytest.raises(InputError, match="no annotation 999"):
        build(bench.context, recording, Choice(pages=(999,)))


def test_stages_have_the_colours_of_the_pages():
    from backend.figures.eeg_sleep import COLOURS

    assert dict(COLOURS) == STAGE_COLOURS


def test_the_command_writes_both_forms(bench, recording, monkeypatch, tmp_path: Path):
    from backend.cli import app

    monkeypatch.setenv("BIOLOOM_DATA", str(bench.config.data))
    for name, start in (("a.pdf", b"%PDF"), ("a.html", b"<!doctype html>")):
        done = CliRunner().invoke(app, ["report", "--patient", "P-07", "--out", str(tmp_path / name), "--json"])
        assert done.exit_code == 0, done.output
        assert json.loads(done.stdout)["recording"] == recording
        assert (tmp_path / name).read_bytes().startswith(start)
    with pytest.raises(InputError, match="cannot be written as"):
        CliRunner().invoke(app, ["report", "--patient", "P-07", "--out", "a.docx"], catch_exceptions=False)
