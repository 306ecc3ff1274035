"""The person's papers: importing, finding, removing, and keeping both search indexes in step with the database."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock

from backend.domain import Json, Paper, Skipped, digest
from backend.errors import BioloomError, Cancelled, InputError, ModelError
from backend.explain.plan import warm_up
from backend.literature.formats import format_of, read_papers
from backend.literature.formats.embedded import embedded_files
from backend.literature.index import FileIndex, Index, index_folder, text_key
from backend.literature.passages import encode
from backend.literature.spool import Of, file_digest, read, write
from backend.literature.wordindex import WordIndex
from backend.log import log
from backend.models.families.bm25 import LexicalIndex, Words
from backend.models.registry import get_card
from backend.progress import Progress, Silent
from backend.storage.papers import Facets, Filters, ImportSummary, PaperStore, StoredPaper
from backend.tasks import Context

if TYPE_CHECKING:
    from backend.jobs import Jobs

ENCODER = "minilm"
EMBEDDED_COLLECTION = "Embedded PubMed abstracts"
_EMBEDDED_KEY = "embedded_abstracts"
_SHORTEST_EMBEDDED = 200  # characters of abstract; shorter ones of the embedded files say too little to quote
_BATCH = 32  # papers encoded between two looks at the cancel button
_WARM_AFTER = 3.0  # seconds: the first page is painted before the model is loaded
_INLINE = 3_000  # papers whose words are indexed while a question waits; more go to the background


@dataclass(frozen=True)
class LibraryStatus:
    """What is there and how far it can be searched. Counts of papers, unless said."""

    works: int
    passages: int  # passages with vectors
    vectors: int  # papers with vectors
    words: int  # papers in the word index
    ready: bool  # the embedded abstracts were read
    version: int


@dataclass(frozen=True)
class ImportReport:
    """What became of one file."""

    name: str
    format: str
    added: int
    merged: int
    skipped: tuple[Skipped, ...]
    seconds: float


@dataclass(frozen=True)
class Snapshot:
    """The library at one version: ids ascending, the keys of their texts, and the word index with its own rows."""

    version: int
    ids: np.ndarray
    keys: np.ndarray
    lexical: LexicalIndex
    lexical_ids: np.ndarray  # the paper of every row of the word index
    lexical_at: np.ndarray  # its position in ids, -1 when it is gone

    def position(self, paper: int) -> int:
        at = int(np.searchsorted(self.ids, paper))
        return at if at < len(self.ids) and self.ids[at] == paper else -1


def library(context: Context) -> Library:
    """The one library of this process."""
    return context.resource("literature.library", lambda: Library(context))


class Library:
    """Papers in the database, words and vectors in index files beside it."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._store = PaperStore(context.storage)
        self._words = Words()
        self._lock = threading.RLock()
        self._used = threading.Event()
        self._snapshot: Snapshot | None = None
        self._building: threading.Thread | None = None
        self._folder = index_folder(context.config)
        card = get_card(ENCODER)
        self._word_index = WordIndex(self._folder / "words", self._store, self._words)
        self.index: Index = FileIndex(self._folder / f"{card.name}-{card.sha256[:12]}-int8", 384)

    # --- importing ------------------------------------------------------------------------------------------------

    def import_file(
        self, path: Path, name: str | None = None, collection: str | None = None, progress: Progress | None = None
    ) -> ImportReport:
        """Read one file into the library: all of it, or nothing.

        Raises
        ------
        InputError
            When the file cannot be read; nothing of it was kept.
        StorageError
            When it could not be stored; nothing of it was kept.
        """
        began = time.monotonic()
        progress = progress or Silent()
        path = Path(path)
        if not path.is_file():
            raise InputError(f"There is no file at {path}.", "Check the path.")
        name = name or path.name
        kind = format_of(path, name)
        records = read_papers(path, name, self._context.config.limits, progress)
        summary = self.add(records, name=name, sha256=file_digest(path), kind=kind, collection=collection, progress=progress)
        self.refresh(wait=True)
        log().info("library.import", kind=kind, count=summary.added, seconds=round(time.monotonic() - began, 2))
        return ImportReport(name, kind, summary.added, summary.merged, summary.skipped, time.monotonic() - began)

    def import_embedded(self, progress: Progress | None = None) -> ImportReport | None:
        """Read the PubMed abstracts that came with the installation, once; None when that was done before."""
        progress = progress or Silent()
        began = time.monotonic()
        with FileLock(str(self._context.config.data / "embedded.lock")):
            if self._context.storage.settings.get(_EMBEDDED_KEY):
                self.refresh(wait=True)
                return None
            files = embedded_files()
            short = 0

            def records() -> Iterator[Paper | Skipped]:
                nonlocal short
                for file in files:
                    for record in read_papers(file, file.name, self._context.config.limits, Silent()):
                        if isinstance(record, Paper) and sum(s.end - s.start for s in record.sections) > _SHORTEST_EMBEDDED:
                            yield record
                        else:
                            short += 1
                yield Skipped("all files", f"{short:,} records without an abstract of more than {_SHORTEST_EMBEDDED} characters")

            summary = self.add(
                records(),
                name=EMBEDDED_COLLECTION,
                sha256=digest(" ".join(file_digest(file) for file in files)),
                kind="pubmed",
                collection=EMBEDDED_COLLECTION,
                progress=progress,
            )
            self._context.storage.settings.set(_EMBEDDED_KEY, {"works": summary.added})
        progress.update(0, None, "Indexing words")
        self.refresh(wait=True)
        return ImportReport(summary.name, summary.format, summary.added, summary.merged, summary.skipped, time.monotonic() - began)

    def add(
        self,
        records: Iterable[Paper | Skipped],
        *,
        name: str,
        kind: str,
        sha256: str = "",
        collection: str | None = None,
        progress: Progress | None = None,
    ) -> ImportSummary:
        """Store papers that were read elsewhere: all of them, or none."""
        progress = progress or Silent()
        # Parsed into a nameless temporary file first: the database is then written in one short transaction, and a file that
        # turns out damaged at its end has touched nothing.
        with tempfile.TemporaryFile(dir=self._context.config.data) as file:
            total = write(records, file, progress)
            file.seek(0)
            progress.update(0, total, f"Storing {total:,}")
            return self._store.add(read(file), name=name, sha256=sha256, format=kind, collection=collection, progress=Of(progress, total))

    # --- reading --------------------------------------------------------------------------------------------------

    def papers(self, text: str = "", filters: Filters | None = None, limit: int = 50, offset: int = 0) -> list[StoredPaper]:
        return self._store.page(text, filters, limit, offset)

    def count(self, text: str = "", filters: Filters | None = None) -> int:
        return self._store.count(text, filters)

    def paper(self, paper_id: int) -> StoredPaper:
        found = self._store.get([paper_id])
        if paper_id not in found:
            raise InputError(f"Paper {paper_id} is no longer in the library.", "Import its record again to read it in full.")
        return found[paper_id]

    def get(self, ids: Sequence[int]) -> dict[int, StoredPaper]:
        """Those of the papers that are still there, by id."""
        return self._store.get(ids)

    def get_texts(self) -> Iterator[tuple[int, str]]:
        """(id, stored text) of every paper, ascending by id."""
        return self._store.texts()

    def texts_of(self, pmids: Sequence[str]) -> dict[str, str]:
        """The stored texts of those papers that are there, by PMID."""
        return self._store.texts_of(pmids)

    def facets(self) -> Facets:
        version = self._store.version()
        held: tuple[int, Facets] | None = self._context.resources.get("literature.facets")
        if held is None or held[0] != version:
            held = (version, self._store.facets())
            self._context.resources["literature.facets"] = held
        return held[1]

    def imports(self) -> list[ImportSummary]:
        return self._store.imports()

    def status(self) -> LibraryStatus:
        snapshot = self.snapshot()
        have = int(self.index.have(snapshot.ids, snapshot.keys).sum())
        words = int((snapshot.lexical_at >= 0).sum())
        ready = bool(self._context.storage.settings.get(_EMBEDDED_KEY))
        return LibraryStatus(len(snapshot.ids), self.index.size, have, words, ready, snapshot.version)

    def allowed(self, filters: Filters) -> np.ndarray | None:
        """Which positions of the snapshot's ids the filters admit; None when they admit all."""
        if not filters:
            return None
        snapshot = self.snapshot()
        mask = np.zeros(len(snapshot.ids), dtype=bool)
        ids = np.array(self._store.ids(filters), dtype=np.int64)
        if len(ids) and len(mask):
            at = np.minimum(np.searchsorted(snapshot.ids, ids), len(mask) - 1)
            mask[at[snapshot.ids[at] == ids]] = True
        return mask

    # --- changing -------------------------------------------------------------------------------------------------

    def remove(self, ids: Sequence[int]) -> int:
        gone = self._store.remove(ids)
        snapshot = self.refresh(wait=True)
        self.index.compact(snapshot.ids, snapshot.keys)
        return gone

    def collections(self) -> list[tuple[str, int]]:
        return self._store.collections()

    def add_to_collection(self, ids: Sequence[int], name: str) -> None:
        self._store.add_to_collection(ids, name)

    def remove_collection(self, name: str) -> None:
        self._store.remove_collection(name)

    # --- the word index -------------------------------------------------------------------------------------------

    @property
    def words(self) -> Words:
        return self._words

    def snapshot(self) -> Snapshot:
        """The library as it is now; a change by any process is noticed here."""
        held = self._snapshot
        if held is not None and held.version == self._store.version():
            self.index.refresh()
            return held
        return self.refresh()

    def refresh(self, wait: bool = False) -> Snapshot:
        """Follow the database. Large changes to the word index are made in the background unless `wait`."""
        with self._lock:
            version = self._store.version()
            held = self._snapshot
            if held is None or held.version != version:
                pairs = self._store.keys()
                ids = np.array([pair[0] for pair in pairs], dtype=np.int64)
                keys = np.array([text_key(pair[1]) for pair in pairs], dtype=np.uint64)
                if held is not None and np.array_equal(held.ids, ids) and np.array_equal(held.keys, keys):
                    held = replace(held, version=version)
                else:
                    lexical, rows = self._word_index.load() if held is None else (held.lexical, held.lexical_ids)
                    held = _snapshot(version, ids, keys, lexical, rows)
                self._snapshot = held
            self.index.refresh()
            missing = len(held.ids) - int((held.lexical_at >= 0).sum())
            gone = int((held.lexical_at < 0).sum())
            if not missing and not gone:
                return held
            if wait or len(held.ids) <= _INLINE:
                return self._build_words(held)
            if self._building is None or not self._building.is_alive():
                self._building = threading.Thread(target=self._build_words, args=(held,), daemon=True, name="bioloom-words")
                self._building.start()
            return held

    def _build_words(self, held: Snapshot) -> Snapshot:
        lexical, rows = self._word_index.follow(held.ids)
        made = _snapshot(held.version, held.ids, held.keys, lexical, rows)
        with self._lock:
            if self._snapshot is None or self._snapshot.version <= made.version:
                self._snapshot = made
        return made

    # --- the vector index -----------------------------------------------------------------------------------------

    def pending(self) -> list[int]:
        """Ids of papers without vectors, the newest imports first."""
        snapshot = self.snapshot()
        missing: list[int] = snapshot.ids[~self.index.have(snapshot.ids, snapshot.keys)].tolist()
        return missing[::-1]

    def encode_papers(self, ids: Sequence[int], encoder: Any) -> None:
        """Compute and store the vectors of these papers."""
        papers = self._store.get(ids)
        self.index.add(encode([(paper_id, papers[paper_id].paper) for paper_id in ids if paper_id in papers], encoder))

    def index_vectors(self, progress: Progress | None = None, most: int | None = None) -> int:
        """Give every paper its vectors, or the `most` newest ones; the number of papers done. Stopping keeps what is done."""
        progress = progress or Silent()
        done = 0
        with FileLock(str(self._folder / "vectors.lock")):
            pending = self.pending()[:most]
            tried: set[int] = set()
            total = len(pending)
            while pending:
                with self._context.runtime.use(ENCODER) as encoder:
                    while pending:
                        piece, pending = pending[:_BATCH], pending[_BATCH:]
                        self._context.foreground.stand_aside()
                        try:
                            progress.check()
                        except Cancelled:
                            raise Cancelled("Stopped on request.", f"{done:,} papers are done; the rest follows next time.") from None
                        self.encode_papers(piece, encoder)
                        tried.update(piece)
                        done += len(piece)
                        progress.update(done, total, f"Reading for meaning: {done:,} of {total:,} papers")
                # what came meanwhile; a paper that was tried once is not tried again, so that this ends whatever it holds
                pending = [paper for paper in self.pending() if paper not in tried] if most is None else []
                total = done + len(pending)
        return done

    def start(self, jobs: Jobs, owner: str = "") -> None:
        """Begin in the background what the library still lacks for asking by words; asking works meanwhile."""

        def prepare(progress: Progress) -> dict[str, Json]:
            report = self.import_embedded(progress)
            if self._used.is_set():
                self.start_vectors(jobs, owner)
            return {"added": report.added if report else 0}

        if not self._context.storage.settings.get(_EMBEDDED_KEY):
            jobs.submit(owner, "library.embedded", "Reading the embedded PubMed abstracts", prepare, key="library.embedded")

    def use(self, jobs: Jobs, owner: str = "") -> None:
        """Somebody is about to ask: read the papers for meaning, and load what a first question waits for, once a process.

        Not before: the encoder takes half a gigabyte and its reading a processor core, which whoever looks at an EEG needs.
        """
        with self._lock:
            if self._used.is_set():
                return
            self._used.set()
        warm = threading.Timer(_WARM_AFTER, self._warm)
        warm.daemon = True
        warm.start()
        if self._context.storage.settings.get(_EMBEDDED_KEY):
            self.start_vectors(jobs, owner)

    def _warm(self) -> None:
        """Load what the first question and the first explanation would otherwise wait for."""
        from backend.literature.warming import warm_readers  # the readers need the library

        try:
            if self.encoder_ready():
                with self._context.runtime.use(ENCODER) as encoder:
                    encoder.encode(["warm"])
            warm_readers(self._context)
            warm_up()
        except BioloomError as error:  # whoever asks first is told what is wrong
            log().info("library.warm_failed", error=type(error).__name__)

    def start_vectors(self, jobs: Jobs, owner: str = "") -> None:
        """Compute missing vectors in the background, once at a time."""

        def work(progress: Progress) -> dict[str, Json]:
            return {"papers": self.index_vectors(progress)}

        if self.pending():
            jobs.submit(owner, "library.vectors", "Reading the papers for meaning", work, key="library.vectors")

    def encoder_ready(self) -> bool:
        """Whether the encoder's files are on this machine."""
        try:
            return self._context.runtime.present(ENCODER)
        except ModelError:
            return False


def _snapshot(version: int, ids: np.ndarray, keys: np.ndarray, lexical: LexicalIndex, rows: np.ndarray) -> Snapshot:
    if len(ids) and len(rows):
        at = np.minimum(np.searchsorted(ids, rows), len(ids) - 1)
        lexical_at = np.where(ids[at] == rows, at, -1)
    else:
        lexical_at = np.full(len(rows), -1, dtype=np.int64)
    return Snapshot(version, ids, keys, lexical, rows, lexical_at)
