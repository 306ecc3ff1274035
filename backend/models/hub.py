"""Weights from the public hub: the card's files at its pinned revision, nothing else, and no code."""

from __future__ import annotations

import os
import time
from pathlib import Path
from urllib.parse import quote

import httpx

from backend.domain import ModelCard
from backend.errors import NetworkError
from backend.progress import Progress

_HUB = "https://huggingface.co"
_TRIES = 4  # in a row without a byte
_PAUSE_S = 1.0
_SILENCE_S = 15.0  # longest silence of the server before it is asked again
_PIECE = 1 << 18  # bytes between two looks at whether to stop
_PART = ".part"

_REFUSALS = {
    401: "the hub asks for an account",
    403: "the hub refuses it",
    404: "the hub does not have it at this revision",
}


def download(card: ModelCard, folder: Path, progress: Progress) -> None:
    """Download the card's files into `folder`, going on where an earlier attempt in the same folder was cut off.

    The hub is asked as its published interface says (``GET /{id}/resolve/{revision}/{file}``, with Range); HF_ENDPOINT names
    another that speaks the same. No account, no token, nothing about this machine is sent. Content is checked by the caller.

    Raises
    ------
    NetworkError
        When a file could not be fetched; what has come so far stays in `folder`.
    Cancelled
        When the person stopped it.
    """
    endpoint = (os.environ.get("HF_ENDPOINT") or _HUB).rstrip("/")
    with httpx.Client(
        follow_redirects=True, timeout=_SILENCE_S, headers={"Accept-Encoding": "identity", "User-Agent": "bioloom"}
    ) as client:
        for name in card.files:
            target = folder / name
            if not target.is_file():
                url = f"{endpoint}/{card.hub_id}/resolve/{quote(card.revision, safe='')}/{quote(name)}"
                _Transfer(client, card, folder, progress).fetch(url, target)


class _Transfer:
    def __init__(self, client: httpx.Client, card: ModelCard, folder: Path, progress: Progress) -> None:
        self._client, self._card, self._folder, self._progress = client, card, folder, progress

    def fetch(self, url: str, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(target.name + _PART)
        failures = 0
        while True:
            before = _size(part)
            try:
                self._stream(url, part)
                break
            except httpx.HTTPStatusError as error:
                status = error.response.status_code
                if status == 416:  # the part is longer than the file
                    part.unlink(missing_ok=True)
                elif status < 500 and status not in {408, 429}:
                    reason = _REFUSALS.get(status, f"the hub answers {status}")
                    raise self._failed(target, reason, "Look the model up on the hub: its address or terms may have changed.") from error
                reason = f"the hub answers {status}"
            except httpx.HTTPError:
                reason = "the connection broke off" if _size(part) else "no connection"
            failures = 1 if _size(part) > before else failures + 1
            if failures >= _TRIES:
                raise self._failed(target, reason, "Check the connection, then fetch again: it goes on where it stopped.")
            self._progress.check()
            time.sleep(_PAUSE_S)
        os.replace(part, target)

    def _stream(self, url: str, part: Path) -> None:
        have = _size(part)
        with self._client.stream("GET", url, headers={"Range": f"bytes={have}-"} if have else {}) as response:
            response.raise_for_status()
            resumed = response.status_code == 206
            with part.open("ab" if resumed else "wb") as out:
                self._tell(part.name)
                for piece in response.iter_bytes(_PIECE):
                    out.write(piece)
                    out.flush()
                    self._tell(part.name)

    def _tell(self, name: str) -> None:
        self._progress.check()
        done = sum(_size(file) for each in self._card.files for file in (self._folder / each, self._folder / (each + _PART)))
        self._progress.update(done, self._card.download_bytes, f"Fetching {name.removesuffix(_PART)}")

    def _failed(self, target: Path, reason: str, hint: str) -> NetworkError:
        return NetworkError(f"{target.name} of {self._card.title} could not be fetched: {reason}.", hint)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0
