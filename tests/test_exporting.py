"""What an untrained model made says so inside every file that it is exported to; what a trained one made is left as its task wrote it."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import pytest

from backend import exporting
from backend.exporting import export
from backend.models.registry import add_local
from backend.sequences.inputs import give_text
from backend.workbench import UNTRAINED
from tests.models import untrained_protst

SET = ">ubiquitin\nMQIFVKTLTGKTITLEVEPSDTIENVKAKIQDKEGIPPDQQRLIFAGKQLEDGRTLSDYNIQKESTLHLVLRLRGG\n>other\nMKVLAADESGRTPW\n"


@pytest.fixture
def run(bench, tmp_path):
    untrained_protst.make(tmp_path / "small")
    bench.config.models.unlink() if bench.config.models.is_symlink() else None
    add_local(bench.config, tmp_path / "small", "protst")
    return bench.run("sequence.embed", give_text(bench.context, SET), settings={"model": "small"})


def test_every_row_of_a_table_says_untrained(run):
    rows = list(csv.reader(io.StringIO(export(run, "csv"), newline="")))
    assert rows[0][-1] == "warning"
    assert len(rows) == 3
    assert all("UNTRAINED" in row[-1] and len(row) == len(rows[0]) for row in rows[1:])


def test_a_trained_models_table_is_as_the_task_wrote_it(run):
    trained = replace(run, model={key: value for key, value in run.model.items() if key != "untrained"})
    assert "UNTRAINED" not in export(trained, "csv")


@pytest.mark.parametrize(
    ("kind", "text", "marked"),
    [
        ("fasta", ">a b\nACGT\n>c\nGG\n", [">a b [UNTRAINED", ">c [UNTRAINED"]),
        ("gff3", "##gff-version 3\na\tb\n", ["##gff-version 3\n# UNTRAINED"]),
        ("ct", "76 ENERGY = -1\n1 G\n", ["76 ENERGY = -1 [UNTRAINED"]),
        ("txt", "a text", [UNTRAINED]),
        ("json", '{"a": 1}', ['"warning"']),
    ],
)
def test_each_form_has_its_place_for_the_mark(kind, text, marked):
    made = exporting._MARKS[kind](text)
    assert all(part in made for part in marked)
    if kind == "json":
        assert json.loads(made)["a"] == 1


def test_an_explanation_of_random_numbers_says_so(bench, run):
    made = bench.explain(run.id, {}).explanation
    assert made["sites"]["faithfulness"]["reason"].startswith("The model is UNTRAINED")
