"""Numbers of an overview agree with textbooks and with Biopython; letters left open give bounds, never guesses."""

import random
import time

import pytest

from backend.config import ROOT
from backend.errors import InputError
from backend.sequences.overview_nucleic import codon_usage, strand_weight, windows
from backend.sequences.overview_orfs import complement, find_orfs
from backend.sequences.overview_protein import hydropathy, protein_numbers
from backend.sequences.overview_sites import choose_enzymes, find_sites


def example(name: str) -> str:
    return "".join((ROOT / "assets" / "examples" / name).read_text().splitlines()[1:])


UBIQUITIN = example("ubiquitin.fasta")
HBB = example("hbb-gene.fasta")


def test_ubiquitin_has_its_known_weight_and_isoelectric_point():
    numbers = protein_numbers(UBIQUITIN)
    assert numbers["weight"]["value"] == pytest.approx(8564.8, abs=0.2)
    assert numbers["pi"]["value"] == pytest.approx(6.56, abs=0.02)
    assert numbers["extinction_reduced"]["value"] == 1490  # one tyrosine, no tryptophan


def test_an_unknown_residue_bounds_the_weight_and_refuses_the_rest():
    known, open_ = protein_numbers("MKVLA"), protein_numbers("MKVLAX")
    assert open_["weight"]["value"] is None
    assert open_["weight"]["low"] == pytest.approx(known["weight"]["value"] + 57.05, abs=0.1)  # glycine
    assert open_["weight"]["high"] > known["weight"]["value"] + 186  # tryptophan or more
    assert open_["pi"]["value"] is None
    assert open_["pi"]["note"]
    assert open_["instability"]["value"] is None
    assert open_["gravy"]["value"] == known["gravy"]["value"]
    between = protein_numbers("MKVLAB")["pi"]
    assert between["low"] < between["high"]


def test_a_window_with_an_unknown_residue_has_no_hydropathy():
    values = hydropathy("AAAAAXAAAAA", 3)
    assert [value == value for value in values] == [False] + [True] * 3 + [False] * 3 + [True] * 3 + [False]
    assert values[1] == pytest.approx(1.8)


def test_a_strand_weighs_what_biopython_says_and_n_gives_bounds():
    from Bio.SeqUtils import molecular_weight

    assert strand_weight(HBB, "dna")["value"] == pytest.approx(molecular_weight(HBB, "DNA"), rel=1e-6)
    open_ = strand_weight("ACGN", "dna")
    assert open_["low"] == pytest.approx(molecular_weight("ACGC", "DNA"), abs=0.05)
    assert open_["high"] == pytest.approx(molecular_weight("ACGG", "DNA"), abs=0.05)


def test_gc_and_skew_of_windows():
    made = windows("GGGC" + "AAAA" + "NNNN" + "CC", 4)
    assert made["gc"] == [1.0, 0.0, None, 1.0]
    assert made["skew"] == [0.5, None, None, -1.0]


def test_every_frame_of_both_strands_is_found_as_by_plain_translation():
    from Bio.Seq import translate

    chance = random.Random(0)
    sequence = "".join(chance.choices("ACGT", k=3_000))
    orfs, found = find_orfs(sequence, 1, 20)
    expected = set()
    for strand, text in ((1, sequence), (-1, complement(sequence))):
        for frame in range(3):
            piece = text[frame : frame + 3 * ((len(text) - frame) // 3)]
            for protein in translate(piece).split("*"):
                if "M" in protein and len(protein) - protein.index("M") >= 20:
                    expected.add((strand * (frame + 1), protein[protein.index("M") :]))
    assert {(orf.frame, orf.protein) for orf in orfs} == expected
    assert found == len(expected)
    for orf in orfs:
        letters = sequence[orf.start : orf.end]
        assert translate(letters if orf.frame > 0 else complement(letters)).rstrip("*") == orf.protein


def test_the_genetic_code_decides_where_a_frame_ends():
    sequence = "ATG" + "AAA" * 5 + "TGA" + "AAA" * 5 + "TAA"
    assert [orf.protein for orf in find_orfs(sequence, 1, 5, both=False)[0] if orf.frame == 1] == ["MKKKKK"]
    assert [orf.protein for orf in find_orfs(sequence, 2, 5, both=False)[0] if orf.frame == 1] == ["MKKKKKWKKKKK"]
    (ambiguous,), _ = find_orfs("ATGAAATARAAANTGTAA", 1, 3, both=False)
    assert len(ambiguous.protein) == 5  # an ambiguous codon neither starts nor stops a frame


def by_enzyme(sites, name):
    return [site for site in sites if site["enzyme"] == name]


def test_sites_are_where_biopython_cuts():
    from Bio.Restriction import RestrictionBatch
    from Bio.Seq import Seq

    enzymes = choose_enzymes("all")
    assert len(enzymes) > 500
    sites, table = find_sites(HBB, enzymes)
    theirs = RestrictionBatch(enzymes).search(Seq(HBB))
    ours: dict[str, set[int]] = {}
    alone: dict[str, set[int]] = {}  # without sites that read the same enzyme on both strands: Biopython names one of the two cuts
    for site in sites:
        both = any(other["strand"] == -site["strand"] and other["start"] == site["start"] for other in by_enzyme(sites, site["enzyme"]))
        # Biopython names the first letter after the cut, from 1
        ours.setdefault(site["enzyme"], set()).add(site["cut"] + 1)
        if not both:
            alone.setdefault(site["enzyme"], set()).add(site["cut"] + 1)
    for enzyme, cuts in theirs.items():
        assert alone.get(str(enzyme), set()) <= set(cuts) <= ours.get(str(enzyme), set()), enzyme
    assert sum(row["count"] for row in table) == len(sites)


def test_an_ambiguous_letter_fits_no_site_and_an_unknown_enzyme_is_named():
    assert find_sites("AAAAGANTCAAAAA", choose_enzymes("EcoRI"))[0] == []
    with pytest.raises(InputError, match="Nosuch"):
        choose_enzymes("EcoRI, Nosuch")


def test_codons_are_counted_in_frame():
    usage = codon_usage("ATGCTGCTGCTATAANNN", 1)
    counts = {row["codon"]: (row["count"], row["rscu"]) for row in usage["rows"]}
    assert usage["codons"] == 5
    assert usage["ambiguous"] == 1
    assert counts["CTG"] == (2, 4.0)  # two of three leucines, of six codons
    assert counts["TTA"] == (0, 0.0)


def test_a_megabase_takes_a_few_seconds():
    sequence = "".join(random.Random(1).choices("ACGT", k=1_000_000))
    began = time.process_time()
    find_orfs(sequence, 1, 30)
    find_sites(sequence, choose_enzymes("usual"))
    windows(sequence, 0)
    strand_weight(sequence, "dna")
    assert time.process_time() - began < 8
