"""Text written by decoders and encoder-decoders: one loop for likeliest and drawn text, and beams."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from backend.models.abilities import Generated
from backend.models.scoring import Scorer
from backend.models.spelling import Ids, spelled


def go_on() -> None:
    """Nobody asked to stop."""


@dataclass
class _State:
    """Where a text is being written: what the network has seen."""

    cache: Any
    encoded: Any  # the encoder's output; None for decoders


class Writer(Scorer):
    """A predictor that writes; safe to share between threads, since nothing is kept between calls."""

    def write(self, prompt: str, *, most: int, temperature: float, seed: int, check: Callable[[], None] = go_on) -> Generated:
        """Continue a prompt (decoders) or answer it (encoder-decoders); the same seed gives the same text.

        Parameters
        ----------
        temperature : float
            0 takes the likeliest token each time; 1 draws tokens with the model's own probabilities.
        check : callable
            Called before each token; may raise to stop.

        Raises
        ------
        InputError
            When the prompt and `most` tokens are more than the model can hold.
        """
        return self.write_after(self.codec.read(prompt), most=most, temperature=temperature, seed=seed, check=check)

    def write_after(
        self, before: Ids, *, most: int, temperature: float = 0.0, seed: int = 0, check: Callable[[], None] = go_on
    ) -> Generated:
        """`write` after given tokens."""
        import torch

        self._room(len(before), most)
        draw = torch.Generator().manual_seed(seed)
        written: list[int] = []
        shares: list[float] = []
        ended: Literal["finished", "length", "stopped"] = "length"
        with torch.inference_mode():
            check()
            state, log_probs = self._begin(before)
            for _ in range(most):
                row = log_probs[0]
                if temperature > 0:
                    token = int(torch.multinomial(torch.softmax(row.double() / temperature, -1), 1, generator=draw))
                else:
                    token = int(row.argmax())
                if token in self.ends:
                    ended = "finished"
                    break
                written.append(token)
                shares.append(float(row[token]))
                if len(written) < most:
                    check()
                    log_probs = self._step(state, [token])
        return self._generated(before, written, shares, ended)

    def beams(
        self, before: Ids, *, number: int, most: int, stops: Collection[int] = (), check: Callable[[], None] = go_on
    ) -> list[Generated]:
        """The likeliest continuations by beam search, by their mean ln p a token, the best first; for decoders.

        Parameters
        ----------
        stops : collection of int
            Tokens that end a continuation besides those that end a text; they are not part of what is given.
        """
        import torch

        self._room(len(before), most)
        ends = self.ends | set(stops)
        live: list[tuple[list[int], list[float]]] = [([], [])]
        done: list[tuple[list[int], list[float], Literal["finished", "length"]]] = []
        with torch.inference_mode():
            check()
            state, log_probs = self._begin(before)
            for length in range(1, most + 1):
                total = log_probs + torch.tensor([sum(shares) for _, shares in live])[:, None]
                best = total.flatten().topk(min(2 * number, total.numel())).indices.tolist()
                rows: list[int] = []
                grown: list[tuple[list[int], list[float]]] = []
                for row, token in (divmod(each, total.shape[1]) for each in best):
                    ids, shares = live[row]
                    if token in ends:
                        done.append((ids, shares, "finished"))
                    elif len(grown) < number:
                        rows.append(row)
                        grown.append(([*ids, token], [*shares, float(log_probs[row, token])]))
                live = grown
                if len(done) >= number or length == most:
                    break
                check()
                state.cache.reorder_cache(torch.tensor(rows, device=self._device))
                log_probs = self._step(state, [ids[-1] for ids, _ in live])
        if len(done) < number:
            done += [(ids, shares, "length") for ids, shares in live]
        made = [self._generated(before, *each) for each in done if each[0]]
        unlike = {each.text: each for each in sorted(made, key=lambda each: float(np.mean(each.log_probs)))}
        return sorted(unlike.values(), key=lambda each: -float(np.mean(each.log_probs)))[:number]

    # --- one token after another ----------------------------------------------------------------------------------------

    def _begin(self, before: Ids) -> tuple[_State, Any]:
        ids = self._padded([before])
        if self._start is None:
            out = self._network(input_ids=ids, use_cache=True, logits_to_keep=1)
            return _State(out.past_key_values, None), self._last(out)
        encoded = self._network.get_encoder()(input_ids=ids)
        out = self._network(encoder_outputs=encoded, decoder_input_ids=self._padded([[self._start]]), use_cache=True)
        return _State(out.past_key_values, encoded), self._last(out)

    def _step(self, state: _State, tokens: Ids) -> Any:
        ids = self._padded([[token] for token in tokens])
        if state.encoded is None:
            out = self._network(input_ids=ids, past_key_values=state.cache, use_cache=True)
        else:
            out = self._network(encoder_outputs=state.encoded, decoder_input_ids=ids, past_key_values=state.cache, use_cache=True)
        state.cache = out.past_key_values
        return self._last(out)

    @staticmethod
    def _last(out: Any) -> Any:
        return out.logits[:, -1].float().log_softmax(-1).cpu()

    def _generated(
        self, before: Ids, written: Ids, log_probs: Sequence[float], ended: Literal["finished", "length", "stopped"]
    ) -> Generated:
        text, pieces = spelled(self.codec, before, written)
        return Generated(text, pieces, tuple(log_probs), ended, tuple(written))
