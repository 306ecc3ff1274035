"""Task literature.rewrite: a text in, another text out of an encoder-decoder, marked as generated; or whether a statement follows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from backend.domain import Json, Prediction, Profile
from backend.errors import InputError
from backend.literature.beside import METHOD, nearest
from backend.literature.entities_export import rows_csv
from backend.literature.jobs_of_text import LABELS, filled, find_job, wording
from backend.literature.texts import read_text
from backend.literature.visible import visible
from backend.literature.why_words import placed
from backend.literature.written import NOTICE, checked, explain_prompt, how_to_write, ids_of, kept, refused, to_text, tokens_csv, told
from backend.tasks import Context, pick_model, task

if TYPE_CHECKING:
    from backend.models.writing import Writer

TASK = "literature.rewrite"
_KNOWN = 0.01  # probability of the three labels together below which the reader is warned
_STRANGE = (
    "The model would hardly ever answer with one of the three labels: it was not taught this request in this wording, "
    "and its choice says little."
)


def read(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json]) -> dict[str, Json]:
    """A text; for the job 'nli' its question is the statement in doubt, where the settings do not hold one."""
    given = read_text(context, value, settings)
    if settings.get("job") == "nli" and not _hypothesis(given, settings):
        raise InputError("The statement in doubt is missing.", "Give it as hypothesis, for example: There is a pleural effusion.")
    return given


def explain(context: Context, prediction: Mapping[str, Json], target: Mapping[str, Json], settings: Mapping[str, Json]) -> dict[str, Json]:
    """Which words or sentences of the text made the written text, or the label, likely.

    Parameters
    ----------
    target : mapping
        Nothing; for the job 'nli' ``{"label": name}``, the likeliest label unless said.
    """
    text, template = str(prediction["prompt"]), str(prediction["template"])
    hypothesis = str(prediction.get("hypothesis") or "")

    def prompts(texts: Sequence[str]) -> list[str]:
        return [filled(template, text=each, hypothesis=hypothesis) for each in texts]

    named: dict[str, Json] = {}
    with context.runtime.use(str(prediction["model"])) as model:
        if prediction["labels"]:
            label = str(target.get("label") or prediction["label"])
            if label not in LABELS:
                raise InputError(f"There is no label '{label}'.", f"Labels are: {', '.join(LABELS)}.")
            named, at = ({"label": label} if "label" in target else {}), LABELS.index(label)

            def score(texts: Sequence[str]) -> np.ndarray:
                found = _label_logs(model, prompts(texts))
                others = np.delete(found, at, axis=1)
                made: np.ndarray = found[:, at] - np.logaddexp.reduce(others, axis=1)
                return made

            made = explain_prompt(score, text, target=f"the label '{label}'", unit="ln odds", progress=context.progress)
        else:
            written, ids = str(prediction["written"]), ids_of(prediction)
            if not ids:
                raise InputError("The model wrote nothing: there is nothing to explain.", "Ask again in other words.")
            made = explain_prompt(
                lambda texts: model.likelihood(prompts(texts), written, ids=ids),
                text,
                target="likelihood of the written text",
                progress=context.progress,
            )
    return {"target": named, "model": prediction["model"], "sites": placed(made, 0), "sequence": text}


def to_csv(prediction: Mapping[str, Json]) -> str:
    """Labels with their probabilities; for a written text its tokens with ln p."""
    if prediction["labels"]:
        return rows_csv(
            ("label", "probability", "ln p", "notice"),
            [(each["label"], each["probability"], each["log_prob"], NOTICE) for each in prediction["labels"]],
        )
    return tokens_csv(prediction)


@task(
    TASK,
    title="Rewrite a text",
    modality="literature",
    models=(),
    settings={"model": "", "job": "summary", "hypothesis": "", "template": "", "length": 96, "temperature": 0.0, "seed": 0},
    read=read,
    explain=explain,
    exports={"txt": to_text, "csv": to_csv, "json": lambda prediction: json.dumps(dict(prediction), ensure_ascii=False, indent=1)},
)
def rewrite(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json], profile: Profile) -> Prediction:
    """Ask an encoder-decoder for a job on ``value['text']``; a text beyond its window is refused, never cut."""
    card = pick_model(context, TASK, str(settings.get("model") or ""))
    job = find_job(str(settings.get("job") or "summary"))
    template, origin = wording(job, str(settings.get("template") or ""))
    hypothesis = _hypothesis(value, settings) if job.name == "nli" else ""
    prompt = filled(template, text=str(value["text"]), hypothesis=hypothesis)
    data: dict[str, Json] = {
        "model": card.name,
        "name": value["name"],
        "job": job.name,
        "prompt": value["text"],
        "hypothesis": hypothesis,
        "template": template,
        "wording": origin,
        "labels": [],
    }
    with context.runtime.use(card.name) as model:
        size = model.lengths([prompt])[0]
        if size > model.window:
            raise refused(size, 0, model.window, "Give it in parts: a text that is cut would be summarised without its end.")
        if job.name == "nli":
            found = _judged(model, prompt)
            return Prediction({**data, **found}, card.name, (_STRANGE,) if found["known"] < _KNOWN else ())
        most, temperature, seed = how_to_write(settings)
        made = model.write(prompt, most=min(most, model.window), temperature=temperature, seed=seed, check=checked(context, most))
    how = [f"Asked with '{template}' ({origin}).", *told(made, temperature, seed)]
    data |= {
        **kept(made),
        "text": [NOTICE, "", visible(made.text.strip()) or "(nothing)", "", *how],
        "how": how,
        "sentences": nearest(context, made.text),
        "nearest_method": METHOD,
        "temperature": temperature,
        "seed": seed,
    }
    return Prediction(data, card.name, () if made.text.strip() else ("The model wrote nothing: it ended at once.",))


def _hypothesis(value: Mapping[str, Json], settings: Mapping[str, Json]) -> str:
    return " ".join(str(settings.get("hypothesis") or value.get("question") or "").split())


def _label_logs(model: Writer, prompts: Sequence[str]) -> np.ndarray:
    """ln p of writing each label and ending there, shape (m, 3)."""
    return np.stack([model.likelihood(prompts, label, close=True) for label in LABELS], axis=1).astype(np.float64)


def _judged(model: Writer, prompt: str) -> dict[str, Json]:
    logs = _label_logs(model, [prompt])[0]
    shares = np.exp(logs - np.logaddexp.reduce(logs))
    best = LABELS[int(np.argmax(shares))]
    known = float(np.exp(np.logaddexp.reduce(logs)))
    how = [
        "Each label's likelihood as the model's whole answer, over that of the three together.",
        f"The three together have probability {known:.2g} among all that the model might write: near 1 it knows this request, near 0 not.",
        "Not calibrated: Bioloom has not measured this checkpoint.",
    ]
    return {
        "label": best,
        "labels": [
            {"label": label, "probability": round(float(p), 6), "log_prob": round(float(log), 4)}
            for label, p, log in zip(LABELS, shares, logs, strict=True)
        ],
        "known": round(known, 6),
        "text": [f"{best.capitalize()}, with probability {shares.max():.2f}. Judged by a model: not evidence.", *how],
        "how": how,
        "written": best,
        "notice": NOTICE,
    }
