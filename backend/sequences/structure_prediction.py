"""The task `protein.fold`: a predicted structure of each chain, with its confidence at every residue and between residues."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from backend.domain import Json, ModelCard, Prediction, Profile
from backend.errors import InputError
from backend.sequences.export import to_csv
from backend.sequences.inputs import choose, open_input, read_input
from backend.sequences.records import SequenceRecord
from backend.sequences.structure_pdb import pack_errors, to_pdb
from backend.sequences.structure_why import explain
from backend.sequences.structures.prediction import BANDS, band
from backend.tasks import Context, pick_model, task

NAME = "protein.fold"
_MOST = 5  # records of one run: each is folded alone, and slowly
_LONGEST = 2_000  # residues; what fits is less on most machines, and said before folding


def _pdb(prediction: Mapping[str, Json]) -> str:
    """The structures one after another, each as a model of its own where there are several."""
    texts = [str(found["pdb"]) for found in prediction["results"]]
    if len(texts) == 1:
        return texts[0]
    bodies = ["\n".join(line for line in text.splitlines() if line != "END") for text in texts]
    return "".join(f"MODEL     {number:>4}\n{body}\nENDMDL\n" for number, body in enumerate(bodies, 1)) + "END\n"


def _csv(prediction: Mapping[str, Json]) -> str:
    rows: list[dict[str, Json]] = []
    for found in prediction["results"]:
        places = found["places"] or range(1, len(found["sequence"]) + 1)
        for place, letter, value in zip(places, found["sequence"], found["plddt"], strict=True):
            rows.append({"record": found["record"], "place": place, "residue": letter, "plddt": value, "band": band(value)})
    return to_csv(rows)


@task(
    NAME,
    title="Structure prediction",
    modality="sequences",
    models=("esmfold",),
    settings={"model": "", "recycles": 3},
    read=read_input,
    explain=explain,
    exports={"pdb": _pdb, "csv": _csv},
)
def predict(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json], profile: Profile) -> Prediction:
    """Fold each chain by itself.

    Settings
    --------
    recycles : int
        How often the network reads its own result again, 0 to 8; 3 as published.

    Raises
    ------
    InputError
        When several chains of a structure are given, or a chain is too long or too short.
    ModelError
        When no folding model is on this machine, or a chain does not fit its memory.
    """
    recycles = _recycles(settings["recycles"])
    card = pick_model(context, NAME, str(settings["model"] or ""))
    chosen = choose(context, value, kinds=("protein",), most=_MOST)
    if len(chosen.records) > 1 and open_input(context, value).format in ("pdb", "mmcif"):
        names = ", ".join(record.id for record in chosen.records)
        raise InputError(
            f"{value['name']} holds several chains ({names}); {card.title} folds single chains and knows nothing of partners.",
            "Choose one chain.",
        )
    for record in chosen.records:
        _check_length(record)
    results: list[dict[str, Json]] = []
    warnings = list(chosen.warnings)
    with context.runtime.use(card.name) as model:
        for number, record in enumerate(chosen.records):
            folded = model.fold(record.sequence, recycles, _watcher(context, record, number, len(chosen.records)))
            plddt = [round(float(each), 1) for each in folded.plddt]
            results.append(
                {
                    "record": record.id,
                    "kind": "protein",
                    "model": card.name,
                    "sequence": record.sequence,
                    "places": None if record.places is None else record.all_places(),
                    "plddt": plddt,
                    "mean": round(float(folded.plddt.mean()), 2),
                    "ptm": round(folded.ptm, 3),
                    "bands": [
                        {"band": name, "from": bound, "residues": sum(band(each) == name for each in plddt)} for name, bound in BANDS
                    ],
                    "pae": pack_errors(folded.pae),
                    "pdb": to_pdb(folded, record, card),
                }
            )
            warnings += _notes(results[-1], record, card)
    data: dict[str, Json] = {**chosen.preflight, "results": results, "recycles": recycles, "text": [_line(found) for found in results]}
    return Prediction(data, card.name, tuple(warnings))


def _watcher(context: Context, record: SequenceRecord, number: int, count: int) -> Callable[[float], None]:
    """Tells how far the work is, and ends it when the person asks."""

    def watch(share: float) -> None:
        context.progress.check()
        context.progress.update(round(100 * (number + share)), 100 * count, f"Folding {record.id}, {len(record.sequence)} residues")

    return watch


def _recycles(wanted: Json) -> int:
    try:
        found = int(wanted)
    except (TypeError, ValueError) as error:
        raise InputError(f"'{wanted}' is no number of recycles.", "Give a whole number from 0 to 8; 3 is the published one.") from error
    if not 0 <= found <= 8:
        raise InputError(f"{found} recycles were asked for; 0 to 8 are computed.", "3 is the published number.")
    return found


def _check_length(record: SequenceRecord) -> None:
    n = len(record.sequence)
    if n > _LONGEST:
        raise InputError(f"{record.id} has {n:,} residues; chains of up to {_LONGEST:,} are folded.", "Give one of its domains.")
    if n < 10:
        raise InputError(f"{record.id} has {n} residues: too few to have a fold.", "Give a chain of 10 residues or more.")


def _notes(found: Mapping[str, Json], record: SequenceRecord, card: ModelCard) -> list[str]:
    told = []
    if odd := sorted({letter for letter in record.sequence if letter not in "ACDEFGHIKLMNPQRSTVWY"}):
        told.append(
            f"{record.id}: {card.title} does not know {', '.join(odd)}; it folded an unknown residue there, whose atoms it does not place."
        )
    if found["mean"] < 50:
        told.append(
            f"{record.id}: the mean confidence is {found['mean']:.0f} of 100: the model could not fold it, or it has no fixed fold."
        )
    elif found["ptm"] < 0.5:
        told.append(
            f"{record.id}: pTM is {found['ptm']:.2f}. Parts may be right, but how they stand to each other should not be relied on."
        )
    if record.places is not None and record.place(len(record.sequence) - 1) - record.place(0) >= len(record.sequence):
        told.append(f"{record.id}: its numbering skips residues; the model was not told and took those on either side for neighbours.")
    return told


def _line(found: Mapping[str, Json]) -> str:
    shares = ", ".join(
        f"{each['residues'] / len(found['sequence']):.0%} {each['band']}" for each in reversed(found["bands"]) if each["residues"]
    )
    return (
        f"{found['record']}: {len(found['sequence']):,} residues folded by {found['model']}; mean pLDDT {found['mean']:.1f}, "
        f"pTM {found['ptm']:.2f}; confidence {shares}."
    )
