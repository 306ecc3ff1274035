"""The task `sequence.overview`: what a sequence is, by arithmetic on its letters; a table of many, the details of a few."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from backend.domain import Json, Prediction, Profile
from backend.errors import InputError
from backend.sequences.inputs import choose, read_input
from backend.sequences.overview_export import as_csv, as_faa, as_fasta, as_gff3
from backend.sequences.overview_nucleic import codon_usage, gc_share, strand_weight, windows
from backend.sequences.overview_orfs import Orf, complement, find_orfs, genetic_codes
from backend.sequences.overview_protein import hydropathy, protein_numbers
from backend.sequences.overview_sites import choose_enzymes, find_sites
from backend.sequences.records import Feature, SequenceRecord
from backend.tasks import Context, task

MODEL = "biopython"
MOST_RECORDS = 1_000
MOST_DETAILED = 20  # records with profiles, frames and sites in one run; name others to have theirs
MOST_KEPT = 5_000_000  # letters that a saved run carries
_MOST_POINTS = 10_000  # residues of a hydropathy profile
SETTINGS: Mapping[str, Json] = {
    "window": 0,  # letters of a GC window; 0 chooses
    "hydropathy_window": 9,
    "code": 1,
    "shortest_orf": 30,
    "begin": "ATG",
    "enzymes": "usual",
    "frame": 0,  # of the codon usage; 0 takes annotated CDS, else the record itself if it is one, else its longest frame
}


def read(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json]) -> dict[str, Json]:
    """The input, and settings that can be computed."""
    numbers = ("window", "hydropathy_window", "code", "shortest_orf", "frame")
    for name in numbers:
        if isinstance(settings[name], bool) or not isinstance(settings[name], int):
            raise InputError(f"{name} is a whole number, not '{settings[name]}'.", f"It is {SETTINGS[name]} unless given.")
    if settings["window"] < 0 or settings["hydropathy_window"] < 1 or settings["shortest_orf"] < 1:
        raise InputError("Windows and the shortest frame have at least one letter.", "A GC window of 0 lets Bioloom choose.")
    if settings["code"] not in genetic_codes():
        raise InputError(f"There is no genetic code {settings['code']}.", f"NCBI's codes are: {', '.join(map(str, genetic_codes()))}.")
    if settings["begin"] not in ("ATG", "table", "any"):
        raise InputError(f"A frame cannot begin with '{settings['begin']}'.", "Choose ATG, table (every start of the code) or any.")
    if abs(settings["frame"]) > 3:
        raise InputError(f"There is no frame {settings['frame']}.", "Frames are 1, 2, 3, -1, -2, -3; 0 lets Bioloom choose.")
    choose_enzymes(str(settings["enzymes"]))
    return read_input(context, value, settings)


@task(
    "sequence.overview",
    title="Overview",
    modality="sequences",
    models=(MODEL,),
    settings=SETTINGS,
    read=read,
    exports={"csv": as_csv, "gff3": as_gff3, "fasta": as_fasta, "faa": as_faa},
)
def predict(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json], profile: Profile) -> Prediction:
    """Length, composition, weight and the rest of every record; profiles, frames, codons and sites of the first ones."""
    chosen = choose(context, value, most=MOST_RECORDS)
    warnings = list(chosen.warnings)
    results: list[dict[str, Json]] = []
    kept = 0
    for number, record in enumerate(chosen.records):
        context.progress.update(number, len(chosen.records), "Describing sequences")
        context.progress.check()
        detailed = number < MOST_DETAILED and (number == 0 or kept + len(record.sequence) <= MOST_KEPT)
        keep = number == 0 or kept + len(record.sequence) <= MOST_KEPT
        kept += len(record.sequence) if keep else 0
        result = _summary(record, keep)
        result["details"] = (_protein(record, settings) if record.kind == "protein" else _nucleic(record, settings)) if detailed else None
        results.append(result)
    if (rest := sum(result["details"] is None for result in results)) > 0:
        warnings.append(f"Profiles, frames and sites are given for {len(results) - rest:,} records. Name another to have its own.")
    if (bare := sum(result["sequence"] is None for result in results)) > 0:
        warnings.append(f"The letters of {bare:,} records are not saved with the run, which holds {MOST_KEPT:,} at most.")
    warnings += [f"{result['record']}: {note}" for result in results for note in (result["details"] or {}).get("notes", [])]
    data: dict[str, Json] = {**chosen.preflight, "results": results, "text": [line for result in results[:50] for line in _lines(result)]}
    return Prediction(data, MODEL, tuple(warnings))


def _summary(record: SequenceRecord, keep: bool) -> dict[str, Json]:
    sequence, kind = record.sequence, record.kind
    counts = Counter(sequence)
    numbers: dict[str, Json]
    if kind == "protein":
        numbers = protein_numbers(sequence)
    else:
        gc = gc_share(counts)
        numbers = {"gc": {"low": gc["value"], "high": gc["value"], "unit": "", **gc}, "weight": strand_weight(sequence, kind)}
    return {
        "record": record.id,
        "kind": kind,
        "description": record.entry.description,
        "length": len(sequence),
        "sequence": sequence if keep else None,
        "places": None if record.places is None or not keep else record.all_places(),
        "composition": dict(sorted(counts.items())),
        "numbers": numbers,
    }


def _protein(record: SequenceRecord, settings: Mapping[str, Json]) -> dict[str, Json]:
    window = int(settings["hydropathy_window"])
    values = hydropathy(record.sequence, window)[:_MOST_POINTS]
    notes = [f"The hydropathy profile ends at residue {_MOST_POINTS:,}."] if len(record.sequence) > _MOST_POINTS else []
    if len(record.sequence) < window:
        notes.append(f"The protein is shorter than the hydropathy window of {window}: there is no profile.")
    profile = [None if value != value else round(float(value), 3) for value in values]
    return {"hydropathy": {"window": window, "values": profile}, "features": _features(record), "notes": notes}


def _nucleic(record: SequenceRecord, settings: Mapping[str, Json]) -> dict[str, Json]:
    sequence, dna, code = record.sequence, record.kind == "dna", int(settings["code"])
    notes: list[str] = []
    orfs, found = find_orfs(sequence, code, int(settings["shortest_orf"]), settings["begin"], both=dna)
    if found > len(orfs):
        notes.append(f"{found:,} reading frames are long enough; the {len(orfs):,} longest are listed.")
    sites, enzymes = find_sites(sequence, choose_enzymes(str(settings["enzymes"]))) if dna else ([], [])
    total = sum(enzyme["count"] for enzyme in enzymes)
    if total > len(sites):
        notes.append(f"{total:,} restriction sites were found; the first {len(sites):,} are listed, all are counted.")
    return {
        "windows": {**(made := windows(sequence, int(settings["window"]))), "starts": [record.place(at) for at in made["starts"]]},
        "codons": _codons(record, settings, orfs, notes),
        "orfs": [_orf(record, orf) for orf in orfs],
        "orfs_found": found,
        "code": {"number": code, "name": genetic_codes()[code]},
        "sites": [
            {"enzyme": site["enzyme"], "start": record.place(site["start"]), "end": record.place(site["end"] - 1)}
            | {"strand": site["strand"], "cut_after": record.place(site["cut"] - 1)}
            for site in sites
        ],
        "enzymes": enzymes,
        "features": _features(record),
        "notes": notes,
    }


def _orf(record: SequenceRecord, orf: Orf) -> dict[str, Json]:
    return {
        "start": record.place(orf.start),
        "end": record.place(orf.end - 1),
        "frame": orf.frame,
        "residues": len(orf.protein),
        "complete": orf.complete,
        "protein": orf.protein,
    }


def _features(record: SequenceRecord) -> list[dict[str, Json]]:
    return [
        {"kind": feature.kind, "spans": [list(span) for span in feature.spans], "strand": feature.strand, "name": feature.name}
        for feature in record.features[:5_000]
    ]


def _codons(record: SequenceRecord, settings: Mapping[str, Json], orfs: Sequence[Orf], notes: list[str]) -> dict[str, Json] | None:
    """Codon usage, of what can best be taken for coding, and in words what that is."""
    sequence, code, frame = record.sequence, int(settings["code"]), int(settings["frame"])
    if frame:
        text = sequence if frame > 0 else complement(sequence)
        return {"of": f"frame {frame:+d} of the whole record", **codon_usage(text[abs(frame) - 1 :], code)}
    annotated = [feature for feature in record.features if feature.kind == "CDS"]
    parts = [part for feature in annotated if len(part := _coding(record, feature)) % 3 == 0 and part]
    if annotated and len(parts) < len(annotated):
        notes.append(
            f"{len(annotated) - len(parts):,} of {len(annotated):,} annotated CDS are no whole number of codons; they are left out."
        )
    if parts:
        return {"of": f"{len(parts):,} annotated CDS, each from its first letter", **codon_usage("".join(parts), code)}
    whole = next((orf for orf in orfs if orf.frame == 1 and orf.start == 0 and orf.end == len(sequence) and orf.complete), None)
    best = whole or max(orfs, key=lambda orf: len(orf.protein), default=None)
    if best is None:
        return None
    text = sequence[best.start : best.end]
    place = f"{record.place(best.start):,}-{record.place(best.end - 1):,}"
    told = "the whole record, which is one reading frame" if whole else f"the longest reading frame, {place}, frame {best.frame:+d}"
    return {"of": told, **codon_usage(text if best.frame > 0 else complement(text), code)}


def _coding(record: SequenceRecord, feature: Feature) -> str:
    """A feature's letters joined in reading order; empty where one of its ends is not in the sequence."""
    parts = []
    for start, end in sorted(feature.spans):
        first, last = record.index(start), record.index(end)
        if first is None or last is None:
            return ""
        parts.append(record.sequence[first : last + 1])
    joined = "".join(parts)
    return joined if feature.strand > 0 else complement(joined)


def _lines(result: Mapping[str, Json]) -> list[str]:
    unit = "residues" if result["kind"] == "protein" else "bases"
    numbers = result["numbers"]
    said = [f"{result['length']:,} {unit}", *(text for name, number in numbers.items() if (text := _said(name, number)))]
    lines = [f"{result['record']}: {', '.join(said)}"]
    details = result["details"] or {}
    if "orfs" in details:
        best = max(details["orfs"], key=lambda orf: int(orf["residues"]), default=None)
        longest = (
            f"; the longest is {best['start']:,}-{best['end']:,}, frame {best['frame']:+d}, {best['residues']:,} residues" if best else ""
        )
        lines.append(f"    {details['orfs_found']:,} reading frames{longest}")
        once = [enzyme["enzyme"] for enzyme in details["enzymes"] if enzyme["count"] == 1]
        lines += [f"    cut once by {', '.join(once)}"] if once else []
    return lines


def _said(name: str, number: Mapping[str, Json]) -> str:
    """One number for the command line: a value, or its bounds."""
    words = {"weight": "weight", "pi": "pI", "gravy": "GRAVY", "instability": "instability index", "gc": "GC"}
    if name not in words or number["low"] is None:
        return ""
    digits = {"weight": 0, "gc": 3}.get(name, 2)
    shown = [f"{number[bound]:,.{digits}f}" for bound in ("low", "high")]
    return (
        f"{words[name]} {shown[0] if number['value'] is not None else ' to '.join(shown)}{' ' + number['unit'] if number['unit'] else ''}"
    )
