"""Nothing is silently changed: every letter is in the sequence at its place, or told, or its record is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.errors import InputError
from backend.sequences.formats import read_sequences
from backend.sequences.records import Preflight
from tests.sequences.hostile import DNA, PROTEIN, RNA

_SAME_FOLDER = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
_DIRTY = st.text(alphabet="ACGTUNacgtuMKLEFIPQXBZOJRSYWVDHmkle-.~* \t\n\r019?!;", max_size=200)


def read(folder: Path, text: str | bytes, kinds: dict | None = None) -> Preflight:
    path = folder / "given"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_sequences(path, "given", kinds)


@_SAME_FOLDER
@given(body=_DIRTY)
def test_every_letter_is_in_the_sequence_or_told_or_its_record_refused(tmp_path: Path, body: str) -> None:
    if any(line.strip().startswith(">") for line in body.splitlines()):
        return
    found = read(tmp_path, f">x\n{body}\n", {"x": "protein"})
    entry = found.entries()[0]
    if entry.refused:
        return
    record = found.record("x")
    rows = [row for row in body.replace("\r\n", "\n").replace("\r", "\n").split("\n") if not row.startswith(";")]
    placed = [character for row in rows for character in row if not character.isspace() and not character.isdigit()]
    told = {
        place
        for item in entry.alterations
        for first, last in item.spans
        if item.what in ("gap", "stop")
        for place in range(first, last + 1)
    }
    cased = {place for item in entry.alterations for first, last in item.spans if item.what == "case" for place in range(first, last + 1)}
    at = record.all_places()
    assert len(at) == len(record.sequence) == entry.length
    assert sorted([*at, *told]) == list(range(1, len(placed) + 1))
    for letter, place in zip(record.sequence, at, strict=True):
        assert letter == placed[place - 1].upper()
        assert (placed[place - 1] != letter) == (place in cased)
        assert record.index(place) is not None
        assert record.place(record.index(place)) == place


@_SAME_FOLDER
@given(data=st.binary(max_size=400))
def test_no_bytes_whatever_end_in_anything_but_a_preflight_or_a_told_error(tmp_path: Path, data: bytes) -> None:
    for prefix in (b"", b">a\n", b"@r\nACGT\n+\n", b"LOCUS       a 9 bp\nORIGIN\n", b"ID   a; SV 1; 9 BP.\nSQ   \n", b"\x1f\x8b\x08"):
        try:
            found = read(tmp_path, prefix + data)
        except InputError:
            continue
        for entry in found.entries():
            if entry.usable:
                assert found.record(entry.id).sequence
        assert len({entry.id for entry in found.entries()}) == len(found)


@_SAME_FOLDER
@given(letters=st.lists(st.sampled_from([DNA, PROTEIN, RNA, "GATTACA", "", "ACG?"]), min_size=1, max_size=12), width=st.integers(1, 90))
def test_records_read_the_same_wrapped_packed_or_with_other_line_ends(tmp_path: Path, letters: list[str], width: int) -> None:
    import gzip

    plain = "".join(f">r{at}\n{body}\n" for at, body in enumerate(letters))
    wrapped = "".join(
        f">r{at}\n" + "".join(body[start : start + width] + "\n" for start in range(0, len(body), width)) for at, body in enumerate(letters)
    )
    read_once = [(entry.id, entry.kind, entry.length, entry.alterations) for entry in read(tmp_path, plain).entries()]
    for other in (wrapped, wrapped.replace("\n", "\r\n"), wrapped.replace("\n", "\r"), gzip.compress(wrapped.encode())):
        assert [(entry.id, entry.kind, entry.length, entry.alterations) for entry in read(tmp_path, other).entries()] == read_once


def test_what_the_person_says_of_a_record_decides(tmp_path: Path) -> None:
    text = ">short\nGATTACA\n>other\nACACAGTTT\n"
    assert read(tmp_path, text).summary().ambiguous == 2
    found = read(tmp_path, text, {"short": "protein"})
    assert [entry.kind for entry in found.entries()] == ["protein", "ambiguous"]
    assert [entry.kind for entry in read(tmp_path, text, {"": "dna"}).entries()] == ["dna", "dna"]
    rna = read(tmp_path, text, {"": "rna"})
    assert rna.record("short").sequence == "GAUUACA"
    assert rna.find("short").alterations[0].spans == ((3, 4),)


def test_what_is_said_of_all_leaves_alone_a_protein_that_cannot_be_bases(tmp_path: Path) -> None:
    found = read(tmp_path, f">p\n{PROTEIN}\n>d\nGATTACA\n", {"": "dna"})
    assert [entry.kind for entry in found.entries()] == ["protein", "dna"]


def test_a_stray_letter_in_dna_is_refused_with_its_place_when_it_is_to_be_dna_and_kept_when_protein(tmp_path: Path) -> None:
    text = f">x\n{DNA[:40]}\nE{DNA[41:]}\n"
    assert "place 41 (line 3)" in read(tmp_path, text, {"": "dna"}).find("x").refused
    assert read(tmp_path, text, {"x": "protein"}).record("x").sequence == DNA[:40] + "E" + DNA[41:]


def test_genbank_features_come_in_the_user_numbering_with_their_strand(tmp_path: Path) -> None:
    from tests.sequences.hostile import CASES

    data = next(case.data for case in CASES if case.name == "GenBank")
    record = read(tmp_path, data).record("AB000001.1")
    coding, exon = record.features
    assert (coding.kind, coding.name, coding.spans[0]) == ("CDS", "ABC", (1, 10))
    assert set(coding.spans) == {(1, 10), (21, 30)}
    assert (exon.kind, exon.spans) == ("exon", ((5, 20),))
    assert record.entry.description == "A piece of a gene, in two lines."


def test_ids_and_line_numbers_are_found_far_down_a_large_file(tmp_path: Path) -> None:
    generator = np.random.default_rng(7)
    rows = ["".join(generator.choice(list("ACDEFGHIKLMNPQRSTVWY"), 300)) for _ in range(50)]
    text = "".join(f">r{at} number {at}\n{rows[at % 50]}\n" for at in range(20_000))
    found = read(tmp_path, text)
    assert len(found) == 20_000
    entry = found.entries(19_999)[0]
    assert (entry.id, entry.line, entry.length) == ("r19999", 39_999, 300)
    assert found.record("r12345").sequence == rows[12345 % 50]
    assert found.entries(6_000, 6_002)[1].id == "r6001"


def test_long_runs_of_alterations_are_all_counted_and_the_first_thousand_listed(tmp_path: Path) -> None:
    found = read(tmp_path, ">x\n" + "mF" * 1_500 + "E\n")
    told = found.entries()[0].alterations[0]
    assert len(told.spans) == 1_000
    assert "1,500 letters" in told.text
    assert "1,500 stretches" in told.text


@pytest.mark.parametrize("which", ["all", "usable", "altered", "refused", "ambiguous", "protein", "dna", "rna"])
def test_the_numbers_of_a_filter_agree_with_the_entries(tmp_path: Path, which: str) -> None:
    found = read(tmp_path, f">a\n{PROTEIN}\n>b\n{DNA.lower()}\n>c\n\n>d\nGATTACA\n>e\n{RNA}\n")
    tests = {
        "all": lambda entry: True,
        "usable": lambda entry: entry.usable,
        "altered": lambda entry: entry.altered,
        "refused": lambda entry: bool(entry.refused),
        "ambiguous": lambda entry: entry.kind == "ambiguous" and not entry.refused,
    }
    wanted = tests.get(which, lambda entry: entry.usable and entry.kind == which)
    assert found.numbers(which).tolist() == [at for at, entry in enumerate(found.entries()) if wanted(entry)]
