"""A small finished dataset for the page: volume, labels, cubes and maps of two slices."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brainarch.annotations.legend import make_legend
from brainarch.annotations.store import create_labels
from brainarch.dense.cube import Cube
from brainarch.explorer.stages import write_explorer
from brainarch.factors.coefficients import CoefficientMaps
from brainarch.grids.grid import Place
from brainarch.grids.maps import write_maps
from small_inputs import write_volume

MODULES = Path(__file__).parents[2] / "src/brainarch/explorer/page"
SLICES = (5, 6)
SHAPE = (170, 300)
UNITS = 64
NETWORKS = ("cnn", "untrained")
HOSTILE = "</script><script>document.title='broken'</script> \"it's\" <b>&amp;"


def entries(count: int = 3) -> list[dict[str, Any]]:
    names = ["Ctx", "Str", "WM", *(f"A{i}" for i in range(4, count + 1))]
    titles = [HOSTILE, "Striatum", "White matter", *(f"Area {i}" for i in range(4, count + 1))]
    return [
        {"name": name, "title": title, "colour": None}
        for name, title in zip(names[:count], titles[:count], strict=True)
    ]


def truth(count: int = 3) -> np.ndarray:
    """Upright bands, one an area, with nothing round them."""
    codes = np.zeros(SHAPE, dtype=np.uint8)
    edges = np.linspace(10, SHAPE[1] - 10, count + 1).astype(int)
    for code in range(1, count + 1):
        codes[12:-12, edges[code - 1] : edges[code]] = code
    return codes


def representation(codes: np.ndarray, seed: int) -> np.ndarray:
    """Units that tell areas apart, and noise: shape (rows, columns, units)."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(99).gamma(1.0, 1.0, (int(codes.max()) + 1, UNITS))
    centres[:, :5] = 0  # units that never speak
    values = centres[codes] + rng.normal(0, 0.3, (*codes.shape, UNITS))
    return np.maximum(values, 0).astype(np.float32) * (centres.max(axis=0) > 0)


def write_dataset(folder: Path, stride: int = 4, count: int = 3) -> dict[str, Path]:
    """Write everything that the page shows; return the files as the stage takes them."""
    rng = np.random.default_rng(1)
    write_volume(
        folder / "volume.zarr", rng.integers(0, 256, (2, *SHAPE), dtype=np.uint8), SLICES[0]
    )
    codes = truth(count)
    legend = make_legend([entry["name"] for entry in entries(count)])
    labels = create_labels(
        folder / "areas.zarr", (2, *SHAPE), 1.17, SLICES, first_slice=5, legend=legend
    )
    files = {"areas": folder / "areas.zarr"}
    y, x = np.arange(2, SHAPE[0], stride), np.arange(1, SHAPE[1], stride)
    thin = codes[np.ix_(y, x)]
    for z in SLICES:
        labels.write_slice(z, codes)
        place = Place(z, stride, 1.17, y, x)
        X = representation(thin, z)
        for network in NETWORKS:
            cube = Cube.create(folder / f"{network}{z}.zarr", place, UNITS)
            # the second has other units, in another order
            cube.write(0, 0, X if network == "cnn" else X[..., ::-1] ** 0.5, thin > 0)
            files[f"cube/{z}/{network}"] = folder / f"{network}{z}.zarr"
        confidence = np.where(thin > 0, 0.9, np.nan).astype(np.float32)
        write_maps(
            folder / f"areas{z}.zarr",
            {
                "area": thin,
                "confidence": confidence,
                "averaged": thin,
                "novelty": np.where(thin == 2, 2 * confidence, confidence),
            },
            place,
            {"areas": list(legend.names), "average_px": 64, "novelty_threshold": 0.9},
        )
        maps = CoefficientMaps.create(folder / f"coefficients{z}.zarr", place, 4)
        iy, ix = np.nonzero(thin > 0)
        maps.write_rows(0, iy, ix, X[iy, ix, 10:14])
        inside = (thin == 1).astype(np.uint8) * (1 + (np.arange(len(y)) % 2)[:, None])
        for kind in ("clusters", "components"):
            path = folder / f"z{z}_{kind}.zarr"
            write_maps(path, {"subdivision": inside}, place, {"area": "Ctx", "subdivisions": 2})
            files[f"{kind}/{z}"] = path
        files |= {
            f"prediction/{z}": folder / f"areas{z}.zarr",
            f"coefficients/{z}": folder / f"coefficients{z}.zarr",
        }
    return files


def write_page(folder: Path, files: dict[str, Path], **changes: Any) -> Path:
    given: dict[str, Any] = {
        "volume": folder / "volume.zarr",
        "files": files,
        "page": folder / "explore.html",
        "slices": list(SLICES),
        "areas": entries(),
        "layer_names": [],
        "networks": list(NETWORKS),
        "title": f"Test & {HOSTILE}",
        "lacks": {"layers": "the config has no layers: they are the user's input"},
    }
    given |= changes
    write_explorer(**given)
    shown: Path = given["page"]
    return shown


def content_of(page: Path) -> dict[str, Any]:
    found = re.search(
        r'<script type="application/json" id="content">(.*?)</script>', page.read_text(), re.DOTALL
    )
    assert found
    content: dict[str, Any] = json.loads(found[1])
    return content


def block_of(page: Path, name: str, dtype: str = "uint8") -> np.ndarray:
    found = re.search(
        rf'<script type="text/plain" id="block-{name}">(.*?)</script>', page.read_text(), re.DOTALL
    )
    assert found
    return np.frombuffer(zlib.decompress(base64.b64decode(found[1])), dtype=dtype)


def run_modules(script: str, given: Any) -> Any:
    """Run a script with the page's own modules under node; return what it prints as JSON.

    The script is the body of a function of ``given``; ``modules`` is where it imports from.
    """
    from shutil import which

    node = which("node")
    if node is None:
        pytest.skip("node is not installed: the page's modules are not run")
    text = (
        f"const modules = {json.dumps(MODULES.as_uri() + '/')};\n"
        "const read = (await import('node:fs')).readFileSync;\n"
        "const given = JSON.parse(read(0, 'utf8'));\n"
        f"const result = await (async () => {{ {script} }})();\n"
        "process.stdout.write(JSON.stringify(result));\n"
    )
    done = subprocess.run(
        [node, "--input-type=module", "--eval", text],
        input=json.dumps(given), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
