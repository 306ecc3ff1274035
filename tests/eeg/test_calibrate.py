"""Calibrating and decoding as a person does it: recordings in, verdict out, applied to the next visit."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from backend.config import load_config
from backend.eeg.archive import delete_patient, delete_recording
from backend.eeg.decoding.trials import cut_trials
from backend.eeg.inputs import set_bad_channels
from backend.eeg.simulate.trials import simulated_patient
from backend.errors import InputError
from backend.workbench import Workbench
from tests.eeg.sessions import keep_session

SETTINGS = {"labels": ["rest", "movement"], "candidates": ["tangent", "csp"], "permutations": 200}
NAMES = ("F3", "Fz", "F4", "C3", "Cz", "C4", "P3", "Pz", "P4")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory):
    """A workbench with a patient of three sessions, calibrated on two of them."""
    bench = Workbench(load_config({"BIOLOOM_DATA": str(tmp_path_factory.mktemp("calibrate")), "BIOLOOM_DEVICE": "cpu"}))
    patient = bench.storage.patients.add("P-07").id
    sessions = simulated_patient(3, trials=60, sessions=3, strength=2.0, names=NAMES)
    ids = [keep_session(bench.config, bench.storage, patient, one, f"session {n}") for n, one in enumerate(sessions)]
    run = bench.run("eeg.calibrate", {"recordings": ids[:2]}, settings=SETTINGS)
    yield bench, patient, ids, run, sessions
    bench.close()


def test_the_verdict_comes_with_an_interval_and_is_kept(home):
    bench, patient, ids, run, _ = home
    found = run.prediction
    assert found["verdict"]["word"] == "usable"
    assert 0.6 < found["next_session"]["low"] < found["next_session"]["value"] < found["next_session"]["high"]
    assert found["cut"]["classes"] == {"rest": 60, "movement": 60}
    kept = bench.storage.calibrations.get(found["calibration"])
    assert (kept.patient, kept.recordings) == (patient, tuple(ids[:2]))
    assert run.model["name"] == f"eeg-{found['candidate']}"


def test_no_pseudonym_stands_in_a_run(home):
    bench, _, _, run, _ = home
    assert "P-07" not in json.dumps(bench.storage.runs.export(run.id), default=str)


def test_a_replay_comes_out_the_same(home):
    bench, _, _, run, _ = home
    again = bench.replay(run.id)
    assert again.prediction["same"], again.prediction["differences"]


def test_the_next_session_is_decoded_as_well_as_was_told(home):
    bench, _, ids, run, sessions = home
    made = bench.run("eeg.decode", {"recording": ids[2]})
    found, expected = made.prediction, run.prediction["next_session"]
    assert found["calibration"]["id"] == run.prediction["calibration"]
    assert found["drift"]["state"] in ("same", "shifted")
    assert found["measured"]["balanced_accuracy"]["value"] >= expected["low"]
    right = np.array([row["decoded"] == row["annotated"] for row in found["trials"]])
    sure = np.array([row["confidence"] for row in found["trials"]])
    assert right[sure >= np.median(sure)].mean() >= right[sure < np.median(sure)].mean()
    assert [row["annotated"] for row in found["trials"]] == [sessions[2].classes[k] for k in sessions[2].y]
    assert bench.replay(made.id).prediction["same"]


def test_what_it_learned_from_is_not_a_new_session(home):
    bench, _, ids, _, _ = home
    made = bench.run("eeg.decode", {"recording": ids[0]})
    assert any("made with this recording" in warning for warning in made.warnings)


def test_events_without_a_known_class_are_decoded_and_not_scored(home):
    bench, _, ids, _, _ = home
    mark = bench.storage.recordings.annotations(ids[2])[5]
    bench.storage.recordings.annotate(ids[2], mark.onset_s, 1.0, "try")
    found = bench.run("eeg.decode", {"recording": ids[2]}, settings={"events": ["try"]}).prediction
    assert (len(found["trials"]), found["measured"], found["trials"][0]["annotated"]) == (1, None, "")


def test_one_trial_and_the_whole_are_explained(home):
    bench, _, ids, run, _ = home
    whole = bench.explain(run.id, {"calibration": True}).explanation
    assert whole["target"] == {"calibration": True}
    decoded = bench.run("eeg.decode", {"recording": ids[2]})
    assert bench.explain(decoded.id, {"trial": 1}).explanation["target"] == {"trial": 1}


def test_another_montage_or_missing_channels_are_refused_with_a_remedy(home):
    bench, patient, _, _, sessions = home
    fewer = keep_session(bench.config, bench.storage, patient, sessions[2].channels(NAMES[:5]), "fewer")
    with pytest.raises(InputError, match="lacks 4 of the 9 channels") as caught:
        bench.run("eeg.decode", {"recording": fewer})
    assert "calibrate again" in caught.value.hint
    ears = keep_session(bench.config, bench.storage, patient, sessions[2], "ears", reference="A1")
    with pytest.raises(InputError, match="measured against A1"):
        bench.run("eeg.decode", {"recording": ears})


def test_another_patients_calibration_is_refused(home):
    bench, _, _, run, sessions = home
    other = bench.storage.patients.add("P-08").id
    recording = keep_session(bench.config, bench.storage, other, sessions[0], "theirs")
    with pytest.raises(InputError, match="another patient"):
        bench.run("eeg.decode", {"recording": recording}, settings={"calibration": run.prediction["calibration"]})
    with pytest.raises(InputError, match="no calibration of this patient"):
        bench.run("eeg.decode", {"recording": recording})


def test_a_patient_without_effect_is_refused_and_cannot_be_decoded(home):
    bench, _, _, _, _ = home
    patient = bench.storage.patients.add("P-09").id
    sessions = simulated_patient(11, trials=100, sessions=2, null=True, names=NAMES)
    ids = [keep_session(bench.config, bench.storage, patient, one, f"null {n}") for n, one in enumerate(sessions)]
    run = bench.run("eeg.calibrate", {"recordings": ids[:1]}, settings=SETTINGS)
    assert run.prediction["verdict"]["word"] == "undecodable"
    with pytest.raises(InputError, match="cannot be decoded"):
        bench.run("eeg.decode", {"recording": ids[1]})


def test_trials_in_bad_segments_and_channels_are_left_out_and_counted(home):
    bench, patient, _, _, sessions = home
    recording = keep_session(bench.config, bench.storage, patient, sessions[0], "spoilt")
    marks = bench.storage.recordings.annotations(recording)
    bench.storage.recordings.annotate(recording, marks[3].onset_s + 0.2, 0.5, "BAD movement")
    bench.storage.recordings.annotate(recording, marks[7].onset_s + 0.2, 0.5, "bad electrode", ["C3"])
    set_bad_channels(bench.context, recording, ["Fz"])
    cut = cut_trials(bench.context, [recording], ["rest", "movement"])
    assert "Fz" not in cut.trials.names
    assert cut.left_out == {"in a segment marked as bad": 2}
    np.testing.assert_allclose(cut.trials.x[0], sessions[0].channels(cut.trials.names).x[0], atol=1e-3)
    with pytest.raises(InputError, match="touches a gap: 59"):
        cut_trials(bench.context, [recording], ["rest", "movement"], (0.0, 2.5), names=["C3"])


def test_labels_and_windows_that_do_not_fit_are_told(home):
    bench, _, ids, _, _ = home
    with pytest.raises(InputError, match="called 'left'") as caught:
        bench.run("eeg.calibrate", {"recordings": ids[:1]}, settings={"labels": "left,right"})
    assert "rest (30)" in caught.value.hint
    with pytest.raises(InputError, match="at least two"):
        bench.run("eeg.calibrate", {"recordings": ids[:1]}, settings={"labels": ["rest"]})
    with pytest.raises(InputError, match="No trial is left"):
        cut_trials(bench.context, ids[:1], ["rest", "movement"], (0.0, 5.0))


def test_a_consenting_patient_helps_and_his_deletion_takes_the_decoder_with_him(home):
    bench, _, _, _, _ = home
    donor = bench.storage.patients.add("Donor", pooled=True).id
    for n, one in enumerate(simulated_patient(31, trials=60, sessions=2, strength=2.0, names=NAMES)):
        keep_session(bench.config, bench.storage, donor, one, f"donor {n}")
    helped = bench.storage.patients.add("Helped").id
    own = simulated_patient(32, trials=30, sessions=1, strength=2.0, names=NAMES)[0]
    recording = keep_session(bench.config, bench.storage, helped, own, "short")
    run = bench.run("eeg.calibrate", {"recordings": [recording]}, settings={**SETTINGS, "candidates": ["pooled"]})
    assert run.prediction["pool"] == {"patients": 1, "trials": 120}
    assert run.prediction["gain"]["over"] == "uncalibrated"
    kept = bench.storage.calibrations.get(run.prediction["calibration"])
    assert kept.pooled_from == (donor,)
    delete_patient(bench.config, bench.storage, donor)
    assert bench.storage.calibrations.list(patient=helped) == []


def test_deleting_a_recording_erases_the_decoders_made_of_it(home):
    bench, _, _, _, sessions = home
    patient = bench.storage.patients.add("Short stay").id
    recording = keep_session(bench.config, bench.storage, patient, sessions[0], "only")
    bench.run("eeg.calibrate", {"recording": recording}, settings={**SETTINGS, "candidates": ["csp"]})
    assert len(bench.storage.calibrations.list(recording=recording)) == 1
    delete_recording(bench.config, bench.storage, recording)
    assert bench.storage.calibrations.list(patient=patient) == []


def test_the_command_gives_the_numbers_of_the_page_and_imports_no_file_twice(home, monkeypatch, capsys, tmp_path):
    from backend import cli

    bench, _, ids, _, _ = home
    page = bench.run("eeg.decode", {"recording": ids[2]}).prediction

    def shell(*words: str) -> dict:
        monkeypatch.setenv("BIOLOOM_DATA", str(bench.config.data))
        monkeypatch.setattr("sys.argv", ["bioloom", *words, "--json"])
        with pytest.raises(SystemExit) as done:
            cli.main()
        assert not done.value.code
        return json.loads(capsys.readouterr().out)

    made = shell("decode", ids[2], "--patient", "p-07", "--task", "eeg.decode")
    assert json.dumps(made["prediction"], sort_keys=True) == json.dumps(json.loads(json.dumps(page)), sort_keys=True)
    table = tmp_path / "signal.csv"
    rows = np.random.default_rng(0).normal(0, 20, (2000, 3))
    table.write_text("Fz,Cz,Pz\n" + "\n".join(",".join(f"{cell:.2f}" for cell in row) for row in rows))
    before = len(bench.storage.recordings.list())
    asked = ("decode", str(table), "--patient", "P-07", "--task", "eeg.quality", "--rate", "200", "--visit", "from a file")
    first, second = shell(*asked), shell(*asked)
    assert first["prediction"] == second["prediction"]
    assert len(bench.storage.recordings.list()) == before + 1


def test_real_imagery_of_hands_and_feet_is_found_and_nothing_in_rest(bench, shared: Path):
    """EEGMMI, subject 1: T1 both fists, T2 both feet, in runs 6 and 10. The same events with classes by turns hold nothing."""
    from backend.eeg.importing import import_recording

    storage = bench.storage
    visit = storage.patients.add_visit(storage.patients.add("S001").id, "one").id
    files = [shared / "eeg" / "eegmmi_s001" / f"S001R{n}.edf" for n in ("06", "10")]
    ids = [import_recording(bench.config, storage, visit, file, repairs=("clip",)).id for file in files]
    settings = {"labels": "T1,T2", "candidates": ["csp"], "permutations": 200}
    run = bench.run("eeg.calibrate", {"recordings": ids}, settings=settings)
    assert run.prediction["candidates"][0]["balanced_accuracy"] > 0.8
    assert run.prediction["permutation"]["p"] <= 0.01
    assert run.prediction["verdict"]["word"] == "uncertain"  # 14 trials of the rarer class are too few to rely on
    assert "20 of each are needed" in run.prediction["verdict"]["reasons"][0]
