"""The reader on its page: what it tells the browser, what it keeps of what the person does, and the list of annotations."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from backend.eeg.importing import import_recording
from pages.parts.eeg import reader_talk, viewer
from tests.eeg.making import edf, edf_plus, put
from tests.pages.conftest import HOSTILE, texts

NAMES = "Fp1 Fp2 F7 F3 Fz F4 F8 T7 C3 Cz C4 T8 P7 P3 Pz P4 P8 O1 O2 ECG".split()


@pytest.fixture
def recording(bench, tmp_path) -> str:
    visit = bench.storage.patients.add_visit(bench.storage.patients.add("P-01").id, "first").id
    marks = {3: [(3.2, 0.0, "Eyes closed")], 9: [(9.0, 2.0, "bad movement")]}
    path = put(tmp_path, "a.edf", edf_plus([*range(30), *range(50, 80)], marks, labels=NAMES))
    return import_recording(bench.config, bench.storage, visit, path).id


def answer(recording: str, state: dict[str, Any], asked: dict[str, Any] | None = None, stages: Any = ()) -> dict[str, Any]:
    data = reader_talk.answer(recording, state, asked or {"full": True}, stages, True)
    head = json.loads(data[4 : 4 + int.from_bytes(data[:4], "little")])
    assert "error" in head
    return head


def act(recording: str, state: dict[str, Any], **what: Any) -> bool:
    number = state.get("acted", 0) + 1
    return reader_talk.take(recording, state, {"id": number, "at": 0, "act": {"number": number, **what}})


def test_the_first_answer_tells_everything(recording):
    head = answer(recording, {}, stages=[(0.0, "W"), (30.0, "N1")])
    full = head["full"]
    assert head["montage"] == "longitudinal"
    assert [tile["number"] for tile in head["tiles"]] == [0, 1, 2]
    assert full["gaps"] == [[30.0, 50.0]]
    assert full["clock"] == "22:15:00"
    assert [(mark[3], mark[6]) for mark in full["marks"]] == [("Eyes closed", False), ("bad movement", True)]
    assert full["stages"] == [[0.0, "W"], [30.0, "N1"]]
    assert head["arrays"]["strip"]["shape"] == [2, 1400]


def test_later_answers_carry_only_what_was_asked_for(recording):
    state: dict[str, Any] = {}
    first = answer(recording, state)
    reader_talk.take(recording, state, {"id": 7, "at": 20.0, "view": first["view"], "local": {"sensitivity": 10}})
    later = answer(recording, state, {"tiles": [4, 6], "version": first["version"]})
    assert [tile["number"] for tile in later["tiles"]] == [4, 6]
    assert "full" not in later
    assert later["id"] == 7
    assert later["look"] == first["look"]


def test_what_the_person_marks_is_kept_and_told_again(recording, bench):
    state: dict[str, Any] = {}
    before = answer(recording, state)
    assert act(recording, state, what="annotate", id=None, onset=12.5, duration=0.5, label=HOSTILE, channels=["C3"])
    kept = bench.storage.recordings.annotations(recording)[-1]
    assert (kept.onset_s, kept.label, kept.channels, kept.origin) == (12.5, HOSTILE, ("C3",), "user")
    after = answer(recording, state, {"tiles": [], "version": before["version"]})
    assert after["full"]["marks"][-1][3] == HOSTILE
    assert act(recording, state, what="delete", id=kept.id)
    assert len(bench.storage.recordings.annotations(recording)) == 2


def test_an_act_that_arrives_twice_is_done_once(recording, bench):
    state: dict[str, Any] = {}
    asked = {
        "id": 1,
        "at": 0,
        "act": {"number": 5, "what": "annotate", "id": None, "onset": 1, "duration": 0, "label": "x", "channels": []},
    }
    reader_talk.take(recording, state, asked)
    reader_talk.take(recording, state, {**asked, "id": 2})
    assert len(bench.storage.recordings.annotations(recording)) == 3


def test_a_bad_channel_is_a_fact_of_the_recording_and_changes_the_look(recording, bench):
    state: dict[str, Any] = {"view": {"montage": "average"}}
    before = answer(recording, state)
    act(recording, state, what="bad", name="T7")
    assert bench.storage.recordings.fact(recording, "bad_channels") == ["T7"]
    after = answer(recording, state)
    assert after["look"] != before["look"]
    assert [trace["label"] for trace in after["traces"] if trace["bad"]] == ["T7-Avg"]
    act(recording, state, what="bad", name="T7")
    assert bench.storage.recordings.fact(recording, "bad_channels") is None


def test_an_own_montage_is_saved_shown_and_there_for_the_next_recording(recording):
    state: dict[str, Any] = {}
    act(recording, state, what="montage", name="Mine", rows=["C3-O1", "C4-O2"])
    state["view"] = {"montage": "Mine"}
    head = answer(recording, state)
    assert [trace["label"] for trace in head["traces"]] == ["C3-O1", "C4-O2", "ECG"]
    assert "Mine" in answer(recording, {})["full"]["own"]


@pytest.mark.parametrize(
    "what",
    [
        {"what": "annotate", "id": None, "onset": 9999, "duration": 0, "label": "x", "channels": []},
        {"what": "annotate", "id": None, "onset": 1, "duration": 0, "label": "x", "channels": ["Zz"]},
        {"what": "annotate", "id": 12345, "onset": 1, "duration": 0, "label": "x", "channels": []},
        {"what": "annotate"},
        {"what": "delete", "id": "x"},
        {"what": "bad", "name": "Zz"},
        {"what": "montage", "name": "Mine", "rows": ["C3--C4"]},
        {"what": "ruler", "px_per_mm": 0},
    ],
)
def test_what_cannot_be_done_is_told_in_the_reader_and_nothing_changes(recording, bench, what):
    state: dict[str, Any] = {}
    assert not act(recording, state, **what)
    assert answer(recording, state)["error"]["message"]
    assert len(bench.storage.recordings.annotations(recording)) == 2
    assert bench.storage.recordings.fact(recording, "bad_channels") is None


def test_a_montage_that_does_not_fit_leaves_the_view_before(recording, bench, tmp_path):
    visit = bench.storage.recordings.get(recording).visit
    other = import_recording(bench.config, bench.storage, visit, put(tmp_path, "b.edf", edf(["Ch1", "Ch2", "Ch3"]))).id
    state: dict[str, Any] = {}
    assert answer(other, state)["montage"] == "referential"
    state["view"] = {"montage": "longitudinal"}
    head = answer(other, state)
    assert head["error"]["hint"]
    assert head["montage"] == "referential"
    assert head["tiles"]


def test_how_a_person_reads_is_remembered_for_the_next_recording(recording):
    state: dict[str, Any] = {}
    reader_talk.take(
        recording, state, {"id": 1, "at": 0, "view": {"page_s": 20, "low_cut": 0.5, "notch": 60}, "local": {"sensitivity": 15}}
    )
    answer(recording, state)
    act(recording, state, what="ruler", px_per_mm=4.4)
    fresh = answer(recording, {})
    assert (fresh["view"]["page_s"], fresh["view"]["low_cut"], fresh["view"]["notch"]) == (20, 0.5, 60)
    assert fresh["full"]["local"]["sensitivity"] == 15
    assert fresh["full"]["px_per_mm"] == 4.4


def test_of_very_many_annotations_those_around_the_page_are_sent(recording, bench, monkeypatch):
    monkeypatch.setattr(reader_talk, "MOST_MARKS", 1)
    monkeypatch.setattr(reader_talk, "_AROUND_S", 5.0)
    full = answer(recording, {"at": 9.0})["full"]
    assert full["around"] == [4.0, 14.0]
    assert [mark[3] for mark in full["marks"]] == ["bad movement"]


def test_the_page_shows_the_reader_and_the_list(recording, open_page):
    app = open_page("eeg", recording=recording, show="signal")
    assert not app.exception
    assert not app.error
    assert "2 annotations of 2" in texts(app)
    words = next(box for box in app.text_input if box.label == "Words of the label")
    words.set_value("movement").run()
    assert "1 annotation of 2" in texts(app)
    assert "bad movement" in app.dataframe[0].value["Label"].tolist()


def test_a_list_that_is_empty_says_how_to_begin(bench, tmp_path, open_page):
    visit = bench.storage.patients.add_visit(bench.storage.patients.add("P-01").id, "first").id
    recording = import_recording(bench.config, bench.storage, visit, put(tmp_path, "a.edf", edf())).id
    app = open_page("eeg", recording=recording, show="signal")
    assert not app.exception
    assert "press A" in texts(app)


def test_values_sent_are_those_of_the_recording(recording, bench):
    from backend.eeg.signal import open_recording

    state = {"view": {"montage": "referential", "low_cut": None, "high_cut": None, "notch": None}}
    data = reader_talk.answer(recording, state, {"full": True}, (), True)
    length = int.from_bytes(data[:4], "little")
    head = json.loads(data[4 : 4 + length])
    part = head["tiles"][1]["parts"][0]
    values = np.frombuffer(data, "<i2", offset=4 + length)[part["at"] :][: part["n"]] * part["gain"][0] + part["offset"][0]
    recorded = open_recording(bench.config, recording).read([head["traces"][0]["label"]], 10, 20)[0]
    np.testing.assert_allclose(values, recorded, atol=np.ptp(recorded) / 60_000)


def test_stage_marks_of_the_recording_become_the_hypnogram(recording, bench):
    for n, stage in enumerate(("W", "N1", "N2")):
        bench.storage.recordings.annotate(recording, 20.0 * n, 20.0, f"Sleep stage {stage}")
    stages, source = viewer._staged(recording)
    assert stages == ((0.0, "W"), (20.0, "N1"), (40.0, "N2"), (60.0, ""))
    assert "marks" in source


def test_a_cleaned_recording_is_shown_cleaned_or_as_it_was_recorded(recording, bench, open_page):
    from backend.eeg import cleaning

    eeg = NAMES[:-1]
    count = len(eeg)
    mean = np.eye(count) - 1 / count
    parts = {
        "names": np.array(eeg), "electrodes": np.array(eeg), "unmixing": mean[:2], "mixing": mean[:, :2], "common": np.zeros(2),
        "level": np.zeros(count), "maps": np.zeros((2, 32, 32)), "spectra": np.zeros((2, 100)), "lags": np.zeros((2, 100)),
        "frequencies": np.arange(3.0), "power": np.zeros((2, 3)),
    }  # fmt: skip
    file = cleaning.write(bench.context, recording, cleaning.Decomposition(**parts))
    plain = reader_talk.answer(recording, {}, {"full": True}, (), True)
    cleaning.choose(bench.context, recording, "0000AAAA", file, [1])
    taken = reader_talk.answer(recording, {}, {"full": True}, (), True)
    raw = reader_talk.answer(recording, {}, {"full": True}, (), False)
    looks = [json.loads(data[4 : 4 + int.from_bytes(data[:4], "little")])["look"] for data in (plain, taken, raw)]
    assert looks[0] == looks[2] != looks[1]
    assert plain[-10_000:] == raw[-10_000:]
    assert plain[-200_000:] != taken[-200_000:]
    app = open_page("eeg", recording=recording, show="signal")
    assert not app.exception
    assert next(switch for switch in app.toggle if switch.label == "Show the signal cleaned").value
    cleaning.switch(bench.context, recording, False)
    assert not open_page("eeg", recording=recording, show="signal").toggle
