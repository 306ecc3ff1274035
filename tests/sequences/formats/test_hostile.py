"""Whatever is dropped: no traceback, every diagnosis named, every letter accounted for."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.errors import InputError
from backend.sequences.formats import read_sequences
from backend.sequences.records import NOTICES
from tests.sequences.hostile import CASES, Case


def _read(case: Case, folder: Path):
    path = folder / "given"
    path.write_bytes(case.data)
    return read_sequences(path, "given")


def test_the_corpus_is_large_and_its_names_differ() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 60


@pytest.mark.parametrize("case", [case for case in CASES if case.diagnosis], ids=lambda case: case.name)
def test_what_is_no_sequence_file_is_named_with_a_remedy(case: Case, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        _read(case, tmp_path)
    assert case.diagnosis in caught.value.message
    assert "given" in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("case", [case for case in CASES if not case.diagnosis], ids=lambda case: case.name)
def test_every_record_yields_what_the_manifest_says(case: Case, tmp_path: Path) -> None:
    found = _read(case, tmp_path)
    assert found.format == case.form
    for note in case.notes:
        assert any(note in told for told in found.notes), found.notes
    if case.name != "gzip cut short":
        assert len(found) == len(case.records), [entry.id for entry in found.entries()]
    else:
        assert found.entries()[-1].refused
    for entry, wanted in zip(found.entries(), case.records, strict=False):
        assert wanted.refused in entry.refused
        assert bool(entry.refused) == bool(wanted.refused), entry.refused
        assert wanted.id in ("", entry.id)
        if wanted.refused:
            with pytest.raises(InputError):
                found.record(entry.id)
            continue
        assert entry.kind == wanted.kind, entry.why
        assert entry.choices == wanted.choices
        assert wanted.why in entry.why
        if wanted.kind == "ambiguous":
            with pytest.raises(InputError):
                found.record(entry.id)
            continue
        record = found.record(entry.id)
        assert record.sequence == wanted.sequence
        assert entry.length == len(record.sequence)
        assert tuple(told.what for told in entry.alterations) == wanted.told
        for what, spans in wanted.spans.items():
            assert next(told.spans for told in entry.alterations if told.what == what) == spans


@pytest.mark.parametrize("case", [case for case in CASES if not case.diagnosis], ids=lambda case: case.name)
def test_the_summary_counts_what_the_entries_say(case: Case, tmp_path: Path) -> None:
    found = _read(case, tmp_path)
    entries, summary = found.entries(), found.summary()
    assert summary.records == len(entries)
    assert summary.usable == sum(entry.usable for entry in entries) == len(list(found.usable()))
    assert summary.refused == sum(bool(entry.refused) for entry in entries)
    assert summary.ambiguous == sum(entry.kind == "ambiguous" and not entry.refused for entry in entries)
    assert summary.altered == sum(not entry.refused and any(told.what not in NOTICES for told in entry.alterations) for entry in entries)
    assert summary.letters == sum(entry.length for entry in entries if entry.usable)


def test_a_folder_and_a_missing_file_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="folder"):
        read_sequences(tmp_path)
    with pytest.raises(InputError, match="cannot be read"):
        read_sequences(tmp_path / "nowhere.fasta")
