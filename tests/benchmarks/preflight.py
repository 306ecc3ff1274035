"""Seconds and memory to preflight and page through 100 MB of sequences: ``python -m tests.benchmarks.preflight``."""

from __future__ import annotations

import gzip
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

_CASES = ("many.fasta", "many.fasta.gz", "one.fasta", "one.fasta.gz", "reads.fastq")


def make(folder: Path) -> None:
    """100,000 proteins of 950 residues, a chromosome of 102 million bases half of it in lower case, 500,000 reads of 100 bases."""
    draw = np.random.default_rng(1)
    residues = draw.choice(np.frombuffer(b"ACDEFGHIKLMNPQRSTVWY", dtype=np.uint8), (100_000, 950))
    with (folder / "many.fasta").open("wb") as out:
        for number, row in enumerate(residues):
            text = row.tobytes()
            out.write(b">sp|P%06d|NAME a protein\n" % number + b"\n".join(text[at : at + 60] for at in range(0, 950, 60)) + b"\n")
    bases = draw.choice(np.frombuffer(b"ACGTacgt", dtype=np.uint8), 6_000).tobytes()
    block = b"\n".join(bases[at : at + 60] for at in range(0, 6_000, 60)) + b"\n"
    (folder / "one.fasta").write_bytes(b">chr\n" + block * 17_000)
    reads = draw.choice(np.frombuffer(b"ACGT", dtype=np.uint8), (500_000, 100))
    with (folder / "reads.fastq").open("wb") as out:
        for number, row in enumerate(reads):
            out.write(b"@read%d\n" % number + row.tobytes() + b"\n+\n" + b"I" * 100 + b"\n")
    for name in ("many.fasta", "one.fasta"):
        with gzip.open(folder / f"{name}.gz", "wb", 1) as packed:
            packed.write((folder / name).read_bytes())


def measure(path: Path) -> str:
    """One file in this process: seconds to a summary, to three pages, to one record; peak memory of the process."""
    from backend.sequences.formats import read_sequences

    begun = time.perf_counter()
    found = read_sequences(path)
    summary = found.summary()
    read = time.perf_counter()
    for at in (0, len(found) // 2, max(0, len(found) - 25)):
        found.entries(at, at + 25)
    paged = time.perf_counter()
    found.record(found.entries(len(found) - 1)[0].id)
    opened = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return (
        f"{path.name:14} {summary.records:>8,} records  preflight {read - begun:.2f} s  pages {paged - read:.2f} s  "
        f"record {opened - paged:.2f} s  peak {peak:.0f} MB  torch {'torch' in sys.modules}"
    )


def main() -> None:
    """Make the files, then measure each in a process of its own."""
    if len(sys.argv) > 1:
        print(measure(Path(sys.argv[1])))
        return
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [sys.executable, "-c", f"from pathlib import Path; from tests.benchmarks.preflight import make; make(Path({folder!r}))"],
            check=True,
        )
        for name in _CASES:
            subprocess.run([sys.executable, "-m", "tests.benchmarks.preflight", str(Path(folder) / name)], check=True)


if __name__ == "__main__":
    main()
