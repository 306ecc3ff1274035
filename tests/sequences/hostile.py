"""Seventy and more files as they really arrive - dirty, damaged, mislabelled, made to harm - and what each of them must yield."""

from __future__ import annotations

import gzip
import io
import zipfile
from dataclasses import dataclass, field

PROTEIN = "MQIFVKTLTGKTITLEVEPSDTIENVKAKIQDKEGIPPDQQRLIFAGKQLEDGRTLSDYNIQKESTLHLVLRLRGG"
DNA = "ACATTTGCTTCTGACACAACTGTGTTCACTAGCAACCTCAAACAGACACCATGGTGCATCTGACTCC"
RNA = "GCGGAUUUAGCUCAGUUGGGAGAGCGCCAGACUGAAGAUCUGGAGGUCCUGUGUUCGAUCCACAGAAUUCGCACCA"


@dataclass(frozen=True)
class Record:
    """What one record must yield: kind, sequence, the words of its alterations, a part of its refusal or reason, its choices."""

    kind: str = "protein"
    sequence: str = PROTEIN
    told: tuple[str, ...] = ()
    refused: str = ""
    why: str = ""
    choices: tuple[str, ...] = ()
    id: str = ""
    spans: dict[str, tuple[tuple[int, int], ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """A file: its bytes, and either the records it must yield (with parts of its notes) or a part of the diagnosis."""

    name: str
    data: bytes
    records: tuple[Record, ...] = ()
    notes: tuple[str, ...] = ()
    diagnosis: str = ""
    form: str = "fasta"


def _zip(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, "text")
    return out.getvalue()


def _fasta(body: str, head: str = "x") -> bytes:
    return f">{head}\n{body}\n".encode()


def _fastq(*reads: tuple[str, str]) -> bytes:
    return "".join(f"@r{at}\n{bases}\n+\n{scores}\n" for at, (bases, scores) in enumerate(reads, 1)).encode()


def _genbank(letters: str = DNA.lower(), told: int | None = None, end: str = "//\n", molecule: str = "bp    DNA") -> bytes:
    lines = []
    for at in range(0, len(letters), 60):
        blocks = " ".join(letters[at : at + 60][block : block + 10] for block in range(0, len(letters[at : at + 60]), 10))
        lines.append(f"{at + 1:>9} {blocks}\n")
    size = len(letters) if told is None else told
    return (
        f"LOCUS       AB000001 {size:>15} {molecule}     linear   PRI 01-JAN-2000\n"
        f"DEFINITION  A piece of a gene,\n            in two lines.\n"
        f"ACCESSION   AB000001\nVERSION     AB000001.1\nFEATURES             Location/Qualifiers\n"
        f'     CDS             join(1..10,complement(21..30))\n                     /gene="ABC"\n'
        f"     exon            <5..>20\nORIGIN      \n{''.join(lines)}{end}"
    ).encode()


def _embl() -> bytes:
    body = " ".join(DNA.lower()[at : at + 10] for at in range(0, 60, 10))
    return (
        f"ID   X00001; SV 1; linear; genomic DNA; STD; HUM; 60 BP.\nXX\nAC   X00001;\nXX\nDE   Some human gene\nXX\n"
        f'FH   Key             Location/Qualifiers\nFT   CDS             3..20\nFT                   /gene="G"\nXX\n'
        f"SQ   Sequence 60 BP; 0 A; 0 C; 0 G; 0 T; 0 other;\n     {body}        60\n//\n"
    ).encode()


def _swiss() -> bytes:
    body = " ".join(PROTEIN[at : at + 10] for at in range(0, 60, 10))
    return (
        f"ID   UBIQ_HUMAN              Reviewed;          60 AA.\nAC   P0CG47;\nDE   RecName: Full=Polyubiquitin-B;\n"
        f"SQ   SEQUENCE   60 AA;  8565 MW;  0000000000000000 CRC64;\n     {body}\n//\n"
    ).encode()


_FASTA = _fasta(PROTEIN)
_BOTH = (Record(), Record("dna", DNA))
_TWO = f">a\n{PROTEIN}\n>b\n{DNA}\n".encode()
_CUT = gzip.compress(_TWO + b">c\n" + b"".join(f">d{at}\n{DNA[at % 9 :]}\n".encode() for at in range(3000)))
_WRAPPED = "\n".join(PROTEIN[at : at + 10] for at in range(0, len(PROTEIN), 10))

CASES: tuple[Case, ...] = (
    # clean, in the many ways of writing the same
    Case("clean", _FASTA, (Record(),)),
    Case("two records", _TWO, _BOTH),
    Case("wrapped lines", _fasta(_WRAPPED), (Record(),)),
    Case("carriage returns and line feeds", _TWO.replace(b"\n", b"\r\n"), _BOTH),
    Case("carriage returns alone", _TWO.replace(b"\n", b"\r"), _BOTH, ("carriage return alone",)),
    Case("blank lines", _TWO.replace(b"\n", b"\n\n\n"), _BOTH),
    Case("no line end at the end", _FASTA.rstrip(), (Record(),)),
    Case("blank lines before", b"\n\n  \n" + _FASTA, (Record(),)),
    Case("indented header", b"  " + _TWO.replace(b">b", b"   >b"), _BOTH, ("indented",)),
    Case("byte order mark", b"\xef\xbb\xbf" + _TWO, _BOTH, ("byte order mark",)),
    Case("UTF-16", _TWO.decode().encode("utf-16"), _BOTH, ("UTF-16",)),
    Case("UTF-16 without a mark", _TWO.decode().encode("utf-16-le"), _BOTH, ("UTF-16",)),
    Case("header in Latin-1", b">prot\xe9ine\n" + PROTEIN.encode(), (Record(id="protéine"),)),
    Case("gzip", gzip.compress(_TWO), _BOTH, ("gzip",)),
    Case("gzip in two parts", gzip.compress(_FASTA) + gzip.compress(_fasta(DNA, "b")), _BOTH, ("gzip",)),
    Case("gzip and padding", gzip.compress(_FASTA) + bytes(700), (Record(),), ("gzip",)),
    Case("gzip and rubbish", gzip.compress(_FASTA) + b"rubbish", (Record(),), ("no gzip",)),
    Case("gzip of nothing", gzip.compress(b""), diagnosis="empty"),
    Case("gzip cut short", _CUT[: len(_CUT) // 2], (Record(), Record("dna", DNA)), ("cut short",)),
    Case("gzip cut short in its only record", gzip.compress(_FASTA)[:-12], (Record(refused="cut short"),), ("cut short",)),
    Case("gzip damaged", gzip.compress(_TWO * 9)[:30] + b"\xff\x00\xff" * 9 + gzip.compress(_TWO * 9)[57:], diagnosis="damaged"),
    Case("gzip with a false checksum", gzip.compress(_TWO)[:-8] + b"\1\2\3\4" + gzip.compress(_TWO)[-4:], diagnosis="damaged"),
    Case("gzip bomb", gzip.compress(b">x\n" + b"A" * 30_000_000), diagnosis="unpacks to more than"),
    Case("gzip in gzip", gzip.compress(gzip.compress(_FASTA)), diagnosis="gzip file inside a gzip file"),
    # what has to be changed, and is told
    Case("lower case", _fasta(PROTEIN.lower()), (Record(told=("case",), spans={"case": ((1, 76),)}),)),
    Case(
        "masked in lower case",
        _fasta(PROTEIN[:10] + PROTEIN[10:20].lower() + PROTEIN[20:]),
        (Record(told=("case",), spans={"case": ((11, 20),)}),),
    ),
    Case("closing stop", _fasta(PROTEIN + "*"), (Record(told=("stop",), spans={"stop": ((77, 77),)}),)),
    Case("two closing stops", _fasta(PROTEIN + "**"), (Record(told=("stop",), spans={"stop": ((77, 78),)}),)),
    Case("gaps", _fasta(PROTEIN[:5] + "--" + PROTEIN[5:] + "-."), (Record(told=("gap",), spans={"gap": ((6, 7), (79, 80))}),)),
    Case(
        "an alignment in FASTA",
        b">a\nMQIF--VKE\n>b\nMQIFLLVKE\n>c\nMQ-FLLVKE\n",
        (Record(sequence="MQIFVKE", told=("gap",)), Record(sequence="MQIFLLVKE"), Record(sequence="MQFLLVKE", told=("gap",))),
        ("alignment",),
    ),
    Case(
        "blanks and numbers",
        _fasta(f"1 {PROTEIN[:10]} {PROTEIN[10:20]}\n21 {PROTEIN[20:]}"),
        (Record(told=("digit", "space"), spans={"digit": ((1, 1), (21, 21))}),),
    ),
    Case("blanks of the web", _fasta(f"{PROTEIN[:9]}\u00a0{PROTEIN[9:]}\u200b"), (Record(told=("space",)),)),
    Case("long dashes", _fasta(f"{PROTEIN[:9]}\u2013{PROTEIN[9:]}"), (Record(told=("dash", "gap"), spans={"gap": ((10, 10),)}),)),
    Case("a comment line", _fasta(f"; measured in 1987\n{PROTEIN}"), (Record(told=("comment",)),)),
    Case("a comment before", b"; from the old server\n" + _FASTA, (Record(),), ("comment line",)),
    Case("no name", b">\n" + PROTEIN.encode(), (Record(told=("renamed",), id="record_1"),)),
    Case(
        "the same name twice",
        b">x\n" + PROTEIN.encode() + b"\n>x\n" + DNA.encode(),
        (Record(id="x"), Record("dna", DNA, ("renamed",), id="x_2")),
    ),
    Case(
        "a name that was taken",
        b">x\nMEF\n>x_2\nMEL\n>x\nMEI",
        (Record(sequence="MEF", id="x"), Record(sequence="MEL", id="x_2"), Record(sequence="MEI", told=("renamed",), id="x_3")),
    ),
    Case("a name of a megabyte", b">" + b"n" * 1_000_000 + b"\n" + PROTEIN.encode(), (Record(told=("renamed",)),)),
    Case("a name with control characters", b">a\x1b[31mb\n" + PROTEIN.encode(), (Record(told=("renamed",), id="a\ufffd[31mb"),)),
    Case("a name that is a script", b"><script>alert(1)</script>\n" + PROTEIN.encode(), (Record(id="<script>alert(1)</script>"),)),
    Case(
        "letters before the first header",
        f"{PROTEIN}\n>b\n{DNA}\n".encode(),
        (Record(told=("renamed",), id="record_1"), Record("dna", DNA)),
        ("before the first header",),
    ),
    Case(
        "one U in DNA",
        _fasta(DNA[:30] + "U" + DNA[31:]),
        (Record("dna", DNA[:30] + "T" + DNA[31:], ("u_to_t",), spans={"u_to_t": ((31, 31),)}),),
    ),
    # letters that stay, and of which no model can be sure
    Case("X, B, Z, J", _fasta("MXEBLZFJ"), (Record(sequence="MXEBLZFJ", told=("ambiguous",) * 4, spans={"ambiguous": ((2, 2),)}),)),
    Case("U and O", _fasta("MEUFLOP"), (Record(sequence="MEUFLOP", told=("rare", "rare")),)),
    Case("degenerate bases", _fasta(DNA + "NNRY"), (Record("dna", DNA + "NNRY", ("ambiguous",) * 3),)),
    # whose kind letters cannot tell
    Case("a short ACGT", _fasta("GATTACA"), (Record("ambiguous", choices=("protein", "dna")),)),
    Case("only A, C and G", _fasta("ACGGCA" * 9), (Record("ambiguous", choices=("dna", "rna")),)),
    Case("only A", _fasta("A" * 40), (Record("ambiguous", choices=("protein", "dna", "rna")),)),
    Case("silk", _fasta("GAGAGSGAGAGS"), (Record("ambiguous", choices=("protein", "dna", "rna")),)),
    Case("a library codon", _fasta("NNKNNKNNK"), (Record("ambiguous", choices=("protein", "dna", "rna")),)),
    Case("T and U", _fasta("ACGTACGUACGTACGUACGTACGUAC"), (Record("ambiguous", choices=("dna", "rna"), why="T and U"),)),
    Case(
        "DNA with a stray letter", _fasta(DNA[:40] + "E" + DNA[41:]), (Record("ambiguous", choices=("protein",), why="place 41 (line 2)"),)
    ),
    Case("RNA", _fasta(RNA), (Record("rna", RNA),)),
    # records that cannot be used
    Case("an empty record", f">a\n>b\n{PROTEIN}\n".encode(), (Record(refused="empty"), Record())),
    Case("only gaps", _fasta("-----"), (Record(refused="only gaps"),)),
    Case("only a header", b">x", (Record(refused="empty"),)),
    Case("a stop inside", _fasta(PROTEIN[:20] + "*" + PROTEIN[20:]), (Record(refused="place 21"),)),
    Case("foreign signs", _fasta(_WRAPPED[:16] + "?" + _WRAPPED[16:]), (Record(refused="'?' at place 16 (line 3)"),)),
    Case("a Cyrillic A", _fasta(f"{PROTEIN[:9]}\u0410{PROTEIN[9:]}"), (Record(refused="cyrillic capital letter a) at place 10"),)),
    Case("a zero byte", _fasta(f"{PROTEIN[:9]}\0{PROTEIN[9:]}"), (Record(refused="unprintable"),)),
    Case("a fold below the letters", _fasta(f"{RNA[:9]}\n(((...)))"), (Record(refused="secondary structure"),)),
    # other formats
    Case("pasted letters", PROTEIN.encode(), (Record(told=("renamed",)),), ("no header",), form="plain"),
    Case(
        "pasted with numbers",
        f"   1 {DNA[:10]} {DNA[10:60]}\n  61 {DNA[60:]}".lower().encode(),
        (Record("dna", DNA, ("renamed", "case", "digit", "space")),),
        form="plain",
    ),
    Case("FASTQ", _fastq((DNA, "I" * 67), (DNA, "@" * 67)), (Record("dna", DNA), Record("dna", DNA)), ("qualities",), form="fastq"),
    Case("FASTQ over lines", f"@a\n{DNA[:40]}\n{DNA[40:]}\n+\n{'I' * 40}\n{'@' * 27}\n".encode(), (Record("dna", DNA),), form="fastq"),
    Case(
        "FASTQ with a short quality",
        _fastq((DNA, "I" * 66), (DNA, "I" * 67)),
        (Record(refused="67 bases but 66 qualities"), Record("dna", DNA)),
        form="fastq",
    ),
    Case(
        "FASTQ cut short", _fastq((DNA, "I" * 67)) + b"@r2\nACGT", (Record("dna", DNA), Record(refused="ends in the middle")), form="fastq"
    ),
    Case(
        "FASTQ that turns into something else",
        _fastq((DNA, "I" * 67)) + b"no read\nat all\n",
        (Record("dna", DNA),),
        ("line 5 should begin with @",),
        form="fastq",
    ),
    Case("GenBank", _genbank(), (Record("dna", DNA, ("case",), id="AB000001.1"),), form="genbank"),
    Case("GenBank cut short", _genbank(end="")[:-30], (Record(refused="closing //"),), form="genbank"),
    Case("GenBank that lost letters", _genbank(told=80), (Record(refused="tells 80 letters, but 67"),), form="genbank"),
    Case(
        "GenBank without letters",
        b"LOCUS       AB000001      67 bp    DNA     linear   PRI 01-JAN-2000\nCONTIG      join(AB000002.1:1..67)\n//\n",
        (Record(refused="no letters"),),
        form="genbank",
    ),
    Case("GenBank twice", _genbank() * 2, (Record("dna", DNA, ("case",)), Record("dna", DNA, ("renamed", "case"))), form="genbank"),
    Case("EMBL", _embl(), (Record("dna", DNA[:60], ("case",), id="X00001"),), form="embl"),
    Case("Swiss-Prot", _swiss(), (Record(sequence=PROTEIN[:60], id="UBIQ_HUMAN"),), form="swissprot"),
    # no sequence files at all
    Case("nothing", b"", diagnosis="empty"),
    Case("white space", b" \n\t\n ", diagnosis="white space"),
    Case("a ZIP archive", _zip("a.fasta"), diagnosis="ZIP"),
    Case("a Word document", _zip("[Content_Types].xml", "word/document.xml"), diagnosis="Word"),
    Case("an Excel workbook", _zip("[Content_Types].xml", "xl/workbook.xml"), diagnosis="Excel"),
    Case("an old Word document", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), diagnosis="Office"),
    Case("a PDF", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", diagnosis="PDF"),
    Case("a picture", b"\x89PNG\r\n\x1a\n" + bytes(range(256)), diagnosis="PNG"),
    Case("BAM", gzip.compress(b"BAM\x01" + bytes(90)), diagnosis="BAM"),
    Case("SAM", b"@HD\tVN:1.6\n@SQ\tSN:1\tLN:9\n", diagnosis="SAM"),
    Case("a TAR archive", gzip.compress(b"a.fasta".ljust(257, b"\0") + b"ustar" + bytes(250)), diagnosis="TAR"),
    Case("a web page", b"<!DOCTYPE html><html><body>404</body></html>", diagnosis="web page"),
    Case("XML", b"<?xml version='1.0'?><a/>", diagnosis="XML"),
    Case("a rich text", b"{\\rtf1 ACGT}", diagnosis="rich text"),
    Case("random bytes", bytes((at * 197 + at // 7 * 31) % 256 for at in range(4000)), diagnosis="binary"),
    Case("a tree", b"((a:0.1,b:0.2):0.3,c:0.4);\n", diagnosis="Newick"),
    Case("a table", b"id,sequence\n1,ACGT\n2,ACGA\n", diagnosis="CSV"),
    Case("a table with tabs", b"id\tsequence\n1\tACGT\n2\tACGA\n", diagnosis="tab"),
    Case("JSON", b'{"sequence": "ACGT"}', diagnosis="JSON"),
    Case("Clustal", b"CLUSTAL W (1.83) multiple sequence alignment\n\na ACGT\nb AC-T\n", diagnosis="Clustal"),
    Case("Stockholm", b"# STOCKHOLM 1.0\na ACGT\n//\n", diagnosis="Stockholm"),
    Case("PHYLIP", b" 2 10\nalpha     ACGTACGTAC\nbeta      ACGTACGTAA\n", diagnosis="PHYLIP"),
    Case("NEXUS", b"#NEXUS\nbegin data;\n", diagnosis="NEXUS"),
    Case("VCF", b"##fileformat=VCFv4.2\n#CHROM\tPOS\n", diagnosis="VCF"),
    Case("GFF", b"##gff-version 3\nchr1\t.\tgene\t1\t9\n", diagnosis="GFF"),
    Case(
        "prose", b"The protein was taken from the liver of a mouse and is kept in the freezer with the others.", diagnosis="ordinary text"
    ),
    Case("three-letter codes", b"Met-Gln-Ile-Phe-Val-Lys", diagnosis="three-letter"),
    Case("numbers only", b"1 2 3 4 5\n6 7 8\n", diagnosis="no letters"),
)
