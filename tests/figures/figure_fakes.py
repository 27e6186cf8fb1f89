"""Small invented inputs of the figures, in the forms that other stages write."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from brainarch.annotations.areas import AREA_COLUMNS
from brainarch.discovery.agreement import AGREEMENT_COLUMNS
from brainarch.discovery.matching import MATCH_COLUMNS
from brainarch.discovery.profiles import (
    DEPTH_BINS,
    PROFILE_COLUMNS,
    profile_by_depth,
    profile_by_layer,
)
from brainarch.embedding.representations import Representations
from brainarch.evaluation.area_map import BORDER_COLUMNS
from brainarch.evaluation.tables import CONFUSION_COLUMNS, METRIC_COLUMNS
from brainarch.factors.basis import BASIS_COLUMNS
from brainarch.factors.selection_stages import (
    ALIGNMENT_COLUMNS,
    CHOSEN_COLUMNS,
    selection_columns,
)
from brainarch.figures import rasters
from brainarch.figures.gram import Gram
from brainarch.figures.panels import Areas
from brainarch.figures.rasters import Raster
from brainarch.microstructure.measures import MEASURES
from brainarch.microstructure.planted import PLANTED
from brainarch.patches.table import COLUMNS as PATCH_COLUMNS
from brainarch.readout.classifiers import CLASSIFIER_COLUMNS, NOISE_COLUMNS
from brainarch.readout.clusters import CLUSTER_COLUMNS
from brainarch.readout.differences import DIFFERENCE_COLUMNS
from brainarch.readout.geometry import area_relations
from brainarch.readout.hierarchy import area_hierarchy
from brainarch.readout.stages import (
    GRAM_BLOCK_COLUMNS,
    GRAM_ERROR_COLUMNS,
    PCA_COLUMNS,
    PCA_VARIANCE_COLUMNS,
)
from brainarch.readout.variability import area_variability
from brainarch.training.fit import CURVE_COLUMNS

NAMES = ("Ctx", "Str", "VP", "ZI", "HypoTh", "WM")
TITLES = ("Cortex", "Striatum", "Ventral posterior thalamus", "Zona incerta", "Hypothalamus")
LAYERS = ("L1", "L2_3", "L4", "L5", "L6")
NETWORKS = {"cnn": 0.89, "untrained": 0.55, "texture": 0.74}
VOXEL_UM = 1.17


def table(columns: Mapping[str, str], rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """A table as its stage writes it; columns that no row has are empty."""
    found = list(rows)
    assert {name for row in found for name in row} <= set(columns)
    return pd.DataFrame(found, columns=list(columns))


def entries(names: Iterable[str], titles: Iterable[str] = ()) -> list[dict[str, Any]]:
    """The setting that names areas or layers, without chosen colours."""
    shown = list(names)
    words = [*titles, *shown[len(list(titles)) :]]
    return [
        {"name": name, "title": title, "colour": None}
        for name, title in zip(shown, words, strict=True)
    ]


def areas(count: int = 6) -> Areas:
    names = (*NAMES, *(f"Area{index}" for index in range(7, 30)))[:count]
    titles = (*TITLES, "White matter", *(f"Area number {index}" for index in range(7, 30)))
    return Areas.of(entries(names, titles[:count]))


def layer_legend() -> Areas:
    return Areas.of(entries(LAYERS))


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


def split_raster(labels: np.ndarray) -> Raster:
    """Patch centres of train, val and test beside each other in one slice, gaps between them."""
    third = labels.shape[1] // 3
    codes = np.arange(labels.shape[1]) // third + 1
    codes[np.arange(labels.shape[1]) % third < 0.1 * third] = 0
    return label_raster(np.where(labels > 0, np.minimum(codes, 3), 0))


def confusion(names: tuple[str, ...], seed: int = 0, scale: int = 900_000) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = []
    for i, name in enumerate(names):
        shares = rng.dirichlet([0.15] * len(names)) * 0.25
        shares[i] += 0.75
        counts = (shares * scale * rng.uniform(0.4, 1.2)).astype(int)
        rows += [
            {"area": name, "predicted": other, "count": int(count)}
            for other, count in zip(names, counts, strict=True)
        ]
    return table(CONFUSION_COLUMNS, rows)


def interval(value: float, below: float, above: float) -> dict[str, float]:
    return {"low": value - below, "high": value + above}


def metrics(names: tuple[str, ...], seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    for name in names:
        for metric in ("precision", "recall", "f1"):
            value = rng.uniform(0.6, 0.96)
            row = {"subset": "all", "area": name, "metric": metric, "value": value}
            rows.append(row | interval(value, 0.05, 0.03))
    for subset, value in (("all", 0.83), ("without WM", 0.88)):
        for metric in ("accuracy", "balanced_accuracy"):
            row = {"subset": subset, "area": "all", "metric": metric, "value": value}
            rows.append(row | interval(value, 0.04, 0.03))
    return table(METRIC_COLUMNS, rows)


def border() -> pd.DataFrame:
    edges = [0, 25, 50, 100, 150, 200, 300, 400, 600, 800]
    pixels = np.array([9, 8, 14, 12, 9, 12, 8, 9, 3]) * 1000
    return table(
        BORDER_COLUMNS,
        (
            {
                "distance_um_low": low,
                "distance_um_high": high,
                "pixels": count,
                "accuracy": 0.95 - 0.5 * np.exp(-low / 80),
            }
            for low, high, count in zip(edges[:-1], edges[1:], pixels, strict=True)
        ),
    )


def classifiers() -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for network, level in NETWORKS.items():
        for index, name in enumerate(("cnn", "logistic", "linear_svm", "rbf_svm")):
            if name == "cnn" and network != "cnn":
                continue
            for split, drop in (("val", 0.0), ("test", 0.01)):
                value = level + 0.008 * index - drop
                row = {"network": network, "classifier": name, "split": split, "accuracy": value}
                rows.append(row | interval(value, 0.03, 0.025))
    return table(CLASSIFIER_COLUMNS, rows)


def differences() -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for index, name in enumerate(("logistic", "linear_svm", "rbf_svm")):
        own = {"network": "cnn", "classifier": name}
        for other, level in NETWORKS.items():
            what = "cnn" if other == "cnn" else name
            value = NETWORKS["cnn"] - level + 0.005 * index
            row = own | {"other_network": other, "other_classifier": what, "difference": value}
            rows.append(row | interval(value, 0.02, 0.02))
    return table(DIFFERENCE_COLUMNS, rows)


def mixture() -> pd.DataFrame:
    return table(
        CLUSTER_COLUMNS,
        (
            {
                "network": network,
                "v_measure": v_measure,
                **interval(v_measure, 0.05, 0.04),
                "ari": v_measure - 0.1,
                "ari_low": v_measure - 0.15,
                "ari_high": v_measure - 0.02,
                "ami": v_measure - 0.01,
            }
            for network, v_measure in zip(NETWORKS, (0.71, 0.22, 0.41), strict=True)
        ),
    )


def noise() -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for (network, level), decay in zip(NETWORKS.items(), (30, 60, 110), strict=True):
        for classifier, below in (("logistic", 0.0), ("linear_svm", 0.01), ("rbf_svm", 0.03)):
            for variance in (0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1):
                value = 1 / 6 + (level - below - 1 / 6) * np.exp(-decay * variance)
                row = {"network": network, "classifier": classifier, "variance": variance}
                rows.append(row | {"accuracy": value} | interval(value, 0.03, 0.03))
    return table(NOISE_COLUMNS, rows)


def patch_table(labels: np.ndarray, names: tuple[str, ...], per_area: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    rows = []
    for code, name in enumerate(names, start=1):
        y, x = np.nonzero(labels == code)
        rows += [
            {"z": 4, "y": y[index], "x": x[index], "area": name, "share": 1.0}
            for index in rng.permutation(len(y))[:per_area]
        ]
    return table(PATCH_COLUMNS, rows)


def sizes(labels: np.ndarray, names: tuple[str, ...]) -> pd.DataFrame:
    rows = []
    for code, name in enumerate(names, start=1):
        pixels = int((labels == code).sum())
        row = {"slice": 4, "area": name, "pixels": pixels, "um2": pixels * VOXEL_UM**2}
        rows.append(row | {"independent_patches": pixels // 128**2, "rim_pixels": 0})
    return table(AREA_COLUMNS, rows)


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
    errors: list[dict[str, Any]] = []
    blocks: list[dict[str, Any]] = []
    points: list[dict[str, Any]] = []
    variance: list[dict[str, Any]] = []
    grams = {}
    for network, spread in zip(networks, (0.35, 1.4, 0.8, 1.0, 1.0, 1.0), strict=False):
        own = {"network": network}
        centres = rng.dirichlet(np.ones(8), len(names)) * 4
        area = np.repeat(np.arange(len(names)), 30)
        values = np.abs(centres[area] + rng.normal(0, spread, (len(area), 8)))
        values /= np.linalg.norm(values, axis=1, keepdims=True)
        matrix = (values @ values.T).astype(np.float32)
        grams[network] = Gram(matrix, area)
        same = (area[:, None] == area[None, :]).astype(float)
        error = float(np.linalg.norm(matrix - same) / len(area))
        count = len(names)
        known = {
            "orthogonal": (1 / count - 1 / len(area)) ** 0.5,
            "constant": (1 - 1 / count) ** 0.5,
        }
        errors.append(own | {"block_error": error} | known | interval(error, 0.02, 0.02))
        for i, name in enumerate(names):
            for j, other in enumerate(names):
                mean = matrix[area == i][:, area == j].mean()
                blocks.append(own | {"area": name, "other": other, "mean": mean})
        axes = np.linalg.svd(values - values.mean(axis=0), full_matrices=False)
        scores = axes[0][:, :3] * axes[1][:3]
        points += [
            own | {"area": names[index], "pc1": one, "pc2": two, "pc3": three}
            for index, (one, two, three) in zip(area, scores, strict=True)
        ]
        shares = axes[1] ** 2 / (axes[1] ** 2).sum()
        variance += [own | {"component": i, "share": s} for i, s in enumerate(shares, start=1)]
    return (
        table(GRAM_ERROR_COLUMNS, errors),
        table(GRAM_BLOCK_COLUMNS, blocks),
        table(PCA_COLUMNS, points),
        table(PCA_VARIANCE_COLUMNS, variance),
        grams,
    )


def relation_tables(
    names: tuple[str, ...], networks: tuple[str, ...] = ("cnn", "untrained", "texture")
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Relations of areas, their hierarchy and variability, of made-up representations."""
    rng = np.random.default_rng(11)
    area = np.repeat(np.arange(len(names)), 40).astype(np.int32)
    tables: tuple[list[pd.DataFrame], ...] = ([], [], [])
    place = np.arange(len(area), dtype=np.int32)
    for network in networks:
        centres = rng.dirichlet(np.ones(8), len(names)) * 4
        values = centres[area] + rng.normal(0, rng.random((len(names), 8))[area])
        content = Representations(
            values.astype(np.float32),
            z=np.full(len(area), 4, np.int32),
            y=place % 10 * 1000,
            x=place,
            area=area,
            areas=names,
            network=network,
            unit_names=tuple(f"unit {index}" for index in range(8)),
            commensurate=True,
            network_digest="",
            seed=0,
        )
        given = {"resamples": 50, "block_px": 1000, "seed": 0}
        related = area_relations(content, **given)
        found = (related, area_hierarchy(related), area_variability(content, **given))
        for frames, frame in zip(tables, found, strict=True):
            frames.append(frame.assign(network=network))
    related, joined, varied = (pd.concat(frames) for frames in tables)
    return related, joined, varied


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
    by_layer = profile_by_layer(codes, layers, LAYERS)
    parts = [by_layer, profile_by_depth(codes, depth, DEPTH_BINS)]
    return pd.concat(parts, ignore_index=True).assign(slice=z)[list(PROFILE_COLUMNS)]


def agreement(z: int, value: float = 0.34) -> pd.DataFrame:
    return table(
        AGREEMENT_COLUMNS,
        (
            {
                "slice": z,
                "statistic": statistic,
                "null": null,
                "value": value,
                "median": median,
                "null_99": high,
                "above": value > high,
            }
            for statistic in ("ami", "v_measure")
            for null, median, high in (
                ("bands", 0.21, 0.29),
                ("depth", 0.31, 0.47),
            )
        ),
    )


def basis(factors: int = 15, units: int = 64) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    values = rng.gamma(0.15, 1.0, (factors, units))
    values[:, :6] = 0
    values /= np.linalg.norm(values, axis=1, keepdims=True)
    return table(
        BASIS_COLUMNS,
        (
            {"factor": k + 1, "unit": unit, "value": values[k, unit]}
            for k in range(factors)
            for unit in range(units)
        ),
    )


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


def selection(names: tuple[str, ...], target: str = "area") -> pd.DataFrame:
    return table(
        selection_columns(target),
        (
            {
                "rule": "auroc",
                "shown": True,
                "rank": rank,
                "factor": rank,
                target: name,
                "covered_share": 0.95 - 0.04 * rank,
                "leaked_share": 0.02 * rank,
            }
            for rank, name in enumerate(names, start=1)
        ),
    )


def chosen(names: tuple[str, ...], target: str = "area", z: int = 204) -> pd.DataFrame:
    """The selected pairs on a slice that was not fitted; it contradicts the second."""
    return table(
        CHOSEN_COLUMNS,
        (
            {
                "slice": z,
                "target": target,
                "name": name,
                "factor": factor,
                "auroc": 0.4 if factor == 2 else 0.9,
                "contradicted": factor == 2,
            }
            for factor, name in enumerate(names, start=1)
        ),
    )


def alignment(
    names: tuple[str, ...], factors: int = 15, target: str = "area", z: int = 204
) -> pd.DataFrame:
    rng = np.random.default_rng(6)
    rows = []
    for factor in range(1, factors + 1):
        for index, name in enumerate(names):
            own = index == (factor - 1) % len(names)
            auroc = 0.93 - 0.02 * index if own else rng.uniform(0.3, 0.75)
            place = {"slice": z, "fitted": z == 4, "factor": factor, "target": target, "name": name}
            rows.append(place | {"auroc": auroc, "null_99": 0.7})
    return table(ALIGNMENT_COLUMNS, rows)


def matches() -> pd.DataFrame:
    return table(
        MATCH_COLUMNS,
        (
            {"component": component, "matched": matched, "distance": distance}
            for component, matched, distance in (
                (1, 1, 0.05),
                (2, 3, 0.11),
                (3, 2, 0.3),
                (4, 4, 0.08),
            )
        ),
    )


def curve(top: float = 0.9, epochs: int = 12) -> pd.DataFrame:
    rows = []
    for epoch in range(1, epochs + 1):
        grown = 1 - np.exp(-epoch / 3)
        late = 0.02 * max(0, epoch - 8)
        for split, slope, drop, worse in (("train", 1.5, 0.0, 0.0), ("val", 1.4, 0.04, late)):
            rows.append(
                {
                    "epoch": epoch,
                    "split": split,
                    "loss": 1.8 - slope * grown * top + worse,
                    "accuracy": 1 / 6 + (top - drop - 1 / 6) * grown - worse,
                }
            )
    return table(CURVE_COLUMNS, rows)


def meaning(names: tuple[str, ...], factors: int = 15) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What each factor follows, and the means of areas, components and clusters."""
    rng = np.random.default_rng(8)
    measures = [*MEASURES, "depth", *PLANTED]
    follows = [
        {
            "factor": factor,
            "measure": measure,
            "rho": rho,
            "low": rho - 0.3,
            "high": rho + 0.3,
            "p": 0.5 if measure == "grey" else 0.005,
            "description": "few dark blobs, no one direction, many fibres; most in WM",
        }
        for factor in range(1, factors + 1)
        for measure in measures
        for rho in rng.uniform(-0.7, 0.7, 1)
    ]
    means = [
        {"kind": "area", "name": name, "quantity": f"factor {factor}", "mean": rng.random()}
        for factor in range(1, factors + 1)
        for name in names
    ]
    means += [
        {"kind": kind, "name": str(number), "quantity": measure, "mean": 1 + rng.random()}
        for kind in ("component", "cluster")
        for number in range(1, 5)
        for measure in measures
    ]
    atlas = pd.DataFrame(means).assign(pixels=10)
    return pd.DataFrame(follows), atlas.assign(low=atlas["mean"] - 0.1, high=atlas["mean"] + 0.1)


def sensitivity(names: tuple[str, ...]) -> pd.DataFrame:
    """Factors selected with other thresholds and weights of leakage."""
    rows = [
        {"threshold": threshold, "lambda": leakage, "area": name, "factor": 3, "auroc": 0.8}
        for threshold in ("0", "otsu")
        for leakage in (0.1, 0.3, 0.5, 1.0)
        for name in names
    ]
    return pd.DataFrame(rows)


def typical(factors: int = 15, parts: int = 4, z: int = 4) -> pd.DataFrame:
    """Typical patches of factors, components and clusters."""
    counts = {"factor": factors, "component": parts, "cluster": parts}
    rows = [
        {"slice": z, "kind": kind, "name": name, "rank": rank, "y": 64, "x": 64 + rank, "value": 1}
        for kind, count in counts.items()
        for name in range(1, count + 1)
        for rank in range(1, 7)
    ]
    return pd.DataFrame(rows)


def outliers(names: tuple[str, ...], z: int = 4) -> pd.DataFrame:
    """Outliers of all areas but the last, by two networks."""
    rows = [
        {
            "network": network, "z": z, "y": 64, "x": 64 + rank, "area": name, "rank": rank,
            "distance": 3 - rank / 10,
        }
        for network in ("cnn", "texture")
        for name in names[:-1]
        for rank in range(1, 11)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def ranks(numbers: tuple[int, ...] = (2, 5, 10, 15, 20)) -> pd.DataFrame:
    """Numbers of factors compared."""
    rng = np.random.default_rng(9)
    frame = pd.DataFrame(rng.random((len(numbers), 5)), columns=[
        "relative_error", "held_out_error", "starts_cosine", "halves_cosine", "zero_share",
    ])  # fmt: skip
    held = frame["held_out_error"]
    return frame.assign(factors=numbers, held_out_low=0.9 * held, held_out_high=1.1 * held)
