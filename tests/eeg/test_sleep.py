"""A night is staged as YASA stages it; gaps are never scored; why an epoch has its stage adds up and stands its test."""

from __future__ import annotations

import csv
import io
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from backend.config import load_config
from backend.domain import Profile
from backend.eeg.importing import import_recording
from backend.eeg.simulate.night import Night, simulated_night
from backend.eeg.sleep.export import epochs_csv, hypnogram_edf, hypnogram_tsv, statistics_csv
from backend.eeg.sleep.features import measure
from backend.eeg.sleep.marks import epoch_traces, write_stages
from backend.eeg.sleep.measure import measure_sleep, on_grid, read_hypnogram, stage_of
from backend.eeg.sleep.signal import leads_of, read_leads
from backend.eeg.sleep.staging import predict, read
from backend.eeg.sleep.why import explain
from backend.errors import InputError
from backend.models.runtime import Runtime
from backend.storage import open_storage
from backend.tasks import Context
from tests.eeg.making import edf, edf_plus
from tests.prepare import models_folder

LABELS = ("EEG C3", "EEG C4", "EEG M1", "EEG M2", "E1", "E2", "EMG Chin")
TAKEN = ("C3", "C4", "M1", "M2", "E1", "E2", "Chin EMG")
DEFAULTS: dict[str, Any] = {"eeg": "", "eog": "", "emg": "", "age": None, "sex": "", "lights_off_s": None, "lights_on_s": None}


@pytest.fixture(scope="module")
def night() -> Night:
    return simulated_night(2.5)


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Context]:
    if not (models_folder() / "yasa-sleep").is_dir():
        pytest.skip("the embedded model was not fetched: python -m tests.prepare")
    folder = tmp_path_factory.mktemp("sleep")
    (folder / "models").symlink_to(models_folder(), target_is_directory=True)
    config = load_config({"BIOLOOM_DATA": str(folder), "BIOLOOM_DEVICE": "cpu"})
    storage = open_storage(config)
    yield Context(config, storage, Runtime(config))
    storage.close()


def file_of(night: Night, minutes: float | None = None, **more: Any) -> bytes:
    count = night.values.shape[1] if minutes is None else int(minutes * 60 * night.rate)
    values = [np.clip(np.rint(night.values[night.names.index(name), :count] * 10), -32768, 32767).astype(np.int32) for name in TAKEN]
    return edf(LABELS, values=values, records=count // 100, prefilter="", **more)


def keep(context: Context, folder: Path, data: bytes, name: str = "night.edf") -> str:
    path = folder / name
    path.write_bytes(data)
    patient = context.storage.patients.add(f"P-{uuid4().hex[:8]}").id
    visit = context.storage.patients.add_visit(patient, "first").id
    return import_recording(context.config, context.storage, visit, path).id


@pytest.fixture(scope="module")
def recording(context: Context, night: Night, tmp_path_factory: pytest.TempPathFactory) -> str:
    return keep(context, tmp_path_factory.mktemp("file"), file_of(night))


@pytest.fixture(scope="module")
def staged(context: Context, recording: str) -> Any:
    return predict(context, {"recording": recording}, DEFAULTS, Profile())


def test_measures_and_probabilities_are_yasas_own(context, recording, staged):
    import mne
    import yasa

    leads = leads_of(staged.data["channels"])
    chosen = leads.chosen()
    values = read_leads(context, recording, [lead for _, lead in chosen], 0.0, 2.5 * 3600)
    info = mne.create_info(["C4-M1", "E1-M2", "Chin"], 100.0, ["eeg", "eog", "emg"])
    raw = mne.io.RawArray(values.astype(np.float64) * 1e-6, info, verbose="ERROR")
    values = values.astype(np.float64) * 1e-6 * 1e6  # to volts and back as YASA has them: one more bit can turn a zero crossing
    theirs = yasa.SleepStaging(raw, "C4-M1", eog_name="E1-M2", emg_name="Chin")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the publisher's pickle names an older scikit-learn
        hypnogram = theirs.predict()
    found = measure(values, [kind for kind, _ in chosen])
    table = theirs.get_features()
    assert tuple(table.columns) == found.names
    assert np.abs(table.to_numpy() - found.values).max() <= 1e-6
    with context.runtime.use("yasa-sleep") as classifiers:
        classifier = classifiers.get(eog=True, emg=True, demographics=False)
        ours = classifier.probabilities(found.values[:, [found.names.index(name) for name in classifier.features]])
    columns = hypnogram.proba[["N1", "N2", "N3", "REM", "WAKE"]].to_numpy()
    assert np.abs(ours - columns).max() < 1e-6
    called = hypnogram.hypno.astype(str).replace({"WAKE": "W", "REM": "R"}).tolist()
    assert called == staged.data["stages"]


def test_the_simulated_night_is_staged_as_it_was_made(night, staged):
    assert [lead["name"] for lead in staged.data["channels"].values()] == ["C4-M1", "E1-M2", "EMG Chin"]
    agree = np.mean([one == two for one, two in zip(staged.data["stages"], night.stages, strict=True)])
    assert agree > 0.85
    assert staged.data["statistics"]["trt"]["value"] == 150.0
    assert all(abs(sum(row) - 1) < 3e-4 for row in staged.data["probabilities"])


def test_the_same_recording_gives_the_same_result(context, recording, staged):
    context.recents.clear()
    assert predict(context, {"recording": recording}, DEFAULTS, Profile()).data == staged.data


def test_an_epochs_explanation_adds_up_and_stands_its_test(context, staged):
    stages = staged.data["stages"]
    epoch = max((place for place, one in enumerate(stages) if one == "N3"), key=lambda at: staged.data["probabilities"][at][3]) + 1
    made = explain(context, staged.data, {"epoch": epoch}, DEFAULTS)
    shares = made["shares"]
    assert made["target"] == {"epoch": epoch}
    assert made["stage"] == "N3"
    assert made["additivity"] < 1e-6
    assert abs(shares["base_value"] + sum(one["value"] for one in shares["attributions"]) - shares["score"]) < 1e-6
    assert shares["faithfulness"]["reliable"], shares["faithfulness"]["reason"]
    assert made["probability"] == pytest.approx(max(staged.data["probabilities"][epoch - 1]), abs=1e-4)
    kinds = {(group["channel"], group["context"]) for group in made["groups"]}
    assert {("eeg", "own"), ("eeg", "centred"), ("eeg", "past"), ("eog", "own"), ("emg", "own")} <= kinds
    slow = sum(
        one["value"]
        for one, group in zip(shares["attributions"], made["groups"], strict=True)
        if group["channel"] == "eeg" and group["band"] in ("sdelta", "fdelta", "ratio", "amplitude")
    )
    assert slow > 0  # slow, high waves speak for deep sleep


def test_why_not_another_stage_a_stage_and_the_night_can_be_asked(context, staged):
    stages = staged.data["stages"]
    epoch = stages.index("N2") + 1
    rival = explain(context, staged.data, {"epoch": epoch, "stage": "N3"}, DEFAULTS)
    assert rival["target"] == {"epoch": epoch, "stage": "N3"}
    assert rival["probability"] == pytest.approx(staged.data["probabilities"][epoch - 1][3], abs=1e-4)
    stage = explain(context, staged.data, {"stage": "R"}, DEFAULTS)
    assert stage["epochs"] == stages.count("R")
    assert stage["additivity"] < 1e-6
    night = explain(context, staged.data, {}, DEFAULTS)
    assert night["target"] == {"night": True}
    assert set(night["by_stage"]) == set(stages)
    with pytest.raises(InputError, match="no epoch 5000"):
        explain(context, staged.data, {"epoch": 5000}, DEFAULTS)
    with pytest.raises(InputError, match="no stage 'N4'"):
        explain(context, staged.data, {"stage": "N4"}, DEFAULTS)


def test_lights_bound_the_statistics_and_not_the_staging(context, recording, staged):
    settings = {**DEFAULTS, "lights_off_s": 600.0, "lights_on_s": 2 * 3600.0}
    found = predict(context, {"recording": recording}, settings, Profile()).data
    assert found["stages"] == staged.data["stages"]
    assert found["statistics"]["trt"]["value"] == 110.0
    assert found["lights"] == {"off_epoch": 21, "on_epoch": 240}
    with pytest.raises(InputError, match="Lights"):
        predict(context, {"recording": recording}, {**DEFAULTS, "lights_off_s": 99999.0}, Profile())


def test_age_and_sex_are_taken_together_or_not_at_all(context, recording):
    assert read(context, {"recording": recording}, {**DEFAULTS, "age": 40, "sex": "female"})["recording"] == recording
    for wrong in ({"age": 40}, {"sex": "male"}, {"age": 400, "sex": "male"}, {"age": 40, "sex": "x"}):
        with pytest.raises(InputError):
            read(context, {"recording": recording}, {**DEFAULTS, **wrong})
    with_age = predict(context, {"recording": recording}, {**DEFAULTS, "age": 40, "sex": "female"}, Profile())
    assert with_age.data["classifier"] == "clf_eeg+eog+emg+demo_lgb_0.5.0.joblib"


def test_one_channel_alone_is_staged_with_a_warning(context, recording, night):
    alone = predict(context, {"recording": recording}, {**DEFAULTS, "eog": "none", "emg": "none"}, Profile())
    assert alone.data["classifier"] == "clf_eeg_lgb_0.5.0.joblib"
    assert any("single EEG channel" in line for line in alone.warnings)
    assert np.mean([one == two for one, two in zip(alone.data["stages"], night.stages, strict=True)]) > 0.6


def test_too_little_is_refused_and_a_nap_is_staged_with_a_warning(context, night, tmp_path):
    with pytest.raises(InputError, match="5 min at least"):
        predict(context, {"recording": keep(context, tmp_path, file_of(night, 4))}, DEFAULTS, Profile())
    nap = predict(context, {"recording": keep(context, tmp_path, file_of(night, 20), "nap.edf")}, DEFAULTS, Profile())
    assert len(nap.data["stages"]) == 40
    assert any("whole nights only" in line for line in nap.warnings)


def test_epochs_that_touch_a_gap_are_not_scored_and_the_others_stand_at_their_true_time(context, night, tmp_path):
    # 20 minutes, then 100 s that were not recorded, then 20 more
    onsets = [*range(1200), *range(1300, 2500)]
    values = [
        np.clip(np.rint(night.values[night.names.index(name), : len(onsets) * 100] * 10), -32768, 32767).astype(np.int32) for name in TAKEN
    ]
    data = edf_plus(onsets, labels=LABELS, values=values, prefilter="")
    found = predict(context, {"recording": keep(context, tmp_path, data)}, DEFAULTS, Profile()).data
    assert len(found["stages"]) == 2500 // 30
    missing = [place for place, stage in enumerate(found["stages"]) if stage is None]
    assert missing == [40, 41, 42, 43]  # 1200 to 1320 s: the last of them holds 20 s of signal, and is not scored either
    assert [found["probabilities"][place] for place in missing] == [None] * 4
    assert {one["flag"] for one in found["flags"] if one["epoch"] == 41} == {"not recorded"}
    assert found["statistics"]["unscored"]["value"] == 2.0
    with pytest.raises(InputError, match="not scored"):
        explain(context, found, {"epoch": 41}, DEFAULTS)


def test_a_flat_stretch_is_not_scored_and_leaves_other_epochs_measures_of_the_epoch_alone(night):
    values = np.stack([night.values[1] - night.values[6], night.values[8], night.values[10]])[:, : 100 * 1800]
    before = measure(values, ("eeg", "eog", "emg"))
    cut = values.copy()
    cut[1, 30000:36000] = 7.0
    after = measure(cut, ("eeg", "eog", "emg"))
    assert np.flatnonzero(after.flat).tolist() == [10, 11]
    own = [place for place, name in enumerate(after.names) if name.startswith("eeg_") and "norm" not in name]
    rest = [place for place in range(60) if place not in (10, 11)]
    assert np.abs(after.values[rest][:, own] - before.values[rest][:, own]).max() < 1e-6
    assert np.isfinite(after.values[rest]).all()


def test_stretches_called_bad_are_flagged(context, night, tmp_path):
    recording = keep(context, tmp_path, file_of(night, 15))
    context.storage.recordings.annotate(recording, 95.0, 10.0, "BAD_movement")
    found = predict(context, {"recording": recording}, DEFAULTS, Profile())
    assert {"epoch": 4, "flag": "marked bad"} in found.data["flags"]
    assert found.data["stages"][3] is not None


# --- forms -----------------------------------------------------------------------------------------------------------


def test_the_hypnogram_is_read_by_others_as_it_was_written(staged, tmp_path):
    import mne

    path = tmp_path / "hypnogram.edf"
    path.write_text(hypnogram_edf(staged.data), encoding="ascii", newline="")
    read_back = mne.read_annotations(path)
    columns = zip(read_back.onset, read_back.duration, read_back.description, strict=True)
    marks = [(float(on), float(long), str(text)) for on, long, text in columns]
    stages = [None if code < 0 else ("W", "N1", "N2", "N3", "R")[code] for code in on_grid(marks, len(staged.data["stages"]))]
    assert stages == staged.data["stages"]
    table = tmp_path / "hypnogram.tsv"
    table.write_text(hypnogram_tsv(staged.data))
    assert on_grid(read_hypnogram(table), len(stages)).tolist() == on_grid(marks, len(stages)).tolist()


def test_tables_hold_every_epoch_and_parameter(staged):
    rows = list(csv.DictReader(io.StringIO(epochs_csv(staged.data))))
    assert len(rows) == len(staged.data["stages"])
    assert rows[2]["clock"] == "22:16:00"  # the file begins at 22:15
    figures = {row["parameter"]: row for row in csv.DictReader(io.StringIO(statistics_csv(staged.data)))}
    assert float(figures["Total sleep time (TST)"]["value"]) == staged.data["statistics"]["tst"]["value"]


def test_stages_become_annotations_once_asked_and_replace_earlier_ones(context, staged):
    recording = staged.data["recording"]
    made = write_stages(context, staged.data)
    assert write_stages(context, staged.data) == made
    marks = [mark for mark in context.storage.recordings.annotations(recording) if mark.label.startswith("Sleep stage")]
    assert len(marks) == made
    assert sum(mark.duration_s for mark in marks) == pytest.approx(30 * len(staged.data["stages"]))


def test_an_epochs_traces_are_those_of_its_time(context, staged, night):
    names, rate, values = epoch_traces(context, staged.data, 10, 5.0)
    assert names[0] == "C4-M1"
    assert values.shape == (3, int(40 * rate))
    raw = (night.values[night.names.index("C4")] - night.values[night.names.index("M1")])[int(265 * rate) : int(305 * rate)]
    assert np.corrcoef(values[0], raw)[0, 1] > 0.9
    first = epoch_traces(context, staged.data, 1, 5.0)[2]
    assert np.isnan(first[:, :500]).all()
    assert np.isfinite(first[:, 500:]).all()


# --- measured on scored nights ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "stage"),
    [("Sleep stage W", "W"), ("Sleep stage 4", "N3"), ("N2", "N2"), ("rem", "R"), ("Sleep stage ?", None), ("spindle", ""), ("Wake", "W")],
)
def test_labels_of_stages_are_understood_as_files_write_them(label, stage):
    assert stage_of(label) == stage


def test_a_night_is_measured_against_a_hypnogram_of_ones_own(context, night, tmp_path):
    recording, hypnogram = tmp_path / "scored.edf", tmp_path / "scored.csv"
    recording.write_bytes(file_of(night))
    hypnogram.write_text("stage\n" + "\n".join(night.stages))
    before = len(context.storage.recordings.list())
    found = measure_sleep(context, [recording, hypnogram], {})
    metrics = found["systems"]["YASA"]
    assert found["n"] == len(night.stages)
    assert metrics["accuracy"]["low"] < metrics["accuracy"]["value"] < metrics["accuracy"]["high"]
    assert metrics["kappa"]["value"] > 0.8
    assert sum(map(sum, found["confusion"])) == found["n"]
    assert len(context.storage.recordings.list()) == before  # nothing of it is kept
    hypnogram.write_text("stage\n" + "\n".join(np.random.default_rng(0).permutation(night.stages)))
    assert measure_sleep(context, [recording, hypnogram], {})["systems"]["YASA"]["kappa"]["value"] < 0.15


def test_a_recording_without_stages_is_refused_with_the_form(context, night, tmp_path):
    path = tmp_path / "unscored.edf"
    path.write_bytes(file_of(night, 12))
    with pytest.raises(InputError, match="no sleep stages") as refused:
        measure_sleep(context, [path], {})
    assert "Sleep stage W" in refused.value.hint
