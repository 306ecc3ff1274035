"""Background work tells how far it is, stops when its owner says so, and is never lost without a word."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from backend.config import ROOT, Config, load_config
from backend.errors import InputError, StorageError
from backend.jobs import Job, Jobs
from backend.log import setup_logging
from backend.progress import Progress
from backend.storage import Storage, open_storage
from backend.storage.tables import ConnectionRow, JobRow


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return load_config({"BIOLOOM_DATA": str(tmp_path)})


@pytest.fixture
def storage(config: Config) -> Iterator[Storage]:
    opened = open_storage(config)
    yield opened
    opened.close()


@pytest.fixture
def jobs(storage: Storage) -> Iterator[Jobs]:
    running = Jobs(storage, workers=2)
    yield running
    running.shutdown()


class Gate:
    """Work that goes on only when the test lets it, so that nothing here depends on timing."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.open = threading.Event()

    def __call__(self, progress: Progress) -> dict[str, Any]:
        self.entered.set()
        while not self.open.wait(0.01):
            progress.check()
        return {"answer": 42}


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.open.set()


def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "it did not happen in time"
        time.sleep(0.01)


def row(storage: Storage, id: str) -> JobRow:
    found = storage.jobs.get(id)
    assert found is not None
    return found


def test_work_that_ends_leaves_its_result_in_the_database(jobs: Jobs, storage: Storage, gate: Gate) -> None:
    id = jobs.submit("ana", "import", "300 references", gate)
    assert gate.entered.wait(10)
    assert jobs.get(id).state == "running"
    gate.open.set()
    job = jobs.wait(id, 10)
    assert (job.state, job.result, job.error, job.fraction) == ("done", {"answer": 42}, None, 1.0)
    assert job.started is not None
    assert job.finished is not None
    assert job.created <= job.started <= job.finished
    assert row(storage, id).result == {"answer": 42}
    assert Jobs(storage).get(id) == job


def test_progress_is_fresh_in_memory_and_soon_in_the_database(jobs: Jobs, storage: Storage, gate: Gate) -> None:
    def work(progress: Progress) -> dict[str, Any]:
        progress.update(30, 120, "Reading record 30")
        return gate(progress)

    id = jobs.submit("ana", "import", "x", work)
    assert gate.entered.wait(10)
    job = jobs.get(id)
    assert (job.done, job.total, job.fraction, job.message) == (30.0, 120.0, 0.25, "Reading record 30")
    until(lambda: (found := storage.jobs.get(id)) is not None and found.message == "Reading record 30")


def test_the_time_left_follows_the_pace(jobs: Jobs, gate: Gate) -> None:
    def work(progress: Progress) -> dict[str, Any]:
        progress.update(1, 4)
        return gate(progress)

    id = jobs.submit("ana", "import", "x", work)
    assert jobs.get(id).seconds_left is None
    until(lambda: jobs.get(id).seconds_left is not None)
    left = jobs.get(id).seconds_left
    assert left is not None
    assert 2.9 <= left <= 6.0  # a quarter took about a second


def test_work_may_report_from_inside_its_own_writing_transaction(jobs: Jobs, storage: Storage) -> None:
    def work(progress: Progress) -> dict[str, Any]:
        with storage.session(write=True) as session:
            for n in range(8):
                session.add(ConnectionRow(service="s", request=str(n), outcome="o"))
                session.flush()
                progress.update(n + 1, 8)
                time.sleep(0.1)
        return {}

    begun = time.monotonic()
    assert jobs.wait(jobs.submit("ana", "import", "x", work), 14).state == "done"
    assert time.monotonic() - begun < 5
    assert len(storage.connections.list()) == 8


def test_submitting_does_not_wait_for_another_writer(jobs: Jobs, storage: Storage, gate: Gate) -> None:
    with storage.session(write=True) as session:
        session.add(ConnectionRow(service="s", request="r", outcome="o"))
        session.flush()
        begun = time.monotonic()
        id = jobs.submit("ana", "k", "x", gate)
        assert gate.entered.wait(10)
        assert [job.id for job in jobs.list(owner="ana", active=True)] == [id]
        assert time.monotonic() - begun < 2
    gate.open.set()
    assert jobs.wait(id, 10).state == "done"
    assert row(storage, id).state == "done"


def test_a_running_job_is_stopped_and_keeps_nothing(jobs: Jobs, storage: Storage) -> None:
    inside = threading.Event()

    def work(progress: Progress) -> dict[str, Any]:
        with storage.session(write=True) as session:
            session.add(ConnectionRow(service="s", request="r", outcome="o"))
            session.flush()
            inside.set()
            while True:
                progress.check()
                time.sleep(0.01)

    id = jobs.submit("ana", "import", "x", work)
    assert inside.wait(10)
    jobs.cancel(id, "ana")
    job = jobs.wait(id, 10)
    assert (job.state, job.result) == ("cancelled", None)
    assert storage.connections.list() == []


def test_a_queued_job_is_stopped_before_it_begins(storage: Storage, gate: Gate) -> None:
    one = Jobs(storage, workers=1)
    one.submit("ana", "k", "first", gate)
    begun = threading.Event()
    id = one.submit("ana", "k", "second", lambda progress: {"begun": begun.set()})
    assert one.get(id).state == "queued"
    assert one.cancel(id, "ana").state == "cancelled"
    gate.open.set()
    one.wait(one.submit("ana", "k", "third", lambda progress: {}), 10)
    assert not begun.is_set()
    one.shutdown()


def test_only_its_owner_may_stop_a_job(jobs: Jobs, gate: Gate) -> None:
    id = jobs.submit("ana", "k", "x", gate)
    with pytest.raises(InputError, match="somebody else") as caught:
        jobs.cancel(id, "ben")
    assert caught.value.hint
    gate.open.set()
    assert jobs.wait(id, 10).state == "done"
    assert jobs.cancel(id, "ana").state == "done"  # too late is no error


def test_an_unknown_job_is_told(jobs: Jobs) -> None:
    with pytest.raises(InputError, match="no job 'NOPE'"):
        jobs.get("NOPE")


def test_an_error_with_a_remedy_reaches_the_reader(jobs: Jobs) -> None:
    def work(progress: Progress) -> dict[str, Any]:
        raise InputError("Record 7 has no title.", "Remove it and import again.")

    job = jobs.wait(jobs.submit("ana", "k", "x", work), 10)
    assert (job.state, job.error) == ("failed", {"message": "Record 7 has no title.", "hint": "Remove it and import again."})


@pytest.mark.parametrize("error", [ValueError("patient Smith, MRN 12345"), MemoryError(), SystemExit(3)])
def test_any_other_error_gets_a_reference_and_the_worker_lives_on(jobs: Jobs, config: Config, error: BaseException) -> None:
    path = setup_logging(config)

    def work(progress: Progress) -> dict[str, Any]:
        raise error

    job = jobs.wait(jobs.submit("ana", "k", "x", work), 10)
    assert job.state == "failed"
    assert job.error is not None
    reference = job.error["hint"].split("reference ")[1][:6]
    logged = path.read_text("utf-8")
    assert reference in logged
    assert type(error).__name__ in logged
    assert "Smith" not in logged + str(job)
    assert jobs.wait(jobs.submit("ana", "k", "x", lambda progress: {}), 10).state == "done"


@pytest.mark.parametrize("result", [{"x": float("nan")}, {"x": object()}])
def test_a_result_that_cannot_be_stored_is_a_failure(jobs: Jobs, result: dict[str, Any]) -> None:
    assert jobs.wait(jobs.submit("ana", "k", "x", lambda progress: result), 10).state == "failed"


def test_the_same_work_asked_for_twice_runs_once(jobs: Jobs, gate: Gate) -> None:
    first = jobs.submit("ana", "index", "x", gate, key="index")
    assert jobs.submit("ben", "index", "x", gate, key="index") == first
    assert jobs.submit("ben", "index", "x", gate) != first
    gate.open.set()
    jobs.wait(first, 10)
    assert jobs.submit("ana", "index", "x", gate, key="index") != first


def test_jobs_of_one_lane_run_one_after_another_and_leave_a_thread_to_others(jobs: Jobs, gate: Gate) -> None:
    second, third, fourth = Gate(), Gate(), Gate()
    ids = [jobs.submit("ana", "k", name, work, lane="heavy") for name, work in zip("1234", (gate, second, third, fourth), strict=True)]
    foreign = jobs.submit("ben", "k", "5", lambda progress: {}, lane="heavy")
    assert gate.entered.wait(10)
    assert jobs.wait(jobs.submit("ana", "k", "light", lambda progress: {}), 10).state == "done", "a thread is free for other work"
    assert [jobs.get(id).state for id in ids] == ["running", "queued", "queued", "queued"]
    assert [jobs.get(id).message for id in ids[1:]] == ["starts after: 1"] * 3
    assert "1" not in jobs.get(foreign).message
    jobs.cancel(ids[1], "ana")
    gate.open.set()
    assert third.entered.wait(10)
    assert not second.entered.is_set(), "it was stopped while it waited"
    assert jobs.get(ids[3]).message == "starts after: 3"
    third.open.set()
    fourth.open.set()
    assert jobs.wait(foreign, 10).state == "done"
    again = jobs.submit("ana", "k", "6", lambda progress: {}, lane="heavy")
    assert jobs.wait(again, 10).state == "done", "an empty lane is free again"


def test_lists_are_newest_first_by_owner_and_by_activity(jobs: Jobs, gate: Gate) -> None:
    done = jobs.submit("ana", "k", "done", lambda progress: {})
    jobs.wait(done, 10)
    running = jobs.submit("ana", "k", "running", gate)
    other = jobs.submit("ben", "k", "other", gate)
    assert [job.id for job in jobs.list()] == [other, running, done]
    assert [job.id for job in jobs.list(owner="ana", active=True)] == [running]
    assert [job.id for job in jobs.list(limit=1)] == [other]


def test_a_wait_that_is_too_short_gives_the_job_as_it_stands(jobs: Jobs, gate: Gate) -> None:
    assert jobs.wait(jobs.submit("ana", "k", "x", gate), 0.05).active


def test_shutdown_interrupts_what_is_at_work_and_takes_nothing_new(storage: Storage, gate: Gate) -> None:
    closing = Jobs(storage, workers=1)
    running, queued = (closing.submit("ana", "k", "x", gate) for _ in range(2))
    assert gate.entered.wait(10)
    closing.shutdown()
    for id in (running, queued):
        job = closing.get(id)
        assert job.state == "interrupted"
        assert job.error is not None
        assert "closed" in job.error["message"]
    with pytest.raises(StorageError, match="closing"):
        closing.submit("ana", "k", "x", gate)


OTHER_PROCESS = """
import sys, time
from backend.config import load_config
from backend.jobs import Jobs
from backend.storage import open_storage
def work(progress):
    n = 0
    while True:
        n += 1
        progress.update(n)
        progress.check()
        time.sleep(0.02)
storage = open_storage(load_config({"BIOLOOM_DATA": sys.argv[1]}))
jobs = Jobs(storage)
id = jobs.submit("ana", "k", "x", work)
while storage.jobs.get(id) is None or storage.jobs.get(id).state != "running":
    time.sleep(0.01)
print(id, flush=True)
print(jobs.wait(id).state, flush=True)
"""


@pytest.fixture
def other(config: Config, storage: Storage) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen([sys.executable, "-c", OTHER_PROCESS, str(config.data)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    yield process
    process.kill()
    process.wait()


def read_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_a_job_whose_process_was_killed_is_interrupted_at_the_next_start(
    storage: Storage, jobs: Jobs, other: subprocess.Popen[str], gate: Gate
) -> None:
    id = read_line(other)
    mine = jobs.submit("ana", "k", "mine", gate)
    assert Jobs(storage).get(id).active  # its process lives: it is left alone
    other.kill()
    other.wait()
    job = Jobs(storage).get(id)
    assert job.state == "interrupted"
    assert job.error is not None
    assert job.error["hint"]
    assert jobs.get(mine).active


def test_a_job_of_another_process_is_seen_and_can_be_stopped_by_its_owner(jobs: Jobs, other: subprocess.Popen[str]) -> None:
    id = read_line(other)
    until(lambda: jobs.get(id).done > 0)
    with pytest.raises(InputError):
        jobs.cancel(id, "ben")
    assert jobs.cancel(id, "ana").state == "cancelled"
    assert read_line(other) == "cancelled"


def test_a_hundred_jobs_from_eight_threads_all_end_once(storage: Storage) -> None:
    busy = Jobs(storage, workers=4)
    done: list[int] = []
    threads = [
        threading.Thread(target=lambda: [busy.submit("ana", "k", "x", lambda progress: done.append(1) or {}) for _ in range(12)])
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ended: list[Job] = [busy.wait(job.id, 30) for job in busy.list(limit=200)]
    busy.shutdown()
    assert len(ended) == len(done) == 96
    assert {job.state for job in ended} == {"done"}
    with storage.session() as session:
        assert session.scalar(select(func.count()).select_from(JobRow).where(JobRow.state == "done")) == 96
