"""MiniLM with adapters and a head that reads a question beside a text: the body of the verdict's and of the evidence's reader."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from backend.training.readers.adapting import adapted, adapter_weights, batches, quick, schedule

Row = tuple[list[int], int]
"""Tokens of a question and a text, and where the text begins."""

QUESTION = 96  # word pieces of a question that are read


class PairReader:
    """A head on the first token and the mean of all: a question and a text to `outputs` numbers."""

    def __init__(self, body: Path, outputs: int, window: int) -> None:
        import torch
        from tokenizers import Tokenizer

        self.window = window
        self.tokenizer = Tokenizer.from_file(str(body / "tokenizer.json"))
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        self.words = self.tokenizer.get_vocab()
        self.network = adapted(body)
        self.head = torch.nn.Linear(2 * self.network.config.hidden_size, outputs)

    def rows(self, pairs: Sequence[tuple[str, str]]) -> list[Row]:
        """Questions and texts as tokens; a text that does not fit loses its middle."""
        asked = self.tokenizer.encode_batch([question for question, _ in pairs], add_special_tokens=False)
        given = self.tokenizer.encode_batch([text for _, text in pairs], add_special_tokens=False)
        made = []
        for question, text in zip(asked, given, strict=True):
            first, second = question.ids[:QUESTION], text.ids
            room = self.window - len(first) - 3
            if len(second) > room:
                second = [*second[: room // 3], *second[len(second) - (room - room // 3) :]]
            made.append(([self.words["[CLS]"], *first, self.words["[SEP]"], *second, self.words["[SEP]"]], len(first) + 2))
        return made

    def scores(self, rows: Sequence[Row]) -> Any:
        """The head's numbers, (rows, outputs)."""
        import torch

        longest = max(len(ids) for ids, _ in rows)
        ids = torch.zeros((len(rows), longest), dtype=torch.long)
        real, kind = torch.zeros_like(ids), torch.zeros_like(ids)
        for at, (tokens, begin) in enumerate(rows):
            ids[at, : len(tokens)] = torch.tensor(tokens)
            real[at, : len(tokens)] = 1
            kind[at, begin : len(tokens)] = 1
        with quick():
            hidden = self.network(input_ids=ids, attention_mask=real, token_type_ids=kind).last_hidden_state
            mean = (hidden * real.unsqueeze(-1)).sum(1) / real.sum(1, keepdim=True)
            pooled = torch.nn.functional.dropout(torch.cat([hidden[:, 0], mean], -1), 0.1, self.network.training)
            return self.head(pooled).float()

    def train(
        self, rows: Sequence[Row], loss_of: Callable[[Any, list[int]], Any], epochs: int, rate: float, seed: int, tokens: int
    ) -> None:
        """AdamW with a linear rise and fall; `loss_of(scores, positions)` is the loss of a batch."""
        import torch

        lengths = [len(ids) for ids, _ in rows]
        plan = [batch for epoch in range(epochs) for batch in batches(lengths, tokens, seed + epoch)]
        groups: list[dict[str, Any]] = [
            {"params": [p for p in self.network.parameters() if p.requires_grad], "lr": rate},
            {"params": list(self.head.parameters()), "lr": 2 * rate},
        ]
        optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
        rising, told, began = schedule(optimizer, len(plan)), 0.0, time.monotonic()
        self.network.train()
        for step, batch in enumerate(plan):
            loss = loss_of(self.scores([rows[i] for i in batch]), batch)
            loss.backward()
            torch.nn.utils.clip_grad_norm_([p for g in groups for p in g["params"]], 1.0)
            optimizer.step()
            rising.step()
            optimizer.zero_grad()
            told = 0.98 * told + 0.02 * float(loss.detach()) if step else float(loss.detach())
            if step % 100 == 99:
                print(f"step {step + 1}/{len(plan)} loss {told:.4f} {time.monotonic() - began:.0f} s", flush=True)

    def judge(self, rows: Sequence[Row], at_once: int = 4_096) -> np.ndarray:
        """Scores (rows, outputs) without dropout."""
        import torch

        self.network.eval()
        self.network.merge_adapter()
        made = np.zeros((len(rows), self.head.out_features))
        with torch.inference_mode():
            for chosen in batches([len(ids) for ids, _ in rows], at_once, 0):
                made[chosen] = self.scores([rows[i] for i in chosen]).numpy()
        self.network.unmerge_adapter()
        return made

    def state(self) -> Any:
        """What is trained, copied."""
        return copy.deepcopy(({n: p.detach() for n, p in self.network.named_parameters() if p.requires_grad}, self.head.state_dict()))

    def restore(self, state: Any) -> None:
        """Back to what `state` held."""
        import torch

        with torch.no_grad():
            for name, value in self.network.named_parameters():
                if name in state[0]:
                    value.copy_(state[0][name])
        self.head.load_state_dict(state[1])

    def begin(self, file: Path) -> dict[str, Any]:
        """The adapters of a reader, without its head; all that the file holds."""
        import torch
        from safetensors.torch import load_file

        held: dict[str, Any] = load_file(file)
        with torch.no_grad():
            for name, module in self.network.named_modules():
                if hasattr(module, "lora_A") and "default" in module.lora_A:
                    short = name.removeprefix("base_model.model.")
                    module.lora_A["default"].weight.copy_(held[f"{short}.a"])
                    module.lora_B["default"].weight.copy_(held[f"{short}.b"].float() / module.scaling["default"])
        return held

    def load(self, file: Path) -> None:
        """Go on from what `save` wrote."""
        held = self.begin(file)
        self.head.load_state_dict({part: held[f"head.{part}"].float() for part in ("weight", "bias")})

    def save(self, file: Path) -> None:
        """Adapters and head in half precision."""
        import torch
        from safetensors.torch import save_file

        weights = adapter_weights(self.network)
        weights |= {f"head.{name}": value.detach().to(torch.float16) for name, value in self.head.named_parameters()}
        save_file(weights, file)
