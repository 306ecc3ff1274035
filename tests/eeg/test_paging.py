"""Pages of the reader: the values on the screen are those of the recording, breaks stay breaks, no page is too heavy."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.eeg import paging
from backend.eeg.filters import filtered
from backend.eeg.inputs import corrected
from backend.eeg.montages_own import delete_montage, find_montage, own_montage, own_montages, parse_row, save_montage
from backend.eeg.paging import NOTHING, PAGE_BYTES, View, pack, plan, read_view, strip_of, tiles
from backend.eeg.signal import Signal
from backend.errors import InputError
from backend.storage import Storage
from tests.eeg.making import brain, edf, edf_plus, put

TEN_TWENTY = "Fp1 Fp2 F7 F3 Fz F4 F8 T7 C3 Cz C4 T8 P7 P3 Pz P4 P8 O1 O2".split()
PLAIN = View(montage="referential", low_cut=None, high_cut=None, notch=None)


def values_of(part: paging.Part) -> np.ndarray:
    stored = part.values.astype(np.float64)
    found = stored * part.gain[:, None] + part.offset[:, None]
    found[part.values == NOTHING] = np.nan
    return found


def night(taken: Callable[..., Signal], folder: Path, **more: Any) -> Signal:
    return taken(put(folder, "a.edf", edf(TEN_TWENTY, records=35, **more)))


def test_a_page_holds_the_recorded_values_at_their_time(taken: Callable[..., Signal], tmp_path: Path) -> None:
    signal = night(taken, tmp_path)
    made = plan(signal.channels, PLAIN)
    found = list(tiles(signal, made, [0, 1, 2, 3]))
    assert [tile.number for tile in found] == [0, 1, 2, 3]  # the last is half a page
    for tile in found:
        (part,) = tile.parts
        assert part.start_s == tile.number * 10
        recorded = signal.read(TEN_TWENTY, part.start_s, part.start_s + 10)
        spread = np.nanmax(recorded) - np.nanmin(recorded)
        np.testing.assert_allclose(values_of(part), recorded, atol=spread / 60_000)


def test_tiles_join_without_a_seam_also_where_filters_run(taken: Callable[..., Signal], tmp_path: Path) -> None:
    signal = night(taken, tmp_path)
    view = View(montage="longitudinal")
    made = plan(signal.channels, view)
    alone = [next(tiles(signal, made, [number])) for number in (0, 1, 2)]
    joined = np.concatenate([values_of(tile.parts[0]) for tile in alone], axis=1)
    names = list(made.groups[0].channels)
    whole = filtered(signal.read(names, 0, 35), 100.0, 1.0, None, None)
    row = whole[names.index("F7")] - whole[names.index("T7")]
    assert made.traces[1].label == "F7-T7"
    inside = slice(300, 2700)  # where the recording itself begins a filter has no past
    assert np.abs(joined[1, inside] - row[inside]).max() < 0.01 * row[inside].std()


def test_a_break_is_drawn_as_a_break_and_marks_after_it_keep_their_time(taken: Callable[..., Signal], tmp_path: Path) -> None:
    onsets = [*range(12), *range(20, 40)]
    signal = taken(put(tmp_path, "a.edf", edf_plus(onsets, {14: [(22.5, 1.0, "Spike")]})), repairs=())
    made = plan(signal.channels, View(montage="referential", high_cut=None))
    one, two = tiles(signal, made, [1, 2])
    assert (one.parts[0].values[:, 200:] == NOTHING).all()
    assert (one.parts[0].values[:, :200] != NOTHING).all()
    assert (two.parts[0].values != NOTHING).all()


@pytest.mark.parametrize(("rate", "count", "page_s"), [(256, 32, 10), (256, 32, 300), (1000, 64, 10), (2000, 128, 60), (100, 6, 300)])
def test_no_page_is_heavier_than_it_may_be(taken: Callable[..., Signal], tmp_path: Path, rate: int, count: int, page_s: float) -> None:
    names = [f"{row}{n}" for row in ("AF", "F", "FC", "C", "CP", "P", "PO", "O") for n in range(1, 17)][:count]
    values = [brain(1, 12 * rate)[0]] * count
    signal = taken(put(tmp_path, "a.edf", edf(names, values=values, rates=[rate] * count, records=12)))
    made = plan(signal.channels, View(montage="referential", page_s=page_s))
    (tile,) = tiles(signal, made, [0])
    assert len(made.traces) == count
    assert 0 < tile.bytes <= PAGE_BYTES
    assert len(pack({}, [tile])) <= 300_000


def test_where_samples_are_many_no_peak_is_lost(taken: Callable[..., Signal], tmp_path: Path) -> None:
    values = brain(40, 60 * 1000)
    values[3, 31_234] = 30_000  # a spike of one sample
    signal = taken(put(tmp_path, "a.edf", edf([f"P{n}" for n in range(40)], values=list(values), rates=[1000] * 40, records=60)))
    made = plan(signal.channels, View("referential", 60.0, None, None, None))
    (tile,) = tiles(signal, made, [0])
    (part,) = tile.parts
    assert part.step > 1
    pairs = values_of(part)[3].reshape(-1, 2)
    at = int(np.argmax(pairs[:, 1]))
    assert at == 31_234 // part.step
    assert pairs[at, 1] == pytest.approx(3000, rel=0.001)
    assert (pairs[:, 0] <= pairs[:, 1]).all()


def test_the_first_view_is_the_double_banana_where_electrodes_allow_it(taken: Callable[..., Signal], tmp_path: Path) -> None:
    signal = night(taken, tmp_path)
    made = plan(signal.channels, View())
    assert made.montage == "longitudinal"
    assert len(made.traces) == 18
    assert [trace.label for trace in made.traces if trace.apart] == ["Fp2-F8", "Fp1-F3", "Fp2-F4", "Fz-Cz"]
    other = taken(put(tmp_path, "b.edf", edf([f"Ch{n}" for n in range(4)])))
    assert plan(other.channels, View()).montage == "referential"


def test_other_signals_stand_below_in_every_montage_and_are_not_filtered_unless_electric(
    taken: Callable[..., Signal], tmp_path: Path
) -> None:
    names = [*TEN_TWENTY, "ECG", "SpO2"]
    signal = taken(put(tmp_path, "a.edf", edf(names, rates=[100] * 20 + [1], units=["uV"] * 20 + ["%"], records=30)))
    for montage in ("referential", "average", "longitudinal", "transverse"):
        made = plan(signal.channels, View(montage))
        assert [trace.kind for trace in made.traces[-2:]] == ["ecg", "spo2"]
        assert made.traces[-2].apart
        filters = {group.rate: (group.low_cut, group.notch) for group in made.groups}
        assert filters == {100.0: (1.0, None), 1.0: (None, None)}  # 100 Hz sampling holds no 50 Hz
        assert any("notch of 50 Hz" in note for note in made.notes)


def test_bad_channels_are_told_and_take_no_part_in_the_average(taken: Callable[..., Signal], tmp_path: Path) -> None:
    signal = night(taken, tmp_path)
    made = plan(signal.channels, View("longitudinal"), bad=["T7"])
    assert [trace.label for trace in made.traces if trace.bad] == ["F7-T7", "T7-P7"]
    made = plan(signal.channels, View("average"), bad=["T7"])
    column = made.groups[0].channels.index("T7")
    rows = [n for n, trace in enumerate(made.traces) if trace.label != "T7-Avg"]
    np.testing.assert_array_equal(made.groups[0].weights[rows, column], 0)


def test_channels_are_hidden_and_ordered_as_wanted_and_only_those_travel(taken: Callable[..., Signal], tmp_path: Path) -> None:
    signal = night(taken, tmp_path)
    view = View("referential", hidden=("Cz", "Pz"), order=("O2", "O1"))
    made = plan(signal.channels, view)
    assert [trace.label for trace in made.traces[:3]] == ["O2", "O1", "Fp1"]
    assert len(made.traces) == 17
    assert "Cz" in made.every
    (tile,) = tiles(signal, made, [0])
    assert len(tile.parts[0].values) == 17


def test_a_look_changes_with_everything_that_changes_values(taken: Callable[..., Signal], tmp_path: Path) -> None:
    channels = night(taken, tmp_path).channels
    moved = corrected(channels, {"O2": {"electrode": "Oz"}})
    looks = [
        plan(channels, View()).look,
        plan(channels, View(low_cut=0.5)).look,
        plan(channels, View(page_s=20)).look,
        plan(channels, View("average")).look,
        plan(channels, View("average"), ["C3"]).look,
        plan(moved, View()).look,
    ]
    assert len(set(looks)) == len(looks)
    assert plan(channels, View()).look == looks[0]


def test_a_message_is_json_and_values_that_it_places(taken: Callable[..., Signal], tmp_path: Path) -> None:
    signal = night(taken, tmp_path)
    made = plan(signal.channels, PLAIN)
    strip = strip_of(signal, TEN_TWENTY, 200)
    data = pack({"look": made.look}, list(tiles(signal, made, [1])), {"strip": strip})
    length = int.from_bytes(data[:4], "little")
    head = json.loads(data[4 : 4 + length])
    values = np.frombuffer(data, "<i2", offset=4 + length)
    (part,) = head["tiles"][0]["parts"]
    rows = values[part["at"] : part["at"] + part["n"] * 19].reshape(19, -1)
    told = rows * np.array(part["gain"])[:, None] + np.array(part["offset"])[:, None]
    recorded = signal.read(TEN_TWENTY, 10, 20)
    np.testing.assert_allclose(told, recorded, atol=np.ptp(recorded) / 60_000)
    kept = head["arrays"]["strip"]
    again = values[kept["at"] : kept["at"] + 400].reshape(2, 200) * np.array(kept["gain"])[:, None] + np.array(kept["offset"])[:, None]
    np.testing.assert_allclose(again, strip, atol=np.ptp(strip) / 60_000)


def test_cleaning_comes_before_the_montage(taken: Callable[..., Signal], tmp_path: Path) -> None:
    signal = night(taken, tmp_path)
    made = plan(signal.channels, View("longitudinal", low_cut=None, high_cut=None, notch=None))

    def clean(names: Any, values: np.ndarray, start_s: float) -> np.ndarray:
        return np.where(np.array([name == "F7" for name in names])[:, None], 0, values).astype(np.float32)

    (tile,) = tiles(signal, made, [1], clean)
    recorded = signal.read(["T7"], 10, 20)[0]
    np.testing.assert_allclose(values_of(tile.parts[0])[1], -recorded, atol=np.ptp(recorded) / 50_000)


def test_the_strip_is_not_ruled_by_one_bad_channel(taken: Callable[..., Signal], tmp_path: Path) -> None:
    values = list(brain(7, 3000))
    values[2] = np.where(np.arange(3000) % 2, 32_000, -32_000)
    signal = taken(put(tmp_path, "a.edf", edf(TEN_TWENTY[:7], values=values, records=30)))
    low, high = strip_of(signal, TEN_TWENTY[:7], 100)
    assert np.nanmax(high) < 1000
    assert np.nanmin(low) > -1000


@pytest.mark.parametrize(
    "sent",
    [{"page_s": "x"}, {"page_s": 1e9}, {"low_cut": -1}, {"low_cut": 40, "high_cut": 30}, {"notch": True}, {"montage": "zigzag"}],
)
def test_a_view_that_makes_no_sense_is_refused_in_words(sent: dict[str, Any], taken: Callable[..., Signal], tmp_path: Path) -> None:
    signal = night(taken, tmp_path)
    with pytest.raises(InputError) as caught:
        plan(signal.channels, read_view(sent))
    assert caught.value.hint


@pytest.mark.parametrize(
    ("row", "parts"),
    [
        ("C3-A2", (("C3",), ("A2",))),
        ("Cz - ( A1 + A2 ) / 2", (("Cz",), ("A1", "A2"))),
        ("O1-AVG", (("O1",), ("avg",))),
        ("Pz", (("Pz",), ())),
        ('"Fp1-F7"-Cz', (("Fp1-F7",), ("Cz",))),
    ],
)
def test_a_row_of_an_own_montage_is_read(row: str, parts: tuple[tuple[str, ...], tuple[str, ...]]) -> None:
    assert parse_row(row) == parts


@pytest.mark.parametrize(
    "row", ["", "-", "C3-", "C3--C4", "C3-C3", "(A1+A2)/3", "C3-(A1-A2)/2", "avg-C3", "C3+C4", "C3-(A1+A2", "(avg+A1)/2"]
)
def test_a_row_that_cannot_be_read_is_named(row: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_row(row)
    assert "C3-A2" in caught.value.hint or "mean" in caught.value.hint


def test_an_own_montage_is_the_arithmetic_that_it_says(taken: Callable[..., Signal], tmp_path: Path) -> None:
    signal = taken(put(tmp_path, "a.edf", edf([*TEN_TWENTY, "A1", "A2", "ECG"], records=10)))
    rows = ["C3-A2", "Cz-(A1+A2)/2", "O1-avg", "T3", "XX-C3"]
    montage = own_montage(rows, signal.channels, bad=["Fp1"])
    assert montage.labels == ("C3-A2", "Cz-(A1+A2)/2", "O1-avg", "T3")  # T3 is T7's old name
    assert montage.missing == ("XX",)
    values = {name: signal.read([name], 0, 10)[0] for name in montage.channels}
    traces = montage.apply(np.stack(list(values.values())))
    np.testing.assert_allclose(traces[1], values["Cz"] - (values["A1"] + values["A2"]) / 2, atol=0.01)
    good = [name for name in [*TEN_TWENTY, "A1", "A2"] if name != "Fp1"]
    np.testing.assert_allclose(traces[2], values["O1"] - np.mean([values[name] for name in good], axis=0), atol=0.01)
    made = plan(signal.channels, View("Mine"), own={"Mine": rows})
    assert [trace.label for trace in made.traces] == ["C3-A2", "Cz-(A1+A2)/2", "O1-avg", "T3", "ECG"]


def test_a_lead_recorded_against_another_is_not_mixed_with_one_that_was_not(taken: Callable[..., Signal], tmp_path: Path) -> None:
    signal = taken(put(tmp_path, "a.edf", edf(["C3-A2", "C4-A1", "O1-A2"])))
    assert own_montage(["C3-A2"], signal.channels).weights.tolist() == [[1.0, 0.0, 0.0]]
    assert own_montage(["C3-O1"], signal.channels).labels == ("C3-O1",)  # both against A2
    with pytest.raises(InputError, match="mixes references"):
        own_montage(["C3-C4"], signal.channels)


def test_own_montages_are_kept_replaced_and_forgotten(storage: Storage, taken: Callable[..., Signal], tmp_path: Path) -> None:
    save_montage(storage, "Mastoids", ["C3-A2", "", "C4-A1"])
    save_montage(storage, "Mastoids", ["C3-O1"])
    assert own_montages(storage) == {"Mastoids": ("C3-O1",)}
    channels = taken(put(tmp_path, "a.edf", edf())).channels
    assert find_montage(storage, "Mastoids", channels).labels == ("C3-O1",)
    assert len(find_montage(storage, "average", channels).labels) == 6
    with pytest.raises(InputError):
        save_montage(storage, "Average reference", ["C3-O1"])
    with pytest.raises(InputError):
        save_montage(storage, "Empty", [" "])
    delete_montage(storage, "Mastoids")
    assert own_montages(storage) == {}


def test_a_real_recording_is_paged_as_it_was_recorded(taken: Callable[..., Signal], shared: Path) -> None:
    signal = taken(shared / "eeg" / "eegmmi_s001" / "S001R04.edf")
    made = plan(signal.channels, View("longitudinal"))
    assert len(made.traces) == 18
    made = plan(signal.channels, PLAIN)
    (tile,) = tiles(signal, made, [7])
    recorded = signal.read([channel.name for channel in signal.channels], 70, 80)
    np.testing.assert_allclose(values_of(tile.parts[0]), recorded, atol=np.ptp(recorded) / 60_000)
    assert tile.bytes == 64 * 1600 * 2
