"""The registry from the command line: listed by family, recognised, added, measured, removed; consent before a restricted licence."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from dataclasses import replace

import pytest

from backend.errors import ModelError
from backend.models import hub as source
from backend.models import measure as measuring
from backend.models import registry
from backend.models.families import minilm
from backend.models.runtime import Runtime
from tests.models import hungry, tiny_writers, untrained, untrained_esm, untrained_protst, untrained_rna
from tests.models.hubserver import COMMIT, serving
from tests.models.proof import through_command_line

THIRTEEN = {
    "scibert", "biobert", "pubmedbert", "biolinkbert", "galactica", "biogpt", "dot5",
    "genslm", "dnabert", "rnabert", "rnamsm", "esm", "protst",
}  # fmt: skip


def test_all_thirteen_families_are_listed_with_source_licence_fit_and_tasks(config):
    made = through_command_line(config, ["models", "list"])
    assert {card["family"] for card in made} >= THIRTEEN
    titles = [card["family_title"].lower() for card in made]
    assert titles == sorted(titles)
    for card in made:
        assert card["source"] in {"bundled", "wheel", "hub", "local"}
        assert card["state"] in {"present", "absent", "built in", "template"}
        assert card["licence"]
        assert card["about"]
        assert card["tasks"]
        assert isinstance(card["fits"], bool)
        assert card["fit_origin"] in {"measured on this machine", "measured by us", "computed, not measured"}
        assert card["would_fit"] == [] if card["fits"] else card["would_fit"]
        assert card["state"] != "template" or not card["present"]


def test_the_list_for_a_reader_groups_by_family_and_marks_restricted_licences(config):
    from backend.cli.models_text import listing

    text = listing(through_command_line(config, ["models", "list"]))
    blocks = {block.splitlines()[0]: block for block in text.split("\n\n")}
    galactica = next(block for title, block in blocks.items() if "(galactica)" in title)
    assert "[non-commercial]" in galactica
    assert "add your folder" in galactica
    assert all(len(line) < 200 for line in text.splitlines())


def test_a_template_can_be_neither_fetched_nor_loaded(config):
    runtime = Runtime(config)
    assert not runtime.present("dot5")
    for act in (runtime.fetch, runtime.load):
        with pytest.raises(ModelError, match="no weights that could be fetched") as caught:
            act("dot5")
        assert "bioloom models add" in caught.value.hint


def test_a_folder_is_recognised_added_measured_and_removed(config, tmp_path):
    folder = tmp_path / "my esm"
    folder.mkdir()
    untrained_esm.make(folder)
    (folder / "UNTRAINED").touch()
    found = through_command_line(config, ["models", "recognise", folder])
    assert found[0]["family"] == "esm"
    assert found[0]["untrained"] is True
    assert "protein.variants" in found[0]["tasks"]
    made = through_command_line(config, ["models", "add", folder])
    assert (made["name"], made["family"], made["untrained"], made["state"]) == ("my-esm", "esm", True, "present")
    measured = through_command_line(config, ["models", "measure", "my-esm", "--lengths", "20,60", "--batches", "1"])
    assert [(point["length"], point["batch"]) for point in measured["points"]] == [(20, 1), (60, 1)]
    shown = through_command_line(config, ["models", "show", "my-esm"])
    assert shown["fit_origin"] == "measured on this machine"
    assert "measured on this machine on" in shown["memory"]
    assert shown["hashes"] == "Noted when the folder was added."
    assert through_command_line(config, ["models", "remove", "my-esm"]) == {"removed": "my-esm"}
    assert (folder / "config.json").exists()


def test_a_folder_of_no_family_or_of_several_is_told(config, tmp_path, monkeypatch):
    with pytest.raises(AssertionError, match="There is no folder"):
        through_command_line(config, ["models", "add", tmp_path / "nowhere"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(AssertionError, match=r"empty holds no weights"):
        through_command_line(config, ["models", "add", tmp_path / "empty"])
    (tmp_path / "empty" / "model.safetensors").write_bytes(b"")
    with pytest.raises(AssertionError, match="No family takes"):
        through_command_line(config, ["models", "add", tmp_path / "empty"])
    assert through_command_line(config, ["models", "recognise", tmp_path / "empty"]) == []
    twins = [replace(hungry.FAMILY, name=name, examine=lambda folder: registry.Found((), ("t",), 2)) for name in ("left", "right")]
    for twin in twins:
        monkeypatch.setitem(registry._FAMILIES, twin.name, twin)
    with pytest.raises(AssertionError, match="several families: left, right"):
        through_command_line(config, ["models", "add", tmp_path / "empty"])


def test_weights_that_could_run_code_are_the_headline_and_nothing_leaks_beside_it(config, tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    (tmp_path / "vocab.txt").write_text("[PAD]\n")
    (tmp_path / "pytorch_model.bin").write_bytes(pickle.dumps({"w": os.getcwd}, protocol=4))
    environment = {**os.environ, "BIOLOOM_DATA": str(config.data)}
    run = [sys.executable, "-c", "from backend.cli import main; main()", "models", "recognise", str(tmp_path)]
    told = subprocess.run(run, env=environment, capture_output=True, text=True, check=False)
    assert told.returncode
    assert told.stderr.startswith("pytorch_model.bin was refused")
    assert told.stderr.count("could run code") == 1
    assert "No family" not in told.stderr
    assert "Warning" not in told.stderr


def test_a_folder_with_the_name_of_a_known_model_says_so_and_is_found_when_that_one_is_not_here(config, tmp_path):
    folder = tmp_path / "esm2-8m"
    folder.mkdir()
    untrained_esm.make(folder)
    made = through_command_line(config, ["models", "add", folder])
    assert (made["name"], made["title"], made["parameters"] > 0) == ("esm2-8m-2", "esm2-8m-2", True)
    assert made["renamed"] == "'esm2-8m' is the name of another model, so this one is called 'esm2-8m-2'."
    with pytest.raises(ModelError, match="not complete") as caught:
        Runtime(config).load("esm2-8m")
    assert "that you added: 'esm2-8m-2'" in caught.value.hint
    own = tmp_path / "mine"
    folder.rename(own)
    assert through_command_line(config, ["models", "add", own])["renamed"] == ""


def test_a_folder_of_a_family_that_forbids_commercial_use_is_added_after_consent_only(config, tmp_path):
    folder = tiny_writers.galactica(tmp_path / "mine")
    with pytest.raises(AssertionError, match=r"Galactica may not be used commercially.*CC BY-NC 4\.0.*add it with --accept-licence"):
        through_command_line(config, ["models", "add", folder])
    made = through_command_line(config, ["models", "add", folder, "--accept-licence"])
    assert made["non_commercial"] is True
    assert made["licence"].startswith("CC BY-NC 4.0")


def test_a_licence_that_is_not_stated_for_the_weights_allows_no_commercial_use():
    from backend.models.licence import commercial_use

    allowed = {card.name for card in registry.cards().values() if commercial_use(card)}
    assert {"esm2-8m", "biogpt", "biogpt-fine-tunes", "minilm"} <= allowed
    assert not {"dnabert-6", "genslm-25m", "rnabert-original", "protst-esm1b", "dot5", "viennarna", "galactica-125m"} & allowed


@pytest.mark.parametrize(
    ("family", "make"),
    [
        ("rnabert", untrained_rna.make_rnabert),
        ("rnabert", untrained_rna.make_rnabert_original),
        ("rnamsm", untrained_rna.make_rnamsm),
        ("protst", untrained_protst.make),
        ("dot5", tiny_writers.t5),
        ("biogpt", tiny_writers.biogpt),
        ("biogpt", tiny_writers.archive),
        ("esm", untrained_esm.make),
    ],
)
def test_a_small_folder_needs_little_memory_whatever_its_family_publishes(family, make, tmp_path):
    folder = tmp_path / "small"
    folder.mkdir()
    make(folder)
    found = registry.families()[family].examine(folder)
    assert found.parameters > 0
    assert 0 < found.peak_bytes < 1_500_000_000


@pytest.fixture
def restricted(tmp_path, monkeypatch):
    """A card of the hub without known hashes whose licence forbids commercial use."""
    made = untrained.make(tmp_path / "weights")
    card = replace(made, revision="main", files=dict.fromkeys(made.files, ""), licence="CC BY-NC 4.0", non_commercial=True)
    known = registry.families()["minilm"]
    monkeypatch.setitem(registry._FAMILIES, "minilm", replace(known, cards=(minilm.CARD, card)))
    monkeypatch.setattr(source, "_PAUSE_S", 0.01)
    with serving(tmp_path / "weights", card) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
        yield card, hub


def test_a_restricted_licence_is_agreed_to_before_anything_is_fetched(restricted, config):
    card, hub = restricted
    with pytest.raises(AssertionError, match=r"CC BY-NC 4\.0.*--accept-licence"):
        through_command_line(config, ["models", "fetch", card.name])
    assert hub.seen == []
    made = through_command_line(config, ["models", "fetch", card.name, "--accept-licence"])
    assert (made["present"], made["revision"]) == (True, COMMIT)
    assert "Noted at the first fetch" in made["hashes"]


def test_a_moved_branch_is_taken_only_when_that_is_asked(restricted, config, tmp_path):
    card, hub = restricted
    through_command_line(config, ["models", "fetch", card.name, "--accept-licence"])
    hub.commit = "f" * 40
    through_command_line(config, ["models", "remove", card.name])
    with pytest.raises(AssertionError, match=r"does not have it at this revision|no file of that name"):
        through_command_line(config, ["models", "fetch", card.name, "--accept-licence"])
    made = through_command_line(config, ["models", "fetch", card.name, "--accept-licence", "--afresh"])
    assert made["revision"] == "f" * 40


def test_sizes_that_are_no_numbers_are_refused(config, monkeypatch):
    monkeypatch.setattr(measuring, "_CHILD", "never.run")
    for words in ("a,b", "0", "-3"):
        with pytest.raises(AssertionError, match="not a list of numbers"):
            through_command_line(config, ["models", "measure", "minilm", "--lengths", words])
