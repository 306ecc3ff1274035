"""The proof that every family gives: it comes by folder and by hub, runs by road and command line, and leaves memory as it was.

A family's test makes a tiny checkpoint in the published format (2 layers, width 32; ``"untrained": true`` in its config.json or a file
UNTRAINED) and says::

    card = by_folder(config, folder, "dnabert")             # the person's own folder
    card = by_hub(config, monkeypatch, folder, CARDS[0])    # a hub on 127.0.0.1, the card's files replaced by these
    run = through_road(config, "dna.variants", ">a\\nACGT\\n", {"model": card.name})
    made = through_command_line(config, ["analyse", str(fasta), "--task", "dna.variants", "--set", f"model={card.name}"])
    memory_back(config, card.name, lambda model: model.embed(["ACGT"]))
    in_any_company(model.embed, ["ACGT", "GGGGGG", "A"])
"""

from __future__ import annotations

import contextlib
import gc
import io
import json
import os
import sys
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import psutil
import pytest

from backend import cli
from backend.config import Config
from backend.domain import Json, ModelCard, Run
from backend.models import registry
from backend.models.registry import add_local, file_sha256, get_card, is_untrained, recognise
from backend.models.runtime import Runtime
from backend.sequences.inputs import give_text
from backend.tasks import find_task
from backend.workbench import UNTRAINED, Workbench
from tests.models.hubserver import serving

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def by_folder(config: Config, folder: Path, family: str) -> ModelCard:
    """Add a folder as a person does; the family recognises it by itself, its files are intact, and it loads."""
    _own(config)
    assert family in [found.name for found, _ in recognise(folder)], f"{family} does not recognise {folder}"
    card = add_local(config, folder, family)
    assert card.source == "local"
    assert card.untrained, "a test's checkpoint must say that it is untrained"
    assert card.tasks
    return _loads(config, card)


def by_hub(config: Config, monkeypatch: pytest.MonkeyPatch, folder: Path, card: ModelCard) -> ModelCard:
    """Fetch a folder's files from a hub on this machine under a published card, whose hashes are replaced by those of these files.

    The folder must hold every file that the card names, under the card's own names: so the published names are proven too.
    """
    _own(config)
    lacking = [name for name in card.files if not (folder / name).is_file()]
    assert not lacking, f"the checkpoint lacks files that {card.name} names: {lacking}"
    size = sum((folder / name).stat().st_size for name in card.files)
    made = replace(
        card,
        revision=COMMIT,
        files={name: file_sha256(folder / name) for name in card.files},
        download_bytes=size,
        disk_bytes=size,
        untrained=True,
        peak_bytes=100_000_000,
    )
    assert is_untrained(folder), "a test's checkpoint must say that it is untrained"
    known = registry.families()[card.family]
    others = tuple(each for each in known.cards if each.name != card.name)
    monkeypatch.setitem(registry._FAMILIES, card.family, replace(known, cards=(made, *others)))
    with serving(folder, made) as hub, monkeypatch.context() as patched:
        patched.setenv("HF_ENDPOINT", hub.endpoint)
        Runtime(config).fetch(made.name, allow_network=True)
    return _loads(config, get_card(made.name, config))


def through_road(config: Config, task: str, value: Mapping[str, Json] | str, settings: Mapping[str, Json] | None = None) -> Run:
    """Run a task and save it; a text in place of a value is a pasted FASTA or a pasted text, as the task has it.

    Of an untrained model, the run says so before all else.
    """
    _own(config)
    bench = Workbench(config)
    try:
        if isinstance(value, str):
            value = give_text(bench.context, value) if find_task(task).modality == "sequences" else {"text": value}
        run = bench.run(task, value, settings=settings)
        assert bench.storage.runs.get(run.id).prediction == run.prediction
    finally:
        bench.close()
    if get_card(str(run.model["name"]), config).untrained:
        assert run.model["untrained"] is True
        assert run.warnings[0] == UNTRAINED
    return run


def through_command_line(config: Config, args: Sequence[str | Path]) -> dict[str, Json]:
    """What ``bioloom ARGS --json`` prints on this data folder; an error of the command fails the test with its words."""
    out, err = io.StringIO(), io.StringIO()
    words = ["bioloom", *map(str, args), "--json"]
    environment = {"BIOLOOM_DATA": str(config.data), "BIOLOOM_DEVICE": config.device}
    code = 0
    with (
        patch.dict(os.environ, environment),
        patch.object(sys, "argv", words),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            cli.main()
        except SystemExit as stop:
            code = int(stop.code or 0)
    assert code == 0, f"{' '.join(words)} ended with {code}: {err.getvalue()}"
    made: dict[str, Json] = json.loads(out.getvalue())
    return made


def memory_back(config: Config, name: str, use: Callable[[Any], object] | None = None) -> None:
    """Load, use, unload: nothing of the model is held afterwards.

    The predictor is gone, as many tensors live as before, and the process has grown by no more than 30 MB. What libraries keep after
    their first use belongs to the baseline, so the model is loaded and used once before.

    Parameters
    ----------
    use : callable, optional
        Does the family's work with the predictor; its `exercise` unless given.
    """
    runtime = Runtime(config)
    _used(runtime, name, use)
    runtime.unload(name)
    tensors, resident = live_tensors(), _resident()
    alive = _used(runtime, name, use)
    assert live_tensors() > tensors, "the loaded model holds no tensors: the proof would prove nothing"
    runtime.unload(name)
    assert not [found for found in runtime.loaded() if found.name == name]
    after = live_tensors()  # collects garbage
    assert alive is None or alive() is None, "something still holds the predictor"
    assert after <= tensors, f"{after - tensors} tensors are still held after unloading"
    assert _resident() - resident < 30e6


def in_any_company(compute: Callable[[list[Any]], Sequence[Any]], items: Sequence[Any], within: float = 1e-5, seed: int = 0) -> None:
    """One result an item, the same alone, all together, and in any order."""
    together = [np.asarray(found) for found in compute(list(items))]
    assert len(together) == len(items)
    order = np.random.default_rng(seed).permutation(len(items))
    turned = [np.asarray(found) for found in compute([items[i] for i in order])]
    for at, i in enumerate(order):
        alone = np.asarray(compute([items[i]])[0])
        assert alone.shape == together[i].shape == turned[at].shape
        assert np.isfinite(alone).all()
        np.testing.assert_allclose(together[i], alone, rtol=0, atol=within, err_msg=f"item {i}: alone and in company")
        np.testing.assert_allclose(turned[at], together[i], rtol=0, atol=within, err_msg=f"item {i}: in another order")


def live_tensors() -> int:
    """How many torch tensors are alive, once garbage is collected."""
    import torch

    gc.collect()
    return sum(1 for held in gc.get_objects() if issubclass(type(held), torch.Tensor))


def _loads(config: Config, card: ModelCard) -> ModelCard:
    runtime = Runtime(config)
    assert runtime.present(card.name)
    assert runtime.verify(card.name).ok
    runtime.load(card.name)
    runtime.unload(card.name)
    return card


def _used(runtime: Runtime, name: str, use: Callable[[Any], object] | None) -> weakref.ref[Any] | None:
    with runtime.use(name) as model:
        if use is not None:
            use(model)
        elif hasattr(model, "exercise"):
            model.exercise()
        try:
            return weakref.ref(model)
        except TypeError:  # a class with slots
            return None


def _resident() -> int:
    return int(psutil.Process().memory_info().rss)


def _own(config: Config) -> None:
    assert not config.models.is_symlink(), "give the proof a data folder of its own: load_config({'BIOLOOM_DATA': str(tmp_path / 'data')})"
