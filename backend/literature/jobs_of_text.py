"""What an encoder-decoder can be asked to make of a text, and the wording of each request."""

from __future__ import annotations

import re
from dataclasses import dataclass

from backend.errors import InputError

LABELS = ("entailment", "neutral", "contradiction")
_FIELD = re.compile(r"\{(\w+)\}")
_T5 = "wording of T5's own training (Raffel et al. 2020, arXiv:1910.10683, appendix D)"
_OWN = "wording of Bioloom's own: none is published"


@dataclass(frozen=True)
class Job:
    """One request: its name, what it does, the prompt with {text} (and {hypothesis}), and where the wording comes from."""

    name: str
    title: str
    about: str
    template: str
    origin: str


JOBS = {
    job.name: job
    for job in (
        Job("summary", "Summary", "The impression of findings, or the short form of a text.", "summarize: {text}", _T5),
        Job(
            "nli",
            "Does it follow?",
            "Whether a statement follows from the text, contradicts it, or neither: by the likelihood of each answer.",
            "mnli hypothesis: {hypothesis} premise: {text}",
            _T5,
        ),
        Job("report", "Report", "A report from notes.", "report: {text}", _OWN),
        Job("free", "A prompt of your own", "Whatever your checkpoint was taught: write its prompt.", "", "wording of your own"),
    )
}


def find_job(name: str) -> Job:
    """The job of that name; an unknown one is answered with all of them."""
    if name not in JOBS:
        raise InputError(f"There is no job called '{name}'.", f"Jobs are: {', '.join(JOBS)}.")
    return JOBS[name]


def wording(job: Job, template: str) -> tuple[str, str]:
    """The prompt with its fields, and whose wording it is: the person's where one is given.

    Raises
    ------
    InputError
        When a needed field is missing, or one is named that does not exist.
    """
    needed = {"text", "hypothesis"} if job.name == "nli" else {"text"}
    if not template.strip():
        if not job.template:
            raise InputError("This job needs a prompt of your own.", "Write it with {text} where the text goes.")
        return job.template, job.origin
    named = set(_FIELD.findall(template))
    if missing := needed - named:
        raise InputError(
            f"The prompt does not say where the {' and the '.join(sorted(missing))} goes.",
            f"Write {', '.join(f'{{{field}}}' for field in sorted(needed))} in it.",
        )
    if strange := named - needed:
        raise InputError(f"This job has no {', '.join(sorted(strange))} to put into the prompt.")
    return template, "wording of your own"


def filled(template: str, **fields: str) -> str:
    """The prompt with its fields filled once, so that braces in a text stay what they are."""
    return _FIELD.sub(lambda found: fields.get(found[1], found[0]), template)
