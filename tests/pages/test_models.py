"""The Models page: short rows and whole cards, licence before fetch, a folder looked at, added and used; two models side by side."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from backend.models import registry
from backend.models.registry import file_sha256
from tests.models.hubserver import serving
from tests.models.tiny_writers import galactica
from tests.models.untrained_esm import make
from tests.pages.conftest import HOSTILE, texts

PROTEIN = ">p\nMKVLAAGIVGLLLAQPSTSQ\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "my-protein-model"
    made.mkdir()
    make(made)
    (made / "UNTRAINED").write_text("")
    return made


@pytest.fixture
def forbidding(monkeypatch):
    """A card of the hub whose licence forbids commercial use, and whose hashes are not known."""
    known = registry.families()["esm"]
    card = next(card for card in known.cards if card.name == "esm2-8m")
    other = replace(card, licence="CC BY-NC 4.0", non_commercial=True, files=dict.fromkeys(card.files, ""), revision="main")
    monkeypatch.setitem(registry._FAMILIES, "esm", replace(known, cards=tuple(other if each is card else each for each in known.cards)))
    return other


def test_the_list_is_one_short_row_a_model_under_its_family(open_page):
    app = open_page("models")
    app.segmented_control(key="models-for").set_value("sequences").run()
    assert not app.exception
    assert not app.error
    labels = [button.label for button in app.button]
    assert any("ESM" in label for label in labels)
    shown = texts(app)
    assert "to fetch, 31 MB" in shown
    assert "7.8 million" in shown
    assert "BM25" not in "".join(labels)
    assert len(max((str(part.value) for part in app.html), key=len)) < 20_000


def test_every_model_has_a_card_that_opens_without_a_fault(open_page, bench):
    from backend.models.registry import cards

    app = open_page("models")
    for name in cards(bench.config):
        app.query_params["model"] = name
        app.run()
        assert not app.exception, name
        assert not app.error, name
        assert "Where it stops" in texts(app) or "What it is for" in texts(app)


def test_filters_narrow_the_list_and_an_empty_one_can_be_cleared(open_page):
    app = open_page("models")
    app.segmented_control(key="models-for").set_value("sequences").run()
    app.text_input(key="models-words").set_value("esm 650m").run()
    labels = " ".join(button.label for button in app.button)
    assert "650M" in labels
    assert "35M" not in labels
    app.text_input(key="models-words").set_value("no such thing").run()
    assert app.info[0].value == "No model matches."
    app.button(key="models-clear").click().run()
    assert not app.info


@pytest.mark.parametrize("modality", ["", "literature", "sequences", "eeg"])
def test_every_switch_keeps_only_what_it_names(bench, modality):
    from pages.parts.models.listing import FILTERS, gather, narrow

    groups = gather()
    whole = [row for group in narrow(groups, modality) for row in group.rows]
    assert whole
    for name, holds in FILTERS.items():
        kept = [row for group in narrow(groups, modality, filters=[name]) for row in group.rows]
        assert kept == [row for row in whole if holds(row)]
    for row in whole:
        assert row.state_words
        assert row.fit_words
        assert len(row.licence_words) < 60


def test_a_fetch_waits_for_the_network_and_for_consent(open_page, bench, forbidding):
    app = open_page("models", model=forbidding.name)
    shown = texts(app)
    assert "CC BY" in shown
    assert "NC" in shown
    assert "noted at the first fetch" in shown
    assert app.button(key=f"fetch-{forbidding.name}").disabled
    app.toggle(key="network-models").set_value(True).run()
    assert app.button(key=f"fetch-{forbidding.name}").disabled, "a licence that forbids commercial use needs a tick"
    app.checkbox(key=f"consent-{forbidding.name}").set_value(True).run()
    assert not app.button(key=f"fetch-{forbidding.name}").disabled


@pytest.mark.parametrize("pinned", [True, False], ids=["pinned", "not pinned"])
def test_one_click_fetches_from_the_hub_and_the_card_says_what_came(open_page, bench, folder, monkeypatch, pinned):
    known = registry.families()["esm"]
    card = next(card for card in known.cards if card.name == "esm2-8m")
    files = {name: file_sha256(folder / name) if pinned else "" for name in ("config.json", "model.safetensors", "vocab.txt")}
    size = sum((folder / name).stat().st_size for name in files)
    made = replace(card, files=files, revision="0" * 40 if pinned else "main", download_bytes=size, disk_bytes=size)
    monkeypatch.setitem(registry._FAMILIES, "esm", replace(known, cards=tuple(made if each is card else each for each in known.cards)))
    bench.runtime.allow_network = True
    with serving(folder, made) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
        app = open_page("models", model=made.name)
        app.button(key=f"fetch-{made.name}").click().run(timeout=60)
        for job in bench.jobs.list(active=True):
            bench.jobs.wait(job.id, 60)
        app.run()
    assert not app.exception
    assert not app.error
    assert bench.runtime.present(made.name)
    shown = texts(app)
    assert "on this machine" in shown
    assert ("Published, and known to Bioloom" if pinned else "Noted at the first fetch") in shown


def test_a_fetch_that_fails_says_why_and_what_to_do(open_page, bench, folder, monkeypatch):
    known = registry.families()["esm"]
    card = next(card for card in known.cards if card.name == "esm2-8m")
    bench.runtime.allow_network = True
    with serving(folder, card) as hub:
        hub.status = 503
        monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
        app = open_page("models", model=card.name)
        app.button(key=f"fetch-{card.name}").click().run(timeout=60)
        for job in bench.jobs.list(active=True):
            bench.jobs.wait(job.id, 60)
        app.run()
    assert not app.exception
    assert app.error
    assert not bench.runtime.present(card.name)
    assert app.button(key=f"fetch-{card.name}")


def test_an_unknown_model_in_a_link_is_told(open_page):
    app = open_page("models", model="gone-model")
    assert not app.exception
    assert "There is no model called" in app.error[0].value


def look(open_page, path: str | Path, family: str = ""):
    app = open_page("models", add=family)
    app.text_input(key="add-path").set_value(str(path))
    next(button for button in app.button if button.label == "Look").click()
    return app.run(timeout=60)


def test_a_folder_is_recognised_added_and_opens_its_tasks(open_page, bench, folder):
    app = look(open_page, folder)
    assert not app.exception
    assert not app.error
    shown = texts(app)
    assert "Variant effects" in shown
    assert "UNTRAINED" in shown
    app.button(key="add-go").click().run(timeout=60)
    assert not app.exception
    assert app.query_params["model"] == "my-protein-model"
    assert "The folder was added" in texts(app)
    links = [link.proto.page_label if hasattr(link.proto, "page_label") else link.proto.label for link in app.get("page_link")]
    assert any("Variant effects in Sequences" in label for label in links)


def test_a_model_of_a_link_is_chosen_on_the_page_of_its_task(open_page, bench, folder):
    from backend.models.registry import add_local
    from backend.sequences.inputs import give_text

    add_local(bench.config, folder, "esm")
    value = give_text(bench.context, PROTEIN)
    app = open_page("sequences", file=value["file"], name=value["name"], task="protein.variants", model="my-protein-model")
    assert not app.exception
    assert app.selectbox(key="variants-model").value == "my-protein-model"


def test_a_loaded_folder_is_verified_unloaded_and_forgotten(open_page, bench, folder):
    from backend.models.registry import add_local

    name = add_local(bench.config, folder, "esm").name
    app = open_page("models", model=name)
    app.button(key=f"load-{name}").click().run(timeout=120)
    bench.jobs.wait(bench.jobs.list()[0].id, 60)
    app.run()
    assert "loaded on CPU" in texts(app)
    app.button(key=f"verify-{name}").click().run(timeout=60)
    assert "as published" in app.success[0].value
    app.button(key=f"unload-{name}").click().run()
    assert not bench.runtime.loaded()
    app.button(key=f"remove-{name}").click().run()
    assert not app.exception
    assert (folder / "config.json").is_file(), "the folder itself stays"
    assert "forgotten" in texts(app)


def test_a_changed_file_is_named_when_verified(open_page, bench, folder):
    from backend.models.registry import add_local

    name = add_local(bench.config, folder, "esm").name
    with (folder / "model.safetensors").open("r+b") as file:
        file.seek(-1, 2)
        last = file.read(1)
        file.seek(-1, 2)
        file.write(bytes([last[0] ^ 1]))
    app = open_page("models", model=name)
    app.button(key=f"verify-{name}").click().run(timeout=60)
    assert "model\\.safetensors \\(altered\\)" in app.error[0].value


@pytest.mark.parametrize(
    ("given", "said"),
    [("/no/such/folder", "There is no folder"), ("file", "There is no folder"), ("empty", "holds no weights")],
)
def test_what_is_no_model_folder_is_told_with_a_remedy(open_page, tmp_path, given, said):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x")
    app = look(open_page, given if given.startswith("/") else tmp_path / given)
    assert not app.exception
    assert said in "".join(str(part.value) for part in [*app.error, *app.warning])


def test_a_folder_that_is_hostile_or_very_long_by_name_is_shown_as_text(open_page, bench, tmp_path):
    from backend.models.registry import add_local

    name = f"{HOSTILE.replace('/', '_')}{'long' * 20}"
    made = tmp_path / name[:200]
    made.mkdir()
    make(made)
    (made / "UNTRAINED").write_text("")
    card = add_local(bench.config, made, "esm")
    for query in ({"model": card.name}, {}):
        app = open_page("models", **query)
        app.segmented_control(key="models-for").set_value("sequences").run() if not query else None
        assert not app.exception
        bodies = "\n".join(str(part.value) for part in app.html).replace("<script>// When a stored text", "")
        assert "<script>alert" not in bodies
        assert "<img" not in bodies


def test_a_family_without_weights_of_its_own_asks_for_a_folder(open_page, monkeypatch):
    known = registry.families()["esm"]
    template = replace(known.cards[0], name="esm-own", title="ESM of yours", template=True, files={}, hub_id="", source="local")
    monkeypatch.setitem(registry._FAMILIES, "esm", replace(known, cards=(*known.cards, template)))
    app = open_page("models", model="esm-own")
    assert not app.exception
    app.button(key="card-add").click().run()
    assert app.query_params["add"] == "esm"
    assert not app.exception


def test_a_folder_under_a_licence_that_forbids_commercial_use_is_added_after_a_tick(open_page, tmp_path):
    app = look(open_page, galactica(tmp_path / "galactica-125m"))
    assert "CC BY-NC 4.0" in texts(app)
    assert app.button(key="add-go").disabled
    app.checkbox(key="add-consent-galactica").set_value(True).run()
    app.button(key="add-go").click().run(timeout=60)
    assert not app.exception
    assert app.query_params["model"] == "galactica-125m-2"
    assert "is the name of another model" in "".join(str(part.value) for part in [*app.success, *app.info, *app.toast])


@pytest.mark.slow
def test_measuring_fills_a_table_by_length_and_batch(open_page, bench, folder):
    from backend.models.registry import add_local

    name = add_local(bench.config, folder, "esm").name
    app = open_page("models", model=name)
    app.button(key=f"measure-{name}").click().run(timeout=60)
    for job in bench.jobs.list(active=True):
        bench.jobs.wait(job.id, 240)
    app.run()
    assert not app.exception
    assert not app.error
    assert "measured on this machine" in texts(app)
    table = next(found.value for found in app.dataframe if "At once" in found.value)
    assert len(table) >= 2


def test_what_works_here_comes_first_and_our_own_readers_before_the_rest(open_page, bench, monkeypatch):
    from pages.parts.models.listing import gather

    monkeypatch.setattr(type(bench.runtime), "present", lambda runtime, name: name.startswith("reader-") or name == "minilm")
    groups = gather()
    assert groups[0].family.name == "readers"
    here = [group.here for group in groups]
    assert here == sorted(here, reverse=True)
    app = open_page("models")
    shown = texts(app)
    assert shown.index("On this machine</div>") < shown.index("To be fetched, or a folder of yours")
    title = "Bioloom's reader of chemicals, diseases and genes"
    assert title in [button.label for button in app.button], "no name is cut in its middle"


def test_a_card_says_in_words_how_a_figure_was_made_and_keeps_the_command_behind_it(open_page):
    from backend.models.reader_cards import ENTITIES, EVIDENCE, RELATIONS, VERDICT

    for card in (ENTITIES, EVIDENCE, RELATIONS, VERDICT):
        app = open_page("models", model=card.name)
        figures = next(str(part.value) for part in app.html if "95% interval" in str(part.value))
        assert "measured by us" in figures
        assert not [word for word in ("python -m", "bioloom evaluate", "README", "<dt>ece") if word in figures]
        (behind,) = [part for part in app.expander if part.label == "How these figures can be made again"]
        assert {each.value for each in behind.code} == {each.command for each in card.quality}
