"""ESMFold: the structure of a single protein chain from its sequence alone, with its confidence at every residue."""

from __future__ import annotations

import itertools
import math
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.domain import ModelCard
from backend.errors import ModelError
from backend.models.device import available_bytes
from backend.models.esm_weights import read_config
from backend.models.families.minilm import set_threads
from backend.models.registry import Found, family, published_files
from backend.models.store import readable
from backend.models.stored import shapes

LETTERS = "ARNDCQEGHILKMFPSTWYV"
TASKS = ("protein.fold",)
_CHUNK = 64  # rows of pairs that attention looks at in one step
_WHOLE = 128  # residues up to which no such steps are needed
_BYTES_PER_PAIR = 11_000  # measured on a trunk of the published widths: 10,600 at 200 residues, 7,900 at 400
_ASIDE = re.compile(r"esm\.contact_head\..*|esm\.embeddings\.position_(ids|embeddings\.weight)|.*inv_freq|af2_to_esm|esm\.pooler\..*")
"""Weights that folding never reads: the published checkpoint lacks the contact head, and carries places that its network turns instead."""

SLOW = (
    "On one processor core about 7 minutes for 120 residues, 25 for 200 and 2.5 hours for 400 (computed from one of its 48 blocks): "
    "a GPU is advised."
)

CARD = ModelCard(
    name="esmfold",
    title="ESMFold",
    family="esmfold",
    modality="sequences",
    kinds=("protein",),
    tasks=TASKS,
    source="hub",
    licence="MIT",
    summary="Predicts the structure of a single protein chain from its sequence, without an alignment, by ESM-2 3B and a folding trunk.",
    revision="ba837a39b67e59941c3f017d6c2a064f567038d9",
    hub_id="facebook/esmfold_v1",
    files={"config.json": "", "model.safetensors": "", "vocab.txt": ""},
    parameters=3_527_000_000,  # ESM-2 3B and a trunk of 690 million (Lin et al. 2023)
    download_bytes=8_440_000_000,  # computed: the language model in half precision, the trunk in single
    disk_bytes=8_440_000_000,
    peak_bytes=17_000_000_000,  # computed for a processor, where all is held in single precision, with a chain of 400 residues
    paper="Lin et al. 2023, doi:10.1126/science.ade2574",
    limits=(
        "Folds one chain at a time: no complexes, ligands, metals or membranes.",
        "Less accurate than methods that read alignments, above all for proteins with few relatives.",
        "Its confidence (pLDDT, pTM) is its own estimate; a substitution rarely changes the fold that it predicts.",
        SLOW,
    ),
)


@dataclass(frozen=True)
class Folded:
    """A predicted structure of n residues.

    Attributes
    ----------
    positions : array (n, 37, 3)
        Ångströms; atoms in the order of `atoms`.
    exists : array (n, 37)
        Which atoms the residue has; none of an unknown residue.
    plddt : array (n,)
        Confidence of each residue, 0 to 100: that of its CA atom, as AlphaFold's.
    ptm : float
        Predicted TM-score, 0 to 1: confidence in the fold as a whole.
    pae : array (n, n)
        Expected error, in ångströms, of residue j's place when the structures are laid upon each other at residue i.
    """

    atoms: tuple[str, ...]
    positions: NDArray[np.float32]
    exists: NDArray[np.bool_]
    plddt: NDArray[np.float32]
    ptm: float
    pae: NDArray[np.float32]


class EsmFold:
    """The published network of transformers, one chain at a time."""

    def __init__(self, network: Any, device: str) -> None:
        self._network, self._device = network, device
        self._one = threading.Lock()  # chains share the network's settings, and two at once would need twice the memory

    def fold(self, sequence: str, recycles: int | None = None, watch: Callable[[float], None] | None = None) -> Folded:
        """Fold one chain; a letter that is none of the twenty is read as unknown.

        Parameters
        ----------
        recycles : int, optional
            How often the result is read again; as published (3 times beyond the first) unless given.
        watch : callable, optional
            Called with the share that is done before each block; whatever it raises ends the work.

        Raises
        ------
        ModelError
            When the chain needs more memory than is free.
        """
        import torch
        from transformers.models.esm.openfold_utils import residue_constants
        from transformers.models.esm.openfold_utils.feats import atom14_to_atom37

        ids = torch.tensor([[LETTERS.find(letter) if letter in LETTERS else len(LETTERS) for letter in sequence]], device=self._device)
        with self._one, self._watched(recycles, watch), torch.inference_mode():
            self._check_fits(len(sequence))
            self._network.trunk.set_chunk_size(None if len(sequence) <= _WHOLE else _CHUNK)
            out = self._network(ids, attention_mask=torch.ones_like(ids), num_recycles=recycles)
            return Folded(
                tuple(residue_constants.atom_types),
                atom14_to_atom37(out.positions[-1], out)[0].float().cpu().numpy(),
                out.atom37_atom_exists[0].bool().cpu().numpy(),
                100 * out.plddt[0, :, residue_constants.atom_order["CA"]].float().cpu().numpy(),
                float(out.ptm),
                out.predicted_aligned_error[0].float().cpu().numpy(),
            )

    @contextmanager
    def _watched(self, recycles: int | None, watch: Callable[[float], None] | None) -> Iterator[None]:
        """While folding, each block of the trunk tells that it is about to begin."""
        if watch is None:
            yield
            return
        blocks, tell = self._network.trunk.blocks, watch
        passes = self._network.trunk.config.max_recycles if recycles is None else recycles + 1
        done = itertools.count()
        hooks = [block.register_forward_pre_hook(lambda *_: tell(next(done) / (len(blocks) * passes))) for block in blocks]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def exercise(self, length: int | None = None, batch: int = 1) -> None:
        """Fold a chain of `length` residues."""
        size = length or 100
        for _ in range(batch):
            self.fold((LETTERS * (size // len(LETTERS) + 1))[:size])

    def _check_fits(self, length: int) -> None:
        free = available_bytes(self._device)
        if needed_bytes(length) > free:
            most = int((free / _BYTES_PER_PAIR) ** 0.5)
            raise ModelError(
                f"Folding {length:,} residues needs about {readable(needed_bytes(length))} beyond the model; {readable(free)} are free.",
                f"About {most:,} residues fit now: give a domain, close other programs, or use a machine with more memory.",
            )


def needed_bytes(length: int) -> int:
    """Memory that a chain needs beyond the weights: pairs of residues times what a pair takes."""
    return _BYTES_PER_PAIR * length**2


def examine(folder: Path) -> Found:
    """What a folder with an ESMFold checkpoint can serve; nothing of it is run.

    Raises
    ------
    ModelError
        When it is no folding model of ESM.
    """
    files = published_files(folder)
    config = read_config(folder)
    if config.get("model_type") != "esm" or not config.get("is_folding_model"):
        raise ModelError(f"{folder} holds no ESMFold.", "Choose a folder with facebook/esmfold_v1 or a checkpoint of its format.")
    size = sum((folder / name).stat().st_size for name in files)
    return Found(
        files=files,
        tasks=TASKS,
        certainty=2,
        parameters=sum(math.prod(shape) for shape in shapes(folder).values()),
        peak_bytes=600_000_000 + 2 * size,
        summary="A folding model of ESM from a folder on this machine.",
        limits=CARD.limits,
    )


@family(
    "esmfold",
    cards=(CARD,),
    title="ESMFold",
    about="Predicts how a single protein chain folds and how sure it is at every residue. Good for a first look at proteins of known "
    "families; no complexes, no ligands, and no answer to what a substitution does.",
    examine=examine,
)
def load(folder: Path | None, card: ModelCard, device: str) -> EsmFold:
    """Load a checkpoint in the published format with transformers' network.

    Raises
    ------
    ModelError
        When weights that folding reads are missing, left over or of another shape.
    """
    from transformers import EsmForProteinFolding
    from transformers.utils import logging

    assert folder is not None
    set_threads()
    logging.disable_progress_bar()
    network, told = EsmForProteinFolding.from_pretrained(
        folder, local_files_only=True, trust_remote_code=False, weights_only=True, output_loading_info=True
    )
    _check_told(told, card)
    if device != "cuda":
        network = network.float()  # half precision is slow where the processor has none
    return EsmFold(network.to(device).eval(), device)


def _check_told(told: Any, card: ModelCard) -> None:
    for kind, words in (("missing_keys", "lacks"), ("unexpected_keys", "holds, beyond ESMFold's,"), ("mismatched_keys", "misshapes")):
        names: Sequence[str] = sorted(str(name) for name in told.get(kind, ()))
        if wrong := [name for name in names if not _ASIDE.fullmatch(name)]:
            more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
            raise ModelError(
                f"{card.title} {words} weights: {', '.join(wrong[:3])}{more}.",
                "Choose a whole checkpoint of ESMFold, or download it again.",
            )
