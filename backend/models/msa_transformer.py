"""An MSA transformer in plain tensors: attention along rows, tied over an alignment's sequences, and along its columns.

Rao et al. 2021, doi:10.1101/2021.02.12.430858; for RNA: Zhang et al. 2024, doi:10.1093/nar/gkad1031.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from backend.errors import ModelError
from backend.models.device import precision

_EPS = 1e-5  # of the norms inside the layers; the two outside of them have the configuration's
_FIRST_PLACE = 2  # row of the table of positions that belongs to the first token


class Network:
    """Tokens of an alignment to vectors, telling each layer's row attention on the way.

    Parameters
    ----------
    weights : mapping
        By our own names, see `plain_names`.
    heads : int
        Attention heads of a layer.
    eps : float
        Of the norms before the first and after the last layer.
    """

    def __init__(self, weights: Mapping[str, Any], heads: int, eps: float, device: str) -> None:
        kept = precision(device)
        self._held = {name: value.to(device=device, dtype=kept) for name, value in weights.items()}
        self.heads, self._eps, self.device = heads, eps, device
        self.layers = 1 + max(int(name.split(".")[1]) for name in weights if name.startswith("layer."))
        self.width = int(weights["words"].shape[1])
        self.columns = int(weights["places"].shape[0]) - _FIRST_PLACE
        self.rows = int(weights["depths"].shape[1]) if "depths" in weights else None

    def __call__(self, ids: Any, real: Any, told: Callable[[int, Any], None] | None = None) -> Any:
        """Vectors (batch, rows, columns, width) of tokens (batch, rows, columns).

        Parameters
        ----------
        ids : tensor
            Every row of an alignment has the same columns.
        real : tensor of bool, (batch, columns)
            False where a column is padding.
        told : callable, optional
            Called with each layer's number and its row attention, (batch, heads, columns, columns), float32.
        """
        import torch
        from torch.nn.functional import gelu

        held = self._held
        with torch.inference_mode():
            hidden = held["words"][ids] + held["places"][_FIRST_PLACE : _FIRST_PLACE + ids.shape[2]]
            if "depths" in held:
                hidden = hidden + held["depths"][:, : ids.shape[1]]
            hidden = self._norm(hidden, "before", self._eps) * real[:, None, :, None]
            for number in range(self.layers):
                at = f"layer.{number}"
                mixed, weights = self._along_rows(self._norm(hidden, f"{at}.row.norm"), f"{at}.row", real)
                if told is not None:
                    told(number, weights)
                hidden = hidden + mixed
                hidden = hidden + self._along_columns(self._norm(hidden, f"{at}.column.norm"), f"{at}.column")
                inner = gelu(self._dense(self._norm(hidden, f"{at}.feed.norm"), f"{at}.feed.up"))
                hidden = hidden + self._dense(inner, f"{at}.feed.down")
            return self._norm(hidden, "after", self._eps).float()

    def _along_rows(self, hidden: Any, at: str, real: Any) -> tuple[Any, Any]:
        """One table of attention between columns for all rows together: their scores are summed, over the root of their number."""
        import torch

        query, key, value = (self._split(hidden, f"{at}.{part}") for part in ("query", "key", "value"))
        scale = query.shape[-1] ** -0.5 / query.shape[1] ** 0.5
        scores = torch.einsum("brihd,brjhd->bhij", query * scale, key).float()
        weights = scores.masked_fill(~real[:, None, None, :], float("-inf")).softmax(-1)
        mixed = torch.einsum("bhij,brjhd->brihd", weights.to(value.dtype), value)
        return self._dense(mixed.reshape(hidden.shape), f"{at}.mix"), weights

    def _along_columns(self, hidden: Any, at: str) -> Any:
        from torch.nn.functional import scaled_dot_product_attention

        query, key, value = (self._split(hidden, f"{at}.{part}").permute(0, 2, 3, 1, 4) for part in ("query", "key", "value"))
        mixed = scaled_dot_product_attention(query, key, value)  # batch, column, head, row, width of a head
        return self._dense(mixed.permute(0, 3, 1, 2, 4).reshape(hidden.shape), f"{at}.mix")

    def _split(self, hidden: Any, name: str) -> Any:
        made = self._dense(hidden, name)
        return made.view(*made.shape[:3], self.heads, -1)

    def _dense(self, hidden: Any, name: str) -> Any:
        from torch.nn.functional import linear

        return linear(hidden, self._held[f"{name}.weight"], self._held[f"{name}.bias"])

    def _norm(self, hidden: Any, name: str, eps: float = _EPS) -> Any:
        from torch.nn.functional import layer_norm

        return layer_norm(hidden, (self.width,), self._held[f"{name}.weight"], self._held[f"{name}.bias"], eps)


_PARTS = {
    "row_self_attention.layer.q_proj": "row.query",
    "row_self_attention.layer.k_proj": "row.key",
    "row_self_attention.layer.v_proj": "row.value",
    "row_self_attention.layer.out_proj": "row.mix",
    "row_self_attention.layer_norm": "row.norm",
    "column_self_attention.layer.q_proj": "column.query",
    "column_self_attention.layer.k_proj": "column.key",
    "column_self_attention.layer.v_proj": "column.value",
    "column_self_attention.layer.out_proj": "column.mix",
    "column_self_attention.layer_norm": "column.norm",
    "feed_forward_layer.layer.fc1": "feed.up",
    "feed_forward_layer.layer.fc2": "feed.down",
    "feed_forward_layer.layer_norm": "feed.norm",
}
_OUTER = {
    "embeddings.word_embeddings.weight": "words",
    "embeddings.position_embeddings.weight": "places",
    "embeddings.layer_norm.weight": "before.weight",
    "embeddings.layer_norm.bias": "before.bias",
    "encoder.layer_norm.weight": "after.weight",
    "encoder.layer_norm.bias": "after.bias",
}
_ASIDE = ("pretrain_head.", "lm_head.", "contact_head.", "pooler.")
"""Parts that no vector and no attention passes through; the contact head is read by itself, see `contact_head`."""


def plain_names(weights: Mapping[str, Any], title: str, deep: bool) -> dict[str, Any]:
    """The network's weights by our own names, from multimolecule's.

    Parameters
    ----------
    deep : bool
        Whether the configuration says that rows have positions of their own (``embed_positions_msa``).

    Raises
    ------
    ModelError
        When a weight is missing, or one is left over that has no place in the network.
    """
    made: dict[str, Any] = {}
    for given, value in weights.items():
        inner = given.removeprefix("rnamsm.")
        found = re.fullmatch(r"encoder\.layer\.(\d+)\.(.+)\.(weight|bias)", inner)
        if inner in _OUTER:
            made[_OUTER[inner]] = value
        elif inner == "embeddings.msa_embeddings" and deep:
            made["depths"] = value
        elif found and found[2] in _PARTS:
            made[f"layer.{found[1]}.{_PARTS[found[2]]}.{found[3]}"] = value
        elif not inner.startswith(_ASIDE) and not inner.endswith("position_ids"):
            raise ModelError(f"{title} holds a weight that RNA-MSM does not have: {given}.", "Choose a checkpoint of RNA-MSM.")
    layers = {int(name.split(".")[1]) for name in made if name.startswith("layer.")}
    wanted = [*_OUTER.values(), *(["depths"] if deep else [])]
    wanted += [f"layer.{i}.{part}.{kind}" for i in sorted(layers) for part in _PARTS.values() for kind in ("weight", "bias")]
    missing = [name for name in wanted if name not in made]
    if missing or not layers or layers != set(range(len(layers))):
        raise ModelError(
            f"{title} lacks weights of an RNA-MSM: {', '.join(missing[:3]) or 'its layers'}.", "Download the checkpoint again."
        )
    return made


def contact_head(weights: Mapping[str, Any], maps: int) -> tuple[Any, Any] | None:
    """Weight (maps,) and bias of a logistic regression over the attention maps; None where the checkpoint holds none of that shape."""
    found: dict[str, Any] = {}
    for name, value in weights.items():
        if match := re.search(r"contact(?:_head)?\.(?:decoder|regression)\.(weight|bias)$", name):
            found[match[1]] = value.float()
    if set(found) != {"weight", "bias"} or tuple(found["weight"].shape) != (1, maps) or found["bias"].numel() != 1:
        return None
    return found["weight"][0], found["bias"].reshape(())
