"""The Patients page: a pseudonym, a dropped file, agreed repairs; nothing of who was recorded is kept; merging and erasing are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.eeg.making import edf, put, table
from tests.eeg.test_identifiers import PLANTED, _edf, _found, _vision
from tests.pages.conftest import HOSTILE, texts
from tests.prepare import models_folder


@pytest.fixture
def patient(bench):
    """P-01 with one visit."""
    made = bench.storage.patients.add("P-01", "first of two")
    bench.storage.patients.add_visit(made.id, "Visit 1")
    return made


def visit_of(bench, patient) -> str:
    return bench.storage.patients.visits(patient.id)[0].id


def press(app, label: str):
    """Press the button whose label begins so."""
    return next(button for button in app.button if button.label.startswith(label)).click().run()


def settled(app, bench):
    """The page once its background work has ended, however slow the machine."""
    active = bench.jobs.list(active=True)
    for job in active:
        bench.jobs.wait(job.id, 120)
    return app.run() if active else app


def drop(app, bench, *files: tuple[str, bytes]):
    given = [(name, data, "application/octet-stream") for name, data in files]
    return settled(app.file_uploader[0].set_value(given).run(), bench)


def take_in(app, bench, label: str = "Import the recording"):
    return settled(press(app, label), bench)


def test_nobody_is_there_yet_and_the_page_says_how_to_begin(open_page, bench):
    app = open_page("patients")
    assert not app.exception
    assert not app.error
    assert "Add the first patient" in texts(app)
    assert "a healthy person who learned to steer a cursor" in texts(app)
    assert "whose trials nobody could decode" in texts(app)
    assert "Not a person" in texts(app)


def test_a_patient_is_added_under_a_pseudonym_with_a_first_visit(open_page, bench):
    app = open_page("patients")
    app.text_input(key="new-pseudonym").set_value("P-07").run()
    app = press(app, "Add the patient")
    (added,) = bench.storage.patients.search()
    assert (added.pseudonym, added.pooled, added.visits) == ("P-07", False, 1)
    assert app.query_params["patient"] == added.id


@pytest.mark.parametrize("name", ["Anna Schmidt", "12.08.1951"])
def test_a_pseudonym_that_looks_like_a_person_is_remarked_on_and_left_to_the_person(open_page, bench, name):
    app = open_page("patients")
    app.text_input(key="new-pseudonym").set_value(name).run()
    assert len(app.warning) == 1
    press(app, "Use it all the same")
    assert bench.storage.patients.search()[0].pseudonym == name


def test_a_second_patient_of_the_same_pseudonym_is_refused(open_page, bench, patient):
    app = open_page("patients")
    app.text_input(key="new-pseudonym").set_value("p-01").run()
    app = press(app, "Add the patient")
    assert "already a patient" in app.error[0].value
    assert len(bench.storage.patients.search()) == 1


def test_search_finds_by_pseudonym_note_visit_and_recording(open_page, bench, patient):
    bench.storage.patients.add("Q-02", "epilepsy monitoring")
    for text, wanted in (("p-01", "P-01"), ("monitoring", "Q-02"), ("visit 1", "P-01")):
        app = open_page("patients")
        app.text_input(key="patient-search").set_value(text).run()
        shown = [button.label for button in app.button if button.key and button.key.startswith("open-")]
        assert len(shown) == 1
        assert wanted.replace("-", "\\-") in shown[0]


def test_a_dropped_file_is_looked_at_then_taken_in_and_named_by_the_person(open_page, bench, patient):
    app = open_page("patients", patient=patient.id)
    app = drop(app, bench, ("S001R04.edf", edf()))
    assert not app.exception
    assert not app.error
    assert bench.storage.recordings.list() == [], "looking keeps nothing"
    app = take_in(app, bench, "Import the recording")
    (kept,) = bench.storage.recordings.list(patient=patient.id)
    assert kept.name == "S001R04"
    assert "1 recording taken in" in texts(app)


def test_a_repair_is_offered_and_nothing_is_taken_in_until_it_is_agreed_to(open_page, bench, patient):
    app = open_page("patients", patient=patient.id)
    app = drop(app, bench, ("cut.edf", edf()[:-300]))
    assert "truncated" in app.warning[0].value
    assert next(button for button in app.button if button.label.startswith("Import")).disabled
    next(box for box in app.checkbox if box.label.startswith("Agreed")).check().run()
    app = take_in(app, bench, "Import the recording")
    (kept,) = bench.storage.recordings.list()
    assert "truncated" in {found["word"] for found in kept.diagnoses}


def test_one_bad_file_among_several_does_not_stop_the_others(open_page, bench, patient):
    app = open_page("patients", patient=patient.id)
    app = drop(app, bench, ("a.edf", edf()), ("picture.edf", b"\x89PNG\r\n\x1a\n" + bytes(900)), ("alone.vmrk", b"x"))
    assert "PNG" in app.error[0].value
    assert "header" in app.error[1].value
    take_in(app, bench, "Import 1 of 3")
    assert len(bench.storage.recordings.list()) == 1


def test_a_table_without_time_column_asks_for_its_rate(open_page, bench, patient):
    rows = "\n".join(",".join(line.split(",")[1:]) for line in table().splitlines())
    app = open_page("patients", patient=patient.id)
    app = drop(app, bench, ("muse.csv", rows.encode()))
    assert "rate is unknown" in app.error[0].value
    next(field for field in app.number_input if field.label == "Samples a second").set_value(256.0).run()
    app = settled(app, bench)
    take_in(app, bench, "Import the recording")
    (kept,) = bench.storage.recordings.list()
    assert kept.channels[0]["rate"] == 256.0


def test_a_path_is_read_where_it_lies(open_page, bench, patient, tmp_path):
    path = put(tmp_path, "night.edf", edf())
    app = open_page("patients", patient=patient.id)
    app.text_input(key=f"eeg-path-{visit_of(bench, patient)}-0").set_value(str(path)).run()
    app = settled(app, bench)
    take_in(app, bench, "Import the recording")
    assert len(bench.storage.recordings.list()) == 1
    app = open_page("patients", patient=patient.id)
    app.text_input(key=f"eeg-path-{visit_of(bench, patient)}-0").set_value(str(tmp_path / "nothing.edf")).run()
    assert "no file" in app.error[0].value


def test_a_file_that_is_there_already_is_refused_without_its_name_in_the_list_of_jobs(open_page, bench, patient):
    for _ in range(2):
        app = drop(open_page("patients", patient=patient.id), bench, ("Zweibrueckenstein.edf", edf()))
        app = take_in(app, bench, "Import the recording")
    assert "already there" in texts(app)
    assert len(bench.storage.recordings.list()) == 1
    assert "Zweibrueckenstein" not in str(bench.jobs.list())


def test_a_file_that_vanished_meanwhile_is_told_without_its_name(bench, patient, tmp_path):
    from contextlib import nullcontext

    from backend.progress import Silent
    from pages.parts.eeg.looking import Offered, Wanted
    from pages.parts.eeg.taking_in import _import

    gone = tmp_path / "Zweibrueckenstein.edf"
    wanted = Wanted(Offered("key", gone.name, False, lambda: nullcontext(gone)), "", (), True, None)
    made = _import(bench, visit_of(bench, patient), [wanted], Silent())
    assert made["failed"][0]["message"].startswith("The file cannot be read")
    assert "Zweibrueckenstein" not in str(made)


@pytest.mark.parametrize("way", ["dropped", "by path", "in parts"])
def test_no_planted_identifier_is_in_any_byte_that_is_kept(open_page, bench, patient, tmp_path, way):
    elsewhere = tmp_path / "given"
    elsewhere.mkdir()
    app = open_page("patients", patient=patient.id)
    if way == "in parts":
        parts = [_vision(elsewhere), *sorted(elsewhere.glob("*.eeg")), *sorted(elsewhere.glob("*.vmrk"))]
        app = drop(app, bench, *((part.name, part.read_bytes()) for part in parts))
    elif way == "dropped":
        path = _edf(elsewhere, False, True)
        app = drop(app, bench, (path.name, path.read_bytes()))
    else:
        path = _edf(elsewhere, False, True)
        app.text_input(key=f"eeg-path-{visit_of(bench, patient)}-0").set_value(str(path)).run()
    app = settled(app, bench)
    for box in [box for box in app.checkbox if box.label.startswith("Agreed")]:
        box.check()
    app = take_in(app.run(), bench, "Import the recording")
    (kept,) = bench.storage.recordings.list()
    assert PLANTED[0] not in kept.name
    assert bench.storage.recordings.annotations(kept.id)
    app.switch_page("pages/patients.py").run()
    assert _found(bench.config.data) == {}


def test_a_visit_and_a_recording_are_renamed_moved_and_erased(open_page, bench, patient, tmp_path):
    from backend.eeg.importing import import_recording

    store = bench.storage
    first, second = visit_of(bench, patient), store.patients.add_visit(patient.id, "Visit 2", day=14).id
    kept = import_recording(bench.config, store, first, put(tmp_path, "a.edf", edf()))
    app = open_page("patients", patient=patient.id)
    app.text_input(key=f"rename-{kept.id}").set_value("Baseline").run()
    app.selectbox(key=f"move-{kept.id}").set_value(second).run()
    app.button(key=f"save-{kept.id}").click().run()
    assert [(one.name, one.visit) for one in store.recordings.list()] == [("Baseline", second)]
    app = open_page("patients", patient=patient.id)
    app.text_input(key=f"label-{first}").set_value("Admission").run()
    app.number_input(key=f"day-{first}").set_value(0).run()
    app.button(key=f"save-{first}").click().run()
    assert [(visit.label, visit.day) for visit in store.patients.visits(patient.id)] == [("Admission", 0), ("Visit 2", 14)]
    app = open_page("patients", patient=patient.id)
    assert app.button(key=f"delete-{kept.id}").disabled
    app.checkbox(key=f"sure-{kept.id}").check().run()
    app.button(key=f"delete-{kept.id}").click().run()
    assert store.recordings.list() == []
    assert not any((bench.config.data / "recordings").iterdir())


def test_merging_says_what_will_happen_before_it_does(open_page, bench, patient):
    other = bench.storage.patients.add("P-02", "second of two", pooled=True)
    bench.storage.patients.add_visit(other.id, "Elsewhere")
    app = open_page("patients", patient=patient.id, show="edit")
    app.selectbox(key=f"merge-{patient.id}").set_value(other.id).run()
    told = texts(app)
    assert "1 visit with 0 recordings" in told
    assert "consent is off afterwards" in told
    assert "cannot be undone" in told
    assert len(bench.storage.patients.search()) == 2
    app.checkbox(key=f"same-{patient.id}-{other.id}").check().run()
    press(app, "Merge")
    (kept,) = bench.storage.patients.search()
    assert (kept.id, kept.visits, kept.pooled, kept.note) == (patient.id, 2, False, "first of two\nsecond of two")


def test_a_patient_is_deleted_only_after_the_pseudonym_was_typed_and_then_with_all_files(open_page, bench, patient, tmp_path):
    from backend.eeg.importing import import_recording

    import_recording(bench.config, bench.storage, visit_of(bench, patient), put(tmp_path, "a.edf", edf()))
    app = open_page("patients", patient=patient.id, show="edit")
    app = settled(press(app, "Write the archive"), bench)
    assert list((bench.config.data / "exports").iterdir())
    assert app.button(key=f"delete-{patient.id}").disabled
    app.text_input(key=f"type-{patient.id}").set_value("P-01").run()
    app.button(key=f"delete-{patient.id}").click().run()
    assert bench.storage.patients.search() == []
    assert not any((bench.config.data / "recordings").iterdir())
    assert not any((bench.config.data / "exports").iterdir())


def test_consent_is_recorded_and_withdrawn(open_page, bench, patient):
    for wanted in (True, False):
        app = open_page("patients", patient=patient.id, show="edit")
        box = app.checkbox(key=f"pooled-{patient.id}")
        (box.check() if wanted else box.uncheck()).run()
        app.button(key=f"save-{patient.id}").click().run()
        assert bench.storage.patients.get(patient.id).pooled is wanted


def test_the_simulated_night_is_called_so_on_the_page(open_page, bench, monkeypatch):
    from backend.eeg import demo

    monkeypatch.setattr(demo, "HOURS", 0.25)
    made = demo.add_demo(bench.context, "night")
    app = open_page("patients", patient=made)
    assert any("SIMULATED" in warning.value for warning in app.warning)


def test_a_demo_patient_opens_from_the_first_page(open_page, bench):
    if models_folder().is_dir() and not bench.config.models.exists():
        bench.config.models.symlink_to(models_folder(), target_is_directory=True)
    from backend.models.data_cards import SELF_REGULATION

    if not bench.runtime.present(SELF_REGULATION.name):
        pytest.skip("the demo's data was not fetched: python -m tests.prepare")
    app = open_page("patients")
    app = settled(app.button(key="demo-scp1").click().run(), bench)
    assert not app.exception
    assert not app.error
    assert bench.storage.patients.find("Demo SCP1").recordings == 2


def test_a_hostile_pseudonym_stays_a_name(open_page, bench):
    made = bench.storage.patients.add(HOSTILE[:80], HOSTILE)
    bench.storage.patients.add_visit(made.id, HOSTILE[:80])
    for query in ({}, {"patient": made.id}, {"patient": made.id, "show": "edit"}):
        app = open_page("patients", **query)
        assert not app.exception
        assert "<script>alert" not in " ".join(str(part.value) for part in [*app.markdown, *app.caption, *app.html])


def test_a_patient_who_is_gone_is_said_to_be(open_page, bench):
    app = open_page("patients", patient="AAAAAAAAAAAA")
    assert not app.exception
    assert "no patient" in app.error[0].value


def test_what_interrupted_imports_left_is_swept_when_the_page_opens(open_page, bench):
    import os

    left = Path(bench.config.data) / "recordings" / ".draft-ABC"
    left.mkdir(parents=True)
    os.utime(left, (1, 1))
    open_page("patients")
    assert not left.exists()
