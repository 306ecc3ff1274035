"""Task literature.verdict: does a text, or do the papers that an answer quotes, say yes, no or maybe to a question?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from backend.domain import Json, ModelCard, Prediction, Profile
from backend.literature.conformal import LEVEL, set_in_words, set_of
from backend.literature.entities_export import rows_csv
from backend.literature.judging import HOW_JOINED, OPEN, called, headline, in_numbers, join, judge
from backend.literature.reading import UNKNOWN_MUCH, asked_of, pick, pieces, read_question, retracted
from backend.literature.verdict_measure import measure_verdict
from backend.literature.why_judged import explain_judged
from backend.models.abilities import VERDICTS
from backend.tasks import Context, pick_model, task

TASK = "literature.verdict"


def explain(context: Context, prediction: Mapping[str, Json], target: Mapping[str, Json], settings: Mapping[str, Json]) -> dict[str, Json]:
    """Which sentences of a part, or which words of one sentence, spoke for its verdict.

    Parameters
    ----------
    target : mapping
        ``{"context": n}``, counted from 1; with ``"sentence": k`` the words of the k-th sentence of that part, the others staying.
    """
    at = pick(target, "context", prediction["contexts"], "part")
    found, question = prediction["contexts"][at], str(prediction["question"])
    made = explain_judged(
        context, str(prediction["model"]), question, str(found["content"]), found["probabilities"], f"part {at + 1}", target
    )
    sentence = {"sentence": made.pop("sentence")} if "sentence" in made else {}
    return {"target": {"context": at + 1, **sentence}, "model": prediction["model"], **made}


def to_csv(prediction: Mapping[str, Json]) -> str:
    """One row a part, and the joined verdict last."""
    rows = [
        (at, each["title"], each["paper"] or "", each["start"], each["end"], *each["probabilities"], each["verdict"], _set(each))
        for at, each in enumerate(prediction["contexts"], start=1)
    ]
    joined = prediction["joined"]
    return rows_csv(
        ("part", "text", "paper", "start", "end", *VERDICTS, "verdict", "90% prediction set"),
        [*rows, ("joined", HOW_JOINED, "", "", "", *joined["probabilities"], joined["verdict"], _set(joined))],
    )


def _set(found: Mapping[str, Json]) -> str:
    """A prediction set in one cell; '' where there is none."""
    return " or ".join(found.get("set") or ())


@task(
    TASK,
    title="Yes, no or maybe",
    modality="literature",
    models=(),
    settings={"model": ""},
    read=read_question("Does metformin reduce cardiovascular mortality?"),
    explain=explain,
    exports={"csv": to_csv},
    measure=measure_verdict,
)
def verdict(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json], profile: Profile) -> Prediction:
    """Probabilities of yes, no and maybe for every part of the text or of the quoted papers, and joined."""
    card = pick_model(context, TASK, str(settings.get("model") or ""))
    question = str(value["question"])
    with context.runtime.use(card.name) as model:
        parts = pieces(context, model, value)
        made, covering = judge(model, question, [part.text for part in parts], context.progress), model.covering
        unknown = max(model.unknown_share(part.text) for part in parts)
    contexts = [
        {**part.json(), "probabilities": [round(float(p), 6) for p in row], "verdict": called(row), "set": set_of(row, covering)}
        for part, row in zip(parts, made, strict=True)
    ]
    whole = join(made)
    said = called(whole)
    counted = {name: sum(each["verdict"] == name for each in contexts) for name in (*VERDICTS, OPEN)}
    sure = in_numbers(whole) if said == OPEN else f"probability {whole.max():.2f}"
    lines = [
        f"{headline(whole, set_of(whole, covering))} ({sure}), from {asked_of(parts)}.",
        f"Joined: {in_numbers(whole)} ({HOW_JOINED}).",
        *_set_lines(set_of(whole, covering), len(parts)),
        f"Part by part: {', '.join(f'{name} {count}' for name, count in counted.items() if count)}.",
        *filter(None, [accuracy_of(card)]),
        calibration_of(card),
    ]
    warnings = retracted(context, [part.paper for part in parts])
    if unknown > UNKNOWN_MUCH:
        warnings.append(f"{unknown:.0%} of the pieces of one part are not in the model's vocabulary: it reads them as unknown.")
    if sum(bool(counted[name]) for name in VERDICTS) > 1:
        warnings.append("The parts do not agree: look at each of them before the joined verdict.")
    data = {
        "text": lines,
        "question": question,
        "model": card.name,
        "run": value.get("run"),
        "contexts": contexts,
        "joined": {
            "verdict": said,
            "probabilities": [round(float(p), 6) for p in whole],
            "how": HOW_JOINED,
            "set": set_of(whole, covering),
            "level": LEVEL,
            "set_note": " ".join(_set_lines(set_of(whole, covering), len(parts))),
        },
        "calibration": calibration_of(card),
    }
    return Prediction(data, card.name, tuple(warnings))


def _set_lines(held: Sequence[str] | None, parts: int) -> list[str]:
    """The prediction set in words, and what it is not made for."""
    if held is None:
        return []
    made = set_in_words(held)
    if parts > 1:
        made += f" It is made for one text read at once; for {parts} parts joined its coverage was not measured."
    return [made]


def accuracy_of(card: ModelCard) -> str:
    """How often the model's verdicts were right where that was measured; '' where it was not."""
    known = next((each for each in card.quality if each.metric == "accuracy"), None)
    if known is None:
        return ""
    between = "" if known.low is None or known.high is None else f" (95% interval {known.low:.0%} to {known.high:.0%})"
    return f"Right on {known.value:.0%}{between} of {known.data}."


def calibration_of(card: ModelCard) -> str:
    """What is known of how far the probabilities can be taken at their word."""
    known = next((each for each in card.quality if each.metric == "expected calibration error"), None)
    if known is None:
        return "Not calibrated: Bioloom has not measured how often this checkpoint is right when it is sure."
    return f"Expected calibration error {known.value:.2f} on {known.data}; how it was measured stands on the model's card."
