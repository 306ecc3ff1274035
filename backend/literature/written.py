"""What tasks that write share: how much, how freely, and what a run keeps of a generated text."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from backend.domain import Explanation, Json
from backend.errors import InputError
from backend.explain.text import MOST_WORDS, Score, explain_sentences, explain_words, words
from backend.literature.entities_export import rows_csv
from backend.literature.texts import sentence_spans
from backend.literature.visible import visible
from backend.models.abilities import Generated
from backend.progress import Progress
from backend.tasks import Context

NOTICE = "Written by a model. Not evidence. Check every statement."
MOST_TOKENS = 1_024
_ENDED = {
    "finished": "The model ended the text by itself.",
    "length": "The text stops at the length asked for; the model would have gone on.",
    "stopped": "The text was stopped.",
}


def how_to_write(settings: Mapping[str, Json]) -> tuple[int, float, int]:
    """Tokens at most, temperature, seed.

    Raises
    ------
    InputError
        When one of them cannot be used.
    """
    try:
        most, temperature, seed = int(settings["length"]), float(settings["temperature"]), int(settings["seed"])
    except (TypeError, ValueError) as error:
        raise InputError("Length, temperature and seed must be numbers.", "For example length=60, temperature=0, seed=0.") from error
    if not 1 <= most <= MOST_TOKENS:
        raise InputError(f"The length must be from 1 to {MOST_TOKENS:,} tokens.", "A token is about three quarters of a word.")
    if not 0 <= temperature <= 2:
        raise InputError("The temperature must be from 0 to 2.", "0 takes the likeliest word each time; 1 draws as the model was trained.")
    if not 0 <= seed < 2**63:
        raise InputError("The seed must be a whole number from 0.", "Any other number gives another text.")
    return most, temperature, seed


def kept(made: Generated) -> dict[str, Json]:
    """A generated text as JSON: its tokens as text, ln p and number, and the sum of ln p; perplexity 1 is certainty."""
    total = sum(made.log_probs)
    return {
        "written": made.text,
        "tokens": [[piece, round(log, 4), token] for piece, log, token in zip(made.pieces, made.log_probs, made.ids, strict=True)],
        "log_prob": round(total, 4),
        "perplexity": round(math.exp(min(50.0, -total / len(made.log_probs))), 3) if made.log_probs else None,
        "ended": made.ended,
        "notice": NOTICE,
    }


def ids_of(written: Mapping[str, Json]) -> list[int]:
    """Numbers of the tokens of a kept text."""
    return [int(token) for _, _, token in written["tokens"]]


def told(made: Generated, temperature: float, seed: int) -> list[str]:
    """How the text came about, in words."""
    drawn = f"Drawn with temperature {temperature:g}, seed {seed}: the same seed gives the same text." if temperature else ""
    return [each for each in (_ENDED[made.ended], drawn or "The likeliest token was taken each time.") if each]


def explain_prompt(score: Score, prompt: str, *, target: str, unit: str = "ln p", progress: Progress | None = None) -> Explanation:
    """Shapley values of the words of a prompt; of its sentences where it has more words than can be told apart."""
    if len(words(prompt)) <= MOST_WORDS:
        return explain_words(score, prompt, target=target, unit=unit, progress=progress)
    return explain_sentences(score, prompt, sentence_spans(prompt), len(prompt), target=target, unit=unit, progress=progress)


def to_text(prediction: Mapping[str, Json]) -> str:
    """A plain text that says of itself that it was generated, also when the file is passed on."""
    head = [NOTICE, f"Model: {prediction['model']}", *(str(line) for line in prediction["how"]), ""]
    return "\n".join(
        [*head, "--- given ---", str(prediction["prompt"]), "", "--- written by the model ---", visible(str(prediction["written"])), ""]
    )


def tokens_csv(prediction: Mapping[str, Json]) -> str:
    """One row a token; every row says that a model wrote it, so that no part of the table goes on without."""
    return rows_csv(
        ("token", "ln p", "number", "notice"), [(visible(str(piece)), log, at, NOTICE) for piece, log, at in prediction["tokens"]]
    )


def refused(tokens: int, most: int, window: int, remedy: str) -> InputError:
    """A prompt that does not fit, with the limit."""
    return InputError(f"The text has {tokens:,} tokens; with {most:,} to write, this model reads at most {window:,}.", remedy)


def checked(context: Context, most: int) -> Callable[[], None]:
    """Called before each token: says how far it is, and raises where the person stopped it."""
    done = 0

    def check() -> None:
        nonlocal done
        context.progress.check()
        context.progress.update(done, most, f"Writing: {done:,} of at most {most:,} tokens")
        done += 1

    return check
