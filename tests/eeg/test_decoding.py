"""Decoders: what is planted is found, what is not there is not, neighbours in time do not leak, and numbers mean what they say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from backend.eeg.decoding import drift, protocol
from backend.eeg.decoding.candidates import CANDIDATES, material_of, restore
from backend.eeg.decoding.folds import blocked_folds, forward_folds
from backend.eeg.decoding.interval import effective, next_session
from backend.eeg.decoding.judge import judge, tempered, time_tells
from backend.eeg.decoding.permutation import in_runs, permutation_test
from backend.eeg.decoding.pool import Pool
from backend.eeg.decoding.verdict import decide
from backend.eeg.simulate.trials import joined, simulated_patient
from backend.errors import InputError
from backend.metrics import Interval

QUICK = ("tangent", "csp", "bandpower")


@pytest.fixture(scope="module")
def sessions():
    return simulated_patient(3, trials=60, sessions=3, strength=2.0)


@pytest.fixture(scope="module")
def judged(sessions):
    return judge(joined(sessions[:2]), only=QUICK, permutations=200)


@pytest.mark.parametrize("name", CANDIDATES)
def test_every_candidate_is_kept_and_restored_as_it_was(name, sessions, tmp_path):
    decoder = CANDIDATES[name].fit(sessions[0], 0)
    np.savez(tmp_path / "kept.npz", **decoder.arrays())
    with np.load(tmp_path / "kept.npz", allow_pickle=False) as kept:
        again = restore(dict(kept), decoder.meta())
    x = sessions[2].x
    shares = decoder.predict_proba(x)
    np.testing.assert_array_equal(shares, again.predict_proba(x))
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-9)
    np.testing.assert_allclose(shares, decoder.predict_from(material_of(decoder, x)), atol=1e-12)
    np.testing.assert_allclose(shares[:5], decoder.predict_proba(x[:5]), atol=1e-6)  # a trial's answer does not depend on its neighbours
    assert (decoder.classes, decoder.names, decoder.rate) == (sessions[0].classes, sessions[0].names, sessions[0].rate)


@pytest.mark.parametrize("name", CANDIDATES)
def test_the_same_seed_gives_the_same_decoder(name, sessions):
    one, two = (CANDIDATES[name].fit(sessions[0], 7).arrays() for _ in range(2))
    assert all(np.array_equal(one[key], two[key]) for key in one)


@pytest.mark.parametrize("name", [name for name, one in CANDIDATES.items() if one.linear])
def test_linear_candidates_show_what_they_weigh(name, sessions):
    """The contract with explanations: softmax(features @ weights + intercept), a place for each feature."""
    decoder = CANDIDATES[name].fit(sessions[0], 0)
    features, weights = decoder.features(sessions[1].x), decoder.weights()
    assert features.shape == (len(sessions[1]), len(decoder.places())) == (len(sessions[1]), len(weights))
    odds = np.diff(features @ weights + decoder.arrays()["intercept"], axis=1)[:, 0]
    shares = decoder.predict_proba(sessions[1].x)
    np.testing.assert_allclose(odds, np.log(shares[:, 1] / shares[:, 0]), atol=1e-6)


def test_recentring_undoes_another_gain_of_the_amplifier(sessions):
    decoder = CANDIDATES["tangent"].fit(sessions[0], 0)
    louder = sessions[1].x * np.linspace(0.6, 1.6, len(sessions[1].names))[None, :, None]
    y = sessions[1].y
    plain = (decoder.predict_proba(louder).argmax(axis=1) == y).mean()
    recentred = (decoder.adapted(louder).predict_proba(louder).argmax(axis=1) == y).mean()
    assert recentred > max(plain, 0.7)


def test_held_out_trials_are_never_neighbours_of_those_learned_from(sessions):
    folds = blocked_folds(sessions[0])
    assert folds.kind == "stretches"
    for fold in folds.folds:
        assert np.abs(fold.train[:, None] - fold.test[None]).min() > 3
    assert sorted(np.concatenate([fold.test for fold in folds.folds])) == list(range(60))


def test_with_three_sessions_whole_sessions_are_held_out(sessions):
    trials = joined(sessions)
    folds = blocked_folds(trials)
    assert folds.kind == "sessions"
    for fold in folds.folds:
        assert not set(trials.block[fold.train]) & set(trials.block[fold.test])


def test_what_was_gained_is_measured_on_later_trials_only(sessions):
    for fold in forward_folds(blocked_folds(joined(sessions[:2]))):
        assert fold.train.max() < fold.test.min()


def test_a_planted_effect_is_found_and_the_next_session_is_as_told(sessions, judged):
    later = sessions[2]
    answers = protocol.predict_new(judged.decoder, material_of(judged.decoder, later.x), later.block).argmax(axis=1)
    came = (answers == later.y).mean()
    assert judged.verdict.word == "usable"
    assert judged.report["permutation"]["p"] <= 0.01
    assert came >= judged.expected.low  # how often the whole interval holds is measured by the benchmark
    assert judged.report["gain"]["over"] == "chance"
    assert judged.report["gain"]["gain"]["low"] > 0


@pytest.mark.slow
def test_nothing_is_found_in_nothing():
    """Eight patients without any effect, classes in runs and drift left in place: none usable."""
    words, found = [], []
    for seed in range(8):
        trials = joined(simulated_patient(500 + seed, trials=60, sessions=1, null=True, runs=bool(seed % 2), drift=1.5))
        made = judge(trials, only=("tangent", "bandpower"), permutations=99, curve=False)
        words.append(made.verdict.word)
        found.append(made.report["permutation"]["p"] <= 0.05)
    assert "usable" not in words
    assert sum(found) <= 2


def test_labels_that_come_in_runs_are_rotated_not_permuted():
    runs = joined(simulated_patient(1, trials=80, sessions=1, runs=True, null=True))
    mixed = joined(simulated_patient(1, trials=80, sessions=1, null=True))
    assert in_runs(runs)
    assert not in_runs(mixed)
    material = {"bandpower": CANDIDATES["bandpower"].material(runs.x, runs.rate)}
    assert permutation_test(runs, material, blocked_folds(runs), 50).how == "rotated"


def test_class_and_time_that_cannot_be_told_apart_are_never_usable(sessions):
    """First all of one class, then all of the other: any slow change looks like a class."""
    trials = sessions[0].pick(np.argsort(sessions[0].y, kind="stable"))
    trials = replace(trials, onset_s=np.sort(sessions[0].onset_s))
    assert time_tells(trials) == 1.0
    assert decide(30, 0.001, Interval(0.95, 0.9, 0.98), 2, confounded=True).word == "uncertain"
    made = judge(trials, only=("bandpower",), permutations=99, curve=False)
    assert made.verdict.word == "uncertain"
    assert "Class and time cannot be told apart" in made.warnings[1]


def test_too_few_trials_are_refused_with_their_numbers(sessions):
    with pytest.raises(InputError, match="rest 4, movement"):
        judge(sessions[0].pick(np.concatenate([np.flatnonzero(sessions[0].y == 0)[:4], np.flatnonzero(sessions[0].y == 1)])))


@pytest.mark.parametrize(
    ("fewest", "p", "interval", "word"),
    [
        (60, 0.001, (0.85, 0.75, 0.92), "usable"),
        (60, 0.001, (0.72, 0.58, 0.84), "uncertain"),  # reaches down to what is too little
        (15, 0.001, (0.9, 0.8, 0.96), "uncertain"),  # too few trials
        (60, 0.001, (0.58, 0.5, 0.66), "undecodable"),  # there is something, and too little of it
        (60, 0.4, (0.55, 0.4, 0.72), "undecodable"),  # nothing, although there were many trials
        (20, 0.4, (0.55, 0.3, 0.78), "uncertain"),  # nothing found, and too few trials to say so
    ],
)
def test_the_verdict_follows_its_rule(fewest, p, interval, word):
    assert decide(fewest, p, Interval(*interval), 2).word == word


def test_the_interval_narrows_with_trials_and_with_sessions_that_agree():
    def width(right, count):
        made = next_session(right, count, 0.5)
        assert made.low < made.value < made.high
        return made.high - made.low

    assert width([80], [100]) < width([16], [20])
    assert width([80] * 4, [100] * 4) < width([80], [100])
    assert width([80] * 4, [100] * 4) < width([60, 95, 70, 95], [100] * 4)


def test_balanced_accuracy_of_unequal_classes_weighs_as_few_trials_as_it_rests_on():
    y = np.array([0] * 90 + [1] * 10)
    k, n = effective(y, y, 2)
    assert k == pytest.approx(n)
    assert n < 60


def test_confidence_at_a_higher_temperature_is_lower_and_orders_alike():
    logs = np.log(np.array([[0.9, 0.1], [0.3, 0.7]]))
    cooler = tempered(logs, 2.0)
    assert cooler[0, 0] < 0.9
    assert (cooler.argmax(axis=1) == [0, 1]).all()
    np.testing.assert_allclose(tempered(logs, 1.0), np.exp(logs))


def test_the_next_session_is_still_the_signal_and_another_head_is_not(sessions):
    kept = drift.reference(joined(sessions[:2]))
    assert drift.drift(kept, sessions[2])["state"] in ("same", "shifted")
    stranger = simulated_patient(77, trials=60, sessions=1)[0]
    assert drift.drift(kept, stranger)["state"] == "changed"


def test_a_loose_electrode_is_named(sessions):
    kept = drift.reference(joined(sessions[:2]))
    x = sessions[1].x.copy()
    x[:, 4] += np.random.default_rng(0).normal(0, 60, x[:, 4].shape)
    found = drift.drift(kept, replace(sessions[1], x=x))
    assert found["state"] != "same"
    assert found["channels"][0]["channel"] == sessions[1].names[4]


def test_other_patients_help_and_are_the_uncalibrated_model():
    """Three others with the same planted source: recentred on unlabelled trials they decode above chance, and the gain is over them."""
    others = [simulated_patient(seed, trials=60, sessions=1, strength=2.0)[0] for seed in (21, 22, 23)]
    pool = joined([replace(one, block=np.full(60, 1_000_000 + 1000 * n)) for n, one in enumerate(others)])
    own = joined(simulated_patient(24, trials=40, sessions=2, strength=2.0))
    made = judge(own, only=("tangent", "pooled"), pool=Pool(pool, ("A", "B", "C"), ("R",)), permutations=99, curve=False)
    gain = made.report["gain"]
    assert gain["over"] == "uncalibrated"
    assert gain["uncalibrated"] > 0.55
    assert gain["gain"]["value"] == pytest.approx(gain["calibrated"] - gain["uncalibrated"])
    assert {row["name"] for row in made.report["candidates"]} == {"tangent", "pooled"}
    pooled = Pool(pool, ("A",), ("R",)).candidate().fit(own, 0)
    assert set(pooled.arrays()["blocks"]) == {0, 1}  # no other patient's session is kept
