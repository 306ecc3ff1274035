"""The Sequences page: what was read, what can be asked, and every task's saved run drawn without a fault."""

from __future__ import annotations

import pytest

from backend.config import ASSETS
from tests.pages.conftest import HOSTILE
from tests.prepare import models_folder

EXAMPLES = ASSETS / "examples"
ASKED = (
    ("tem-1.fasta", "sequence.overview", {}),
    ("hbb-gene.fasta", "sequence.overview", {}),
    ("trna-phe.fasta", "sequence.overview", {}),
    ("ubiquitin-1ubi.pdb", "structure.view", {}),
    ("ubiquitin.fasta", "protein.variants", {}),
    ("ubiquitin.fasta", "protein.disorder", {}),
    ("trna-phe.fasta", "rna.fold", {}),
    ("hbb-gene.fasta", "dna.motifs", {}),
    ("hbb-gene.gb", "dna.splice", {"variants": "c.92+1G>A\n252G>A"}),
    ("ubiquitin-1ubi.pdb", "protein.design", {"designs": 2}),
)


@pytest.fixture
def bench(bench):
    if models_folder().is_dir() and not bench.config.models.exists():
        bench.config.models.symlink_to(models_folder(), target_is_directory=True)
    return bench


def give(bench, name: str) -> dict:
    from backend.sequences.inputs import give_file

    return give_file(bench.context, EXAMPLES / name)


def test_an_example_is_read_and_offers_the_tasks_that_fit_it(open_page, bench):
    value = give(bench, "hbb-gene.fasta")
    app = open_page("sequences", file=value["file"], name=value["name"], task="dna.splice")
    assert not app.exception
    assert not app.error
    offered = app.radio[0]
    assert offered.value == "dna.splice"
    assert any("Splicing" in option for option in offered.options)
    assert not any("Disorder" in option for option in offered.options)


@pytest.mark.parametrize(("name", "task", "settings"), ASKED, ids=[f"{task}-{name}" for name, task, _ in ASKED])
def test_a_saved_run_is_drawn_whole(open_page, bench, name, task, settings):
    run = bench.run(task, give(bench, name), settings=settings, owner="guest")
    app = open_page("sequences", run=run.id)
    assert not app.exception
    assert not app.error
    assert not app.json, "every task has a view of its own"


def test_every_task_on_sequences_is_offered_on_the_page_and_has_a_view():
    import importlib

    from backend.tasks import tasks
    from pages.parts.sequence_tasks import TASKS

    registered = {name for name, found in tasks().items() if found.modality == "sequences"}
    assert registered == set(TASKS)
    for name in registered:
        assert importlib.import_module(f"pages.parts.views.{name.replace('.', '_')}").show


def test_a_hostile_name_stays_a_name(open_page, bench):
    from backend.sequences.inputs import give_text

    value = give_text(bench.context, f">one {HOSTILE}\nMKVLAAGIVGLLLAQPSTSQ\n>two\nMKV@LL\n", f"{HOSTILE[:40].replace('/', '_')}.fasta")
    app = open_page("sequences", file=value["file"], name=value["name"])
    assert not app.exception
    run = bench.run("sequence.overview", value, owner="guest")
    app = open_page("sequences", run=run.id)
    assert not app.exception
    drawn = " ".join(str(element.value) for element in [*app.markdown, *app.caption])
    assert "<script>" not in drawn


def test_a_file_with_nothing_usable_says_why_and_offers_no_task(open_page, bench):
    from backend.sequences.inputs import give_text

    value = give_text(bench.context, ">two\nMKV@LL\n")
    app = open_page("sequences", file=value["file"], name="two.fasta")
    assert not app.exception
    assert not app.radio


def test_a_picture_is_named_as_what_it_is(open_page, bench, tmp_path):
    from backend.storage.files import Files

    kept = Files(bench.config).put(b"\x89PNG\r\n\x1a\n" + bytes(64), "gel.png")
    app = open_page("sequences", file=kept.sha256, name="gel.png")
    assert not app.exception
    assert "PNG" in app.error[0].value
