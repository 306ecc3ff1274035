"""Speed and quality of Literature on the embedded library: `python -m tests.benchmarks.literature [titles quotes latency import]`.

The library is kept in .bioloom/bench between runs (about 15 minutes to read for meaning the first time on two cores). Each part is
measured in one run beside its peer, bm25s on its own with the same stemmer; the result is printed as JSON.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from backend.config import ROOT, load_config
from backend.domain import Json, digest
from backend.literature.index import EncodedPassage, text_key
from backend.literature.library import ENCODER, Library, library
from backend.literature.passages import mean_vector
from backend.literature.retrieval import fuse, lexical_ranking, retrieve, semantic_ranking
from backend.metrics import bootstrap, paired_difference
from backend.progress import Bar, Silent
from backend.storage.papers import StoredPaper
from backend.workbench import Workbench
from tests.literature.papers import write

SEED = 7
QUESTIONS = [
    "Does {} reduce mortality?",
    "What is known about {}?",
    "Is {} associated with cardiovascular disease?",
    "Which treatments are effective in {}?",
    "What are the adverse effects of {} in adults?",
]


class Peer:
    """bm25s as its documentation shows it: tokenize with an English stemmer and stop words, index, retrieve."""

    def __init__(self, texts: Sequence[str]) -> None:
        import bm25s
        import Stemmer

        self._stemmer = Stemmer.Stemmer("english")
        self._bm25s = bm25s
        self._index = bm25s.BM25()
        self._index.index(bm25s.tokenize(list(texts), stopwords="en", stemmer=self._stemmer, show_progress=False), show_progress=False)

    def search(self, question: str, k: int = 10) -> list[int]:
        tokens = self._bm25s.tokenize([question], stopwords="en", stemmer=self._stemmer, show_progress=False)
        found, _ = self._index.retrieve(tokens, k=k, show_progress=False)
        return [int(row) for row in found[0]]


def open_library(folder: Path) -> tuple[Workbench, Library]:
    bench = Workbench(load_config({"BIOLOOM_DATA": str(folder), "BIOLOOM_OFFLINE": "0"}))
    shelf = library(bench.context)
    with Bar("Preparing") as bar:
        if not bench.runtime.present(ENCODER):
            bench.runtime.fetch(ENCODER, bar, allow_network=True)
        shelf.import_embedded(bar)
        shelf.index_vectors(bar)
    return bench, shelf


def titles(bench: Workbench, shelf: Library, count: int = 500) -> dict[str, Json]:
    """Title to own abstract over the whole library, titles taken out of the searched texts."""
    with tempfile.TemporaryDirectory() as folder:
        config = replace(bench.config, data=Path(folder), database_url=f"sqlite:///{folder}/bench.db")
        other = Workbench(config)
        bare, gold = untitled(shelf, library(other.context), count)
        snapshot = bare.snapshot()
        texts = dict(bare.get_texts())
        peer = Peer([texts[paper] for paper in snapshot.ids.tolist()])
        ranks: dict[str, list[int]] = {"bm25s alone": [], "bm25": [], "minilm": [], "fused": []}
        with bench.runtime.use(ENCODER) as encoder:
            for title, own in gold:
                vector = encoder.encode([title])[0]
                words = [paper for paper, _ in lexical_ranking(bare, snapshot, title, None)]
                meaning = [paper for paper, _ in semantic_ranking(bare, snapshot, vector, None)]
                ranks["bm25s alone"].append(_rank([int(snapshot.ids[row]) for row in peer.search(title, 100)], own))
                ranks["bm25"].append(_rank(words, own))
                ranks["minilm"].append(_rank(meaning, own))
                ranks["fused"].append(_rank([paper for paper, _ in fuse([words, meaning])], own))
        other.close()
    first = {name: [float(rank == 1) for rank in found] for name, found in ranks.items()}
    reciprocal = {name: [1 / rank if rank else 0.0 for rank in found] for name, found in ranks.items()}
    return {
        "n": len(gold),
        "library": len(snapshot.ids),
        "recall@1": {name: bootstrap(values).json() for name, values in first.items()},
        "mrr": {name: bootstrap(values).json() for name, values in reciprocal.items()},
        "fused minus bm25s alone, mrr": paired_difference(reciprocal["fused"], reciprocal["bm25s alone"]).json(),
    }


def untitled(shelf: Library, bare: Library, count: int) -> tuple[Library, list[tuple[str, int]]]:
    """A copy of the library without titles (its sentence vectors are reused), and titles to ask for with the paper of each."""
    snapshot = shelf.snapshot()
    stored: list[StoredPaper] = []
    for at in range(0, len(snapshot.ids), 2_000):
        stored += shelf.get(snapshot.ids[at : at + 2_000].tolist()).values()
    stored.sort(key=lambda item: item.id)
    cut = {item.id: len(item.paper.title) + 2 for item in stored}
    bodies = [
        replace(
            item.paper,
            text=item.paper.text[cut[item.id] :],
            title="",
            pmid=str(item.id),
            doi="",
            sections=tuple(replace(s, start=s.start - cut[item.id], end=s.end - cut[item.id]) for s in item.paper.sections),
        )
        for item in stored
    ]
    bare.add(bodies, name="bench", kind="bench", progress=Silent())
    bare.refresh(wait=True)
    new = {body.paper.pmid: paper for paper, body in bare.get(bare.snapshot().ids.tolist()).items()}
    made: list[EncodedPassage] = []
    for item, body, key in zip(stored, bodies, snapshot.keys.tolist(), strict=True):
        for passage in shelf.index.passages(item.id, key):
            inside = [i for i, (start, _) in enumerate(passage.sentences) if start >= cut[item.id]]
            if inside:
                spans = [(passage.sentences[i][0] - cut[item.id], passage.sentences[i][1] - cut[item.id]) for i in inside]
                vectors = passage.vectors[inside]
                made.append(
                    EncodedPassage(
                        new[str(item.id)],
                        text_key(digest(body.text)),
                        spans[0][0],
                        spans[-1][1],
                        mean_vector(vectors, spans),
                        spans,
                        vectors,
                    )
                )
    bare.index.add(made)
    usable = [item for item in stored if len(item.paper.title.split()) >= 5 and not item.paper.title.startswith("[")]
    chosen = random.Random(SEED).sample(usable, count)
    return bare, [(item.paper.title, new[str(item.id)]) for item in chosen]


def questions(shelf: Library, count: int) -> list[str]:
    """Questions about MeSH headings and title words of the library, the same in every run."""
    draw = random.Random(SEED)
    topics = [term.replace(",", "") for term, _ in shelf.facets().mesh[20:]]
    topics += [" ".join(stored.paper.title.rstrip(".").split()[:6]) for stored in shelf.papers(limit=400)]
    return [draw.choice(QUESTIONS).format(draw.choice(topics)) for _ in range(count)]


def latency(bench: Workbench, shelf: Library, count: int = 200) -> dict[str, Json]:
    """Warm question to saved answer with checked quotes, against a bm25s search alone."""
    texts = dict(shelf.get_texts())
    peer = Peer(list(texts.values()))
    asked = questions(shelf, count + 10)
    for question in asked[:10]:
        bench.run("literature.ask", {"question": question})
        peer.search(question)
    process = psutil.Process()
    at_rest = process.memory_info().rss
    ours, theirs, inner = [], [], []
    with bench.runtime.use(ENCODER) as encoder:
        for question in asked[10:]:
            theirs.append(_timed(lambda q=question: peer.search(q)))
            ours.append(_timed(lambda q=question: bench.run("literature.ask", {"question": q})))
            inner.append(_timed(lambda q=question: retrieve(shelf, q, encoder)))
    return {
        "n": count,
        "library": len(texts),
        "question to saved answer, ms": _spread(ours),
        "retrieval within it, ms": _spread(inner),
        "bm25s alone, ms": _spread(theirs),
        "ratio of medians": round(float(np.median(ours) / np.median(theirs)), 1),
        "process memory before, MB": round(at_rest / 2**20),
        "process memory after, MB": round(process.memory_info().rss / 2**20),
    }


def quotes(bench: Workbench, shelf: Library, count: int = 1000) -> dict[str, Json]:
    """Every quote of many answers, compared with the stored text byte by byte."""
    seen = wrong = abstained = 0
    for question in questions(shelf, count):
        run = bench.run("literature.ask", {"question": question})
        answer = (run.prediction or {})["answer"]
        abstained += answer["abstained"]
        stored = shelf.get([item["document"] for item in answer["evidence"]])
        for item in answer["evidence"]:
            text = stored[item["document"]].paper.text
            seen += 1
            wrong += text[item["start"] : item["end"]].encode() != item["quote"].encode() or digest(text) != item["sha256"]
    return {"questions": count, "abstained": abstained, "quotes": seen, "quotes that differ from the stored bytes": wrong}


def importing(bench: Workbench, shelf: Library, count: int = 5_000) -> dict[str, Json]:
    """Abstracts a second: into database and word index, and (on 300 of them) reading for meaning."""
    stored = shelf.papers(limit=count)
    records = [
        (str(item.id), item.paper.year or 2000, item.paper.title, item.paper.text[len(item.paper.title) + 2 :], [], []) for item in stored
    ]
    with tempfile.TemporaryDirectory() as folder:
        config = replace(bench.config, data=Path(folder), database_url=f"sqlite:///{folder}/bench.db")
        other = Workbench(config)
        own = library(other.context)
        path = write(Path(folder), "bench.xml", records)
        seconds = _timed(lambda: own.import_file(path))
        with bench.runtime.use(ENCODER) as encoder:
            some = own.pending()[:300]
            meaning = _timed(lambda: own.encode_papers(some, encoder))
        other.close()
    return {
        "abstracts": len(records),
        "stored and found by words, a second": round(len(records) / seconds),
        "read for meaning, a second": round(300 / meaning, 1),
    }


def large(bench: Workbench, shelf: Library, copies: int = 3, count: int = 100) -> dict[str, Json]:
    """About 100,000 papers (the embedded ones, three times): latency, and how long 300 further references take to be found."""
    stored = [item for at in range(0, shelf.count(), 2_000) for item in shelf.papers(limit=2_000, offset=at)]
    with tempfile.TemporaryDirectory() as folder:
        config = replace(bench.config, data=Path(folder), database_url=f"sqlite:///{folder}/bench.db")
        (Path(folder) / "models").symlink_to(bench.config.models.resolve(), target_is_directory=True)
        other = Workbench(config)
        own = library(other.context)
        for copy in range(copies):
            # another last line makes another text and so another work
            works = [replace(item.paper, text=f"{item.paper.text}\n{copy}", pmid=f"{copy}-{item.id}", doi="") for item in stored]
            own.add(works, name="large", kind="bench")
            own.refresh(wait=True)
            ids = {key.paper.pmid: paper for at in range(0, own.count(), 2_000) for paper, key in _page(own, at).items()}
            keys = {item.id: key for item, key in zip(stored, _keys(shelf, stored), strict=True)}
            made = [
                EncodedPassage(
                    ids[f"{copy}-{item.id}"],
                    text_key(digest(work.text)),
                    p.start,
                    p.end,
                    mean_vector(p.vectors, p.sentences),
                    p.sentences,
                    p.vectors,
                )
                for item, work in zip(stored, works, strict=True)
                for p in shelf.index.passages(item.id, keys[item.id])
            ]
            own.index.add(made)
        asked = questions(shelf, count + 5)
        other.run("literature.ask", {"question": asked[0]})
        waits = [_timed(lambda q=question: other.run("literature.ask", {"question": q})) for question in asked[5:]]
        new = [
            (f"9{n}", 2020, f"Zorbafexin in gout, report {n}", f"In group {n} zorbafexin lowered serum urate.", [], []) for n in range(300)
        ]
        path = write(Path(folder), "new.xml", new)
        seconds = _timed(lambda: own.import_file(path))
        found = {
            "library": own.count(),
            "papers with vectors": own.status().vectors,
            "question to saved answer, ms": _spread(waits),
            "300 further references stored and found by words, s": round(seconds, 1),
            "index files, MB": round(sum(f.stat().st_size for f in Path(folder).glob("index/**/*") if f.is_file()) / 2**20),
            "process memory, MB": round(psutil.Process().memory_info().rss / 2**20),
        }
        other.close()
    return found


def _page(own: Library, at: int) -> dict[int, StoredPaper]:
    ids = own.snapshot().ids[at : at + 2_000].tolist()
    return own.get(ids)


def _keys(shelf: Library, stored: Sequence[StoredPaper]) -> list[int]:
    snapshot = shelf.snapshot()
    return [int(snapshot.keys[snapshot.position(item.id)]) for item in stored]


def explanations(bench: Workbench, shelf: Library, count: int = 20) -> dict[str, Json]:
    """Seconds for the explanation of a first evidence sentence, and how many are called reliable."""
    seconds, reliable = [], {"sentences": 0, "words": 0}
    for question in questions(shelf, 4 * count):
        run = bench.run("literature.ask", {"question": question})
        if (run.prediction or {})["answer"]["abstained"]:
            continue
        began = time.perf_counter()
        child = bench.explain(run.id, {"evidence": 1})
        seconds.append(time.perf_counter() - began)
        for part in reliable:
            reliable[part] += (child.explanation or {})[part]["faithfulness"]["reliable"]
        if len(seconds) == count:
            break
    return {"n": len(seconds), "seconds": _spread([1000 * s for s in seconds], 1000), "called reliable": reliable}


def _timed(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _spread(values: Sequence[float], unit: float = 1.0) -> dict[str, float]:
    scaled = np.array(values) * (1000 if unit == 1.0 else 1 / unit)
    return {"p50": round(float(np.quantile(scaled, 0.5)), 2), "p95": round(float(np.quantile(scaled, 0.95)), 2)}


def _rank(ranking: Sequence[int], own: int) -> int:
    return ranking.index(own) + 1 if own in ranking else 0


PARTS: dict[str, Callable[[Workbench, Library], dict[str, Json]]] = {
    "titles": titles,
    "quotes": quotes,
    "latency": latency,
    "import": importing,
    "explanations": explanations,
    "large": large,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], default=list(PARTS))
    parser.add_argument("--data", type=Path, default=ROOT / ".bioloom" / "bench")
    chosen = parser.parse_args()
    bench, shelf = open_library(chosen.data)
    found = {part: PARTS[part](bench, shelf) for part in chosen.parts}
    print(json.dumps(found, indent=1))
    bench.close()


if __name__ == "__main__":
    main()
