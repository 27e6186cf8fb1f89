"""The texture, cells and vessels of each tissue class, calibrated to the published slice.

Grey values are of the 8-bit published slice z=159 (Prasad et al. 2020); the amplitudes were fitted
so that the rendered phantom reproduces the statistics in ``reference.json``.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, replace

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Texture:
    """Neuropil and fibres of a class, in grey levels and micrometres, before the imaging blur.

    Attributes
    ----------
    base : float
        Grey of the neuropil.
    bands : tuple of float
        Standard deviations of the isotropic noise bands, fine to coarse.
    fibre : float
        Standard deviation of the oriented noise of single fibres.
    fibre_width, fibre_length : float
        Size in um of one sample of the fibre noise across and along (8 samples are a wavelength).
    bundle : float
        Grey level by which a bundle exceeds the neuropil.
    bundle_threshold : float
        Bundle noise, in standard deviations, above which a voxel belongs to a bundle.
    bundle_edge : float
        Width of the bundle's edge, in standard deviations of the bundle noise.
    bundle_width, bundle_length : float
        As ``fibre_width`` and ``fibre_length``, for the bundle noise.
    drift : float
        Standard deviation of the slow change of grey over hundreds of um.
    variation : float
        Standard deviation of the natural logarithm of the texture's strength, over as long; bundles
        become more and less frequent with it.
    """

    base: float
    bands: tuple[float, float, float, float, float]
    fibre: float
    fibre_width: float
    fibre_length: float
    bundle: float
    bundle_threshold: float
    bundle_edge: float
    bundle_width: float
    bundle_length: float
    drift: float
    variation: float


@dataclass(frozen=True)
class Cells:
    """Cell bodies of a class.

    Attributes
    ----------
    density : float
        Cells per mm^3.
    radius_um, radius_spread : float
        Median radius, and the standard deviation of its natural logarithm.
    darkness : float
        Grey levels by which the cytoplasm lies below the neuropil.
    nucleus : float
        Part of that darkness which the nucleus lacks.
    elongation : float
        Mean ratio of the long to the short axes.
    """

    density: float
    radius_um: float
    radius_spread: float
    darkness: float
    nucleus: float
    elongation: float


@dataclass(frozen=True)
class Vessels:
    """Vessels of a class: probabilities that two neighbouring nodes of a network are joined."""

    capillary: float
    large: float


NO_BANDS = (0.0, 0.0, 0.0, 0.0, 0.0)
WHITE_MATTER = Texture(
    169.5, (14.8, 7.0, 11.5, 1.0, 4.5), 34.0, 0.65, 10.0, -42.0, 1.6, 0.9, 1.3, 8.0, 8.0, 0.2
)
CORTEX = Texture(
    119.0, (18.5, 16.5, 8.5, 0.3, 0.0), 24.0, 0.65, 4.5, 0.0, 9.0, 1.0, 1.0, 6.0, 2.0, 0.05
)


def _cortex(base: float, strength: float, fibre: float) -> Texture:
    """Return the texture of a layer, whose bands and fibres are stronger or weaker than `CORTEX`'s.

    Mean and local contrast follow the depth profile of the real slice; that fibres grow towards the
    white matter is ours.
    """
    fine, middle, coarse, *rest = CORTEX.bands
    return replace(
        CORTEX,
        base=base,
        bands=(strength * fine, strength * middle, strength * coarse, rest[0], rest[1]),
        fibre=fibre * CORTEX.fibre,
    )


TEXTURES = (
    Texture(2.0, NO_BANDS, 0.0, 1.0, 6.0, 0.0, 9.0, 1.0, 1.0, 6.0, 0.0, 0.0),
    Texture(
        132.0, (18.5, 14.0, 8.0, 1.3, 6.3), 38.0, 0.65, 4.5, 44.0, 1.7, 0.6, 1.2, 24.0, 3.5, 0.25
    ),
    Texture(
        146.0, (20.0, 20.0, 3.0, 0.4, 0.3), 42.0, 0.7, 3.5, 20.0, 1.2, 0.9, 2.0, 14.0, 7.5, 0.08
    ),
    Texture(
        145.0, (20.0, 8.5, 15.5, 0.6, 2.0), 33.0, 0.65, 9.0, 42.0, 0.8, 0.55, 2.9, 42.0, 10.0, 0.2
    ),
    Texture(
        142.5, (18.0, 8.0, 14.0, 1.0, 2.0), 33.0, 0.65, 9.0, 32.0, 0.6, 0.7, 2.4, 36.0, 10.0, 0.2
    ),
    WHITE_MATTER,
    Texture(
        121.0, (19.5, 12.0, 11.5, 0.6, 4.0), 22.0, 0.65, 4.5, 76.0, 1.3, 0.3, 4.3, 14.0, 7.0, 0.3
    ),
    WHITE_MATTER,
    _cortex(124.0, 1.03, 1.35),
    _cortex(119.0, 0.93, 1.15),
    _cortex(124.0, 1.38, 0.95),
    _cortex(119.0, 0.93, 0.6),
    _cortex(113.0, 0.42, 0.6),
)
_CTX_DENSITY = 64000.0
CELLS = (
    Cells(0.0, 1.0, 0.0, 0.0, 0.0, 1.0),
    Cells(24000.0, 5.8, 0.22, 72.0, 0.5, 1.15),
    Cells(61000.0, 6.4, 0.22, 82.0, 0.5, 1.25),
    Cells(30500.0, 6.4, 0.20, 98.0, 0.5, 1.2),
    Cells(30000.0, 6.0, 0.20, 94.0, 0.5, 1.4),
    Cells(70000.0, 3.0, 0.22, 105.0, 0.0, 2.0),
    Cells(57000.0, 5.3, 0.18, 74.0, 0.3, 1.1),
    Cells(70000.0, 3.0, 0.22, 105.0, 0.0, 2.0),
    Cells(_CTX_DENSITY * 0.85, 5.0, 0.18, 60.0, 0.3, 1.15),
    Cells(_CTX_DENSITY * 0.69, 6.2, 0.26, 62.0, 0.4, 1.15),
    Cells(_CTX_DENSITY * 1.68, 4.7, 0.14, 60.0, 0.25, 1.05),
    Cells(_CTX_DENSITY * 1.05, 5.1, 0.16, 60.0, 0.3, 1.1),
    Cells(_CTX_DENSITY * 0.25, 4.4, 0.16, 52.0, 0.1, 1.0),
)
VESSELS = (
    Vessels(0.0, 0.0),
    Vessels(0.42, 0.08),
    Vessels(1.0, 0.03),
    Vessels(0.8, 0.06),
    Vessels(0.55, 0.05),
    Vessels(0.2, 0.004),
    Vessels(0.42, 0.2),
    Vessels(0.2, 0.004),
    Vessels(0.42, 0.004),
    Vessels(0.425, 0.003),
    Vessels(0.5, 0.004),
    Vessels(0.425, 0.003),
    Vessels(0.42, 0.03),
)
#: Columns of `texture_table`; five bands from `FIRST_BAND` on.
BASE, FIRST_BAND, FIBRE, FIBRE_ACROSS, FIBRE_ALONG = 0, 1, 6, 7, 8
BUNDLE, BUNDLE_THRESHOLD, BUNDLE_EDGE, BUNDLE_ACROSS, BUNDLE_ALONG = 9, 10, 11, 12, 13
DRIFT, VARIATION = 14, 15
#: A bundle threshold from here on means that there are none.
NO_BUNDLES = 5.0


def texture_table(voxel_um: float) -> NDArray[np.float32]:
    """Return the textures as float32 (n_classes, 16), sizes as samples per px."""
    rows = [
        (
            t.base,
            *t.bands,
            t.fibre,
            voxel_um / t.fibre_width,
            voxel_um / t.fibre_length,
            t.bundle,
            t.bundle_threshold,
            t.bundle_edge,
            voxel_um / t.bundle_width,
            voxel_um / t.bundle_length,
            t.drift,
            t.variation,
        )
        for t in TEXTURES
    ]
    return np.array(rows, np.float32)


def cell_table(voxel_um: float) -> NDArray[np.float32]:
    """Return the cells as float32 (n_classes, 6): per voxel, radius in px, spread, and the rest."""
    rows = [
        (c.density * (voxel_um * 1e-3) ** 3, c.radius_um / voxel_um, *astuple(c)[2:]) for c in CELLS
    ]
    return np.array(rows, np.float32)


def vessel_table() -> NDArray[np.float32]:
    """Return the vessels as float32 (n_classes, 2): capillary and large-vessel probability."""
    return np.array([astuple(v) for v in VESSELS], np.float32)
