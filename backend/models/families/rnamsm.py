"""RNA-MSM: a masked network of aligned RNAs, whose attention between columns shows which bases touch."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.domain import ModelCard
from backend.errors import ModelError
from backend.models.batching import by_length, in_halves
from backend.models.families.minilm import set_threads
from backend.models.families.rnabert import count, vocabulary
from backend.models.msa_transformer import Network, contact_head, plain_names
from backend.models.registry import Found, family, published_files
from backend.models.rna_bert import Floats, join, windows
from backend.models.stored import read_weights

TASKS = ("sequence.embed", "rna.align", "rna.contacts")
MOST_TOKENS = 16_384  # of one alignment, as in training
HIDDEN = "?"
"""What stands for a hidden base in a row that is given to `RnaMsm.contacts`."""
_BATCH_TOKENS = 4_096
_PARAMETERS = 95_922_067  # computed from the shapes, language-model and contact heads included

_LIMITS = (
    "Reads at most 1,023 columns and 16,384 letters of an alignment at once.",
    "Made for alignments of relatives; from a single sequence it knows less.",
    "Contacts include stacked neighbours and tertiary contacts; the structure drawn from them has canonical pairs only, no pseudoknots.",
    "Whether the contact head of the published file was ever fitted is not known here; attention without it is offered beside it.",
)


def _peak(parameters: int) -> int:
    """Computed, not measured: torch, the weights twice while loading, and 16,384 letters in one layer of the published width.

    Random weights of the published shape took 1.8 GB for an alignment of that size.
    """
    return 600_000_000 + 8 * parameters + MOST_TOKENS * 4 * (6 * 768 + 2 * 3_072)


CARD = ModelCard(
    name="rnamsm",
    title="RNA-MSM",
    family="rnamsm",
    modality="sequences",
    kinds=("rna", "dna"),
    tasks=TASKS,
    source="hub",
    hub_id="multimolecule/rnamsm",
    revision="main",
    licence="AGPL-3.0, as its maker states for the converted weights",
    summary="Reads an alignment of related RNAs; its attention shows contacts and secondary structure, its vectors describe each base.",
    files={"model.safetensors": "", "config.json": "", "vocab.txt": ""},
    parameters=_PARAMETERS,
    download_bytes=4 * _PARAMETERS,
    disk_bytes=4 * _PARAMETERS,
    peak_bytes=_peak(_PARAMETERS),
    paper="Zhang et al. 2024, doi:10.1093/nar/gkad1031",
    limits=_LIMITS,
)


@dataclass(frozen=True)
class Contacts:
    """Scores of contact between the columns of an alignment.

    Attributes
    ----------
    attention : numpy.ndarray
        float32 (columns, columns), symmetric: mean over all layers and heads of the row attention, made symmetric and corrected by the
        average product (Dunn et al. 2008, doi:10.1093/bioinformatics/btm604). Without any fitting; has no unit.
    head : numpy.ndarray or None
        float32 (columns, columns): probability by the checkpoint's logistic regression over the same maps, where it holds one.
    """

    attention: Floats
    head: Floats | None


class RnaMsm:
    """Alignments to contacts, sequences to vectors."""

    def __init__(self, network: Network, known: Mapping[str, int], head: tuple[Any, Any] | None) -> None:
        self._network, self._head = network, head
        self._known = np.full(256, known.get("N", known["<mask>"]), dtype=np.int64)
        for letters, token in (("A", "A"), ("C", "C"), ("G", "G"), ("UT", "U" if "U" in known else "T"), ("-.", "-"), (HIDDEN, "<mask>")):
            for letter in letters:
                self._known[ord(letter)] = known[token]
        self._first, self._pad = known["<cls>"], known["<pad>"]
        self.window = network.columns - 1
        self.width, self.fitted = network.width, head is not None
        self.most_rows = network.rows

    def unknown(self, sequence: str) -> list[int]:
        """Letters (from 0) that are none of the four bases; they are read as N, any base."""
        return [at for at, letter in enumerate(sequence) if letter not in "ACGUTN"]

    def contacts(self, alignments: Sequence[Sequence[str]]) -> list[Contacts]:
        """Contacts of each alignment, whose rows have equal length; gaps are - or ., a hidden base is `HIDDEN`."""
        made: dict[int, Contacts] = {}
        shapes = [(len(rows), len(rows[0])) for rows in alignments]
        for shape in dict.fromkeys(shapes):
            same = [at for at, each in enumerate(shapes) if each == shape]
            step = max(1, _BATCH_TOKENS // (shape[0] * (shape[1] + 1)))
            for start in range(0, len(same), step):
                part = same[start : start + step]
                found = in_halves(lambda which: self._maps([alignments[at] for at in which]), part)
                for at, (attention, *head) in zip(part, found, strict=True):
                    made[at] = Contacts(attention, head[0] if head else None)
        return [made[at] for at in range(len(alignments))]

    def residues(self, sequences: Sequence[str]) -> list[Floats]:
        """A vector for every letter of each sequence read alone, (letters, width); longer ones in overlapping windows."""
        pieces = [(at, low) for at, sequence in enumerate(sequences) for low in windows(len(sequence), self.window)]
        cut = [sequences[at][low : low + self.window] for at, low in pieces]
        found: dict[int, Floats] = {}
        for batch in by_length([len(row) + 1 for row in cut], _BATCH_TOKENS):
            longest = max(len(cut[i]) for i in batch)

            def vectors(part: Sequence[int], longest: int = longest) -> Floats:
                ids, real = self._tokens([[cut[i]] for i in part], longest)
                made: Floats = self._network(ids, real)[:, 0, 1:].cpu().numpy()
                return made

            for i, rows in zip(batch, in_halves(vectors, batch), strict=True):
                found[i] = rows[: len(cut[i])]
        joined = []
        for at, sequence in enumerate(sequences):
            own = [(low, found[i]) for i, (which, low) in enumerate(pieces) if which == at]
            joined.append(own[0][1] if len(own) == 1 else join(len(sequence), self.window, own))
        return joined

    def embed(self, sequences: Sequence[str]) -> Floats:
        """One vector a sequence read alone, (m, width): the mean over its letters."""
        return np.stack([rows.mean(0) if len(rows) else np.zeros(self.width, dtype=np.float32) for rows in self.residues(sequences)])

    def exercise(self) -> None:
        """Read an alignment as deep as is read at once, so that memory can be measured."""
        columns = min(self.window, 127)
        self.contacts([[("GCAU" * 32)[:columns]] * min(MOST_TOKENS // (columns + 1), self.most_rows or MOST_TOKENS)])

    def _tokens(self, alignments: Sequence[Sequence[str]], longest: int) -> tuple[Any, Any]:
        import torch

        ids = np.full((len(alignments), len(alignments[0]), longest + 1), self._pad, dtype=np.int64)
        real = np.zeros((len(alignments), longest + 1), dtype=bool)
        for i, rows in enumerate(alignments):
            for j, row in enumerate(rows):
                ids[i, j, 0] = self._first
                ids[i, j, 1 : len(row) + 1] = self._known[np.frombuffer(row.encode("ascii", "replace"), dtype=np.uint8)]
            real[i, : len(rows[0]) + 1] = True
        device = self._network.device
        return torch.from_numpy(ids).to(device), torch.from_numpy(real).to(device)

    def _maps(self, alignments: Sequence[Sequence[str]]) -> NDArray[np.float32]:
        """Mean of the corrected maps, and where there is a head its probabilities: (m, 1 or 2, columns, columns)."""
        import torch

        ids, real = self._tokens(alignments, len(alignments[0][0]))
        network, totals = self._network, []

        def told(number: int, weights: Any) -> None:
            maps = corrected(weights[:, :, 1:, 1:])
            mean = maps.sum(1) / (network.layers * network.heads)
            parts = [mean]
            if self._head is not None:
                own = self._head[0].to(maps)[number * network.heads : (number + 1) * network.heads]
                parts.append(torch.einsum("h,bhij->bij", own, maps))
            totals.append(torch.stack(parts, 1))

        network(ids, real, told)
        made = torch.stack(totals).sum(0)
        if self._head is not None:
            made[:, 1] = torch.sigmoid(made[:, 1] + self._head[1].to(made))
        found: NDArray[np.float32] = made.cpu().numpy()
        return found


def corrected(maps: Any) -> Any:
    """Attention made symmetric (sum with its transpose), less what rows and columns expect of each other (average product)."""
    both = maps + maps.transpose(-1, -2)
    whole = both.sum((-1, -2), keepdim=True)
    return both - both.sum(-1, keepdim=True) * both.sum(-2, keepdim=True) / whole.clamp_min(1e-12)


def examine(folder: Path) -> Found:
    """A folder in multimolecule's layout whose configuration names rnamsm."""
    files = published_files(folder)
    if (kind := _settings(folder).get("model_type")) != "rnamsm":
        raise ModelError(f"{folder.name} is no RNA-MSM: its config.json names {kind}.", "Choose an RNA-MSM folder.")
    _vocabulary(folder)
    parameters = count(folder)
    return Found(files, TASKS, 2, parameters, _peak(parameters), summary="An RNA-MSM in multimolecule's layout.", limits=_LIMITS)


@family(
    "rnamsm",
    cards=(CARD,),
    title="RNA-MSM",
    about="Alignments of related RNAs: contacts and secondary structure from attention, and vectors. From one sequence it knows less.",
    examine=examine,
)
def load(folder: Path | None, card: ModelCard, device: str) -> RnaMsm:
    """Load a checkpoint in multimolecule's layout; nothing missing, nothing left over.

    Raises
    ------
    ModelError
        When weights, settings or vocabulary are not of one RNA-MSM.
    """
    assert folder is not None
    set_threads()
    settings, known, held = _settings(folder), _vocabulary(folder), read_weights(folder)
    weights = plain_names(held, card.title, bool(settings.get("embed_positions_msa", True)))
    heads, width = int(settings["num_attention_heads"]), int(weights["words"].shape[1])
    if weights["words"].shape[0] != len(known) or width % heads:
        raise ModelError(
            f"{card.title}: {weights['words'].shape[0]} vectors of letters, {len(known)} letters; {width} numbers over {heads} heads.",
            "Weights, vocabulary and settings are of different models: download all of them again.",
        )
    network = Network(weights, heads, float(settings.get("layer_norm_eps", 1e-12)), device)
    if int(settings.get("num_hidden_layers", network.layers)) != network.layers:
        raise ModelError(f"{card.title} holds {network.layers} layers, its settings say otherwise.", "Download the checkpoint again.")
    return RnaMsm(network, known, contact_head(held, network.layers * heads))


def _vocabulary(folder: Path) -> dict[str, int]:
    found = vocabulary(folder)
    if missing := [token for token in ("<cls>", "-") if token not in found]:
        raise ModelError(f"vocab.txt of {folder.name} lacks {' and '.join(missing)}.", "Put the checkpoint's own vocab.txt there.")
    return found


def _settings(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        return {"num_attention_heads": 12, **found}
    except (OSError, ValueError, TypeError) as error:
        raise ModelError(f"{folder.name} has no readable config.json.", "Download the checkpoint again.") from error
