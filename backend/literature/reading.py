"""What tasks on a text share: the record of what was read, sentences around a place, and the pieces that a question is put to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from backend.domain import Json
from backend.errors import InputError
from backend.literature.evidence import check_evidence
from backend.literature.library import library
from backend.literature.texts import question_of, read_text, sentence_spans, windows
from backend.tasks import Context

if TYPE_CHECKING:
    from backend.models.abilities import Reads

Spot = tuple[int, int]

_JOINTS = 4  # tokens that stand between a question and its context, and around both
UNKNOWN_MUCH = 0.05  # share of unknown tokens from which the reader is warned
AT_ONCE = 16  # windows handed to a model between two looks at the stop button


@dataclass(frozen=True)
class Piece:
    """A part of a text that a model reads at once: characters `start` to `end` of the text of `title`."""

    text: str
    start: int
    end: int
    title: str
    paper: int | None = None
    sha256: str = ""

    def json(self) -> dict[str, Json]:
        return {"content": self.text, "start": self.start, "end": self.end, "title": self.title, "paper": self.paper, "sha256": self.sha256}


def material(model: Reads, given: Mapping[str, Json], spans: Sequence[Spot]) -> dict[str, Json]:
    """What was read, for the run: the text itself, since an explanation is computed from it, and how it was cut."""
    text = str(given["text"])
    return {
        "name": given["name"],
        "paper": given.get("paper"),
        "sha256": given["sha256"],
        "content": text,
        "characters": len(text),
        "sentences": len(sentence_spans(text)),
        "windows": [list(span) for span in spans],
        "window_tokens": model.window,
        "unknown": round(model.unknown_share(text), 4),
    }


def notes(read: Mapping[str, Json]) -> tuple[str, ...]:
    """Warnings that hold for any task on this material."""
    return unknown_note(float(read["unknown"]), "the text")


def unknown_note(share: float, of: str) -> tuple[str, ...]:
    """A warning where much of a text is unknown to the model; `of` names the text."""
    if share <= UNKNOWN_MUCH:
        return ()
    return (
        f"{share:.0%} of the pieces of {of} are not in the model's vocabulary: it reads them as unknown. "
        "The text may be of another language or script than the model was made for.",
    )


def retracted(context: Context, papers: Iterable[int | None]) -> list[str]:
    """A warning for each paper of the library that was retracted, as its record says."""
    ids = [paper for paper in dict.fromkeys(papers) if paper is not None]
    return [
        f"The paper {f'PMID {stored.paper.pmid}' if stored.paper.pmid else stored.id} was retracted: “{stored.paper.title[:100]}”."
        for stored in library(context).get(ids).values()
        if any(notice.kind == "retracted" for notice in stored.paper.notices)
    ]


def around(sentences: Sequence[Spot], start: int, end: int) -> Spot:
    """The sentence that holds a place; where a place crosses sentences, all of them."""
    held = [span for span in sentences if span[0] < end and start < span[1]]
    return (min(held[0][0], start), max(held[-1][1], end)) if held else (start, end)


def read_question(example: str) -> Any:
    """The ``read`` of a task that asks a question of a text, or of the papers that a saved answer quotes.

    The input is that of `read_text`, or ``{"run": id of a literature.ask run}`` with a ``question`` where it is to be another one.
    """

    def read(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json]) -> dict[str, Json]:
        if not value.get("run"):
            given = read_text(context, value, settings)
            return {**given, "question": question_of(given, example)}
        run = context.storage.runs.get(str(value["run"]))
        if run.task != "literature.ask" or run.prediction is None:
            raise InputError(f"Run {run.id} is not an answer from the papers.", "Name a run of literature.ask.")
        evidence = run.prediction["answer"]["evidence"]
        if not evidence:
            raise InputError(f"Run {run.id} quotes no paper: the library could not answer.", "Ask again in other words, or import papers.")
        question = " ".join(str(value.get("question") or run.prediction["question"]).split())
        kept = ("document", "title", "start", "end", "quote", "sha256")
        return {
            "run": run.id,
            "name": question,
            "question": question_of({"question": question}, example),
            "quotes": [{name: item[name] for name in kept} for item in evidence],
        }

    return read


def tokens_of(model: Reads, question: str) -> int:
    """What a question takes of the model's window, with what stands between it and a text.

    Raises
    ------
    InputError
        When that is more than half of the window.
    """
    asked = model.lengths([question])[0] + _JOINTS
    if asked > model.window // 2:
        raise InputError(
            f"The question takes {asked:,} tokens; this model reads {model.window:,} at once, question and text together: "
            f"“{question[:60]}{'...' if len(question) > 60 else ''}”.",
            "Ask a shorter question.",
        )
    return asked


def pieces(context: Context, model: Reads, given: Mapping[str, Json]) -> list[Piece]:
    """What the question of `given` is put to: windows of the text, or those windows of the quoted papers that hold a quote.

    Raises
    ------
    InputError
        When the question takes up more than half of what the model reads at once, or a quoted paper is gone.
    StorageError
        When a quoted paper's stored text is no longer what was quoted.
    """
    asked = tokens_of(model, str(given["question"]))
    if "quotes" not in given:
        text = str(given["text"])
        spans = windows(model, text, asked)
        return [Piece(text[start:end], start, end, str(given["name"]), given.get("paper"), str(given["sha256"])) for start, end in spans]
    made: list[Piece] = []
    for paper in dict.fromkeys(int(item["document"]) for item in given["quotes"]):
        quotes = [item for item in given["quotes"] if int(item["document"]) == paper]
        stored = library(context).paper(paper)
        for item in quotes:
            check_evidence(item, stored)
        text = stored.paper.text
        for start, end in windows(model, text, asked):
            if any(item["start"] < end and start < item["end"] for item in quotes):
                made.append(Piece(text[start:end], start, end, stored.paper.title, paper, stored.sha256))
    return made


def asked_of(found: Sequence[Piece]) -> str:
    """What a question was put to, in words."""
    papers = len({piece.paper for piece in found if piece.paper is not None})
    parts = f"{len(found):,} part{'s' if len(found) != 1 else ''}"
    if papers > 1:
        return f"{parts} of {papers} papers"
    return f"{parts} of the text" if len(found) > 1 else "the whole text"


def pick(target: Mapping[str, Json], name: str, items: Sequence[Any], what: str) -> int:
    """Which item a target names, counted from 1; the first unless said.

    Raises
    ------
    InputError
        When there is none of that number.
    """
    try:
        at = int(target.get(name, 1))
    except (TypeError, ValueError):
        at = 0
    if not 1 <= at <= len(items):
        raise InputError(f"There is no {what} number {target.get(name, 1)}.", f"This result has {len(items):,}; they are counted from 1.")
    return at - 1
