"""A fetch that is killed, that finds the disk full, or that two processes ask for at once leaves a whole model or none."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, replace

import pytest

from backend.config import load_config
from backend.errors import ModelError, StorageError
from backend.models.store import Store
from backend.progress import Silent

WEIGHTS = "model.safetensors"


@pytest.fixture
def start(placed, card, tmp_path):
    """Starts a process that fetches the card's model into the test's data folder."""
    file = tmp_path / "card.json"
    started = []

    def run(*arguments: str, **changes: object) -> subprocess.Popen:
        file.write_text(json.dumps(asdict(replace(card, **changes))))
        started.append(
            subprocess.Popen(
                [sys.executable, "-m", "tests.models.child", str(file), *arguments],
                env={**os.environ, "BIOLOOM_DATA": str(placed.data)},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        return started[-1]

    yield run
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def staged(config):
    return [file for file in (config.models / ".staging").rglob("*") if file.is_file()]


def test_a_process_killed_while_unpacking_leaves_nothing_present_and_the_next_fetch_works(placed, card, start):
    store, process = Store(placed), start()
    deadline = time.monotonic() + 60
    while True:
        assert process.poll() is None, "the process ended before it could be killed"
        assert time.monotonic() < deadline
        if any(file.name == WEIGHTS for file in staged(placed)):
            process.send_signal(signal.SIGSTOP)
            break
        time.sleep(0.001)
    assert not store.present(card)  # stopped in the middle
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert staged(placed) != []
    assert not store.present(card)
    store.fetch(card, Silent(), False)
    assert store.verify(card).ok
    assert staged(placed) == []


def test_two_processes_that_ask_at_once_unpack_once_and_both_have_it(placed, card, start):
    told = []
    for process in [start(), start()]:
        out, err = process.communicate(timeout=120)
        assert (process.returncode, err) == (0, "")
        told.append(out)
    assert sum("Checking and unpacking" in out for out in told) == 1
    assert Store(placed).verify(card).ok


def test_a_model_that_another_process_is_fetching_is_not_removed(placed, card, start):
    store, process = Store(placed), start()
    while not any(file.name == WEIGHTS for file in staged(placed)):
        assert process.poll() is None
        time.sleep(0.001)
    process.send_signal(signal.SIGSTOP)
    with pytest.raises(ModelError, match="being fetched"):
        store.remove(card)
    process.send_signal(signal.SIGCONT)
    process.communicate(timeout=60)
    assert store.verify(card).ok
    store.remove(card)
    assert not store.present(card)


def test_a_file_that_the_disk_refuses_is_told_with_sizes_and_nothing_is_half_there(placed, card, start):
    process = start("20000000")  # no file over 20 MB: what a full disk or a quota does in the middle of unpacking
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "StorageError: There is no room for MiniLM sentence encoder: 92 MB are needed" in err
    assert str(placed.models) in err
    assert staged(placed) == []
    assert not Store(placed).present(card)


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=60m", "tmpfs", str(folder)], capture_output=True, check=False)
    if made.returncode:
        pytest.skip("mounting a small disk needs root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("told", [True, False], ids=["before it begins", "in the middle"])
def test_a_full_disk_is_told_with_sizes_and_nothing_is_half_there(small_disk, wheel, card, told):
    config = load_config({"BIOLOOM_DATA": str(small_disk), "BIOLOOM_DEVICE": "cpu"})
    (config.models / "wheels").mkdir(parents=True)
    (config.models / "wheels" / wheel.name).symlink_to(wheel)
    card = card if told else replace(card, disk_bytes=1_000_000)
    with pytest.raises(StorageError, match=r"needed, 6\d MB are free"):
        Store(config).fetch(card, Silent(), False)
    assert staged(config) == []
    assert not Store(config).present(card)
