"""A recording full of identifiers, all the way: imported, analysed, reported, exported by the command line. None is anywhere afterwards."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from backend import cli
from backend.config import Config
from tests.eeg.making import edf, put
from tests.eeg.test_identifiers import DATES, DAY, NOTE, PATIENT, PLANTED


def _eight_minutes(folder: Path) -> Path:
    """Six electrodes of 1/f noise with an alpha rhythm behind, its header full of names."""
    rng = np.random.default_rng(3)
    rate, seconds = 128, 480
    time = np.arange(rate * seconds) / rate
    values = []
    for n, _ in enumerate(LABELS):
        spectrum = np.fft.rfft(rng.normal(size=len(time)))
        noise = np.fft.irfft(spectrum / np.maximum(np.fft.rfftfreq(len(time), 1 / rate), 0.5) ** 0.5, len(time))
        values.append((120 * noise / noise.std() + (n > 3) * 150 * np.sin(2 * np.pi * 10 * time)).astype(np.int32))
    data = edf(
        LABELS, values=values, rates=[rate] * len(LABELS), records=seconds, patient=PATIENT, recording=DAY, date="12.08.09",
        reserved="EDF+C", transducer=f"by {PLANTED[5]}", prefilter=f"HP:0.1Hz {PLANTED[17]}", onsets=[float(n) for n in range(seconds)],
        marks={60: [(60.5, 0.0, NOTE)]}, note_bytes=200,
    )  # fmt: skip
    return put(folder, f"{PLANTED[0]}_{PLANTED[4]}.edf", data)


LABELS = ("C3", "C4", "F3", "F4", "O1", "O2")


@pytest.mark.timeout(600)
def test_no_identifier_survives_from_import_to_report(
    tmp_path: Path, config: Config, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = _eight_minutes(tmp_path)
    out = tmp_path / "out"
    out.mkdir()
    told: list[str] = []

    def bioloom(*words: object) -> str:
        monkeypatch.setattr(sys, "argv", ["bioloom", *map(str, words)])
        code: object = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = stop.code
        caught = capsys.readouterr()
        told.extend((caught.out, caught.err))
        assert not code, caught.err
        return caught.out

    monkeypatch.setenv("BIOLOOM_DATA", str(config.data))
    runs = [
        json.loads(bioloom("decode", path, "--patient", "P-07", "--task", task, "--json"))["run_id"]
        for task in ("eeg.quality", "eeg.baseline")
    ]
    for run in runs:
        bioloom("runs", "export", run, "--format", "json", "-o", out / f"{run}.json")
    bioloom("report", "--patient", "P-07", "--out", out / "report.html")
    bioloom("report", "--patient", "P-07", "--out", out / "report.pdf")
    bioloom("patients", "export", "P-07", "--out", out / "all.zip")

    import pypdfium2

    held = {str(file.relative_to(tmp_path)): file.read_bytes() for file in (*config.data.rglob("*"), *out.iterdir()) if _ours(file)}
    document = pypdfium2.PdfDocument(out / "report.pdf")
    held["the report's pages"] = "\n".join(page.get_textpage().get_text_range() for page in document).encode()
    held["the report's properties"] = str(document.get_metadata_dict()).encode()
    with zipfile.ZipFile(io.BytesIO((out / "all.zip").read_bytes())) as archive:
        held |= {f"archive {name}": archive.read(name) for name in archive.namelist()}
    held["what was printed"] = "\n".join(told).encode()
    assert b"P-07" in held["the report's pages"], "the report names its patient by pseudonym"
    for word in (*PLANTED, *DATES, path.stem):
        for form in (word, word.upper(), word.lower()):
            found = [name for name, data in held.items() if form.encode("latin-1") in data or form.encode("utf-16-le") in data]
            assert not found, f"{form} in {found}"


def _ours(file: Path) -> bool:
    return file.is_file() and "models" not in file.parts
