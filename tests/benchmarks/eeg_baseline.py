"""Measures `eeg.baseline` on simulated background activity: how often an interval holds the truth, how often a peak is found where
there is one, and where there is none.

Run by name: ``python -m tests.benchmarks.eeg_baseline [SIMULATIONS]``.

The signal is 1/f noise (spectrum f^-1.2) at two electrodes that share half of it, and a rhythm whose size waxes and wanes over some
ten seconds and whose phase wanders, so that neighbouring windows are not independent. "Strength" is the rhythm's power over that of
the noise within 1 Hz of it.
"""

from __future__ import annotations

import json
import sys

import numpy as np

from backend.eeg.baseline.background import BANDS, _band_powers
from backend.eeg.baseline.measured import difference, measured
from backend.eeg.baseline.rhythm import make_shape, measure_rhythm
from backend.eeg.baseline.spectra import add_up

RATE = 128.0
EXPONENT = 1.2


def pink(rng: np.random.Generator, count: int) -> np.ndarray:
    """1/f noise that is 10 uV in the mean over many."""
    parts, size = _fall(count)
    return np.fft.irfft(size * (rng.normal(size=len(parts)) + 1j * rng.normal(size=len(parts))), count)


def _fall(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Expected power of each frequency in uV^2, and the size that gives it to an inverse transform."""
    freqs = np.fft.rfftfreq(count, 1 / RATE)
    size = np.zeros_like(freqs)
    size[1:] = np.maximum(freqs[1:], 0.3) ** (-EXPONENT / 2)
    size *= 10 * count / 2 / np.sqrt((size**2).sum())
    return 4 * size**2 / count**2, size


def slow(rng: np.random.Generator, count: int, seconds: float) -> np.ndarray:
    """A wandering value, mean 0 and deviation 1, that forgets itself within `seconds`."""
    keep = np.exp(-1 / (seconds * RATE))
    from scipy.signal import lfilter

    warm = int(5 * seconds * RATE)
    found: np.ndarray = lfilter([np.sqrt(1 - keep**2)], [1, -keep], rng.normal(size=count + warm))[warm:]
    return found


def background(seed: int, seconds: float, peak: float | None, strength: float = 1.0, forget_s: float = 6.0) -> np.ndarray:
    """Two channels in uV."""
    rng = np.random.default_rng(seed)
    count = round(seconds * RATE)
    shared = pink(rng, count)
    noise = [np.sqrt(0.5) * (shared + pink(rng, count)) for _ in range(2)]
    if peak is None:
        return np.stack(noise)
    wander = np.cumsum(2 * np.pi * 0.35 * slow(rng, count, 0.3)) / RATE
    size = np.exp(0.5 * slow(rng, count, forget_s))
    rhythm = size * np.cos(2 * np.pi * peak * np.arange(count) / RATE + wander)
    level = _fall(count)[0][np.abs(np.fft.rfftfreq(count, 1 / RATE) - peak) <= 1].sum()
    # a lognormal size of deviation 0.5 has a mean square of exp(0.5), and the cosine halves it
    return np.stack([one + rhythm * np.sqrt(strength * level / (np.exp(0.5) / 2)) for one in noise])


def run(seed: int, seconds: float, peak: float | None, strength: float = 1.0, forget_s: float = 6.0) -> tuple[dict, dict]:
    values = background(seed, seconds, peak, strength, forget_s)
    made = add_up([(0.0, values)], RATE, False, 200.0)
    weights = made.draws(300, 0)
    whole = np.mean(made.mean(), axis=0)
    many = np.mean([made.resampled(n, weights) for n in range(2)], axis=0)
    blocks = made.sums.shape[1]
    powers = {}
    one, draws = _band_powers(whole, made.freqs), _band_powers(many, made.freqs)
    for n, name in enumerate(BANDS):
        powers[name] = measured(one[n], draws[:, n], blocks, "log", made.widen)
    return measure_rhythm(make_shape(made.freqs), whole, many, blocks, made.widen), powers


def main(simulations: int) -> None:
    rng = np.random.default_rng(99)  # seeds: none that the rules of `backend.eeg.baseline.rhythm` were chosen on
    told: dict[str, object] = {"simulations": simulations}
    for seconds in (40.0, 60.0, 120.0, 300.0):
        none = [run(600_000 + n, seconds, None)[0]["found"] for n in range(simulations)]
        told[f"{seconds:.0f} s, no rhythm: a peak is claimed"] = round(float(np.mean(none)), 3)
    for seconds, strength in ((60.0, 0.5), (60.0, 1.0), (60.0, 3.0), (180.0, 1.0), (180.0, 3.0)):
        hit, inside, gravity, off = [], [], [], []
        for n in range(simulations):
            truth = float(rng.uniform(7.5, 12.0))
            found, _ = run(700_000 + n, seconds, truth, strength)
            hit.append(found["found"])
            if found["found"]:
                inside.append(found["peak"]["low"] <= truth <= found["peak"]["high"])
                gravity.append(found["gravity"]["low"] <= truth <= found["gravity"]["high"])
                off.append(found["peak"]["value"] - truth)
        told[f"{seconds:.0f} s, strength {strength:g}"] = {
            "found": round(float(np.mean(hit)), 3),
            "peak_interval_holds_truth": round(float(np.mean(inside)), 3),
            "gravity_interval_holds_truth": round(float(np.mean(gravity)), 3),
            "mean_error_hz": round(float(np.mean(off)), 3),
            "mean_absolute_error_hz": round(float(np.mean(np.abs(off))), 3),
        }
    for seconds, forget_s in ((60.0, 2.0), (60.0, 6.0), (180.0, 6.0), (180.0, 15.0), (600.0, 15.0)):
        # the truth of a band's power is its mean over many simulations of the same kind
        made = [run(40_000 + n, seconds, 10.0, 2.0, forget_s)[1] for n in range(simulations)]
        kind = f"{seconds:.0f} s, rhythm that forgets its size in {forget_s:.0f} s"
        for name in BANDS:
            truth = float(np.mean([one[name]["value"] for one in made]))
            held = [one[name]["low"] <= truth <= one[name]["high"] for one in made]
            told[f"{kind}: {name} power, interval holds truth"] = round(float(np.mean(held)), 3)
        pairs = [difference(one["alpha"], two["alpha"]) for one, two in zip(made[::2], made[1::2], strict=False)]
        told[f"{kind}: alpha power of two like recordings called different (p < 0.05)"] = round(
            float(np.mean([pair["p"] < 0.05 for pair in pairs if pair])), 3
        )
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
