"""A protein language model of our own: a run stops and goes on bit for bit, and what it leaves is read by the ESM family as it stands."""

from __future__ import annotations

import json
import os
import signal
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from backend.errors import InputError
from backend.models.families import esm
from backend.models.masked import AMINO
from backend.models.published import is_untrained
from backend.training.proteins import network as networks
from backend.training.proteins import running
from backend.training.proteins.checkpoints import Settings
from backend.training.proteins.opening import open_model
from backend.training.proteins.proteins import Proteins
from backend.training.proteins.running import Run
from tests.sequences.test_training_proteins import TINY, UBIQUITIN, as_set

SETTINGS = Settings("tiny", seed=3, window=62, batch=128, rate=2e-3, tokens=20 * 110, minutes=0.0, data="0", precision="float32")


@pytest.fixture(autouse=True)
def _tiny(monkeypatch):
    monkeypatch.setitem(networks.SHAPES, "tiny", TINY)


@pytest.fixture
def proteins(tmp_path: Path) -> Proteins:
    drawn = np.random.default_rng(0)
    made = ["".join(drawn.choice(list(AMINO), size)) for size in drawn.integers(20, 90, 60)]
    found = as_set(tmp_path, made, [0] * 50 + [1] * 6 + [2] * 4)
    return replace(found, facts={"sha256": "0", "parts": {"training": {"residues": 2_000}}})


def weights(run: Run) -> dict[str, np.ndarray]:
    return {name: each.detach().numpy().copy() for name, each in run.network.named_parameters()}


def stopped_after(run: Run, steps: int) -> None:
    """Train so many steps and stop as SIGTERM does."""
    made = run._step

    def counted(batch):
        value = made(batch)
        if run.place.step + 1 == steps:
            os.kill(os.getpid(), signal.SIGTERM)
        return value

    run._step = counted
    assert run.train() is False
    assert run.place.step == steps


def test_twenty_steps_are_ten_steps_and_ten_after_a_stop_to_the_last_bit(proteins, tmp_path):
    whole = Run(tmp_path / "whole", proteins, SETTINGS, "cpu")
    assert whole.train()
    assert whole.place.step >= 20
    first = Run(tmp_path / "parts", proteins, SETTINGS, "cpu")
    stopped_after(first, 10)
    again = Run(tmp_path / "parts", proteins, SETTINGS, "cpu", resume=True)
    assert again.place.step == 10
    assert again.train()
    assert (again.place.step, again.place.tokens) == (whole.place.step, whole.place.tokens)
    for name, value in weights(whole).items():
        np.testing.assert_array_equal(value, weights(again)[name], err_msg=name)
    one, two = (json.loads((tmp_path / name / "curves.jsonl").read_text().splitlines()[-1]) for name in ("whole", "parts"))
    assert one["validation"] == two["validation"]


def test_the_loss_falls_and_the_curve_and_the_clock_are_written(tmp_path):
    drawn = np.random.default_rng(0)
    repeated = ["".join(drawn.choice(list("AL"), 50, p=[0.9, 0.1])) for _ in range(40)]
    found = replace(as_set(tmp_path, repeated, [0] * 36 + [1] * 4), facts={"sha256": "0", "parts": {"training": {"residues": 1_800}}})
    run = Run(tmp_path / "run", found, replace(SETTINGS, tokens=12_000), "cpu")
    before = run.validate()
    assert run.train()
    lines = [json.loads(line) for line in (tmp_path / "run" / "curves.jsonl").read_text().splitlines()]
    assert lines[0]["tokens_per_second"] > 0
    assert lines[-1]["validation"] < before / 2
    assert lines[-1]["rate"] < 1e-5


def test_a_time_budget_ends_the_run_with_a_checkpoint(proteins, tmp_path):
    run = Run(tmp_path / "run", proteins, replace(SETTINGS, tokens=0, minutes=0.01), "cpu")
    assert run.train()
    assert 0.6 <= run.place.seconds < 5
    assert (tmp_path / "run" / "checkpoint.pt").is_file()
    stopped = Run(tmp_path / "stopped", proteins, replace(SETTINGS, tokens=0, minutes=10.0), "cpu")
    assert stopped.train(stop_after=0.3) is False


def test_a_run_is_not_taken_up_with_other_settings_nor_begun_over_another(proteins, tmp_path):
    Run(tmp_path / "run", proteins, replace(SETTINGS, tokens=300), "cpu").train()
    with pytest.raises(InputError, match=r"rate 0\.002, now 0\.1"):
        Run(tmp_path / "run", proteins, replace(SETTINGS, tokens=300, rate=0.1), "cpu", resume=True)
    with pytest.raises(InputError, match="holds a run already"):
        Run(tmp_path / "run", proteins, SETTINGS, "cpu")
    with pytest.raises(InputError, match="no checkpoint"):
        Run(tmp_path / "empty", proteins, SETTINGS, "cpu", resume=True)
    with pytest.raises(InputError, match="no end"):
        Run(tmp_path / "endless", proteins, replace(SETTINGS, tokens=0), "cpu")


def test_what_is_exported_is_read_by_the_esm_family_and_by_transformers_with_the_same_logits(proteins, tmp_path):
    import torch
    from transformers import EsmForMaskedLM, EsmTokenizer

    run = Run(tmp_path / "run", proteins, SETTINGS, "cpu")
    run.train()
    told = run.export()
    folder = tmp_path / "run" / "model"
    assert told["tokens seen"] == run.place.tokens
    facts = json.loads((folder / "training.json").read_text())
    assert facts["curve"]
    assert facts["validation"]["masked perplexity"] == pytest.approx(np.exp(facts["validation"]["loss"]))
    found = esm.examine(folder)
    assert "protein.variants" in found.tasks
    assert "protein.contacts" not in found.tasks  # its head was never fitted
    model = open_model(folder)
    ours = model.everywhere([model.tokens(UBIQUITIN)])[0]
    ids = EsmTokenizer.from_pretrained(folder, local_files_only=True)(UBIQUITIN, return_tensors="pt")
    theirs = EsmForMaskedLM.from_pretrained(folder, local_files_only=True, dtype=torch.float32).eval()
    with torch.no_grad():
        for network, bound in ((theirs, 1e-5), (run.network.eval(), 5e-3)):
            scores = network(**ids).logits[0, 1:-1, [model.tokens(letter)[0] for letter in AMINO]]
            assert float(np.abs(torch.log_softmax(scores, -1).numpy() - ours).max()) < bound


@pytest.mark.parametrize(("residues", "untrained"), [(10**9, True), (100, False)])
def test_a_model_that_has_not_read_its_set_once_is_marked_untrained(proteins, tmp_path, residues, untrained):
    some = replace(proteins, facts={"sha256": "0", "parts": {"training": {"residues": residues}}})
    run = Run(tmp_path / "run", some, replace(SETTINGS, tokens=300), "cpu")
    run.train()
    run.export()
    assert is_untrained(tmp_path / "run" / "model") is untrained


@pytest.mark.gpu
def test_on_a_gpu_attention_over_lengths_agrees_and_a_run_learns(proteins, tmp_path):
    import torch

    from backend.training.proteins.attention import attend as over_lengths
    from backend.training.proteins.attention import disagreement

    for heads, size in ((20, 16), (20, 24)):
        assert disagreement(over_lengths, "cuda", heads, size, torch.bfloat16) < 2e-2
    run = Run(tmp_path / "run", proteins, replace(SETTINGS, precision="bfloat16", tokens=20_000), "cuda")
    before = run.validate()
    assert run.train()
    assert run.validate() < before
    run.export()


def test_signals_are_given_back_after_a_run(proteins, tmp_path):
    assert threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGTERM)
    Run(tmp_path / "run", proteins, replace(SETTINGS, tokens=300), "cpu").train()
    assert signal.getsignal(signal.SIGTERM) is before
    assert running._schedule(1.0) == pytest.approx(0.0)
