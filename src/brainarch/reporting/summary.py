"""Putting a run's results together: one page for people, one JSON file for machines."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from brainarch.atomic import write_json, write_text
from brainarch.config.model import Config
from brainarch.reporting import numbers, published, verdicts
from brainarch.reporting.manifest import Manifest, read_manifest
from brainarch.reporting.missing import missing_targets
from brainarch.reporting.page import render_page
from brainarch.reporting.pictures import embed_pictures
from brainarch.reporting.runtime import read_benchmarks, versions

T = TypeVar("T")

#: Bytes that all embedded pictures may take; the page stays below 3 MB.
PICTURE_BUDGET = 2_800_000
SOURCES = {
    "phantom": "synthetic volume (phantom): planted truth, no data",
    "tiff": "a volume of its own",
    "prasad2020": "the published volume (Prasad et al., Scientific Data 7:358, 2020)",
}


def write_summary(
    manifest: Path, benchmarks: Path | None, output_html: Path, output_json: Path
) -> None:
    """Read what a manifest names and write the page and its JSON twin.

    Parameters
    ----------
    manifest : Path
        See `brainarch.reporting.manifest.read_manifest`.
    benchmarks : Path or None
        Folder of Snakemake's benchmark files (``*.tsv``, one a job), for the costs.
    output_html, output_json : Path

    Raises
    ------
    InputError
        If the manifest or a file that it names is wrong.
    """
    config, files = read_manifest(manifest)
    summary = collect(config, files)
    summary["costs"] = read_benchmarks(benchmarks)
    summary["pictures"] = embed_pictures(summary.pop("figures"), PICTURE_BUDGET)
    write_json(output_json, machine_readable(summary))
    write_text(output_html, render_page(summary))


def collect(config: Config, files: Manifest) -> dict[str, Any]:
    """Return everything that the page shows, figures as paths."""
    chance = 1 / len(config.areas)
    metrics = {
        (run, split): _need(files.table("metrics", run, split))
        for run, split in files.parts("metrics")
    }
    test = {run: frame for (run, split), frame in metrics.items() if split == "test"}
    permuted = test.pop("permuted", None)
    splits = _splits(config)
    confused = [
        (f"Areas taken for another, test patches, run {run}", files.table("confusion", run, split))
        for run, split in files.parts("confusion")
        if split == "test" and run != "permuted"
    ]
    confused += [
        (f"Areas taken for another, slice z={z}", files.table("prediction_confusion", z))
        for (z,) in files.parts("prediction_confusion")
    ]
    figures = {name: _path(files, "figure", name) for (name,) in files.parts("figure")}
    return {
        "dataset": config.dataset,
        "title": config.title,
        "source": config.source,
        "source_text": SOURCES[config.source],
        "seed": config.seed,
        "verdicts": _verdicts(config, files, test, permuted, chance),
        "data": _data_rows(config, splits) + _plan_rows(files.record("plan")),
        "planted": _planted(config, files.record("phantom")),
        "areas": _area_table(files.table("areas")),
        "patches": _patch_table(files),
        "numbers": _all_numbers(config, files, metrics, splits),
        "confused": [
            (title, numbers.confused_pairs(frame)) for title, frame in confused if frame is not None
        ],
        "selected": [
            (f"Factors selected over {target}s", _selected_rows(frame, target))
            for target in ("area", "layer")
            if (frame := files.table(f"selection_{target}s")) is not None
        ],
        "published": published.published_figures(config.source),
        "statements": published.published_statements(config.source),
        "comparison_note": published.comparison_note(config.source, splits),
        "missing": missing_targets(
            discovery=config.discovery is not None,
            layers=None if config.layers is None else config.layers.slices,
            extracted=config.extraction.slices,
            annotated=config.annotations.slices,
            permuted_control=config.training.permuted_control,
            figures=list(figures),
        ),
        "versions": versions(),
        "figures": figures,
    }


def machine_readable(summary: dict[str, Any]) -> dict[str, Any]:
    """Return the summary as JSON values: numbers that are not finite become null."""
    shown = {
        name: summary[name]
        for name in (
            "dataset",
            "title",
            "source",
            "seed",
            "data",
            "planted",
            "areas",
            "patches",
            "versions",
        )
    }
    shown["verdicts"] = [asdict(entry) for entry in summary["verdicts"]]
    shown["numbers"] = []
    for number in summary["numbers"]:
        record = asdict(number)
        figure = summary["published"].get(record.pop("key"))
        if figure is not None:
            record["published"] = {"value": figure.value, "source": figure.source}
        shown["numbers"].append(record)
    shown["confused"] = [{"where": title, "pairs": pairs} for title, pairs in summary["confused"]]
    shown["selected"] = [{"what": title, "rows": rows} for title, rows in summary["selected"]]
    shown["missing"] = [{"what": what, "why": why} for what, why in summary["missing"]]
    shown["costs"] = [asdict(cost) for cost in summary["costs"]]
    shown["figures"] = list(summary["pictures"])
    if summary["published"]:
        shown["comparison_note"] = summary["comparison_note"]
    finite: dict[str, Any] = _finite(shown)
    return finite


def _verdicts(
    config: Config,
    files: Manifest,
    test: dict[str, pd.DataFrame],
    permuted: pd.DataFrame | None,
    chance: float,
) -> list[verdicts.Verdict]:
    sizes = files.table("areas")
    if sizes is not None:
        sampled = {z for slices in _splits(config).values() for z in slices}
        sizes = sizes[sizes["slice"].isin(sampled)]
    proofs = {int(z): _need(files.record("proof", z)) for (z,) in files.parts("proof")}
    agreements: dict[str, dict[int, pd.DataFrame]] = {"clusters": {}, "components": {}}
    for kind, z in files.parts("agreement"):
        agreements.setdefault(kind, {})[int(z)] = _need(files.table("agreement", kind, z))
    no_layers = "the config has no layers" if config.layers is None else "no slice was compared"
    if config.discovery is None:
        no_layers = "the config names no area to subdivide"
    no_control = "its test patches were not evaluated"
    if not config.training.permuted_control:
        no_control = "training.permuted_control is off"
    single = "only one labelled slice was extracted"
    return [
        verdicts.counts_verdict(files.table("counts", "main"), sizes),
        verdicts.proof_verdict(proofs),
        verdicts.accuracy_verdict(test, chance),
        verdicts.control_verdict(permuted, chance, no_control),
        verdicts.clusters_verdict(files.table("mixture")),
        verdicts.factors_verdict(files.table("alignment_chosen"), single),
        verdicts.agreement_verdict("clusters", agreements["clusters"], no_layers),
        verdicts.agreement_verdict("components", agreements["components"], no_layers),
        verdicts.matches_verdict(
            files.table("matches"), no_layers if config.discovery is None else single
        ),
    ]


def _all_numbers(
    config: Config,
    files: Manifest,
    metrics: dict[tuple[str, str], pd.DataFrame],
    splits: dict[str, tuple[int, ...]],
) -> list[numbers.Number]:
    maps = {
        int(z): _need(files.table("prediction_metrics", z))
        for (z,) in files.parts("prediction_metrics")
    }
    fits: dict[int, dict[str, Any]] = {}
    fit = files.record("fit")
    fitted = config.extraction.slices[0]
    if fit is not None:
        fits[int(fit["slice"])] = fit
    for (z,) in files.parts("projection"):
        fits[int(z)] = _need(files.record("projection", z))
    return [
        *numbers.patch_numbers(metrics),
        *numbers.map_numbers(maps, splits["test"]),
        *numbers.readout_numbers(
            files.table("classifiers"), files.table("mixture"), files.table("gram_error")
        ),
        *numbers.factor_numbers(fits, fitted),
    ]


def _splits(config: Config) -> dict[str, tuple[int, ...]]:
    if config.splits.by == "blocks":
        return dict.fromkeys(("train", "val", "test"), (config.splits.slice,))
    split = config.splits
    return {"train": tuple(split.train), "val": tuple(split.val), "test": tuple(split.test)}


def _data_rows(config: Config, splits: dict[str, tuple[int, ...]]) -> list[list[str]]:
    z, y, x = config.volume.shape
    um, resampling = config.volume.voxel_um, config.volume.resampling
    size = " x ".join(f"{side * um / 1000:.2f}" for side in (z, y, x))
    pixel = "" if resampling is None else f"; slices resampled to {resampling.pixel_um:.4g} um"
    named = {split: ", ".join(map(str, slices)) for split, slices in splits.items()}
    if config.splits.by == "blocks":
        how = f"parts of slice {config.splits.slice}, {config.splits.assignments} assignments"
    else:
        how = "; ".join(f"{split} z={slices}" for split, slices in named.items())
    stride = config.extraction.stride
    extracted = ", ".join(map(str, config.extraction.slices))
    rows = config.extraction.rows
    part = "" if rows is None else f", rows {rows[0]} to {rows[1] - 1}"
    thin = [f"{area.name} {area.share:g}" for area in config.areas if area.share < 1]
    table = [
        ["source", SOURCES[config.source]],
        ["volume", f"{z} x {y} x {x} voxels (z, y, x), {config.volume.dtype}"],
        ["voxel", f"{um:g} um isotropic; {size} mm{pixel}"],
        ["areas", ", ".join(f"{area.title} ({area.name})" for area in config.areas)],
        ["annotated slices", ", ".join(map(str, config.annotations.slices))],
        ["splits", how],
        ["dense slices", f"z={extracted}, stride {stride}, {config.extraction.where}{part}"],
    ]
    if thin:
        table.append(["least share of a training patch inside its area", ", ".join(thin)])
    return table


def _plan_rows(plan: dict[str, Any] | None) -> list[list[str]]:
    if plan is None:
        return []
    tile = " x ".join(map(str, plan["tile"]))
    text = (
        f"{plan['algorithm']}, tiles of {tile} grid pixels, {plan['workers']} workers, "
        f"{plan['memory_mb']:,.0f} MB predicted"
    )
    return [["dense plan", text]]


def _selected_rows(selection: pd.DataFrame, target: str) -> list[list[str]]:
    return [
        [
            str(row["rank"]),
            str(row["factor"]),
            str(row[target]),
            f"{row['covered_share']:.2f}",
            f"{row['leaked_share']:.2f}",
        ]
        for row in selection.to_dict("records")
    ]


def _planted(config: Config, truth: dict[str, Any] | None) -> list[list[str]]:
    """Say what is known to be true, and what must fail."""
    rows = []
    if truth is not None:
        rows += [
            ["phantom", str(truth["what"])],
            ["planted areas", ", ".join(truth["areas"])],
            [
                "planted layers (um)",
                ", ".join(f"{name} {um:g}" for name, um in truth["layer_thickness_um"].items()),
            ],
            [
                "cell density by layer (relative)",
                ", ".join(
                    f"{name} {value:g}"
                    for name, value in truth["layer_relative_cell_density"].items()
                ),
            ],
            ["barrels, spacing", f"{truth['barrel_spacing_um']:g} um"],
            ["phantom's seed", str(truth["seed"])],
        ]
    if config.training.permuted_control:
        rows.append(["control", "the same network trained on permuted areas"])
    controls = {"untrained": "the same network untrained", "texture": "hand-crafted texture"}
    rows += [
        ["control", text] for name, text in controls.items() if name in config.readout.networks
    ]
    if config.discovery is not None:
        rows.append(["control", f"{config.discovery.nulls} surrogate label maps a spatial null"])
    return rows


def _area_table(sizes: pd.DataFrame | None) -> dict[str, Any] | None:
    """Return the areas' sizes: a row an area, a column a slice."""
    if sizes is None or sizes.empty:
        return None
    slices = list(dict.fromkeys(sizes["slice"]))
    rows = []
    for area, own in sizes.groupby("area", sort=False):
        cells = {
            row["slice"]: f"{row['um2'] / 1e6:.3f} mm² ({row['independent_patches']:,})"
            for row in own.to_dict("records")
        }
        rows.append([str(area), *(cells.get(z, "") for z in slices)])
    return {"head": ["area", *(f"slice z={z}" for z in slices)], "rows": rows}


def _patch_table(files: Manifest) -> dict[str, Any] | None:
    """Return the patches drawn: a row a run and area, a column a split."""
    splits = ("train", "val", "test")
    rows = []
    for (run,) in files.parts("independent"):
        table = _need(files.table("independent", run))
        for area, own in table.groupby("area", sort=False):
            cells = {
                row["split"]: f"{row['patches']:,} ({row['independent_patches']:,})"
                for row in own.to_dict("records")
            }
            rows.append([run, str(area), *(cells.get(split, "") for split in splits)])
    return {"head": ["run", "area", *splits], "rows": rows} if rows else None


def _path(files: Manifest, *key: str) -> Path:
    return _need(files.path_of(*key))


def _need(value: T | None) -> T:
    if value is None:
        raise AssertionError("the manifest lists it, so it is there")
    return value


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _finite(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    if hasattr(value, "item"):  # a NumPy number
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
