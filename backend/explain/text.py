"""Which sentences, or which words of a sentence, made a text score what it scores."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace

import numpy as np
from numpy.typing import NDArray

from backend.domain import Attribution, Explanation, Faithfulness, Json
from backend.errors import InputError
from backend.explain.deletion import faithfulness, share_agreement
from backend.explain.shapley import MOST_EXACT, Remembered, Value, coalition_table, evaluate, exact_shapley, sampled_shapley
from backend.progress import Progress

Score = Callable[[Sequence[str]], np.ndarray]
"""Texts to one score each, in one batched call of the model."""
Span = tuple[int, int]

EXACT_WORDS = 9  # 512 selections, no more than a sample would take
MOST_WORDS = 64
EMPTY = "the empty text"
LEAST_SHARE = {"probability": 0.05, "ln odds": 0.2}
"""From which a part can be said to matter, by the score's unit: a twentieth of a probability, and what that is from even odds."""
_WORD = re.compile(r"\S+")
_LETTER = re.compile(r"\w")


def explain_players(
    value: Value,
    players: Sequence[Attribution],
    *,
    target: str,
    unit: str,
    baseline: str,
    unseen: Sequence[Span] = (),
    noun: str = "sentence",
    note: str = "",
    most_exact: int = MOST_EXACT,
    evaluations: int = 512,
    seed: int = 0,
    progress: Progress | None = None,
) -> Explanation:
    """Shapley values of any players, with the test of the explanation.

    Parameters
    ----------
    value : callable
        A boolean array (m, n), True where a player is present, to m scores.
    players : sequence of Attribution
        Label and place of each player; their values are filled in.
    most_exact : int
        Up to so many players every selection is scored; beyond it `evaluations` of them, in two independent halves.
    note : str
        What else the reader of `method` should know.

    Raises
    ------
    InputError
        When there is no player.
    ModelError
        When the model gives a score that is not a number.
    Cancelled
        When the person asked to stop.
    """
    n = len(players)
    if n == 0:
        raise InputError(f"There is no {noun} to explain: the text is empty.", "Choose a text with words in it.")
    stability, seen = None, Remembered(value)
    evaluate(seen, np.array([[False] * n, [True] * n]))  # by themselves: many at once may be computed with less precision
    if n <= most_exact:
        table = coalition_table(seen, n, progress)
        values, base, score, asked = exact_shapley(table), float(table[0]), float(table[-1]), len(table)
        method = f"Exact Shapley values: all {asked:,} selections of {n} {noun}{'s' if n != 1 else ''}"
    else:
        halves = [sampled_shapley(seen, n, evaluations // 2, each, progress) for each in (seed, seed + 1)]
        values, base, score = np.mean([half.values for half in halves], axis=0), halves[0].base, halves[0].score
        asked, stability = sum(half.evaluations for half in halves), share_agreement(halves[0].values, halves[1].values)
        halved = f"{asked:,} selections of {n} {noun}s in two halves, whose shares agree to {stability:.2f}"
        method = f"Sampled Shapley values (Kernel SHAP): {halved}"
    trust = faithfulness(
        seen,
        values,
        base=base,
        score=score,
        evaluations=0,
        count_test=False,
        noun=noun,
        stability=stability,
        least_share=LEAST_SHARE.get(unit, 0.0),
        seed=seed,
        progress=None if n <= most_exact else progress,
    )
    trust = replace(trust, evaluations=seen.scored)
    return Explanation(
        method=f"{method}{'; ' + note if note else ''}.",
        target=target,
        score=score,
        base_value=base,
        baseline=baseline,
        unit=unit,
        attributions=tuple(replace(player, value=float(share)) for player, share in zip(players, values, strict=True)),
        faithfulness=trust,
        unseen=tuple(unseen),
    )


def explain_sentences(
    score: Score,
    text: str,
    spans: Sequence[Span],
    seen: int,
    *,
    target: str,
    unit: str,
    progress: Progress | None = None,
    max_players: int = 10,
) -> Explanation:
    """Exact Shapley values of the sentences of a text for a score that a model gives it.

    A selection is the text of its sentences in order, one space between them. A sentence beyond the model's window is never given a
    share; one that the window cuts is a player up to the cut.

    Parameters
    ----------
    spans : sequence of (int, int)
        Sentences as characters of `text`, in order.
    seen : int
        Characters of `text` that fit the model's window.
    max_players : int
        With more sentences the shortest neighbours are merged, since every further player doubles the work.
    """
    inside = [(start, min(end, seen)) for start, end in spans if start < seen]
    groups = merge(inside, max_players)
    merged = f"{len(inside)} sentences, the shortest neighbours taken together" if len(groups) < len(inside) else ""
    return _explain_spans(
        score,
        text,
        groups,
        [(start, end) for start, end in spans if start >= seen],
        [(max(start, seen), end) for start, end in spans if end > seen],
        target=target,
        unit=unit,
        noun="sentence" if not merged else "group",
        note=merged,
        most_exact=max_players,
        progress=progress,
    )


def explain_words(
    score: Score,
    text: str,
    *,
    target: str,
    unit: str,
    evaluations: int = 512,
    seed: int = 0,
    progress: Progress | None = None,
    seen: int | None = None,
    baseline: str = EMPTY,
) -> Explanation:
    """Shapley values of the words of a sentence: exact up to nine words, sampled beyond.

    A word is what stands between spaces, with its punctuation; a sign that stands alone belongs to the word before it. Absent words are
    left out. Words at or beyond character `seen` are outside the model's window and get no share.
    """
    seen = len(text) if seen is None else seen
    spans = words(text)
    inside = [(start, end) for start, end in spans if start < seen]
    groups = merge(inside, MOST_WORDS)
    return _explain_spans(
        score,
        text,
        groups,
        [(start, end) for start, end in spans if start >= seen],
        [(start, end) for start, end in spans if start >= seen],
        target=target,
        unit=unit,
        noun="word" if len(groups) == len(inside) else "group",
        note="" if len(groups) == len(inside) else f"{len(inside)} words, the shortest neighbours taken together",
        most_exact=EXACT_WORDS,
        evaluations=evaluations,
        seed=seed,
        progress=progress,
        baseline=baseline,
    )


def _explain_spans(
    score: Score,
    text: str,
    spans: Sequence[Span],
    beyond: Sequence[Span],
    unseen: Sequence[Span],
    *,
    target: str,
    unit: str,
    noun: str,
    note: str,
    most_exact: int,
    evaluations: int = 512,
    seed: int = 0,
    progress: Progress | None = None,
    baseline: str = EMPTY,
) -> Explanation:
    """Play with the text of `spans`; those `beyond` the window are listed without a share."""
    parts = [" ".join(text[start:end].split()) for start, end in spans]

    def value(present: NDArray[np.bool_]) -> np.ndarray:
        return score([" ".join(part for part, kept in zip(parts, row, strict=True) if kept) for row in present])

    explanation = explain_players(
        value,
        [_place(text, span) for span in spans],
        target=target,
        unit=unit,
        baseline=baseline,
        unseen=unseen,
        noun=noun,
        note=note,
        most_exact=most_exact,
        evaluations=evaluations,
        seed=seed,
        progress=progress,
    )
    return replace(explanation, attributions=(*explanation.attributions, *(_place(text, span) for span in beyond)))


def words(text: str) -> list[Span]:
    """Places of the words: runs without white space; a run without letter or digit joins the word before it (or, first, after it)."""
    found: list[Span] = []
    opening: int | None = None
    for match in _WORD.finditer(text):
        start, end = match.span()
        if not _LETTER.search(match.group()):
            if found:
                found[-1] = (found[-1][0], end)
            elif opening is None:
                opening = start
        else:
            found.append((start if opening is None else opening, end))
            opening = None
    return found


def merge(spans: Sequence[Span], most: int, apart: Sequence[Span] = ()) -> list[Span]:
    """Neighbours joined, the shortest pair first, until at most `most` spans are left; none across one of `apart`."""
    left = list(spans)
    while len(left) > most:
        joins = [i for i in range(len(left) - 1) if not any(left[i][1] <= start < left[i + 1][0] for start, _ in apart)]
        if not joins:
            break
        at = min(joins, key=lambda i: left[i + 1][1] - left[i][0])
        left[at : at + 2] = [(left[at][0], left[at + 1][1])]
    return left


def _place(text: str, span: Span) -> Attribution:
    return Attribution(text[span[0] : span[1]], None, *span)


def to_json(explanation: Explanation) -> dict[str, Json]:
    """An explanation as what `json.dumps` takes."""
    plain = asdict(explanation)
    plain["attributions"] = list(plain["attributions"])
    plain["unseen"] = [list(span) for span in explanation.unseen]
    plain["faithfulness"]["random_areas"] = list(explanation.faithfulness.random_areas)
    return plain


def from_json(saved: Mapping[str, Json]) -> Explanation:
    """The explanation that `to_json` wrote."""
    trust = saved["faithfulness"]
    return Explanation(
        **{
            **saved,
            "attributions": tuple(Attribution(**item) for item in saved["attributions"]),
            "faithfulness": Faithfulness(**{**trust, "random_areas": tuple(trust["random_areas"])}),
            "unseen": tuple((start, end) for start, end in saved["unseen"]),
        }
    )
