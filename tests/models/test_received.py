"""A card without published hashes: what comes first is bound to one commit, noted, and compared ever after."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, replace

import pytest

from backend.domain import digest
from backend.errors import Cancelled, ModelError, NetworkError, StorageError
from backend.models import hub as source
from backend.models import received, registry
from backend.models.families import minilm
from backend.models.registry import cards, file_sha256, get_card
from backend.models.runtime import Runtime
from backend.models.store import Store
from backend.progress import Silent
from tests.models import untrained
from tests.models.hubserver import COMMIT, serving

WEIGHTS = "model.safetensors"
PIECE = 400_000


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    folder = tmp_path_factory.mktemp("unpinned")
    return folder, untrained.make(folder)


@pytest.fixture
def card(checkpoint, monkeypatch):
    """The card as a family file would have it: a branch, no hash, no size."""
    made = replace(checkpoint[1], revision="main", files=dict.fromkeys(checkpoint[1].files, ""), download_bytes=0, disk_bytes=0)
    known = registry.families()["minilm"]
    monkeypatch.setitem(registry._FAMILIES, "minilm", replace(known, cards=(minilm.CARD, made)))
    return made


@pytest.fixture
def hub(checkpoint, card, monkeypatch):
    monkeypatch.setattr(source, "_PAUSE_S", 0.01)
    with serving(checkpoint[0], card) as opened:
        monkeypatch.setenv("HF_ENDPOINT", opened.endpoint)
        yield opened


@pytest.fixture
def fetched(hub, card, config):
    Runtime(config).fetch(card.name, allow_network=True)
    return get_card(card.name, config)


def test_before_the_first_fetch_the_card_says_what_is_not_known(card, config):
    assert received.open_ended(get_card(card.name, config))
    assert "not known before the first fetch" in received.hashes_in_words(config, card)
    assert not Runtime(config).present(card.name)
    with pytest.raises(ModelError, match="missing"):
        Store(config).checked(card)


def test_a_file_without_a_known_hash_is_never_taken_as_intact(card, config, checkpoint):
    place = Store(config).path(card)
    place.mkdir(parents=True)
    for name in card.files:
        (place / name).write_bytes((checkpoint[0] / name).read_bytes())
    with pytest.raises(ModelError, match="not the file that was published"):
        Store(config).checked(card)
    assert not Store(config).verify(card).ok


def test_the_first_fetch_binds_the_card_to_one_commit_and_real_hashes(hub, card, config, checkpoint):
    runtime = Runtime(config)
    runtime.fetch(card.name, allow_network=True)
    now = get_card(card.name, config)
    assert (now.revision, now.unpinned) == (COMMIT, ())
    assert dict(now.files) == {name: file_sha256(checkpoint[0] / name) for name in card.files}
    assert now.disk_bytes == sum((checkpoint[0] / name).stat().st_size for name in card.files)
    assert now == cards(config)[card.name]
    assert [path for path in hub.paths if "/resolve/main/" in path] == hub.paths[:1]  # only the first question names the branch
    assert all(f"/resolve/{COMMIT}/" in path or path.startswith("/large/") for path in hub.paths[1:])
    assert COMMIT[:12] in received.hashes_in_words(config, now)
    assert runtime.present(card.name)
    assert runtime.verify(card.name).ok
    with runtime.use(card.name) as encoder:
        assert encoder.encode(["asthma"]).shape == (1, 384)
    assert {file.name for file in runtime.fetch(card.name).iterdir()} == set(card.files)


def test_a_run_speaks_of_the_bytes_that_were_received(fetched, config):
    assert fetched.sha256 != replace(fetched, files=dict.fromkeys(fetched.files, "")).sha256
    assert len(fetched.sha256) == 64


def test_later_fetches_must_bring_the_same_bytes(fetched, hub, card, config):
    runtime = Runtime(config)
    runtime.remove(card.name)
    assert not runtime.present(card.name)
    hub.flip = WEIGHTS
    with pytest.raises(ModelError, match=WEIGHTS):
        runtime.fetch(card.name, allow_network=True)
    assert not runtime.present(card.name)
    hub.flip = ""
    hub.paths.clear()
    runtime.fetch(card.name, allow_network=True)
    assert not any("/resolve/main/" in path for path in hub.paths)
    assert runtime.verify(card.name).ok


def test_bytes_that_are_not_those_the_hub_announces_are_refused(hub, card, config):
    hub.linked = digest("something else")
    with pytest.raises(ModelError, match=WEIGHTS):
        Runtime(config).fetch(card.name, allow_network=True)
    assert received.read_note(config, card) is None
    assert not Runtime(config).present(card.name)


def test_a_broken_fetch_goes_on_with_the_commit_it_began_with(hub, card, config):
    hub.cut_after, hub.ranges = PIECE, False
    with pytest.raises(NetworkError, match="broke off"):
        Runtime(config).fetch(card.name, allow_network=True)
    assert received.read_note(config, card) is None
    hub.cut_after, hub.ranges = None, True
    hub.paths.clear()
    hub.gets.clear()
    Runtime(config).fetch(card.name, allow_network=True)
    assert not any("/resolve/main/" in path for path in hub.paths)
    assert hub.gets[0][1] > 0
    assert Runtime(config).verify(card.name).ok


def test_a_killed_fetch_goes_on_with_the_commit_it_began_with(hub, card, config, tmp_path):
    hub.pause_s = 0.02
    (tmp_path / "card.json").write_text(json.dumps(asdict(card)))
    environment = {**os.environ, "BIOLOOM_DATA": str(config.data), "BIOLOOM_OFFLINE": "0"}
    child = subprocess.Popen([sys.executable, "-m", "tests.models.child", str(tmp_path / "card.json")], env=environment)
    deadline = time.monotonic() + 30
    while not any(file.stat().st_size > PIECE for file in (config.models / ".staging").rglob(f"{WEIGHTS}*") if file.is_file()):
        assert child.poll() is None, "the process ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.002)
    child.send_signal(signal.SIGKILL)
    child.wait()
    hub.pause_s = 0
    hub.paths.clear()
    hub.gets.clear()
    Runtime(config).fetch(card.name, allow_network=True)
    assert not any("/resolve/main/" in path for path in hub.paths)
    assert hub.gets[0][1] > 0
    assert Runtime(config).verify(card.name).ok


def test_a_stopped_first_fetch_notes_nothing(hub, card, config):
    class StopSoon(Silent):
        def update(self, done, total=None, message=""):
            self.done = done

        def check(self):
            if getattr(self, "done", 0) > PIECE:
                raise Cancelled

    with pytest.raises(Cancelled):
        Runtime(config).fetch(card.name, StopSoon(), allow_network=True)
    assert received.read_note(config, card) is None


def test_two_processes_that_ask_at_once_download_once(hub, card, config, tmp_path):
    (tmp_path / "card.json").write_text(json.dumps(asdict(card)))
    environment = {**os.environ, "BIOLOOM_DATA": str(config.data), "BIOLOOM_OFFLINE": "0"}
    command = [sys.executable, "-m", "tests.models.child", str(tmp_path / "card.json")]
    children = [subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    assert [(child.communicate(timeout=120)[1], child.returncode) for child in children] == [("", 0), ("", 0)]
    assert sorted(name for name, _ in hub.gets) == sorted(card.files)
    assert Runtime(config).verify(card.name).ok


def test_a_file_published_under_another_name_is_told_with_the_remedy(hub, card, checkpoint, config, monkeypatch):
    other = replace(card, files={**card.files, "pytorch_model.bin": ""})
    known = registry.families()["minilm"]
    monkeypatch.setitem(registry._FAMILIES, "minilm", replace(known, cards=(other,)))
    with pytest.raises(NetworkError, match=r"pytorch_model\.bin .* no file of that name") as caught:
        Runtime(config).fetch(card.name, allow_network=True)
    assert "add that on the Models page" in caught.value.hint
    assert not Runtime(config).present(card.name)


def test_a_hub_that_names_no_revision_is_refused(hub, card, config):
    hub.commit = "unknown"
    with pytest.raises(NetworkError, match="which revision"):
        Runtime(config).fetch(card.name, allow_network=True)


def test_a_damaged_note_stops_no_list_and_is_told_at_the_next_fetch(fetched, hub, config):
    (config.models / ".received" / f"{fetched.name}.json").write_text('{"hub')
    assert fetched.name in cards(config)
    with pytest.raises(StorageError, match=r"\.received"):
        Runtime(config).fetch(fetched.name, allow_network=True)


def test_a_note_of_another_repository_is_not_used(fetched, card, config):
    assert received.settled(config, replace(card, hub_id="someone/else")).unpinned
    assert received.settled(config, replace(card, files={WEIGHTS: ""})).unpinned
    assert received.settled(config, replace(card, files={**card.files, WEIGHTS: "0" * 64})).unpinned


def test_what_was_noted_can_be_dropped(fetched, card, config):
    received.forget(config, card.name)
    assert get_card(card.name, config).unpinned
    assert not Runtime(config).present(card.name)
