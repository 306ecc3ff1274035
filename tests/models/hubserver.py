"""A hub of one repository on 127.0.0.1 that speaks the published protocol, and can fail as networks do."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from backend.domain import ModelCard
from backend.models.registry import file_sha256

LARGE = 1_000_000  # bytes from which a file is sent on to the store of large files, as the hub does
COMMIT = "89abcdef0123456789abcdef0123456789abcdef"  # what a branch such as main stands at


@dataclass
class Hub:
    """What it serves and how it fails; `gets` holds (file, first byte asked for) of every GET that was answered with bytes."""

    folder: Path
    card: ModelCard
    commit: str
    large: int = LARGE
    endpoint: str = ""
    cut_after: int | None = None  # bytes of a body after which the connection is dropped
    cuts: int = 10**9  # how many bodies are cut
    status: int = 0  # answered to everything when set
    ranges: bool = True
    pause_s: float = 0.0  # between two pieces of a body
    flip: str = ""  # file of which one byte is sent altered
    linked: str = ""  # told as the SHA-256 of every large file, in place of the true one
    gets: list[tuple[str, int]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)  # of every request
    seen: list[dict[str, str]] = field(default_factory=list)  # headers of every request


@contextmanager
def serving(folder: Path, card: ModelCard) -> Iterator[Hub]:
    hub = Hub(folder, card, COMMIT if card.revision == "main" else card.revision)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def _answer(self, body: bool) -> None:
            hub.seen.append(dict(self.headers.items()))
            hub.paths.append(self.path)
            places = ("/large/", f"/{card.hub_id}/resolve/{card.revision}/", f"/{card.hub_id}/resolve/{hub.commit}/")
            places += tuple(f"/{each.replace('@', '/resolve/')}/" for each in card.borrowed.values())
            place = next((each for each in places if self.path.startswith(each)), "")
            name = self.path.removeprefix(place)
            file = hub.folder / name
            if hub.status:
                self._plain(hub.status)
            elif self.path == f"/api/models/{card.hub_id}/revision/{card.revision}":
                self._plain(200, json.dumps({"id": card.hub_id, "sha": hub.commit, "siblings": [{"rfilename": n} for n in card.files]}))
            elif not place or not file.is_file():
                self._plain(404, X_Error_Code="EntryNotFound")
            elif place != "/large/" and file.stat().st_size >= hub.large:
                told = {
                    "X_Repo_Commit": hub.commit,
                    "X_Linked_Size": str(file.stat().st_size),
                    "X_Linked_Etag": f'"{hub.linked or file_sha256(file)}"',
                }
                self._plain(302, Location=f"{hub.endpoint}/large/{name}", **told)
            else:
                self._file(file, body)

        def _file(self, file: Path, body: bool) -> None:
            content = bytearray(file.read_bytes())
            if file.name == hub.flip:
                content[-1] ^= 1
            asked = self.headers.get("Range", "") if hub.ranges else ""
            start = int(asked.removeprefix("bytes=").rstrip("-") or 0)
            if start and start >= len(content):
                return self._plain(416)
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            self.send_header("Content-Length", str(len(content) - start))
            self.send_header("ETag", f'"{file_sha256(file)}"')
            self.send_header("X-Repo-Commit", hub.commit)
            self.end_headers()
            if not body:
                return None
            hub.gets.append((file.name, start))
            sent = 0
            for at in range(start, len(content), 65_536):
                if hub.cut_after is not None and sent >= hub.cut_after and hub.cuts > 0:
                    hub.cuts -= 1
                    self.close_connection = True
                    return None
                try:
                    self.wfile.write(content[at : at + 65_536])
                except OSError:
                    return None  # the asker went away
                sent += 65_536
                time.sleep(hub.pause_s)
            return None

        def _plain(self, status: int, text: str = "", **headers: str) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(text.encode())

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    hub.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
