"""Signal quality: each planted fault is found in its channel and minute, and in no other; what is called bad is left out afterwards."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.config import Config
from backend.domain import Profile
from backend.eeg import inputs
from backend.eeg.prepared import prepare
from backend.eeg.quality import channels as quality
from backend.eeg.quality.channels import predict, read
from backend.eeg.quality.limits import BY_CODE
from backend.eeg.quality.measures import robust_z
from backend.errors import InputError
from backend.models.registry import get_card
from backend.models.runtime import Runtime
from backend.storage import Storage
from backend.storage.recordings import Recording
from backend.tasks import Context
from tests.eeg.heads import NAMES, RATE, coloured, head, write
from tests.eeg.making import edf, edf_plus, put


@pytest.fixture
def context(config: Config, storage: Storage) -> Context:
    return Context(config, storage, Runtime(config))


@pytest.fixture(scope="module")
def sound() -> np.ndarray:
    """Three minutes of 19 good channels."""
    return head(180, seed=8).brain


def judged(context: Context, recording: str) -> dict[str, Any]:
    value = read(context, {"recording": recording}, {})
    made = predict(context, value, {}, Profile())
    assert get_card(made.model).title
    return {**made.data, "warnings": made.warnings, "by": {one["name"]: one for one in made.data["channels"]}}


@pytest.fixture
def judge(context: Context, take: Callable[..., Recording], tmp_path: Path) -> Callable[[np.ndarray], dict[str, Any]]:
    return lambda values: judged(context, take(write(tmp_path, values)).id)


def test_good_channels_have_no_fault(judge: Callable[..., dict[str, Any]], sound: np.ndarray) -> None:
    found = judge(sound)
    assert found["suggested"] == []
    assert found["bridges"] == []
    assert [one["codes"] for one in found["channels"]] == ["..."] * len(NAMES)


def _noise(size: float, seed: int = 0, count: int = 180 * RATE) -> np.ndarray:
    made: np.ndarray = size * np.random.default_rng(seed).normal(size=count)
    return made


def _flat(values: np.ndarray, row: int) -> None:
    values[row, :] = 12.0


def _hum(values: np.ndarray, row: int) -> None:
    values[row] += 40 * np.sin(2 * np.pi * 50 * np.arange(values.shape[1]) / RATE)


def _muscle(values: np.ndarray, row: int) -> None:
    values[row] += np.diff(_noise(25, 1), prepend=0.0)


def _loose(values: np.ndarray, row: int) -> None:
    values[row] = 15 * coloured(np.random.default_rng(2), 1, values.shape[1])[0]


def _huge(values: np.ndarray, row: int) -> None:
    values[row] *= 12


def _clipped(values: np.ndarray, row: int) -> None:
    values[row] = np.clip(values[row] * 400, -3276.8, 3276.7)


def _stuttering(values: np.ndarray, row: int) -> None:
    for at in range(3 * RATE, 178 * RATE, 12 * RATE):
        values[row, at : at + 3 * RATE] = values[row, at]


def _wandering(values: np.ndarray, row: int) -> None:
    values[row] += 400 * np.sin(2 * np.pi * np.arange(values.shape[1]) / (45 * RATE))


@pytest.mark.parametrize(
    ("plant", "code", "suggested"),
    [
        (_flat, "F", True),
        (_hum, "M", False),
        (_muscle, "U", True),
        (_loose, "N", True),
        (_huge, "A", True),
        (_clipped, "C", True),
        (_stuttering, "D", True),
        (_wandering, "S", False),
    ],
)
def test_a_planted_fault_is_found_where_it_is(
    judge: Callable[..., dict[str, Any]], sound: np.ndarray, plant: Callable[..., None], code: str, suggested: bool
) -> None:
    values = sound.copy()
    plant(values, NAMES.index("P3"))
    found = judge(values)
    own = found["by"]["P3"]
    assert own["counts"].get(code) == 3, own
    assert own["suggested"] is suggested
    assert own["why"]
    others = {one["name"]: one["counts"] for one in found["channels"] if one["counts"] and one["name"] != "P3"}
    assert others == {}
    if code == "M":
        assert own["mains_hz"] == 50
        assert any("50 Hz" in why for why in own["why"])


def test_a_fault_of_one_minute_stands_in_that_minute(judge: Callable[..., dict[str, Any]], sound: np.ndarray) -> None:
    values = sound.copy()
    values[NAMES.index("C4"), 60 * RATE : 120 * RATE] = 0.0
    found = judge(values)
    assert found["by"]["C4"]["codes"] == ".F."
    assert found["by"]["C4"]["share"] == pytest.approx(1 / 3, abs=1e-3)
    assert found["suggested"] == ["C4"]


def test_of_a_long_recording_a_piece_of_each_minute_is_judged_and_flat_stretches_are_found_in_all_of_it(
    judge: Callable[..., dict[str, Any]], sound: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quality, "MOST_VALUES", 10 * 3 * RATE * len(NAMES))
    values = sound.copy()
    values[NAMES.index("C4"), 61 * RATE : 66 * RATE] = 0.0  # outside the piece that is read
    _huge(values, NAMES.index("P3"))
    found = judge(values)
    assert found["piece_s"] == 10.0
    assert any("10 s of each minute" in warning for warning in found["warnings"])
    assert found["by"]["C4"]["codes"] == ".D."
    assert found["by"]["P3"]["codes"] == "AAA"


def test_bridged_electrodes_are_named_as_a_pair(judge: Callable[..., dict[str, Any]], sound: np.ndarray) -> None:
    values = sound.copy()
    mean = (values[NAMES.index("C3")] + values[NAMES.index("P3")]) / 2
    values[NAMES.index("C3")], values[NAMES.index("P3")] = mean, mean + _noise(0.3)
    found = judge(values)
    assert found["bridges"] == [{"channels": ["C3", "P3"], "minutes": 3}]
    assert found["suggested"] == [], "neither is wrong alone"


def test_gaps_are_neither_good_nor_bad(context: Context, take: Callable[..., Recording], tmp_path: Path, sound: np.ndarray) -> None:
    onsets = [*range(60), *range(180, 240)]  # two minutes are missing after the first
    digits = list(np.round(sound[:, : 120 * RATE] * 10).astype(np.int32))
    path = put(tmp_path, "gaps.edf", edf_plus(onsets, labels=NAMES, values=digits, rates=[RATE] * len(NAMES)))
    found = judged(context, take(path).id)
    assert {one["codes"] for one in found["channels"]} == {".  ."}


def test_channels_that_are_no_eeg_are_judged_by_what_holds_for_all(
    context: Context, take: Callable[..., Recording], tmp_path: Path, sound: np.ndarray
) -> None:
    names = (*NAMES[:-2], "EOG1", "ECG")
    values = sound.copy()
    values[-1] = 20.0 * np.sin(np.arange(values.shape[1]))  # nothing like the others, and that is no fault
    found = judged(context, take(write(tmp_path, values, names)).id)
    assert found["by"]["ECG"]["counts"] == {}
    assert found["by"]["ECG"]["kind"] == "ecg"


def test_few_channels_are_not_judged_against_each_other(context: Context, take: Callable[..., Recording], tmp_path: Path) -> None:
    found = judged(context, take(put(tmp_path, "few.edf", edf(("C3", "C4", "O1"), records=20))).id)
    assert not found["compared"]
    assert any("too few to judge" in warning for warning in found["warnings"])
    assert found["by"]["C3"]["values"]["correlation"] is None


def test_what_the_person_accepts_is_left_out_of_what_follows(
    context: Context, take: Callable[..., Recording], tmp_path: Path, sound: np.ndarray
) -> None:
    values = sound.copy()
    _loose(values, NAMES.index("P3"))
    recording = take(write(tmp_path, values)).id
    found = judged(context, recording)
    assert inputs.bad_channels(context, recording) == (), "nothing is marked unasked"
    inputs.set_bad_channels(context, recording, found["suggested"])
    assert "P3" not in prepare(context, recording).names
    assert judged(context, recording)["by"]["P3"]["marked"]


def test_too_short_and_empty_recordings_are_refused(context: Context, take: Callable[..., Recording], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="4 s on"):
        judged(context, take(put(tmp_path, "short.edf", edf(records=2))).id)
    with pytest.raises(InputError, match="no electric channel"):
        judged(context, take(put(tmp_path, "air.edf", edf(("SpO2", "Airflow"), units=["%", "L/s"], records=20))).id)


def test_real_recordings_of_good_quality_are_mostly_good(context: Context, take: Callable[..., Recording], shared: Path) -> None:
    found = judged(context, take(shared / "eeg" / "eegmmi_s001" / "S001R01.edf").id)
    assert set(found["suggested"]) <= {"T7", "T8", "T9", "T10", "FT7", "FT8", "TP7", "TP8"}, "muscle over the temples at most"
    assert found["bridges"] == []


def test_the_robust_deviation_is_that_of_a_normal_sample() -> None:
    values = np.random.default_rng(0).normal(10, 2, 20_000)
    assert robust_z(values).std() == pytest.approx(1.0, abs=0.03)
    assert np.isnan(robust_z(np.array([1.0, np.nan, 2.0]))).all()


def test_every_limit_has_a_source_and_a_meaning() -> None:
    for fault in BY_CODE.values():
        assert fault.source
        assert fault.meaning.endswith(".")


def test_strong_alpha_with_closed_eyes_is_no_fault_of_the_occipital_channels(
    context: Context, take: Callable[..., Recording], shared: Path
) -> None:
    recording = take(shared / "eeg" / "eegmmi_s001" / "S001R02.edf")
    found = judged(context, recording.id)
    assert not {"O1", "O2", "Oz", "PO7", "PO8"} & set(found["suggested"])
