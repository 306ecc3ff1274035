"""Batches stay within their budget, and halve where memory does not suffice, with the same result."""

import copy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.errors import ModelError
from backend.models.batching import by_length, in_halves
from backend.models.families import minilm

TEXTS = [f"Patient {n} with heart failure " + "and atrial fibrillation " * (n % 5) for n in range(9)]


@given(st.lists(st.integers(1, 256), max_size=80))
def test_every_text_is_in_one_batch_and_no_batch_exceeds_its_budget(lengths):
    batches = list(by_length(lengths, 512))
    assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
    assert all(len(batch) * max(lengths[i] for i in batch) <= 512 for batch in batches)


class Cramped:
    """The real network on a device whose memory ends at `most` texts."""

    def __init__(self, network, most, error):
        self.network, self.most, self.error, self.sizes = network, most, error, []

    def __call__(self, input_ids, attention_mask):
        self.sizes.append(len(input_ids))
        if len(input_ids) > self.most:
            raise self.error
        return self.network(input_ids=input_ids, attention_mask=attention_mask)


def out_of_memory():
    import torch

    return torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


def cramped(encoder, most, error):
    made = copy.copy(encoder)
    made._network = Cramped(encoder._network, most, error)
    return made


@pytest.mark.parametrize(
    "error",
    [
        out_of_memory(),
        RuntimeError("MPS backend out of memory (MPS allocated: 17 GB)"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes."),
        MemoryError(),
    ],
    ids=["cuda", "mps", "cpu", "python"],
)
def test_too_large_a_batch_is_halved_with_the_same_result(encoder, error):
    small = cramped(encoder, 4, error)
    assert np.abs(small.encode(TEXTS) - encoder.encode(TEXTS)).max() < 1e-5
    assert max(small._network.sizes) > 4  # it was tried at full size first


def test_memory_for_not_even_one_text_is_told(encoder):
    with pytest.raises(ModelError, match="even one input"):
        cramped(encoder, 0, out_of_memory()).encode(TEXTS)


def test_any_other_failure_is_not_tried_again(encoder):
    broken = cramped(encoder, 0, RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    with pytest.raises(RuntimeError, match="shapes"):
        broken.encode(TEXTS)
    assert len(broken._network.sizes) == 1


def test_the_order_of_rows_survives_halving():
    def compute(rows):
        if len(rows) > 3:
            raise MemoryError
        return np.array(rows)

    assert in_halves(compute, list(range(10))).tolist() == list(range(10))


@pytest.mark.gpu
def test_a_gpu_out_of_memory_halves_the_batch_with_the_same_result(published, monkeypatch):
    import torch

    if not torch.cuda.is_available():
        pytest.skip("needs CUDA")
    texts = ["insulin resistance " * 200] * 4096
    encoder = minilm.load(published, minilm.CARD, "cuda")
    expected = encoder.encode(texts[:1])
    monkeypatch.setattr(minilm, "_BATCH_TOKENS", 4096 * minilm.WINDOW)
    total = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction((torch.cuda.memory_reserved() + 2e9) / total)
    sizes = []
    forward = encoder._forward
    monkeypatch.setattr(encoder, "_forward", lambda rows, fast: (sizes.append(len(rows)), forward(rows, fast))[1])
    try:
        found = encoder.encode(texts)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert len(sizes) > 1, "the whole batch fitted: nothing was tested"
    assert np.abs(found - expected).max() < 1e-4
