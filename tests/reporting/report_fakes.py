"""A small run's results on disk, by kind."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from brainarch.annotations.areas import AREA_COLUMNS
from brainarch.discovery.agreement import AGREEMENT_COLUMNS
from brainarch.discovery.matching import MATCH_COLUMNS
from brainarch.evaluation.area_map import RIM_COLUMNS
from brainarch.evaluation.new_brains import BRAIN_COLUMNS
from brainarch.evaluation.tables import CONFUSION_COLUMNS, METRIC_COLUMNS
from brainarch.factors.baselines import BASELINE_COLUMNS
from brainarch.factors.selection_stages import CHOSEN_COLUMNS, selection_columns
from brainarch.figures import slice_maps
from brainarch.figures.panels import Areas
from brainarch.patches.sampling import COUNT_COLUMNS, INDEPENDENT_COLUMNS
from brainarch.pipeline.facts import SPLITS
from brainarch.readout.classifiers import CLASSIFIER_COLUMNS
from brainarch.readout.clusters import CLUSTER_COLUMNS
from brainarch.readout.differences import DIFFERENCE_COLUMNS
from brainarch.readout.stages import GRAM_ERROR_COLUMNS
from brainarch.records import write_record
from brainarch.reporting.stages import write_report
from small_inputs import write_plain

NAMES = ("Ctx", "Str", "VP", "ZI", "HypoTh", "WM")


def config(source: str = "phantom", **changes: Any) -> dict[str, Any]:
    path = None if source == "phantom" else "data/*.tif"
    labels = None if source == "phantom" else "data/labels_{z}.tif"
    content: dict[str, Any] = {
        "dataset": "tiny",
        "title": 'A <script>alert("x")</script> & more',
        "source": source,
        "volume": {"path": path, "shape": [300, 400, 500], "voxel_um": 1.17},
        "areas": [
            {"name": name, "title": f"<i>{name}</i>", "codes": [code]}
            for code, name in enumerate(NAMES, start=1)
        ],
        "annotations": {"path": labels, "slices": [159, 209, 259, 279]},
        "layers": {
            "path": labels,
            "slices": [259, 279],
            "names": [
                {"name": "L1", "title": "L1", "codes": [1]},
                {"name": "L2", "title": "L2", "codes": [2]},
            ],
        },
        "splits": {"by": "slices", "train": [159], "val": [209], "test": [259]},
        "extraction": {"slices": [259, 279]},
        "discovery": {"area": "Ctx", "upper": "outside", "lower": "WM"},
    }
    return content | changes


def table(columns: Mapping[str, str], rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """A table as its stage writes it; columns that no row has are empty."""
    found = list(rows)
    assert {name for row in found for name in row} <= set(columns)
    return pd.DataFrame(found, columns=list(columns))


def metrics(
    accuracy: float, low: float, high: float, recall: float = 0.7, subset: str = "all"
) -> pd.DataFrame:
    total = {"area": "all", "metric": "accuracy", "value": accuracy, "low": low, "high": high}
    rows = [total | {"patches": 600, "blocks": 12, "independent_patches": 40}]
    for name in NAMES:
        own = {"area": name, "metric": "recall", "value": recall, "low": 0.6, "high": 0.8}
        rows.append(own | {"patches": 100, "blocks": 9, "independent_patches": 8})
    few = {"area": "WM", "metric": "recall", "value": recall, "patches": 100, "blocks": 3}
    rows[-1] = few
    copied = {"area": "all", "patches": 600, "blocks": 12}
    rows.append(copied | {"metric": "position_accuracy", "value": 0.98, "low": 0.96, "high": 0.99})
    rows.append(copied | {"metric": "above_position", "value": -0.12, "low": -0.2, "high": -0.04})
    return table(METRIC_COLUMNS, (row | {"subset": subset} for row in rows))


def confusion() -> pd.DataFrame:
    often = {("VP", "ZI"): 50} | {(name, name): 70 for name in NAMES}
    return table(
        CONFUSION_COLUMNS,
        (
            {"area": area, "predicted": predicted, "count": often.get((area, predicted), 6)}
            for area in NAMES
            for predicted in NAMES
        ),
    )


def agreement(value: float, limit: float, effective: int = 200) -> pd.DataFrame:
    found = {"value": value, "above": value > limit, "above_nulls": value > limit}
    null = {"slice": 259, "statistic": "ami", "effective": effective, "area_share": 0.8}
    null |= {"median": 0.1, "null_99": limit}
    return table(AGREEMENT_COLUMNS, (null | found | {"null": name} for name in ("bands", "depth")))


def chosen(aurocs: tuple[float, ...] = (0.95, 0.9, 0.6)) -> pd.DataFrame:
    return table(
        CHOSEN_COLUMNS,
        (
            {
                "slice": 279,
                "target": "area",
                "name": name,
                "factor": factor,
                "auroc_fitted": 0.96,
                "auroc": auroc,
                "low": auroc - 0.03,
                "high": auroc + 0.03,
                "blocks": 12,
                "null_99": 0.8,
                "p": 0.005,
                "above_null": auroc > 0.8,
                "aligned": auroc >= 0.85,
            }
            for factor, (name, auroc) in enumerate(zip(NAMES, aurocs, strict=False), start=1)
        ),
    )


def new_brains(*accuracies: float) -> pd.DataFrame:
    return table(
        BRAIN_COLUMNS,
        (
            {"seed": seed, "slice": 259, "area": area, "recall": accuracy, "patches": 100}
            for seed, accuracy in enumerate(accuracies, start=8)
            for area in ("all", *NAMES)
        ),
    )


def baselines() -> pd.DataFrame:
    which = {"unit": 7, "grey": "bright", "untrained": 2}
    return table(
        BASELINE_COLUMNS,
        (
            {"slice": 279, "name": name, "baseline": kind, "which": which[kind]}
            | {"auroc_fitted": 0.9, "auroc": auroc, "aligned": auroc >= 0.85, "step_px": 4}
            for kind, values in (
                ("unit", (0.93, 0.9, 0.87)),
                ("grey", (0.5, 0.86, 0.6)),
                ("untrained", (0.6, 0.7, 0.8)),
            )
            for name, auroc in zip(NAMES, values, strict=False)
        ),
    )


def matches(
    *pairs: tuple[int, int, float, int], p: float = 0.005, effective: int = 200
) -> pd.DataFrame:
    names = ("component", "matched", "distance", "nearest")
    mean = sum(pair[2] for pair in pairs) / len(pairs)
    null: dict[str, float] = {"mean_distance": mean}
    for name in ("bands", "depth"):
        own = {"median": 0.5, "1": 0.3, "p": p, "effective": effective}
        null |= {f"{name}_{key}": value for key, value in own.items()}
    return table(MATCH_COLUMNS, (null | dict(zip(names, pair, strict=True)) for pair in pairs))


def selection(target: str) -> pd.DataFrame:
    row = {
        "shown": True,
        "rank": 1,
        "factor": 4,
        target: "VP",
        "covered_share": 0.9,
        "leaked_share": 0.1,
    }
    return table(selection_columns(target), [row])


def mixture(**found: tuple[float, float, float]) -> pd.DataFrame:
    return table(
        CLUSTER_COLUMNS,
        (
            {"network": network, "v_measure": value, "low": low, "high": high}
            | {"starts": 20, "lowest": value - 0.2, "highest": value + 0.01}
            | ({"behind": b, "behind_low": b - 0.1, "behind_high": b + 0.1} if index else {})
            for index, (network, (value, low, high)) in enumerate(found.items())
            for b in [next(iter(found.values()))[0] - value]
        ),
    )


def differences(low: float, high: float) -> pd.DataFrame:
    own = {"network": "cnn", "classifier": "logistic", "patches": 600, "blocks": 12}
    ends = {"difference": (low + high) / 2, "low": low, "high": high}
    return table(
        DIFFERENCE_COLUMNS,
        [
            own | ends | {"other_network": "texture", "other_classifier": "logistic"},
            own | ends | {"other_network": "cnn", "other_classifier": "cnn"},
        ],
    )


def maps(seed: int) -> pd.DataFrame:
    """What the picture of a slice plots: all of it extracted, half of it the first area."""
    areas = Areas.of([{"name": name, "title": name, "colour": None} for name in NAMES])
    codes = np.random.default_rng(seed).integers(1, 7, (20, 30)).astype(np.uint8)
    codes[:10] = 1
    novelty = np.where(codes == 1, 2.0, 1.0).astype(np.float32)
    return slice_maps.prepare(areas, codes, np.full(codes.shape, 0.75, np.float32), novelty, 1.5)


def proof(exact: bool = True) -> dict[str, Any]:
    comparison = {"relative_max": 3e-7, "relative_norm": 2e-7}
    return {
        "exact": exact,
        "precision": "float32",
        "windows": 256,
        "cube_against": {"float32": comparison, "float64": comparison},
    }


def results(root: Path) -> dict[str, Path]:
    """Write one file of every kind and return their paths by kind."""
    per_area = {"pixels": 1000, "um2": 1369.0, "independent_patches": 5}
    pairs = [{"split": split, "area": name} for split in SPLITS for name in NAMES]
    reasons = (("kept", 300), ("too close to the border", 700))
    drawn = {"patches": 300, "candidates": 900, "independent_patches": 5}
    fitted = {"classifier": "logistic", "split": "test"}
    tables = {
        "areas": table(
            AREA_COLUMNS,
            ({"slice": z, "area": name} | per_area for z in (159, 209, 259, 279) for name in NAMES),
        ),
        "counts/main": table(
            COUNT_COLUMNS,
            (pair | {"reason": what, "pixels": n} for pair in pairs for what, n in reasons),
        ),
        "independent/main": table(INDEPENDENT_COLUMNS, (pair | drawn for pair in pairs)),
        "metrics/main/val": metrics(0.91, 0.88, 0.94),
        "metrics/main/test": metrics(0.86, 0.81, 0.9),
        "metrics/permuted/test": metrics(0.18, 0.15, 0.21),
        "confusion/main/test": confusion(),
        "prediction_metrics/259": metrics(0.79, 0.7, 0.85, subset="test"),
        "prediction_confusion/259": confusion(),
        "classifiers": table(
            CLASSIFIER_COLUMNS,
            [
                fitted | {"network": "cnn", "accuracy": 0.9, "low": 0.86, "high": 0.93},
                fitted | {"network": "texture", "accuracy": 0.6, "low": 0.5, "high": 0.7},
            ],
        ),
        "differences": differences(0.2, 0.4),
        "mixture": mixture(cnn=(0.7, 0.6, 0.8), untrained=(0.2, 0.1, 0.3)),
        "gram_error": table(
            GRAM_ERROR_COLUMNS, [{"network": "cnn", "block_error": 0.41, "low": 0.38, "high": 0.44}]
        ),
        "selection_areas": selection("area"),
        "selection_layers": selection("layer"),
        "alignment_chosen": chosen(),
        "baselines": baselines(),
        "new_brains": new_brains(0.78, 0.84),
        "agreement/clusters/259": agreement(0.3, 0.2),
        "agreement/components/259": agreement(0.1, 0.2),
        "matches": matches((1, 2, 0.1, 2), (2, 1, 0.2, 1)),
        "rim/259": table(
            RIM_COLUMNS,
            [
                {"part": "all", "pixels": 9000, "accuracy": 0.79, "low": 0.7, "high": 0.85},
                {"part": "beyond 64 px of every border", "pixels": 4000, "accuracy": 0.97},
            ],
        ),
        "maps/259": maps(1),
        "maps/300": maps(2),
    }
    records = {
        "proof/259": proof(),
        "plan": {"algorithm": "spectral", "tile": [128, 128], "workers": 2, "memory_mb": 900.0},
        "fit/259": {"slice": 259, "relative_error": 0.21, "rows": 1000},
        "fit/279": {"slice": 279, "relative_error": 0.24, "rows": 900},
        "phantom": {
            "what": "synthetic thalamocortical volume; not data",
            "areas": dict.fromkeys(NAMES, 1),
            "layer_thickness_um": {"L1": 128},
            "layer_relative_cell_density": {"L1": 0.25},
            "barrel_spacing_um": 260,
            "seed": 7,
        },
    }
    files = {}
    for key, content in {**tables, **records}.items():
        files[key] = write(root, key, content)
    files["figure/V3_scale"] = picture(root / "V3_scale.png", 400, 200)
    return files


def benchmarks(root: Path) -> Path:
    """Write a folder as Snakemake's ``benchmark:`` does."""
    folder = root / "benchmarks"
    folder.mkdir()
    text = "s\th:m:s\tmax_rss\tcpu_time\n75.5\t0:01:15\t812.25\t140\n"
    (folder / "train-main.tsv").write_text(text)
    return folder


def write(root: Path, key: str, content: pd.DataFrame | dict[str, Any]) -> Path:
    """Write a table, or a record, as stages do."""
    path = root / f"{key.replace('/', '_')}"
    if isinstance(content, dict):
        write_record(path.with_suffix(".json"), content)
        return path.with_suffix(".json")
    write_plain(content, path.with_suffix(".csv"))
    return path.with_suffix(".csv")


def picture(path: Path, width: int, height: int) -> Path:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 255, (height // 8, width // 8, 3), dtype=np.uint8)
    Image.fromarray(noise).resize((width, height)).save(path)
    return path


def report(
    root: Path, files: Mapping[str, Path], config: Mapping[str, Any], timed: bool = True
) -> tuple[str, dict[str, Any]]:
    """Write a report into ``root`` and return the page and what its JSON holds."""
    page, numbers = root / "out" / "summary.html", root / "out" / "summary.json"
    folder = benchmarks(root) if timed else root / "absent"
    beside = root / "out" / "reproduction.csv" if config.get("source") == "prasad2020" else None
    write_report(
        files=files,
        page=page,
        numbers=numbers,
        benchmarks=folder,
        config=config,
        reproduction=beside,
    )
    return page.read_text(encoding="utf-8"), json.loads(numbers.read_text(encoding="utf-8"))
