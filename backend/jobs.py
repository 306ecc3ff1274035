"""Work in the background: queued, watched, cancelled by its owner, and remembered across reloads and restarts."""

from __future__ import annotations

import json
import os
import platform
import queue
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import Any, Literal

import psutil  # type: ignore[import-untyped]

from backend.domain import Json
from backend.errors import BioloomError, Cancelled, InputError, StorageError
from backend.log import log
from backend.progress import Progress
from backend.storage import Storage
from backend.storage.tables import JobRow, now

State = Literal["queued", "running", "done", "failed", "cancelled", "interrupted"]
ACTIVE: tuple[State, ...] = ("queued", "running")
WRITE_EVERY = 0.25  # seconds between two writes of progress

_CLOSED = {"message": "Bioloom was closed while this was at work.", "hint": "Start it again; nothing of it was kept."}


@dataclass(frozen=True)
class Job:
    """A piece of background work as it stood when it was looked at.

    Attributes
    ----------
    done, total : float
        Progress, in a unit of the work's own; `total` is None while unknown.
    seconds_left : float or None
        Estimated from the pace so far; None while there is nothing to go by.
    result : dict or None
        What the work returned.
    error : dict or None
        ``{"message", "hint"}`` when it failed or was interrupted.
    """

    id: str
    owner: str
    kind: str
    title: str
    state: State
    created: datetime
    done: float = 0.0
    total: float | None = None
    message: str = ""
    seconds_left: float | None = None
    result: dict[str, Json] | None = None
    error: dict[str, Json] | None = None
    started: datetime | None = None
    finished: datetime | None = None

    @property
    def active(self) -> bool:
        return self.state in ACTIVE

    @property
    def fraction(self) -> float | None:
        """Share that is done, 0 to 1; None while unknown."""
        if self.state == "done":
            return 1.0
        return min(max(self.done / self.total, 0.0), 1.0) if self.total else None


@dataclass
class _Live(Progress):
    """A job of this process: its freshest state, and the progress that its work reports to."""

    job: Job
    work: Callable[[Progress], dict[str, Json]]
    key: str | None
    lane: str | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)
    writing: threading.Lock = field(default_factory=threading.Lock)  # two writers must not overtake each other
    stop: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    dirty: bool = True
    stored: bool = False  # the row is made by the scribe: submitting must not wait for another's import
    clock: float = 0.0

    def update(self, done: float, total: float | None = None, message: str = "") -> None:
        with self.lock:
            self.job = replace(
                self.job, done=float(done), total=self.job.total if total is None else float(total), message=message or self.job.message
            )
            self.dirty = True

    def check(self) -> None:
        if self.stop.is_set():
            raise Cancelled

    def move(self, states: tuple[State, ...], **values: Any) -> bool:
        """Set `values` if the job is in one of `states`."""
        with self.lock:
            if self.job.state not in states:
                return False
            self.job = replace(self.job, **values)
            self.dirty = True
            return True

    def look(self) -> Job:
        with self.lock:
            return replace(self.job, seconds_left=_seconds_left(self.job, time.monotonic() - self.clock))


class Jobs:
    """Background work of one process, on a few threads; jobs of other processes on the same database are seen, too.

    States move only forward: queued to running to done or failed, or from either of the first two to cancelled or
    interrupted. Each move is guarded in memory and in the database, so that of two that race exactly one happens.

    Parameters
    ----------
    storage : Storage
        Where jobs are remembered.
    workers : int
        How many jobs run at a time.
    """

    def __init__(self, storage: Storage, workers: int = 2) -> None:
        self._rows = storage.jobs
        self._live: dict[str, _Live] = {}
        self._lock = threading.Lock()
        self._queue: queue.SimpleQueue[_Live | None] = queue.SimpleQueue()
        self._lanes: dict[str, deque[_Live]] = {}  # of each lane in use: whose turn it is, then who waits
        self._closing = threading.Event()
        self._submitted = threading.Event()
        self._interrupt_orphans()
        # Daemons: a process that is asked to end must not wait for an hour of work; its jobs are marked at the next start.
        self._threads = [threading.Thread(target=self._serve, name=f"job-{n}", daemon=True) for n in range(workers)]
        self._scribe = threading.Thread(target=self._write_progress, name="job-scribe", daemon=True)
        for thread in (*self._threads, self._scribe):
            thread.start()

    def submit(
        self,
        owner: str,
        kind: str,
        title: str,
        work: Callable[[Progress], dict[str, Json]],
        key: str | None = None,
        lane: str | None = None,
    ) -> str:
        """Queue `work` and return the job's id at once.

        Parameters
        ----------
        owner : str
            Who asked; only they may cancel it.
        kind, title : str
            What it is, for the machine and for the reader.
        work : callable
            Called with a `Progress` on another thread; returns JSON. It must not touch Streamlit.
        key : str, optional
            While a job with this key is active, its id is returned and nothing new is started.
        lane : str, optional
            Jobs of one lane run one after another, in the order they were asked for, and keep no other work waiting meanwhile.
        """
        with self._lock:
            if self._closing.is_set():
                raise StorageError("Bioloom is closing and takes no new work.", "Start it again, then repeat this.")
            if key is not None:
                for live in list(self._live.values()):  # workers drop ended jobs meanwhile
                    if live.key == key and live.job.active:
                        return live.job.id
            job = Job(secrets.token_hex(6).upper(), owner, kind, title, "queued", now())
            live = self._live[job.id] = _Live(job, work, key, lane)
            if lane is None or self._enter(live, lane):
                self._queue.put(live)
        self._submitted.set()
        return job.id

    def get(self, id: str) -> Job:
        """The job as it stands now, or InputError."""
        live = self._live.get(id)
        if live is not None:
            return live.look()
        row = self._rows.get(id)
        if row is None:
            raise InputError(f"There is no job '{id}'.", "It may belong to another data folder.")
        return _job(row)

    def list(self, owner: str | None = None, active: bool = False, limit: int = 50) -> list[Job]:
        """Jobs, newest first; of one owner, or only those queued or running, if so asked."""
        lives = {live.job.id: live for live in list(self._live.values()) if owner in (None, live.job.owner)}
        jobs = [_job(row) for row in self._rows.list(owner, ACTIVE if active else None, limit) if row.id not in lives]
        jobs += [live.look() for live in lives.values()]
        jobs.sort(key=lambda job: job.created, reverse=True)
        return [job for job in jobs if job.active or not active][:limit]

    def cancel(self, id: str, owner: str) -> Job:
        """Ask a job to stop. A queued one stops at once, a running one when it next reports progress.

        Raises
        ------
        InputError
            When there is no such job, or it is somebody else's.
        """
        job = self.get(id)
        if job.owner != owner:
            raise InputError("This job was started by somebody else.", "Only who started it can stop it.")
        live = self._live.get(id)
        if live is None:
            self._rows.change(id, ACTIVE, state="cancelled", finished=now())  # its process learns at its next write
        elif live.move(("queued",), state="cancelled", finished=now()):
            self._end(live)
        else:
            live.stop.set()
            live.move(("running",), message="Stopping ...")
        return self.get(id)

    def wait(self, id: str, timeout: float | None = None) -> Job:
        """The job once it has ended, or as it stands after `timeout` seconds."""
        until = None if timeout is None else time.monotonic() + timeout
        while (job := self.get(id)).active:
            left = None if until is None else until - time.monotonic()
            if left is not None and left <= 0:
                break
            live = self._live.get(id)
            if live is not None:
                live.ended.wait(left)
            else:
                time.sleep(WRITE_EVERY if left is None else min(left, WRITE_EVERY))
        return job

    def shutdown(self, timeout: float = 5.0) -> None:
        """Stop everything; what was at work becomes 'interrupted'. Returns after `timeout` seconds at the latest."""
        with self._lock:
            self._closing.set()
            lives = list(self._live.values())
        for live in lives:
            if live.move(("queued",), state="interrupted", error=_CLOSED, finished=now()):
                self._end(live)
            live.stop.set()
        for _ in self._threads:
            self._queue.put(None)
        until = time.monotonic() + timeout
        for thread in (*self._threads, self._scribe):
            thread.join(max(0.0, until - time.monotonic()))

    def _serve(self) -> None:
        while (live := self._queue.get()) is not None:
            live.clock = time.monotonic()
            if live.move(("queued",), state="running", started=now()):
                live.move(("running",), **self._run(live))
                self._end(live)

            if live.lane is not None:
                self._leave(live.lane)

    def _enter(self, live: _Live, lane: str) -> bool:
        """Whether it is the job's turn; one that waits says for what. The caller holds the lock."""
        ahead = self._lanes.setdefault(lane, deque())
        ahead.append(live)
        if live is not ahead[0]:
            _wait_for(ahead[0], live)
        return live is ahead[0]

    def _leave(self, lane: str) -> None:
        """The turn passes to the next job of a lane."""
        with self._lock:
            waiting = self._lanes[lane]
            waiting.popleft()
            while waiting and not waiting[0].job.active:  # stopped while it waited
                waiting.popleft()
            if not waiting:
                del self._lanes[lane]
                return
            first, *others = waiting
            first.move(("queued",), message="")
            for live in others:
                _wait_for(first, live)
        self._queue.put(first)

    def _run(self, live: _Live) -> dict[str, Any]:
        """Do the work; returns how it ended."""
        job = live.job
        try:
            live.check()
            result = live.work(live)
            json.dumps(result, allow_nan=False)  # what cannot be stored is the work's fault, and must show as that
            ending: dict[str, Any] = {"state": "done", "result": result}
        except Cancelled:
            ending = {"state": "interrupted", "error": _CLOSED} if self._closing.is_set() else {"state": "cancelled"}
        except BioloomError as error:
            ending = {"state": "failed", "error": {"message": error.message, "hint": error.hint}}
        except BaseException as error:  # whatever a library raises, the worker must live on
            reference = secrets.token_hex(3).upper()
            log().error("job.failed", job_id=job.id, kind=job.kind, reference=reference, exc_info=error)
            hint = f"Try again. If it happens again, report it with the reference {reference}, which is in Bioloom's log."
            ending = {"state": "failed", "error": {"message": "This stopped on a fault inside Bioloom.", "hint": hint}}
        log().info("job.ended", job_id=job.id, kind=job.kind, state=ending["state"], seconds=time.monotonic() - live.clock)
        return {**ending, "finished": now()}

    def _end(self, live: _Live) -> None:
        self._write(live)
        live.ended.set()

    def _write_progress(self) -> None:
        # A thread of its own: work that holds a writing transaction while it reports would wait for itself.
        while not (self._closing.is_set() and not any(thread.is_alive() for thread in self._threads)):
            self._submitted.wait(WRITE_EVERY)
            self._submitted.clear()
            for live in list(self._live.values()):
                self._write(live)

    def _write(self, live: _Live) -> None:
        """Bring the row up to date; an ended job is then read from there. A failure is tried again with the next round."""
        with live.writing:
            with live.lock:
                job, dirty, live.dirty = live.job, live.dirty, False
            try:
                if not live.stored:
                    about = {"id": job.id, "owner": job.owner, "kind": job.kind, "title": job.title, "created": job.created}
                    self._rows.add(JobRow(**about, **_values(job), process=_this_process()))
                    live.stored = True
                elif dirty and not self._rows.change(job.id, ACTIVE, **_values(job)):
                    live.stop.set()  # another process cancelled it
            except Exception as error:
                log().warning("job.not.written", job_id=job.id, exc_info=error)
                with live.lock:
                    live.dirty = True
                return
            if not job.active:
                self._live.pop(job.id, None)

    def _interrupt_orphans(self) -> None:
        for row in self._rows.list(states=ACTIVE):
            if not _alive(row.process):
                self._rows.change(row.id, ACTIVE, state="interrupted", error=_CLOSED, finished=now())


def _values(job: Job) -> dict[str, Any]:
    names = ("state", "done", "total", "message", "result", "error", "started", "finished")
    return {name: getattr(job, name) for name in names}


def _job(row: JobRow) -> Job:
    state: Any = row.state
    elapsed = (now() - row.started).total_seconds() if row.started else 0.0
    job = Job(row.id, row.owner, row.kind, row.title, state, row.created, row.done, row.total, row.message)
    job = replace(job, result=row.result, error=row.error, started=row.started, finished=row.finished)
    return replace(job, seconds_left=_seconds_left(job, elapsed))


def _wait_for(first: _Live, live: _Live) -> None:
    """Let a queued job say after what it starts; what somebody else works on is not told."""
    what = first.job.title if first.job.owner == live.job.owner else "the work of another profile"
    live.move(("queued",), message=f"starts after: {what}")


def _seconds_left(job: Job, elapsed: float) -> float | None:
    if job.state != "running" or not job.fraction or elapsed < 1.0:
        return None
    return round(elapsed * (1 - job.fraction) / job.fraction, 1)


@cache
def _this_process() -> str:
    return f"{platform.node()[:30]}|{os.getpid()}|{psutil.Process().create_time():.2f}"


def _alive(process: str) -> bool:
    """Whether the process that a job names still runs. One on another computer cannot be seen, and is left alone."""
    host, pid, started = process.split("|")
    if host != platform.node()[:30]:
        return True
    try:
        return bool(abs(psutil.Process(int(pid)).create_time() - float(started)) < 5.0)  # the clock may be set in between
    except psutil.Error:
        return False
