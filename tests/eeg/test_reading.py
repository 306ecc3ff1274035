"""What was recorded is what is read: values, times, gaps, marks; checked against what was made and against MNE."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from backend.config import Config
from backend.eeg.formats import TableOptions
from backend.eeg.importing import look
from backend.eeg.signal import Signal, open_recording
from backend.errors import InputError
from backend.storage import Storage
from backend.storage.recordings import Recording
from tests.eeg.making import EEG, brain, brainvision, edf, edf_plus, eeglab, fif, put, table

Taken = Callable[..., Signal]


def test_edf_values_are_the_digital_ones_in_microvolts(tmp_path: Path, taken: Taken) -> None:
    values = brain(6, 1000, seed=3)
    signal = taken(put(tmp_path, "a.edf", edf(values=list(values), units=["mV"] * 6, physical=[(-3.2768, 3.2767)] * 6)))
    np.testing.assert_allclose(signal.read(EEG, 0, 10), values * 0.1, atol=1e-3)
    np.testing.assert_allclose(signal.read(["O1"], 2.5, 3.0)[0], values[4, 250:300] * 0.1, atol=1e-3)


def test_bdf_keeps_all_24_bits(tmp_path: Path, config: Config, taken: Taken) -> None:
    values = np.array([[-8388608, 8388607, -1, 0, 1, 123456, -123456, 77, 65536, -65536] * 100] * 2)
    path = put(tmp_path, "a.bdf", edf(("C3", "C4"), values=list(values), bdf=True, physical=[(-8388608, 8388607)] * 2))
    np.testing.assert_allclose(taken(path).read(["C4"], 0, 10)[0], values[1], rtol=1e-6, atol=1e-2)


def test_gaps_are_nan_and_marks_lie_at_their_true_time(
    tmp_path: Path, config: Config, storage: Storage, take: Callable[..., Recording]
) -> None:
    onsets = [0.25, 1.25, 10.75, 11.75, 100.25]
    values = brain(2, 500)
    marks = {2: [(10.75, 0.5, "spike"), (100.5, 0.0, "end")]}
    recording = take(put(tmp_path, "a.edf", edf_plus(onsets, marks, labels=("C3", "C4"), values=list(values))))
    assert recording.gaps == ((2.0, 10.5), (12.5, 100.0))
    assert recording.duration_s == 101.0
    found = storage.recordings.annotations(recording.id)
    assert [(mark.onset_s, mark.duration_s, mark.label) for mark in found] == [(10.5, 0.5, "spike"), (100.25, 0.0, "end")]
    read = open_recording(config, recording.id).read(["C3"], 0, 101)[0]
    assert np.isnan(read[200:1050]).all()
    assert np.isnan(read[1250:10000]).all()
    np.testing.assert_allclose(read[~np.isnan(read)], values[0] * 0.1, atol=1e-3)
    low, _ = open_recording(config, recording.id).overview(["C3"], 0, 101, 101)
    assert np.isnan(low[0, 2:10]).all()
    assert np.isfinite(low[0, [0, 1, 11, 100]]).all()


def test_outside_the_recording_there_is_nothing(tmp_path: Path, taken: Taken) -> None:
    read = taken(put(tmp_path, "a.edf", edf())).read(["C3"], -1, 11)
    assert read.shape == (1, 1200)
    assert np.isnan(read[0, :100]).all()
    assert np.isnan(read[0, -100:]).all()
    assert np.isfinite(read[0, 100:-100]).all()


def test_mixed_rates_are_read_each_on_its_own_and_overviewed_together(tmp_path: Path, taken: Taken) -> None:
    signal = taken(put(tmp_path, "a.edf", edf(("C3", "SpO2", "C4"), rates=[200, 1, 200], units=["uV", "%", "uV"])))
    assert signal.read(["SpO2"], 0, 10).shape == (1, 10)
    assert signal.read(["C3", "C4"], 0, 1).shape == (2, 200)
    assert signal.channel("SpO2").unit == "%"
    with pytest.raises(InputError, match="different sampling rates"):
        signal.read(["C3", "SpO2"], 0, 1)
    low, _ = signal.overview(["C3", "SpO2"], 0, 10, 10)
    assert np.isfinite(low).all()


@pytest.mark.parametrize("channels", [[], ["Cz"]])
def test_a_channel_that_is_not_there_is_answered_with_those_that_are(tmp_path: Path, taken: Taken, channels: list[str]) -> None:
    signal = taken(put(tmp_path, "a.edf", edf()))
    with pytest.raises(InputError) as caught:
        signal.read(channels, 0, 1)
    assert "Fp1, Fp2" in caught.value.hint


@pytest.mark.parametrize("onsets", [None, [0.0, 1000.0, 1030.0, 5000.0]])
def test_an_overview_loses_no_extreme_and_invents_none(tmp_path: Path, taken: Taken, onsets: list[float] | None) -> None:
    values = brain(2, 120_000, seed=5)
    values[0, 77_777], values[1, 100_003] = 32_000, -32_000
    make = {"labels": ("C3", "C4"), "values": list(values), "rates": [1000, 1000], "record_s": 30}
    data = edf(records=4, **make) if onsets is None else edf_plus(onsets, **make)  # type: ignore[arg-type]
    signal = taken(put(tmp_path, "a.edf", data))
    rng = np.random.default_rng(0)
    for width in (1, 7, 400):
        for _ in range(20):
            start, stop = sorted(rng.uniform(0, signal.duration_s, 2))
            if stop - start < 0.5:
                continue
            truth = signal.read(["C3", "C4"], start, stop)
            if np.isnan(truth).all():
                continue
            low, high = signal.overview(["C3", "C4"], start, stop, width)
            part = (stop - start) / width
            wider = signal.read(["C3", "C4"], start - part / 2 - 0.1, stop + part / 2 + 0.1)
            for row in range(2):
                assert np.nanmin(wider[row]) - 1e-3 <= np.nanmin(low[row]) <= np.nanmin(truth[row]) + 1e-3
                assert np.nanmax(truth[row]) - 1e-3 <= np.nanmax(high[row]) <= np.nanmax(wider[row]) + 1e-3


def test_a_turned_range_turns_the_overview_too(tmp_path: Path, taken: Taken) -> None:
    signal = taken(put(tmp_path, "a.edf", edf(physical=[(3276.7, -3276.8)] * 6, records=100)))
    read = signal.read(["C3"], 0, 100)
    low, high = signal.overview(["C3"], 0, 100, 1)
    assert (low[0, 0], high[0, 0]) == (read.min(), read.max())


def test_filters_of_the_amplifier_and_the_clock_are_kept(tmp_path: Path, taken: Taken) -> None:
    signal = taken(put(tmp_path, "a.edf", edf()))
    channel = signal.channel("C3")
    assert (channel.high_pass, channel.low_pass, channel.notch, signal.meta.clock) == (0.5, 70.0, 50.0, "22:15:00")


def test_triggers_of_a_status_signal_become_marks(tmp_path: Path, storage: Storage, take: Callable[..., Recording]) -> None:
    status = np.zeros(1000, int)
    status[150:170], status[400:], status[700:720] = 7, 2, 0x10000 + 3
    path = put(tmp_path, "a.bdf", edf(("C3", "Status"), values=[brain(1, 1000)[0], status], bdf=True))
    recording = take(path)
    found = [(mark.onset_s, mark.label) for mark in storage.recordings.annotations(recording.id)]
    assert found == [(1.5, "trigger 7"), (4.0, "trigger 2"), (7.0, "trigger 3"), (7.2, "trigger 2")]
    assert "triggers-read" in {diagnosis["word"] for diagnosis in recording.diagnoses}


def test_other_formats_give_the_values_that_were_written(tmp_path: Path, taken: Taken) -> None:
    values = brain(6, 1000) * 0.1
    for path in (brainvision(tmp_path), eeglab(tmp_path), fif(tmp_path)):
        signal = taken(path)
        np.testing.assert_allclose(signal.read(EEG, 0, signal.duration_s), values, atol=2e-3, err_msg=path.name)


def test_a_table_tells_its_rate_or_is_told(tmp_path: Path, taken: Taken) -> None:
    told = taken(put(tmp_path, "a.csv", table(rate=256.0)))
    assert told.channels[0].rate == 256.0
    np.testing.assert_allclose(told.read(["AF7"], 0, 1)[0], np.round(brain(4, 500) / 10, 2)[1, :256], atol=0.011)
    semicolons = table(separator=";").replace(".", ",")
    given = taken(put(tmp_path, "b.csv", semicolons), options=TableOptions(rate=128.0, unit="mV"))
    assert given.channels[0].rate == 128.0
    np.testing.assert_allclose(given.read(["TP9"], 0, 1)[0], np.round(brain(4, 500) / 10, 2)[0, :128] * 1000, rtol=1e-4, atol=12)


def test_pauses_of_a_fif_file_are_gaps(tmp_path: Path, taken: Taken) -> None:
    signal = taken(fif(tmp_path, notes=([2.0, 6.0], [1.5, 0.0], ["BAD_ACQ_SKIP", "spike"])))
    read = signal.read(["C3"], 0, 10)[0]
    assert np.isnan(read[200:350]).all()
    np.testing.assert_allclose(read[350:], brain(6, 1000)[2, 350:] * 0.1, atol=2e-3)
    assert np.isfinite(read[:200]).all()


def test_joined_pieces_and_long_notes_are_told(tmp_path: Path, take: Callable[..., Recording]) -> None:
    note = "The technician asked him to count backwards from one hundred"
    recording = take(eeglab(tmp_path, events=[("boundary", 200.5), (note, 300.0)]))
    assert {"segment-joined", "annotations-free-text"} <= {diagnosis["word"] for diagnosis in recording.diagnoses}


def test_edf_agrees_with_mne_where_mne_is_right(tmp_path: Path, taken: Taken) -> None:
    import mne

    path = put(tmp_path, "a.edf", edf(physical=[(-1000 - n, 1200 + n) for n in range(6)], records=30))
    theirs = mne.io.read_raw_edf(path, preload=True, verbose="ERROR").get_data() * 1e6
    np.testing.assert_allclose(taken(path).read(EEG, 0, 30), theirs, atol=1e-3)


def test_real_edf_bdf_brainvision_eeglab_and_muse(shared: Path, config: Config, storage: Storage, visit: str, taken: Taken) -> None:
    import mne

    eeg = shared / "eeg"
    signal = taken(eeg / "eegmmi_s001" / "S001R04.edf")
    theirs = mne.io.read_raw_edf(eeg / "eegmmi_s001" / "S001R04.edf", preload=True, verbose="ERROR")
    names = [channel.name for channel in signal.channels]
    assert len(names) == 64
    assert not [channel.name for channel in signal.channels if not channel.electrode]
    np.testing.assert_allclose(signal.read(names, 0, 125), theirs.get_data() * 1e6, atol=1e-3)
    recording = storage.recordings.list()[0]
    assert [(mark.onset_s, mark.label) for mark in storage.recordings.annotations(recording.id)] == [
        (round(float(note["onset"]), 6), note["description"]) for note in theirs.annotations
    ]
    bdf = taken(eeg / "eeglab" / "test.bdf", repairs=["record-count-open"])
    theirs = mne.io.read_raw_bdf(eeg / "eeglab" / "test.bdf", preload=True, verbose="ERROR")
    np.testing.assert_allclose(bdf.read(["A3"], 0, 60)[0], theirs.get_data(["A3"])[0] * 1e6, rtol=1e-6, atol=0.02)
    vision = taken(eeg / "eeglab" / "testbva.vhdr")
    raw = np.fromfile(eeg / "eeglab" / "testbva.dat", "<f4").reshape(-1, 32)
    np.testing.assert_allclose(vision.read([channel.name for channel in vision.channels], 0, 10.56), raw.T, atol=1e-3)
    lab = taken(eeg / "eeglab" / "eeglab_data.set")
    assert (len(lab.channels), lab.duration_s, lab.channels[0].rate) == (32, 238.3125, 128.0)
    muse = taken(sorted((eeg / "muse_subject1").glob("P300*"))[0])
    assert ([channel.name for channel in muse.channels], muse.channels[0].rate) == (["TP9", "AF7", "AF8", "TP10", "Right AUX"], 256.0)
    for path in (eeg / "muse_subject1").glob("*.gz"):
        assert look(path).inspection is not None, path.name
    wavering = look(sorted((eeg / "muse_subject1").glob("SSVEP*"))[0])
    assert "time-jitter" in {diagnosis.word for diagnosis in wavering.diagnoses}
