"""literature.verdict on questions that experts answered: PubMedQA's JSON, or BioASQ's yes/no questions."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from backend.domain import Json
from backend.errors import InputError
from backend.literature.conformal import set_figures
from backend.literature.counting import system_name
from backend.literature.judging import join, judge
from backend.literature.labelled import read_file
from backend.literature.reading import tokens_of
from backend.literature.seen import seen_by, seen_note, unseen
from backend.literature.texts import windows
from backend.metrics import bootstrap, calibration_error
from backend.models.abilities import VERDICTS
from backend.progress import Silent
from backend.tasks import Context, pick_model, serving

if TYPE_CHECKING:
    from backend.models.abilities import Judges

TASK = "literature.verdict"
SURE = 0.05  # McNemar's p below which one system is called better than another
COVERED = 0.6  # accuracy@60: over the 60% of questions that the model is surest of


@dataclass(frozen=True)
class Judged:
    """A question, the text it is put to, and what the experts said: an index into `VERDICTS`."""

    question: str
    text: str
    truth: int


def measure_verdict(context: Context, files: Sequence[Path], options: Mapping[str, Any]) -> dict[str, Json]:
    """Accuracy, macro-F1, calibration error, accuracy at 60% coverage and prediction sets, beside always saying the commonest answer.

    Options beside those of `backend.evaluate`: ``unseen``, only questions that no model measured was trained on.
    """
    cases = [case for path in files for case in read_judged(path)]
    if not cases:
        raise InputError("The files hold no question with an answer of yes, no or maybe.", "Give PubMedQA's or BioASQ's JSON.")
    names = list(options.get("models") or []) or [card.name for card in serving(context, TASK)]
    cards = [pick_model(context, TASK, name) for name in names or [""]]
    notes: list[str] = []
    seen: dict[str, Json] = {}
    better: dict[str, Json] = {}
    if options.get("unseen"):
        kept = [case for case, new in zip(cases, unseen([case.question for case in cases], cards), strict=True) if new]
        if not kept:
            raise InputError("The models were trained on every question of the files.", "Give other questions, or measure all of them.")
        notes.append(f"Only the {len(kept):,} of {len(cases):,} questions that the models were not trained on, as far as is known.")
        cases = kept
    truth = np.array([case.truth for case in cases])
    common = Counter(truth.tolist()).most_common(1)[0][0]
    systems: dict[str, Json] = {f"always {VERDICTS[common]}": _always(truth, common)}
    counted = ", ".join(f"{name} {int((truth == at).sum())}" for at, name in enumerate(VERDICTS))
    notes.insert(0, f"{len(cases):,} questions: {counted}.")
    for card in cards:
        with context.runtime.use(card.name) as model:
            made, covering = _all(context, model, cases, card.title), model.covering
        said, sure = made.argmax(axis=1), made.max(axis=1)
        sets = {} if covering is None else set_figures(truth, made, covering)
        systems[system_name(card)] = figures(truth, said, sure) | sets
        b, c = int(((said == truth) & (truth != common)).sum()), int(((said != truth) & (truth == common)).sum())
        p = mcnemar(b, c)
        better[system_name(card)] = {f"always {VERDICTS[common]}": p < SURE}
        notes.append(
            f"{card.title} is right where always {VERDICTS[common]} is wrong on {b:,} questions and wrong where that is right on {c:,}: "
            f"McNemar's exact p = {p:.3g}."
        )
        if warned := seen_note([case.question for case in cases], card):
            seen[system_name(card)] = warned
        if seen_by(card):
            notes.append(
                f"{card.title} was trained on PubMedQA's 500 labelled questions and on BioASQ 7b-9b: figures on those are not of unseen "
                "data. What it reached on folds held out stands on its card."
            )
        if card.untrained:
            notes.append(f"{card.title} is untrained: its figures are those of random numbers.")
    notes.append("Of a longer text, all windows are judged and joined. Intervals by drawing questions anew.")
    notes.append(
        "Accuracy over the surest 60%: of the questions answered most surely. Expected calibration error: mean gap of probability and "
        "accuracy, 10 bins; 0 is perfect."
    )
    if any("coverage90" in figures for figures in systems.values()):
        notes.append(
            "90% sets cover: share of questions whose right answer is in the 90% prediction set (Wilson's interval); answers in a 90% set: "
            "how many of yes, no and maybe it holds on average."
        )
    return {"task": TASK, "n": len(cases), "systems": systems, "seen": seen, "clear": better, "notes": [*seen.values(), *notes]}


def read_judged(path: Path) -> list[Judged]:
    """Questions of a file in PubMedQA's form (contexts without the conclusion) or in BioASQ's (yes/no questions; snippets).

    Raises
    ------
    InputError
        When the file is in neither form.
    """
    try:
        found = json.loads(read_file(path))
    except ValueError as error:
        raise InputError(f"{Path(path).name} is not JSON: {error}.", "Give PubMedQA's or BioASQ's JSON.") from error
    if isinstance(found, Mapping) and isinstance(found.get("questions"), list):
        rows = [row for row in found["questions"] if isinstance(row, Mapping) and row.get("type") == "yesno"]
        made = [(row.get("body"), [s.get("text") for s in row.get("snippets") or ()], row.get("exact_answer")) for row in rows]
    elif isinstance(found, Mapping) and found and all(isinstance(row, Mapping) and "QUESTION" in row for row in found.values()):
        made = [(row["QUESTION"], row.get("CONTEXTS") or [], row.get("final_decision")) for row in found.values()]
    else:
        raise InputError(
            f"{Path(path).name} is in neither form.",
            'Give PubMedQA: {"id": {"QUESTION", "CONTEXTS", "final_decision"}}, or BioASQ: {"questions": [{"type": "yesno", ...}]}.',
        )
    cases = []
    for question, contexts, answer in made:
        said = str(answer[0] if isinstance(answer, list) and answer else answer or "").strip().lower().rstrip(".")
        text = "\n".join(dict.fromkeys(" ".join(str(part).split()) for part in contexts if part))
        if said in VERDICTS and text and question:
            cases.append(Judged(" ".join(str(question).split()), text, VERDICTS.index(said)))
    return cases


def figures(truth: np.ndarray, said: np.ndarray, sure: np.ndarray) -> dict[str, Json]:
    """``accuracy``, ``macro_f1``, ``ece`` and ``accuracy@60``, each with its 95% interval over questions.

    Parameters
    ----------
    truth, said : ndarray of int, shape (questions,)
    sure : ndarray of float, shape (questions,)
        Probability of what was said.
    """
    right = (truth == said).astype(np.float64)

    def over(statistic: Any) -> Json:
        return bootstrap(np.arange(len(truth)), lambda rows: statistic(np.asarray(rows, dtype=int))).json()

    return {
        "accuracy": bootstrap(right).json(),
        "macro_f1": over(lambda rows: macro_f1(truth[rows], said[rows])),
        "ece": over(lambda rows: calibration_error(right[rows], sure[rows])),
        "accuracy@60": over(lambda rows: covered(right[rows], sure[rows])),
    }


def macro_f1(truth: np.ndarray, said: np.ndarray) -> float:
    """Mean F1 of the answers that the experts gave at all."""
    made = []
    for each in np.unique(truth):
        right = int(((truth == each) & (said == each)).sum())
        made.append(2 * right / int((truth == each).sum() + (said == each).sum()))
    return float(np.mean(made))


def covered(right: np.ndarray, sure: np.ndarray) -> float:
    """Accuracy over the share `COVERED` of questions that were answered most surely."""
    most = max(1, round(COVERED * len(right)))
    return float(right[np.argsort(-sure, kind="stable")[:most]].mean())


def mcnemar(b: int, c: int) -> float:
    """Two-sided exact p value of `b` against `c` discordant pairs (McNemar 1947, doi:10.1007/BF02295996)."""
    n, low = b + c, min(b, c)
    if not n:
        return 1.0
    return min(1.0, float(2 * sum(math.comb(n, k) for k in range(low + 1)) / 2**n))


def _all(context: Context, model: Judges, cases: Sequence[Judged], title: str) -> np.ndarray:
    """Joined probabilities of every case, shape (m, 3)."""
    made = []
    for at, case in enumerate(cases, start=1):
        context.progress.check()
        spans = windows(model, case.text, tokens_of(model, case.question))
        made.append(join(judge(model, case.question, [case.text[start:end] for start, end in spans], Silent())))
        context.progress.update(at, len(cases), f"{title}: {at:,} of {len(cases):,} questions")
    return np.stack(made)


def _always(truth: np.ndarray, common: int) -> dict[str, Json]:
    said = np.full(len(truth), common)
    right = (truth == said).astype(np.float64)
    f1 = bootstrap(np.arange(len(truth)), lambda rows: macro_f1(truth[np.asarray(rows, dtype=int)], said[np.asarray(rows, dtype=int)]))
    return {"accuracy": bootstrap(right).json(), "macro_f1": f1.json()}
