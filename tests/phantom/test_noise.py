from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from brainarch.phantom import noise
from brainarch.phantom.hashing import gaussian, hash_cell, uniform


@pytest.mark.parametrize("k", range(5))
def test_bands_are_standardised_and_peak_at_their_frequency(k):
    volume = noise.band_volumes(3)[k].astype(float)
    assert volume.mean() == pytest.approx(0, abs=0.3)
    assert volume.std() == pytest.approx(noise.STEPS_PER_STD, rel=0.02)
    spectrum = np.abs(np.fft.fftn(volume)) ** 2
    axes = np.meshgrid(*(np.fft.fftfreq(n) for n in volume.shape), indexing="ij")
    radius = np.sqrt(sum(a**2 for a in axes))
    edges = np.linspace(0.005, 0.45, 60)
    power = [
        spectrum[(radius >= a) & (radius < b)].mean() if np.any((radius >= a) & (radius < b)) else 0
        for a, b in pairwise(edges)
    ]
    peak = edges[int(np.argmax(power))]
    assert peak == pytest.approx(noise.BAND_FREQUENCIES[k], rel=0.25, abs=0.01)


def test_band_periods_share_no_divisor():
    for axis in range(3):
        periods = [shape[axis] for shape in noise.BAND_SHAPES]
        for i, first in enumerate(periods):
            for second in periods[i + 1 :]:
                assert np.gcd(first, second) == 1


def test_fibre_noise_is_smooth_along_and_rough_across():
    single, bundle = noise.fibre_volumes(0)
    for volume in (single, bundle):
        values = volume.astype(float)
        along = np.mean((values - np.roll(values, 1, axis=0)) ** 2)
        across = np.mean((values - np.roll(values, 1, axis=1)) ** 2)
        assert along < 0.5 * across


def test_reconstruction_noise_is_white_along_x_only():
    values = noise.reconstruction_volume(0).astype(float)
    near = [np.mean(values * np.roll(values, 1, axis=axis)) / values.var() for axis in range(3)]
    assert near[0] > 0.6
    assert near[1] > 0.6
    assert abs(near[2]) < 0.02


def test_volumes_depend_on_the_seed_only():
    first = noise.fibre_volumes(5)[0].copy()
    noise.fibre_volumes.cache_clear()
    np.testing.assert_array_equal(first, noise.fibre_volumes(5)[0])
    assert np.mean(first != noise.fibre_volumes(6)[0]) > 0.9


def test_hash_is_uniform_and_its_neighbours_are_independent():
    seed = np.uint64(7)
    states = [np.uint64(hash_cell(seed, 1, 0, y, x)) for y in range(120) for x in range(120)]
    values = np.array([uniform(state) for state in states]).reshape(120, 120)
    assert values.mean() == pytest.approx(0.5, abs=0.01)
    assert values.std() == pytest.approx(np.sqrt(1 / 12), abs=0.01)
    counts = np.histogram(values, 20, (0, 1))[0]
    assert counts.min() > 0.8 * counts.mean()
    centred = values - values.mean()
    for shift in ((0, 1), (1, 0), (1, 1)):
        assert abs(np.mean(centred * np.roll(centred, shift, (0, 1)))) < 0.004
    normal = np.array([gaussian(state) for state in states])
    assert normal.mean() == pytest.approx(0, abs=0.03)
    assert normal.std() == pytest.approx(1, abs=0.03)


def test_hash_tells_negative_positions_and_salts_apart():
    seed = np.uint64(1)
    states = {hash_cell(seed, s, z, 0, 0) for s in (1, 2) for z in (-2, -1, 0, 1)}
    assert len(states) == 8
