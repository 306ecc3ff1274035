"""The shared body of every reader: MiniLM with low-rank adapters (Hu et al. 2021, arXiv:2106.09685), trained in bfloat16 on a processor."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

RANK = 32
_ADAPTED = ["query", "key", "value", "attention.output.dense", "intermediate.dense", "output.dense"]


def set_out(seed: int, threads: int) -> None:
    """Fix the seeds and the number of threads."""
    import torch

    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.set_num_threads(threads)


def adapted(body: Path, rank: int = RANK, dropout: float = 0.1) -> Any:
    """MiniLM from its published folder with an adapter in every matrix; embeddings and the rest stay as they are."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModel

    network = AutoModel.from_pretrained(body, local_files_only=True, trust_remote_code=False, dtype=torch.float32, add_pooling_layer=False)
    settings = LoraConfig(r=rank, lora_alpha=2 * rank, lora_dropout=dropout, target_modules=_ADAPTED, bias="none", use_rslora=False)
    made = get_peft_model(network, settings)
    _drop_by_row(made)
    return made


def _drop_by_row(network: Any) -> None:
    """Dropout with one mask a row for all its places, none inside the attention: drawing a number for every place takes half of a step."""
    import torch

    class ByRow(torch.nn.Dropout):
        def forward(self, given: Any) -> Any:
            if not self.training or not self.p:
                return given
            kept = torch.rand((given.shape[0], 1, given.shape[-1])) >= self.p
            return given * kept.to(given.dtype) / (1 - self.p)

    for name, module in list(network.named_modules()):
        for child, part in list(module.named_children()):
            if type(part) is torch.nn.Dropout and part.p:
                setattr(module, child, ByRow(0.0 if name.endswith("attention.self") else part.p))


def adapter_weights(network: Any) -> dict[str, Any]:
    """The adapters as half-precision tensors, named by the matrix that they change: ``...query.a`` (rank, in), ``...query.b`` (out, rank).

    The change of the matrix is b @ a: the scale is inside b.
    """
    import torch

    made = {}
    for name, module in network.named_modules():
        if hasattr(module, "lora_A") and "default" in module.lora_A:
            short = name.removeprefix("base_model.model.")
            made[f"{short}.a"] = module.lora_A["default"].weight.detach().to(torch.float16).contiguous()
            made[f"{short}.b"] = (module.lora_B["default"].weight.detach() * module.scaling["default"]).to(torch.float16).contiguous()
    return made


@contextlib.contextmanager
def quick() -> Iterator[None]:
    """bfloat16 where the processor does so natively."""
    import torch

    native = bool(torch.cpu.get_capabilities().get("avx512_bf16"))
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=native):
        yield


def batches(lengths: Sequence[int], tokens: int, seed: int) -> list[list[int]]:
    """Positions in batches of at most `tokens` once padded, similar lengths together, in random order."""
    rng = np.random.default_rng(seed)
    noise = rng.uniform(0.9, 1.1, len(lengths))
    order = sorted(range(len(lengths)), key=lambda i: lengths[i] * noise[i])
    made: list[list[int]] = []
    for i in order:
        if made and lengths[i] * (len(made[-1]) + 1) <= tokens and max(lengths[j] for j in made[-1]) * (len(made[-1]) + 1) <= tokens:
            made[-1].append(i)
        else:
            made.append([i])
    rng.shuffle(made)
    return made


def schedule(optimizer: Any, steps: int, warm: float = 0.06) -> Any:
    """Linear rise, then linear fall to zero."""
    from torch.optim.lr_scheduler import LambdaLR

    rise = max(1, int(warm * steps))
    return LambdaLR(optimizer, lambda at: min(1.0, (at + 1) / rise, max(0.0, (steps - at) / max(1, steps - rise))))
