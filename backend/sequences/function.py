"""protein.function: which of a person's descriptions in words fits a protein best, without training examples."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from backend.domain import Json, Prediction, Profile
from backend.errors import InputError
from backend.models.protein_text import cosines
from backend.sequences.export import to_csv
from backend.sequences.inputs import choose, read_input
from backend.sequences.words_fit import LOCATION_FORM, LOCATIONS, explain_fit, form_of, read_descriptions, record_of, shuffled
from backend.tasks import Context, pick_model, task

NAME = "protein.function"
_MOST = 200
_COPIES = 4  # of each protein with its residues shuffled


def _csv(prediction: Mapping[str, Json]) -> str:
    return to_csv(
        {"record": found["record"], "rank": rank, "description": each["description"], **{key: each[key] for key in _NUMBERS}}
        for found in prediction["results"]
        for rank, each in enumerate(found["fits"], start=1)
    )


_NUMBERS = ("probability", "cosine", "shuffled")


def _explain(context: Context, prediction: Mapping[str, Json], target: Mapping[str, Json], settings: Mapping[str, Json]) -> dict[str, Json]:
    """Why a description fits: ``record`` and ``description`` of the run; the best one of the first record unless given."""
    found = record_of(prediction, target.get("record"))
    known = [each["description"] for each in found["fits"]]
    wanted = str(target.get("description") or known[0])
    if wanted not in known:
        raise InputError(f"The run did not compare '{wanted}'.", f"It compared: {'; '.join(known[:5])}.")
    read_as = str(prediction["form"]).replace("{}", wanted)
    made = explain_fit(context, str(prediction["model"]), found, read_as)
    return {**made, "target": {"record": found["record"], "description": wanted}, "read_as": read_as}


@task(
    NAME,
    title="Function from words",
    modality="sequences",
    models=("protst",),
    settings={"model": "", "descriptions": "\n".join(LOCATIONS), "form": LOCATION_FORM},
    read=read_input,
    explain=_explain,
    exports={"csv": _csv},
)
def predict(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json], profile: Profile) -> Prediction:
    """Compare descriptions with proteins in the space that a protein-text network shares between them.

    Settings
    --------
    descriptions : str or list of str
        One a line. They share the probability: it says which of these fits best, not whether any is true.
    form : str
        What each is put into, with {} for the description, since the network learned from statements of one form.

    Returns
    -------
    Prediction
        For each record its fits, best first: ``cosine``, ``probability`` (softmax with the learned temperature) and ``shuffled``,
        the mean probability over copies of the protein with its residues in random order.
    """
    texts, form = read_descriptions(settings["descriptions"]), form_of(str(settings["form"]))
    card = pick_model(context, NAME, str(settings["model"]))
    chosen = choose(context, value, kinds=("protein",), most=_MOST)
    warnings = list(chosen.warnings)
    results = []
    with context.runtime.use(card.name) as model:
        described = model.describe([form.replace("{}", text) for text in texts])
        odd = [text for text in texts if model.unknown_share(text) > 0.2]
        for at, record in enumerate(chosen.records):
            context.progress.check()
            context.progress.update(at, len(chosen.records), f"Reading {record.id}")
            near = cosines(model.embed([record.sequence, *shuffled(record.sequence, _COPIES)]), described).astype(np.float64)
            shares = _softmax(near * model.scale)
            fits = [
                {
                    "description": text,
                    "cosine": round(float(near[0, column]), 4),
                    "probability": round(float(shares[0, column]), 4),
                    "shuffled": round(float(shares[1:, column].mean()), 4),
                }
                for column, text in enumerate(texts)
            ]
            results.append(
                {
                    "record": record.id,
                    "sequence": record.sequence,
                    "places": None if record.places is None else record.all_places(),
                    "pieces": -(-len(record.sequence) // model.window),
                    "fits": sorted(fits, key=lambda each: -float(str(each["cosine"]))),
                }
            )
            if unknown := model.unknown(record.sequence):
                warnings.append(f"{record.id}: {len(unknown):,} letters are not in the model's vocabulary and were read as X.")
        scale = model.scale
    long = [found["record"] for found in results if int(str(found["pieces"])) > 1]
    if long:
        warnings.append(
            f"{', '.join(map(str, long[:5]))}: longer than the model reads at once; read in pieces, averaged over all residues."
        )
    if odd:
        warnings.append(f"The model's vocabulary hardly knows the words of: {'; '.join(odd[:5])}.")
    data: dict[str, Json] = {
        **chosen.preflight,
        "model": card.name,
        "descriptions": texts,
        "form": form,
        "scale": round(scale, 3),
        "results": results,
        "text": [_told(found) for found in results],
    }
    return Prediction(data, card.name, tuple(dict.fromkeys(warnings)))


def _softmax(rows: np.ndarray) -> np.ndarray:
    made = np.exp(rows - rows.max(axis=1, keepdims=True))
    return np.asarray(made / made.sum(axis=1, keepdims=True))


def _told(found: Mapping[str, Json]) -> str:
    best = found["fits"][0]
    beside = "" if best["probability"] > best["shuffled"] + 0.05 else "; shuffled copies of the protein fit it as well"
    return (
        f"{found['record']}: of {len(found['fits'])} descriptions '{best['description']}' fits best "
        f"({best['probability']:.0%} of them all, {best['shuffled']:.0%} for shuffled copies{beside})."
    )
