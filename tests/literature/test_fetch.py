"""Fetching asks only when allowed, tells the log of every request, and gives a file that can be imported."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import httpx
import pytest

from backend.domain import Paper
from backend.errors import InputError, NetworkError
from backend.literature.fetch import fetch_europepmc, fetch_pubmed
from backend.literature.formats import read_papers


def records(ids: list[str]) -> str:
    made = "".join(
        f"<PubmedArticle><MedlineCitation><PMID>{pmid}</PMID><Article><ArticleTitle>Paper {pmid}</ArticleTitle></Article>"
        "</MedlineCitation></PubmedArticle>"
        for pmid in ids
    )
    return f'<?xml version="1.0" ?><!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD" "https://dtd.nlm.nih.gov/x.dtd"><PubmedArticleSet>{made}</PubmedArticleSet>'


def answer(path: str, fields: dict[str, str]) -> tuple[int, str]:
    """What the services send, in their published form."""
    if path.endswith("esearch.fcgi"):
        ids = [] if fields["term"] == "nothing" else [str(number) for number in range(1, 151)]
        return 200, json.dumps({"esearchresult": {"count": str(len(ids)), "idlist": ids[: int(fields["retmax"])]}})
    if path.endswith("efetch.fcgi"):
        return 200, records(fields["id"].split(","))
    start = 0 if fields["cursorMark"] == "*" else int(fields["cursorMark"])
    rows = [
        {"pmid": str(n), "title": f"Paper {n}", "abstractText": "Text."} for n in range(start, min(start + int(fields["pageSize"]), 150))
    ]
    return 200, json.dumps({"nextCursorMark": str(start + len(rows)), "resultList": {"result": rows}})


def reply(request: httpx.Request) -> httpx.Response:
    raw = request.content.decode() if request.method == "POST" else request.url.query.decode()
    status, body = answer(request.url.path, {key: values[0] for key, values in parse_qs(raw).items()})
    return httpx.Response(status, text=body)


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self._send(self.rfile.read(int(self.headers["Content-Length"])).decode())

    def do_GET(self) -> None:
        self._send(self.path.partition("?")[2])

    def _send(self, raw: str) -> None:
        status, body = answer(self.path.partition("?")[0], {key: values[0] for key, values in parse_qs(raw).items()})
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        pass


class ToLocalhost(httpx.HTTPTransport):
    """Sends every request over a real socket to the test's own server."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._port = port

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.url = request.url.copy_with(scheme="http", host="127.0.0.1", port=self._port)
        return super().handle_request(request)


@pytest.fixture(params=["recorded", "socket"])
def client(request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    if request.param == "recorded":
        yield httpx.Client(transport=httpx.MockTransport(reply))
        return
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield httpx.Client(transport=ToLocalhost(server.server_port))
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("fetch", [fetch_pubmed, fetch_europepmc])
def test_a_query_gives_a_file_of_papers_and_every_request_is_logged(fetch: Callable[..., Path], client: httpx.Client) -> None:
    log: list[tuple[str, ...]] = []
    path = fetch("salt", allow_network=True, limit=120, client=client, log=lambda *line: log.append(line))
    found = [item for item in read_papers(path) if isinstance(item, Paper)]
    path.unlink()
    assert len({paper.pmid for paper in found}) == 120
    assert len(log) in (2, 3)
    assert all(outcome.startswith("200") for _, _, outcome in log)
    assert "salt" in log[0][1]


def test_pmids_are_fetched_without_a_search(client: httpx.Client) -> None:
    log: list[tuple[str, ...]] = []
    path = fetch_pubmed("5, 7 5", allow_network=True, client=client, log=lambda *line: log.append(line))
    assert [item.pmid for item in read_papers(path) if isinstance(item, Paper)] == ["5", "7"]
    path.unlink()
    assert len(log) == 1


@pytest.mark.parametrize("fetch", [fetch_pubmed, fetch_europepmc])
def test_nothing_is_asked_when_the_switch_is_off(fetch: Callable[..., Path]) -> None:
    def never(request: httpx.Request) -> httpx.Response:
        raise AssertionError("a request went out")

    with pytest.raises(NetworkError) as caught:
        fetch("salt", allow_network=False, client=httpx.Client(transport=httpx.MockTransport(never)), log=print)
    assert "Switch outside connections on" in caught.value.hint


@pytest.mark.parametrize(
    ("status", "body", "words"), [(503, "", "busy"), (400, "", "refused"), (200, "<html>", "cannot be read"), (200, "[]", "cannot be read")]
)
def test_failures_are_told_and_logged(status: int, body: str, words: str) -> None:
    log: list[tuple[str, ...]] = []
    failing = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(status, text=body)))
    with pytest.raises(NetworkError, match=words):
        fetch_pubmed("salt", allow_network=True, client=failing, log=lambda *line: log.append(line))
    assert log


def test_an_unreachable_service_is_told() -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no route")

    with pytest.raises(NetworkError, match="could not be reached"):
        fetch_europepmc("salt", allow_network=True, client=httpx.Client(transport=httpx.MockTransport(fail)), log=lambda *_: None)


def test_wrong_requests_are_refused_before_anything_is_sent(client: httpx.Client) -> None:
    for asked, limit in (("", 10), ("salt", 0), (["12", "abc"], 10)):
        with pytest.raises(InputError):
            fetch_pubmed(asked, allow_network=True, limit=limit, client=client, log=lambda *_: None)
    with pytest.raises(InputError, match="found nothing"):
        fetch_pubmed("nothing", allow_network=True, client=client, log=lambda *_: None)
