"""Tasks on proteins and words on the page: drawn whole, the untrained model named, and calm where there is no model."""

from __future__ import annotations

import pytest

from backend.config import ASSETS
from backend.models.registry import add_local
from backend.sequences.inputs import give_file, give_text
from tests.models import untrained_protst

SET = ">ubiquitin\nMQIFVKTLTGKTITLEVEPSDTIENVKAKIQDKEGIPPDQQRLIFAGKQLEDGRTLSDYNIQKESTLHLVLRLRGG\n>other\nMKVLAADESGRTPWMKVLAADESGRTPW\n"
ASKED = (("protein.function", {}), ("protein.retrieve", {"description": "binds oxygen"}), ("sequence.embed", {}))


@pytest.mark.parametrize(("task", "settings"), ASKED, ids=[task for task, _ in ASKED])
def test_a_run_is_drawn_whole_and_named_untrained(open_page, bench, tmp_path, task, settings):
    untrained_protst.make(tmp_path / "small-protst")
    add_local(bench.config, tmp_path / "small-protst", "protst")
    run = bench.run(task, give_text(bench.context, SET), settings={"model": "small-protst", **settings}, owner="guest")
    bench.explain(run.id, {}, owner="guest")
    app = open_page("sequences", run=run.id)
    assert not app.exception
    assert not app.error
    assert not app.json
    assert any("UNTRAINED: for testing the loader" in str(block.proto) for block in app.get("html"))


@pytest.mark.parametrize("task", ["protein.function", "protein.retrieve"])
def test_without_a_model_the_form_says_where_one_comes_from(open_page, bench, task):
    value = give_file(bench.context, ASSETS / "examples" / "tem-1.fasta")
    if task == "protein.retrieve":
        value = give_text(bench.context, SET)
    app = open_page("sequences", file=value["file"], name=value["name"], task=task)
    assert not app.exception
    assert any("Models page" in block.value for block in app.info)
