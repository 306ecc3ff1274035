"""What the readers make of a search: sentences weighed, the best papers judged one by one, and their verdicts joined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backend.domain import Json
from backend.literature import voters
from backend.literature.conformal import LEVEL, set_of
from backend.literature.contradiction import MOST, meter
from backend.literature.evidence import check_evidence
from backend.literature.judging import LEAST, OPEN, Floats, called, judge
from backend.literature.library import library
from backend.literature.nearness import Retrieved
from backend.literature.reading import tokens_of
from backend.literature.texts import windows
from backend.literature.verdict import accuracy_of, calibration_of
from backend.literature.weighing import Weighed
from backend.models.abilities import VERDICTS
from backend.models.registry import get_card
from backend.storage.papers import StoredPaper
from backend.tasks import Context

if TYPE_CHECKING:
    from backend.models.abilities import Judges

EVIDENCE, VERDICT = "reader-evidence", "reader-verdict"
JOINED = 5  # papers whose verdicts are joined; the contradiction meter reads some more
NOT_THERE, UNDECIDED = "not in library", "does not decide"
USUAL = (0.552, 0.338, 0.110)  # shares of yes, no and maybe among PubMedQA's 500 questions: what is expected where a paper says nothing
_ALONE = "One study: the reader's verdict on it, drawn towards the usual shares of answers as far as it may not answer the question."
_MANY = (
    "{n} studies, each read alone, its verdict drawn towards the usual shares of answers as far as it may not answer the question; joined "
    "as the mean of the logarithms of their probabilities, weighted by how likely each is one that answers."
)


@dataclass(frozen=True)
class Part:
    """What of a paper is judged: characters `start` to `end` of its stored text, and how likely the paper is one that answers."""

    stored: StoredPaper
    start: int
    end: int
    about: float

    @property
    def text(self) -> str:
        return self.stored.paper.text[self.start : self.end]

    def names(self) -> dict[str, Json]:
        paper = self.stored.paper
        return {"document": self.stored.id, "pmid": paper.pmid, "title": paper.title, "year": paper.year}


def readers_ready(context: Context) -> bool:
    """Whether both readers are on this machine."""
    return all(context.runtime.present(name) for name in (EVIDENCE, VERDICT))


def too_long(context: Context, question: str) -> bool:
    """Whether a question takes more than half of what the readers read at once."""
    with context.runtime.use(VERDICT) as model:
        return bool(model.lengths([question])[0] > model.window // 2 - 4)


def judged(context: Context, question: str, found: Retrieved, order: Sequence[Weighed]) -> dict[str, Json]:
    """``verdict``, ``ground`` and ``contradiction`` of the papers that are about the question, likeliest first.

    Parameters
    ----------
    order : sequence of Weighed
        Sentences worth quoting, best first: a paper of which nothing is quoted is not judged.

    Raises
    ------
    StorageError
        When a stored text is not what was indexed.
    """
    best: dict[int, Weighed] = {}
    for each in order:
        if not _retracted(found.stored[each.sentence.paper]):
            best.setdefault(each.sentence.paper, each)
    likely = {paper: p for paper, p in voters.about(library(context), question, found).items() if p >= voters.least() and paper in best}
    chosen = [best[paper] for paper in likely][:MOST]
    if not chosen:
        return {"verdict": None, "ground": UNDECIDED, "contradiction": None}
    with context.runtime.use(VERDICT) as model:
        parts = [part_of(model, question, found.stored[each.sentence.paper], each, likely[each.sentence.paper]) for each in chosen]
        shares = judge(model, question, [part.text for part in parts], context.progress)
        covering = model.covering
    for part in parts:
        check_evidence({"sha256": part.stored.sha256, "start": part.start, "end": part.end, "quote": part.text}, part.stored)
    verdict = joined(parts[:JOINED], shares[:JOINED], covering)
    card = get_card(VERDICT, context.config)
    verdict |= {"calibration": calibration_of(card), "measured": accuracy_of(card)}
    ground = UNDECIDED if verdict["said"] == OPEN else None
    return {"verdict": verdict, "ground": ground, "contradiction": meter(shares, [part.names() for part in parts])}


def part_of(model: Judges, question: str, stored: StoredPaper, best: Weighed, about: float) -> Part:
    """The whole stored text where the reader takes it in at once, else that passage of it that holds the best sentence."""
    text, asked = stored.paper.text, tokens_of(model, question)
    if model.lengths([text])[0] + asked <= model.window:
        return Part(stored, 0, len(text), about)
    spans = windows(model, text, asked)
    start, end = next((span for span in spans if best.sentence.start < span[1]), spans[-1])
    return Part(stored, start, end, about)


def joined(parts: Sequence[Part], shares: Floats, covering: float | None) -> dict[str, Json]:
    """One verdict of several studies, and each study's own.

    It is 'open' where no answer reaches one half, or where the prediction set rules none of the three out.
    """
    weights = np.array([part.about for part in parts], dtype=np.float64)
    whole = weighted(drawn(shares, weights), weights / weights.sum())
    held = set_of(whole, covering)
    said = OPEN if held is not None and len(held) == len(VERDICTS) else called(whole)
    return {
        "said": said,
        "probabilities": _rounded(whole),
        "set": held,
        "level": LEVEL,
        "how": _ALONE if len(parts) == 1 else _MANY.format(n=len(parts)),
        "papers": [
            {
                **part.names(),
                "start": part.start,
                "end": part.end,
                "sha256": part.stored.sha256,
                "probabilities": _rounded(row),
                "said": called(row),
                "weight": round(float(weight), 4),
                "about": round(part.about, 4),
            }
            for part, row, weight in zip(parts, shares, weights / weights.sum(), strict=True)
        ],
        "model": VERDICT,
    }


def drawn(shares: Floats, about: Floats) -> Floats:
    """Distributions (m, 3) mixed with the usual shares of answers: a paper that may not answer the question decides no more than that."""
    mixed: Floats = about[:, None] * shares + (1 - about[:, None]) * np.array(USUAL)
    return mixed


def weighted(shares: Floats, weights: Floats) -> Floats:
    """The normalised weighted geometric mean of distributions, (m, 3) to (3,); of one distribution, itself."""
    mean = np.exp(weights @ np.log(np.maximum(shares, LEAST)))
    whole: Floats = shares[0] if len(shares) == 1 else mean / mean.sum()
    return whole


def used(context: Context) -> list[dict[str, Json]]:
    """The readers by name and hash, so that an answer can be told from that of other readers."""
    return [{"name": name, "sha256": get_card(name, context.config).sha256} for name in (EVIDENCE, VERDICT)]


def reason(answer: Mapping[str, Json]) -> str:
    """What was found, in a sentence; of a verdict no more than its prediction set leaves."""
    evidence, verdict = answer["evidence"], answer["verdict"]
    papers = len({item["document"] for item in evidence})
    quoted = (
        "One sentence is quoted" if len(evidence) == 1 else f"{len(evidence)} sentences from {papers} paper{'s' * (papers > 1)} are quoted"
    )
    if verdict is None:
        order = ": papers as the search ranks them, within each first the sentence that bears most on the question" * (len(evidence) > 1)
        return f"{quoted}{order}. Whether they answer it was not judged."
    said, held = verdict["said"], verdict["set"] or ()
    if said == OPEN:
        return f"Open: the papers do not decide it. {quoted}."
    sure = f"with probability {max(verdict['probabilities']):.2f}"
    if list(held) == [said]:
        return f"{said.capitalize()}, {sure}. {quoted}."
    others = " or ".join(name for name in VERDICTS if name in held and name != said)
    return f"Leans to {said}, {sure}, and {f'{others} is not' if others else 'nothing is'} ruled out. {quoted}."


def _retracted(stored: StoredPaper) -> bool:
    return any(notice.kind == "retracted" for notice in stored.paper.notices)


def _rounded(values: Floats) -> list[float]:
    return [round(float(value), 6) for value in values]
