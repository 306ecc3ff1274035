"""Alignments and contacts of RNA as they are drawn, in words too, and the page over saved runs of untrained models."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from backend.figures.rna_align import columns, describe_near, near_rows, plot_near
from backend.figures.rna_contacts import arc_rows, describe_arcs, describe_map, map_rows, plot_arcs, plot_map
from backend.models.registry import add_local
from backend.sequences.inputs import give_text
from pages.parts.views.rna_align import blocks
from tests.models.untrained_rna import make_rnabert, make_rnamsm
from tests.pages.conftest import HOSTILE

ROWS = ("GGGAAACUUCGGUUUCCCGA", "GGC-AACU.CGGUUUGCCGA", "--GAAACUUCGGUUUC--GA")
FASTA = f">{HOSTILE.split()[0]}\n{ROWS[0]}\n" + "".join(f">s{at}\n{row}\n" for at, row in enumerate(ROWS[1:], 1))


@pytest.fixture
def value(bench: Any, tmp_path: Any) -> Any:
    make_rnabert(tmp_path / "tiny-rnabert")
    make_rnamsm(tmp_path / "tiny-rnamsm")
    for name in ("rnabert", "rnamsm"):
        add_local(bench.config, tmp_path / f"tiny-{name}", name)
    return give_text(bench.context, FASTA, "aligned.fasta", kind="rna")


@pytest.fixture
def aligned(bench: Any, value: Any) -> Any:
    return bench.run("rna.align", value, settings={"model": "tiny-rnabert"}, owner="guest")


@pytest.fixture
def contacts(bench: Any, value: Any) -> Any:
    return bench.run("rna.contacts", value, owner="guest")


def test_both_alignments_lie_on_the_table_of_cosines_in_the_users_numbering(aligned: Any) -> None:
    reference, one = aligned.prediction["reference"], aligned.prediction["results"][0]
    figure = plot_near(reference, one)
    assert np.shape(figure.data[0].z) == (20, 18)
    assert list(figure.data[0].x[:4]) == [1, 2, 3, 5]
    assert len(figure.data[1].x) == len(columns(one["vectors"]))
    assert "solid line is the alignment by vectors" in describe_near(reference, one)
    assert len(near_rows(reference, one)) == 20 * 18


def test_an_alignment_in_blocks_names_first_and_last_place() -> None:
    rows = {"first": "ACG-U" * 13, "second": "A-GCU" * 13}
    made = blocks(rows, list(range(1, 53)), list(range(101, 153))).splitlines()
    assert made[0].startswith("  1 ACG-U")
    assert made[0].endswith(" 40")
    assert made[4] == f" 41 {'ACG-U' * 3} 52"
    assert made[6] == f"141 {'A-GCU' * 3} 152"


def test_the_map_leaves_neighbours_blank_and_arcs_stand_on_both_sides(contacts: Any) -> None:
    one = contacts.prediction["results"][0]
    cells = np.array(plot_map(one).data[0].z, dtype=float)
    assert np.isnan(cells[0, 3])
    assert np.isfinite(cells[0, 4])
    assert "Squares mark pairs of the structure" in describe_map(one)
    assert all(row["second"] - row["first"] >= 4 for row in map_rows(one))
    arcs = plot_arcs(one)
    drawn = [trace for trace in arcs.data if "attention" in (trace.name or "")]
    assert len(drawn) == 1
    assert len(arc_rows(one)) == one["structure"].count("(") + (one["vienna"] or {"structure": ""})["structure"].count("(")
    assert "Above the strand" in describe_arcs(one)


@pytest.mark.parametrize("which", ["aligned", "contacts"])
def test_the_page_shows_the_run_and_that_the_model_is_untrained(open_page: Any, request: Any, which: str) -> None:
    run = request.getfixturevalue(which)
    app = open_page("sequences", run=run.id)
    assert not app.exception
    assert not app.error
    shown = " ".join(item.value for item in [*app.markdown, *app.code, *app.caption])
    assert ("Above" in shown) if which == "aligned" else ("numbered as yours" in shown)


@pytest.mark.parametrize(("task", "label"), [("rna.align", "Align to"), ("rna.contacts", "Contacts of")])
def test_the_form_asks_for_model_and_settings(open_page: Any, value: Any, task: str, label: str) -> None:
    app = open_page("sequences", file=value["file"], name=value["name"], task=task)
    assert not app.exception
    assert any(item.label.startswith(label) for item in app.text_input)
    assert any(item.label == "Model" for item in app.selectbox)


def test_a_pair_is_explained_on_the_page(open_page: Any, bench: Any, contacts: Any) -> None:
    bench.explain(contacts.id, {}, owner="guest")
    app = open_page("sequences", run=contacts.id)
    assert not app.exception
    assert not any(button.label.startswith("Explain") for button in app.button)
    next(item for item in app.text_input if item.label.startswith("Which pair")).set_value("1-99")
    next(button for button in app.button if button.label == "Choose").click().run()
    assert any("no base 99" in item.value for item in [*app.error, *app.markdown])
