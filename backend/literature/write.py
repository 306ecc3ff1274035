"""Task literature.write: a prompt in, a model's continuation out, marked as generated; references guessed and looked up."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from backend.domain import Json, Prediction, Profile
from backend.errors import InputError
from backend.literature.beside import METHOD, nearest
from backend.literature.citations import HOW, look_up
from backend.literature.library import library
from backend.literature.reading import pick
from backend.literature.texts import read_text
from backend.literature.visible import visible
from backend.literature.why_words import placed
from backend.literature.written import NOTICE, checked, explain_prompt, how_to_write, ids_of, kept, refused, to_text, tokens_csv, told
from backend.tasks import Context, pick_model, task

if TYPE_CHECKING:
    from backend.models.abilities import Writes

TASK = "literature.write"
MOST_CITATIONS = 8
_REFERENCE = 40  # tokens that a guessed reference is given at least


def explain(context: Context, prediction: Mapping[str, Json], target: Mapping[str, Json], settings: Mapping[str, Json]) -> dict[str, Json]:
    """Which words of the prompt made the written text, or a guessed reference, likely.

    Parameters
    ----------
    target : mapping
        Nothing for the text; ``{"citation": n}`` for the n-th guessed reference.

    Raises
    ------
    InputError
        When nothing was written, or there is no such reference.
    """
    prompt = str(prediction["prompt"])[int(prediction["read_from"]) :]
    start = int(prediction["read_from"])
    named: dict[str, Json] = {}
    with context.runtime.use(str(prediction["model"])) as model:
        if "citation" in target:
            at = pick(target, "citation", prediction["citations"], "guessed reference")
            ids, named = [int(each) for each in prediction["citations"][at]["ids"]], {"citation": at + 1}
            about = f"likelihood of guessed reference {at + 1} at the end of the prompt"

            def score(texts: Sequence[str]) -> np.ndarray:
                found: np.ndarray = model.reference_score(texts, ids)
                return found
        else:
            text, ids, about = str(prediction["written"]), ids_of(prediction), "likelihood of the written text after the prompt"
            if not ids:
                raise InputError("The model wrote nothing: it ended at once.", "Give another prompt, or a higher temperature.")

            def score(texts: Sequence[str]) -> np.ndarray:
                found: np.ndarray = model.likelihood(texts, text, ids=ids)
                return found

        made = explain_prompt(score, prompt, target=about, progress=context.progress)
    return {"target": named, "model": prediction["model"], "sites": placed(made, start), "sequence": str(prediction["prompt"])}


@task(
    TASK,
    title="Continue a text",
    modality="literature",
    models=(),
    settings={"model": "", "length": 60, "temperature": 0.0, "seed": 0, "citations": 0, "cut": False},
    read=read_text,
    explain=explain,
    exports={"txt": to_text, "csv": tokens_csv, "json": lambda prediction: json.dumps(dict(prediction), ensure_ascii=False, indent=1)},
)
def write(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json], profile: Profile) -> Prediction:
    """Continue ``value['text']`` by up to ``settings['length']`` tokens, and guess ``settings['citations']`` references at its end."""
    card = pick_model(context, TASK, str(settings.get("model") or ""))
    most, temperature, seed = how_to_write(settings)
    citations = _citations(settings)
    prompt = str(value["text"])
    with context.runtime.use(card.name) as model:
        if citations and not hasattr(model, "suggest"):
            raise InputError(f"{card.title} was not taught to write references.", "Choose a Galactica model, or set citations to 0.")
        start = _start(model, prompt, max(most, _REFERENCE if citations else 0), str(settings.get("cut")).lower() in ("true", "1", "yes"))
        read = prompt[start:]
        check = checked(context, most)
        made = model.write(read, most=most, temperature=temperature, seed=seed, check=check)
        context.progress.update(most, most, "Looking in the library")
        guessed = model.suggest(read, number=citations, check=context.progress.check) if citations else []
    warnings = []
    if start:
        warnings.append(f"The first {start:,} characters of the prompt were not read: it is longer than what the model holds.")
    if not made.text.strip():
        warnings.append("The model wrote nothing: it ended at once.")
    shelf = library(context)
    if not shelf.count():
        warnings.append("The library is empty: nothing that was written could be compared with papers.")
    found = look_up(shelf, guessed)
    how = told(made, temperature, seed)
    held = sum(each["status"] == "held" for each in found)
    lines = [NOTICE, "", visible(made.text.strip()) or "(nothing)", "", *how]
    if found:
        lines += [f"References guessed: {len(found)}, of which {held} in your library. None is verified."]
        lines += [f"{at}. {visible(each['text'])} - {each['words']}" for at, each in enumerate(found, start=1)]
    data: dict[str, Json] = {
        **kept(made),
        "text": lines,
        "how": how,
        "model": card.name,
        "name": value["name"],
        "prompt": prompt,
        "read_from": start,
        "sentences": nearest(context, made.text),
        "nearest_method": METHOD,
        "citations": found,
        "citations_method": HOW,
        "temperature": temperature,
        "seed": seed,
    }
    return Prediction(data, card.name, tuple(warnings))


def _citations(settings: Mapping[str, Json]) -> int:
    try:
        number = int(settings.get("citations") or 0)
    except (TypeError, ValueError):
        number = -1
    if not 0 <= number <= MOST_CITATIONS:
        raise InputError(f"The number of references must be from 0 to {MOST_CITATIONS}.", "0 guesses none.")
    return number


def _start(model: Writes, prompt: str, most: int, cut: bool) -> int:
    """The character from which the prompt is read: 0, or the first word from which all fits."""
    room = model.window - most
    size = model.lengths([prompt])[0]
    if size <= room:
        return 0
    if not cut or room < 2:
        raise refused(size, most, model.window, "Shorten it, ask for a shorter text, or set cut=true to read only its end.")
    low, high = 0, len(prompt)  # the prompt's end from `high` on fits, from `low` on it does not
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if model.lengths([prompt[middle:]])[0] <= room else (middle, high)
    space = next((at for at in range(high, len(prompt)) if prompt[at].isspace()), high - 1)
    return space + 1 if prompt[space + 1 :].strip() else high
