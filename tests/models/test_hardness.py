"""Under stress: one load however many ask, never above the cap, every altered bit refused, out of memory survived, stores shared."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from backend.errors import ModelError
from backend.models import registry, runtime
from backend.models.masked import Network
from backend.models.registry import Family, Found, add_local, file_sha256
from backend.models.runtime import Runtime
from backend.models.store import Store
from tests.models import untrained_esm
from tests.models.test_eviction import UNIT, Held, Machine

PROTEINS = ["MKVLAADESGRT" * n for n in (1, 4, 2, 7, 3, 5)]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    made = tmp_path_factory.mktemp("checkpoint") / "esm-small"
    made.mkdir()
    untrained_esm.make(made)
    (made / "UNTRAINED").touch()
    return made


@pytest.fixture
def folder(checkpoint, tmp_path):
    return shutil.copytree(checkpoint, tmp_path / "esm-small")


def together(number, ask):
    """Runs `ask(i)` in as many threads at once and waits for all; what they raise is returned."""
    start, raised = threading.Barrier(number), []

    def run(i):
        start.wait()
        try:
            ask(i)
        except Exception as error:
            raised.append(error)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(number)]
    [thread.start() for thread in threads]
    [thread.join(timeout=120) for thread in threads]
    assert not any(thread.is_alive() for thread in threads)
    return raised


# --- one load ---------------------------------------------------------------------------------------------------------


def counted(monkeypatch, name, fails=0):
    """Counts the loads of a family; the first `fails` of them fail."""
    known, loads = registry.families()[name], []

    def load(*given):
        loads.append(1)
        time.sleep(0.05)  # long enough for all to be waiting
        if len(loads) <= fails:
            raise OSError("the disk stumbled")
        return known.load(*given)

    monkeypatch.setitem(registry._FAMILIES, name, replace(known, load=load))
    return loads


def test_thirty_two_sessions_that_ask_for_one_model_make_one_load(config, folder, monkeypatch):
    card, models, loads, seen = add_local(config, folder, "esm"), Runtime(config), counted(monkeypatch, "esm"), []

    def ask(i):
        with models.use(card.name) as model:
            seen.append((id(model), model.embed(PROTEINS[:1]).tobytes()))

    assert together(32, ask) == []
    assert len(loads) == 1
    assert (len(seen), len(set(seen))) == (32, 1)
    assert [resident.users for resident in models.loaded()] == [0]


def test_a_load_that_fails_is_told_to_all_who_wait_and_the_next_asker_loads(config, folder, monkeypatch):
    card, models, loads = add_local(config, folder, "esm"), Runtime(config), counted(monkeypatch, "esm", fails=1)
    raised = together(16, lambda i: models.load(card.name))
    assert all(isinstance(error, ModelError) and "could not be loaded" in str(error) for error in raised)
    assert raised
    models.load(card.name)
    assert len(loads) == 2
    assert [resident.name for resident in models.loaded()] == [card.name]


# --- never above the cap ----------------------------------------------------------------------------------------------


@pytest.fixture
def crowd(monkeypatch, tmp_path):
    """Twelve toy families of 1 to 12 units on a machine that has room for 48; how much is held is counted exactly."""
    made = Machine(units=48)
    weights = tmp_path / "weights.txt"
    weights.write_text("weights")
    registry.families()
    for units in range(1, 13):
        card = registry.families()["minilm"].cards[0]
        card = replace(
            card,
            name=f"toy-{units}",
            family=f"toy-{units}",
            source="local",
            folder=str(tmp_path),
            files={weights.name: file_sha256(weights)},
            peak_bytes=units * UNIT,
        )
        examine = lambda folder: Found((weights.name,), ("test.hold",))  # noqa: E731
        monkeypatch.setitem(registry._FAMILIES, card.family, Family(card.family, card.family, "", made.load, (card,), examine))
    monkeypatch.setattr(runtime, "available_bytes", made.available)
    monkeypatch.setattr(runtime, "_give_back", lambda device: None)  # toys die with their last reference: nothing to collect
    return made


@pytest.mark.parametrize("threads", [1, 4])
def test_a_thousand_random_loads_of_all_sizes_never_exceed_the_cap_and_none_fails(crowd, config, threads):
    models, missed = Runtime(config), []

    def ask(seed):
        choose = random.Random(seed)
        for _ in range(1000 // threads):
            units = choose.randint(1, 12)  # four in use at once are at most 48
            with models.use(f"toy-{units}") as held:
                if held.units != units:
                    missed.append(units)
                del held

    assert together(threads, ask) == []
    assert missed == []
    assert 12 < crowd.most <= 48
    assert crowd.used() == sum(int(resident.bytes // UNIT) for resident in models.loaded())
    assert all(resident.users == 0 for resident in models.loaded())
    for resident in models.loaded():
        models.unload(resident.name)
    assert crowd.used() == 0


def test_what_a_toy_takes_is_what_is_counted(crowd):
    held = Held(3)
    crowd._alive.add(held)
    assert (crowd.used(), crowd.available("cpu")) == (3, 45 * UNIT)


# --- out of memory ----------------------------------------------------------------------------------------------------


@pytest.fixture
def network(config, folder):
    with Runtime(config).use(add_local(config, folder, "esm").name) as loaded:
        yield loaded


def test_out_of_memory_in_the_middle_of_a_forward_halves_the_batch_and_the_next_request_is_fine(network, monkeypatch):
    import torch

    whole = network.embed(PROTEINS)
    real, sizes, cap = Network.finish, [], [60]

    def cramped(self, layer, hidden, mixed):
        tokens = int(np.prod(hidden.shape[:-1]))
        sizes.append(tokens)
        if tokens > cap[0]:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return real(self, layer, hidden, mixed)

    monkeypatch.setattr(Network, "finish", cramped)
    with pytest.raises(ModelError, match="even one input"):
        network.embed(PROTEINS)  # the longest has 86 tokens: not even it alone
    cap[0] = 90
    sizes.clear()
    np.testing.assert_allclose(network.embed(PROTEINS), whole, atol=1e-5)
    assert max(sizes) > 90  # it did run out on the way
    cap[0] = 10**9
    sizes.clear()
    np.testing.assert_array_equal(network.embed(PROTEINS), whole)


# --- altered bits -----------------------------------------------------------------------------------------------------


def test_a_thousand_flipped_bits_are_each_refused(config, folder):
    card, store = add_local(config, folder, "esm"), Store(config)
    store.checked(card)
    choose = random.Random(0)
    contents = {name: (folder / name).read_bytes() for name in card.files}
    assert {"config.json", "vocab.txt", "model.safetensors"} <= set(contents)
    accepted = []
    for turn in range(1000):
        name = "model.safetensors" if turn % 10 else choose.choice(sorted(contents))
        at, bit = choose.randrange(len(contents[name])), choose.randrange(8)
        flip(folder / name, at, bit)
        try:
            store.checked(card)
            accepted.append((name, at, bit))
        except ModelError as refusal:
            if name not in str(refusal):
                accepted.append((str(refusal), at, bit))
        flip(folder / name, at, bit)
    assert accepted == []
    assert store.checked(card) == folder  # and untouched files are taken


def test_a_flip_is_seen_even_where_the_file_was_just_found_intact_and_its_time_is_set_back(config, folder):
    card, store = add_local(config, folder, "esm"), Store(config)
    file = folder / "model.safetensors"
    stat = file.stat()
    time.sleep(2.1)  # long enough since the last change for the store to remember it
    store.checked(card)
    flip(file, 5000, 0)
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    with pytest.raises(ModelError, match="not the file that was published"):
        store.checked(card)


def test_what_was_found_intact_is_not_hashed_again(config, folder, monkeypatch):
    from backend.models import store as module

    card, store, hashed = add_local(config, folder, "esm"), Store(config), []
    time.sleep(2.1)
    monkeypatch.setattr(module, "file_sha256", lambda file: hashed.append(file) or file_sha256(file))
    store.checked(card)
    store.checked(card)
    assert len(hashed) == len(card.files)


def flip(file, at, bit):
    with file.open("r+b") as stream:
        stream.seek(at)
        byte = stream.read(1)[0]
        stream.seek(at)
        stream.write(bytes([byte ^ (1 << bit)]))


def test_a_file_that_the_family_would_read_put_in_since_is_refused_by_name(config, folder):
    card, store = add_local(config, folder, "esm"), Store(config)
    (folder / "model-2.safetensors").write_bytes((folder / "model.safetensors").read_bytes())
    assert not store.verify(card).ok
    with pytest.raises(ModelError):
        store.checked(card)


def test_a_file_that_takes_no_part_in_loading_may_be_put_in(config, folder):
    card, store = add_local(config, folder, "esm"), Store(config)
    (folder / "notes.md").write_text("ours")
    assert store.verify(card).ok
    assert store.checked(card) == folder


# --- one store, two processes -----------------------------------------------------------------------------------------

_LOADER = """
import json, sys, time
from backend.config import load_config
from backend.errors import BioloomError
from backend.models.runtime import Runtime
runtime, found = Runtime(load_config()), {}
runtime.load(sys.argv[1])
runtime.unload(sys.argv[1])
print("ready", flush=True)
deadline = time.monotonic() + float(sys.argv[2])
while time.monotonic() < deadline:
    try:
        runtime.load(sys.argv[1])
        runtime.unload(sys.argv[1])
        told = "loaded"
    except BioloomError as error:
        told = type(error).__name__
    found[told] = found.get(told, 0) + 1
    time.sleep(0.01)
print(json.dumps(found), flush=True)
"""


@pytest.mark.slow
def test_one_process_removes_and_fetches_while_another_loads(placed):
    """Every load gives a whole model or a clear refusal; neither process ends otherwise."""
    from backend.models.families.minilm import CARD as PUBLISHED

    models = Runtime(placed)
    models.fetch(PUBLISHED.name)
    environment = {**os.environ, "BIOLOOM_DATA": str(placed.data), "BIOLOOM_DEVICE": "cpu"}
    child = subprocess.Popen(
        [sys.executable, "-c", _LOADER, PUBLISHED.name, "3"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert child.stdout.readline() == "ready\n"
    turns = 0
    while child.poll() is None:
        models.remove(PUBLISHED.name)
        models.fetch(PUBLISHED.name)
        time.sleep(1.0)
        turns += 1
    out, err = child.communicate()
    assert child.returncode == 0, err
    found = json.loads(out)
    assert set(found) <= {"loaded", "ModelError"}
    assert found["loaded"] > 0
    assert turns > 0
    assert models.verify(PUBLISHED.name).ok
