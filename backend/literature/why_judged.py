"""What spoke for a verdict on one text: its sentences, or the words of one of them; for texts and for papers of an answer alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from backend.domain import Json
from backend.explain.text import explain_sentences, explain_words
from backend.literature.judging import log_odds
from backend.literature.reading import pick
from backend.literature.texts import sentence_spans
from backend.literature.why_words import effort, placed
from backend.models.abilities import VERDICTS
from backend.tasks import Context


def explain_judged(
    context: Context, name: str, question: str, text: str, probabilities: Sequence[float], where: str, target: Mapping[str, Json]
) -> dict[str, Json]:
    """Shapley values for the likeliest answer, of an open verdict too.

    Parameters
    ----------
    name : str
        The model that judged.
    where : str
        What was judged, in words: 'part 1', 'paper 2'.
    target : mapping
        With ``"sentence": k``, counted from 1, the words of that sentence, the others staying; else the sentences.

    Returns
    -------
    dict
        ``sites`` and ``sequence``, and ``sentence`` where one was asked for.
    """
    spans, column, most = sentence_spans(text), int(np.argmax(probabilities)), effort(context, name)
    about = f"the verdict '{VERDICTS[column]}' on {where}"
    with context.runtime.use(name) as model:

        def odds(texts: Sequence[str]) -> np.ndarray:
            return log_odds(model.verdict(question, texts)[:, column])

        if "sentence" not in target:
            made = explain_sentences(
                odds, text, spans, len(text), target=about, unit="ln odds", progress=context.progress, max_players=most.players
            )
            return {"sites": placed(made, 0), "sequence": text}
        number = pick(target, "sentence", spans, "sentence")
        start, end = spans[number]
        made = explain_words(
            lambda texts: odds([f"{text[:start]}{each}{text[end:]}" for each in texts]),
            text[start:end],
            target=f"{about}, words of sentence {number + 1} while the others stay",
            unit="ln odds",
            evaluations=most.evaluations,
            baseline="the text without this sentence",
            progress=context.progress,
        )
    return {"sentence": number + 1, "sites": placed(made, start), "sequence": text}
