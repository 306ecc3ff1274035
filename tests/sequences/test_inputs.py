"""From a kept file to the records of a task: chosen, of the right kind, or refused in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.errors import InputError
from backend.sequences.inputs import choose, give_file, give_text, read_input
from tests.sequences.hostile import DNA, PROTEIN


def test_a_pasted_protein_is_chosen_with_its_preflight(bench) -> None:
    value = give_text(bench.context, PROTEIN.lower() + "*")
    chosen = choose(bench.context, read_input(bench.context, value, {}), ("protein",))
    assert chosen.records[0].sequence == PROTEIN
    assert [told["what"] for told in chosen.preflight["records"][0]["alterations"]] == ["renamed", "case", "stop"]


def test_only_records_of_the_kind_are_chosen_and_the_rest_told(bench, tmp_path: Path) -> None:
    path = tmp_path / "mixed.fasta"
    path.write_text(f">a\n{PROTEIN}\n>b\n{DNA}\n>c\n\n>d\nGATTACA\n")
    value = read_input(bench.context, give_file(bench.context, path), {})
    chosen = choose(bench.context, value, ("dna",))
    assert [record.id for record in chosen.records] == ["b"]
    assert any("1 of 4 records were refused" in warning for warning in chosen.warnings)
    with pytest.raises(InputError, match="this task reads protein"):
        choose(bench.context, {**value, "records": ["b"]}, ("protein",))
    with pytest.raises(InputError, match="no record"):
        choose(bench.context, {**value, "records": ["z"]}, ("dna",))


def test_a_file_without_a_usable_record_says_why_and_what_to_do(bench) -> None:
    with pytest.raises(InputError, match="empty"):
        read_input(bench.context, give_text(bench.context, ">x\n"), {})
    with pytest.raises(InputError, match="Say which it is"):
        read_input(bench.context, give_text(bench.context, ">x\nGATTACA\n"), {})
    assert read_input(bench.context, give_text(bench.context, ">x\nGATTACA\n", kind="dna"), {})


def test_a_stray_letter_is_named_with_its_place_before_any_task(bench) -> None:
    with pytest.raises(InputError, match=r"place 41"):
        read_input(bench.context, give_text(bench.context, f">x\n{DNA[:40]}E{DNA[41:]}\n"), {})
