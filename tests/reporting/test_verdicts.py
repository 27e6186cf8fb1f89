from __future__ import annotations

import pandas as pd
import pytest
import report_fakes as fakes

from brainarch.config.read import check_config
from brainarch.pipeline.facts import Facts
from brainarch.reporting import numbers, verdicts
from brainarch.reporting.missing import missing_targets


@pytest.mark.parametrize(
    ("low", "answer"), [(0.3, "yes"), (0.1, "undecided"), (float("nan"), "undecided")]
)
def test_accuracy_is_judged_by_its_interval(low, answer):
    frame = fakes.metrics(0.5, low, low + 0.3)
    found = verdicts.accuracy_verdict({"main": frame}, 1 / 6)
    assert found.answer == answer
    assert found.found.startswith("0.50 ")


def test_an_accuracy_below_chance_is_a_no():
    assert verdicts.accuracy_verdict({"main": fakes.metrics(0.1, 0.05, 0.15)}, 1 / 6).answer == "no"


def test_several_split_assignments_are_all_named():
    frames = {"main": fakes.metrics(0.5, 0.4, 0.6), "blocks1": fakes.metrics(0.2, 0.1, 0.3)}
    found = verdicts.accuracy_verdict(frames, 1 / 6)
    assert found.answer == "undecided"
    assert "blocks1: 0.20" in found.found
    frames["blocks1"] = fakes.metrics(0.1, 0.05, 0.15)
    assert verdicts.accuracy_verdict(frames, 1 / 6).answer == "partly"


@pytest.mark.parametrize(
    ("accuracy", "spread", "answer"),
    [
        (0.2, 0.01, "yes"),
        (0.15, 0.03, "yes"),
        (0.17, 0.1, "undecided"),
        (0.23, 0.1, "undecided"),
        (0.1, 0.1, "undecided"),
        (0.33, 0.1, "no"),
        (0.05, 0.04, "no"),
    ],
)
def test_the_control_must_end_near_chance_on_either_side(accuracy, spread, answer):
    frame = fakes.metrics(accuracy, accuracy - spread, accuracy + spread)
    assert verdicts.control_verdict(frame, 1 / 6, "").answer == answer


@pytest.mark.parametrize(
    ("accuracy", "answer"), [(0.25, "yes"), (0.3, "undecided"), (0.4, "no"), (0.1, "no")]
)
def test_nonsense_areas_must_be_named_at_chance(accuracy, answer):
    frame = fakes.metrics(accuracy, accuracy - 0.03, accuracy + 0.03)
    assert verdicts.nonsense_verdict(frame, "Str", "").answer == answer
    assert verdicts.nonsense_verdict(None, "Str", "it is off").answer == "not tested"


def test_a_missing_control_says_why():
    found = verdicts.control_verdict(None, 1 / 6, "it is off")
    assert (found.answer, found.found) == ("not tested", "it is off")


def test_one_inexact_slice_is_enough_for_no():
    proofs = {104: fakes.proof(), 204: fakes.proof(exact=False)}
    assert verdicts.proof_verdict({104: fakes.proof()}).answer == "yes"
    assert verdicts.proof_verdict(proofs).answer == "no"
    assert verdicts.proof_verdict({}).answer == "not tested"
    rounded = {104: {**fakes.proof(exact=False), "precision": "bfloat16"}}
    assert "z=104: bfloat16, 256 windows, max" in verdicts.proof_verdict(rounded).found


def test_a_lost_pixel_is_found():
    sizes = pd.DataFrame({"area": ["A", "B", "A"], "pixels": [10, 20, 5]})
    counts = pd.DataFrame(
        {
            "split": "train",
            "area": ["A", "A", "B"],
            "reason": ["kept", "gap", "kept"],
            "pixels": [9, 6, 20],
        }
    )
    assert verdicts.counts_verdict(counts, sizes).answer == "yes"
    counts.loc[0, "pixels"] = 8
    lost = verdicts.counts_verdict(counts, sizes)
    assert lost.answer == "no"
    assert "14 counted, 15 labelled" in lost.found


@pytest.mark.parametrize(
    ("aurocs", "answer"),
    [((0.9, 0.95), "yes"), ((0.9, 0.84), "undecided"), ((0.9, 0.7), "partly"), ((0.5,), "no")],
)
def test_factors_need_their_auroc_in_every_area(aurocs, answer):
    assert verdicts.factors_verdict(fakes.chosen(aurocs), None, "").answer == answer


def test_an_auroc_is_judged_with_its_interval():
    holds = fakes.chosen((0.87,))  # from 0.84 to 0.90
    found = verdicts.factors_verdict(holds, None, "")
    assert found.answer == "undecided"
    assert "1 of 1 areas reach 0.85 and exceed their null, 0 of them beyond doubt" in found.found
    assert "99 % of fields 0.80, p = 0.005" in found.found
    few = fakes.chosen((0.97,)).assign(low=float("nan"), high=float("nan"), blocks=3)
    found = verdicts.factors_verdict(few, None, "")
    assert (found.answer, "0.97 (no interval: 3 blocks)" in found.found) == ("undecided", True)


def test_what_tells_areas_without_factors_is_said():
    found = verdicts.factors_verdict(fakes.chosen(), fakes.baselines(), "").found
    assert "the best single unit 3 of 3 (0.87 to 0.93)" in found
    assert "the patch's mean grey 1 of 3 (0.50 to 0.86)" in found
    assert "factors of the untrained network 0 of 3 (0.60 to 0.80)" in found


def test_an_auroc_below_the_null_does_not_count():
    frame = fakes.chosen((0.9,)).assign(above_null=False)
    assert verdicts.factors_verdict(frame, None, "").answer == "no"


def test_layers_of_factors_are_not_judged_as_areas():
    frame = pd.concat([fakes.chosen((0.9,)), fakes.chosen((0.2,)).assign(target="layer")])
    assert verdicts.factors_verdict(frame, None, "").answer == "yes"


def test_agreement_must_beat_both_nulls_on_every_slice():
    good, bad = fakes.agreement(0.3, 0.2), fakes.agreement(0.1, 0.2)
    assert verdicts.agreement_verdict("clusters", {1: good}, "").answer == "yes"
    assert verdicts.agreement_verdict("clusters", {1: good, 2: bad}, "").answer == "partly"
    found = verdicts.agreement_verdict("clusters", {2: bad}, "")
    assert found.answer == "no"
    assert "z=2: 0.10 (own bands moved: median 0.10, 99 % 0.20; depth alone" in found.found


def test_too_few_different_surrogates_decide_nothing():
    good, few = fakes.agreement(0.3, 0.2), fakes.agreement(0.3, 0.2, effective=40)
    found = verdicts.agreement_verdict("clusters", {1: few}, "")
    assert found.answer == "undecided"
    assert "only 40 of them differ: cannot be decided at 1 %" in found.found
    assert verdicts.agreement_verdict("clusters", {1: good, 2: few}, "").answer == "undecided"
    few["effective"] = [40, 200]
    few["above"] = [True, False]
    assert verdicts.agreement_verdict("clusters", {1: few}, "").answer == "no"  # one null decides


def test_clusters_are_judged_by_their_paired_difference():
    near = fakes.mixture(cnn=(0.5, 0.4, 0.6), texture=(0.45, 0.3, 0.5))
    assert verdicts.clusters_verdict(near).answer == "undecided"
    far = fakes.mixture(cnn=(0.5, 0.4, 0.6), texture=(0.35, 0.3, 0.45))  # intervals overlap
    assert verdicts.clusters_verdict(far).answer == "yes"
    worse = fakes.mixture(cnn=(0.3, 0.2, 0.4), texture=(0.5, 0.4, 0.6))
    assert verdicts.clusters_verdict(worse).answer == "no"
    assert verdicts.clusters_verdict(near.iloc[:1]).answer == "not tested"


@pytest.mark.parametrize(
    ("low", "high", "answer"), [(0.01, 0.2, "yes"), (-0.1, 0.1, "undecided"), (-0.2, 0, "no")]
)
def test_training_is_judged_by_paired_differences(low, high, answer):
    frame = fakes.differences(low, high)
    assert verdicts.training_verdict(frame).answer == answer
    assert verdicts.training_verdict(frame[:0]).answer == "not tested"


def test_training_is_judged_over_all_assignments_where_there_are_several():
    first, all_of_them = fakes.differences(0.1, 0.2), fakes.differences(-0.2, -0.1)
    all_of_them.loc[0, "other_classifier"] = "rbf_svm"
    found = verdicts.training_verdict(first, all_of_them, 4)
    assert found.answer == "no"
    assert "mean of 4 assignments" in found.criterion
    assert "texture (logistic minus rbf_svm)" in found.found


def test_a_match_that_is_not_the_nearest_is_told():
    frame = fakes.matches((1, 1, 0.1, 1), (2, 2, 0.4, 1))
    assert verdicts.matches_verdict(frame, "").answer == "partly"


def test_matches_no_closer_than_random_bands_are_none():
    pairs = (1, 1, 0.1, 1), (2, 2, 0.1, 2)
    found = verdicts.matches_verdict(fakes.matches(*pairs), "")
    assert found.answer == "yes"
    assert "mean JS 0.10 (own bands moved: median 0.50, 1 % 0.30; depth alone" in found.found
    assert verdicts.matches_verdict(fakes.matches(*pairs, p=0.02), "").answer == "no"
    few = verdicts.matches_verdict(fakes.matches(*pairs, effective=40), "")
    assert few.answer == "undecided"
    assert "only 40 of them differ" in few.found
    far = verdicts.matches_verdict(fakes.matches((1, 1, 0.26, 1), (2, 2, 0.1, 2)), "")
    assert far.answer == "partly"


def test_intervals_say_what_they_leave_out():
    assert "given this one network" in numbers.interval_note(1)
    assert "spread over 3 seeds" in numbers.interval_note(3)


def test_assignments_of_blocks_are_averaged():
    runs = {"main": fakes.metrics(0.6, 0.5, 0.7, 0.4), "blocks1": fakes.metrics(0.8, 0.7, 0.9, 0.6)}
    found = {number.name: number for number in numbers.assignment_numbers(runs)}
    assert found["accuracy, test patches"].value == pytest.approx(0.7)
    assert "spread 0.14, 0.60 to 0.80; 2 assignments" in found["accuracy, test patches"].note
    assert found["recall, Ctx"].value == pytest.approx(0.5)
    assert numbers.assignment_numbers({"main": runs["main"]}) == []


def test_new_brains_are_averaged():
    found = numbers.brain_numbers(fakes.new_brains(0.78, 0.84))
    assert found[0].value == pytest.approx(0.81)
    assert found[0].note.startswith("spread 0.04, 0.78 to 0.84; 200 patches of 2 brains")
    told = verdicts.accuracy_verdict(
        {"main": fakes.metrics(0.9, 0.8, 0.95)}, 1 / 6, fakes.new_brains(0.78, 0.84)
    )
    assert "2 new brains: mean 0.81, spread 0.04" in told.found
    assert numbers.brain_numbers(None) == []


def test_the_most_confused_pairs_come_first():
    pairs = numbers.confused_pairs(fakes.confusion())
    assert len(pairs) == numbers.PAIRS
    assert (pairs[0]["area"], pairs[0]["predicted"], pairs[0]["count"]) == ("VP", "ZI", 50)
    assert pairs[0]["share"] == pytest.approx(50 / (70 + 50 + 4 * 6))
    assert all(pair["area"] != pair["predicted"] for pair in pairs)


def test_an_area_without_patches_confuses_nothing():
    frame = pd.DataFrame(
        [("A", "A", 0), ("A", "B", 0), ("B", "A", 2), ("B", "B", 2)],
        columns=["area", "predicted", "count"],
    )
    assert [pair["area"] for pair in numbers.confused_pairs(frame)] == ["B"]


def facts(**changes):
    return Facts(check_config(fakes.config(**changes), "test"))


def test_what_is_missing_and_why():
    bare = facts(
        layers=None,
        extraction={"slices": [5, 159], "where": "tissue"},
        training={"permuted_control": False},
    )
    gone = dict(missing_targets(bare, ["V1_overview", "V5_gram"]))
    assert "no layers" in gone["agreement with layers, layer factors"]
    assert "not annotated" in gone["accuracy at scale of slice 5"]
    assert "off" in gone["control with permuted labels"]
    assert not any(key.startswith(("figure V1", "figure V5")) for key in gone)
    assert gone["figure V3_scale (areas at scale)"] == "the fitted slice 5 is not annotated"
    assert gone["figure learning_curves (learning curves)"] == "it was not drawn"


def test_layers_of_some_slices_only_are_told():
    partly = facts(
        extraction={"slices": [259, 159]},
        readout={"degradation_patches": 9},
        factorization={"sweep": [5, 10]},
    )
    gone = dict(missing_targets(partly, partly.figures))
    assert gone.pop("control with nonsense areas") == "training.nonsense_control is off"
    assert gone == {"layers of slice 159": "no layer labels for it"}


def test_nothing_is_missing_from_a_whole_run():
    whole = facts(
        training={"nonsense_control": True},
        readout={"degradation_patches": 9},
        factorization={"sweep": [5, 10]},
    )
    assert missing_targets(whole, whole.figures) == []


def test_a_borrowed_network_without_its_file_is_told():
    lent = {"name": "lent", "model": "my.module:build", "layer": "last", "weights": "not/there"}
    without = facts(readout={"networks": ["cnn", "lent"], "borrowed": [lent]})
    gone = dict(missing_targets(without, without.figures))
    assert gone["network lent"] == "its weights are not there (not/there)"
