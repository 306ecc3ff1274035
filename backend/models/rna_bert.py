"""RNABERT's encoder in plain tensors: six post-norm layers over the four bases, read from either published layout."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.errors import ModelError
from backend.models.batching import in_halves
from backend.models.device import precision

BASES = "AUGC"
_AT_ONCE = 16  # windows
_EPS = 1e-12

Floats = NDArray[np.float32]

_HEADS = ("pretrain_head.", "cls.", "lm_head", "sa_head.", "rnabert.pooler.", "bert.pooler.")
"""Parts of the published files that no embedding passes through: pretraining heads and the pooler."""


@dataclass(frozen=True)
class Shape:
    """Heads of each layer and the letters that fit; widths and layers are read off the weights."""

    heads: int
    positions: int


class Encoder:
    """Letters to vectors.

    Every sequence is filled up with padding to the full window, and the padding takes part in attention: so the network was trained
    (no mask is given in its authors' code: MLM_SFP.py and utils/bert.py of mana438/RNABERT), and so its alignments are better (0.66
    against 0.58 of base pairs kept, with it masked; 200 pairs of 5S and transfer RNA). Nothing depends on what else is in a batch,
    since every row has the same length.

    Parameters
    ----------
    weights : mapping
        By our own names, see `plain_names`.
    letters : mapping
        Token of each of the four bases.
    pad, hidden : int
        Token in the place of none, and of a base that is hidden or is none of the four.
    """

    def __init__(self, weights: Mapping[str, Any], shape: Shape, letters: Mapping[str, int], pad: int, hidden: int, device: str) -> None:
        kept = precision(device)
        self._held = {name: value.to(device=device, dtype=kept) for name, value in weights.items()}
        self._heads, self._device = shape.heads, device
        self._layers = 1 + max(int(name.split(".")[1]) for name in weights if name.startswith("layer."))
        self._tokens = np.full(256, hidden, dtype=np.int64)
        for base, token in letters.items():
            self._tokens[ord(base)] = token
        self._pad = pad
        self.window = shape.positions
        self.width = int(weights["words"].shape[1])

    def tokens(self, sequence: str) -> NDArray[np.int64]:
        """One token a letter; T is read as U, whatever is no base as hidden."""
        return self._tokens[np.frombuffer(sequence.replace("T", "U").encode("ascii", "replace"), dtype=np.uint8)]

    def residues(self, sequences: Sequence[str]) -> list[Floats]:
        """A vector for every letter, each (letters, width); longer sequences in windows, each letter from its inmost one."""
        pieces = [(at, low) for at, sequence in enumerate(sequences) for low in windows(len(sequence), self.window)]
        cut = [self.tokens(sequences[at][low : low + self.window]) for at, low in pieces]
        found: list[Floats] = [np.zeros((0, self.width), dtype=np.float32)] * len(cut)
        for start in range(0, len(cut), _AT_ONCE):
            made = in_halves(self._forward, cut[start : start + _AT_ONCE])
            for i, rows in enumerate(made, start):
                found[i] = rows[: len(cut[i])]
        joined: list[Floats] = []
        for at, sequence in enumerate(sequences):
            own = [(low, found[i]) for i, (which, low) in enumerate(pieces) if which == at]
            joined.append(own[0][1] if len(own) == 1 else join(len(sequence), self.window, own))
        return joined

    def embed(self, sequences: Sequence[str]) -> Floats:
        """One vector a sequence, (m, width): the mean over its letters."""
        return np.stack([rows.mean(0) if len(rows) else np.zeros(self.width, dtype=np.float32) for rows in self.residues(sequences)])

    def _forward(self, rows: Sequence[NDArray[np.int64]]) -> Floats:
        import torch
        from torch.nn.functional import gelu, layer_norm, linear, scaled_dot_product_attention

        held, longest = self._held, self.window
        ids = torch.full((len(rows), longest), self._pad, dtype=torch.long)
        for i, row in enumerate(rows):
            ids[i, : len(row)] = torch.from_numpy(row)
        ids = ids.to(self._device)

        def norm(hidden: Any, name: str) -> Any:
            return layer_norm(hidden, (self.width,), held[f"{name}.weight"], held[f"{name}.bias"], _EPS)

        def dense(hidden: Any, name: str) -> Any:
            return linear(hidden, held[f"{name}.weight"], held[f"{name}.bias"])

        def split(hidden: Any) -> Any:
            return hidden.view(len(rows), longest, self._heads, -1).transpose(1, 2)

        with torch.inference_mode():
            hidden = norm(held["words"][ids] + held["places"][:longest] + held["kinds"][0], "norm")
            for at in (f"layer.{i}" for i in range(self._layers)):
                query, key, value = (split(dense(hidden, f"{at}.{part}")) for part in ("query", "key", "value"))
                mixed = scaled_dot_product_attention(query, key, value)
                hidden = norm(hidden + dense(mixed.transpose(1, 2).reshape(hidden.shape), f"{at}.mix"), f"{at}.norm1")
                hidden = norm(hidden + dense(gelu(dense(hidden, f"{at}.up")), f"{at}.down"), f"{at}.norm2")
            made: Floats = hidden.float().cpu().numpy()
        return made


def windows(length: int, window: int) -> list[int]:
    """Where windows begin: one for what fits, else overlapping by a half, the last one ending with the sequence."""
    if length <= window:
        return [0]
    return sorted({*range(0, length - window, window // 2), length - window})


def join(length: int, window: int, parts: Sequence[tuple[int, Floats]]) -> Floats:
    """Rows of overlapping windows as one: each letter's row from the window whose middle is nearest."""
    middles = np.array([low + window / 2 for low, _ in parts])
    nearest = np.abs(np.arange(length)[:, None] + 0.5 - middles).argmin(1)
    return np.stack([parts[which][1][at - parts[which][0]] for at, which in enumerate(nearest)])


_ENDINGS = {
    "attention.self.query": "query",
    "attention.self.key": "key",
    "attention.self.value": "value",
    "attention.output.dense": "mix",
    "attention.output.layer_norm": "norm1",
    "intermediate.dense": "up",
    "output.dense": "down",
    "output.layer_norm": "norm2",
}
_OUTER = {
    "embeddings.word_embeddings.weight": "words",
    "embeddings.position_embeddings.weight": "places",
    "embeddings.token_type_embeddings.weight": "kinds",
    "embeddings.layer_norm.weight": "norm.weight",
    "embeddings.layer_norm.bias": "norm.bias",
}


def plain_names(weights: Mapping[str, Any], title: str) -> dict[str, Any]:
    """The encoder's weights by our own names, from mana438's names or multimolecule's.

    Raises
    ------
    ModelError
        When a weight is missing, or one is left over that has no place in an RNABERT.
    """
    made: dict[str, Any] = {}
    for given, value in weights.items():
        name = _modern(given.removeprefix("module."))
        if name.startswith(_HEADS) or name.endswith("position_ids"):
            continue
        inner = re.sub(r"^(rnabert|bert)\.", "", name)
        found = re.fullmatch(r"encoder\.layer\.(\d+)\.(.+)\.(weight|bias)", inner)
        if inner in _OUTER:
            made[_OUTER[inner]] = value
        elif found and found[2] in _ENDINGS:
            made[f"layer.{found[1]}.{_ENDINGS[found[2]]}.{found[3]}"] = value
        else:
            raise ModelError(f"{title} holds a weight that RNABERT does not have: {given}.", "Choose a checkpoint of RNABERT.")
    layers = {int(name.split(".")[1]) for name in made if name.startswith("layer.")}
    wanted = [*_OUTER.values()] + [f"layer.{i}.{part}.{kind}" for i in layers for part in _ENDINGS.values() for kind in ("weight", "bias")]
    missing = [name for name in wanted if name not in made]
    if missing or not layers or layers != set(range(len(layers))):
        raise ModelError(
            f"{title} lacks weights of an RNABERT: {', '.join(missing[:3]) or 'its layers'}.", "Download the checkpoint again."
        )
    return made


def _modern(name: str) -> str:
    """Layer norms were once named after the paper's symbols, self-attention by one word."""
    for old, new in (("LayerNorm", "layer_norm"), (".gamma", ".weight"), (".beta", ".bias"), ("selfattn", "self")):
        name = name.replace(old, new)
    return name
