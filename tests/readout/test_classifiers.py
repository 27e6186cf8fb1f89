from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from brainarch.embedding.representations import NoisyRepresentations
from brainarch.readout import classifiers
from brainarch.readout.convergence import fit_checked
from brainarch.readout.degradation import DEGRADATION_COLUMNS, degradation_table

INTERVAL = {"resamples": 1000, "block_px": 1000, "seed": 0}


def table(train, test, seed=0):
    fitted = classifiers.fit_classifiers({"cnn": train})
    scored = {"test": {"cnn": test}}
    return classifiers.classifier_table(fitted, scored, **{**INTERVAL, "seed": seed})


def test_separate_areas_are_told_apart(make, planted):
    found = table(make(*planted(0)), make(*planted(1)))
    assert found["classifier"].tolist() == ["logistic", "linear_svm", "rbf_svm"]
    assert (found["accuracy"] > 0.98).all()
    assert found["converged"].all()
    assert (found["patches"] == 120).all()
    assert (found["blocks"] == 10).all()


def test_permuted_labels_end_at_chance(make, planted):
    rng = np.random.default_rng(5)
    values, area = planted(0, n=200)
    held, truth = planted(1, n=200)
    found = table(make(values, rng.permutation(area)), make(held, truth))
    # Three areas; 0.12 is far beyond the binomial spread of 600 patches in three clusters.
    assert (abs(found["accuracy"] - 1 / 3) < 0.12).all()


def test_only_the_rbf_svm_solves_a_ring(make):
    rng = np.random.default_rng(0)

    def ring(n):
        area = np.arange(n) % 2
        angle, radius = rng.random(n) * 2 * np.pi, 1 + 2 * area + 0.2 * rng.normal(size=n)
        return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1), area

    found = table(make(*ring(300)), make(*ring(300))).set_index("classifier")["accuracy"]
    assert found["rbf_svm"] > 0.95
    assert found["logistic"] < 0.7
    assert found["linear_svm"] < 0.7


def test_scale_of_units_does_not_matter(make, planted):
    values, area = planted(0, apart=2)
    held, truth = planted(1, apart=2)
    scale = 10.0 ** np.arange(-3, 3)
    first = table(make(values, area), make(held, truth), seed=1)
    second = table(make(values * scale, area), make(held * scale, truth), seed=1)
    np.testing.assert_allclose(first["accuracy"], second["accuracy"], atol=0.01)


def test_intervals_come_from_blocks(make, planted):
    values, area = planted(0, apart=2)
    held, truth = planted(1, apart=2)
    few = table(make(values, area), make(held, truth, block=np.arange(120) // 12))
    many = table(make(values, area), make(held, truth, block=np.arange(120)))
    one = table(make(values, area), make(held, truth, block=np.zeros(120)))
    assert (many["low"] < many["accuracy"]).all()
    assert (many["accuracy"] < many["high"]).all()
    assert not np.allclose(few["low"], many["low"])
    assert one[["low", "high"]].isna().all().all()


def test_noise_curve_starts_at_the_clean_accuracy_and_falls(make, planted):
    rng = np.random.default_rng(0)
    train, test = make(*planted(0)), make(*planted(1))
    louder = make(test.values + rng.normal(scale=40, size=test.values.shape), test.area)
    noisy = {"cnn": NoisyRepresentations(np.array([0.0, 0.1]), (test, louder))}
    fitted = classifiers.fit_classifiers({"cnn": train, "texture": train})
    found = classifiers.noise_table(fitted, noisy, **INTERVAL)
    assert set(found["network"]) == {"cnn"}
    assert len(found) == 6
    clean = classifiers.classifier_table(
        fitted, {"test": {"cnn": test, "texture": test}}, **INTERVAL
    )
    for name in ("logistic", "linear_svm", "rbf_svm"):
        curve = found[found["classifier"] == name].set_index("variance")["accuracy"]
        assert curve[0.0] == clean[clean["classifier"] == name]["accuracy"].iloc[0]
        assert curve[0.1] < curve[0.0] - 0.2


def test_head_row_counts_right_predictions(make, planted):
    values, area = planted(0)
    predicted = area.copy()
    predicted[:30] = 2
    row = classifiers.head_row("cnn", predicted, make(values, area), **INTERVAL).iloc[0]
    assert row["classifier"] == "cnn"
    assert row["accuracy"] == pytest.approx(90 / 120)


def test_a_fit_that_stops_early_is_recorded(planted, caplog):
    values, area = planted(0, apart=1)
    model = LogisticRegression(max_iter=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not fit_checked(model, values, area, name="logistic on cnn")
        assert "logistic on cnn: did not converge" in caplog.text
        assert fit_checked(LogisticRegression(max_iter=1000), values, area, name="longer")


def test_other_warnings_are_passed_on():
    class Noisy:
        def fit(self):
            warnings.warn("look", UserWarning, stacklevel=1)
            warnings.warn("slow", ConvergenceWarning, stacklevel=1)

    with pytest.warns(UserWarning, match="look") as seen:
        assert not fit_checked(Noisy(), name="noisy")
    assert len(seen) == 1


def test_the_table_shows_what_did_not_converge(make, planted, monkeypatch):
    monkeypatch.setattr(classifiers, "MAX_ITERATIONS", 1)
    found = table(make(*planted(0, apart=1)), make(*planted(1, apart=1)))
    assert found.set_index("classifier")["converged"].to_dict() == {
        "logistic": False,
        "linear_svm": False,
        "rbf_svm": True,
    }


def test_degraded_patches_are_scored_by_what_was_fitted_on_clean_ones(make, planted):
    values, area = planted(0)
    train = {"cnn": make(values, area)}
    shifted = make(np.roll(values, 1, axis=1), area)  # every area looks like another one
    found = degradation_table(
        train,
        {"cnn": {"none": train["cnn"], "blur_0.5": shifted}},
        resamples=100,
        block_px=1000,
        seed=0,
    )
    assert list(found.columns) == list(DEGRADATION_COLUMNS)
    clean, blurred = (found[found["change"] == change] for change in ("none", "blur"))
    assert (clean["accuracy"] > 0.98).all()
    assert clean["level"].isna().all()
    assert (blurred["level"] == 0.5).all()
    assert (blurred["accuracy"] < 0.5).all()
