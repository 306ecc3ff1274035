"""Splice sites along a gene, and whether a variant breaks or makes one: the task dna.splice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from backend.domain import Json, Prediction, Profile
from backend.errors import InputError
from backend.sequences.export import Gff3Row, to_csv, to_gff3
from backend.sequences.inputs import choose, read_input
from backend.sequences.records import SequenceRecord, Span
from backend.sequences.splice_delta import CUTOFFS, EFFECTS, MEANING, delta_scores, judge
from backend.sequences.splice_measure import measure_splice
from backend.sequences.splice_notation import Transcript, read_exons, read_variants
from backend.sequences.splice_why import explain_splice
from backend.tasks import Context, task

if TYPE_CHECKING:
    from backend.models.families.cispliceai import Splicer
    from backend.progress import Progress

MODEL = "cispliceai"
MOST_LETTERS = 1_000_000
MOST_RECORDS = 20
MOST_VARIANTS = 500
FULL_TRACK = 20_000  # letters up to which every value is kept
LEAST_KEPT = 0.01  # beyond: only values from here on
_KINDS = ("acceptor", "donor")
_DIRECTIONS = {"+": "forward", "-": "reverse"}  # a lone sign is a formula to a spreadsheet


def _csv(prediction: Mapping[str, Json]) -> str:
    return to_csv(
        [
            {"record": found["record"], "strand": _DIRECTIONS[found["strand"]], **site}
            for found in prediction["results"]
            for site in found["sites"]
        ],
        ["record", "strand", "kind", "place", "probability", "known"],
    )


def _variants_csv(prediction: Mapping[str, Json]) -> str:
    rows = []
    for found in prediction["results"]:
        for made in found["variants"]:
            row = {"record": found["record"], "strand": _DIRECTIONS[found["strand"]]}
            row |= {name: made[name] for name in ("variant", "place", "kind", "ref", "alt", "score", "effect", "verdict")}
            for effect in EFFECTS:
                row |= {f"{effect}_{name}": made[effect][name] for name in ("delta", "place", "distance", "reference", "alternative")}
            rows.append(row)
    return to_csv(rows, None if rows else ["record", "strand", "variant", "score", "effect", "verdict"])


def _gff3(prediction: Mapping[str, Json]) -> str:
    terms = {"acceptor": "three_prime_cis_splice_site", "donor": "five_prime_cis_splice_site"}
    rows = [
        Gff3Row(
            found["record"],
            terms[site["kind"]],
            site["place"],
            site["place"],
            site["probability"],
            -1 if found["strand"] == "-" else 1,
            source="CI-SpliceAI",
            attributes={"Note": f"{'first' if site['kind'] == 'acceptor' else 'last'} base of the exon"},
        )
        for found in prediction["results"]
        for site in found["sites"]
    ]
    return to_gff3(rows, {found["record"]: found["last_place"] for found in prediction["results"]})


@task(
    "dna.splice",
    title="Splice sites and splice variants",
    modality="sequences",
    models=(MODEL,),
    settings={"variants": [], "strand": "+", "threshold": 0.2, "exons": "", "cds_start": 0},
    read=read_input,
    explain=explain_splice,
    exports={"csv": _csv, "variants.csv": _variants_csv, "gff3": _gff3},
    measure=measure_splice,
)
def splice(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json], profile: Profile) -> Prediction:
    """Acceptor and donor probabilities along each record, and delta scores of variants.

    ``settings``: ``variants`` (a list, or text with one a line), ``strand`` ("+" or "-": the one that the gene is read from),
    ``threshold`` (sites from this probability on are listed), ``exons`` ("1-142, 273-495", the record's places) and ``cds_start``
    (place of the A of the start codon) where the record itself does not carry them.

    Raises
    ------
    InputError
        For a setting or variant that cannot be used, or a record over 1,000,000 bases.
    """
    strand, threshold = _strand(settings), _threshold(settings)
    chosen = choose(context, value, kinds=("dna",), most=MOST_RECORDS)
    warnings = list(chosen.warnings)
    for record in chosen.records:
        if len(record.sequence) > MOST_LETTERS:
            raise InputError(
                f"{record.id} has {len(record.sequence):,} bases; up to {MOST_LETTERS:,} can be read.",
                "Cut out the gene with 5,000 bases on each side.",
            )
    if _given(settings) and len(chosen.records) > 1:
        raise InputError(
            f"Variants belong to one record, and {len(chosen.records)} were chosen.", "Choose the record that the variants are numbered on."
        )
    transcripts = [_transcript(record, settings, strand, warnings) for record in chosen.records]
    variants = [read_variants(settings["variants"], record, known) for record, known in zip(chosen.records, transcripts, strict=True)]
    if len(variants[0]) > MOST_VARIANTS:
        raise InputError(f"{len(variants[0]):,} variants were given; up to {MOST_VARIANTS} are computed at once.", "Give them in parts.")
    results: list[Json] = []
    with context.runtime.use(MODEL) as splicer:
        for record, known, asked in zip(chosen.records, transcripts, variants, strict=True):
            made, codes, found = _along(splicer, record, known, strand, threshold, context.progress, warnings)
            for number, variant in enumerate(asked):
                context.progress.check()
                made["variants"].append(delta_scores(splicer, record, codes, found, variant, strand))
                context.progress.update(number + 1, len(asked), "Comparing with each variant")
            results.append(made)
    data = {**chosen.preflight, "results": results, "cutoffs": list(CUTOFFS), "meaning": MEANING, "text": _text(results, threshold)}
    return Prediction(data, MODEL, tuple(warnings))


def _along(
    splicer: Splicer,
    record: SequenceRecord,
    known: Transcript,
    strand: str,
    threshold: float,
    progress: Progress,
    warnings: list[str],
) -> tuple[dict[str, Json], np.ndarray, np.ndarray]:
    from backend.models.families.cispliceai import UNKNOWN, encode_bases

    codes = encode_bases(record.sequence)
    if unknown := np.flatnonzero(codes == UNKNOWN).tolist():
        where = ", ".join(f"{record.sequence[at]} at {record.place(at):,}" for at in unknown[:5])
        more = " and others" if len(unknown) > 5 else ""
        warnings.append(f"{record.id}: {len(unknown):,} letters are not A, C, G or T ({where}{more}); the networks see no letter there.")
    found = judge(splicer, codes, strand, progress=progress)
    exact = _borders(known)
    sites = [
        {
            "kind": kind,
            "place": record.place(at),
            "index": at,
            "probability": round(float(found[at, 1 + channel]), 4),
            "known": (record.place(at) in exact[kind]) if known.exons else None,
        }
        for channel, kind in enumerate(_KINDS)
        for at in np.flatnonzero(found[:, 1 + channel] >= threshold).tolist()
    ]
    made: dict[str, Json] = {
        "record": record.id,
        "sequence": record.sequence,
        "places": None if record.places is None else record.all_places(),
        "last_place": record.place(len(codes) - 1),
        "strand": strand,
        "threshold": threshold,
        "sites": sorted(sites, key=lambda site: site["index"]),
        "tracks": _tracks(found),
        "exons": [list(span) for span in known.exons],
        "missed": [
            {"kind": kind, "place": place, "probability": _round(found[at, 1 + _KINDS.index(kind)])}
            for kind in _KINDS
            for place in sorted(exact[kind])
            if (at := record.index(place)) is not None and found[at, 1 + _KINDS.index(kind)] < threshold
        ],
        "variants": [],
    }
    return made, codes, found


def _tracks(found: np.ndarray) -> dict[str, Json]:
    """Every value of a short record; of a long one those that are not next to nothing, with their index."""
    if len(found) <= FULL_TRACK:
        return {"form": "full", **{kind: np.round(found[:, 1 + at].astype(float), 4).tolist() for at, kind in enumerate(_KINDS)}}
    made: dict[str, Json] = {"form": "sparse", "least": LEAST_KEPT}
    for at, kind in enumerate(_KINDS):
        kept = np.flatnonzero(found[:, 1 + at] >= LEAST_KEPT)
        made[kind] = {"index": kept.tolist(), "value": np.round(found[kept, 1 + at].astype(float), 4).tolist()}
    return made


def _borders(known: Transcript) -> dict[str, set[int]]:
    """Places of the sites that the exons imply: the gene's two outer ends are none."""
    firsts, lasts = {start for start, _ in known.exons[1:]}, {end for _, end in known.exons[:-1]}
    return {"acceptor": firsts, "donor": lasts} if known.strand == "+" else {"acceptor": lasts, "donor": firsts}


def _transcript(record: SequenceRecord, settings: Mapping[str, Json], strand: str, warnings: list[str]) -> Transcript:
    """Exons from the settings, or else from the record's own annotation on that strand."""
    try:
        coding = int(settings["cds_start"] or 0)
    except (TypeError, ValueError) as error:
        raise InputError(f"'{settings['cds_start']}' is no place for a start codon.", "Give a number, such as 51.") from error
    exons: tuple[Span, ...] = read_exons(str(settings["exons"] or ""))
    for _, end in exons[-1:]:
        if end > record.place(len(record.sequence) - 1):
            raise InputError(f"An exon ends at {end:,}, behind the end of {record.id}.", "Give exons in the record's own places.")
    sign = -1 if strand == "-" else 1
    of_strand = [feature for feature in record.features if feature.strand == sign]
    if not exons:
        for kind in ("mRNA", "CDS"):
            runs = [feature for feature in of_strand if feature.kind == kind]
            if runs:
                exons = tuple(sorted(runs[0].spans))
                if len(runs) > 1:
                    warnings.append(
                        f"{record.id} has {len(runs)} {kind} features; the first, {runs[0].name or 'unnamed'}, gives the exons."
                    )
                break
        else:
            exons = tuple(sorted({span for feature in of_strand if feature.kind == "exon" for span in feature.spans}))
    if not coding and (cds := next((feature for feature in of_strand if feature.kind == "CDS"), None)):
        coding = min(start for start, _ in cds.spans) if sign > 0 else max(end for _, end in cds.spans)
    return Transcript(exons, coding, strand)


def _strand(settings: Mapping[str, Json]) -> str:
    strand = str(settings["strand"]).strip()
    if strand not in ("+", "-"):
        raise InputError(f"'{strand}' is no strand.", "Strands are + (as the letters are written) and - (the other one).")
    return strand


def _threshold(settings: Mapping[str, Json]) -> float:
    try:
        threshold = float(settings["threshold"])
    except (TypeError, ValueError):
        threshold = -1.0
    if not 0.01 <= threshold <= 1:
        raise InputError(f"A threshold of {settings['threshold']} cannot be used.", "Give a probability from 0.01 to 1.")
    return threshold


def _given(settings: Mapping[str, Json]) -> bool:
    given = settings["variants"]
    return bool(given.strip()) if isinstance(given, str) else bool(given)


def _round(value: float) -> float:
    return round(float(value), 4)


def _text(results: Sequence[Mapping[str, Json]], threshold: float) -> list[str]:
    lines: list[str] = []
    for found in results:
        lines.append(f"{found['record']}: {len(found['sites'])} splice sites with a probability of {threshold} or more")
        lines += [
            f"    {site['kind']:<8} {site['place']:>9,}  {site['probability']:.3f}" + ("  known" if site["known"] else "")
            for site in found["sites"][:40]
        ]
        lines += [f"    {site['kind']} at {site['place']:,} is known but scores {site['probability']:.3f}" for site in found["missed"][:20]]
        lines += [f"    {made['variant']}: {made['score']:.2f}  {made['words']}" for made in found["variants"]]
    return lines
