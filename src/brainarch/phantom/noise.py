"""Periodic noise volumes, made once a seed, that the texture kernels look up."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from brainarch.seeds import generator

#: Quantisation of the noise volumes: this many int8 steps are one standard deviation.
STEPS_PER_STD = 30.0
#: Centre frequencies, in cycles/px, of the isotropic bands of the neuropil texture (ours).
BAND_FREQUENCIES = (0.21, 0.135, 0.085, 0.048, 0.024)
#: Width of a band: standard deviation of the natural logarithm of its frequency (ours).
BAND_WIDTH = 0.33
#: Shapes of the band volumes. The extents along an axis are pairwise co-prime, so that the sum
#: repeats only after their product; coarser bands have longer periods.
BAND_SHAPES = ((55, 117, 245), (56, 121, 256), (57, 125, 243), (61, 128, 253), (71, 133, 289))
#: Shape of the reconstruction noise.
RECONSTRUCTION_SHAPE = (59, 139, 271)
#: Its log10 power along y against cycles/px, as measured in the real slice; and its smoothness in
#: px along z, which one slice cannot tell (ours).
RECONSTRUCTION_POWER = (
    (0.0, 0.0), (0.016, -0.1), (0.031, -0.17), (0.062, -0.27), (0.094, -0.42), (0.125, -0.6),
    (0.156, -0.78), (0.188, -0.98), (0.219, -1.22), (0.25, -1.5), (0.281, -1.8), (0.312, -2.1),
    (0.36, -2.7), (0.5, -4.0),
)  # fmt: skip
RECONSTRUCTION_PX = 1.35
#: Shape (along, across, across) of the fibre volumes; powers of two, for cheap wrapping.
FIBRE_SHAPE = (64, 128, 64)


def _frequencies(shape: tuple[int, int, int]) -> tuple[NDArray[np.float64], ...]:
    return (
        fft.fftfreq(shape[0])[:, None, None],
        fft.fftfreq(shape[1])[None, :, None],
        fft.rfftfreq(shape[2])[None, None, :],
    )


def _shaped(
    amplitude: NDArray[np.float64], shape: tuple[int, int, int], rng: np.random.Generator
) -> NDArray[np.int8]:
    """Return white noise filtered by ``amplitude`` (half spectrum), standardised and quantised."""
    white = rng.standard_normal(shape, dtype=np.float32)
    values = fft.irfftn(fft.rfftn(white) * amplitude.astype(np.float32), s=shape)
    values -= values.mean()
    values *= STEPS_PER_STD / values.std()
    rounded: NDArray[np.int8] = np.clip(np.rint(values), -127, 127).astype(np.int8)
    return rounded


@lru_cache(maxsize=2)
def band_volumes(seed: int) -> tuple[NDArray[np.int8], ...]:
    """Return the isotropic bands, one int8 volume (z, y, x) a band, of zero mean.

    Parameters
    ----------
    seed : int
        The phantom's seed.
    """
    volumes = []
    for k, (frequency, shape) in enumerate(zip(BAND_FREQUENCIES, BAND_SHAPES, strict=True)):
        fz, fy, fx = _frequencies(shape)
        radius = np.sqrt(fz**2 + fy**2 + fx**2)
        radius[0, 0, 0] = 1e-9
        amplitude = np.exp(-0.5 * (np.log(radius / frequency) / BAND_WIDTH) ** 2)
        volumes.append(_shaped(amplitude, shape, generator(seed, f"phantom band {k}")))
    return tuple(volumes)


@lru_cache(maxsize=2)
def reconstruction_volume(seed: int) -> NDArray[np.int8]:
    """Return the noise of the tomographic reconstruction, int8 (z, y, x).

    The rotation axis lies along x: each (z, y) plane is reconstructed alone, so the noise is white
    along x and smooth in the plane, as in the real slice.
    """
    fz, fy, fx = _frequencies(RECONSTRUCTION_SHAPE)
    along_y = 10 ** (0.5 * np.interp(np.abs(fy), *np.array(RECONSTRUCTION_POWER).T))
    along_z = np.exp(-2 * (np.pi * RECONSTRUCTION_PX * fz) ** 2)
    amplitude = along_z * along_y + 0 * fx
    return _shaped(amplitude, RECONSTRUCTION_SHAPE, generator(seed, "phantom reconstruction"))


@lru_cache(maxsize=2)
def fibre_volumes(seed: int) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """Return the noise of single fibres and of bundles, int8 of `FIBRE_SHAPE`.

    The first axis runs along the fibres. Single fibres have wavelengths of about 8 samples across;
    bundles are blobs of 8 to 30 samples across. Both are smooth along the fibres; the kernels
    stretch that axis further.
    """
    fu, fv, fw = _frequencies(FIBRE_SHAPE)
    across = np.sqrt(fv**2 + fw**2)
    along = np.exp(-0.5 * (fu / 0.05) ** 2) + 0 * across
    safe = np.maximum(across, 1e-9)
    single = along * np.exp(-0.5 * (np.log(safe / 0.125) / 0.4) ** 2)
    bundle = along * np.exp(-0.5 * (np.log(safe / 0.06) / 0.55) ** 2)
    return (
        _shaped(single, FIBRE_SHAPE, generator(seed, "phantom fibres")),
        _shaped(bundle, FIBRE_SHAPE, generator(seed, "phantom bundles")),
    )
