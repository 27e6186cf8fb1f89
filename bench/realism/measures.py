"""How close a phantom is to a real slice: statistics of areas, and classifiers that try to tell.

The definitions are those of the published slice's measured statistics: the power spectrum is the
mean periodogram of 128 px patches that lie wholly inside an area, with the patch mean removed and a
Hann window, radially averaged in eight logarithmic bins (white noise of variance v gives log10 v);
cells are counted as 2-D components of at least 8 px.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.stats import skew
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from brainarch.geometry import PATCH

Byte = NDArray[np.uint8]
Float = NDArray[np.float64]

#: Edges of the eight frequency bins in cycles/px.
FREQUENCY_EDGES = np.geomspace(0.75 / PATCH, 0.5, 9)
#: Geometric centres of the bins, which name them.
FREQUENCIES = np.sqrt(FREQUENCY_EDGES[1:] * FREQUENCY_EDGES[:-1])
#: Smallest component in px that counts as a cell or vessel (as in the annotated fields).
MIN_COMPONENT_PX = 8
#: Side in px of the blocks of which none is split between training and test (ours).
BLOCK = 384
#: Step in px between the patches of a block that classifiers see (ours).
STEP = 32
#: Folds of blocks (ours).
FOLDS = 4


@dataclass(frozen=True)
class AreaStatistics:
    """Grey statistics of one area of one image.

    Attributes
    ----------
    pixels : int
        Pixels of the area.
    mean, std, skew : float
        Of the grey values of all its pixels.
    patches : int
        Patches behind the spectrum.
    log_power : float64 array (8,)
        log10 of the radially averaged power at `FREQUENCIES`; NaN without patches.
    patch_mean_std : float
        Standard deviation of the patches' mean grey.
    """

    pixels: int
    mean: float
    std: float
    skew: float
    patches: int
    log_power: Float
    patch_mean_std: float


def patch_corners(
    mask: NDArray[np.bool_], share: float, step: int, block: int | None = None
) -> NDArray[np.int64]:
    """Return the upper left corners, int64 (n, 2), of patches of which ``share`` is in the mask.

    Corners lie on a grid of ``step`` px. With ``block``, only patches that lie inside one square
    block of that side are kept.
    """
    n_y, n_x = mask.shape
    sums = np.zeros((n_y + 1, n_x + 1), np.int64)
    np.cumsum(np.cumsum(mask, axis=0, dtype=np.int64), axis=1, out=sums[1:, 1:])
    y = np.arange(0, n_y - PATCH + 1, step)
    x = np.arange(0, n_x - PATCH + 1, step)
    if block is not None:
        y = y[y % block <= block - PATCH]
        x = x[x % block <= block - PATCH]
    covered = (
        sums[np.ix_(y + PATCH, x + PATCH)]
        - sums[np.ix_(y, x + PATCH)]
        - sums[np.ix_(y + PATCH, x)]
        + sums[np.ix_(y, x)]
    )
    iy, ix = np.nonzero(covered >= share * PATCH * PATCH - 0.5)
    return np.stack([y[iy], x[ix]], axis=1)


def cut(image: Byte, corners: NDArray[np.int64]) -> Byte:
    """Return the patches at ``corners`` as uint8 (n, 128, 128)."""
    return np.stack([image[y : y + PATCH, x : x + PATCH] for y, x in corners])


def radial_log_power(patches: Byte) -> Float:
    """Return log10 of the mean radial power at `FREQUENCIES`, float64 (8,), of uint8 patches."""
    window = np.outer(np.hanning(PATCH), np.hanning(PATCH))
    power = np.zeros((PATCH, PATCH))
    for patch in patches:
        values = patch.astype(np.float64)
        power += np.abs(np.fft.fft2((values - values.mean()) * window)) ** 2
    power /= len(patches) * (window**2).sum()
    frequency = np.fft.fftfreq(PATCH)
    radius = np.hypot(frequency[:, None], frequency[None, :])
    means = [
        power[(radius >= low) & (radius < high)].mean() for low, high in pairwise(FREQUENCY_EDGES)
    ]
    return np.log10(np.maximum(means, 1e-12))


def area_statistics(
    images: Sequence[Byte], masks: Sequence[NDArray[np.bool_]], step: int = STEP
) -> AreaStatistics:
    """Return the grey statistics of one area on one or more slices, pooled.

    Parameters
    ----------
    images : sequence of uint8 arrays (n_y, n_x)
        The slices.
    masks : sequence of bool arrays (n_y, n_x)
        The pixels of the area on each.
    step : int
        Step in px between the patches behind the spectrum.
    """
    values = np.concatenate(
        [image[mask] for image, mask in zip(images, masks, strict=True)]
    ).astype(np.float64)
    corners = [patch_corners(mask, 1.0, step) for mask in masks]
    if sum(map(len, corners)):
        patches = np.concatenate(
            [cut(image, c) for image, c in zip(images, corners, strict=True) if len(c)]
        )
        power = radial_log_power(patches)
        spread = float(patches.mean(axis=(1, 2)).std())
    else:
        power, spread = np.full(len(FREQUENCIES), np.nan), float("nan")
    return AreaStatistics(
        len(values),
        float(values.mean()),
        float(values.std()),
        float(skew(values)),
        sum(map(len, corners)),
        power,
        spread,
    )


def component_density(
    structure: NDArray[np.bool_], mask: NDArray[np.bool_], voxel_um: float
) -> float:
    """Return the number per mm^2 of 2-D components of at least `MIN_COMPONENT_PX` in an area.

    Parameters
    ----------
    structure : bool array (n_y, n_x)
        Pixels of cells, or of vessels.
    mask : bool array (n_y, n_x)
        The area. A component counts where its centre of mass lies.
    voxel_um : float
        Edge of a pixel in um.
    """
    labels, n = ndimage.label(structure)
    if n == 0:
        return 0.0
    sizes = np.bincount(labels.ravel())[1:]
    centres = np.array(ndimage.center_of_mass(structure, labels, np.arange(1, n + 1)))
    iy, ix = np.rint(centres).astype(int).T
    counted = (sizes >= MIN_COMPONENT_PX) & mask[iy, ix]
    return float(counted.sum() / (mask.sum() * (voxel_um * 1e-3) ** 2))


def cell_blobs(image: Byte, mask: NDArray[np.bool_], voxel_um: float) -> float:
    """Return the number per mm^2 of dark blobs the size of a cell, found without annotation.

    Blobs are maxima, within 13 x 13 px, of the Laplacian of a Gaussian of 5.5 / sqrt(2) px. Around
    one, the median grey of the eight sectors of an annulus (8 to 12.5 px) exceeds the core (up to
    3.5 px) by 28, the second-lowest sector by 14; near-black cores are capillaries.
    """
    grey = image.astype(np.float32)
    response = ndimage.gaussian_laplace(grey, 5.5 / np.sqrt(2))
    peaks = (response == ndimage.maximum_filter(response, 13)) & mask
    peaks &= ndimage.gaussian_filter(grey, 1.0) >= 38
    y, x = np.nonzero(peaks)
    offset = np.arange(-13, 14)
    radius = np.hypot(offset[:, None], offset[None, :])
    angle = np.arctan2(offset[:, None], offset[None, :])
    sector = np.floor((angle + np.pi) / (2 * np.pi) * 8).astype(int) % 8
    ring = (radius >= 8) & (radius <= 12.5)
    padded = np.pad(grey, 13, mode="edge")

    def mean_over(which: NDArray[np.bool_]) -> NDArray[np.float64]:
        rows, columns = np.nonzero(which)
        means: Float = padded[y[:, None] + rows, x[:, None] + columns].mean(axis=1, dtype=float)
        return means

    core = mean_over(radius <= 3.5)
    steps = np.sort([mean_over(ring & (sector == k)) - core for k in range(8)], axis=0)
    found = (np.median(steps, axis=0) > 28) & (steps[1] > 14)
    return float(found.sum() / (mask.sum() * (voxel_um * 1e-3) ** 2))


def local_binary_patterns(patches: Byte, radius: int) -> Float:
    """Return histograms, float64 (n, 10), of uniform rotation-invariant binary patterns.

    Eight neighbours at ``radius`` px are compared with the centre; patterns with at most two
    changes round the circle are counted by their number of ones, all others together.
    """
    grey = patches.astype(np.int16)
    offsets = [(0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1)]
    inner = slice(radius, PATCH - radius)
    centre = grey[:, inner, inner]
    bits = []
    for dy, dx in offsets:
        rows = slice(radius + dy * radius, PATCH - radius + dy * radius)
        columns = slice(radius + dx * radius, PATCH - radius + dx * radius)
        bits.append(grey[:, rows, columns] >= centre)
    stacked = np.stack(bits)
    ones = stacked.sum(axis=0)
    changes = (stacked != np.roll(stacked, 1, axis=0)).sum(axis=0)
    code = np.where(changes <= 2, ones, 9).reshape(len(patches), -1)
    return np.stack([(code == k).mean(axis=1) for k in range(10)], axis=1)


def texture_features(patches: Byte) -> Float:
    """Return texture features, float64 (n, 43): binary patterns at 1, 2, 4 px, spectrum, grey.

    The 43 are 30 shares of local binary patterns, the log10 power in eight bins, and the 5, 25, 50,
    75 and 95 % quantiles of the grey values.
    """
    patterns = [local_binary_patterns(patches, radius) for radius in (1, 2, 4)]
    power = np.stack([radial_log_power(patch[None]) for patch in patches])
    quantiles = np.quantile(
        patches.reshape(len(patches), -1), [0.05, 0.25, 0.5, 0.75, 0.95], axis=1
    )
    return np.concatenate([*patterns, power, quantiles.T], axis=1)


def _block_of(corners: NDArray[np.int64]) -> NDArray[np.int64]:
    return (corners[:, 0] // BLOCK) * 10_000 + corners[:, 1] // BLOCK


def discrimination_auroc(
    real: Byte, real_blocks: NDArray[np.int64], phantom: Byte, phantom_blocks: NDArray[np.int64]
) -> float:
    """Return the AUROC of a texture classifier for telling phantom from real patches.

    Logistic regression on standardised `texture_features`, trained and tested on different blocks;
    0.5 is indistinguishable, 1 told at once. NaN with fewer than two blocks a side.

    Parameters
    ----------
    real, phantom : uint8 arrays (n, 128, 128)
        Patches of one area.
    real_blocks, phantom_blocks : int64 arrays (n,)
        The block that each patch lies in.
    """
    folds = min(FOLDS, len(np.unique(real_blocks)), len(np.unique(phantom_blocks)))
    if folds < 2:
        return float("nan")
    features = np.concatenate([texture_features(real), texture_features(phantom)])
    truth = np.repeat([0, 1], [len(real), len(phantom)])
    # Folds are drawn on each side alone, so that each holds blocks of both.
    fold = np.concatenate([_folds(real_blocks, folds), _folds(phantom_blocks, folds)])
    score = np.empty(len(truth))
    for k in range(folds):
        model = make_pipeline(
            StandardScaler(), LogisticRegression(C=0.1, class_weight="balanced", max_iter=2000)
        )
        model.fit(features[fold != k], truth[fold != k])
        score[fold == k] = model.decision_function(features[fold == k])
    return float(np.mean([roc_auc_score(truth[fold == k], score[fold == k]) for k in range(folds)]))


def _folds(groups: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    fold = np.empty(len(groups), np.int64)
    for k, (_, rows) in enumerate(GroupKFold(n).split(groups, groups=groups)):
        fold[rows] = k
    return fold


def area_patches(
    images: Sequence[Byte],
    masks: Sequence[NDArray[np.bool_]],
    limit: int,
    rng: np.random.Generator,
) -> tuple[Byte, NDArray[np.int64]]:
    """Return up to ``limit`` patches of an area, uint8 (n, 128, 128), and their blocks, int64 (n,).

    Whole patches if at least 20 of them fit on the slices together, else patches of which 75 % lie
    inside. A block of one slice is the same block on another, since slices are alike.
    """
    for share, step in ((1.0, STEP), (0.75, STEP // 2)):
        corners = [patch_corners(mask, share, step, BLOCK) for mask in masks]
        if sum(map(len, corners)) >= 20:
            break
    where = np.concatenate(
        [np.column_stack([np.full(len(c), i), c]) for i, c in enumerate(corners)]
    )
    if len(where) > limit:
        where = where[np.sort(rng.choice(len(where), limit, replace=False))]
    patches = np.empty((len(where), PATCH, PATCH), np.uint8)
    for k, (i, y, x) in enumerate(where):
        patches[k] = images[i][y : y + PATCH, x : x + PATCH]
    return patches, _block_of(where[:, 1:])


def mean_std_accuracy(
    patches: Sequence[Byte], blocks: Sequence[NDArray[np.int64]]
) -> tuple[float, Float]:
    """Return how well the mean and standard deviation of a patch alone tell its area.

    Quadratic discriminant analysis with equal priors, trained and tested on different blocks.

    Parameters
    ----------
    patches : sequence of uint8 arrays (n, 128, 128)
        One an area.
    blocks : sequence of int64 arrays (n,)
        The block that each patch lies in.

    Returns
    -------
    balanced : float
        Mean over the areas of the share of patches named rightly.
    recall : float64 array (n_areas,)
        That share an area.
    """
    features = np.concatenate(
        [np.stack([p.mean(axis=(1, 2)), p.std(axis=(1, 2))], axis=1) for p in patches]
    )
    truth = np.repeat(np.arange(len(patches)), [len(p) for p in patches])
    fold = np.concatenate([_folds(b, min(FOLDS, len(np.unique(b)))) for b in blocks])
    named = np.empty_like(truth)
    priors = np.full(len(patches), 1 / len(patches))
    for k in range(FOLDS):
        test = fold == k
        model = QuadraticDiscriminantAnalysis(priors=priors, reg_param=1e-3)
        model.fit(features[~test], truth[~test])
        named[test] = model.predict(features[test])
    recall = np.array([(named[truth == a] == a).mean() for a in range(len(patches))])
    return float(recall.mean()), recall
