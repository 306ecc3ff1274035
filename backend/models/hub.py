"""Weights from the public hub: the card's files at its pinned revision, nothing else, and no code."""

from __future__ import annotations

import json
import os
import re
import time
from dataclasses import asdict, dataclass, field
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
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")

_REFUSALS = {
    401: "the hub asks for an account",
    403: "the hub refuses it",
    404: "the hub does not have it at this revision",
}
_MOVED = "Look the model up on the hub: its address or terms may have changed."
_OTHER_NAMES = "It may be published under other names. Download its folder yourself, then add that on the Models page."


@dataclass
class Received:
    """What the hub said of the files it gave: the commit they are of, and the SHA-256 of those it keeps as large files."""

    revision: str = ""
    linked: dict[str, str] = field(default_factory=dict)


def download(card: ModelCard, folder: Path, progress: Progress) -> Received:
    """Download the card's files into `folder`, going on where an earlier attempt in the same folder was cut off.

    The hub is asked as its published interface says (``GET /{id}/resolve/{revision}/{file}``, with Range); HF_ENDPOINT names
    another that speaks the same. No account, no token, nothing about this machine is sent. Content is checked by the caller.

    A card that names a branch is bound to the commit of the hub's first answer (``X-Repo-Commit``): all files of this fetch, and of
    those that continue it, are of that commit.

    Raises
    ------
    NetworkError
        When a file could not be fetched; what has come so far stays in `folder`.
    Cancelled
        When the person stopped it.
    """
    kept = folder.with_name(f"{folder.name}.json")
    received = Received(**json.loads(kept.read_text(encoding="utf-8"))) if kept.is_file() else Received()
    if _COMMIT.fullmatch(card.revision):
        received.revision = card.revision
    endpoint = (os.environ.get("HF_ENDPOINT") or _HUB).rstrip("/")
    with httpx.Client(
        follow_redirects=True, timeout=_SILENCE_S, headers={"Accept-Encoding": "identity", "User-Agent": "bioloom"}
    ) as client:
        for name in card.files:
            target = folder / name
            if not target.is_file():
                _Transfer(client, endpoint, card, folder, progress, received).fetch(name, target)
    return received


class _Transfer:
    def __init__(self, client: httpx.Client, endpoint: str, card: ModelCard, folder: Path, progress: Progress, received: Received) -> None:
        self._client, self._endpoint = client, endpoint
        self._card, self._folder, self._progress, self._received = card, folder, progress, received

    def fetch(self, name: str, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(target.name + _PART)
        failures = 0
        while True:
            before = _size(part)
            try:
                self._stream(name, part)
                break
            except httpx.HTTPStatusError as error:
                status = error.response.status_code
                if status == 416:  # the part is longer than the file
                    part.unlink(missing_ok=True)
                elif status < 500 and status not in {408, 429}:
                    if error.response.headers.get("X-Error-Code") == "EntryNotFound":
                        raise self._failed(target, "the hub has no file of that name in this model", _OTHER_NAMES) from error
                    raise self._failed(target, _REFUSALS.get(status, f"the hub answers {status}"), _MOVED) from error
                reason = f"the hub answers {status}"
            except httpx.HTTPError:
                reason = "the connection broke off" if _size(part) else "no connection"
            failures = 1 if _size(part) > before else failures + 1
            if failures >= _TRIES:
                raise self._failed(target, reason, "Check the connection, then fetch again: it goes on where it stopped.")
            self._progress.check()
            time.sleep(_PAUSE_S)
        os.replace(part, target)

    def _stream(self, name: str, part: Path) -> None:
        have = _size(part)
        hub_id, revision = self._card.hub_id, self._received.revision or self._card.revision
        if name in self._card.borrowed:
            hub_id, _, revision = self._card.borrowed[name].partition("@")
        url = f"{self._endpoint}/{hub_id}/resolve/{quote(revision, safe='')}/{quote(name)}"
        with self._client.stream("GET", url, headers={"Range": f"bytes={have}-"} if have else {}) as response:
            response.raise_for_status()
            self._heed(name, response)
            resumed = response.status_code == 206
            with part.open("ab" if resumed else "wb") as out:
                self._tell(part.name)
                for piece in response.iter_bytes(_PIECE):
                    out.write(piece)
                    out.flush()
                    self._tell(part.name)

    def _heed(self, name: str, response: httpx.Response) -> None:
        """Keep what the hub says of a file beside the folder, for the fetch that continues this one.

        The first answer that says it counts: a large file's bytes come from a store elsewhere, to which the hub sends on.
        """
        for answer in (response, *reversed(response.history)):
            commit = answer.headers.get("X-Repo-Commit", "")
            linked = answer.headers.get("X-Linked-Etag", "").removeprefix("W/").strip('"')
            own = name not in self._card.borrowed and not _COMMIT.fullmatch(self._card.revision)
            if own and _COMMIT.fullmatch(commit):
                self._received.revision = commit
            if _SHA256.fullmatch(linked):
                self._received.linked[name] = linked
        if not self._received.revision and name not in self._card.borrowed:
            raise self._failed(Path(name), "the hub does not say which revision it gives", "Fetch it from another hub (HF_ENDPOINT).")
        kept = self._folder.with_name(f"{self._folder.name}.json")
        draft = kept.with_suffix(".tmp")
        draft.write_text(json.dumps(asdict(self._received)), encoding="utf-8")
        os.replace(draft, kept)

    def _tell(self, name: str) -> None:
        self._progress.check()
        done = sum(_size(file) for each in self._card.files for file in (self._folder / each, self._folder / (each + _PART)))
        self._progress.update(done, self._card.download_bytes or None, f"Fetching {name.removesuffix(_PART)}")

    def _failed(self, target: Path, reason: str, hint: str) -> NetworkError:
        return NetworkError(f"{target.name} of {self._card.title} could not be fetched: {reason}.", hint)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0
