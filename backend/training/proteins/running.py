"""One training run: steps, learning rate, curves, checkpoints, and a clean stop in time or on a signal."""

from __future__ import annotations

import contextlib
import json
import math
import platform
import signal
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from backend.errors import InputError, ModelError
from backend.models.packed import attend
from backend.training.proteins import checkpoints
from backend.training.proteins.attention import pick_attention
from backend.training.proteins.batches import Batch, Batches
from backend.training.proteins.checkpoints import Place, Settings
from backend.training.proteins.export import export
from backend.training.proteins.network import build, loss, work
from backend.training.proteins.proteins import Proteins

_WARM = 0.02  # of the schedule, rising; then a cosine to zero
_DECAY, _BETAS, _CLIP = 0.01, (0.9, 0.98), 1.0  # as ESM-2
_TOLD = 50  # steps between two lines of the curve
_CHECKED = {"cuda": 400_000, "cpu": 20_000}  # tokens of the validation part that a checkpoint is judged on
_CURVE = "curves.jsonl"


class Run:
    """A run in a folder of its own.

    Parameters
    ----------
    resume : bool
        Go on from the folder's checkpoint.

    Raises
    ------
    InputError
        When the schedule has no end, a run is there already, or none is there to go on with.
    """

    def __init__(self, folder: Path, proteins: Proteins, settings: Settings, device: str, resume: bool = False) -> None:
        import torch

        if settings.tokens <= 0 and settings.minutes <= 0:
            raise InputError("The schedule has no end.", "Give --minutes or --tokens.")
        if not resume and checkpoints.present(folder):
            raise InputError(f"{folder} holds a run already.", "Go on with --resume, or choose an empty folder.")
        self.folder, self.settings, self.device, self.proteins = folder, settings, device, proteins
        self.network = build(settings.shape, settings.seed).to(device)
        self.network.train()
        self._trained = [each for each in self.network.parameters() if each.requires_grad]
        groups = [
            {"params": [each for each in self._trained if each.ndim > 1], "weight_decay": _DECAY},
            {"params": [each for each in self._trained if each.ndim <= 1], "weight_decay": 0.0},
        ]
        self.optimizer = torch.optim.AdamW(groups, lr=settings.rate, betas=_BETAS, eps=1e-8, fused=device == "cuda")
        self.batches = Batches(proteins, proteins.of("training"), settings.batch, settings.window, settings.seed)
        self._held = Batches(proteins, proteins.of("validation"), min(settings.batch, 8_192), settings.window, settings.seed)
        folder.mkdir(parents=True, exist_ok=True)
        self.place = checkpoints.restore(folder, self.network, self.optimizer, settings) if resume else Place()
        self._curve = self._earlier_curve() if resume else []
        self._stop = False
        heads, kept = self.network.config.num_attention_heads, torch.float32 if settings.precision == "float32" else torch.bfloat16
        self._attention = pick_attention(device, heads, self.network.config.hidden_size // heads, kept)

    def train(self, every: float = 180.0, stop_after: float = 0.0) -> bool:
        """Train to the end of the schedule; whether it was reached.

        Parameters
        ----------
        every : float
            Seconds between checkpoints.
        stop_after : float
            Seconds of this call after which to stop with a checkpoint; 0 for no such limit.

        Raises
        ------
        ModelError
            When the loss is no longer a number.
        """
        began, base = time.monotonic(), self.place.seconds
        saved, told_at, told_tokens, operations = began, base, self.place.tokens, 0.0
        with self._listening(), ThreadPoolExecutor(1) as ahead:
            upcoming = self._ahead(ahead)
            while self._share() < 1 and not self._stop:
                epoch, number, batch = next(upcoming)
                value = self._step(batch)
                operations += work(self.network, batch.lengths)
                self.place = Place(
                    epoch, number + 1, self.place.step + 1, self.place.tokens + len(batch.ids), base + time.monotonic() - began
                )
                if self.place.step % _TOLD == 0:
                    told = float(value)
                    if not math.isfinite(told):
                        raise ModelError(f"The loss is no number at step {self.place.step:,}.", "Begin again with a lower --rate.")
                    seconds = max(self.place.seconds - told_at, 1e-9)
                    self._write(
                        loss=round(told, 4),
                        tokens_per_second=round((self.place.tokens - told_tokens) / seconds),
                        teraflops=round(operations / seconds / 1e12, 3),
                    )
                    told_at, told_tokens, operations = self.place.seconds, self.place.tokens, 0.0
                now = time.monotonic()
                self._stop |= bool(stop_after) and now - began >= stop_after
                if now - saved >= every:
                    self._save()
                    saved = time.monotonic()
        self._save()
        return self._share() >= 1

    def validate(self) -> float:
        """Mean cross-entropy (nats) at hidden residues of the validation part, always the same ones; NaN where that part is empty."""
        import torch

        if not len(self.proteins.of("validation")):
            return float("nan")
        total, count, read = 0.0, 0, 0
        self.network.eval()
        with torch.inference_mode():
            for number in range(self._held.count(0)):
                batch = self._held.get(0, number)
                with self._precision():
                    total += float(loss(self.network, batch, self.device, self._attention)) * len(batch.asked)
                count, read = count + len(batch.asked), read + len(batch.ids)
                if read >= _CHECKED[self.device]:
                    break
        self.network.train()
        return total / count

    def facts(self) -> dict[str, Any]:
        """What the model's card says of its making."""
        import torch
        import transformers

        size = sum(int(part["residues"]) for name, part in self.proteins.facts["parts"].items() if name == "training")
        held = self.validate()
        return {
            "settings": asdict(self.settings),
            "parameters": sum(each.numel() for each in self._trained),
            "data": self.proteins.facts,
            "licence": "Apache-2.0, as Bioloom (weights); the data's terms stand under data",
            "tokens seen": self.place.tokens,
            "epochs": round(self.place.tokens / max(size, 1), 2),
            "steps": self.place.step,
            "training seconds": round(self.place.seconds),
            "device": torch.cuda.get_device_name() if self.device == "cuda" else f"CPU ({platform.machine()})",
            "attention": "over lengths" if self._attention is attend else "padded",
            "validation": {"loss": held, "masked perplexity": math.exp(held), "what": "15% of the residues asked of, 80/10/10"},
            "curve": self._curve,
            "versions": {"torch": torch.__version__, "transformers": transformers.__version__, "numpy": np.__version__},
        }

    def export(self) -> dict[str, Any]:
        """Write RUN/model and give its facts without the curve."""
        facts = self.facts()
        export(self.network, self.folder / "model", facts, untrained=facts["epochs"] < 1)
        return {name: value for name, value in facts.items() if name not in ("curve", "data")}

    def _step(self, batch: Batch) -> Any:
        import torch

        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.rate * _schedule(self._share())
        with self._precision():
            value = loss(self.network, batch, self.device, self._attention)
        value.backward()
        torch.nn.utils.clip_grad_norm_(self._trained, _CLIP)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return value.detach()

    def _share(self) -> float:
        """How much of the schedule is done, by tokens or by time, whichever is further."""
        by_tokens = self.place.tokens / self.settings.tokens if self.settings.tokens else 0.0
        by_time = self.place.seconds / (60 * self.settings.minutes) if self.settings.minutes else 0.0
        return max(by_tokens, by_time)

    def _precision(self) -> Any:
        import torch

        return torch.autocast(self.device, dtype=torch.bfloat16, enabled=self.settings.precision == "bfloat16")

    def _ahead(self, pool: ThreadPoolExecutor) -> Iterator[tuple[int, int, Batch]]:
        """Batches from where the run stands, the next one made while this one is computed."""
        epoch, number = self.place.epoch, self.place.number
        waiting: Future[tuple[int, int, Batch]] = pool.submit(self._find, epoch, number)
        while True:
            epoch, number, batch = waiting.result()
            waiting = pool.submit(self._find, epoch, number + 1)
            yield epoch, number, batch

    def _find(self, epoch: int, number: int) -> tuple[int, int, Batch]:
        if number >= self.batches.count(epoch):
            epoch, number = epoch + 1, 0
        return epoch, number, self.batches.get(epoch, number)

    def _save(self) -> None:
        checkpoints.save(self.folder, self.network, self.optimizer, self.place, self.settings)
        self._write(validation=round(self.validate(), 4))

    def _write(self, **told: float) -> None:
        rate = self.settings.rate * _schedule(self._share())
        line = {"step": self.place.step, "tokens": self.place.tokens, "seconds": round(self.place.seconds, 1), "rate": rate, **told}
        self._curve.append(line)
        with (self.folder / _CURVE).open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line) + "\n")
        print(json.dumps(line), flush=True)

    def _earlier_curve(self) -> list[dict[str, Any]]:
        """The curve up to the checkpoint; what was written after it is struck out, for it is computed again."""
        file = self.folder / _CURVE
        lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.is_file() else []
        kept = [line for line in lines if line["step"] <= self.place.step]
        file.write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")
        return kept

    @contextlib.contextmanager
    def _listening(self) -> Iterator[None]:
        """SIGTERM and Ctrl-C stop the run after the step at hand."""

        def stop(*_: object) -> None:
            self._stop = True

        before = {each: signal.signal(each, stop) for each in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)


def _schedule(share: float) -> float:
    """Share of the highest rate: a straight rise over the first 2%, then half a cosine to zero."""
    rise = min(1.0, (share + 1e-4) / _WARM)
    return rise * 0.5 * (1 + math.cos(math.pi * min(share, 1.0)))
