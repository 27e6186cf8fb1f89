"""The readout stages: they read representations and write tables."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from brainarch.embedding.representations import Representations
from brainarch.errors import InputError
from brainarch.evaluation.errors import read_blocks
from brainarch.geometry import MIN_SHARE
from brainarch.progress import progress
from brainarch.readout.classifiers import (
    CLASSIFIER_COLUMNS,
    NOISE_COLUMNS,
    classifier_table,
    fit_classifiers,
    head_row,
    noise_table,
)
from brainarch.readout.clusters import CLUSTER_COLUMNS, cluster_table
from brainarch.readout.compared import (
    equal_rows,
    load_networks,
    load_noisy_networks,
    require_partners,
)
from brainarch.readout.degradation import DEGRADATION_COLUMNS, degradation_table
from brainarch.readout.differences import DIFFERENCE_COLUMNS, HEAD, difference_table
from brainarch.readout.geometry import (
    OUTLIER_COLUMNS,
    RELATION_COLUMNS,
    area_outliers,
    area_relations,
    principal_components,
)
from brainarch.readout.gram import summarise_gram, unit_rows
from brainarch.readout.gram_excerpt import GramExcerpt, excerpt_gram, save_excerpt
from brainarch.readout.hierarchy import HIERARCHY_COLUMNS, area_hierarchy
from brainarch.readout.label_efficiency import EFFICIENCY_COLUMNS, efficiency_table
from brainarch.readout.threads import limit_threads
from brainarch.readout.variability import VARIABILITY_COLUMNS, area_variability
from brainarch.statistics.blocks import BlockSide, spatial_blocks
from brainarch.tables import read_table, write_table

logger = logging.getLogger(__name__)

#: Patches of each area that are reported as least like it.
OUTLIERS = 10

GRAM_ERROR_COLUMNS = {
    "network": "network whose representation is meant",
    "patches_per_area": "test patches of each area",
    "block_error": "||G - D||_F / N: 0 is perfect",
    "low": "lower end of the 95 % interval (spatial block bootstrap; none below 8 blocks)",
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
    "low": "lower end of the 95 % interval (spatial block bootstrap; none below 8 blocks)",
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
    predictions: Path,
    classifiers: Path,
    noise_curve: Path,
    differences: Path,
    resamples: int,
    block_px: BlockSide,
    seed: int,
    threads: int = 1,
) -> None:
    """Fit classifiers on train representations; write their accuracy, clean and noisy.

    Parameters
    ----------
    train, test, noise : mapping of str to Path
        Representations by network.
    heads : mapping of str to Path
        Prediction tables of networks with an own last layer, of the test patches; may be empty.
    predictions : Path
        The network's predictions of the test patches, whose errors decide on blocks.
    classifiers, noise_curve, differences : Path
        Tables to write: accuracy on clean patches, on noisy ones, and paired differences.
    resamples, block_px, seed
        Of the block bootstrap; the side of a block is in pixels, or follows from the errors.
    threads : int
        CPU threads at most.

    Raises
    ------
    InputError
        If a file is missing or wrong, or they do not belong together.
    """
    fitted_on, scored = load_networks(train), load_networks(test)
    require_partners(fitted_on, scored, "test")
    noisy = load_noisy_networks(noise)
    require_partners(fitted_on, {name: found.levels[0] for name, found in noisy.items()}, "noisy")
    side = read_blocks(block_px, predictions).side
    bootstrap = {"resamples": resamples, "block_px": side, "seed": seed}
    tables = []
    held = next(iter(scored.values()))
    said = {(network, HEAD): head_predictions(path, held) for network, path in heads.items()}
    for (network, _), predicted in said.items():
        tables.append(head_row(network, predicted, held, **bootstrap))
    with limit_threads(threads):
        fitted = fit_classifiers(fitted_on)
        splits = {"train": fitted_on, "test": scored}
        tables.append(classifier_table(fitted, splits, **bootstrap))
        curve = noise_table(fitted, noisy, **bootstrap)
        for (network, name), classifier in fitted.items():
            said[network, name] = classifier.predict(scored[network].values)
    blocks = spatial_blocks(held.z, held.y, held.x, side)
    compared = difference_table(said, held, blocks, resamples=resamples, seed=seed)
    write_table(compared, differences, DIFFERENCE_COLUMNS)
    write_table(curve, noise_curve, NOISE_COLUMNS)
    write_table(_stack(tables), classifiers, CLASSIFIER_COLUMNS)


def score_clusters(
    *,
    train: Mapping[str, Path],
    test: Mapping[str, Path],
    predictions: Path,
    scores: Path,
    resamples: int,
    block_px: BlockSide,
    seed: int,
    threads: int = 1,
) -> None:
    """Fit Gaussian mixtures on train representations; write their agreement with test areas.

    Parameters
    ----------
    train, test : mapping of str to Path
        Representations by network.
    predictions : Path
        As in `classify_patches`.
    scores : Path
        Table to write.
    resamples, block_px, seed
        Of the block bootstrap; the seed also of the mixture's starts.
    threads : int
        CPU threads at most.

    Raises
    ------
    InputError
        If a file is missing or wrong, or they do not belong together.
    """
    fitted_on, scored = load_networks(train), load_networks(test)
    require_partners(fitted_on, scored, "test")
    with limit_threads(threads):
        side = read_blocks(block_px, predictions).side
        table = cluster_table(fitted_on, scored, resamples=resamples, block_px=side, seed=seed)
    write_table(table, scores, CLUSTER_COLUMNS)


def probe_labels(
    *,
    train: Mapping[str, Path],
    test: Mapping[str, Path],
    predictions: Path,
    efficiency: Path,
    draws: int,
    block_px: BlockSide,
    seed: int,
    threads: int = 1,
) -> None:
    """Fit linear probes on a few labelled blocks of each area; write their accuracy on test.

    Parameters
    ----------
    train, test : mapping of str to Path
        Representations by network.
    predictions : Path
        As in `classify_patches`.
    efficiency : Path
        Table to write.
    draws : int
        Draws of labelled blocks for each number of them.
    block_px, seed
        Side of a block in pixels, or what the errors ask for; seed of the draws.
    threads : int
        CPU threads at most.

    Raises
    ------
    InputError
        If a file is missing or wrong, or they do not belong together.
    """
    fitted_on, scored = load_networks(train), load_networks(test)
    require_partners(fitted_on, scored, "test")
    side = read_blocks(block_px, predictions).side
    with limit_threads(threads):
        table = efficiency_table(fitted_on, scored, side=side, draws=draws, seed=seed)
    write_table(table, efficiency, EFFICIENCY_COLUMNS)


def score_degraded(
    *,
    train: Mapping[str, Path],
    degraded: Mapping[str, Path],
    predictions: Path,
    degradation: Path,
    resamples: int,
    block_px: BlockSide,
    seed: int,
    threads: int = 1,
) -> None:
    """Score classifiers that were fitted on clean patches on those of other images.

    Parameters
    ----------
    train : mapping of str to Path
        Representations by network.
    degraded : mapping of str to Path
        Representations of test patches by ``network/change``.
    predictions : Path
        As in `classify_patches`.
    degradation : Path
        Table to write.
    resamples, block_px, seed
        Of the block bootstrap; the side of a block is in pixels, or follows from the errors.
    threads : int
        CPU threads at most.

    Raises
    ------
    InputError
        If a file is missing or wrong, or they do not belong together.
    """
    fitted_on, changed = load_networks(train), load_networks(degraded)
    found: dict[str, dict[str, Representations]] = {}
    for key, content in changed.items():
        network, _, change = key.partition("/")
        found.setdefault(network, {})[change] = content
    first = {network: next(iter(levels.values())) for network, levels in found.items()}
    require_partners(fitted_on, first, "degraded")
    side = read_blocks(block_px, predictions).side
    with limit_threads(threads):
        table = degradation_table(fitted_on, found, resamples=resamples, block_px=side, seed=seed)
    write_table(table, degradation, DEGRADATION_COLUMNS)


def measure_gram(
    *,
    test: Mapping[str, Path],
    predictions: Path,
    errors: Path,
    blocks: Path,
    matrices: Mapping[str, Path],
    patches_per_area: int,
    resamples: int,
    block_px: BlockSide,
    seed: int,
    threads: int = 1,
) -> None:
    """Write block errors and area means of Gram matrices, and some of their rows.

    Parameters
    ----------
    test : mapping of str to Path
        Representations by network.
    predictions : Path
        As in `classify_patches`.
    errors, blocks : Path
        Tables to write: block errors, and means over pairs of areas.
    matrices : mapping of str to Path
        Rows of the matrix to write (Zarr), by network.
    patches_per_area : int
        Patches of each area, drawn at random; fewer if the smallest area has fewer.
    resamples, block_px, seed
        Of the block bootstrap; the seed also of that draw.
    threads : int
        CPU threads at most.

    Raises
    ------
    InputError
        If a file is missing or wrong.
    """
    error_rows, block_rows = [], []
    side = read_blocks(block_px, predictions).side
    with limit_threads(threads):
        for network, content in progress(
            load_networks(test).items(), desc="Gram matrices", unit="network"
        ):
            chosen = content.rows(equal_rows(content.area, patches_per_area, seed))
            rows, zero_rows = unit_rows(chosen.values, content.commensurate)
            if zero_rows:
                logger.warning(
                    "%s: %d of %d representations are zero", network, zero_rows, len(rows)
                )
            ids = spatial_blocks(chosen.z, chosen.y, chosen.x, side)
            summary = summarise_gram(rows, chosen.area, ids, resamples=resamples, seed=seed)
            present = np.unique(chosen.area)
            error_rows.append(
                {
                    "network": network,
                    "patches_per_area": len(rows) // len(present),
                    "block_error": summary.error,
                    "low": summary.low,
                    "high": summary.high,
                    "constant": np.sqrt(1 - 1 / len(present)),
                    "orthogonal": np.sqrt(1 / len(present) - 1 / len(rows)),
                    "zero_rows": zero_rows,
                    "blocks": len(np.unique(ids)),
                }
            )
            block_rows += [
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
            gram, area = excerpt_gram(rows, chosen.area)
            save_excerpt(GramExcerpt(gram, area, content.areas, network), matrices[network])
    write_table(
        pd.DataFrame(error_rows, columns=list(GRAM_ERROR_COLUMNS)), errors, GRAM_ERROR_COLUMNS
    )
    write_table(
        pd.DataFrame(block_rows, columns=list(GRAM_BLOCK_COLUMNS)), blocks, GRAM_BLOCK_COLUMNS
    )


def project_components(
    *,
    test: Mapping[str, Path],
    components: Path,
    variance: Path,
    patches_per_area: int,
    seed: int,
    threads: int = 1,
) -> None:
    """Write principal components of representations and their shares of the variance.

    Parameters
    ----------
    test : mapping of str to Path
        Representations by network; components are those of equally many patches per area.
    components, variance : Path
        Tables to write.
    patches_per_area : int
        Patches of each area, drawn at random; fewer if the smallest area has fewer.
    seed : int
        Of that draw.
    threads : int
        CPU threads at most.

    Raises
    ------
    InputError
        If a file is missing or wrong.
    """
    tables, shares = [], []
    with limit_threads(threads):
        for network, content in progress(load_networks(test).items(), desc="PCA", unit="network"):
            chosen = content.rows(equal_rows(content.area, patches_per_area, seed))
            scores, share = principal_components(chosen.values, content.commensurate)
            table = pd.DataFrame(scores, columns=["pc1", "pc2", "pc3"])
            table.insert(0, "area", [content.areas[index] for index in chosen.area])
            table.insert(0, "network", network)
            tables.append(table)
            numbers = np.arange(1, len(share) + 1)
            shares.append(pd.DataFrame({"network": network, "component": numbers, "share": share}))
    write_table(pd.concat(tables), components, PCA_COLUMNS)
    write_table(pd.concat(shares), variance, PCA_VARIANCE_COLUMNS)


def relate_areas(
    *,
    train: Mapping[str, Path],
    test: Mapping[str, Path],
    predictions: Path,
    relations: Path,
    hierarchy: Path,
    variability: Path,
    outliers: Path,
    resamples: int,
    block_px: BlockSide,
    seed: int,
    threads: int = 1,
) -> None:
    """Write how far apart areas are, how they vary, and which patches are least like their area.

    Parameters
    ----------
    train, test : mapping of str to Path
        Representations by network: relations are of test patches, outliers are test patches
        measured against train patches.
    predictions : Path
        As in `classify_patches`.
    relations, hierarchy, variability, outliers : Path
        Tables to write.
    resamples, block_px, seed
        Of the block bootstrap.
    threads : int
        CPU threads at most.

    Raises
    ------
    InputError
        If a file is missing or wrong, or they do not belong together.
    """
    fitted_on, scored = load_networks(train), load_networks(test)
    require_partners(fitted_on, scored, "test")
    related, joined, varied, farthest = [], [], [], []
    side = read_blocks(block_px, predictions).side
    shares = _same_patches(predictions, next(iter(scored.values())))["share"].to_numpy()
    with limit_threads(threads):
        for network, content in progress(scored.items(), desc="relating areas", unit="network"):
            table = area_relations(content, resamples=resamples, block_px=side, seed=seed)
            related.append(table.assign(network=network))
            joined.append(area_hierarchy(table).assign(network=network))
            own = area_variability(content, resamples=resamples, block_px=side, seed=seed)
            varied.append(own.assign(network=network))
            found = area_outliers(fitted_on[network], content, OUTLIERS, shares)
            bare = sorted({content.areas[index] for index in content.area} - set(found["area"]))
            if bare:
                logger.info(
                    "%s: no outliers of %s: no test patch lies at least %.0f %% inside, or too few "
                    "train patches", network, ", ".join(bare), 100 * MIN_SHARE,
                )  # fmt: skip
            farthest.append(found.assign(network=network))
    write_table(_stack(related)[list(RELATION_COLUMNS)], relations, RELATION_COLUMNS)
    write_table(_stack(joined)[list(HIERARCHY_COLUMNS)], hierarchy, HIERARCHY_COLUMNS)
    write_table(_stack(varied)[list(VARIABILITY_COLUMNS)], variability, VARIABILITY_COLUMNS)
    write_table(_stack(farthest)[list(OUTLIER_COLUMNS)], outliers, OUTLIER_COLUMNS)


def head_predictions(path: Path, test: Representations) -> NDArray[np.int64]:
    """Return the area indices that a prediction table of the test patches predicts."""
    table = _same_patches(path, test)
    position = {area: index for index, area in enumerate(test.areas)}
    unknown = sorted(set(table["predicted"]) - set(position))
    if unknown:
        raise InputError(f"{path}: predicts {unknown[0]!r}, which is no area of the test patches")
    return np.array([position[name] for name in table["predicted"]], dtype=np.int64)


def _same_patches(path: Path, test: Representations) -> pd.DataFrame:
    """Read a prediction table of the very patches that are represented, in their order."""
    table = read_table(path)
    if not {"predicted", "share"} <= set(table.columns):
        raise InputError(f"{path}: not a prediction table; wanted one of `brainarch evaluate`")
    areas = np.array(test.areas, dtype=object)[test.area]
    same = len(table) == len(test) and all(
        np.array_equal(table[name].to_numpy(), values)
        for name, values in (("z", test.z), ("y", test.y), ("x", test.x), ("area", areas))
    )
    if not same:
        raise InputError(
            f"{path}: predictions of other patches than those that are scored; "
            "evaluate and embed one patch table"
        )
    return table


def _stack(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Put tables under each other, leaving out empty ones, whose types would win."""
    full = [table for table in tables if len(table)]
    return pd.concat(full or tables[:1], ignore_index=True)
