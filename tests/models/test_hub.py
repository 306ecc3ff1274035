"""Weights from the hub come whole, go on where they broke off, and are never taken for something else."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from backend.errors import Cancelled, ModelError, NetworkError
from backend.models import hub as source
from backend.models import registry
from backend.models.families import minilm
from backend.models.runtime import Runtime
from backend.models.store import Store
from backend.progress import Silent
from tests.models import untrained
from tests.models.hubserver import serving

WEIGHTS = "model.safetensors"
PIECE = 400_000


class Kept(Silent):
    def __init__(self, stop_after=float("inf")):
        self.done, self.stop_after = [], stop_after

    def update(self, done, total=None, message=""):
        self.done.append((done, total))

    def check(self):
        if self.done and self.done[-1][0] > self.stop_after:
            raise Cancelled


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    folder = tmp_path_factory.mktemp("untrained")
    return folder, untrained.make(folder)


@pytest.fixture
def card(checkpoint, monkeypatch):
    known = registry._families()["minilm"]
    monkeypatch.setitem(registry._FAMILIES, "minilm", replace(known, cards=(minilm.CARD, checkpoint[1])))
    return checkpoint[1]


@pytest.fixture
def hub(checkpoint, card, monkeypatch):
    monkeypatch.setattr(source, "_PAUSE_S", 0.01)
    with serving(checkpoint[0], card) as opened:
        monkeypatch.setenv("HF_ENDPOINT", opened.endpoint)
        yield opened


@pytest.fixture
def store(config):
    return Store(config)


def parts(config):
    return [file for file in (config.models / ".staging").rglob("*") if file.is_file()]


def test_this_hub_speaks_as_the_publishers_own_client_expects(hub, card, checkpoint, tmp_path):
    from huggingface_hub import HfApi, hf_hub_download

    assert HfApi(endpoint=hub.endpoint, token=False).model_info(card.hub_id, revision=card.revision).sha == card.revision
    for name in ("config.json", WEIGHTS):
        made = hf_hub_download(card.hub_id, name, revision=card.revision, local_dir=tmp_path, endpoint=hub.endpoint, token=False)
        assert Path(made).read_bytes() == (checkpoint[0] / name).read_bytes()


def test_a_model_comes_from_the_hub_with_progress_and_is_used(hub, card, config):
    runtime, seen = Runtime(config), Kept()
    assert not runtime.present(card.name)
    folder = runtime.fetch(card.name, seen, allow_network=True)
    assert runtime.verify(card.name).ok
    assert {file.name for file in folder.iterdir()} == set(card.files)
    assert [done for done, _ in seen.done] == sorted(done for done, _ in seen.done)
    assert seen.done[-1] == (card.download_bytes, card.download_bytes)
    assert len(seen.done) > 10
    with runtime.use(card.name) as encoder:
        vectors = encoder.encode(["heart failure", "asthma"])
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    before = len(hub.seen)
    runtime.fetch(card.name, allow_network=True)
    assert len(hub.seen) == before  # it is there: nothing is asked again


def test_with_the_network_off_no_connection_is_opened(hub, card, config):
    with pytest.raises(NetworkError, match="network is off"):
        Runtime(config).fetch(card.name)
    assert hub.seen == []
    assert not Runtime(config).present(card.name)


def test_neither_token_nor_machine_is_told_to_the_hub(hub, card, store, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    store.fetch(card, Silent(), True)
    assert hub.seen
    assert all("hf_secret" not in str(headers) and headers["User-Agent"] == "bioloom" for headers in hub.seen)


@pytest.mark.parametrize("ranges", [True, False], ids=["ranges", "whole files only"])
def test_a_connection_that_breaks_off_is_taken_up_again(hub, card, store, ranges):
    hub.cut_after, hub.cuts, hub.ranges = PIECE, 2, ranges
    store.fetch(card, Silent(), True)
    assert store.verify(card).ok
    starts = [start for name, start in hub.gets if name == WEIGHTS]
    assert len(starts) == 3
    assert (starts[1] > 0) == ranges


def test_a_lost_connection_leaves_no_model_and_the_next_fetch_goes_on(hub, card, store, config):
    hub.cut_after, hub.ranges = PIECE, False  # it never gets further
    with pytest.raises(NetworkError, match=rf"{WEIGHTS} .* broke off") as caught:
        store.fetch(card, Silent(), True)
    assert "goes on where it stopped" in caught.value.hint
    assert not store.present(card)
    hub.cut_after, hub.ranges = None, True
    hub.gets.clear()
    store.fetch(card, Silent(), True)
    assert store.verify(card).ok
    name, start = hub.gets[0]
    assert name == WEIGHTS
    assert start > 0
    assert parts(config) == []


def test_a_killed_process_leaves_no_model_and_the_next_fetch_goes_on(hub, card, store, config, tmp_path):
    hub.pause_s = 0.02
    (tmp_path / "card.json").write_text(json.dumps(asdict(card)))
    environment = {**os.environ, "BIOLOOM_DATA": str(config.data), "BIOLOOM_OFFLINE": "0"}
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.models.child", str(tmp_path / "card.json")], env=environment, stdout=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 30
    while not any(file.name.startswith(WEIGHTS) and file.stat().st_size > PIECE for file in parts(config)):
        assert child.poll() is None, "the process ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.002)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert not store.present(card)
    hub.pause_s = 0
    hub.gets.clear()
    store.fetch(card, Silent(), True)
    assert store.verify(card).ok
    assert hub.gets[0][1] > 0


def test_a_stopped_fetch_keeps_nothing(hub, card, store, config):
    with pytest.raises(Cancelled):
        store.fetch(card, Kept(stop_after=PIECE), True)
    assert not store.present(card)
    assert parts(config) == []


def test_one_altered_byte_is_refused_by_name_and_not_kept(hub, card, store, config):
    hub.flip = WEIGHTS
    with pytest.raises(ModelError, match=WEIGHTS):
        store.fetch(card, Silent(), True)
    assert not store.present(card)
    assert parts(config) == []
    hub.flip = ""
    store.fetch(card, Silent(), True)
    assert store.verify(card).ok


def test_a_part_that_grew_longer_than_its_file_starts_over(hub, card, store, config):
    area = config.models / ".staging" / card.name / card.sha256[:12]
    area.mkdir(parents=True)
    (area / f"{WEIGHTS}.part").write_bytes(bytes(card.download_bytes + 1))
    store.fetch(card, Silent(), True)
    assert store.verify(card).ok


@pytest.mark.parametrize(("status", "words"), [(404, "does not have it"), (401, "account"), (503, "answers 503")])
def test_a_refusal_is_told_in_words(hub, card, store, status, words):
    hub.status = status
    with pytest.raises(NetworkError, match=words):
        store.fetch(card, Silent(), True)
    assert len(hub.seen) == (4 if status == 503 else 1)  # only what may pass is asked again


def test_nobody_answering_is_told(card, store, monkeypatch):
    monkeypatch.setattr(source, "_PAUSE_S", 0.01)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(NetworkError, match="no connection"):
        store.fetch(card, Silent(), True)
