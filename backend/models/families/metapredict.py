"""metapredict V3: two small recurrent networks that give each residue of a protein its disorder and its expected pLDDT."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.domain import ModelCard
from backend.errors import ModelError
from backend.models.batching import by_length
from backend.models.families.minilm import set_threads
from backend.models.registry import family
from backend.progress import Progress, Silent

Floats = NDArray[np.float32]

LETTERS = "ACDEFGHIKLMNPQRSTVWY"
READ_AS = {"B": "N", "Z": "Q", "J": "L", "U": "C", "O": "K", "X": "G"}
"""Letters that the networks do not know, and what is read instead: B, Z, U and X as the publisher's own reader does, J and O ours."""

_BATCH_RESIDUES = 32_768
_DISORDER, _PLDDT = "networks/epoch099_val_loss1107.08.ckpt", "ppLDDT/networks/epoch019_val_loss1477.45.ckpt"

CARD = ModelCard(
    name="metapredict",
    title="metapredict V3",
    family="metapredict",
    modality="sequences",
    tasks=("protein.disorder",),
    source="wheel",
    licence="MIT",
    summary="Disorder and expected pLDDT of every residue, from the sequence alone, in a fraction of a second.",
    revision="3.1.1",
    package="metapredict",
    package_sha256="537198f53ab5ed3a3c2fb43a038f5bf217bfa3d0d2c348fbef53f803887f350f",
    package_file="metapredict-3.1.1.tar.gz",
    folder="metapredict-3.1.1/metapredict/backend",
    files={
        _DISORDER: "3209c42d91a77dc5828618c7835ebc5dd912f56d43d0111d3c3c36138d9739a8",
        _PLDDT: "369489529d69bd8edce0eae4933cd93066c431c98ccc609f3942994bd874f457",
    },
    parameters=108_832,
    download_bytes=18_457_470,
    disk_bytes=893_297,
    peak_bytes=371_613_696,  # python -m backend.models.measure metapredict (libraries included; 35,000 residues in one, one thread)
    peak_is_measured=True,
    paper=(
        "Emenecker et al. 2021, doi:10.1016/j.bpj.2021.08.039; V2: doi:10.1101/2022.06.06.494887; "
        "V3: Lotthammer et al. 2024, doi:10.1101/2024.11.05.622168"
    ),
    limits=(
        "Trained to reproduce a consensus of other predictors and AlphaFold2's confidence, not measured disorder.",
        "Reads the sequence alone: binding partners, modifications and membranes are not known to it.",
        "The publisher names V3 its most accurate network, but gives no figure with the package; none was measured here.",
        "Letters B, Z, J, U, O and X are read as N, Q, L, C, K and G, and the result says where.",
    ),
)

# Ubiquitin's first residues. On the publisher's 500 reference proteins this implementation differs by 1.3e-6 at most.
_GOLDEN = "MQIFVKTLTGKTITLEVEPSDTIENVKAKIQDKEGIPPDQQRLIFAGKQLEDGRTLSDYNIQKESTLHLVLRLRGG"
_GOLDEN_DISORDER = (0.15185, 0.157284, 0.139227, 0.136715, 0.143086)
_GOLDEN_PLDDT = (47.26385, 57.75614, 67.28873, 60.54808, 58.06232)


class Disorder:
    """Both networks. Safe to share between threads."""

    def __init__(self, disorder: Any, plddt: Any, device: str) -> None:
        self._networks, self._device = (disorder, plddt), device
        self._turn = threading.Lock()

    def predict(self, sequences: Sequence[str], progress: Progress | None = None) -> list[tuple[Floats, Floats]]:
        """Disorder (0 to 1) and expected pLDDT (0 to 100) of every residue.

        Returns
        -------
        list of (array, array)
            float32, one number a letter, in the order of `sequences`; the same whatever stands beside a sequence.

        Raises
        ------
        ModelError
            When a letter is no amino acid; see `encode`.
        """
        progress = progress or Silent()
        rows = [encode(sequence) for sequence in sequences]
        made: list[tuple[Floats, Floats]] = [(np.zeros(0, np.float32), np.zeros(0, np.float32))] * len(rows)
        filled = [i for i, row in enumerate(rows) if len(row)]
        done = 0
        for batch in by_length([len(rows[i]) for i in filled], _BATCH_RESIDUES):
            progress.check()
            chosen = [filled[i] for i in batch]
            found = self._forward([rows[i] for i in chosen], self._networks)
            for place, i in enumerate(chosen):
                made[i] = (np.clip(found[0][place], 0, 1), np.clip(found[1][place] * 100, 0, 100))
            done += len(chosen)
            progress.update(done, len(filled), "Predicting disorder")
        return made

    def disorder(self, inputs: Floats) -> Floats:
        """Disorder alone, for many versions of one sequence.

        Parameters
        ----------
        inputs : array of shape (versions, residues, 20)
            As `encode` gives.

        Returns
        -------
        array of shape (versions, residues)
        """
        size = max(1, _BATCH_RESIDUES // max(1, inputs.shape[1]))
        parts = [np.stack(self._forward(list(inputs[at : at + size]), self._networks[:1])[0]) for at in range(0, len(inputs), size)]
        return np.clip(np.concatenate(parts), 0, 1) if parts else np.zeros(inputs.shape[:2], np.float32)

    def exercise(self) -> None:
        """Work on full batches, and on one protein longer than a batch, so that memory can be measured."""
        self.predict(["MKVLAADESG" * 40] * 200)
        self.predict(["MKVLAADESG" * 3_500])

    def _forward(self, rows: Sequence[Floats], networks: Sequence[Any]) -> list[list[Floats]]:
        import torch
        from torch.nn.utils.rnn import pack_sequence

        with self._turn, torch.inference_mode():
            packed = pack_sequence([torch.from_numpy(row).to(self._device) for row in rows], enforce_sorted=False)
            return [[part.cpu().numpy() for part in network(packed)] for network in networks]


def encode(sequence: str) -> Floats:
    """One row a residue with a one at its letter, float32, shape (residues, 20); unknown kinds as in `READ_AS`.

    Raises
    ------
    ModelError
        When a letter is none that proteins are written with.
    """
    codes = np.array([LETTERS.find(READ_AS.get(letter, letter)) for letter in sequence], dtype=np.int64)
    if (codes < 0).any():
        at = int(np.argmax(codes < 0))
        raise ModelError(f"'{sequence[at]}', letter {at + 1}, is no amino acid.", "Remove it, or write X for a residue that is not known.")
    return np.eye(20, dtype=np.float32)[codes]


def _network(file: Path) -> Any:
    """Bidirectional LSTM, layer norm and one linear unit a residue; its sizes are those of its weights."""
    import torch
    from torch import nn
    from torch.nn.utils.rnn import PackedSequence, unpack_sequence

    weights = torch.load(file, map_location="cpu", weights_only=True)["state_dict"]
    width = weights["lstm.weight_hh_l0"].shape[1]

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm = nn.LSTM(20, width, 1 + ("lstm.weight_hh_l1" in weights), bidirectional=True)
            self.layer_norm = nn.LayerNorm(2 * width)
            self.linear_layers = nn.ModuleList([nn.Linear(2 * width, 1)])

        def forward(self, packed: PackedSequence) -> list[torch.Tensor]:
            hidden, _ = self.lstm(packed)
            out = self.linear_layers[0](self.layer_norm(hidden.data)).squeeze(-1)
            return unpack_sequence(PackedSequence(out, hidden.batch_sizes, hidden.sorted_indices, hidden.unsorted_indices))

    network = Network()
    network.load_state_dict(weights)
    return network.eval()


@family("metapredict", cards=(CARD,))
def load(folder: Path | None, card: ModelCard, device: str) -> Disorder:
    """Load both networks and check them on ubiquitin.

    Raises
    ------
    ModelError
        When a known protein does not get its known values.
    """
    assert folder is not None
    set_threads()
    made = Disorder(_network(folder / _DISORDER).to(device), _network(folder / _PLDDT).to(device), device)
    disorder, plddt = made.predict([_GOLDEN])[0]
    near = np.abs(disorder[:5] - _GOLDEN_DISORDER).max() < 1e-4 and np.abs(plddt[:5] - _GOLDEN_PLDDT).max() < 1e-2
    if not near:
        raise ModelError(f"{card.title} gives other numbers for a known protein than published.", "Remove the model and fetch it again.")
    return made
