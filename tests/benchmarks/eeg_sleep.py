"""What staging and explaining a night costs, in CPU-seconds of one thread: ``python -m tests.benchmarks.eeg_sleep [hours]``.

The night is simulated (`backend.eeg.simulate.night`), so the agreement told at the end says that the parts fit together, not how well
people's nights are staged. ``python -m tests.benchmarks.eeg_sleep awake`` stages runs 1 to 8 of ../shared/data/eeg/eegmmi_s001, a person
awake for 14.5 min: nothing of it should be called sleep.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import json
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.prepare import models_folder


def _seconds(do: Callable[[], Any]) -> tuple[Any, float]:
    before = time.process_time()
    made = do()
    return made, time.process_time() - before


def main(hours: float) -> dict[str, Any]:
    """Stage one night by YASA alone and by the task, then explain every epoch; both were warmed up on a short night before."""
    import mne
    import yasa

    from backend.config import load_config
    from backend.domain import Profile
    from backend.eeg.demo import add_demo
    from backend.eeg.sleep.groups import group
    from backend.eeg.sleep.measure import agreement
    from backend.eeg.sleep.signal import leads_of, night_measures, read_leads
    from backend.eeg.sleep.staging import predict
    from backend.eeg.sleep.statistics import STAGES
    from backend.eeg.sleep.why import explain, grouped
    from backend.models.runtime import Runtime
    from backend.storage import open_storage
    from backend.tasks import Context, find_task

    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory(prefix="bioloom-") as folder:
        (Path(folder) / "models").symlink_to(models_folder(), target_is_directory=True)
        config = load_config({"BIOLOOM_DATA": folder, "BIOLOOM_DEVICE": "cpu"})
        storage = open_storage(config)
        context = Context(config, storage, Runtime(config))
        add_demo(context, "night")
        (kept,) = storage.recordings.list()
        settings = dict(find_task("eeg.sleep").settings)
        value = {"recording": kept.id}
        data = predict(context, value, settings, Profile()).data
        leads = leads_of(data["channels"])
        until = min(hours * 3600, data["duration_s"])
        values = read_leads(context, kept.id, [lead for _, lead in leads.chosen()], 0.0, until)
        names = [lead.name for _, lead in leads.chosen()]

        def alone(signals: np.ndarray) -> Any:
            info = mne.create_info(names, 100.0, [kind for kind, _ in leads.chosen()])
            raw = mne.io.RawArray(signals.astype(np.float64) * 1e-6, info, verbose="ERROR")
            return yasa.SleepStaging(raw, names[0], eog_name=names[1], emg_name=names[2]).predict()

        alone(values[:, : 100 * 600])
        theirs, yasa_s = _seconds(lambda: alone(values))
        context.recents.clear()
        ours, task_s = _seconds(lambda: predict(context, value, settings, Profile()))
        night = night_measures(context, kept.id, leads, {})
        with context.runtime.use("yasa-sleep") as classifiers:
            classifier = classifiers.get(eog=True, emg=True, demographics=False)
            measures = night.measures.values[:, [night.measures.names.index(name) for name in classifier.features]]
            groups = group(classifier.features)
            classes = classifier.probabilities(measures).argmax(axis=1)
            (shares, base), every_s = _seconds(lambda: grouped(classifier, measures, classes, groups))
            scores = classifier.scores(measures)[np.arange(len(classes)), classes]
        _, one_s = _seconds(lambda: explain(context, ours.data, {"epoch": len(classes) // 2}, settings))
        called = theirs.hypno.astype(str).replace({"WAKE": "W", "REM": "R"}).tolist()
        truth = _made_as(storage, kept.id, len(ours.data["stages"]))
        storage.close()
    return {
        "epochs": len(classes),
        "yasa_alone_s": round(yasa_s, 2),
        "task_s": round(task_s, 2),
        "every_epoch_explained_s": round(every_s, 2),
        "staged_and_explained_to_yasa_alone": round((task_s + every_s) / yasa_s, 2),
        "one_epoch_explained_and_tested_s": round(one_s, 2),
        "largest_residual": float(np.abs(base + shares.sum(axis=1) - scores).max()),
        "same_stages_as_yasa": called == ours.data["stages"],
        "agreement_with_what_was_made": {
            key: round(figure, 3)
            for key, figure in agreement(truth, np.array([STAGES.index(str(stage)) for stage in ours.data["stages"]])).items()
        },
    }


def awake() -> dict[str, Any]:
    """The share of a real waking recording that is called sleep, by the derivation it is staged from."""
    import mne

    from backend.config import load_config
    from backend.domain import Profile
    from backend.eeg.importing import import_recording
    from backend.eeg.sleep.staging import predict
    from backend.models.runtime import Runtime
    from backend.storage import open_storage
    from backend.tasks import Context, find_task
    from tests.conftest import SHARED
    from tests.eeg.making import edf

    warnings.simplefilter("ignore")
    picks = ["C3..", "C4..", "Cz..", "Fpz.", "Fp1."]
    runs = [mne.io.read_raw_edf(SHARED / f"eeg/eegmmi_s001/S001R{run:02d}.edf", verbose="ERROR") for run in range(1, 9)]
    values = np.concatenate([run.get_data(picks=picks)[:, : len(run.times) // 160 * 160] for run in runs], axis=1) * 1e7
    digital = [np.clip(np.rint(row), -32768, 32767).astype(np.int32) for row in values]
    made: dict[str, Any] = {"minutes": round(values.shape[1] / 160 / 60, 1)}
    with tempfile.TemporaryDirectory(prefix="bioloom-") as folder:
        (Path(folder) / "models").symlink_to(models_folder(), target_is_directory=True)
        config = load_config({"BIOLOOM_DATA": folder, "BIOLOOM_DEVICE": "cpu"})
        storage = open_storage(config)
        context = Context(config, storage, Runtime(config))
        path = Path(folder) / "awake.edf"
        path.write_bytes(
            edf([pick.strip(".") for pick in picks], values=digital, rates=[160] * 5, records=len(digital[0]) // 160, prefilter="")
        )
        visit = storage.patients.add_visit(storage.patients.add("P").id, "1").id
        kept = import_recording(config, storage, visit, path).id
        for eeg, eog in (("", ""), ("C4", ""), ("C4", "Fp1")):
            settings = {**find_task("eeg.sleep").settings, "eeg": eeg, "eog": eog}
            found = predict(context, {"recording": kept}, settings, Profile())
            leads = ", ".join(lead["name"] for lead in found.data["channels"].values())
            made[leads] = {
                "called_sleep": round(float(np.mean([stage not in (None, "W") for stage in found.data["stages"]])), 3),
                "mean_probability": found.data["confidence"]["all"]["mean"],
                "warnings": len(found.warnings),
            }
        storage.close()
    return made


def _made_as(storage: Any, recording: str, epochs: int) -> np.ndarray:
    from backend.eeg.sleep.measure import on_grid

    marks = [(mark.onset_s, mark.duration_s, mark.label) for mark in storage.recordings.annotations(recording)]
    return on_grid(marks, epochs)


if __name__ == "__main__":
    asked = sys.argv[1] if len(sys.argv) > 1 else "8"
    print(json.dumps(awake() if asked == "awake" else main(float(asked)), indent=1))
