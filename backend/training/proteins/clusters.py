"""Similarity clusters by MMseqs2, whole clusters held out, and the search that makes sure that nothing held out resembles the rest.

MMseqs2 (GPL-3; Debian ``mmseqs2``) is called as an external program, for making the training set only: Steinegger and Söding 2017,
doi:10.1038/nbt.3988.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.errors import InputError
from backend.training.proteins.proteins import PARTS, Proteins
from backend.training.proteins.tokens import to_letters

IDENTITY, COVERAGE = 0.3, 0.8
SENSITIVITY = 4.0  # of the last clustering step and of the search; MMseqs2's own "fast" setting
HELD_OUT = 0.01  # of all clusters, for validation and as much again for the test
_TRAINING, _VALIDATION, _TEST, _ASIDE = range(len(PARTS))


def find_program() -> str:
    """Where ``mmseqs`` is.

    Raises
    ------
    InputError
        When it is not installed.
    """
    found = shutil.which("mmseqs")
    if found is None:
        raise InputError("The program mmseqs is not on this machine.", "Install it: apt-get install mmseqs2 (needed only to make the set).")
    return found


def cluster(residues: NDArray[np.uint8], offsets: NDArray[np.int64], threads: int, memory: str) -> NDArray[np.int32]:
    """Number of each protein's cluster, which is its representative's place: cascaded clustering at 30% identity over 80% of both.

    A greedy cover leaves some relatives in different clusters (Linclust alone left most); `resembling` catches those held out.
    """
    with tempfile.TemporaryDirectory() as work:
        proteins, made = Path(work, "proteins.fasta"), Path(work, "found")
        _write_fasta(proteins, residues, offsets, range(len(offsets) - 1))
        further = ("-s", str(SENSITIVITY))
        _run("easy-cluster", proteins, made, Path(work, "tmp"), *further, threads=threads, memory=memory)
        pairs = np.loadtxt(f"{made}_cluster.tsv", dtype=np.int32, delimiter="\t", ndmin=2)
    owner = np.full(len(offsets) - 1, -1, dtype=np.int32)
    owner[pairs[:, 1]] = pairs[:, 0]
    if (owner < 0).any():
        raise InputError(f"MMseqs2 left {int((owner < 0).sum()):,} proteins without a cluster.", "Look at its messages above.")
    return owner


def split(names: Sequence[str], owner: NDArray[np.int32]) -> NDArray[np.uint8]:
    """Part of each protein: its cluster's, drawn by the SHA-256 of the representative's name, so that it never changes.

    Parameters
    ----------
    names : sequence of str
        Accession of each protein.
    owner : array (n,)
        Place of each protein's representative.
    """
    part = np.full(len(names), _TRAINING, dtype=np.uint8)
    for representative in np.unique(owner):
        drawn = int.from_bytes(hashlib.sha256(names[representative].encode()).digest()[:8], "big") / 2**64
        if drawn < 2 * HELD_OUT:
            part[representative] = _VALIDATION if drawn < HELD_OUT else _TEST
    made: NDArray[np.uint8] = part[owner]
    return made


def resembling(
    residues: NDArray[np.uint8], offsets: NDArray[np.int64], part: NDArray[np.uint8], threads: int, memory: str
) -> NDArray[np.intp]:
    """Held-out proteins that a search finds to resemble one of the training part, by the same measures as the clusters."""
    held, rest = np.flatnonzero((part == _VALIDATION) | (part == _TEST)), np.flatnonzero(part == _TRAINING)
    if not len(held) or not len(rest):
        return held[:0]
    with tempfile.TemporaryDirectory() as work:
        asked, known, hits = (Path(work, name) for name in ("held.fasta", "training.fasta", "hits.tsv"))
        _write_fasta(asked, residues, offsets, held)
        _write_fasta(known, residues, offsets, rest)
        further = ("-s", str(SENSITIVITY), "--format-output", "query")
        _run("easy-search", asked, known, hits, Path(work, "tmp"), *further, threads=threads, memory=memory)
        found = {int(line) for line in hits.read_text().split()}
    return np.array(sorted(found), dtype=np.intp)


def set_aside(part: NDArray[np.uint8], found: NDArray[np.intp]) -> NDArray[np.uint8]:
    """The parts, with those found neither trained on nor measured on."""
    made = part.copy()
    made[found] = _ASIDE
    return made


def relatives(asked: Sequence[str], proteins: Proteins) -> list[int | None]:
    """Training proteins that resemble each of `asked` (30% identity over 80% of it), at most 300 told; None without MMseqs2."""
    if shutil.which("mmseqs") is None:
        return [None] * len(asked)
    with tempfile.TemporaryDirectory() as work:
        queries, known, hits = (Path(work, name) for name in ("asked.fasta", "training.fasta", "hits.tsv"))
        queries.write_text("".join(f">{at}\n{sequence}\n" for at, sequence in enumerate(asked)), encoding="ascii")
        _write_fasta(known, proteins.residues, proteins.offsets, proteins.of("training"))
        further = ("-s", str(SENSITIVITY), "--cov-mode", "2", "--format-output", "query")
        _run("easy-search", queries, known, hits, Path(work, "tmp"), *further, threads=1, memory="1800M")
        found = [int(line) for line in hits.read_text().split()]
    return [found.count(at) for at in range(len(asked))]


def check_apart(cluster: NDArray[np.int32], part: NDArray[np.uint8]) -> None:
    """Refuse a split in which a cluster has members in the training part and in one that is held out.

    Raises
    ------
    InputError
        With the number of such clusters and the first.
    """
    torn = np.intersect1d(cluster[part == _TRAINING], cluster[part != _TRAINING])
    torn = np.union1d(torn, np.intersect1d(cluster[part == _VALIDATION], cluster[part == _TEST]))
    if len(torn):
        raise InputError(f"{len(torn):,} clusters lie in two parts, the first is {torn[0]}.", "Make the set again in an empty folder.")


def _write_fasta(file: Path, residues: NDArray[np.uint8], offsets: NDArray[np.int64], chosen: Iterable[int]) -> None:
    with file.open("w", encoding="ascii") as stream:
        stream.writelines(f">{at}\n{to_letters(residues[offsets[at] : offsets[at + 1]])}\n" for at in chosen)


def _run(command: str, *words: object, threads: int, memory: str) -> None:
    limits = ["--min-seq-id", IDENTITY, "-c", COVERAGE, "--threads", threads, "--split-memory-limit", memory, "-v", 1]
    done = subprocess.run([find_program(), command, *map(str, words), *map(str, limits)], capture_output=True, text=True, check=False)
    if done.returncode:
        told = (done.stdout + done.stderr).strip().splitlines()[-3:]
        raise InputError(f"mmseqs {command} failed: {' '.join(told) or 'no message'}.", "Give it more with --memory, or free disk space.")
