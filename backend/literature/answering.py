"""What the readers make of a search: sentences weighed, the best papers judged one by one, and their verdicts joined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backend.domain import Json
from backend.literature.conformal import LEVEL, set_of
from backend.literature.contradiction import MOST, meter
from backend.literature.evidence import check_evidence
from backend.literature.judging import LEAST, OPEN, Floats, called, judge
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
_ALONE = "One study: the verdict is the reader's on it, and the 90% set is made for one study read alone."
_MANY = (
    "{n} studies, each read alone; joined as the mean of the logarithms of their probabilities, weighted by how much the best sentence of "
    "each bears on the question. The 90% set is made for one study read alone; of joined verdicts its coverage was not measured."
)


@dataclass(frozen=True)
class Part:
    """What of a paper is judged: characters `start` to `end` of its stored text, and how much its best sentence bears on the question."""

    stored: StoredPaper
    start: int
    end: int
    bearing: float

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
    """``verdict``, ``ground`` and ``contradiction`` of the papers whose best sentence is worth quoting.

    Parameters
    ----------
    order : sequence of Weighed
        Sentences, best first.

    Raises
    ------
    StorageError
        When a stored text is not what was indexed.
    """
    best: dict[int, Weighed] = {}
    for each in order:
        if not _retracted(found.stored[each.sentence.paper]):
            best.setdefault(each.sentence.paper, each)
    chosen = list(best.values())[:MOST]
    if not chosen:
        return {"verdict": None, "ground": UNDECIDED, "contradiction": None}
    with context.runtime.use(VERDICT) as model:
        parts = [part_of(model, question, found.stored[each.sentence.paper], each) for each in chosen]
        shares = judge(model, question, [part.text for part in parts], context.progress)
        covering = model.covering
    for part in parts:
        check_evidence({"sha256": part.stored.sha256, "start": part.start, "end": part.end, "quote": part.text}, part.stored)
    verdict = joined(parts[:JOINED], shares[:JOINED], covering)
    card = get_card(VERDICT, context.config)
    verdict |= {"calibration": calibration_of(card), "measured": accuracy_of(card)}
    ground = UNDECIDED if verdict["said"] == OPEN else None
    return {"verdict": verdict, "ground": ground, "contradiction": meter(shares, [part.names() for part in parts])}


def part_of(model: Judges, question: str, stored: StoredPaper, best: Weighed) -> Part:
    """The whole stored text where the reader takes it in at once, else that passage of it that holds the best sentence."""
    text, asked = stored.paper.text, tokens_of(model, question)
    if model.lengths([text])[0] + asked <= model.window:
        return Part(stored, 0, len(text), best.bearing)
    spans = windows(model, text, asked)
    start, end = next((span for span in spans if best.sentence.start < span[1]), spans[-1])
    return Part(stored, start, end, best.bearing)


def joined(parts: Sequence[Part], shares: Floats, covering: float | None) -> dict[str, Json]:
    """One verdict of several studies, and each study's own.

    It is 'open' where no answer reaches one half, or where the prediction set rules none of the three out.
    """
    weights = np.array([part.bearing for part in parts], dtype=np.float64)
    weights = weights / weights.sum() if weights.sum() > 0 else np.full(len(parts), 1 / len(parts))
    whole = weighted(shares, weights)
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
            }
            for part, row, weight in zip(parts, shares, weights, strict=True)
        ],
        "model": VERDICT,
    }


def weighted(shares: Floats, weights: Floats) -> Floats:
    """The normalised weighted geometric mean of distributions, (m, 3) to (3,); of one distribution, itself."""
    mean = np.exp(weights @ np.log(np.maximum(shares, LEAST)))
    whole: Floats = shares[0] if len(shares) == 1 else mean / mean.sum()
    return whole


def used(context: Context) -> list[dict[str, Json]]:
    """The readers by name and hash, so that an answer can be told from that of other readers."""
    return [{"name": name, "sha256": get_card(name, context.config).sha256} for name in (EVIDENCE, VERDICT)]


def reason(answer: Mapping[str, Json]) -> str:
    """What was found, in a sentence."""
    evidence, verdict = answer["evidence"], answer["verdict"]
    papers = len({item["document"] for item in evidence})
    count = "One sentence bears" if len(evidence) == 1 else f"{len(evidence)} sentences from {papers} paper{'s' * (papers > 1)} bear"
    if verdict is None:
        return f"{count} on the question."
    if verdict["said"] == OPEN:
        return f"{count} on the question, and they do not decide it."
    return f"{verdict['said'].capitalize()}, with probability {max(verdict['probabilities']):.2f}. {count} on the question."


def _retracted(stored: StoredPaper) -> bool:
    return any(notice.kind == "retracted" for notice in stored.paper.notices)


def _rounded(values: Floats) -> list[float]:
    return [round(float(value), 6) for value in values]
