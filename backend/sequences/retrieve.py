"""protein.retrieve: the proteins of a set that fit a description in words best."""

from __future__ import annotations

from collections.abc import Mapping

from backend.domain import Json, Prediction, Profile
from backend.errors import InputError
from backend.models.protein_text import cosines
from backend.sequences.export import to_csv
from backend.sequences.inputs import choose, read_input
from backend.sequences.vectors import embed
from backend.sequences.words_fit import explain_fit, read_descriptions, record_of, shuffled
from backend.tasks import Context, pick_model, task

NAME = "protein.retrieve"
MOST = 2_000
_COMPARED = 10  # proteins whose shuffled copies are read as well
_COPIES = 19  # so that the least share is 1 in 20


def _csv(prediction: Mapping[str, Json]) -> str:
    names = ("rank", "record", "length", "cosine", "shuffled_mean", "shuffled_share")
    return to_csv({name: found.get(name) for name in names} for found in prediction["results"])


def _explain(context: Context, prediction: Mapping[str, Json], target: Mapping[str, Json], settings: Mapping[str, Json]) -> dict[str, Json]:
    """Why a protein fits: ``record`` of the run, the best one unless given."""
    found = record_of(prediction, target.get("record"))
    made = explain_fit(context, str(prediction["model"]), found, str(prediction["description"]))
    return {**made, "target": {"record": found["record"]}}


@task(
    NAME,
    title="Find proteins by words",
    modality="sequences",
    models=("protst",),
    settings={"model": "", "description": ""},
    read=read_input,
    explain=_explain,
    exports={"csv": _csv},
)
def predict(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json], profile: Profile) -> Prediction:
    """Rank the proteins of a set by the cosine between their vectors and a description's.

    Returns
    -------
    Prediction
        Records best first: ``cosine``; for the first ten ``shuffled_mean``, the mean cosine of 19 copies with their residues in random
        order, and ``shuffled_share``, (1 + copies that fit at least as well) / 20.
    """
    if not str(settings["description"]).strip():
        raise InputError("No description was given.", "Say in words what you look for, for example: Binds oxygen.")
    text = read_descriptions([settings["description"]])[0]
    card = pick_model(context, NAME, str(settings["model"]))
    chosen = choose(context, value, kinds=("protein",), most=MOST)
    records = chosen.records
    if len(records) < 2:
        raise InputError(
            f"Only one protein was given, {records[0].id}: there is nothing to rank it among.",
            "Give a file with two proteins or more, or compare descriptions instead (protein.function).",
        )
    vectors = embed(context, card.name, [record.sequence for record in records], "Reading proteins")
    results = []
    with context.runtime.use(card.name) as model:
        described = model.describe([text])
        near = cosines(vectors, described)[:, 0]
        order = sorted(range(len(records)), key=lambda at: (-float(near[at]), at))
        for rank, at in enumerate(order, start=1):
            record = records[at]
            found: dict[str, Json] = {
                "rank": rank,
                "record": record.id,
                "sequence": record.sequence,
                "places": None if record.places is None else record.all_places(),
                "length": len(record.sequence),
                "cosine": round(float(near[at]), 4),
            }
            if rank <= _COMPARED:
                context.progress.check()
                context.progress.update(rank, min(_COMPARED, len(order)), "Reading shuffled copies of the best")
                others = cosines(model.embed(shuffled(record.sequence, _COPIES)), described)[:, 0]
                found["shuffled_mean"] = round(float(others.mean()), 4)
                found["shuffled_share"] = round((1 + int((others >= near[at]).sum())) / (1 + _COPIES), 3)
            results.append(found)
    best = results[0]
    data: dict[str, Json] = {
        **chosen.preflight,
        "model": card.name,
        "description": text,
        "results": results,
        "text": [
            f"Of {len(results):,} proteins {best['record']} fits '{text}' best: cosine {best['cosine']:.2f}, its shuffled copies "
            f"{best['shuffled_mean']:.2f}; as well or better by chance: {best['shuffled_share']:.2f}."
        ],
    }
    return Prediction(data, card.name, chosen.warnings)
