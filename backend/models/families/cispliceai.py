"""CI-SpliceAI: five networks that read 10,001 bases and say whether the middle one is a splice acceptor or a donor."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from backend.domain import ModelCard
from backend.errors import ModelError
from backend.models.frozen_graph import Node, read_graph
from backend.models.registry import family
from backend.models.splice_network import CONTEXT, Network, mean_of, one_hot
from backend.progress import Progress, Silent

NETWORKS = 5
UNKNOWN = 4  # code of a letter that is none of A, C, G, T
_TILE = 10_000  # bases judged at once: a few MB an activation
_MASKS = 32  # versions of a window judged at once
_FILE = "CI-SpliceAI.pb"

CARD = ModelCard(
    name="cispliceai",
    title="CI-SpliceAI",
    family="cispliceai",
    modality="sequences",
    tasks=("dna.splice",),
    source="wheel",
    licence="CC BY 4.0 (Strauch, Lord, Niranjan, Baralle)",
    summary="Finds where a gene's transcript is cut and joined, from its sequence alone. Mean of five SpliceAI-10k networks.",
    revision="1.2.2",
    package="cispliceai",
    package_sha256="def1db5358848a19533fd387e0620fc0df79784b9e6e1cba1a045ad6678e1da7",
    folder="cispliceai/data",
    files={_FILE: "34330c2fd844f73cbf2f8acef85f519cabc4350016e6f19ac2b935aa53b43d06"},
    parameters=3_493_935,
    download_bytes=16_996_547,
    disk_bytes=15_946_046,
    peak_bytes=404_992_000,  # growth of a fresh process: 40,000 bases, then 64 versions of a window at one base; one thread
    peak_is_measured=True,
    paper="Strauch et al. 2022, PLoS ONE 17(6):e0269159, doi:10.1371/journal.pone.0269159; the network and the delta scores: "
    "SpliceAI, Jaganathan et al. 2019, doi:10.1016/j.cell.2018.12.015",
    limits=(
        "Trained on human genes. Other vertebrates splice much alike; plants, yeast and bacteria do not.",
        "Sees 5,000 bases on each side. Where the record ends earlier it reads unknown letters instead, and grows less sure.",
        "Knows no tissue: a site used in one organ only scores low, and a high score does not say where it is used.",
        "Says which sites are made or lost, not how the transcript is then put together (skipping, retention, a cryptic site).",
    ),
)

_GOLDEN = (  # bases 61-220 of the gene of human beta-globin: the end of exon 1 and the beginning of intron 1
    "TGACTCCTGAGGAGAAGTCTGCCGTTACTGCCCTGTGGGGCAAGGTGAACGTGGATGAAGTTGGTGGTGAGGCCCTGGGC"
    "AGGTTGGTATCAAGGTTACAAGACAGGTTTAAGGAGACCAATAGAAACTGGGCATGTGGAGACAGAGAAGACTCTTGGGT"
)
_GOLDEN_SITE, _GOLDEN_DONOR = 81, 0.128299


class Splicer:
    """Letters to the probabilities of no site, acceptor and donor. Safe to share between threads."""

    def __init__(self, networks: Sequence[Network], device: str) -> None:
        self._networks, self._device = tuple(networks), device
        self._turn = threading.Lock()

    def probabilities(
        self, codes: np.ndarray, start: int = 0, end: int | None = None, progress: Progress | None = None, tile: int = _TILE
    ) -> np.ndarray:
        """Probabilities at the letters from `start` to `end` (half-open; to the last unless given).

        Parameters
        ----------
        codes : numpy.ndarray
            uint8 (n,): 0 to 3 for A, C, G, T, 4 for anything else; see `encode_bases`. What lies outside counts as unknown.
        tile : int
            Letters judged at once. It changes time and memory, not the result: each letter is judged on the same 10,001 letters.

        Returns
        -------
        numpy.ndarray
            float32 (end - start, 3), each row summing to one: no site, acceptor, donor.
        """
        import torch

        progress, end = progress or Silent(), len(codes) if end is None else end
        made = np.empty((end - start, 3), dtype=np.float32)
        for low in range(start, end, tile):
            progress.check()
            high = min(low + tile, end)
            with self._turn, torch.inference_mode():
                x = one_hot(_cut(codes, low - CONTEXT, high + CONTEXT)[None], self._device)
                made[low - start : high - start] = mean_of([network.dense(x) for network in self._networks])[0].T.cpu().numpy()
            progress.update(high - start, end - start, "Looking for splice sites")
        return made

    def at_base(self, codes: np.ndarray, base: int, start: int, end: int) -> BaseSplicer:
        """Judge the base `base` for many versions of the letters `start` to `end`; as `probabilities`, many times quicker."""
        return BaseSplicer(self, codes, base, start, end)


class BaseSplicer:
    """The probabilities at one base while letters near it change."""

    def __init__(self, splicer: Splicer, codes: np.ndarray, base: int, start: int, end: int) -> None:
        import torch

        if not start < end or max(base - start, end - base) > 1000:
            raise ValueError(f"Letters {start} to {end} do not lie within 1,000 bases of base {base}.")
        self._splicer = splicer
        with splicer._turn, torch.inference_mode():
            x = one_hot(_cut(codes, base - CONTEXT, base + CONTEXT + 1)[None], splicer._device)
            low = start - base + CONTEXT
            self._made = [network.at_base(x, low, low + end - start) for network in splicer._networks]

    def probabilities(self, letters: np.ndarray) -> np.ndarray:
        """float64 (m, 3) for versions of the letters, uint8 codes (m, end - start)."""
        import torch

        found = []
        for begin in range(0, len(letters), _MASKS):
            with self._splicer._turn, torch.inference_mode():
                x = one_hot(letters[begin : begin + _MASKS], self._splicer._device)
                found.append(mean_of([made.probabilities(x) for made in self._made]).double().cpu().numpy())
        return np.concatenate(found)


def encode_bases(sequence: str) -> np.ndarray:
    """A sequence as codes: A 0, C 1, G 2, T or U 3, every other letter `UNKNOWN`."""
    table = np.full(256, UNKNOWN, dtype=np.uint8)
    for code, letters in enumerate(("Aa", "Cc", "Gg", "TtUu")):
        for letter in letters:
            table[ord(letter)] = code
    return table[np.frombuffer(sequence.encode("ascii", "replace"), dtype=np.uint8)]


def _cut(codes: np.ndarray, start: int, end: int) -> np.ndarray:
    """The codes from `start` to `end`, unknown where there are none."""
    inside = codes[max(0, start) : max(0, end)]
    return np.pad(inside, (min(max(0, -start), end - start), max(0, end - max(start, len(codes)))), constant_values=UNKNOWN)


@family("cispliceai", cards=(CARD,))
def load(folder: Path | None, card: ModelCard, device: str) -> Splicer:
    """Read the five networks out of the published graph and check them on a known piece of sequence.

    Raises
    ------
    ModelError
        When the file does not hold five such networks, or they do not give what they should.
    """
    from backend.models.families.minilm import set_threads

    assert folder is not None
    set_threads()
    nodes = read_graph(folder / _FILE)
    try:
        splicer = Splicer([Network(_weights(nodes, number), device) for number in range(NETWORKS)], device)
    except KeyError as error:
        raise ModelError(f"{card.title} lacks the step {error}.", "Remove the model and fetch it again.") from error
    _check(splicer, card)
    return splicer


def _weights(nodes: dict[str, Node], number: int) -> dict[str, np.ndarray]:
    """The numbers of one of the five networks: the graph tells them apart by a suffix."""
    suffix = f"_{number}" if number else ""
    made: dict[str, np.ndarray] = {}
    for conv in range(1, 40):
        made[f"conv{conv}"] = nodes[f"model_1/conv1d_{conv}/conv1d{suffix}/ExpandDims_1/ReadVariableOp/resource"].constant()
        made[f"bias{conv}"] = nodes[f"model_1/conv1d_{conv}/BiasAdd{suffix}/ReadVariableOp/resource"].constant()
    for norm in range(1, 33):
        place = f"model_1/batch_normalization_{norm}/batchnorm{suffix}"
        for name, part in (("variance", ""), ("mean", "_1"), ("beta", "_2")):
            made[f"{name}{norm}"] = nodes[f"{place}/ReadVariableOp{part}/resource"].constant()
        made[f"gamma{norm}"] = nodes[f"{place}/mul/ReadVariableOp/resource"].constant()
    return made


def _check(splicer: Splicer, card: ModelCard) -> None:
    found = float(splicer.probabilities(encode_bases(_GOLDEN))[_GOLDEN_SITE, 2])
    if not np.isfinite(found) or abs(found - _GOLDEN_DONOR) > (1e-4 if splicer._device == "cpu" else 1e-3):
        raise ModelError(f"{card.title} gives another number for a known sequence than published.", "Remove the model and fetch it again.")
