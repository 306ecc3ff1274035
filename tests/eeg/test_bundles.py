"""Dropped files find their recording, and archives do not outlive their patient."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from backend.config import Config
from backend.eeg.bundles import bundle
from backend.eeg.exports import find_export, forget_export, forget_exports, write_export
from backend.errors import Cancelled
from backend.progress import Silent
from backend.storage import Storage
from backend.storage.recordings import Recording
from tests.eeg.making import edf, put


def _named(*names: str) -> list[tuple[str, ...]]:
    return [tuple(names[n] for n in one.files) for one in bundle(names)]


def test_each_brainvision_header_takes_the_parts_of_its_name() -> None:
    assert _named("b.vmrk", "a.vhdr", "a.eeg", "b.vhdr", "a.vmrk", "b.eeg") == [
        ("a.vhdr", "a.eeg", "a.vmrk"),
        ("b.vhdr", "b.vmrk", "b.eeg"),
    ]


def test_a_renamed_header_that_is_alone_takes_all_parts() -> None:
    assert _named("P-01.vhdr", "rec.dat", "rec.vmrk") == [("P-01.vhdr", "rec.dat", "rec.vmrk")]


def test_files_of_one_part_stay_alone_and_in_order() -> None:
    assert _named("n.edf", "x.set", "m.CSV.gz", "X.FDT") == [("n.edf",), ("x.set", "X.FDT"), ("m.CSV.gz",)]


@pytest.mark.parametrize(("name", "header"), [("a.vmrk", ".vhdr"), ("a.fdt", ".set")])
def test_a_part_without_its_header_says_what_is_missing(name: str, header: str) -> None:
    (one,) = bundle([name])
    assert header in one.missing


def test_an_archive_is_whole_or_not_there_and_goes_with_the_patient(
    config: Config, storage: Storage, visit: str, take: Callable[..., Recording], tmp_path: Path
) -> None:
    take(put(tmp_path, "a.edf", edf()))
    patient = storage.patients.visit(visit).patient

    class Stop(Silent):
        def check(self) -> None:
            raise Cancelled

    with pytest.raises(Cancelled):
        write_export(config, storage, patient, Stop())
    assert find_export(config, patient) is None
    assert list((config.data / "exports").iterdir()) == []
    path = write_export(config, storage, patient, Silent())
    assert path == find_export(config, patient)
    assert zipfile.ZipFile(path).testzip() is None
    forget_export(config, patient)
    assert find_export(config, patient) is None
    write_export(config, storage, patient, Silent())
    forget_exports(config)
    assert find_export(config, patient) is None
