"""Explanations of decoders find what was planted, keep a suppressor out of the ranking, and say when there is nothing to explain."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from backend.eeg.decoding import explain_alone
from backend.eeg.decoding.candidates import CANDIDATES
from backend.eeg.decoding.explain import explain_decoder
from backend.eeg.decoding.explain_grid import make_grid, name_bands, single_channels, taken_apart
from backend.eeg.simulate.trials import joined, simulated_patient
from backend.errors import InputError

WHOLE = {"calibration": True}


def explained(candidate, trials, target=WHOLE, **more):
    return explain_decoder(CANDIDATES[candidate].fit(trials, 0), trials, target, **more)


@pytest.fixture(scope="module")
def patient():
    return simulated_patient(0, strength=2.0, sessions=3)


@pytest.fixture(scope="module")
def whole(patient):
    return explained("csp", joined(patient[:2]))


@pytest.fixture(scope="module")
def spoilt():
    """A patient with noise over the source that O2 picks up as well."""
    return explained("tangent", joined(simulated_patient(0, strength=2.0, suppressor="O2")))


def test_the_planted_channel_and_band_come_first(whole):
    assert (whole["ranking"][0]["channel"], whole["ranking"][0]["band"]) == ("C3", "alpha")
    assert whole["reliable"], whole["reason"]
    assert whole["held_out"]
    assert whole["gain"]["low"] > 0
    assert "C3 in alpha" in whole["words"]


def test_the_planted_time_has_the_larger_share(whole):
    """The rhythm differs from 0.5 s on: the first of three windows of 2 s has a quarter of it."""
    first, second, third = whole["per_window"]["values"]
    assert min(second, third) > first


def test_shares_add_up_to_the_log_odds(whole):
    total = np.sum(whole["values"])
    assert whole["base"] + total == pytest.approx(whole["score"], abs=1e-3)
    assert whole["faithfulness"]["additivity_residual"] < 1e-6
    for name in ("cells", "per_group", "per_band", "per_window"):
        assert np.sum(whole[name]["values"]) == pytest.approx(total, abs=1e-3)


def test_a_suppressor_is_used_but_stays_out_of_the_ranking(spoilt):
    assert "O2" in [part["channel"] for part in spoilt["by_share"][:3]]  # what Shapley values alone would say
    assert "O2" not in [part["channel"] for part in spoilt["ranking"]]
    assert spoilt["ranking"][0]["channel"] == "C3"
    assert spoilt["helpers"][0]["channel"] == "O2"
    assert "O2 in alpha (8-13 Hz) is used, but tells nothing alone" in spoilt["words"]


def test_weights_of_a_linear_decoder_have_haufes_patterns_beside_them(patient):
    trials = joined(patient[:2])
    decoder = CANDIDATES["bandpower"].fit(trials, 0)
    rows = explain_alone.weights(decoder, trials)
    features = explain_alone.centred(decoder.features(trials.x), trials.block)
    slope = decoder.weights()[:, 1] - decoder.weights()[:, 0]
    expected = np.cov(features.T, ddof=0) @ slope / (features @ slope).std() / features.std(axis=0)
    assert [row["pattern"] for row in rows] == pytest.approx(expected, abs=1e-5)
    first = max(rows, key=lambda row: abs(row["pattern"]))
    assert (first["channel"], first["band"]) == ("C3", [8.0, 13.0])


def test_a_suppressor_has_a_weight_and_no_pattern(patient):
    """Haufe 2014, figure 2: of a source with noise and the noise alone, the decoder takes the difference."""
    trials = joined(patient[:2]).channels(("C3", "O2"))
    rng = np.random.default_rng(0)
    signal, noise = trials.y - 0.5 + 0.2 * rng.normal(size=len(trials)), rng.normal(size=len(trials))

    class Difference:
        def features(self, x):
            return np.stack([signal + noise, noise], axis=1)

        def weights(self):
            return np.array([[-1.0, 1.0], [1.0, -1.0]])

        def places(self):
            return [{"channels": [name], "band": None, "window": None} for name in ("C3", "O2")]

    source, suppressor = explain_alone.weights(Difference(), trials)
    assert abs(suppressor["weight"]) > 0.9 * abs(source["weight"])
    assert source["pattern"] > 0.35
    assert abs(suppressor["pattern"]) < 0.2


def test_patterns_lie_over_the_source(whole):
    power = np.array(whole["patterns"]["power_db"][0])
    channel, band = np.unravel_index(np.abs(power).argmax(), power.shape)
    assert whole["bands"][band]["name"] == "alpha"
    assert whole["channels"][channel] in {"C3", "CP5", "FC5"}
    assert power[whole["channels"].index("C3"), band] < 0  # movement against rest: less of the rhythm
    assert whole["patterns"]["outputs"] == ["movement against rest"]


def test_the_ways_of_asking_agree_and_say_so(whole):
    told = {row["with"]: row for row in whole["agreement"]["methods"]}
    assert set(told) == {"second seed", "occlusion", "activation patterns"}
    assert told["second seed"]["correlation"] > 0.8
    assert told["occlusion"]["correlation"] > 0.5
    assert whole["agreement"]["words"].startswith("Shapley values put C3 in alpha (8-13 Hz) first")


def test_labels_at_random_leave_nothing_to_explain(patient):
    trials = joined(patient[:2])
    shuffled = replace(trials, y=np.random.default_rng(2).permutation(trials.y))
    found = explained("csp", shuffled, evaluations=6000)
    assert not found["reliable"]
    assert "nothing to explain" in found["reason"]
    assert "Most comes from" not in found["words"]


def test_random_weights_destroy_the_explanation(patient):
    from backend.eeg.decoding.explain_cases import Asked, cases_of
    from backend.explain.signals import occlusion

    trials = joined(patient[:2])
    grid, source = make_grid(trials), trials.names.index("C3")
    decoder = CANDIDATES["bandpower"].fit(trials, 0)

    def at_source(one):
        asked = Asked(trials, dict.fromkeys(range(len(trials)), one), held_out=False)
        return occlusion(cases_of(asked, trials, None, 8, 0), grid)[source, 3]

    broken = []
    for seed in range(8):
        weights = np.random.default_rng(seed).permutation(decoder.learned["weights"])
        broken.append(at_source(replace(decoder, learned={**decoder.learned, "weights": weights})))
    assert abs(np.mean(broken)) < 0.3 * at_source(decoder)


def test_one_trial_is_explained_for_the_class_it_was_given(patient):
    trials = joined(patient[:2])
    found = explained("bandpower", trials, {"trial": 7}, evaluations=6000)
    assert found["target"] == {"trial": 7}
    assert found["class"] in trials.classes
    assert found["base"] + np.sum(found["values"]) == pytest.approx(found["score"], abs=1e-3)
    assert found["words"].startswith(f"Trial 7 is called {found['class']}")
    assert "same session" in found["baseline"]
    again = explained("bandpower", trials, {"trial": 7}, evaluations=6000)
    assert json.dumps(found, allow_nan=False) == json.dumps(again)


def test_a_trial_of_a_new_recording_needs_no_labels_and_has_the_shown_log_odds(patient):
    known, new = joined(patient[:2]), patient[2]
    decoder = CANDIDATES["csp"].fit(known, 0)
    found = explain_decoder(decoder, new, {"trial": 3}, background=known, temperature=2.0, evaluations=6000)
    relabelled = replace(new, y=1 - new.y)
    assert (
        explain_decoder(decoder, relabelled, {"trial": 3}, background=known, temperature=2.0, evaluations=6000)["values"] == found["values"]
    )
    p = np.sqrt(decoder.adapted(new.x).predict_proba(new.x[[3]])[0])  # temperature 2
    assert found["score"] == pytest.approx(np.log(p.max() / p.min()), abs=1e-6)


def test_a_decoder_that_cannot_be_fitted_again_is_said_to_know_the_trials(patient):
    """As one that learned from other patients, whose trials are not at hand."""
    trials = joined(patient[:2])
    decoder = CANDIDATES["bandpower"].fit(trials, 0)
    pooled = replace(decoder, recipe=replace(decoder.recipe, name="pooled"))
    found = explain_decoder(pooled, trials, WHOLE, evaluations=6000)
    assert not found["held_out"]
    assert found["words"].startswith("On the trials that it was fitted to")


def test_what_cannot_be_explained_is_refused(patient):
    trials = joined(patient[:2])
    decoder = CANDIDATES["bandpower"].fit(trials, 0)
    with pytest.raises(InputError, match="no trial 160"):
        explain_decoder(decoder, trials, {"trial": 160})
    with pytest.raises(InputError, match="too few trials"):
        explain_decoder(decoder, trials.pick(np.arange(12)), WHOLE)
    with pytest.raises(InputError, match="channels differ"):
        explain_decoder(decoder, trials.channels(trials.names[:5]), {"trial": 0}, background=trials)
    with pytest.raises(InputError, match="which trial"):
        explain_decoder(decoder, patient[2], {}, background=trials)


def test_many_channels_are_weighed_by_region_first():
    import mne

    names = mne.channels.make_standard_montage("biosemi64").ch_names
    trials = simulated_patient(0, trials=8, sessions=1, names=names)[0]
    grid = make_grid(trials)
    assert sorted(row for rows in grid.groups for row in rows) == list(range(64))
    assert len(grid.groups) <= 16
    left = [any(names[row].endswith(tuple("1357")) for row in rows) for rows in grid.groups]
    right = [any(names[row].endswith(tuple("2468")) for row in rows) for rows in grid.groups]
    assert sum(one and two for one, two in zip(left, right, strict=True)) <= 5  # regions seldom reach over the midline
    finer = taken_apart(grid, np.arange(len(grid.groups), dtype=float))
    assert all((row,) in finer.groups for rows in grid.groups[-3:] for row in rows)


def test_bands_follow_what_the_trial_can_tell_apart():
    trials = simulated_patient(0, trials=8, sessions=1, seconds=0.5)[0]
    grid = make_grid(trials)
    assert name_bands(grid)[0]["name"] == "slow and delta"
    assert grid.shape[2] == 1
    assert single_channels(grid).shape[0] == 19


def test_alone_a_null_patient_tells_nothing_in_nineteen_of_twenty():
    found = []
    for seed in range(20):
        trials = joined(simulated_patient(seed, null=True, trials=30, sessions=1))
        grid = single_channels(make_grid(trials))
        alone = explain_alone.alone(trials, explain_alone.measured(trials, grid), seed)
        every = np.ones(alone.ratio.shape, dtype=bool)
        found.append(alone.p_values(grid.groups, every).min() < 0.05)
    assert sum(found) <= 4


def test_the_figures_say_what_they_show(whole, spoilt):
    from backend.figures import eeg_why

    assert eeg_why.describe_cells(whole).startswith("C3 in alpha counts most")
    assert "O2 in alpha" in eeg_why.describe_cells(spoilt)
    assert "tells nothing alone" in eeg_why.describe_cells(spoilt)
    assert "Most lies in alpha" in eeg_why.describe_margins(whole)
    drawn = np.array(eeg_why.plot_cells(spoilt).data[0].text)
    assert sum("○" in text for text in drawn.ravel()) == len(spoilt["helpers"])
    assert len(eeg_why.cell_rows(whole)) == np.size(whole["cells"]["values"])
    bands, windows = eeg_why.plot_margins(whole).data
    assert sum(bands.y) == pytest.approx(sum(windows.y), abs=1e-3)
    electrodes, values = eeg_why.share_map(whole)
    assert electrodes[int(np.argmax(values))] == "C3"
    assert sum(values) == pytest.approx(np.sum(whole["values"]), abs=1e-3)
    values, what, unit = eeg_why.pattern_map(whole, whole["patterns"]["outputs"][0], "slow")
    assert (what, unit, len(values)) == ("Mean", "uV", 19)


def test_titles_take_a_trials_side_and_claim_nothing_where_it_is_unreliable(whole):
    from backend.figures import eeg_why

    trial = {**whole, "target": {"trial": 3}, "class": "rest"}
    assert eeg_why.plot_cells(trial).layout.title.text == "C3 in alpha counts most for rest"
    assert eeg_why.plot_margins(trial).layout.title.text.startswith("Most lies in alpha for rest, from")
    doubtful = {**whole, "reliable": False}
    assert "C3" not in eeg_why.plot_cells(doubtful).layout.title.text
    assert "alpha" not in eeg_why.plot_margins(doubtful).layout.title.text


@pytest.mark.slow
def test_of_many_patients_the_planted_source_leads_and_the_suppressor_never_ranks():
    first, out = [], []
    for seed in range(12):
        for suppressor in (None, "O2"):
            trials = joined(simulated_patient(seed, strength=2.0, reach=0.25, suppressor=suppressor))
            found = explained("csp", trials, evaluations=8000)
            leads = [part["channel"] for part in found["ranking"][:3]]
            if suppressor:
                out.append("O2" not in leads)
            else:
                first.append(leads[:1] == ["C3"])
    assert sum(first) >= 11
    assert sum(out) >= 11
