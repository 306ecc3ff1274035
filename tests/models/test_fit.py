"""What fits is read from what was measured on this machine, within 10%; what does not fit is told with what would."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.errors import Cancelled, ModelError
from backend.models import measure as measuring
from backend.models import registry, runtime
from backend.models.fit import need, peak_in_words
from backend.models.measure import measure
from backend.models.measured import Measured, Point, keep_measured, machine, read_measured
from backend.models.runtime import Runtime
from backend.progress import Silent
from tests.models import hungry

CARD = hungry.CARD


@pytest.fixture
def hungry_family(monkeypatch):
    registry.families()
    monkeypatch.setitem(registry._FAMILIES, "hungry", hungry.FAMILY)
    monkeypatch.setattr(measuring, "_CHILD", hungry.__name__)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def grid(config, peak, lengths=(100, 500, 1000), batches=(1, 4)):
    """A measurement of a machine where `peak(length, batch)` gives the bytes."""
    points = tuple(Point(length, batch, peak(length, batch), 0.1) for length in lengths for batch in batches)
    return Measured(CARD.sha256, machine(config), "2026-01-31T12:00:00+00:00", peak(0, 0), peak(0, 0), 1.0, points)


def linear(length, batch):
    return 1_000_000_000 + 1_000_000 * length * batch


def square(length, batch):
    return 1_000_000_000 + 1_000 * length * length * batch


@pytest.mark.parametrize(("length", "batch"), [(768, 3), (300, 2), (1024, 2)])
def test_a_size_that_was_left_out_is_foretold_within_a_tenth_of_what_is_measured(hungry_family, config, length, batch):
    measure(config, "hungry", lengths=(128, 512, 1024), batches=(1, 4))
    foretold = need(config, CARD, length, batch).bytes
    truth = measure(config, "hungry", lengths=(length,), batches=(batch,)).points[0].bytes
    assert abs(foretold - truth) < 0.1 * truth
    assert truth > 1.05 * read_measured(config, CARD).loaded_bytes  # the inputs take a part that counts


@given(st.integers(100, 1000), st.integers(1, 4))
def test_where_memory_grows_with_length_and_batch_the_reading_is_exact(length, batch):
    assert _grid(linear).peak(length, batch) == pytest.approx(linear(length, batch), rel=1e-9)


@given(st.integers(1, 3000), st.integers(1, 12))
def test_where_it_grows_with_the_square_the_reading_is_never_below_the_truth(length, batch):
    assert _grid(square).peak(length, batch) >= square(length, batch) * (1 - 1e-9)


@given(
    st.lists(st.integers(1, 10**9), min_size=6, max_size=6),
    st.integers(1, 2000),
    st.integers(1, 8),
    st.integers(0, 500),
    st.integers(0, 4),
)
def test_more_never_reads_as_less(values, length, batch, longer, further):
    sizes = [(a, b) for a in (100, 500, 1000) for b in (1, 4)]
    points = tuple(Point(*size, value, 0.1) for size, value in zip(sizes, values, strict=True))
    found = Measured("", {}, "", min(values), 0, 1.0, points)
    assert found.peak(length + longer, batch + further) >= found.peak(length, batch)


def _grid(peak):
    points = tuple(Point(length, batch, peak(length, batch), 0.1) for length in (100, 500, 1000) for batch in (1, 4))
    return Measured("", {}, "", peak(0, 0), peak(0, 0), 1.0, points)


def test_until_it_is_measured_the_figure_of_the_card_is_called_what_it_is(hungry_family, config):
    assert need(config, CARD).origin == "computed, not measured"
    assert need(config, replace(CARD, peak_is_measured=True)).origin == "measured by us"
    assert peak_in_words(config, CARD) == "700 MB, computed, not measured"
    assert "(computed, not measured)" in Runtime(config).fits(CARD).reason
    keep_measured(config, "hungry", grid(config, linear))
    assert need(config, CARD).origin == "measured on this machine"
    assert peak_in_words(config, CARD) == "5.0 GB, measured on this machine on 2026-01-31"
    assert "(measured on this machine)" in Runtime(config).fits(CARD).reason


@pytest.mark.parametrize("what", ["torch", "device", "system"])
def test_a_measurement_of_another_machine_is_not_used(hungry_family, config, what):
    found = grid(config, linear)
    keep_measured(config, "hungry", replace(found, machine={**found.machine, what: "another"}))
    assert read_measured(config, CARD) is None


def test_a_measurement_of_other_files_or_a_damaged_one_is_not_used(hungry_family, config):
    keep_measured(config, "hungry", grid(config, linear))
    assert read_measured(config, replace(CARD, revision="2")) is None
    (config.data / "measured" / "hungry.json").write_text("[")
    assert read_measured(config, CARD) is None


def test_a_request_that_does_not_fit_says_what_would(hungry_family, config, monkeypatch):
    monkeypatch.setattr(runtime, "available_bytes", lambda device: 3_000_000_000)
    keep_measured(config, "hungry", grid(config, linear))
    models = Runtime(config)
    fit = models.fits(CARD, 1000, 4)
    assert (fit.ok, fit.needed) == (False, 5_000_000_000)
    assert fit.reason.startswith("A batch of 4, each 1,000 long, does not fit: it needs 5.0 GB (measured on this machine), 3.0 GB")
    assert fit.would == ("At this length, 2 at once would fit.", "4 at once would fit up to a length of 500.")
    assert models.fits(CARD, 1000, 2).ok
    assert models.fits(CARD, 500, 4).ok
    with pytest.raises(ModelError, match="Hungry: A batch of 4, each 1,000 long, does not fit") as caught:
        models.demand("hungry", 1000, 4)
    assert "2 at once would fit" in caught.value.hint
    models.demand("hungry", 1000, 2)


def test_a_loaded_model_needs_only_what_the_request_adds(hungry_family, config, monkeypatch):
    monkeypatch.setattr(runtime, "available_bytes", lambda device: 6_000_000_000)
    keep_measured(config, "hungry", grid(config, linear))
    models = Runtime(config)
    models.load("hungry")
    monkeypatch.setattr(runtime, "available_bytes", lambda device: 2_500_000_000)
    assert models.fits(CARD).ok
    assert models.fits(CARD, 500, 4).needed == 2_000_000_000
    assert models.fits(CARD, 500, 4).ok
    assert not models.fits(CARD, 1000, 4).ok
    assert [resident.bytes for resident in models.loaded()] == [5_000_000_000]


def test_smaller_models_for_the_same_task_are_named(hungry_family, config, monkeypatch):
    small = replace(CARD, name="modest", title="Modest", peak_bytes=1000)
    untrained = replace(small, name="noise", title="Noise", untrained=True)
    template = replace(small, name="yours", title="Yours", template=True)
    monkeypatch.setitem(registry._FAMILIES, "hungry", replace(hungry.FAMILY, cards=(CARD, untrained, small, template)))
    monkeypatch.setattr(runtime, "available_bytes", lambda device: 2000)
    with pytest.raises(ModelError) as caught:
        Runtime(config).load("hungry")
    assert caught.value.hint == "What fits: Modest, Noise."


def test_memory_that_runs_out_while_measuring_keeps_what_was_found(hungry_family, config, monkeypatch):
    monkeypatch.setenv("BIOLOOM_HUNGRY_LIMIT", "600")
    found = measure(config, "hungry", lengths=(100, 1000), batches=(1, 4))
    assert [(point.length, point.batch) for point in found.points] == [(100, 1), (100, 4)]
    assert found.ran_out
    monkeypatch.setenv("BIOLOOM_HUNGRY_LIMIT", "50")
    with pytest.raises(ModelError, match="memory ran out"):
        measure(config, "hungry", lengths=(100,), batches=(1,))


def test_sizes_that_memory_did_not_suffice_for_are_drawn_on_from_fewer_at_once():
    found = _grid(linear)
    partly = replace(found, points=tuple(point for point in found.points if (point.length, point.batch) != (1000, 4)), ran_out=True)
    assert partly.peak(1000, 4) == found.peak(1000, 4)


def test_a_model_that_cannot_be_loaded_is_told_by_the_measurement(config, hungry_family):
    with pytest.raises(ModelError, match=r"could not be measured: .*missing"):
        measure(config, "minilm")


def test_a_stopped_measurement_ends_its_process_and_keeps_nothing(hungry_family, config):
    class StopAtOnce(Silent):
        def check(self):
            raise Cancelled

    with pytest.raises(Cancelled):
        measure(config, "hungry", StopAtOnce())
    assert read_measured(config, CARD) is None


def test_the_measurement_is_kept_as_json_that_says_what_it_is_of(hungry_family, config):
    found = measure(config, "hungry", lengths=(64,), batches=(1,))
    kept = json.loads((config.data / "measured" / "hungry.json").read_text())
    assert kept["machine"] == machine(config)
    assert kept["points"][0].keys() == {"length", "batch", "bytes", "seconds"}
    assert read_measured(config, CARD) == found
    assert found.load_peak_bytes >= 0.9 * found.loaded_bytes
