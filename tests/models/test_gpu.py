"""What only a real GPU can prove: out of memory halves the batch, memory comes back, bf16 agrees with fp32, peaks are foretold."""

from __future__ import annotations

import gc

import numpy as np
import pytest

from backend.config import load_config
from backend.models.batching import TooLittleMemory, in_halves
from backend.models.device import available_bytes
from backend.models.fit import need
from backend.models.measure import measure
from backend.models.measured import machine, read_measured
from backend.models.registry import add_local
from backend.models.runtime import Runtime
from tests.models import untrained_esm

pytestmark = pytest.mark.gpu
PROTEINS = ["MKVLAADESGRT" * n for n in (1, 40, 2, 80, 3, 20)]
WIDE = (6, 320, 20)


@pytest.fixture
def cuda(tmp_path):
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    torch.cuda.empty_cache()
    return torch


@pytest.fixture
def config(cuda, tmp_path):
    return load_config({"BIOLOOM_DATA": str(tmp_path / "data"), "BIOLOOM_DEVICE": "cuda"})


@pytest.fixture
def card(config, tmp_path):
    folder = tmp_path / "esm-8m-shaped"
    folder.mkdir()
    untrained_esm.make(folder, WIDE)
    (folder / "UNTRAINED").touch()
    return add_local(config, folder, "esm")


def test_a_batch_that_the_gpu_refuses_is_halved_with_the_same_result_and_the_next_request_is_fine(cuda):
    free = available_bytes("cuda")
    row = free // 6  # bytes of one row while it is computed: four fit, eight do not

    def compute(rows):
        held = cuda.zeros(len(rows), row, dtype=cuda.uint8, device="cuda")
        held[:, 0] = cuda.tensor(rows, dtype=cuda.uint8, device="cuda")
        return held[:, 0].cpu().numpy().astype(np.int64)

    sizes = []

    def counted(rows):
        sizes.append(len(rows))
        return compute(rows)

    assert in_halves(counted, list(range(8))).tolist() == list(range(8))
    assert sizes[0] == 8
    assert max(sizes[1:]) == 4
    gc.collect()
    cuda.cuda.empty_cache()
    assert available_bytes("cuda") > 0.9 * free
    assert in_halves(compute, [1, 2]).tolist() == [1, 2]
    whole = cuda.cuda.get_device_properties(0).total_memory
    with pytest.raises(TooLittleMemory):
        in_halves(lambda rows: cuda.zeros(len(rows), 2 * whole, dtype=cuda.uint8, device="cuda"), [1])
    assert in_halves(compute, [3]).tolist() == [3]


def test_a_model_gives_its_memory_back(cuda, config, card):
    runtime = Runtime(config)
    runtime.load(card.name)
    runtime.unload(card.name)
    before = cuda.cuda.memory_allocated()
    with runtime.use(card.name) as model:
        model.embed(PROTEINS)
        assert cuda.cuda.memory_allocated() > before + 25e6
    del model
    runtime.unload(card.name)
    assert cuda.cuda.memory_allocated() == before


def test_bf16_agrees_with_fp32(cuda, config, card, monkeypatch):
    runtime = Runtime(config)
    with runtime.use(card.name) as model:
        fast = model.embed(PROTEINS)
    del model
    runtime.unload(card.name)
    monkeypatch.setenv("BIOLOOM_PRECISION", "float32")
    with runtime.use(card.name) as model:
        exact = model.embed(PROTEINS)
    assert np.isfinite(fast).all()
    cosine = (fast * exact).sum(1) / np.linalg.norm(fast, axis=1) / np.linalg.norm(exact, axis=1)
    assert cosine.min() > 0.99


def test_a_size_that_was_left_out_is_foretold_within_a_tenth_of_what_is_measured(cuda, config, card):
    measure(config, card.name, lengths=(128, 512, 1022), batches=(1, 4))
    assert read_measured(config, card).machine == machine(config)
    assert "GPU" in machine(config)["device"]
    foretold = need(config, card, 800, 2).bytes
    truth = measure(config, card.name, lengths=(800,), batches=(2,)).points[0].bytes
    assert abs(foretold - truth) < 0.1 * truth
