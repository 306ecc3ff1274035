"""The overview of a file, saved as a run: places are the user's own, and what is exported says the same."""

import pytest

from backend.config import ROOT
from backend.errors import InputError
from backend.sequences import overview, overview_export
from backend.sequences.inputs import give_text


def look(bench, text, **settings):
    return bench.run("sequence.overview", give_text(bench.context, text), settings=settings).prediction


def test_the_haemoglobin_gene_is_described(bench):
    found = look(bench, (ROOT / "assets" / "examples" / "hbb-gene.fasta").read_text())
    (result,) = found["results"]
    assert result["kind"] == "dna"
    assert {"BamHI", "EcoRI", "NcoI"} <= {row["enzyme"] for row in result["details"]["enzymes"] if row["count"] == 1}
    gff = overview_export.as_gff3(found).splitlines()
    assert gff[0] == "##gff-version 3"
    assert sum("\tORF\t" in line for line in gff) == result["details"]["orfs_found"]
    assert sum("recognition_site" in line for line in gff) == len(result["details"]["sites"])
    for orf in result["details"]["orfs"]:
        assert (orf["end"] - orf["start"] + 1) == 3 * (orf["residues"] + orf["complete"])
    assert overview_export.as_faa(found).count(">") == result["details"]["orfs_found"]
    assert "".join(overview_export.as_fasta(found).splitlines()[1:]) == result["sequence"]


def test_many_records_are_a_table_and_the_first_ones_have_details(bench):
    found = look(bench, "".join(f">p{i}\nMKVLAADESGRW\n" for i in range(30)))
    assert len(found["results"]) == 30
    assert sum(result["details"] is not None for result in found["results"]) == overview.MOST_DETAILED
    assert len(overview_export.as_csv(found).splitlines()) == 31


def test_rna_has_no_restriction_sites_and_frames_of_one_strand(bench):
    found = look(bench, ">r\n" + "AUGGCUGCUGCUGCUGCUUAAGAAUUC\n", shortest_orf=5)
    details = found["results"][0]["details"]
    assert details["sites"] == []
    assert [orf["protein"] for orf in details["orfs"] if orf["frame"] == 1] == ["MAAAAA"]
    assert all(orf["frame"] > 0 for orf in details["orfs"])


@pytest.mark.parametrize("wrong", [{"code": 99}, {"enzymes": "Nosuch"}, {"window": -1}, {"begin": "x"}, {"shortest_orf": "many"}])
def test_a_setting_that_makes_no_sense_is_refused(bench, wrong):
    with pytest.raises(InputError):
        look(bench, ">d\nACGTACGTACGTTTGACC\n", **wrong)
