"""Structures: what PDB and mmCIF hold, what reading chose, and that nothing of it is silent."""

import gzip

import numpy as np
import pytest

from backend.config import ASSETS
from backend.errors import InputError
from backend.figures.structure_colours import PLDDT, paint
from backend.figures.track import Track
from backend.sequences.structures import chain_records, fit_structure, map_residues, match_sequence, read_structure
from backend.sequences.structures.distances import measure_pairs, parse_pairs
from backend.sequences.structures.drawing import draw

UBIQUITIN = ASSETS / "examples" / "ubiquitin-1ubi.pdb"
SEQUENCE = "MQIFVKTLTGKTITLEVEPSDTIENVKAKIQDKEGIPPDQQRLIFAGKQLEDGRTLSDYNIQKESTLHLVLRLRGG"
CIF = """data_x
_entry.id X
loop_
_atom_site.group_PDB
_atom_site.id
_atom_site.type_symbol
_atom_site.label_atom_id
_atom_site.label_alt_id
_atom_site.label_comp_id
_atom_site.label_asym_id
_atom_site.label_seq_id
_atom_site.Cartn_x
_atom_site.Cartn_y
_atom_site.Cartn_z
_atom_site.auth_seq_id
_atom_site.auth_asym_id
ATOM 1 C CA . ALA A 1 {} 0.0 0.0 1 A
"""


def atoms(*residues, chain="A", record="ATOM"):
    """PDB lines of whole backbones in a straight line, 3.8 Å apart: (number, name[, icode[, altloc, occupancy[, b]]])."""
    lines, serial = [], 0
    for at, (number, name, *rest) in enumerate(residues):
        icode, altloc, occupancy, b = (*rest, *(" ", " ", 1.0, 10.0)[len(rest) :])
        for atom, element, x in (("N", "N", 0.0), ("CA", "C", 1.46), ("C", "C", 2.5), ("O", "O", 2.6)):
            serial += 1
            lines.append(
                f"{record:<6}{serial:5d}  {atom:<3}{altloc}{name:>3} {chain}{number:4d}{icode}   "
                f"{3.8 * at + x:8.3f}{(0.9 if atom == 'O' else 0):8.3f}{0:8.3f}{occupancy:6.2f}{b:6.2f}          {element:>2}"
            )
    return lines


def written(tmp_path, lines, name="made.pdb"):
    path = tmp_path / name
    path.write_text("\n".join([*lines, "END", ""]))
    return path


def test_ubiquitin_is_one_chain_of_76_residues_under_its_authors_numbers():
    found = read_structure(UBIQUITIN)
    assert [(chain.name, chain.kind, chain.sequence) for chain in found.chains] == [("A", "protein", SEQUENCE)]
    assert (found.method, found.resolution, found.waters, found.is_prediction) == ("x-ray diffraction", 1.8, 81, False)
    assert found.chains[0].coordinates.shape == (76, 4, 3)
    assert np.isfinite(found.chains[0].coordinates).all()
    record = chain_records(UBIQUITIN)[0]
    assert (record.id, record.sequence, record.places, record.entry.alterations) == ("A", SEQUENCE, None, ())


def test_a_packed_file_reads_the_same(tmp_path):
    path = tmp_path / "ubiquitin.pdb.gz"
    path.write_bytes(gzip.compress(UBIQUITIN.read_bytes()))
    assert read_structure(path).chains == read_structure(UBIQUITIN).chains


def test_a_modified_residue_is_read_as_its_parent_and_named(tmp_path):
    record = chain_records(written(tmp_path, atoms((1, "ALA"), (2, "MSE"), (3, "GLY"))))[0]
    assert record.sequence == "AMG"
    assert [alteration.json() for alteration in record.entry.alterations] == [
        {"what": "modified", "text": "MSE at 2 is read as M.", "spans": [[2, 2]]}
    ]


def test_of_alternative_positions_the_fullest_is_read(tmp_path):
    lines = atoms((1, "ALA"), (2, "SER", " ", "A", 0.3, 50.0), (3, "GLY"))
    lines += atoms((2, "SER", " ", "B", 0.7, 20.0))
    found = read_structure(written(tmp_path, lines))
    assert found.chains[0].sequence == "ASG"
    assert (found.chains[0].residues[1].altlocs, found.chains[0].residues[1].b) == ("AB", 20.0)
    assert "1 residue has alternative positions; that of highest occupancy is read." in found.notes


def test_insertion_codes_keep_their_residues_and_the_numbering_is_said(tmp_path):
    record = chain_records(written(tmp_path, atoms((52, "ALA"), (52, "SER", "A"), (53, "GLY"))))[0]
    assert record.sequence == "ASG"
    assert record.all_places() == [1, 2, 3]
    assert record.entry.alterations[0].what == "numbering"
    assert "52A" in record.entry.alterations[0].text


def test_missing_residues_are_named_from_the_files_own_sequence(tmp_path):
    lines = ["SEQRES   1 A    6  MET ALA CYS ASP GLU GLY"]
    here = atoms((2, "ALA"), (3, "CYS"), (5, "GLU"))
    gaps = read_structure(written(tmp_path, lines + here)).chains[0].gaps
    assert [(gap.after, gap.letters) for gap in gaps] == [(-1, "M"), (1, "D"), (2, "G")]
    assert gaps[1].text == "1 residue between 3 and 5 (D) not observed"


def test_a_break_without_declared_sequence_is_seen_in_the_chain_itself(tmp_path):
    lines = atoms((1, "ALA"), (2, "CYS"))
    far = [line[:30] + f"{float(line[30:38]) + 30:8.3f}" + line[38:] for line in atoms((9, "GLU"), (10, "GLY"))]
    gap = read_structure(written(tmp_path, lines + far)).chains[0].gaps[0]
    assert (gap.after, gap.count) == (1, 6)
    assert gap.text == "6 residues between 2 and 9 not observed"


def test_of_several_models_the_first_is_read_and_the_others_counted(tmp_path):
    one = atoms((1, "ALA"), (2, "GLY"))
    lines = ["MODEL        1", *one, "ENDMDL", "MODEL        2", *one, "ENDMDL"]
    found = read_structure(written(tmp_path, lines))
    assert (found.models, found.size) == (2, 2)
    assert "The file has 2 models; the first is read." in found.notes


def test_confidence_is_recognised_where_the_file_names_its_predictor_and_told_from_what(tmp_path):
    lines = ["TITLE     ALPHAFOLD MONOMER V2.0 PREDICTION", *atoms((1, "ALA", " ", " ", 1.0, 92.5), (2, "GLY", " ", " ", 1.0, 45.0))]
    found = read_structure(written(tmp_path, lines))
    assert found.is_prediction
    assert "names ALPHAFOLD" in found.how
    assert [residue.b for residue in found.chains[0].residues] == [92.5, 45.0]


def test_confidence_from_0_to_1_is_brought_to_100_and_said(tmp_path):
    lines = ["TITLE     ESMFOLD V1 PREDICTION", *atoms((1, "ALA", " ", " ", 1.0, 0.91), (2, "GLY", " ", " ", 1.0, 0.4))]
    found = read_structure(written(tmp_path, lines))
    assert [residue.b for residue in found.chains[0].residues] == [91.0, 40.0]
    assert "multiplied by 100" in found.how


def test_an_experiment_is_never_taken_for_a_prediction(tmp_path):
    lines = ["EXPDTA    X-RAY DIFFRACTION", *atoms((1, "ALA", " ", " ", 1.0, 30.0), (2, "GLY", " ", " ", 1.0, 45.0))]
    assert not read_structure(written(tmp_path, lines)).is_prediction


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"not a structure at all", "neither PDB nor mmCIF"),
        (b"\x1f\x8b\x08\x00broken", "packed and damaged"),
        (b"HEADER    NOTHING\nEND\n", "holds no atom"),
        (b"data_x\n_entry.id X\nloop_\n_atom_site.id\n_atom_site.Cartn_x\n1\n", "cannot be read as mmCIF"),
        (b"data_x\n_entry.id X\n", "without coordinates"),
        (CIF.format("?").encode(), "atom CA has no coordinates"),
        (b"ATOM      1  N   ALA A   1      xx.xxx   0.000   0.000  1.00 10.00           N\n", "line 1: .xx.xxx"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(tmp_path, content, said):
    path = tmp_path / "odd.pdb"
    path.write_bytes(content)
    with pytest.raises(InputError, match=said) as raised:
        read_structure(path)
    assert raised.value.hint


def test_water_alone_is_no_molecule(tmp_path):
    lines = ["HETATM    1  O   HOH A   1       0.000   0.000   0.000  1.00 10.00           O"]
    with pytest.raises(InputError, match="neither protein nor nucleic acid"):
        read_structure(written(tmp_path, lines))


def test_a_sequence_is_laid_over_the_residues_that_carry_it():
    structure = read_structure(UBIQUITIN)
    longer = "GSHM" + SEQUENCE[:20] + SEQUENCE[23:] + "AAAA"
    places = map_residues(structure, "A", longer)
    assert places[:3] == [4, 5, 6]
    assert places.count(None) == 3
    assert all(longer[place] == SEQUENCE[at] for at, place in enumerate(places) if place is not None)
    match = match_sequence(structure.chains[0], longer)
    assert match.identity == 1.0
    assert match.fits
    assert not match_sequence(structure.chains[0], "MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQAPILSRVGDGTQDNLSGAEKAVQ").fits
    assert fit_structure(structure, SEQUENCE).residues(47) == [47]


def test_distances_are_of_the_residues_that_were_named():
    pair = measure_pairs(draw(UBIQUITIN), parse_pairs("A:48 A:63"))[0]
    ca = read_structure(UBIQUITIN).chains[0].coordinates[:, 1]
    assert pair.anchors == pytest.approx(float(np.linalg.norm(ca[47] - ca[62])), abs=0.01)
    assert pair.nearest < pair.anchors
    with pytest.raises(InputError, match="no residue 999"):
        measure_pairs(draw(UBIQUITIN), parse_pairs("A:999 A:1"))
    with pytest.raises(InputError, match="no pair"):
        parse_pairs("A:48")


def test_nothing_of_the_files_own_text_reaches_the_browser(tmp_path):
    evil = "<script>alert(1)</script>"
    lines = [f"TITLE     {evil}", f"REMARK   3 {evil}", *atoms((1, "ALA"), (2, "GLY"))]
    drawing = draw(written(tmp_path, lines))
    assert "script" not in drawing.text
    assert drawing.starts == (0, 4, 8)
    assert drawing.labels == ("A Ala 1", "A Gly 2")


def test_every_residue_of_the_drawing_holds_its_own_atoms():
    drawing = draw(UBIQUITIN)
    lines = [line for line in drawing.text.splitlines() if line.startswith("ATOM")]
    assert len(lines) == drawing.starts[-1] == 602
    for at, start in enumerate(drawing.starts[:-1]):
        assert {int(line[22:26]) for line in lines[start : drawing.starts[at + 1]]} == {at + 1}


def test_confidence_has_alphafolds_four_bands_and_attribution_is_symmetric():
    bands = paint(Track("Confidence (pLDDT)", [95.0, 90.0, 70.0, 50.0, 49.9, None], scale="plddt"))
    assert [bands.palette[code] if code >= 0 else None for code in bands.codes] == [PLDDT[3], PLDDT[3], PLDDT[2], PLDDT[1], PLDDT[0], None]
    shares = paint(Track("Share", [-1.0, 0.0, 2.0, None], "log odds", "diverging"))
    assert shares.palette[shares.codes[1]] == "#FFFFFF"
    assert shares.levels == (-2, 0, 5, 0)
    assert (shares.legend[0][1], shares.legend[-1][1]) == ("-2 log odds against", "+2 log odds for")


def test_real_files_of_the_field(shared):
    folder = shared / "sequences" / "structures"
    pdb, cif = (read_structure(folder / f"3eiy.{ending}") for ending in ("pdb", "cif"))
    assert pdb.chains == cif.chains
    assert pdb.chains[0].gaps[0].letters == "MAHHHHHHMGTLEAQTQGPGSM"
    alphafold = read_structure(folder / "AF-Q5VSL9-F1-model_v4.pdb")
    assert alphafold.is_prediction
    assert alphafold.size == 837
    rna = chain_records(folder / "1ehz-rna_short.pdb")[0]
    assert (rna.kind, rna.sequence) == ("rna", "CGAUCCACAGAAUUCGCA")
    assert rna.places.tolist() == list(range(56, 74))
    rosetta = read_structure(folder / "avgfp_rosetta_model.pdb")
    assert not rosetta.is_prediction
