"""The readout stages: they read representations and write tables."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from brainarch.embedding.store import Representations
from brainarch.errors import InputError
from brainarch.progress import progress
from brainarch.readout import classifiers, clusters, geometry
from brainarch.readout.drawing import GramDrawing, draw_gram, save_drawing
from brainarch.readout.gram import summarise_gram, unit_rows
from brainarch.readout.inputs import (
    equal_rows,
    load_networks,
    load_noisy_networks,
    require_partners,
)
from brainarch.tables import read_table, write_table

logger = logging.getLogger(__name__)

GRAM_ERROR_COLUMNS = {
    "network": "network whose representation is meant",
    "patches_per_area": "test patches of each area",
    "block_error": "||G - D||_F / N: 0 is perfect",
    "low": "lower end of the 95 % interval (spatial block bootstrap, percentile)",
    "high": "upper end of the 95 % interval",
    "constant": "what constant representations would give: sqrt(1 - 1/areas)",
    "orthogonal": "what mutually orthogonal patches, alike in nothing, would give: "
    "sqrt(1/areas - 1/N)",
    "zero_rows": "patches whose representation is zero; their rows of G are zero",
    "blocks": "spatial blocks of these patches",
}
GRAM_BLOCK_COLUMNS = {
    "network": "network whose representation is meant",
    "area": "area of the rows",
    "other": "area of the columns",
    "mean": "mean product of unit-length representations (-1 to 1)",
    "low": "lower end of the 95 % interval (spatial block bootstrap, percentile)",
    "high": "upper end of the 95 % interval",
}
PCA_COLUMNS = {
    "network": "network whose representation is meant",
    "area": "area of the patch",
    "pc1": "first principal component (the representation's units)",
    "pc2": "second principal component",
    "pc3": "third principal component",
}
PCA_VARIANCE_COLUMNS = {
    "network": "network whose representation is meant",
    "component": "principal component, from 1",
    "share": "share of the whole variance (0 to 1)",
}


def classify_patches(
    *,
    train: Mapping[str, Path],
    test: Mapping[str, Path],
    noise: Mapping[str, Path],
    heads: Mapping[str, Path],
    seed: int,
    n_resamples: int,
    output: Path,
    output_noise: Path | None,
) -> None:
    """Fit classifiers on train representations; write their accuracy, clean and noisy.

    Parameters
    ----------
    train, test, noise : mapping of str to Path
        Representations by network; ``noise`` may be empty.
    heads : mapping of str to Path
        Prediction tables of networks with an own last layer, of the test patches; may be empty.
    seed, n_resamples : int
        Of the block bootstrap.
    output, output_noise : Path
        Tables; the second is wanted if and only if ``noise`` is given.

    Raises
    ------
    InputError
        If a file is missing or wrong, or they do not belong together.
    """
    if bool(noise) != (output_noise is not None):
        raise InputError("--noise and --output-noise: give both or neither")
    fitted_on = load_networks("--train", train)
    scored = load_networks("--test", test)
    require_partners(fitted_on, scored, "--test")
    noisy = load_noisy_networks(noise) if noise else {}
    if noise:
        require_partners(
            fitted_on, {name: content.levels[0] for name, content in noisy.items()}, "--noise"
        )
    tables = []
    for network, path in heads.items():
        held = next(iter(scored.values()))
        predicted = _head_predictions(path, held)
        row = classifiers.head_row(network, predicted, held, n_resamples=n_resamples, seed=seed)
        tables.append(row)

    fitted = classifiers.fit_classifiers(fitted_on)
    splits = {"train": fitted_on, "test": scored}
    tables.append(classifiers.classifier_table(fitted, splits, n_resamples=n_resamples, seed=seed))
    noise_table = classifiers.noise_table(fitted, noisy, n_resamples=n_resamples, seed=seed)
    if output_noise is not None:
        write_table(noise_table, output_noise, classifiers.NOISE_COLUMNS)
    write_table(_stack(tables), output, classifiers.CLASSIFIER_COLUMNS)


def score_clusters(
    *,
    train: Mapping[str, Path],
    test: Mapping[str, Path],
    seed: int,
    n_resamples: int,
    output: Path,
) -> None:
    """Fit Gaussian mixtures on train representations; write their agreement with test areas.

    Parameters
    ----------
    train, test : mapping of str to Path
        Representations by network.
    seed, n_resamples : int
        Of the mixture's starts and of the block bootstrap.
    output : Path
        Table.

    Raises
    ------
    InputError
        If a file is missing or wrong, or they do not belong together.
    """
    fitted_on = load_networks("--train", train)
    scored = load_networks("--test", test)
    require_partners(fitted_on, scored, "--test")
    table = clusters.gmm_table(fitted_on, scored, seed=seed, n_resamples=n_resamples)
    write_table(table, output, clusters.GMM_COLUMNS)


def measure_gram(
    *,
    test: Mapping[str, Path],
    patches_per_area: int | None,
    seed: int,
    n_resamples: int,
    output_error: Path,
    output_means: Path,
    output_drawings: Mapping[str, Path],
) -> None:
    """Write block errors and area means of Gram matrices, and rows of them to draw.

    Parameters
    ----------
    test : mapping of str to Path
        Representations by network.
    patches_per_area : int or None
        Patches of each area, drawn at random; by default as many as the smallest area has.
    seed, n_resamples : int
        Of that draw and of the block bootstrap.
    output_error, output_means : Path
        Tables.
    output_drawings : mapping of str to Path
        Zarr stores by network, for some or all networks.

    Raises
    ------
    InputError
        If a file is missing or wrong, or a drawing is of no network.
    """
    networks = load_networks("--test", test)
    unknown = sorted(set(output_drawings) - set(networks))
    if unknown:
        raise InputError(f"--output-drawing {unknown[0]}: no --test of this network")
    errors, means = [], []
    for network, content in progress(networks.items(), desc="Gram matrices", unit="network"):
        chosen = content.rows(equal_rows(content.area, patches_per_area, seed))
        rows, zero_rows = unit_rows(chosen.values, content.commensurate)
        if zero_rows:
            logger.warning("%s: %d of %d representations are zero", network, zero_rows, len(rows))
        summary = summarise_gram(
            rows, chosen.area, chosen.block, n_resamples=n_resamples, seed=seed
        )
        present = np.unique(chosen.area)
        errors.append(
            {
                "network": network,
                "patches_per_area": len(rows) // len(present),
                "block_error": summary.error,
                "low": summary.interval.low,
                "high": summary.interval.high,
                "constant": np.sqrt(1 - 1 / len(present)),
                "orthogonal": np.sqrt(1 / len(present) - 1 / len(rows)),
                "zero_rows": zero_rows,
                "blocks": len(np.unique(chosen.block)),
            }
        )
        means += [
            {
                "network": network,
                "area": content.areas[a],
                "other": content.areas[b],
                "mean": summary.means[i, j],
                "low": summary.means_low[i, j],
                "high": summary.means_high[i, j],
            }
            for i, a in enumerate(present)
            for j, b in enumerate(present)
        ]
        if network in output_drawings:
            gram, area = draw_gram(rows, chosen.area)
            drawing = GramDrawing(gram, area, content.areas, network)
            save_drawing(drawing, output_drawings[network])
    write_table(
        pd.DataFrame(errors, columns=list(GRAM_ERROR_COLUMNS)), output_error, GRAM_ERROR_COLUMNS
    )
    write_table(
        pd.DataFrame(means, columns=list(GRAM_BLOCK_COLUMNS)), output_means, GRAM_BLOCK_COLUMNS
    )


def project_components(
    *,
    test: Mapping[str, Path],
    patches_per_area: int | None,
    seed: int,
    output: Path,
    output_variance: Path,
) -> None:
    """Write principal components of representations and their shares of the variance.

    Parameters
    ----------
    test : mapping of str to Path
        Representations by network; components are those of equally many patches an area.
    patches_per_area : int or None
        Patches of each area; by default as many as the smallest area has.
    seed : int
        Of that draw.
    output, output_variance : Path
        Tables.

    Raises
    ------
    InputError
        If a file is missing or wrong.
    """
    networks = load_networks("--test", test)
    tables, shares = [], []
    for network, content in progress(networks.items(), desc="PCA", unit="network"):
        chosen = content.rows(equal_rows(content.area, patches_per_area, seed))
        scores, share = geometry.principal_components(chosen.values, content.commensurate)
        table = pd.DataFrame(scores, columns=["pc1", "pc2", "pc3"])
        table.insert(0, "area", [content.areas[index] for index in chosen.area])
        table.insert(0, "network", network)
        tables.append(table)
        numbers = np.arange(1, len(share) + 1)
        shares.append(pd.DataFrame({"network": network, "component": numbers, "share": share}))
    write_table(pd.concat(tables), output, PCA_COLUMNS)
    write_table(pd.concat(shares), output_variance, PCA_VARIANCE_COLUMNS)


def relate_areas(
    *,
    train: Mapping[str, Path],
    test: Mapping[str, Path],
    outliers: int,
    seed: int,
    n_resamples: int,
    output: Path,
    output_outliers: Path,
) -> None:
    """Write how far apart areas are, and which patches are least like their area.

    Parameters
    ----------
    train, test : mapping of str to Path
        Representations by network: relations are of test patches, outliers are test patches
        measured against train patches.
    outliers : int
        Patches reported of each area.
    seed, n_resamples : int
        Of the block bootstrap.
    output, output_outliers : Path
        Tables.

    Raises
    ------
    InputError
        If a file is missing or wrong, or they do not belong together.
    """
    fitted_on = load_networks("--train", train)
    scored = load_networks("--test", test)
    require_partners(fitted_on, scored, "--test")
    relations, farthest = [], []
    for network, content in progress(scored.items(), desc="relating areas", unit="network"):
        relation = geometry.area_relations(content, n_resamples=n_resamples, seed=seed)
        relations.append(relation.assign(network=network))
        found = geometry.area_outliers(fitted_on[network], content, outliers)
        farthest.append(found.assign(network=network))
    write_table(
        _stack(relations)[list(geometry.RELATION_COLUMNS)], output, geometry.RELATION_COLUMNS
    )
    write_table(
        _stack(farthest)[list(geometry.OUTLIER_COLUMNS)], output_outliers, geometry.OUTLIER_COLUMNS
    )


def _head_predictions(path: Path, test: Representations) -> NDArray[np.int64]:
    """Return the area indices that a prediction table of the test patches predicts."""
    table = read_table(path)
    if "predicted" not in table.columns:
        raise InputError(f"{path}: not a prediction table; wanted one of `brainarch evaluate`")
    areas = np.array(test.areas, dtype=object)[test.area]
    same = len(table) == len(test) and all(
        np.array_equal(table[name].to_numpy(), values)
        for name, values in (("z", test.z), ("y", test.y), ("x", test.x), ("area", areas))
    )
    if not same:
        raise InputError(
            f"{path}: predictions of other patches than those of --test; "
            "evaluate and embed one patch table"
        )
    position = {area: index for index, area in enumerate(test.areas)}
    unknown = sorted(set(table["predicted"]) - set(position))
    if unknown:
        raise InputError(f"{path}: predicts {unknown[0]!r}, which is no area of --test")
    return np.array([position[name] for name in table["predicted"]], dtype=np.int64)


def _stack(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Put tables under each other, leaving out empty ones, whose types would win."""
    full = [table for table in tables if len(table)]
    return pd.concat(full or tables[:1], ignore_index=True)
