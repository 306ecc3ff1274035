"""Variants are read as people write them, checked against the record, and refused in words when they do not fit it."""

import numpy as np
import pytest

from backend.config import ROOT
from backend.errors import InputError
from backend.sequences.records import Entry, SequenceRecord
from backend.sequences.splice_delta import align, reversed_strand, window
from backend.sequences.splice_notation import Transcript, Variant, read_exons, read_variants

LETTERS = "".join((ROOT / "assets/examples/hbb-gene.fasta").read_text().splitlines()[1:])
EXONS = ((1, 142), (273, 495), (1346, 1606))
GENE = Transcript(EXONS, 51)


def record(letters=LETTERS, places=None):
    return SequenceRecord(Entry("HBB", "HBB", "dna", "test", len(letters)), letters, places)


def one(text, transcript=GENE, of=None):
    (found,) = read_variants(text, of or record(), transcript)
    return found.start + 1, found.ref, found.alt


@pytest.mark.parametrize("text", ["143G>A", "g.143G>A", "143:G:A", "143 g a", "c.92+1G>A", "NM_000518.5:c.92+1G>A", "143delinsA"])
def test_every_spelling_of_ivs1_1_is_the_same_change(text):
    assert one(text) == (143, "G", "A")


def test_coding_positions_count_from_the_start_codon_over_the_exons():
    assert LETTERS[50:53] == "ATG"
    assert one("c.20A>T") == (70, "A", "T")  # HbS, E6V counted without the first methionine
    assert one("c.93-21G>A") == (252, "G", "A")  # IVS-I-110
    assert one("c.315+1G>A") == (496, "G", "A")  # IVS-II-1
    assert one("c.-50A>G") == (1, "A", "G")


def test_deletions_insertions_and_duplications_are_trimmed_to_what_changes():
    assert one("143_145del") == (143, "GTT", "")
    assert one("143_145delGTT") == (143, "GTT", "")
    assert one("142:GGTT:G") == (143, "GTT", "")
    assert one("144_145insT") == (145, "", "T")
    assert one("143dup") == (144, "", "G")
    assert one("143_144delinsCA") == (143, "GT", "CA")
    assert one("142:G:GAA") == (143, "", "AA")


def test_letters_of_a_reverse_transcript_are_turned_round():
    turned = LETTERS[::-1].translate(str.maketrans("ACGT", "TGCA"))
    n = len(LETTERS)
    exons = tuple(sorted((n + 1 - end, n + 1 - start) for start, end in EXONS))
    transcript = Transcript(exons, n + 1 - 51, "-")
    start, ref, alt = one("c.92+1G>A", transcript, record(turned))
    assert (start, ref, alt) == (n + 1 - 143, "C", "T")
    start, ref, alt = one("c.92+1_92+3del", transcript, record(turned))
    assert (start, ref, alt) == (n + 1 - 145, "AAC", "")


def test_places_follow_the_users_own_numbering():
    assert one("103G>A", of=record("AAGTT", np.array([101, 102, 103, 107, 108]))) == (3, "G", "A")
    with pytest.raises(InputError, match="nothing stands at 104"):
        one("104T>A", of=record("AAGTT", np.array([101, 102, 103, 107, 108])))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("143A>G", "has G at 143, not A"),
        ("143G>G", "changes nothing"),
        ("9000G>A", "nothing stands at 9000"),
        ("0G>A", "nothing stands at 0"),
        ("92+1G>A", "no place in the record"),
        ("c.90+1G>A", "not at the border of an exon"),
        ("c.9999A>G", "outside the exons"),
        ("c.*5A>G", "behind the stop codon"),
        ("p.E6V", "change of a protein"),
        ("143_150inv", "inversions"),
        ("143_147insA", "two neighbours"),
        ("143_144ins", "which letters"),
        ("143G>N", "N is no base"),
        ("150_143del", "comes before"),
        ("hello", "cannot be read|not a variant"),
        ("1_1606del", "whole record"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_reason(text, said):
    with pytest.raises(InputError, match=said) as told:
        one(text)
    assert told.value.hint


def test_coding_positions_need_exons_and_a_start_codon():
    for transcript in (Transcript(), Transcript(EXONS)):
        with pytest.raises(InputError, match="not known"):
            one("c.92+1G>A", transcript)


def test_exons_are_read_and_overlaps_refused():
    assert read_exons("273..495, 1-142") == ((1, 142), (273, 495))
    assert read_exons("") == ()
    for bad in ("1-142, 100-200", "5-3", "one"):
        with pytest.raises(InputError):
            read_exons(bad)


def rows(values):
    return np.array([[0, value, value / 2] for value in values], dtype=float)


def test_an_inserted_base_shares_the_row_of_the_base_before_it():
    laid = align(rows([0.1, 0.2, 0.9, 0.3, 0.4]), 10, Variant("x", 12, "", "T"))  # index 12 of the new sequence is the inserted letter
    assert laid.values[:, 1].tolist() == [0.1, 0.9, 0.3, 0.4]
    assert laid.origin[:, 1].tolist() == [10, 12, 13, 14]


def test_a_deleted_base_counts_as_no_site():
    laid = align(rows([0.1, 0.2, 0.4]), 10, Variant("x", 12, "GG", ""))
    assert laid.values[:, 1].tolist() == [0.1, 0.2, 0, 0, 0.4]
    assert laid.origin[:, 1].tolist() == [10, 11, -1, -1, 12]


def test_gains_and_losses_are_sought_fifty_bases_to_each_side():
    assert window(Variant("x", 100, "G", "A"), 1000) == (50, 151)
    assert window(Variant("x", 100, "GGG", ""), 1000) == (50, 153)
    assert window(Variant("x", 100, "", "T"), 1000) == (49, 150)
    assert window(Variant("x", 3, "G", "A"), 20) == (0, 20)


def test_the_other_strand_twice_is_the_strand_itself():
    codes = np.array([0, 1, 2, 3, 4, 0], dtype=np.uint8)
    assert reversed_strand(codes).tolist() == [3, 4, 0, 1, 2, 3]
    assert (reversed_strand(reversed_strand(codes)) == codes).all()
