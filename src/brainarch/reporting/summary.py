"""Putting a run's results together: one page for people, one JSON file for machines."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import pandas as pd

from brainarch.config.model import Config
from brainarch.pipeline.facts import CLUSTERS, COMPONENTS, MAIN, NONSENSE, PERMUTED, SPLITS, Facts
from brainarch.reporting import networks, numbers, planted, published, reproduction, verdicts
from brainarch.reporting.manifest import Manifest
from brainarch.reporting.maps import map_rows
from brainarch.reporting.missing import missing_targets
from brainarch.reporting.runtime import versions
from brainarch.volume.units import are_equal, sides_text

#: What the page says of numbers where nothing is annotated.
UNJUDGED = (
    "No slice is annotated: nothing says here how right the maps are. Confidence is the network's "
    "own; where a map is marked as unlike the training data, do not trust it."
)
SOURCES = {
    "phantom": "synthetic volume (phantom): planted truth, no data",
    "tiff": "a volume of its own",
    "prasad2020": "the published volume (Prasad et al., Scientific Data 7:358, 2020)",
}


def collect(config: Config, files: Manifest) -> dict[str, Any]:
    """Return everything that the page shows, figures as paths."""
    facts = Facts(config)
    metrics = files.tables("metrics")
    test = {run: frame for (run, split), frame in metrics.items() if split == "test"}
    splits = {split: tuple(facts.split_slices(split)) for split in SPLITS}
    confused = {
        f"test patches, run {run}": frame
        for (run, split), frame in files.tables("confusion").items()
        if split == "test"
    } | {f"slice z={z}": frame for (z,), frame in files.tables("prediction_confusion").items()}
    figures = {name: path for (name,), path in files.paths("figure").items()}
    found = _all_numbers(facts, files, metrics)
    return {
        "dataset": config.dataset,
        "title": config.title,
        "source": config.source,
        "source_text": SOURCES[config.source],
        "seed": config.seed,
        "verdicts": _verdicts(facts, files, test),
        "data": _data_rows(config, splits) + _plan_rows(files.record("plan")),
        "planted": _planted(config, files.record("phantom")),
        "planted_found": _planted_found(facts, files, test),
        "maps": map_rows(files.tables("maps"), facts.labelled_slices),
        "rim": numbers.rim_rows(files.tables("rim")),
        "areas": _area_table(files.table("areas")),
        "patches": _patch_table(files),
        "numbers": found,
        "confused": [
            (f"Areas taken for another, {where}", numbers.confused_pairs(frame))
            for where, frame in confused.items()
        ],
        "selected": [
            (f"Factors selected over {target}s", _selected_rows(frame, target))
            for target in ("area", "layer")
            if (frame := files.table(f"selection_{target}s")) is not None
        ],
        "planted_head": planted.HEAD,
        "beside_factors": _beside_factors(files),
        "reproduction": _reproduction(facts, files, found),
        "comparison_note": published.comparison_note(config.source, splits),
        **_notes(facts),
        "missing": missing_targets(facts, figures),
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
            "planted_found",
            "maps",
            "rim",
            "areas",
            "patches",
            "beside_factors",
            "versions",
        )
    }
    shown["verdicts"] = [asdict(entry) for entry in summary["verdicts"]]
    shown["numbers"] = []
    for number in summary["numbers"]:
        record = asdict(number)
        del record["key"]
        shown["numbers"].append(record)
    shown["confused"] = [{"where": title, "pairs": pairs} for title, pairs in summary["confused"]]
    shown["selected"] = [{"what": title, "rows": rows} for title, rows in summary["selected"]]
    shown["missing"] = [{"what": what, "why": why} for what, why in summary["missing"]]
    shown["costs"] = [asdict(cost) for cost in summary["costs"]]
    shown["figures"] = list(summary["pictures"])
    shown |= {name: summary[name] for name in ("position_note", "interval_note")}
    if summary["reproduction"] is not None:
        shown["comparison_note"] = summary["comparison_note"]
        shown["reproduction"] = summary["reproduction"].to_dict("records")
    finite: dict[str, Any] = _finite(shown)
    return finite


def _notes(facts: Facts) -> dict[str, str]:
    """Return what stands above the numbers."""
    if facts.is_trained:
        return {"position_note": UNJUDGED, "interval_note": ""}
    return {
        "position_note": numbers.position_note(facts.config.splits.by == "slices"),
        "interval_note": numbers.interval_note(facts.config.training.repeats),
    }


def _verdicts(
    facts: Facts, files: Manifest, test: dict[str, pd.DataFrame]
) -> list[verdicts.Verdict]:
    chance = 1 / len(facts.config.areas)
    sizes = files.table("areas")
    if sizes is not None:
        sampled = {z for split in SPLITS for z in facts.split_slices(split)}
        sizes = sizes[sizes["slice"].isin(sampled)]
    proofs = {int(z): proof for (z,), proof in files.records("proof").items()}
    if facts.is_trained:  # what else is asked needs labels
        return [verdicts.proof_verdict(proofs)]
    agreements: dict[str, dict[int, pd.DataFrame]] = {CLUSTERS: {}, COMPONENTS: {}}
    for (kind, z), frame in _agreements(files).items():
        agreements[kind][z] = frame
    no_control = "its test patches were not evaluated"
    if not facts.config.training.permuted_control:
        no_control = "training.permuted_control is off"
    no_layers, no_matches = (
        _why(facts, "discovery", "layers"),
        _why(facts, "discovery", "comparison"),
    )
    no_nonsense = "its test patches were not evaluated"
    if not facts.config.training.nonsense_control:
        no_nonsense = "training.nonsense_control is off"
    true_labels = {run: test[run] for run in facts.assignments if run in test}
    return [
        verdicts.counts_verdict(files.table("counts", MAIN), sizes),
        verdicts.proof_verdict(proofs),
        verdicts.accuracy_verdict(true_labels, chance, files.table("new_brains")),
        verdicts.control_verdict(test.get(PERMUTED), chance, no_control),
        verdicts.nonsense_verdict(test.get(NONSENSE), facts.nonsense_area, no_nonsense),
        verdicts.training_verdict(
            files.table("differences"), files.table("assignment_differences"), len(true_labels)
        ),
        verdicts.clusters_verdict(files.table("mixture")),
        verdicts.factors_verdict(
            files.table("alignment_chosen"), files.table("baselines"), _why(facts, "comparison")
        ),
        *(verdicts.agreement_verdict(kind, found, no_layers) for kind, found in agreements.items()),
        verdicts.matches_verdict(files.table("matches"), no_matches),
    ]


def _agreements(files: Manifest) -> dict[tuple[str, int], pd.DataFrame]:
    return {(kind, int(z)): frame for (kind, z), frame in files.tables("agreement").items()}


def _planted_found(
    facts: Facts, files: Manifest, test: dict[str, pd.DataFrame]
) -> list[list[str]] | None:
    """Return what became of everything that was planted; None where nothing was."""
    if not facts.is_phantom or facts.is_trained:
        return None
    return planted.planted_rows(
        test=test.get(MAIN),
        chance=1 / len(facts.config.areas),
        chosen=files.table("alignment_chosen"),
        agreements=_agreements(files),
        planted=files.table("planted"),
        lesions=files.table("lesions"),
    )


def _why(facts: Facts, *needs: str) -> str:
    """Return why something that has needs is not there."""
    return next((facts.lacks[need] for need in needs if need in facts.lacks), "it was not made")


def _all_numbers(
    facts: Facts, files: Manifest, metrics: dict[tuple[str, ...], pd.DataFrame]
) -> list[numbers.Number]:
    maps = {int(z): frame for (z,), frame in files.tables("prediction_metrics").items()}
    fits = {int(z): fit for (z,), fit in files.records("fit").items()}
    test = {run: frame for (run, split), frame in metrics.items() if split == "test"}
    return [
        *numbers.patch_numbers(metrics),
        *networks.seed_numbers(test),
        *numbers.assignment_numbers({run: test[run] for run in facts.assignments if run in test}),
        *numbers.brain_numbers(files.table("new_brains")),
        *numbers.calibration_numbers(files.record("calibration")),
        *numbers.map_numbers(maps, facts.split_slices("test")),
        *numbers.readout_numbers(
            files.table("classifiers"), files.table("mixture"), files.table("gram_error")
        ),
        *numbers.difference_numbers(files.table("differences")),
        *numbers.assignment_readout_numbers(
            files.table("assignments"), files.table("assignment_differences")
        ),
        *numbers.factor_numbers(fits, facts.fit_slices),
        *networks.network_numbers(files),
    ]


def _reproduction(
    facts: Facts, files: Manifest, found: list[numbers.Number]
) -> pd.DataFrame | None:
    """Return every published number beside ours; None where nothing is published of the data."""
    figures = published.published_figures(facts.config.source)
    if not figures:
        return None
    test = facts.split_slices("test")
    fits = {int(z): fit for (z,), fit in files.records("fit").items()}
    return reproduction.reproduction_table(
        facts,
        figures,
        [
            *found,
            *reproduction.pixel_numbers(fits, test),
            *reproduction.profile_numbers(files.table("profiles", str(test[0]))),
            *reproduction.match_numbers(files.table("matches")),
        ],
    )


def _data_rows(config: Config, splits: dict[str, tuple[int, ...]]) -> list[list[str]]:
    z, y, x = config.volume.shape
    sides, resampling = config.volume.sides_um, config.volume.resampling
    size = " x ".join(
        f"{count * um / 1000:.2f}" for count, um in zip((z, y, x), sides, strict=True)
    )
    cube = " isotropic" if are_equal(*sides) else " (z, y, x)"
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
    learnt = [["annotated slices", ", ".join(map(str, config.annotations.slices))], ["splits", how]]
    if config.network is not None:
        learnt = [["network, trained already", config.network]]
    areas = [
        area.name if area.title == area.name else f"{area.title} ({area.name})"
        for area in config.areas
    ]
    thin = [f"{area.name} {area.share:g}" for area in config.areas if area.share < 1]
    table = [
        ["source", SOURCES[config.source]],
        ["volume", f"{z} x {y} x {x} voxels (z, y, x), {config.volume.dtype}"],
        ["voxel", f"{sides_text(sides)} um{cube}; {size} mm{pixel}"],
        ["areas", ", ".join(areas)],
        *learnt,
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
        for row in selection[selection["shown"]].to_dict("records")
    ]


def _beside_factors(files: Manifest) -> dict[str, Any] | None:
    """Return the AUROC of factors and of what tells areas without them: a row per slice and area.

    In brackets, which factor or unit it is.
    """
    chosen, baselines = files.table("alignment_chosen"), files.table("baselines")
    if chosen is None or baselines is None:
        return None
    factors = chosen[chosen["target"] == "area"].rename(columns={"factor": "which"})
    shown = pd.concat([factors.assign(baseline="factor"), baselines])
    shown["text"] = [
        f"{auroc:.2f} ({which})"
        for auroc, which in zip(shown["auroc"], shown["which"], strict=True)
    ]
    kinds = {"factor": "its factor"} | verdicts.BASELINES
    wide = shown.pivot_table(
        index=["slice", "name"], columns="baseline", values="text", aggfunc="first", sort=False
    ).reindex(columns=list(kinds))
    return {
        "head": ["slice", "area", *kinds.values()],
        "rows": wide.fillna("").reset_index().astype(str).to_numpy().tolist(),
    }


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
    if config.network is not None:
        return rows
    if config.training.permuted_control:
        rows.append(["check of the code", "the same network trained on permuted areas"])
    if config.training.nonsense_control:
        cut = Facts(config).nonsense_area
        rows.append(["control", f"the same network trained on nonsense areas, parts of {cut}"])
    controls = {"untrained": "the same network untrained", "texture": "hand-crafted texture"}
    rows += [
        ["control", text] for name, text in controls.items() if name in config.readout.networks
    ]
    if config.discovery is not None:
        rows.append(["control", f"{config.statistics.nulls} maps that know nothing, for each null"])
    return rows


def _area_table(sizes: pd.DataFrame | None) -> dict[str, Any] | None:
    """Return the areas' sizes: a row per area, a column per slice."""
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
    """Return the patches drawn: a row per run and area, a column per split."""
    rows = []
    for (run,), table in files.tables("independent").items():
        for area, own in table.groupby("area", sort=False):
            cells = {
                row["split"]: f"{row['patches']:,} ({row['independent_patches']:,})"
                for row in own.to_dict("records")
            }
            rows.append([run, str(area), *(cells.get(split, "") for split in SPLITS)])
    return {"head": ["run", "area", *SPLITS], "rows": rows} if rows else None


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
