"""A small EEGNet: filters in space and time that are learned together.

Lawhern et al. 2018, doi:10.1088/1741-2552/aace8c. The temporal and the spatial convolution are both linear and commute: mixing the
channels first gives the same network for a fraction of the arithmetic (without the normalisation between them). Filters in time are
applied as products of spectra, which on a processor takes a tenth of the time of a direct convolution. Signals are taken at 64 Hz,
from slow shifts up to 30 Hz.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from backend.domain import Json
from backend.eeg.decoding.candidates import base
from backend.eeg.decoding.trials import Trials

NAME = "eegnet"
RATE = 64.0
FEWEST = 30  # trials of each class
_TOP = 30.0  # Hz
_FILTERS, _DEPTH, _SEPARABLE = 8, 2, 16
_KERNEL, _LATER, _POOLS, _DROP = 33, 15, (4, 4), 0.5
_EPOCHS, _BATCH, _STEP, _DECAY = 40, 64, 1e-2, 1e-2


@dataclass(frozen=True)
class NetDecoder:
    """The fitted network; ``learned`` holds its parameters by name, ``centre`` and ``scale`` (channels,) are in uV."""

    spec: base.Spec
    learned: Mapping[str, np.ndarray]
    linear: bool = False

    @property
    def candidate(self) -> str:
        return NAME

    @property
    def classes(self) -> tuple[str, ...]:
        return self.spec.classes

    @property
    def names(self) -> tuple[str, ...]:
        return self.spec.names

    @property
    def rate(self) -> float:
        return self.spec.rate

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        return self.predict_from(material(x, self.spec.rate))

    def predict_from(self, material: np.ndarray) -> np.ndarray:
        import torch

        net = _network(material.shape[1], material.shape[2], len(self.spec.classes))
        own = {name: torch.from_numpy(value.copy()) for name, value in self.learned.items() if name not in ("centre", "scale")}
        net.load_state_dict(own)
        net.eval()
        with torch.inference_mode():
            given = torch.from_numpy(_scaled(material, self.learned["centre"], self.learned["scale"]))
            made: np.ndarray = torch.softmax(net(given).double(), dim=1).numpy()
        return made

    def adapted(self, x: np.ndarray) -> NetDecoder:
        return self

    def adapted_from(self, material: np.ndarray) -> NetDecoder:
        return self

    def at_block(self, block: int, material: np.ndarray) -> NetDecoder:
        return self

    def features(self, x: np.ndarray) -> np.ndarray:
        raise TypeError("A network has no features that stay the same.")

    def weights(self) -> np.ndarray | None:
        return None

    def places(self) -> list[dict[str, Json]]:
        return []

    def arrays(self) -> dict[str, np.ndarray]:
        return dict(self.learned)

    def meta(self) -> dict[str, Json]:
        return {"candidate": NAME, **self.spec.json()}


def material(x: np.ndarray, rate: float) -> np.ndarray:
    """The trials at 64 Hz, up to 30 Hz, float32 (n, channels, samples), each on its own."""
    samples = x.shape[2]
    hertz = np.fft.rfftfreq(samples, 1 / rate)
    spectrum = np.fft.rfft(x.astype(np.float64), axis=2) * (hertz <= _TOP)
    kept = max(16, round(samples * RATE / rate))
    if kept < samples:
        spectrum = spectrum[:, :, : kept // 2 + 1]
    made: np.ndarray = (np.fft.irfft(spectrum, min(kept, samples), axis=2) * (min(kept, samples) / samples)).astype(np.float32)
    return made


def fit_from(material: np.ndarray, trials: Trials, seed: int) -> NetDecoder:
    """Train for a fixed number of epochs; every random number comes from `seed`."""
    import torch
    from torch.nn import functional

    spec, classes = base.Spec.of(trials), len(trials.classes)
    centre, scale = material.mean(axis=(0, 2), dtype=np.float64), np.maximum(material.std(axis=(0, 2), dtype=np.float64), 1e-3)
    x = torch.from_numpy(_scaled(material, centre, scale))
    y = torch.from_numpy(trials.y.astype(np.int64))
    weight = torch.from_numpy((len(trials) / (classes * np.maximum(np.bincount(trials.y, minlength=classes), 1))).astype(np.float32))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = _network(material.shape[1], material.shape[2], classes)
        steps = _EPOCHS * -(-len(y) // _BATCH)
        optimiser = torch.optim.AdamW(net.parameters(), lr=_STEP, weight_decay=_DECAY)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=_STEP, total_steps=steps)
        net.train()
        for _ in range(_EPOCHS):
            order = torch.randperm(len(y))
            for at in range(0, len(y), _BATCH):
                part = order[at : at + _BATCH]
                if len(part) > 1:
                    optimiser.zero_grad()
                    functional.cross_entropy(net(x[part]), y[part], weight=weight).backward()  # type: ignore[no-untyped-call]
                    optimiser.step()
                schedule.step()
    learned = {name: value.detach().numpy().copy() for name, value in net.state_dict().items()}
    return NetDecoder(spec, {**learned, "centre": centre, "scale": scale})


def _scaled(material: np.ndarray, centre: np.ndarray, scale: np.ndarray) -> np.ndarray:
    made: np.ndarray = ((material - centre[:, None]) / scale[:, None]).astype(np.float32)
    return made


def unfit(trials: Trials) -> str:
    """Why a network cannot be trained on so few trials."""
    fewest = min(trials.counts().values())
    return f"A network needs {FEWEST} trials of each class; there are {fewest} of the rarer one." if fewest < FEWEST else ""


def _network(channels: int, samples: int, classes: int) -> Any:
    """Channels to mixtures, mixtures filtered in time, powers pooled, separable convolution, classes."""
    import torch
    from torch import nn

    inner = _FILTERS * _DEPTH
    shape = nn.Sequential(
        nn.Conv1d(channels, inner, 1, bias=False),
        _time_filter(inner, _KERNEL),
        nn.BatchNorm1d(inner),
        nn.ELU(),
        nn.AvgPool1d(_POOLS[0]),
        nn.Dropout(_DROP),
        _time_filter(inner, _LATER),
        nn.Conv1d(inner, _SEPARABLE, 1, bias=False),
        nn.BatchNorm1d(_SEPARABLE),
        nn.ELU(),
        nn.AvgPool1d(_POOLS[1]),
        nn.Dropout(_DROP),
        nn.Flatten(),
    )
    shape.eval()
    with torch.inference_mode():
        size = shape(torch.zeros(1, channels, samples)).shape[1]
    return nn.Sequential(*shape, nn.Linear(size, classes))


def _time_filter(channels: int, taps: int) -> Any:
    """A filter in time for each channel on its own, with zeros beyond the ends: a depthwise convolution."""
    import torch
    from torch import nn

    class TimeFilter(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            bound = 1 / taps**0.5
            self.weight = nn.Parameter(torch.empty(channels, taps).uniform_(-bound, bound))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            samples = x.shape[-1]
            length = samples + taps - 1 + (samples + taps - 1) % 2
            product = torch.fft.rfft(x, length) * torch.fft.rfft(self.weight, length)
            made: torch.Tensor = torch.fft.irfft(product, length)[..., taps // 2 : taps // 2 + samples]
            return made

    return TimeFilter()


CANDIDATE = base.Candidate(
    NAME,
    "EEGNet, small",
    "Lawhern et al. 2018, doi:10.1088/1741-2552/aace8c",
    material,
    fit_from,
    lambda arrays, meta: NetDecoder(base.Spec.read(meta), dict(arrays)),
    linear=False,
    unfit=unfit,
)
