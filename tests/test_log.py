"""The log says what Bioloom did, and cannot say what anybody asked, read or recorded."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from backend.config import ROOT, Config, load_config
from backend.errors import InputError
from backend.log import log, setup_logging

PLANTED = [
    "Does metformin help Mrs Adelaide Fitzwilliam?",
    "MRN 00482913",
    "MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQAPILSRVTDEFYGS*",
    "/home/adelaide/fitzwilliam.edf",
    "adelaide@example.org, born 1951-03-04",
    "ACGTTGCA\nFitzwilliam",
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return setup_logging(load_config({"BIOLOOM_DATA": str(tmp_path)}))


def entries(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_what_is_harmless_is_written_as_one_line_of_json(path: Path) -> None:
    log().info("run.saved", task="literature.ask", model="all-minilm-l6-v2", run_id="0A1B2C3D", seconds=0.25, count=10)
    (entry,) = entries(path)
    assert entry.pop("timestamp")
    assert entry == {
        "level": "info",
        "event": "run.saved",
        "task": "literature.ask",
        "model": "all-minilm-l6-v2",
        "run_id": "0A1B2C3D",
        "seconds": 0.25,
        "count": 10,
    }


@pytest.mark.parametrize("secret", PLANTED)
@pytest.mark.parametrize(
    "key", ["event", "task", "model", "kind", "error", "run_id", "job_id", "seconds", "count", "question", "title", "path"]
)
def test_content_passes_under_no_key(path: Path, key: str, secret: str) -> None:
    if key == "event":
        log().warning(secret)
    else:
        log().warning("asked", **{key: secret})
    written = path.read_text("utf-8")
    assert len(entries(path)) == 1
    for piece in [secret, *secret.replace("\n", " ").split()]:
        assert len(piece) < 6 or piece not in written


@pytest.mark.parametrize("secret", PLANTED)
def test_an_exception_is_written_as_its_type_and_lines_without_message_or_values(path: Path, secret: str) -> None:
    def read(question: str) -> None:
        try:
            raise KeyError(question)
        except KeyError as error:
            raise InputError(f"Cannot read {question}", question) from error

    try:
        read(secret)
    except InputError:
        log().exception("reading failed", kind="import")
    try:
        read(secret)
    except InputError as error:
        log().error("reading failed", exc_info=error)
    written = path.read_text("utf-8")
    assert secret not in written
    assert "Fitzwilliam" not in written
    for entry in entries(path):
        assert entry["error"] == "InputError"
        assert entry["frames"][0] == "InputError"
        assert "KeyError" in entry["frames"]
        assert any(frame.startswith("tests/test_log.py:") and frame.endswith(" read") for frame in entry["frames"])


def test_every_event_in_the_code_is_a_fixed_text_with_named_values() -> None:
    """An f-string, a variable or a positional value could carry content past the gate."""
    calls = 0
    for file in (path for folder in ("backend", "pages") for path in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Call)):
                continue
            if not (isinstance(node.func.value.func, ast.Name) and node.func.value.func.id == "log"):
                continue
            calls += 1
            place = f"{file}:{node.lineno}"
            assert len(node.args) == 1, place
            assert isinstance(node.args[0], ast.Constant), place
            assert all(keyword.arg is not None for keyword in node.keywords), place
    assert calls > 2


def test_setting_up_twice_writes_once_and_another_folder_takes_over(path: Path, tmp_path: Path) -> None:
    setup_logging(load_config({"BIOLOOM_DATA": str(tmp_path)}))
    log().info("started")
    assert len(entries(path)) == 1
    elsewhere = setup_logging(load_config({"BIOLOOM_DATA": str(tmp_path / "b")}))
    log().info("started")
    assert (len(entries(path)), len(entries(elsewhere))) == (1, 1)


def test_a_folder_that_cannot_be_written_to_stops_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "logs").write_text("a file in the way")
    setup_logging(Config(data=tmp_path, database_url=""))
    log().info("started")
    assert capsys.readouterr() == ("", "")
