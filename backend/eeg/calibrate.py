"""The task eeg.calibrate: a decoder fitted to one patient from labelled events, and whether it can be relied on."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from backend.domain import Json, Prediction, Profile
from backend.eeg.decoding.judge import judge
from backend.eeg.decoding.kept import keep, open_kept
from backend.eeg.decoding.pool import NAME as POOLED
from backend.eeg.decoding.pool import find_pool
from backend.eeg.decoding.trials import MOST_TRIALS, Cut, cut_trials
from backend.eeg.inputs import read_recordings
from backend.errors import InputError
from backend.models.families.eeg_decoders import card_name
from backend.tasks import Context, task

SETTINGS: dict[str, Json] = {
    "labels": [],  # the classes: labels of annotations
    "start_s": None,  # window, seconds from the event
    "stop_s": None,
    "channels": [],  # all usable EEG channels, unless named
    "limit_uv": None,  # trials with a larger swing are left out
    "candidates": [],  # all that fit, unless named
    "pooled": True,  # let other patients' trials help, where they consented
    "permutations": 1000,
    "seed": 0,
    "name": "",
}


def read(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json]) -> dict[str, Json]:
    """Recordings of one patient; a single one may be given as ``recording``."""
    if not value.get("recordings") and value.get("recording"):
        value = {**value, "recordings": [value["recording"]]}
    return read_recordings(context, value, settings)


def explain(context: Context, prediction: Mapping[str, Json], target: Mapping[str, Json], settings: Mapping[str, Json]) -> dict[str, Json]:
    """What the decoder rests on: ``{"calibration": true}``, or ``{"trial": n}`` counted from 0."""
    from backend.eeg.decoding.explain import explain_decoder

    kept = open_kept(context, str(prediction["calibration"]))
    cut = cut_as(context, list(kept.about.recordings), settings, list(kept.decoder.names), kept.decoder.rate)
    return explain_decoder(kept.decoder, cut.trials, target, context.progress, int(settings["seed"]), temperature=kept.temperature)


def trials_csv(prediction: Mapping[str, Json]) -> str:
    """Every trial as it was decoded by a decoder that never saw it: recording, onset, class, decoded, probability."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["trial", "recording", "onset_s", "annotated", "decoded", "probability"])
    classes = list(prediction["cut"]["classes"])
    for n, (session, onset, was, decoded, share) in enumerate(prediction["trials"]):
        found = safe_cell(classes[decoded]) if decoded >= 0 else ""
        writer.writerow([n, prediction["recordings"][session], f"{onset:.3f}", safe_cell(classes[was]), found, f"{share:.4f}"])
    return text.getvalue()


def safe_cell(label: str) -> str:
    """A label that a spreadsheet would run as a formula is led by an apostrophe."""
    return f"'{label}" if label[:1] in ("=", "+", "-", "@") else label


@task(
    "eeg.calibrate",
    title="Calibrate a decoder",
    modality="eeg",
    models=("eeg_decoders",),
    settings=SETTINGS,
    read=read,
    explain=explain,
    exports={"csv": trials_csv},
)
def predict(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json], profile: Profile) -> Prediction:
    """Cut the trials, compare the candidates, judge, and keep the decoder."""
    recordings = tuple(value["recordings"])
    cut = cut_as(context, recordings, settings)
    trials = cut.trials
    if len(trials) > MOST_TRIALS:
        raise InputError(f"{len(trials):,} trials are more than can be compared at once.", f"Choose recordings with up to {MOST_TRIALS:,}.")
    only = names(settings["candidates"])
    window = (trials.start_s, trials.start_s + trials.x.shape[2] / trials.rate)
    pool = find_pool(context, str(value["patient"]), trials, trials.classes, window) if settings["pooled"] else None
    judged = judge(
        trials,
        only=only,
        pool=pool,
        permutations=max(99, int(settings["permutations"])),
        seed=int(settings["seed"]),
        progress=context.progress,
    )
    chosen = str(judged.report["candidate"])
    helped = (pool.patients, pool.recordings) if pool is not None and chosen == POOLED else ((), ())
    title = str(settings["name"]).strip() or f"{' or '.join(trials.classes)}, {len(trials)} trials"
    kept = keep(context, str(value["patient"]), title[:120], recordings, trials, judged, dict(settings), helped)
    data = {
        "calibration": kept.id,
        "name": kept.name,
        "recordings": list(recordings),
        "cut": cut.json(),
        "pool": {"patients": len(pool.patients), "trials": len(pool.trials)} if pool is not None else None,
        "temperature": judged.temperature,
        **judged.report,
        "text": _text(judged.report, cut),
    }
    return Prediction(data, card_name(chosen), (*judged.warnings, *_warnings(cut)))


def cut_as(
    context: Context,
    recordings: Sequence[str],
    settings: Mapping[str, Json],
    channels: Sequence[str] | None = None,
    rate: float | None = None,
) -> Cut:
    """The trials that the settings of a calibration name."""
    labels = names(settings["labels"])
    if len(labels) < 2:
        told = f"only {labels[0]} was named" if labels else "none was named"
        raise InputError(f"A decoder tells at least two classes apart; {told}.", "Name the labels of the events, such as T1,T2.")
    window = None
    if settings.get("stop_s") is not None:
        window = (float(settings.get("start_s") or 0.0), float(settings["stop_s"]))
    elif settings.get("start_s"):
        raise InputError("The window has a beginning and no end.", "Give stop_s too, in seconds from the event.")
    limit = settings.get("limit_uv")
    return cut_trials(
        context,
        recordings,
        labels,
        window,
        names=channels or names(settings.get("channels") or []) or None,
        rate=rate,
        limit_uv=float(limit) if limit else None,
    )


def names(given: Json) -> list[str]:
    """A list of names, also where it was written as ``a,b``."""
    parts: Sequence[Any] = given.split(",") if isinstance(given, str) else given or []
    return [str(part).strip() for part in parts if str(part).strip()]


def _text(report: Mapping[str, Any], cut: Cut) -> list[str]:
    verdict, expected, gain = report["verdict"], report["next_session"], report["gain"]
    lines = [
        verdict["sentence"],
        *verdict["reasons"],
        f"In the next session {expected['value']:.0%} of the trials are expected to be decoded rightly, each class counting the same "
        f"(95% interval {expected['low']:.0%} to {expected['high']:.0%}; chance {verdict['chance']:.0%}).",
        f"Permutation test: p = {report['permutation']['p']:.2g}.",
    ]
    if gain["n"]:
        over = "a decoder of other patients alone" if gain["over"] == "uncalibrated" else "chance, as there is no uncalibrated model"
        lines.append(
            f"On later trials only ({gain['n']}), calibrating gained {100 * gain['gain']['value']:+.0f} percentage points over {over} "
            f"(95% interval {100 * gain['gain']['low']:+.0f} to {100 * gain['gain']['high']:+.0f})."
        )
    if cut.left_out:
        told = "; ".join(f"{reason}: {count}" for reason, count in cut.left_out.items())
        lines.append(f"{sum(cut.left_out.values())} events were left out. {told[0].upper()}{told[1:]}.")
    return lines


def _warnings(cut: Cut) -> list[str]:
    return [*cut.notes]
