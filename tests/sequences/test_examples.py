"""The examples that ship are the molecules that they say they are."""

from Bio.PDB.PDBParser import PDBParser
from Bio.Seq import Seq
from Bio.SeqIO import parse
from Bio.SeqUtils import seq1

from backend.config import ASSETS

FOLDER = ASSETS / "examples"


def read(name: str) -> str:
    return str(next(parse(FOLDER / name, "fasta")).seq)


def test_the_beta_globin_gene_splices_into_the_protein():
    gene = read("hbb-gene.fasta")
    mature = gene[:142] + gene[272:495] + gene[1345:]
    protein = str(Seq(mature[50 : 50 + 148 * 3]).translate())
    assert protein.startswith("MVHLTPEEKSAVTALWGKV")
    assert protein.endswith("ANALAHKYH*")
    assert protein.index("*") == 147
    assert [gene[142:144], gene[270:272], gene[495:497], gene[1343:1345]] == ["GT", "AG", "GT", "AG"]


def test_the_ubiquitin_structure_carries_the_ubiquitin_sequence():
    chain = next(iter(PDBParser(QUIET=True).get_structure("1ubi", FOLDER / "ubiquitin-1ubi.pdb").get_chains()))
    assert "".join(seq1(residue.get_resname()) for residue in chain if residue.id[0] == " ") == read("ubiquitin.fasta")


def test_the_enzyme_and_the_transfer_rna_have_their_marks():
    tem, trna = read("tem-1.fasta"), read("trna-phe.fasta")
    assert len(tem) == 286
    assert "STFK" in tem  # the catalytic serine
    assert len(trna) == 76
    assert trna.endswith("CCA")
    assert "GAAGAUC" in trna  # the anticodon GAA in its loop


def test_the_annotated_gene_is_the_same_gene_and_its_coding_part_gives_the_protein():
    record = next(parse(FOLDER / "hbb-gene.gb", "genbank"))
    assert str(record.seq).upper() == read("hbb-gene.fasta")
    coding = next(feature for feature in record.features if feature.type == "CDS")
    assert str(coding.extract(record.seq).translate(to_stop=True)) == coding.qualifiers["translation"][0]
