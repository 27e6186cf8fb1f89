"""Small invented inputs of the figures, in the forms that other stages write."""

from __future__ import annotations

import numpy as np
import pandas as pd

from brainarch.discovery.profiles import profile_by_depth, profile_by_layer
from brainarch.figures import rasters, style
from brainarch.figures.gram import Gram
from brainarch.figures.panels import Areas
from brainarch.figures.rasters import Raster

NAMES = ("Ctx", "Str", "VP", "ZI", "HypoTh", "WM")
TITLES = ("Cortex", "Striatum", "Ventral posterior thalamus", "Zona incerta", "Hypothalamus")
VOXEL_UM = 1.17


def areas(count: int = 6) -> Areas:
    names = (*NAMES, *(f"Area{index}" for index in range(7, 30)))[:count]
    titles = (*TITLES, "White matter", *(f"Area number {index}" for index in range(7, 30)))
    colours = style.complete_colours(names, {})
    return Areas(names, dict(zip(names, titles, strict=False)), colours)


def label_slice(count: int = 6, rows: int = 120, columns: int = 480, shift: int = 0) -> np.ndarray:
    """Slanted bands of areas, 0 between them and round them."""
    y, x = np.mgrid[:rows, :columns]
    wave = 0.06 * columns * np.sin(2 * np.pi * (y + shift) / rows) + 0.25 * (y - rows / 2)
    position = (x + wave + shift - 0.06 * columns) / (0.88 * columns) * count
    codes = count - np.floor(position).astype(int)
    inside = (codes >= 1) & (codes <= count) & (position - np.floor(position) > 0.08)
    inside &= (y > 0.08 * rows) & (y < 0.93 * rows)
    return np.where(inside, codes, 0).astype(np.uint8)


def grey_slice(labels: np.ndarray, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    grey = 90 + 12.0 * labels + rng.normal(0, 18, labels.shape)
    y, x = np.mgrid[: labels.shape[0], : labels.shape[1]]
    grey += 14 * np.sin(0.25 * (x + labels * y / 3.0))
    return np.where(labels > 0, grey, 20).clip(0, 255).astype(np.uint8)


def mistaken(labels: np.ndarray, count: int, share: float = 0.15, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    wrong = (rng.random(labels.shape) < share) & (labels > 0)
    return np.where(wrong, rng.integers(1, count + 1, labels.shape), labels).astype(np.uint8)


def label_raster(labels: np.ndarray) -> Raster:
    return rasters.label_raster(labels, VOXEL_UM)


def confusion(names: tuple[str, ...], seed: int = 0, scale: int = 900_000) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = []
    for i, name in enumerate(names):
        shares = rng.dirichlet([0.15] * len(names)) * 0.25
        shares[i] += 0.75
        counts = (shares * scale * rng.uniform(0.4, 1.2)).astype(int)
        rows += [(name, names[j], int(counts[j])) for j in range(len(names))]
    return pd.DataFrame(rows, columns=["area", "predicted", "count"])


def metrics(names: tuple[str, ...], seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = []
    for name in names:
        for metric in ("precision", "recall", "f1"):
            value = rng.uniform(0.6, 0.96)
            rows.append(("all", name, metric, value, value - 0.05, value + 0.03))
    for subset, value in (("all", 0.83), ("without WM", 0.88)):
        for metric in ("accuracy", "balanced_accuracy"):
            rows.append((subset, "all", metric, value, value - 0.04, value + 0.03))
    return pd.DataFrame(rows, columns=["subset", "area", "metric", "value", "low", "high"])


def border() -> pd.DataFrame:
    edges = [0, 25, 50, 100, 150, 200, 300, 400, 600, 800]
    accuracy = 0.95 - 0.5 * np.exp(-np.array(edges[:-1]) / 80)
    pixels = np.array([9, 8, 14, 12, 9, 12, 8, 9, 3]) * 1000
    return pd.DataFrame(
        {
            "distance_um_low": edges[:-1],
            "distance_um_high": edges[1:],
            "pixels": pixels,
            "accuracy": accuracy,
        }
    )


def classifiers() -> pd.DataFrame:
    rows = []
    for network, level in (("cnn", 0.89), ("untrained", 0.55), ("texture", 0.74)):
        for index, name in enumerate(("cnn", "logistic", "linear_svm", "rbf_svm")):
            if name == "cnn" and network != "cnn":
                continue
            for split, drop in (("val", 0.0), ("test", 0.01)):
                value = level + 0.008 * index - drop
                rows.append((network, name, split, value, value - 0.03, value + 0.025, 6000, 40))
    columns = ["network", "classifier", "split", "accuracy", "low", "high", "patches", "blocks"]
    return pd.DataFrame(rows, columns=columns)


def mixture() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "network": ["cnn", "untrained", "texture"],
            "v_measure": [0.71, 0.22, 0.41],
            "homogeneity": [0.7, 0.2, 0.4],
            "completeness": [0.72, 0.25, 0.42],
            "ari": [0.66, 0.12, 0.31],
            "ami": [0.7, 0.21, 0.4],
            "components": [6, 6, 6],
            "low": [0.66, 0.17, 0.36],
            "high": [0.75, 0.28, 0.46],
        }
    )


def noise() -> pd.DataFrame:
    rows = []
    for network, level, decay in (
        ("cnn", 0.89, 30),
        ("untrained", 0.55, 60),
        ("texture", 0.74, 110),
    ):
        for variance in (0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1):
            value = 1 / 6 + (level - 1 / 6) * np.exp(-decay * variance)
            rows.append((network, "logistic", variance, value, value - 0.03, value + 0.03))
    return pd.DataFrame(
        rows, columns=["network", "classifier", "variance", "accuracy", "low", "high"]
    )


def patch_table(labels: np.ndarray, names: tuple[str, ...], per_area: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    parts = []
    for code, name in enumerate(names, start=1):
        y, x = np.nonzero(labels == code)
        chosen = rng.permutation(len(y))[:per_area]
        parts.append(
            pd.DataFrame(
                {"z": 4, "y": y[chosen], "x": x[chosen], "area": name, "share": 1.0, "block": 0}
            )
        )
    return pd.concat(parts, ignore_index=True)


def sizes(labels: np.ndarray, names: tuple[str, ...]) -> pd.DataFrame:
    pixels = [int((labels == code).sum()) for code in range(1, len(names) + 1)]
    return pd.DataFrame(
        {
            "slice": 4,
            "area": names,
            "pixels": pixels,
            "um2": np.array(pixels) * VOXEL_UM**2,
            "independent_patches": np.array(pixels) // 128**2,
        }
    )


def representation(
    labels: np.ndarray, count: int, units: int = 64, per_area: int = 40
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Non-negative vectors with units that prefer an area: values, area, y, x."""
    rng = np.random.default_rng(2)
    table = patch_table(labels, tuple(str(index) for index in range(count)), per_area)
    area = table["area"].astype(int).to_numpy()
    preferred = rng.integers(0, count, units)
    values = rng.gamma(0.6, 0.4, (len(area), units))
    values += (preferred[None, :] == area[:, None]) * rng.gamma(4, 0.5, (len(area), units))
    values[:, :5] = 0
    return values.astype(np.float32), area, table["y"].to_numpy(), table["x"].to_numpy()


def gram_tables(
    names: tuple[str, ...], networks: tuple[str, ...] = ("cnn", "untrained", "texture")
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame, dict[str, Gram]]:
    """Errors, block means, points, shares of variance and Gram matrices."""
    rng = np.random.default_rng(9)
    errors, blocks, points, variance, grams = [], [], [], [], {}
    for network, spread in zip(networks, (0.35, 1.4, 0.8, 1.0), strict=False):
        centres = rng.dirichlet(np.ones(8), len(names)) * 4
        area = np.repeat(np.arange(len(names)), 30)
        values = np.abs(centres[area] + rng.normal(0, spread, (len(area), 8)))
        values /= np.linalg.norm(values, axis=1, keepdims=True)
        matrix = (values @ values.T).astype(np.float32)
        grams[network] = Gram(matrix, area)
        same = (area[:, None] == area[None, :]).astype(float)
        error = float(np.linalg.norm(matrix - same) / len(area))
        errors.append((network, 30, error, error - 0.02, error + 0.02))
        for i, name in enumerate(names):
            for j, other in enumerate(names):
                blocks.append((network, name, other, matrix[area == i][:, area == j].mean()))
        axes = np.linalg.svd(values - values.mean(axis=0), full_matrices=False)
        scores = axes[0][:, :3] * axes[1][:3]
        points += [(network, names[a], *row) for a, row in zip(area, scores, strict=True)]
        shares = axes[1] ** 2 / (axes[1] ** 2).sum()
        variance += [(network, index + 1, share) for index, share in enumerate(shares)]
    return (
        pd.DataFrame(errors, columns=["network", "patches_per_area", "block_error", "low", "high"]),
        pd.DataFrame(blocks, columns=["network", "area", "other", "mean"]),
        pd.DataFrame(points, columns=["network", "area", "pc1", "pc2", "pc3"]),
        pd.DataFrame(variance, columns=["network", "component", "share"]),
        grams,
    )


LAYERS = ("L1", "L2_3", "L4", "L5", "L6")


def layer_legend(count: int = 5) -> Areas:
    names = tuple(LAYERS[:count])
    return Areas(names, {name: name for name in names}, style.complete_colours(names, {}))


def layer_slices(rows: int = 120, columns: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Layers from right to left and their relative depth."""
    y, x = np.mgrid[:rows, :columns]
    depth = 1 - (x + 6 * np.sin(y / 15)) / columns
    depth = depth.clip(0, 1).astype(np.float32)
    layers = np.digitize(depth, [0.1, 0.35, 0.48, 0.72]) + 1
    return layers.astype(np.uint8), depth


def clusters_of(layers: np.ndarray, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    lookup = np.array([0, 3, 2, 1, 4, 1])
    codes = lookup[layers]
    wrong = rng.random(layers.shape) < 0.2
    return np.where(wrong, rng.integers(1, 5, layers.shape), codes).astype(np.uint8)


def profiles(z: int, codes: np.ndarray, layers: np.ndarray, depth: np.ndarray) -> pd.DataFrame:
    parts = [profile_by_layer(codes, layers, LAYERS), profile_by_depth(codes, depth)]
    frame = pd.concat(parts, ignore_index=True)
    frame.insert(0, "slice", z)
    return frame


def agreement(z: int, value: float = 0.34) -> pd.DataFrame:
    rows = [
        (z, statistic, null, value, 5000, 200, median, high, 0.005, value > high, True)
        for statistic in ("ami", "v_measure")
        for null, median, high in (
            ("shift", 0.05, 0.16),
            ("block", 0.03, 0.07),
            ("depth", 0.21, 0.29),
        )
    ]
    columns = ["slice", "statistic", "null", "value", "pixels", "maps", "median", "null_99", "p"]
    return pd.DataFrame(rows, columns=[*columns, "above", "above_nulls"])


def basis(factors: int = 15, units: int = 64) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    values = rng.gamma(0.15, 1.0, (factors, units))
    values[:, :6] = 0
    values /= np.linalg.norm(values, axis=1, keepdims=True)
    rows = [(k + 1, u, values[k, u]) for k in range(factors) for u in range(units)]
    return pd.DataFrame(rows, columns=["factor", "unit", "value"])


def coefficient_maps(labels: np.ndarray, factors: int = 15, stride: int = 1) -> dict[int, Raster]:
    """Map k is high in area 1 + (k - 1) modulo the areas; NaN where unlabelled."""
    rng = np.random.default_rng(4)
    count = int(labels.max())
    maps = {}
    for factor in range(1, factors + 1):
        own = labels == 1 + (factor - 1) % count
        values = rng.gamma(0.8, 0.3, labels.shape) + own * rng.gamma(3, 0.6, labels.shape)
        values[labels == 0] = np.nan
        maps[factor] = Raster(values.astype(np.float32)[::stride, ::stride], 0, 0, stride, VOXEL_UM)
    return maps


def selection(names: tuple[str, ...]) -> pd.DataFrame:
    rows = [
        (rank, rank, name, 900, 1000, 100, 1200, 0.95 - 0.04 * rank, 0.02 * rank, 0.0, 0.5)
        for rank, name in enumerate(names, start=1)
    ]
    columns = ["rank", "factor", "area", "score", "coverage", "leakage", "pixels"]
    columns += ["covered_share", "leaked_share", "threshold", "lambda"]
    return pd.DataFrame(rows, columns=columns)


def alignment(names: tuple[str, ...], factors: int = 15) -> pd.DataFrame:
    rng = np.random.default_rng(6)
    rows = []
    for factor in range(1, factors + 1):
        for index, name in enumerate(names):
            own = index == (factor - 1) % len(names)
            auroc = 0.93 - 0.02 * index if own else rng.uniform(0.3, 0.75)
            rows.append((factor, name, auroc, 0.7))
    return pd.DataFrame(rows, columns=["factor", "name", "auroc", "null_99"])


def matches() -> pd.DataFrame:
    rows = [(1, 1, 0.05), (2, 3, 0.11), (3, 2, 0.3), (4, 4, 0.08)]
    return pd.DataFrame(rows, columns=["component", "matched", "distance"])


def curve(top: float = 0.9, epochs: int = 12) -> pd.DataFrame:
    rows = []
    for epoch in range(1, epochs + 1):
        grown = 1 - np.exp(-epoch / 3)
        rows.append((epoch, "train", 1.8 - 1.5 * grown * top, 1 / 6 + (top - 1 / 6) * grown))
        late = 0.02 * max(0, epoch - 8)
        value = 1 / 6 + (top - 0.04 - 1 / 6) * grown - late
        rows.append((epoch, "val", 1.8 - 1.4 * grown * top + late, value))
    return pd.DataFrame(rows, columns=["epoch", "split", "loss", "accuracy"])
