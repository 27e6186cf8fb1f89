"""A small run's results on disk, and the manifest that names them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

NAMES = ("Ctx", "Str", "VP", "ZI", "HypoTh", "WM")


def config(source: str = "phantom", **changes: Any) -> dict[str, Any]:
    path = None if source == "phantom" else "data/*.tif"
    labels = None if source == "phantom" else "data/labels_{z}.tif"
    content: dict[str, Any] = {
        "dataset": "tiny",
        "title": 'A <script>alert("x")</script> & more',
        "source": source,
        "volume": {"path": path, "shape": [300, 400, 500]},
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


def metrics(accuracy: float, low: float, high: float, recall: float = 0.7) -> pd.DataFrame:
    rows = [("all", "all", "accuracy", accuracy, low, high, 600, 12, 40)]
    rows += [("all", name, "recall", recall, 0.6, 0.8, 100, 3, 8) for name in NAMES]
    columns = ["subset", "area", "metric", "value", "low", "high", "patches", "blocks"]
    return pd.DataFrame(rows, columns=[*columns, "independent_patches"])


def confusion() -> pd.DataFrame:
    rows = [(a, p, 70 if a == p else 6) for a in NAMES for p in NAMES]
    frame = pd.DataFrame(rows, columns=["area", "predicted", "count"])
    frame.loc[(frame["area"] == "VP") & (frame["predicted"] == "ZI"), "count"] = 50
    return frame


def agreement(value: float, limit: float) -> pd.DataFrame:
    rows = [
        ("ami", null, value, 0.1, limit, value > limit, value > limit)
        for null in ("shift", "block", "depth")
    ]
    columns = ["statistic", "null", "value", "median", "null_99", "above", "above_nulls"]
    return pd.DataFrame(rows, columns=columns).assign(slice=259)


def chosen(aurocs: tuple[float, ...] = (0.95, 0.9, 0.6)) -> pd.DataFrame:
    rows = [
        (279, "area", name, index + 1, 0.96, auroc, 0.8, auroc > 0.8, auroc >= 0.85)
        for index, (name, auroc) in enumerate(zip(NAMES, aurocs, strict=False))
    ]
    columns = ["slice", "target", "name", "factor", "auroc_fitted", "auroc", "null_99"]
    return pd.DataFrame(rows, columns=[*columns, "above_null", "aligned"])


def proof(exact: bool = True) -> dict[str, Any]:
    comparison = {"relative_max": 3e-7, "relative_norm": 2e-7}
    return {
        "exact": exact,
        "precision": "float32",
        "windows": 256,
        "cube_against": {"float32": comparison, "float64": comparison},
    }


def results(root: Path) -> dict[str, str]:
    """Write one file of every kind and return the manifest's ``files``."""
    sizes = pd.DataFrame(
        [(z, name, 1000, 1369.0, 5) for z in (159, 209, 259, 279) for name in NAMES],
        columns=["slice", "area", "pixels", "um2", "independent_patches"],
    )
    splits = ("train", "val", "test")
    counts = pd.DataFrame(
        [
            (split, name, reason, pixels)
            for split in splits
            for name in NAMES
            for reason, pixels in (("kept", 300), ("too close to the border", 700))
        ],
        columns=["split", "area", "reason", "pixels"],
    )
    independent = pd.DataFrame(
        [(split, name, 300, 900, 5) for split in splits for name in NAMES],
        columns=["split", "area", "patches", "candidates", "independent_patches"],
    )
    classifiers = pd.DataFrame(
        [
            ("cnn", "logistic", "test", 0.9, 0.86, 0.93),
            ("texture", "logistic", "test", 0.6, 0.5, 0.7),
        ],
        columns=["network", "classifier", "split", "accuracy", "low", "high"],
    )
    mixture = pd.DataFrame(
        [("cnn", 0.7, 0.6, 0.8), ("untrained", 0.2, 0.1, 0.3)],
        columns=["network", "v_measure", "low", "high"],
    )
    gram = pd.DataFrame(
        [("cnn", 0.41, 0.38, 0.44)], columns=["network", "block_error", "low", "high"]
    )
    selection = pd.DataFrame(
        [(1, 4, "VP", 0.9, 0.1)],
        columns=["rank", "factor", "area", "covered_share", "leaked_share"],
    )
    matches = pd.DataFrame(
        [(1, 2, 0.1, 2), (2, 1, 0.2, 1)], columns=["component", "matched", "distance", "nearest"]
    )
    tables = {
        "areas": sizes,
        "counts/main": counts,
        "independent/main": independent,
        "metrics/main/val": metrics(0.91, 0.88, 0.94),
        "metrics/main/test": metrics(0.86, 0.81, 0.9),
        "metrics/permuted/test": metrics(0.18, 0.14, 0.22),
        "confusion/main/test": confusion(),
        "prediction_metrics/259": metrics(0.79, 0.7, 0.85).assign(subset="test"),
        "prediction_confusion/259": confusion(),
        "classifiers": classifiers,
        "mixture": mixture,
        "gram_error": gram,
        "selection_areas": selection,
        "selection_layers": selection.rename(columns={"area": "layer"}),
        "alignment_chosen": chosen(),
        "agreement/clusters/259": agreement(0.3, 0.2),
        "agreement/components/259": agreement(0.1, 0.2),
        "matches": matches,
    }
    records = {
        "proof/259": proof(),
        "plan": {"algorithm": "spectral", "tile": [128, 128], "workers": 2, "memory_mb": 900.0},
        "fit": {"slice": 259, "relative_error": 0.21, "rows": 1000},
        "projection/279": {"slice": 279, "relative_error": 0.24, "rows": 900},
        "phantom": {
            "what": "synthetic thalamocortical volume; not data",
            "areas": dict.fromkeys(NAMES, 1),
            "layer_thickness_um": {"L1": 128},
            "layer_relative_cell_density": {"L1": 0.25},
            "barrel_spacing_um": 260,
            "seed": 7,
        },
        "training/main": {"best_epoch": 4},
    }
    files = {}
    for key, frame in tables.items():
        files[key] = write(root, key, "csv", frame.to_csv(index=False))
    for key, record in records.items():
        files[key] = write(root, key, "json", json.dumps(record))
    files["legend"] = write(root, "legend", "csv", "code,name,title,colour\n")
    files["figure/V3_scale"] = picture(root / "V3_scale.png", 400, 200)
    return files


def benchmarks(root: Path) -> Path:
    """Write a folder as Snakemake's ``benchmark:`` does."""
    folder = root / "benchmarks"
    folder.mkdir()
    text = "s\th:m:s\tmax_rss\tcpu_time\n75.5\t0:01:15\t812.25\t140\n"
    (folder / "train-main.tsv").write_text(text)
    return folder


def write(root: Path, key: str, ending: str, text: str) -> str:
    path = root / f"{key.replace('/', '_')}.{ending}"
    path.write_text(text, encoding="utf-8")
    return str(path)


def picture(path: Path, width: int, height: int) -> str:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 255, (height // 8, width // 8, 3), dtype=np.uint8)
    Image.fromarray(noise).resize((width, height)).save(path)
    return str(path)


def manifest(
    root: Path, source: str = "phantom", without: tuple[str, ...] = (), **changes: Any
) -> Path:
    files = {key: path for key, path in results(root).items() if key.split("/")[0] not in without}
    path = root / "manifest.json"
    path.write_text(json.dumps({"config": config(source, **changes), "files": files}))
    return path
