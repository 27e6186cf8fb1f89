"""Hand-crafted texture features of a patch: what classical image analysis offers (ours).

64 features of the 128 x 128 patch, without the window's context: grey values (9), grey-level
co-occurrence after Haralick (20), local binary patterns (20), and energies of gradients, blobs and
orientation at three scales (15). They have different units, so readouts scale them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.feature import graycomatrix, graycoprops

from brainarch.geometry import CONTEXT, PATCH, WINDOW
from brainarch.network.trained import TrainedNetwork

#: Grey values' percentiles.
PERCENTILES = (5, 25, 50, 75, 95)
#: Grey levels of the co-occurrence matrix.
LEVELS = 16
#: Distances of the co-occurrence matrix in pixels; its angles are averaged.
DISTANCES = (1, 2, 4, 8)
ANGLES = (0.0, np.pi / 4, np.pi / 2, 3 * np.pi / 4)
#: Haralick's properties, under scikit-image's names.
PROPERTIES = ("contrast", "homogeneity", "energy", "correlation", "entropy")
#: Radii of the local binary patterns in pixels, with eight neighbours each.
RADII = (1, 3)
NEIGHBOURS = 8
#: Difference of grey levels (of 256) that counts as none in a pattern.
TIE = 1e-3
#: Standard deviations of the Gaussians in pixels: about a cell's edge, a cell, a vessel.
SIGMAS = (1, 2, 4)
#: Side of the tiles in which a local orientation is taken, in pixels; divides the 126 pixels that
#: have neighbours on all sides.
TILE = 14
#: Windows handled together.
BATCH = 64


def _names() -> tuple[str, ...]:
    grey = ["grey_mean", "grey_std", "grey_skewness", "grey_kurtosis"]
    grey += [f"grey_p{share:02d}" for share in PERCENTILES]
    pairs = [f"glcm_{name}_{distance}px" for name in PROPERTIES for distance in DISTANCES]
    patterns = [f"lbp_r{radius}_{code}" for radius in RADII for code in range(NEIGHBOURS + 2)]
    kinds = ("gradient", "bright_blobs", "dark_blobs", "coherence_local", "coherence_patch")
    scales = [f"{kind}_{sigma}px" for sigma in SIGMAS for kind in kinds]
    return (*grey, *pairs, *patterns, *scales)


#: Names of all features, in order.
FEATURE_NAMES = _names()


class TextureDescriber:
    """Represents windows by `texture_features`."""

    @property
    def unit_names(self) -> tuple[str, ...]:
        """Names of the features."""
        return FEATURE_NAMES

    @property
    def commensurate(self) -> bool:
        """Grey levels, counts and shares have no common scale."""
        return False

    def describe(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the features, shape (n, 64), of windows of grey values in [0, 1]."""
        result = np.empty((len(windows), len(FEATURE_NAMES)), dtype=np.float32)
        inside = slice(CONTEXT, WINDOW - CONTEXT)
        for start in range(0, len(windows), BATCH):
            patches = windows[start : start + BATCH, inside, inside]
            result[start : start + BATCH] = texture_features(patches)
        return result


def texture_describer(_trained: TrainedNetwork, _seed: int) -> TextureDescriber:
    """Return the features as a describer; nothing of them is learnt or drawn."""
    return TextureDescriber()


def texture_features(patches: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the texture features of patches.

    Parameters
    ----------
    patches : ndarray of float32, shape (n, 128, 128)
        Grey values in [0, 1].

    Returns
    -------
    ndarray of float32, shape (n, 64)
        In the order of `FEATURE_NAMES`, always finite: what a constant patch leaves undefined
        (skewness, kurtosis, coherence) is 0, its co-occurrence correlation 1.
    """
    levels = np.rint(patches * 255).astype(np.uint8)
    parts = [
        _grey(patches),
        np.stack([_cooccurrence(patch) for patch in levels]),
        *(_patterns(levels, radius) for radius in RADII),
        *(_scale(patches, sigma) for sigma in SIGMAS),
    ]
    return np.concatenate(parts, axis=1).astype(np.float32)


def _grey(patches: NDArray[np.float32]) -> NDArray[np.float64]:
    flat = patches.reshape(len(patches), -1)
    mean = flat.mean(axis=1, dtype=np.float64)
    centred = flat - mean[:, None].astype(np.float32)
    squares = centred * centred
    variance = squares.mean(axis=1, dtype=np.float64)
    third = (squares * centred).mean(axis=1, dtype=np.float64)
    fourth = (squares * squares).mean(axis=1, dtype=np.float64)
    percentiles = np.percentile(flat, PERCENTILES, axis=1)
    moments = [
        mean,
        np.sqrt(variance),
        _divide(third, variance**1.5),
        _divide(fourth, variance**2),
    ]
    return np.stack([*moments, *percentiles], axis=1)


def _cooccurrence(patch: NDArray[np.uint8]) -> NDArray[np.float64]:
    coarse = patch // (256 // LEVELS)
    counts = graycomatrix(  # type: ignore[no-untyped-call]  # scikit-image has no types
        coarse, DISTANCES, ANGLES, levels=LEVELS, symmetric=True
    )
    properties = [
        graycoprops(counts, name)  # type: ignore[no-untyped-call]  # scikit-image has no types
        for name in PROPERTIES
    ]
    return np.concatenate([values.mean(axis=1) for values in properties])


def _patterns(levels: NDArray[np.uint8], radius: int) -> NDArray[np.float64]:
    """Return the shares of the ten uniform local binary patterns, shape (n, 10).

    The pattern of a pixel says which of eight neighbours on a circle are at least as bright. The
    codes are scikit-image's ("uniform"), taken where the whole circle lies inside the patch and
    for all patches at once, which is six times as fast.
    """
    grey = levels.astype(np.float32)
    side = PATCH - 2 * radius
    centre = grey[:, radius : radius + side, radius : radius + side]
    code = np.zeros(centre.shape, dtype=np.uint8)
    for neighbour in range(NEIGHBOURS):
        angle = 2 * np.pi * neighbour / NEIGHBOURS
        row = _shifted(grey, -radius * np.sin(angle), radius, axis=1)
        value = _shifted(row, radius * np.cos(angle), radius, axis=2)
        # Rounding must not decide where the grey value is the same all round.
        code |= (value >= centre - TIE).astype(np.uint8) << np.uint8(neighbour)
    uniform = _UNIFORM[code].reshape(len(levels), -1)
    offsets = np.arange(len(levels))[:, None] * _CODES
    counts = np.bincount((uniform + offsets).ravel(), minlength=len(levels) * _CODES)
    return counts.reshape(len(levels), _CODES) / (side * side)


def _shifted(
    values: NDArray[np.float32], shift: float, margin: int, axis: int
) -> NDArray[np.float32]:
    """Interpolate linearly at a shift along an axis and cut the margin off that axis."""
    shift = round(shift, 5)
    whole = int(np.floor(shift))
    fraction = np.float32(shift - whole)
    side = PATCH - 2 * margin
    below = np.take(values, range(margin + whole, margin + whole + side), axis=axis)
    if fraction == 0:
        return below
    start = margin + whole + 1
    above = np.take(values, range(start, start + side), axis=axis)
    return below + fraction * (above - below)


def _uniform_codes() -> NDArray[np.int64]:
    """Return the uniform code of each of the 256 patterns.

    A pattern with at most two changes round the circle has as its code its number of ones, 0 ... 8;
    all others share code 9.
    """
    codes = []
    for pattern in range(1 << NEIGHBOURS):
        bits = [pattern >> place & 1 for place in range(NEIGHBOURS)]
        changes = sum(bits[place] != bits[place - 1] for place in range(NEIGHBOURS))
        codes.append(sum(bits) if changes <= 2 else NEIGHBOURS + 1)
    return np.array(codes, dtype=np.int64)


_UNIFORM = _uniform_codes()
_CODES = NEIGHBOURS + 2


def _scale(patches: NDArray[np.float32], sigma: float) -> NDArray[np.float64]:
    """Return gradient, blob and orientation energies, shape (n, 5), at one scale.

    Derivatives are multiplied by sigma once (gradient) or twice (Laplacian), which makes them
    comparable between scales. Local coherence is that of tiles, patch coherence that of the whole
    patch: nerve fibres have both, cells neither.
    """
    smooth = ndimage.gaussian_filter(patches, sigma, axes=(1, 2), mode="reflect", truncate=3)
    centre = smooth[:, 1:-1, 1:-1]
    down, up = smooth[:, 2:, 1:-1], smooth[:, :-2, 1:-1]
    right, left = smooth[:, 1:-1, 2:], smooth[:, 1:-1, :-2]
    gy, gx = (down - up) * np.float32(sigma / 2), (right - left) * np.float32(sigma / 2)
    blobs = (down + up + right + left - 4 * centre) * np.float32(sigma * sigma)
    jyy, jxx, jxy = (_tile_sums(product) for product in (gy * gy, gx * gx, gy * gx))
    trace = jyy + jxx
    total = trace.sum(axis=1)
    local = np.hypot(jxx - jyy, 2 * jxy).sum(axis=1)
    whole = np.hypot((jxx - jyy).sum(axis=1), 2 * jxy.sum(axis=1))
    pixels = centre.shape[1] * centre.shape[2]
    return np.stack(
        [
            np.sqrt((gy * gy + gx * gx).mean(axis=(1, 2), dtype=np.float64)),
            # The Laplacian is negative on bright blobs and positive on dark ones.
            np.sqrt(np.square(np.minimum(blobs, 0)).sum(axis=(1, 2), dtype=np.float64) / pixels),
            np.sqrt(np.square(np.maximum(blobs, 0)).sum(axis=(1, 2), dtype=np.float64) / pixels),
            _divide(local, total),
            _divide(whole, total),
        ],
        axis=1,
    )


def _tile_sums(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """Sum over square tiles, (n, rows, columns) -> (n, tiles)."""
    n, rows, columns = values.shape
    tiles = values.reshape(n, rows // TILE, TILE, columns // TILE, TILE)
    sums: NDArray[np.float64] = tiles.sum(axis=(2, 4), dtype=np.float64).reshape(n, -1)
    return sums


def _divide(top: NDArray[np.float64], bottom: NDArray[np.float64]) -> NDArray[np.float64]:
    """Divide, with 0 where the denominator vanishes within float32 rounding."""
    return np.divide(top, bottom, out=np.zeros_like(top), where=bottom > 1e-14)
