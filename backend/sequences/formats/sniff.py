"""What a file is, told by how it begins; what is no sequence file is named, with what to do instead."""

from __future__ import annotations

import re

from backend.errors import InputError

_MAGIC = (
    (b"PK\x05\x06", "an empty ZIP archive", "Choose the sequence file itself."),
    (b"%PDF", "a PDF document", "Copy the sequence out of it and paste it."),
    (b"\x89PNG", "a picture (PNG)", "Give the sequence as text."),
    (b"\xff\xd8\xff", "a picture (JPEG)", "Give the sequence as text."),
    (b"GIF8", "a picture (GIF)", "Give the sequence as text."),
    (b"II*\x00", "a picture (TIFF)", "Give the sequence as text."),
    (b"\xd0\xcf\x11\xe0", "an old Office document (Word or Excel)", "Copy the sequence out of it and paste it, or export it as FASTA."),
    (b"BAM\x01", "a BAM file of aligned reads", "Export the reads as FASTA or FASTQ, for example with samtools fasta."),
    (b"CRAM", "a CRAM file of aligned reads", "Export the reads as FASTA or FASTQ, for example with samtools fasta."),
    (b"ABIF", "a chromatogram (ABI)", "Export the base calls as FASTA or FASTQ."),
    (b".scf", "a chromatogram (SCF)", "Export the base calls as FASTA or FASTQ."),
    (b"BZh", "a bzip2 archive", "Unpack it first; gzip is unpacked here."),
    (b"\xfd7zXZ", "an xz archive", "Unpack it first; gzip is unpacked here."),
    (b"\x28\xb5\x2f\xfd", "a zstd archive", "Unpack it first; gzip is unpacked here."),
    (b"7z\xbc\xaf", "a 7-Zip archive", "Unpack it and choose the sequence file in it."),
    (b"Rar!", "a RAR archive", "Unpack it and choose the sequence file in it."),
    (b"\x1f\x8b", "a gzip file inside a gzip file", "Unpack it once, then choose it again."),
    (b"SQLite format 3", "a database", "Export its sequences as FASTA."),
    (b"\x93NUMPY", "an array of numbers (NumPy)", "Choose a file of sequences."),
    (b"\x89HDF", "an HDF5 file", "Export its sequences as FASTA."),
    (b"\x7fELF", "a program", "Choose a file of sequences."),
    (b"\tSnapGene", "a SnapGene file", "Export it from SnapGene as GenBank or FASTA."),
)
_HINT_ALIGNMENT = "Export it as FASTA; gaps may stay in, they are taken out and told."
_FOREIGN = (
    (r"(?i)\s*(<!doctype\s+html|<html|<head|<body)", "a web page", "Use the site's download as FASTA, not the page itself."),
    (r"\s*<\?xml|\s*<[A-Za-z!]", "an XML file", "Export the sequences as FASTA or GenBank."),
    (r"\s*\{\\rtf", "a rich text document (RTF)", "Save it as plain text, or paste the sequence."),
    (r"\s*(CLUSTAL|MUSCLE|PROBCONS)\b", "an alignment in Clustal format", _HINT_ALIGNMENT),
    (r"\s*#\s*STOCKHOLM", "an alignment in Stockholm format", _HINT_ALIGNMENT),
    (r"(?i)\s*#NEXUS", "a NEXUS file", _HINT_ALIGNMENT),
    (r"\s*(!!|PileUp)", "an alignment in MSF format", _HINT_ALIGNMENT),
    (r"\s*\d+\s+\d+\s*\n\s*\S+[ \t]+[A-Za-z-]{5}", "an alignment in PHYLIP format", _HINT_ALIGNMENT),
    (r"##fileformat=VCF|#CHROM\t", "a file of variants (VCF)", "Choose the file with the sequence; variants are given beside it."),
    (r"##gff-version|##gtf", "a file of annotations (GFF)", "Choose the file with the sequence itself (FASTA)."),
    (r"(track|browser) ", "a genome browser track (BED or WIG)", "Choose the file with the sequence itself (FASTA)."),
    (r"@(HD|SQ|RG|PG|CO)\t", "a SAM file of aligned reads", "Export the reads as FASTA or FASTQ, for example with samtools fasta."),
    (r"##gff|##sequence-region", "a file of annotations (GFF)", "Choose the file with the sequence itself (FASTA)."),
    (r"%YAML|---\n", "a YAML file", "Choose a file of sequences."),
    (r"\s*(#!|import |from \S+ import|def |library\()", "a program's text", "Choose a file of sequences."),
    (r"HMMER\d|NCBI_HMM", "a profile (HMMER)", "Choose a file of sequences."),
    (r"\s*version https://git-lfs", "a pointer to a file that Git LFS has not fetched", "Fetch the file itself, then choose it again."),
    (r"T?BLAST[NPX] \d", "a BLAST report", "Export the hits as FASTA."),
)
_PDB = re.compile(
    r"(HEADER|TITLE |COMPND|SOURCE|KEYWDS|EXPDTA|AUTHOR|REVDAT|REMARK|CRYST1|SEQRES|MODEL |ATOM  |HETATM|OBSLTE|CAVEAT|SPLIT )"
)
_PDB_ATOM = re.compile(r"(?m)^(ATOM  |HETATM|SEQRES|MODEL  )")


def refuse_binary(head: bytes, name: str) -> None:
    """Refuse what is told by its first bytes, before any change of text coding.

    Raises
    ------
    InputError
        When it is recognisably something else, empty, or no text at all.
    """
    if not head:
        raise not_sequences(name, "it is empty", "Check that it was saved or downloaded whole.")
    if head.startswith(b"PK\x03\x04"):
        what = _zipped(head)
        raise not_sequences(name, f"it is {what[0]}", what[1])
    for magic, what_, hint in _MAGIC:
        if head.startswith(magic):
            raise not_sequences(name, f"it is {what_}", hint)
    if head[257:262] == b"ustar":
        raise not_sequences(name, "it is a TAR archive", "Unpack it and choose the sequence file in it.")


def sniff(head: bytes, name: str) -> str:
    """Format of the file that begins with `head` (UTF-8): fasta, fastq, genbank, embl, swissprot, pdb, mmcif, plain.

    Raises
    ------
    InputError
        When it is recognisably something else, white space, or no text at all.
    """
    _check_binary(head, name)
    text = head.decode("utf-8", "replace")
    stripped = text.lstrip()
    if not stripped:
        raise not_sequences(name, "it holds only white space", "Check that it was saved or downloaded whole.")
    if stripped[0] in ">;":
        return "fasta"
    for pattern, what, hint in _FOREIGN:
        if re.match(pattern, text):
            raise not_sequences(name, f"it is {what}", hint)
    if re.match(r"@[^\n]*\n", stripped):
        return "fastq"
    if re.match(r"LOCUS\s", stripped):
        return "genbank"
    if re.match(r"ID {3}", stripped):
        return "swissprot" if re.match(r"ID {3}[^\n]*\d+ AA\.", stripped) else "embl"
    if re.match(r"data_\S", stripped) or re.search(r"(?m)^(loop_|_[a-z_]+\.\S+)", stripped[:4000]):
        if "_atom_site" in text or "_entry.id" in text or "_entity" in text:
            return "mmcif"
        raise not_sequences(name, "it is a CIF file without a molecule's atoms", "Choose the mmCIF file of a structure.")
    if _PDB.match(stripped) and _PDB_ATOM.search(text):
        return "pdb"
    _check_table(stripped, name)
    return "fasta" if re.search(r"(?m)^>", text) else "plain"


def not_sequences(name: str, what: str, hint: str) -> InputError:
    """The error for a file that is something else."""
    return InputError(f"'{name}' is not a sequence file: {what}.", hint)


def _zipped(head: bytes) -> tuple[str, str]:
    for mark, what in ((b"word/", "a Word document"), (b"xl/", "an Excel workbook"), (b"ppt/", "a PowerPoint file")):
        if mark in head or mark[:-1] + b"\\" in head:
            return what, "Copy the sequence out of it and paste it, or save it as FASTA or plain text."
    if b"[Content_Types].xml" in head:
        return "an Office document (Word or Excel)", "Copy the sequence out of it and paste it, or save it as FASTA or plain text."
    return "a ZIP archive", "Unpack it and choose the sequence file in it."


def _check_binary(head: bytes, name: str) -> None:
    odd = sum(byte < 32 and byte not in b"\t\n\r\v\f\x1a" for byte in head) + head.count(0x7F)
    foreign = head.decode("utf-8", "replace").count("\ufffd")
    if odd + foreign > max(1, 0.1 * len(head)):
        raise not_sequences(name, "it holds binary data that are no text", "Check that it is the file you meant.")


def _check_table(text: str, name: str) -> None:
    if text[0] in "([" and re.match(r"\(.*[,:].*\)[^()]*;", text, re.DOTALL):
        raise not_sequences(name, "it is a tree (Newick)", "Choose the file with the sequences the tree was made of.")
    if text[0] in "{[":
        raise not_sequences(name, "it is a JSON file", "Export the sequences as FASTA.")
    lines = [line for line in text.splitlines()[:20] if line.strip()]
    for mark, what in ((",", "a table (CSV)"), ("\t", "a table (tab-separated)"), (";", "a table (CSV)")):
        counts = {line.count(mark) for line in lines}
        if len(lines) > 1 and min(counts) >= 1 and (len(counts) <= 2 or mark == ","):
            raise not_sequences(
                name, f"it is {what}", "Save the column of sequences as FASTA, each with its name on a line beginning with >."
            )
