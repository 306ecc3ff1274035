"""A number with its 95% interval, two such numbers compared, and many comparisons judged together."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from backend.domain import Json

LEVEL = 0.95


def measured(value: float, draws: np.ndarray, blocks: int, scale: str = "linear", widen: float = 1.0) -> dict[str, Json]:
    """A number with the interval that its block bootstrap gives.

    The standard error is that of the draws, enlarged by ``sqrt(n / (n - 1))`` because a bootstrap of n blocks is too small by that
    factor; the interval takes Student's t with n - 1 degrees of freedom, because n is small where recordings are short.

    Parameters
    ----------
    value : float
        The estimate from everything.
    draws : ndarray, shape (draws,)
        The estimate from each resample of blocks; NaN where it had none.
    blocks : int
        Blocks that were resampled.
    scale : {'linear', 'log'}
        Where the interval is symmetric: the number itself or its logarithm.
    widen : float
        What the standard error is enlarged by for blocks that are alike.

    Returns
    -------
    dict
        ``value``, ``low``, ``high`` in the number's own unit; ``se`` and ``df`` on the scale.
    """
    middle = _there(value, scale)
    kept = draws[np.isfinite(draws)]
    if blocks < 2 or len(kept) < 2 or not math.isfinite(middle):
        return {"value": _short(value), "low": None, "high": None, "se": None, "df": 0, "scale": scale}
    se = float(np.std([_there(float(draw), scale) for draw in kept], ddof=1)) * math.sqrt(blocks / (blocks - 1)) * widen
    half = quantile(blocks - 1) * se
    return {
        "value": _short(value),
        "low": _short(_back(middle - half, scale)),
        "high": _short(_back(middle + half, scale)),
        "se": _short(se),
        "df": blocks - 1,
        "scale": scale,
    }


def difference(one: Mapping[str, Json], two: Mapping[str, Json]) -> dict[str, Json] | None:
    """How the second number differs from the first: Welch's interval and p on their common scale; None where either has no interval.

    Returns
    -------
    dict
        ``change``, ``low``, ``high``, ``p``; on the log scale a ratio (second over first), else a difference in the number's own unit.
    """
    if one["se"] is None or two["se"] is None or one["scale"] != two["scale"]:
        return None
    from scipy.stats import t

    scale = str(one["scale"])
    first, second = _there(float(one["value"]), scale), _there(float(two["value"]), scale)
    variances = float(one["se"]) ** 2, float(two["se"]) ** 2
    se = math.sqrt(sum(variances))
    if se == 0:
        return {"change": _short(_back(0.0, scale)), "low": None, "high": None, "p": 1.0, "scale": scale} if first == second else None
    df = sum(variances) ** 2 / sum(part**2 / each["df"] for part, each in zip(variances, (one, two), strict=True))
    half = float(t.ppf(0.5 + LEVEL / 2, df)) * se
    gap = second - first
    return {
        "change": _short(_back(gap, scale)),
        "low": _short(_back(gap - half, scale)),
        "high": _short(_back(gap + half, scale)),
        "p": float(2 * t.sf(abs(gap) / se, df)),
        "scale": scale,
    }


def holm(values: Sequence[float | None]) -> list[float | None]:
    """P values adjusted by Holm 1979 for being many; None stays None.

    Source: Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6:65-70.
    """
    order = sorted((value, n) for n, value in enumerate(values) if value is not None)
    found: list[float | None] = [None] * len(values)
    running = 0.0
    for rank, (value, n) in enumerate(order):
        running = max(running, min(1.0, value * (len(order) - rank)))
        found[n] = running
    return found


def quantile(df: int) -> float:
    """Student's t that holds 95% of it between minus and plus itself."""
    from scipy.stats import t

    return float(t.ppf(0.5 + LEVEL / 2, df))


def told(number: Mapping[str, Json], unit: str = "", digits: int = 1) -> str:
    """'9.6 Hz (9.3 to 9.9)'."""
    body = f"{number['value']:.{digits}f}{' ' if unit else ''}{unit}"
    return body if number["low"] is None else f"{body} ({number['low']:.{digits}f} to {number['high']:.{digits}f})"


def _there(value: float, scale: str) -> float:
    if scale == "log":
        return math.log(value) if value > 0 else math.nan
    return value


def _back(value: float, scale: str) -> float:
    return math.exp(value) if scale == "log" else value


def _short(value: float) -> float:
    return float(f"{value:.6g}")
