"""Make the training set of the protein language model: ``python -m backend.training.proteins.data FOLDER``.

Reads the proteins of Debian's metastudent-data (apt-get install metastudent-data mmseqs2; terms: see `source.TERMS`), counts identical
ones once, clusters them, holds whole clusters out, and searches what is held out among what is not. About ten minutes on one core, less
than 2 GB of memory, 500 MB of disk. No GPU.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.errors import BioloomError
from backend.training.proteins import clusters, source
from backend.training.proteins.proteins import ONTOLOGIES, PARTS, write_arrays


def make(folder: Path, origin: Path = source.SOURCE, most: int = 0, threads: int = 1, memory: str = "1800M") -> dict[str, object]:
    """Write the set into `folder` and give what stands in its data.json.

    Parameters
    ----------
    most : int
        Only the first so many distinct proteins; 0 takes all.
    memory : str
        What MMseqs2 may take, as it writes it (1800M, 16G).

    Raises
    ------
    InputError
        When the data or MMseqs2 are missing.
    """
    clusters.find_program()
    began = time.monotonic()
    read = source.read_source(origin, most)
    _tell(began, f"read {len(read.names):,} proteins, {read.offsets[-1]:,} residues")
    owner = clusters.cluster(read.residues, read.offsets, threads, memory)
    _tell(began, f"{len(np.unique(owner)):,} clusters")
    drawn = clusters.split([names[0] for names in read.names], owner)
    alike = clusters.resembling(read.residues, read.offsets, drawn, threads, memory)
    part = clusters.set_aside(drawn, alike)
    clusters.check_apart(owner, part)
    _tell(began, f"{len(alike):,} of {int((drawn > 0).sum()):,} held-out proteins resemble one of the training part and are set aside")
    folder.mkdir(parents=True, exist_ok=True)
    write_arrays(folder, residues=read.residues, offsets=read.offsets, cluster=owner, part=part)
    _write_terms(folder, read, origin)
    facts: dict[str, object] = {
        "source": f"{source.PACKAGE} (Swiss-Prot with GO terms, January 2014)" + (f", the first {most:,} proteins only" if most else ""),
        "terms": source.TERMS,
        "counts": read.counts,
        "clusters": {
            "program": "mmseqs easy-cluster, then easy-search of the held-out among the rest",
            "identity": clusters.IDENTITY,
            "coverage of both": clusters.COVERAGE,
            "sensitivity": clusters.SENSITIVITY,
            "number": len(np.unique(owner)),
        },
        "parts": {
            name: {
                "proteins": int((part == at).sum()),
                "clusters": len(np.unique(owner[part == at])),
                "residues": int(np.diff(read.offsets)[part == at].sum()),
            }
            for at, name in enumerate(PARTS)
        },
        "sha256": _digest(read.residues, read.offsets, part),
    }
    (folder / "data.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")
    _tell(began, f"written to {folder}")
    return facts


def _write_terms(folder: Path, read: source.Source, origin: Path) -> None:
    with (folder / "annotations.tsv").open("w", encoding="ascii") as stream:
        for names, terms in zip(read.names, read.terms, strict=True):
            columns = [" ".join(names), *(" ".join(sorted(terms.get(each, ()))) for each in ONTOLOGIES)]
            stream.write("\t".join(columns) + "\n")
    occurring = {term for terms in read.terms for each in terms.values() for term in each}
    (folder / "ancestors.json").write_text(json.dumps(source.read_ancestors(origin, occurring)), encoding="ascii")


def _digest(*arrays: NDArray[np.generic]) -> str:
    made = hashlib.sha256()
    for each in arrays:
        made.update(np.ascontiguousarray(each).data)
    return made.hexdigest()


def _tell(began: float, what: str) -> None:
    print(f"{time.monotonic() - began:5.0f} s  {what}", flush=True)


def main() -> None:
    """Read the arguments and make the set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where the set is written")
    parser.add_argument("--source", type=Path, default=source.SOURCE, help="folder with BPO, MFO and CCO")
    parser.add_argument("--most", type=int, default=0, help="only the first so many distinct proteins, for a trial")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--memory", default="1800M", help="for MMseqs2, as it writes it")
    given = parser.parse_args()
    try:
        print(json.dumps(make(given.folder, given.source, given.most, given.threads, given.memory), indent=1))
    except BioloomError as error:
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()
