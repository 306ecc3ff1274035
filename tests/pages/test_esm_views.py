"""Contacts and predicted structures on the page: drawn whole with their explanation, and calm where there is no model."""

from __future__ import annotations

import pytest

from backend.config import ASSETS
from backend.models.registry import add_local
from backend.sequences.inputs import give_file, give_text
from tests.models import untrained_esm, untrained_esmfold

PROTEIN = "MQIFVKTLTGKTITLEVEPSDTIENVKAKI"


def settled(open_page, run):
    app = open_page("sequences", run=run.id)
    assert not app.exception
    assert not app.error
    assert not app.json
    assert any("UNTRAINED: for testing the loader" in str(block.proto) for block in app.get("html"))
    return app


def words(app):
    return " ".join(str(block.proto) for block in app.get("html"))


def test_contacts_of_a_structure_are_drawn_with_their_precision_and_why(open_page, bench, tmp_path):
    untrained_esm.make(tmp_path / "small-esm")
    add_local(bench.config, tmp_path / "small-esm", "esm")
    value = give_file(bench.context, ASSETS / "examples" / "ubiquitin-1ubi.pdb")
    run = bench.run("protein.contacts", value, owner="guest")
    bench.explain(run.id, {}, owner="guest")
    app = settled(open_page, run)
    assert "touch in the structure (95% interval" in words(app)
    app.number_input(key=f"contacts-of-{run.id}-0").set_value(48).run()
    assert not app.exception


def test_several_proteins_are_chosen_from_and_odd_names_are_only_names(open_page, bench, tmp_path):
    untrained_esm.make(tmp_path / "small-esm")
    add_local(bench.config, tmp_path / "small-esm", "esm")
    text = f">{'a-very-long-name-' * 8}\n{PROTEIN}\n><script>alert(1)</script>\n{PROTEIN[::-1]}\n"
    run = bench.run("protein.contacts", give_text(bench.context, text, kind="protein"), owner="guest")
    app = settled(open_page, run)
    app.selectbox(key=f"contacts-record-{run.id}").set_value(1).run()
    assert not app.exception
    assert "<script>alert" not in words(app)


def test_a_predicted_structure_is_drawn_with_its_bands_and_why(open_page, bench, tmp_path):
    untrained_esmfold.make(tmp_path / "small-fold")
    add_local(bench.config, tmp_path / "small-fold", "esmfold")
    value = give_text(bench.context, f">short\n{PROTEIN}\n", kind="protein")
    run = bench.run("protein.fold", value, settings={"recycles": 0}, owner="guest")
    bench.explain(run.id, {}, owner="guest")
    app = settled(open_page, run)
    assert "very low" in words(app)
    assert "mean pLDDT of 100" in words(app)
    app.radio(key=f"folded-why-{run.id}-0").set_value("one residue's").run()
    assert not app.exception


@pytest.mark.parametrize("task", ["protein.contacts", "protein.fold"])
def test_without_a_model_the_form_says_where_one_comes_from(open_page, bench, task):
    value = give_file(bench.context, ASSETS / "examples" / "tem-1.fasta")
    app = open_page("sequences", file=value["file"], name=value["name"], task=task)
    assert not app.exception
    assert any("Models page" in block.value for block in app.info)
