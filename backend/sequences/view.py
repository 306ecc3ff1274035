"""The task `structure.view`: what a structure file holds, how sure it is, what it lacks, and distances in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from backend.domain import Json, Prediction, Profile
from backend.errors import InputError
from backend.sequences.export import to_csv, to_fasta
from backend.sequences.inputs import choose, open_input, read_input
from backend.sequences.structures.distances import measure_pairs, parse_pairs
from backend.sequences.structures.drawing import Drawing, draw
from backend.sequences.structures.model import Chain, Structure
from backend.sequences.structures.prediction import BANDS, band
from backend.storage.files import Files
from backend.tasks import Context, task

_MOST_CHAINS = 500
_KINDS = {"protein": "protein", "dna": "DNA", "rna": "RNA"}


def read(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json]) -> dict[str, Json]:
    """A kept PDB or mmCIF file, and pairs that can be measured."""
    given = read_input(context, value, settings)
    if open_input(context, given).format not in ("pdb", "mmcif"):
        raise InputError(
            f"{given['name']} holds sequences, not a structure.",
            "Give a PDB or mmCIF file: of an experiment, or of a prediction such as AlphaFold's.",
        )
    parse_pairs(str(settings["distances"]))
    return given


def open_drawing(context: Context, sha256: str, name: str) -> Drawing:
    """The drawing of a kept structure file, kept in memory while it is asked for again."""
    path = Files(context.config).path(sha256)
    return context.recent(f"structure:{sha256}", lambda: draw(path, name))


def keep_structure(context: Context, data: bytes | memoryview | Path, name: str) -> tuple[str, Drawing]:
    """Keep a structure file that goes with a sequence, and read it; its digest and its drawing.

    Raises
    ------
    InputError
        When it is no structure.
    """
    files = Files(context.config)
    kept = files.keep(data, name) if isinstance(data, Path) else files.put(data, name)
    return kept.sha256, open_drawing(context, kept.sha256, kept.name)


def _csv(prediction: Mapping[str, Json]) -> str:
    head = ["chain", "number", "component", "letter", str(prediction["structure"]["column"])]
    rows = [
        [found["record"], label, name, letter, value]
        for found in prediction["results"]
        for label, name, letter, value in zip(found["labels"], found["names"], found["sequence"], found["b"], strict=True)
    ]
    return to_csv([dict(zip(head, row, strict=True)) for row in rows])


def _fasta(prediction: Mapping[str, Json]) -> str:
    return to_fasta((f"{found['record']} {_KINDS[found['kind']]}, observed residues", found["sequence"]) for found in prediction["results"])


@task(
    "structure.view",
    title="Structure",
    modality="sequences",
    models=("gemmi",),
    settings={"distances": ""},
    read=read,
    exports={"csv": _csv, "fasta": _fasta},
)
def view(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json], profile: Profile) -> Prediction:
    """Describe a structure: chains, confidence, missing stretches, ligands, distances.

    Settings
    --------
    distances : str
        Pairs of residues to measure, ``A:48 A:63; A:6 A:68``.
    """
    context.runtime.use("gemmi")
    chosen = choose(context, value, most=_MOST_CHAINS)
    drawing = open_drawing(context, str(value["file"]), str(value["name"]))
    structure = drawing.structure
    wanted = {record.entry.name: record for record in chosen.records}
    results = []
    for chain in structure.chains:
        if (record := wanted.get(chain.name)) is not None:
            results.append({**_chain(structure, chain), "record": record.id, "places": _places(record.all_places(), record.places is None)})
    pairs = measure_pairs(drawing, parse_pairs(str(settings["distances"])))
    described = _structure(drawing)
    data: dict[str, Json] = {
        **chosen.preflight,
        "structure": described,
        "results": results,
        "distances": [pair.json() for pair in pairs],
        "text": _text(structure, described, results) + [_pair(pair.json()) for pair in pairs],
    }
    return Prediction(data, "gemmi", tuple(dict.fromkeys([*chosen.warnings, *structure.notes])))


def _places(places: list[int], plain: bool) -> list[int] | None:
    return None if plain else places


def _structure(drawing: Drawing) -> dict[str, Json]:
    structure = drawing.structure
    ligands = Counter(ligand.name for ligand in structure.ligands)
    values = [residue.b for chain in structure.chains for residue in chain.residues]
    return {
        "title": structure.title,
        "format": structure.format,
        "method": structure.method,
        "resolution": structure.resolution,
        "models": structure.models,
        "chains": len(structure.chains),
        "residues": structure.size,
        "atoms": structure.atoms,
        "waters": structure.waters,
        "ligands": [{"name": name, "count": count} for name, count in ligands.most_common()],
        "prediction": structure.is_prediction,
        "how": structure.how,
        "column": "pLDDT" if structure.is_prediction else "B-factor (square angstroms)",
        "bands": _bands(values) if structure.is_prediction else None,
        "notes": [*structure.notes, *drawing.notes],
    }


def _chain(structure: Structure, chain: Chain) -> dict[str, Json]:
    values = [residue.b for residue in chain.residues]
    return {
        "chain": chain.name,
        "kind": chain.kind,
        "sequence": chain.sequence,
        "labels": [residue.label for residue in chain.residues],
        "names": [residue.name for residue in chain.residues],
        "b": values,
        "mean": round(sum(values) / len(values), 2),
        "bands": _bands(values) if structure.is_prediction else None,
        "whole_backbones": sum(residue.backbone for residue in chain.residues),
        "declared": len(chain.full_sequence) or None,
        "missing": [{"after": gap.after, "count": gap.count, "letters": gap.letters, "text": gap.text} for gap in chain.gaps],
    }


def _bands(values: list[float]) -> list[dict[str, Json]]:
    """Share of residues in each of AlphaFold's bands, from the lowest."""
    counts = Counter(band(value) for value in values)
    return [{"band": name, "from": bound, "residues": counts[name], "share": round(counts[name] / len(values), 4)} for name, bound in BANDS]


def _text(structure: Structure, described: Mapping[str, Json], results: list[dict[str, Json]]) -> list[str]:
    """The structure in words: what is shown to whoever does not see the picture."""
    source = "a prediction" if structure.is_prediction else structure.method or "no method named"
    sharp = f", {structure.resolution:g} Å" if structure.resolution else ""
    count = len(results)
    lines = [f"{structure.title or structure.name}: {count} {'chain' if count == 1 else 'chains'}, {source}{sharp}"]
    for found in results:
        missing = f"; {'; '.join(gap['text'] for gap in found['missing'][:4])}" if found["missing"] else ""
        extra = f" and {len(found['missing']) - 4} stretches more" if len(found["missing"]) > 4 else ""
        lines.append(
            f"Chain {found['record']}: {_KINDS[found['kind']]}, {len(found['sequence'])} residues, "
            f"{found['labels'][0]} to {found['labels'][-1]}, mean {described['column']} {found['mean']:.1f}{missing}{extra}"
        )
    if described["bands"]:
        lines.append(structure.how)
        shares = ", ".join(f"{item['share']:.0%} {item['band']}" for item in reversed(described["bands"]))
        lines.append(f"Confidence (pLDDT): {shares}")
    if described["ligands"]:
        lines.append("Ligands and ions: " + ", ".join(f"{item['count']} {item['name']}" for item in described["ligands"][:12]))
    return lines


def _pair(pair: Mapping[str, Json]) -> str:
    near = f"nearest atoms {pair['atoms'][0]} and {pair['atoms'][1]} {pair['nearest']:.2f} Å"
    return f"{pair['first']} to {pair['second']}: {pair['anchors']:.2f} Å between CA (or P) atoms, {near}"
