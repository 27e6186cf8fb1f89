"""The texture, cells and vessels of each tissue class, calibrated to the published slice.

Grey values are of the 8-bit published slice z=159 (Prasad et al. 2020); the amplitudes were fitted
so that the rendered phantom reproduces the statistics in ``reference.json``.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, replace

import numpy as np
from numpy.typing import NDArray

from brainarch.phantom import anatomy


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


WHITE_MATTER = Texture(
    base=169.5,
    bands=(14.8, 7.0, 11.5, 1.0, 4.5),
    fibre=34.0,
    fibre_width=0.65,
    fibre_length=10.0,
    bundle=-42.0,
    bundle_threshold=1.6,
    bundle_edge=0.9,
    bundle_width=1.3,
    bundle_length=8.0,
    drift=9.0,
    variation=0.3,
)
CORTEX = Texture(
    base=119.0,
    bands=(18.5, 17.0, 6.5, 0.3, 0.0),
    fibre=24.0,
    fibre_width=0.65,
    fibre_length=4.5,
    bundle=0.0,
    bundle_threshold=9.0,
    bundle_edge=1.0,
    bundle_width=1.0,
    bundle_length=6.0,
    drift=2.0,
    variation=0.05,
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


#: In the order of `anatomy.CLASSES`, as are the tables below.
TEXTURES = (
    # background
    Texture(
        base=2.0,
        bands=(0.0, 0.0, 0.0, 0.0, 0.0),
        fibre=0.0,
        fibre_width=1.0,
        fibre_length=6.0,
        bundle=0.0,
        bundle_threshold=9.0,
        bundle_edge=1.0,
        bundle_width=1.0,
        bundle_length=6.0,
        drift=0.0,
        variation=0.0,
    ),
    # HypoTh
    Texture(
        base=132.0,
        bands=(18.5, 14.0, 8.0, 1.3, 6.3),
        fibre=38.0,
        fibre_width=0.65,
        fibre_length=4.5,
        bundle=44.0,
        bundle_threshold=1.7,
        bundle_edge=0.6,
        bundle_width=1.2,
        bundle_length=24.0,
        drift=4.0,
        variation=0.35,
    ),
    # ZI
    Texture(
        base=146.0,
        bands=(20.0, 20.0, 3.0, 0.4, 0.3),
        fibre=42.0,
        fibre_width=0.7,
        fibre_length=3.5,
        bundle=20.0,
        bundle_threshold=1.2,
        bundle_edge=0.9,
        bundle_width=2.0,
        bundle_length=14.0,
        drift=9.0,
        variation=0.22,
    ),
    # VP
    Texture(
        base=145.0,
        bands=(20.0, 8.5, 15.5, 0.6, 2.0),
        fibre=33.0,
        fibre_width=0.65,
        fibre_length=9.0,
        bundle=42.0,
        bundle_threshold=0.8,
        bundle_edge=0.55,
        bundle_width=2.9,
        bundle_length=42.0,
        drift=12.0,
        variation=0.32,
    ),
    # TRN
    Texture(
        base=142.5,
        bands=(18.0, 8.0, 14.0, 1.0, 2.0),
        fibre=33.0,
        fibre_width=0.65,
        fibre_length=9.0,
        bundle=32.0,
        bundle_threshold=0.6,
        bundle_edge=0.7,
        bundle_width=2.4,
        bundle_length=36.0,
        drift=10.0,
        variation=0.2,
    ),
    # internal capsule
    WHITE_MATTER,
    # Str
    Texture(
        base=121.0,
        bands=(19.5, 12.0, 11.5, 0.6, 4.0),
        fibre=22.0,
        fibre_width=0.65,
        fibre_length=4.5,
        bundle=76.0,
        bundle_threshold=1.3,
        bundle_edge=0.3,
        bundle_width=4.3,
        bundle_length=14.0,
        drift=8.0,
        variation=0.35,
    ),
    # corpus callosum
    WHITE_MATTER,
    # L6
    _cortex(base=124.0, strength=1.03, fibre=1.35),
    # L5
    _cortex(base=119.0, strength=0.93, fibre=1.15),
    # L4
    _cortex(base=124.0, strength=1.38, fibre=0.95),
    # L2/3
    _cortex(base=119.0, strength=0.93, fibre=0.6),
    # L1
    _cortex(base=113.0, strength=0.42, fibre=0.6),
)
#: Cells per mm^3 of the cortex; layers have `anatomy.LAYER_RELATIVE_DENSITY` times as many.
CORTEX_DENSITY = 64000.0


def _layer(
    name: str,
    radius_um: float,
    radius_spread: float,
    darkness: float,
    nucleus: float,
    elongation: float,
) -> Cells:
    """Return the cells of a cortical layer."""
    density = CORTEX_DENSITY * anatomy.LAYER_RELATIVE_DENSITY[name]
    return Cells(density, radius_um, radius_spread, darkness, nucleus, elongation)


CELLS = (
    # background
    Cells(
        density=0.0,
        radius_um=1.0,
        radius_spread=0.0,
        darkness=0.0,
        nucleus=0.0,
        elongation=1.0,
    ),
    # HypoTh
    Cells(
        density=24000.0,
        radius_um=5.8,
        radius_spread=0.22,
        darkness=72.0,
        nucleus=0.5,
        elongation=1.15,
    ),
    # ZI
    Cells(
        density=61000.0,
        radius_um=6.4,
        radius_spread=0.22,
        darkness=77.0,
        nucleus=0.5,
        elongation=1.25,
    ),
    # VP
    Cells(
        density=30500.0,
        radius_um=6.4,
        radius_spread=0.2,
        darkness=98.0,
        nucleus=0.5,
        elongation=1.2,
    ),
    # TRN
    Cells(
        density=30000.0,
        radius_um=6.0,
        radius_spread=0.2,
        darkness=94.0,
        nucleus=0.5,
        elongation=1.4,
    ),
    # internal capsule
    Cells(
        density=70000.0,
        radius_um=3.0,
        radius_spread=0.22,
        darkness=105.0,
        nucleus=0.0,
        elongation=2.0,
    ),
    # Str
    Cells(
        density=57000.0,
        radius_um=5.3,
        radius_spread=0.18,
        darkness=74.0,
        nucleus=0.3,
        elongation=1.1,
    ),
    # corpus callosum
    Cells(
        density=70000.0,
        radius_um=3.0,
        radius_spread=0.22,
        darkness=105.0,
        nucleus=0.0,
        elongation=2.0,
    ),
    # L6
    _layer("L6", radius_um=5.0, radius_spread=0.18, darkness=60.0, nucleus=0.3, elongation=1.15),
    # L5
    _layer("L5", radius_um=6.2, radius_spread=0.26, darkness=62.0, nucleus=0.4, elongation=1.15),
    # L4
    _layer("L4", radius_um=4.7, radius_spread=0.14, darkness=60.0, nucleus=0.25, elongation=1.05),
    # L2/3
    _layer("L2/3", radius_um=5.1, radius_spread=0.16, darkness=60.0, nucleus=0.3, elongation=1.1),
    # L1
    _layer("L1", radius_um=4.4, radius_spread=0.16, darkness=52.0, nucleus=0.1, elongation=1.0),
)
VESSELS = (
    # background
    Vessels(
        capillary=0.0,
        large=0.0,
    ),
    # HypoTh
    Vessels(
        capillary=0.42,
        large=0.03,
    ),
    # ZI
    Vessels(
        capillary=1.0,
        large=0.008,
    ),
    # VP
    Vessels(
        capillary=0.8,
        large=0.05,
    ),
    # TRN
    Vessels(
        capillary=0.55,
        large=0.05,
    ),
    # internal capsule
    Vessels(
        capillary=0.2,
        large=0.004,
    ),
    # Str
    Vessels(
        capillary=0.42,
        large=0.2,
    ),
    # corpus callosum
    Vessels(
        capillary=0.2,
        large=0.004,
    ),
    # L6
    Vessels(
        capillary=0.4,
        large=0.002,
    ),
    # L5
    Vessels(
        capillary=0.4,
        large=0.002,
    ),
    # L4
    Vessels(
        capillary=0.46,
        large=0.002,
    ),
    # L2/3
    Vessels(
        capillary=0.4,
        large=0.002,
    ),
    # L1
    Vessels(
        capillary=0.4,
        large=0.01,
    ),
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
