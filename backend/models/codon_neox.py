"""GPT-NeoX on codons: what comes after what has been read, codon by codon."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from backend.errors import ModelError

Cache = list[tuple[Any, Any]]
_TANH = ("gelu_fast", "gelu_new", "gelu_pytorch_tanh")  # one and the same curve
_BUFFERS = re.compile(r"\.attention\.(bias|masked_bias|rotary_emb\.inv_freq)$")
"""What older checkpoints store besides weights: the causal mask and the rotary speeds, which follow from the settings."""


@dataclass(frozen=True)
class Shape:
    """What a published architecture file says of a network, checked.

    Attributes
    ----------
    turned : int
        Numbers of each head that carry the place (rotary), the first of them.
    """

    layers: int
    width: int
    heads: int
    inner: int
    tokens: int
    places: int
    turned: int
    base: float
    eps: float
    parallel: bool
    tanh: bool

    @property
    def parameters(self) -> int:
        """Weights of the network, its table and its output layer."""
        layer = 4 * self.width * self.width + 2 * self.width * self.inner + 4 * self.width + self.inner + 5 * self.width
        return self.layers * layer + 2 * self.tokens * self.width + 2 * self.width


def read_shape(settings: Mapping[str, Any], name: str) -> Shape:
    """The shape that an architecture file (transformers' ``GPTNeoXConfig``, of any age) describes.

    Raises
    ------
    ModelError
        When it describes no GPT-NeoX, or one that cannot be computed.
    """
    if settings.get("model_type") != "gpt_neox":
        raise ModelError(f"{name} is no GPT-NeoX: it calls itself {settings.get('model_type')}.", "Choose GenSLM's architecture file.")
    turning = settings.get("rope_parameters") or {}
    act = str(settings.get("hidden_act", "gelu"))
    try:
        width, heads = int(settings["hidden_size"]), int(settings["num_attention_heads"])
        found = Shape(
            layers=int(settings["num_hidden_layers"]),
            width=width,
            heads=heads,
            inner=int(settings["intermediate_size"]),
            tokens=int(settings["vocab_size"]),
            places=int(settings["max_position_embeddings"]),
            turned=int(width // heads * float(turning.get("partial_rotary_factor", settings.get("rotary_pct", 0.25)))),
            base=float(turning.get("rope_theta", settings.get("rotary_emb_base", 10000))),
            eps=float(settings.get("layer_norm_eps", 1e-5)),
            parallel=bool(settings.get("use_parallel_residual", True)),
            tanh=act in _TANH,
        )
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise ModelError(
            f"The architecture file of {name} lacks or misspells {error}.", "Use the file that came with the weights."
        ) from error
    if width % heads:
        raise ModelError(
            f"The architecture of {name} cannot be computed: its width, {width:,}, is no multiple of its {heads} heads.",
            "The published file of the 25-billion model is so; choose a smaller model.",
        )
    if act not in (*_TANH, "gelu") or str(turning.get("rope_type", "default")) != "default":
        raise ModelError(f"{name} uses '{act}' or a rotary scale that is not known here.", "Choose a published GenSLM.")
    return found


def names_of(shape: Shape) -> dict[str, tuple[int, ...]]:
    """Every weight of the network with its shape, under GPT-NeoX's published names."""
    w, i = shape.width, shape.inner
    made: dict[str, tuple[int, ...]] = {"embed_in.weight": (shape.tokens, w), "embed_out.weight": (shape.tokens, w)}
    parts = {
        "input_layernorm": ((w,), (w,)),
        "post_attention_layernorm": ((w,), (w,)),
        "attention.query_key_value": ((3 * w, w), (3 * w,)),
        "attention.dense": ((w, w), (w,)),
        "mlp.dense_h_to_4h": ((i, w), (i,)),
        "mlp.dense_4h_to_h": ((w, i), (w,)),
    }
    blocks = {f"layers.{n}.{part}": sizes for n in range(shape.layers) for part, sizes in parts.items()}
    for name, (weight, bias) in {**blocks, "final_layer_norm": ((w,), (w,))}.items():
        made |= {f"{name}.weight": weight, f"{name}.bias": bias}
    return made


def remap(stored: Mapping[str, Any], shape: Shape, title: str) -> dict[str, Any]:
    """Stored weights under the network's own names: wrappers' prefixes taken off, masks and rotary speeds left out.

    Raises
    ------
    ModelError
        When one is missing, left over, of another shape, or stands there twice.
    """
    made: dict[str, Any] = {}
    for name, value in stored.items():
        if _BUFFERS.search(name):
            continue
        own = re.sub(r"^(_forward_module\.|module\.|model\.)*(gpt_neox\.)?", "", name)
        own = "embed_out.weight" if own == "lm_head.weight" else own
        if own in made:
            raise ModelError(f"{title} stores {own} twice.", "Ask its maker for one plain set of weights.")
        made[own] = value
    wanted = names_of(shape)
    if missing := [name for name in wanted if name not in made]:
        raise ModelError(f"{title} lacks weights: {', '.join(missing[:4])}.", "Choose the architecture file that belongs to these weights.")
    if spare := [name for name in made if name not in wanted]:
        raise ModelError(
            f"{title} holds weights that its architecture does not have: {', '.join(spare[:4])}.", "Choose the file that belongs to them."
        )
    if other := [name for name, size in wanted.items() if tuple(made[name].shape) != size]:
        first = other[0]
        raise ModelError(
            f"{title}: {first} has the shape {tuple(made[first].shape)}, its architecture says {wanted[first]}.",
            "Choose the architecture file that belongs to these weights.",
        )
    return made


class CodonNetwork:
    """GPT-NeoX (Black et al. 2022, doi:10.18653/v1/2022.bigscience-1.9) for reading only, as GenSLMs use it.

    Rows are padded on the right: a token sees what stands before it, so padding changes nothing.
    """

    def __init__(self, weights: Mapping[str, Any], shape: Shape, device: str, dtype: Any) -> None:
        self.shape, self.device = shape, device
        self._weights = {name: value.to(device=device, dtype=dtype) for name, value in weights.items()}
        self._dtype = dtype

    def hidden(self, ids: Any, cache: Cache | None = None) -> Any:
        """Output of the last layer, normalised, (m, n, width); with a cache `ids` go on where it ends, and it grows."""
        past = cache[0][0].shape[2] if cache else 0
        made = self._weights["embed_in.weight"][ids]
        turn = self._turn(past, ids.shape[1])
        before = list(cache or [])
        for number in range(self.shape.layers):
            made, kept = self._layer(number, made, turn, before[number] if before else None)
            if cache is not None:
                cache[number : number + 1] = [kept]
        return self._norm("final_layer_norm", made)

    def log_probs(self, hidden: Any) -> Any:
        """ln p of every token that may follow, in float32."""
        import torch
        from torch.nn.functional import linear

        return torch.log_softmax(linear(hidden, self._weights["embed_out.weight"]).float(), -1)

    def _turn(self, past: int, count: int) -> tuple[Any, Any]:
        """Cosines and sines of the rotary angles (Su et al. 2021, arXiv:2104.09864), (count, turned)."""
        import torch

        size = self.shape.turned
        speed = 1.0 / (self.shape.base ** (torch.arange(0, size, 2, dtype=torch.float) / size))
        angle = torch.arange(past, past + count, dtype=torch.float)[:, None] * speed
        both = torch.cat((angle, angle), -1).to(self.device)
        return both.cos().to(self._dtype), both.sin().to(self._dtype)

    def _layer(self, number: int, hidden: Any, turn: tuple[Any, Any], held: tuple[Any, Any] | None) -> tuple[Any, tuple[Any, Any]]:
        at = f"layers.{number}"
        mixed, kept = self._attention(f"{at}.attention", self._norm(f"{at}.input_layernorm", hidden), turn, held)
        if self.shape.parallel:
            return hidden + mixed + self._feed(at, hidden), kept
        hidden = hidden + mixed
        return hidden + self._feed(at, hidden), kept

    def _feed(self, at: str, hidden: Any) -> Any:
        from torch.nn.functional import gelu

        inner = self._linear(f"{at}.mlp.dense_h_to_4h", self._norm(f"{at}.post_attention_layernorm", hidden))
        return self._linear(f"{at}.mlp.dense_4h_to_h", gelu(inner, approximate="tanh" if self.shape.tanh else "none"))

    def _attention(self, at: str, hidden: Any, turn: tuple[Any, Any], held: tuple[Any, Any] | None) -> tuple[Any, tuple[Any, Any]]:
        import torch
        from torch.nn.functional import scaled_dot_product_attention

        m, n, width = hidden.shape
        size = width // self.shape.heads
        # stored head by head: query, key and value of the first head, then of the second ...
        made = self._linear(f"{at}.query_key_value", hidden).view(m, n, self.shape.heads, 3 * size).transpose(1, 2)
        query, key, value = made.split(size, -1)
        query, key = self._turned(query, turn), self._turned(key, turn)
        if held is not None:
            key, value = torch.cat((held[0], key), 2), torch.cat((held[1], value), 2)
        mixed = scaled_dot_product_attention(query, key, value, is_causal=held is None and n > 1)
        return self._linear(f"{at}.dense", mixed.transpose(1, 2).reshape(m, n, width)), (key, value)

    def _turned(self, made: Any, turn: tuple[Any, Any]) -> Any:
        import torch

        own, rest = made[..., : self.shape.turned], made[..., self.shape.turned :]
        first, second = own.chunk(2, -1)
        return torch.cat((own * turn[0] + torch.cat((-second, first), -1) * turn[1], rest), -1)

    def _linear(self, name: str, hidden: Any) -> Any:
        from torch.nn.functional import linear

        return linear(hidden, self._weights[f"{name}.weight"], self._weights[f"{name}.bias"])

    def _norm(self, name: str, hidden: Any) -> Any:
        from torch.nn.functional import layer_norm

        return layer_norm(hidden, (self.shape.width,), self._weights[f"{name}.weight"], self._weights[f"{name}.bias"], self.shape.eps)
