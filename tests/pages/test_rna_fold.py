"""RNA folding as it is drawn: every base and pair where it belongs, in words too, and the page over a saved run."""

from __future__ import annotations

import numpy as np
import pytest

from backend.config import ASSETS
from backend.figures.rna import base_rows, describe_drawing, drawn_probability, helices, pair_table, plot_drawing
from backend.figures.rna_pairs import describe_mountain, describe_pairs, mountains, plot_mountain, plot_pairs
from backend.sequences.inputs import give_file, give_text
from pages.parts.fold_words import blocks, energy, known_accuracy, percent, selected_base, sentence
from tests.pages.conftest import HOSTILE

pytest.importorskip("RNA")


@pytest.fixture
def run(bench):
    return bench.run("rna.fold", give_file(bench.context, ASSETS / "examples/trna-phe.fasta"), owner="guest")


@pytest.fixture
def result(run):
    return run.prediction["results"][0]


def bases_of(figure):
    return next(trace for trace in figure.data if trace.name == "bases")


@pytest.mark.parametrize("which", ["mfe", "centroid"])
def test_every_base_is_drawn_where_it_was_laid_with_its_letter_and_chance(result, which):
    bases = bases_of(plot_drawing(result, which))
    assert "".join(bases.text) == result["sequence"]
    assert [item[0] for item in bases.customdata] == list(range(76))
    spread = np.ptp(np.array(result[which]["layout"]), axis=0)
    assert (np.ptp(bases.x), np.ptp(bases.y)) == pytest.approx(tuple(spread), abs=0.01)
    assert list(bases.marker.color) == pytest.approx(drawn_probability(result, pair_table(result[which]["structure"])))
    assert "G1" in bases.customdata[0][1]
    assert "C72" in bases.customdata[0][1]


def test_circles_do_not_cover_one_another(result):
    figure = plot_drawing(result)
    bases = bases_of(figure)
    xy = np.column_stack([bases.x, bases.y])
    gaps = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1)) + 1e9 * np.eye(76)
    scale = (figure.layout.height - 120) / np.ptp(figure.layout.yaxis.range)
    assert np.mean(gaps.min(axis=1) * scale >= 0.8 * bases.marker.size) > 0.95


def test_pairs_are_drawn_once_each(result):
    drawn = [trace for trace in plot_drawing(result).data if (trace.name or "").startswith("pair")]
    assert sum(np.isnan(np.array(trace.x, dtype=float)).sum() for trace in drawn) == result["mfe"]["structure"].count("(")


def test_a_chosen_base_is_ringed(result):
    plain, ringed = plot_drawing(result), plot_drawing(result, chosen=5)
    assert len(ringed.data) == len(plain.data) + 1


def test_the_drawing_in_words_names_the_four_helices_of_the_cloverleaf(result):
    words = describe_drawing(result)
    assert len(helices(pair_table(result["mfe"]["structure"]))) == 4
    for helix in ("1-7 with 66-72", "10-13 with 22-25", "27-31 with 39-43", "49-53 with 61-65"):
        assert helix in words


def test_the_dot_plot_shows_every_saved_pair_and_names_the_likeliest_other(result):
    figure = plot_pairs(result)
    assert len(figure.data[0].x) == len(result["pairs"])
    assert len(figure.data[1].x) == 21
    assert all(x > y for x, y in zip(figure.data[0].x, figure.data[0].y, strict=True))
    assert "outside the best structure" in describe_pairs(result)


def test_a_mountain_is_as_high_as_the_pairs_around_a_base(result):
    heights = mountains(result)
    assert heights["least free energy"][8] == 7
    assert heights["least free energy"][-1] == 0
    assert len(plot_mountain(result).data) == 4
    assert "bit" in describe_mountain(result)


def test_an_open_strand_is_drawn_and_told_without_a_fault(bench):
    value = give_text(bench.context, ">a\nAAAAAAAAAAAA\n", "a.fasta", kind="rna")
    result = bench.run("rna.fold", value).prediction["results"][0]
    assert "no base pairs" in plot_drawing(result).layout.title.text
    assert plot_pairs(result).layout.title.text == "No pair has a probability of 1%"
    assert plot_mountain(result)
    assert "stays open" in sentence(result)
    assert len(base_rows(result)) == 12


def test_words_of_certainty(result):
    assert sentence(result).startswith("Poorly defined")
    assert percent(0.00001) == "less than 0.1%"
    assert energy(-22.4) == "\u221222.4 kcal/mol"
    assert selected_base(result, 0).startswith("G1: pairs with C72")
    assert blocks(["ACGU", "...."], [98, 99, 100, 101], width=2) == " 98 AC\n    ..\n\n100 GU\n    .."


def test_the_measured_accuracy_stands_beside_the_drawing():
    from backend.models.registry import get_card

    assert "60% of the pairs it draws are real (59% to 62%)" in known_accuracy(get_card("viennarna"))


def test_the_page_shows_finding_certainty_and_licence(open_page, run):
    app = open_page("sequences", run=run.id)
    assert not app.exception
    assert not app.error
    shown = " ".join([*(item.value for item in app.code), *(item.value for item in app.caption)])
    assert "(((((((..((((" in shown
    assert "commercial use restricted" in shown


def test_the_page_shows_why_a_pair_forms_once_it_is_explained(open_page, bench):
    value = give_text(bench.context, ">h\nGGGGAAAACCCC\n", "h.fasta", kind="rna")
    run = bench.run("rna.fold", value, owner="guest")
    bench.explain(run.id, {}, owner="guest")
    app = open_page("sequences", run=run.id)
    assert not app.exception
    assert not app.error
    assert not any(button.label.startswith("Explain") for button in app.button)
    next(item for item in app.text_input if item.label.startswith("Which pair")).set_value("1-99")
    next(button for button in app.button if button.label == "Choose").click().run()
    assert any("no base 99" in item.value for item in [*app.error, *app.markdown])


def test_the_licence_stands_before_the_first_use(open_page, bench):
    value = give_file(bench.context, ASSETS / "examples/trna-phe.fasta")
    app = open_page("sequences", file=value["file"], name=value["name"], task="rna.fold")
    assert not app.exception
    assert any("By running it you accept" in item.value for item in app.caption)
    assert [item.label for item in app.number_input] == ["Temperature (°C)"]


def test_a_hostile_record_name_stays_text(open_page, bench):
    value = give_text(bench.context, f">{HOSTILE.split()[0]}\nGGGGAAAACCCC\n", "h.fasta", kind="rna")
    made = bench.run("rna.fold", value, owner="guest")
    app = open_page("sequences", run=made.id)
    assert not app.exception
    assert not app.error
