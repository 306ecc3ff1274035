"""The device is what the configuration asks for, or an error that says what there is."""

from dataclasses import replace

import psutil
import pytest

from backend.errors import ModelError
from backend.models.device import available_bytes, device_name, pick_device


def test_the_processor_is_always_there_and_named(config):
    assert pick_device(config) == "cpu"
    assert device_name(config).startswith("CPU, ")
    assert 0 < available_bytes("cpu") <= psutil.virtual_memory().total


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_a_device_that_is_not_there_is_told_with_what_is(config, device):
    import torch

    if {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}[device]:
        pytest.skip(f"this machine has {device}")
    with pytest.raises(ModelError, match=f"BIOLOOM_DEVICE is '{device}'") as caught:
        pick_device(replace(config, device=device))
    assert "cpu" in caught.value.hint


def test_on_auto_something_is_found(config):
    assert pick_device(replace(config, device="auto")) in {"cpu", "cuda", "mps"}
