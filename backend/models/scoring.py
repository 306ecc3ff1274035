"""How likely a decoder or an encoder-decoder finds a text after another, many at once.

Rows are padded on the right only: under a causal mask no real token ever sees what follows it, so neither the places of learned
position embeddings nor any score depend on what a text stands beside.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from backend.errors import InputError
from backend.models.abilities import Floats
from backend.models.batching import by_length, in_halves
from backend.models.spelling import Codec, Ids

_BATCH_TOKENS = 2048
_HEAD_ROWS = 256  # places whose whole vocabulary is scored at once


class Scorer:
    """A predictor that knows how likely a text is after another; safe to share between threads, since nothing is kept between calls.

    Parameters
    ----------
    network : torch.nn.Module
        A ``...ForCausalLM`` or ``...ForConditionalGeneration`` of transformers.
    window : int
        Tokens that a prompt may have.
    reach : int
        Tokens of prompt and text together (decoders), or of the text (encoder-decoders).
    ends : set of int
        Tokens that end a text.
    start : int, optional
        First token of the decoder of an encoder-decoder.
    """

    def __init__(
        self, network: Any, codec: Codec, device: str, *, window: int, reach: int, ends: Collection[int], start: int | None = None
    ) -> None:
        self.window, self.reach = window, reach
        self.codec, self.ends = codec, frozenset(ends)
        self._network, self._device, self._start = network, device, start

    @property
    def rows(self) -> int:
        """Tokens that the network has an embedding for."""
        return int(self._network.get_input_embeddings().weight.shape[0])

    # --- what is read -------------------------------------------------------------------------------------------------

    def lengths(self, texts: Sequence[str]) -> list[int]:
        return [len(self.codec.read(text)) for text in texts]

    def unknown_share(self, text: str) -> float:
        ids = self.codec.follow(text)
        return sum(each == self.codec.unknown for each in ids) / max(1, len(ids))

    # --- likelihood ---------------------------------------------------------------------------------------------------

    def likelihood(self, prompts: Sequence[str], text: str, close: bool = False, ids: Ids = ()) -> Floats:
        """ln p of writing `text` after each prompt, shape (m,).

        Parameters
        ----------
        close : bool
            Whether the text must also end there.
        ids : sequence of int
            The text's tokens as they were written, where they are known.
        """
        target = [*(ids or self.codec.follow(text)), *([min(self.ends)] if close else [])]
        return self.log_probs([(self.codec.read(prompt), target) for prompt in prompts])

    def log_probs(self, pairs: Sequence[tuple[Ids, Ids]]) -> Floats:
        """ln p of each second row of tokens after its first, shape (m,); batched by length, in halves where memory runs out."""
        made = np.zeros(len(pairs), dtype=np.float32)
        for before, target in pairs:
            self._room(len(before), len(target))
        for batch in by_length([len(before) + len(target) for before, target in pairs], _BATCH_TOKENS):
            made[batch] = in_halves(self._summed, [pairs[i] for i in batch])
        return made

    def exercise(self, length: int = 256, batch: int = 4) -> None:
        """Read `batch` rows of `length` tokens, a quarter of them scored; for measuring memory."""
        length = min(length, self.window, self.reach)
        scored = max(1, length // 4)
        row = [3 + i % 5 for i in range(length)]
        self._summed([(row[:-scored], row[-scored:])] * batch)

    def _summed(self, pairs: Sequence[tuple[Ids, Ids]]) -> Floats:
        import torch

        targets = torch.tensor([token for _, target in pairs for token in target], dtype=torch.long)
        with torch.inference_mode():
            found = self._taught(pairs) if self._start is None else self._translated(pairs)
            picked = torch.cat(
                [
                    self._head(found[at : at + _HEAD_ROWS]).gather(1, targets[at : at + _HEAD_ROWS, None]).squeeze(1)
                    for at in range(0, len(targets), _HEAD_ROWS)
                ]
                or [torch.zeros(0)]
            )
        values = picked.double().numpy()
        ends = np.cumsum([0, *(len(target) for _, target in pairs)])
        return np.array([values[a:b].sum() for a, b in pairwise(ends)], dtype=np.float32)

    def _head(self, hidden: Any) -> Any:
        """Log-probabilities over the vocabulary, on the CPU, from the last hidden layer."""
        logits = self._network.get_output_embeddings()(hidden)
        return logits.float().log_softmax(-1).cpu()

    def _taught(self, pairs: Sequence[tuple[Ids, Ids]]) -> Any:
        """Hidden states of a decoder at the places that foretell each target token, one after another."""
        import torch

        rows = [[*before, *target[:-1]] for before, target in pairs]
        hidden = self._network.base_model(input_ids=self._padded(rows), use_cache=False).last_hidden_state
        return torch.cat([hidden[i, len(before) - 1 : len(row)] for i, ((before, _), row) in enumerate(zip(pairs, rows, strict=True))])

    def _translated(self, pairs: Sequence[tuple[Ids, Ids]]) -> Any:
        """The same of an encoder-decoder; its encoder looks both ways, so padding is masked there."""
        import torch

        assert self._start is not None
        read = self._padded([before for before, _ in pairs])
        sizes = torch.tensor([len(before) for before, _ in pairs])[:, None]
        real = (torch.arange(read.shape[1]) < sizes).long().to(self._device)
        written = self._padded([[self._start, *target[:-1]] for _, target in pairs])
        encoded = self._network.get_encoder()(input_ids=read, attention_mask=real).last_hidden_state
        hidden = self._network.get_decoder()(
            input_ids=written, encoder_hidden_states=encoded, encoder_attention_mask=real, use_cache=False
        ).last_hidden_state
        if getattr(self._network.config, "scale_decoder_outputs", False):  # the first T5; later ones do not
            hidden = hidden * self._network.config.d_model**-0.5
        return torch.cat([hidden[i, : len(target)] for i, (_, target) in enumerate(pairs)])

    def _padded(self, rows: Sequence[Ids]) -> Any:
        import torch

        ids = torch.zeros((len(rows), max(map(len, rows))), dtype=torch.long)
        for i, row in enumerate(rows):
            ids[i, : len(row)] = torch.tensor(row, dtype=torch.long)
        return ids.to(self._device)

    def _room(self, before: int, after: int) -> None:
        needed = before + after if self._start is None else max(before, after)
        if needed > self.reach:
            raise InputError(
                f"The prompt has {before:,} tokens and {after:,} more are to follow; this model holds {self.reach:,}"
                f"{'' if self._start is None else ' of each'}.",
                "Give a shorter prompt, or ask for a shorter text.",
            )
