"""What is exported is read back by other programs as it was, and a spreadsheet runs nothing of it."""

import csv
import io
from urllib.parse import unquote

import pytest

from backend.sequences.export import Gff3Row, to_csv, to_fasta, to_gff3


def test_a_feature_is_one_line_of_nine_columns():
    text = to_gff3([Gff3Row("chr1", "ORF", 3, 14, 0.5, -1, 0, attributes={"ID": "orf1", "codons": 4})], {"chr1": 99})
    assert text == "##gff-version 3\n##sequence-region chr1 1 99\nchr1\tBioloom\tORF\t3\t14\t0.5\t-\t0\tID=orf1;codons=4\n"


def test_a_hostile_id_or_note_adds_no_line_and_no_attribute():
    text = to_gff3([Gff3Row(">a b\tc\n##x", "region", 1, 2, attributes={"Note": "x;ID=evil\n2\tb,c%é", "Alias": ["p,q", "r"]})])
    (_, line) = text.splitlines()
    cells = line.split("\t")
    assert len(cells) == 9
    assert unquote(cells[0]) == ">a b\tc\n##x"
    assert not cells[0].startswith(">")
    notes = dict(part.split("=") for part in cells[8].split(";"))
    assert unquote(notes["Note"]) == "x;ID=evil\n2\tb,c%é"
    assert [unquote(item) for item in notes["Alias"].split(",")] == ["p,q", "r"]


def test_a_feature_that_ends_before_it_begins_is_refused():
    with pytest.raises(ValueError, match="from 5 to 4"):
        to_gff3([Gff3Row("a", "region", 5, 4)])


def test_fasta_comes_back_as_it_went():
    from Bio import SeqIO

    text = to_fasta([("a one\ntwo", "ACGT" * 40), ("b", "MKV"), ("empty", "")])
    found = [(record.description, str(record.seq)) for record in SeqIO.parse(io.StringIO(text), "fasta")]
    assert found == [("a one two", "ACGT" * 40), ("b", "MKV"), ("empty", "")]
    assert max(map(len, text.splitlines())) == 60


def test_a_spreadsheet_is_handed_no_formula():
    rows = [{"id": '=HYPERLINK("x")', "value": -1.5}, {"id": "@cmd", "value": None, "more": "a,b"}]
    found = list(csv.reader(io.StringIO(to_csv(rows))))
    assert found == [["id", "value", "more"], ['\'=HYPERLINK("x")', "-1.5", ""], ["'@cmd", "", "a,b"]]
    assert to_csv([]) == ""
    assert to_csv([], ["id"]) == "id\r\n"
