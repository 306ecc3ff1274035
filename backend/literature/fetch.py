"""References fetched from PubMed or Europe PMC, only when the person asks and the network switch is on."""

from __future__ import annotations

import json
import logging
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from lxml import etree

from backend.errors import InputError, NetworkError
from backend.progress import Progress, Silent

Log = Callable[[str, str, str], None]
PUBMED = "https://eutils.ncbi.nlm.nih.gov/entrez/eutils"
EUROPEPMC = "https://www.ebi.ac.uk/europepmc/webservices/rest/search"
_BATCH = 100  # records a request
_PAUSE_S = 0.4  # NCBI asks for at most three requests a second
_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
_ATTEMPTS = 3
_MOST_BYTES = 64 * 2**20  # of one answer; 100 records are near 2 MB
_MOST_RECORDS = 10_000
_OFF = "Switch outside connections on, or export the records from PubMed in your browser and import the file."
_LATER = "Check the connection and try again later. Nothing was imported."


def fetch_pubmed(
    query_or_pmids: str | Sequence[str],
    *,
    allow_network: bool,
    limit: int = 200,
    client: httpx.Client | None = None,
    log: Log,
    progress: Progress = Silent(),
) -> Path:
    """Fetch records from PubMed (E-utilities esearch and efetch) into a new PubMed XML file.

    Parameters
    ----------
    query_or_pmids : str or sequence of str
        A PubMed query; or PMIDs, as a sequence or as numbers parted by commas or spaces.
    limit : int
        Most records, 1 to 10,000.
    log : callable (service, request, outcome)
        Told of every request.

    Returns
    -------
    Path
        A file for `read_papers`; the caller removes it.

    Raises
    ------
    NetworkError
        When connections are switched off, the service cannot be reached, or answers with something else.
    InputError
        When the query is empty or finds nothing.
    """
    wanted, pmids = _asked(query_or_pmids, limit, allow_network)
    with _Service("PubMed", client, log, progress) as service:
        if not pmids:
            answer = service.ask(
                "POST", f"{PUBMED}/esearch.fcgi", {"db": "pubmed", "term": wanted, "retmax": str(limit), "retmode": "json"}
            )
            result = _json(answer, "PubMed").get("esearchresult", {})
            if message := result.get("ERROR"):
                raise NetworkError(f"PubMed could not answer: {message}.", _LATER)
            pmids = [str(item) for item in result.get("idlist", [])][:limit]
        if not pmids:
            raise InputError("PubMed found nothing for this search.", "Try fewer or more general words.")
        with _new_file(".xml") as (path, write):
            found = 0
            write(b"<?xml version='1.0' encoding='UTF-8'?>\n<PubmedArticleSet>\n")
            for at in range(0, len(pmids), _BATCH):
                part = pmids[at : at + _BATCH]
                progress.update(at, len(pmids), f"Fetching {len(pmids):,} records from PubMed")
                for record in _records(
                    service.ask("POST", f"{PUBMED}/efetch.fcgi", {"db": "pubmed", "id": ",".join(part), "retmode": "xml"})
                ):
                    write(record)
                    found += 1
            write(b"</PubmedArticleSet>\n")
            if not found:
                raise InputError("PubMed has no record under these numbers.", "Check the PMIDs.")
            return path


def fetch_europepmc(
    query_or_pmids: str | Sequence[str],
    *,
    allow_network: bool,
    limit: int = 200,
    client: httpx.Client | None = None,
    log: Log,
    progress: Progress = Silent(),
) -> Path:
    """Fetch records from Europe PMC (REST search) into a new file; parameters, result and errors as `fetch_pubmed`."""
    wanted, pmids = _asked(query_or_pmids, limit, allow_network)
    queries = [wanted]
    if pmids:
        parts = [pmids[at : at + _BATCH] for at in range(0, len(pmids), _BATCH)]
        queries = [f"SRC:MED AND ({' OR '.join(f'EXT_ID:{pmid}' for pmid in part)})" for part in parts]
    results: list[Any] = []
    with _Service("Europe PMC", client, log, progress) as service:
        for query in queries:
            cursor, seen = "*", set[str]()
            while cursor not in seen and len(results) < limit:
                seen.add(cursor)
                progress.update(len(results), limit, "Fetching records from Europe PMC")
                size = str(min(_BATCH, limit - len(results)))
                fields = {"query": query, "format": "json", "resultType": "core", "pageSize": size, "cursorMark": cursor}
                answer = _json(service.ask("GET", EUROPEPMC, fields), "Europe PMC")
                page = (answer.get("resultList") or {}).get("result") or []
                results += page
                cursor = str(answer.get("nextCursorMark") or cursor)
                if not page:
                    break
    if not results:
        raise InputError("Europe PMC found nothing for this search.", "Try fewer or more general words.")
    with _new_file(".json") as (path, write):
        write(json.dumps({"resultList": {"result": results[:limit]}}, ensure_ascii=False).encode("utf-8", "replace"))
        return path


def _asked(query_or_pmids: str | Sequence[str], limit: int, allow_network: bool) -> tuple[str, list[str]]:
    """The query, and the PMIDs when it is made of nothing else."""
    if not allow_network:
        raise NetworkError("Outside connections are switched off, so nothing was fetched.", _OFF)
    if not 1 <= limit <= _MOST_RECORDS:
        raise InputError(f"{limit:,} records were asked for; allowed are 1 to {_MOST_RECORDS:,}.", "Choose a smaller number.")
    given = not isinstance(query_or_pmids, str)
    text = query_or_pmids if isinstance(query_or_pmids, str) else " ".join(query_or_pmids)
    words = text.replace(",", " ").split()
    if not words:
        raise InputError("There is nothing to search for.", "Type a query or PMIDs.")
    pmids = all(word.isascii() and word.isdigit() for word in words)
    if given and not pmids:
        wrong = next(word for word in words if not word.isdigit())
        raise InputError(f"'{wrong[:40]}' is not a PMID.", "A PMID is a number such as 29768149.")
    return text.strip(), list(dict.fromkeys(words))[:limit] if pmids else []


class _Service:
    """One conversation with a service: polite, bounded, every request told to the log."""

    def __init__(self, name: str, client: httpx.Client | None, log: Log, progress: Progress) -> None:
        # httpx writes whole addresses into the log, and with them the query
        logging.getLogger("httpx").setLevel(logging.WARNING)
        self._own = client is None
        self._client = client or httpx.Client(timeout=_TIMEOUT, headers={"User-Agent": "bioloom"})
        self._name, self._log, self._progress = name, log, progress
        self._last = 0.0

    def __enter__(self) -> _Service:
        return self

    def __exit__(self, *_: object) -> None:
        if self._own:
            self._client.close()

    def ask(self, method: str, url: str, fields: dict[str, str]) -> bytes:
        """The body of the answer; busy services are asked again, a little later each time."""
        said = f"{url.rsplit('/', 1)[-1]} {fields.get('term') or fields.get('query') or fields.get('id', '')}"
        for attempt in range(1, _ATTEMPTS + 1):
            self._progress.check()
            time.sleep(max(0.0, self._last + _PAUSE_S * attempt - time.monotonic()))
            self._last = time.monotonic()
            try:
                status, body = self._once(method, url, fields)
            except httpx.HTTPError as error:
                self._log(self._name, said, f"failed: {type(error).__name__}")
                if attempt < _ATTEMPTS and isinstance(error, httpx.TransportError):
                    continue
                raise NetworkError(f"{self._name} could not be reached.", _LATER) from error
            except NetworkError:
                self._log(self._name, said, "refused: answer too large")
                raise
            self._log(self._name, said, f"{status}, {len(body):,} bytes")
            if status == 200:
                return body
            if status != 429 and status < 500:
                raise NetworkError(
                    f"{self._name} refused the request (status {status}).", "Check the query; it may hold something that is not allowed."
                )
        raise NetworkError(f"{self._name} is busy or out of order (status {status}).", _LATER)

    def _once(self, method: str, url: str, fields: dict[str, str]) -> tuple[int, bytes]:
        place: dict[str, Any] = {"data": fields} if method == "POST" else {"params": fields}
        body = bytearray()
        with self._client.stream(method, url, **place) as response:
            for part in response.iter_bytes():
                self._progress.check()
                body += part
                if len(body) > _MOST_BYTES:
                    raise NetworkError(f"{self._name} sent more than {_MOST_BYTES // 2**20} MB at once; it was cut off.", _LATER)
            return response.status_code, bytes(body)


def _json(body: bytes, name: str) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise NetworkError(f"{name} sent an answer that cannot be read.", _LATER)
    return answer


def _records(body: bytes) -> Iterator[bytes]:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        raise NetworkError("PubMed sent an answer that cannot be read.", _LATER) from error
    for record in root.iterchildren("PubmedArticle", "PubmedBookArticle"):
        record.tail = "\n"
        yield bytes(etree.tostring(record, encoding="utf-8"))


@contextmanager
def _new_file(suffix: str) -> Iterator[tuple[Path, Callable[[bytes], object]]]:
    """A new file and how to write to it; gone again when the work fails or is stopped."""
    with tempfile.NamedTemporaryFile(prefix="bioloom-", suffix=suffix, delete=False) as file:
        path = Path(file.name)
        try:
            yield path, file.write
        except BaseException:
            path.unlink(missing_ok=True)
            raise
