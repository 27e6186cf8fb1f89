"""The volume of docs/tutorial.md: 18 slices of made-up tissue, 8 bit, with shapes as QuPath draws.

    python docs/tutorial_volume.py tutorial

Pixels measure 2 µm and slices are 25 µm apart, as the OME-TIFF states. Three areas differ in their
texture alone: grains, stripes, and blotches. Slices 2, 6 and 10 are annotated, slice 15 is not. It
is no data, and says nothing of a brain.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

SLICES, ROWS, COLUMNS = 18, 400, 640
PIXEL_UM, SLICE_UM = 2.0, 25.0
ANNOTATED = (2, 6, 10)
#: Class of each area in QuPath, its colour, and the blur of its texture along y and x in pixels.
AREAS = {
    "Grainy layer": ((0, 114, 178), (1.2, 1.2)),
    "Striped nucleus": ((230, 159, 0), (9.0, 0.8)),
    "Blotchy tract": ((0, 158, 115), (5.0, 5.0)),
}
#: Width of the background round the tissue, and of the strip beside a border that is not annotated.
RIM, DOUBT = 24, 6


def borders(z: int) -> NDArray[np.float64]:
    """Return the borders between areas, x in pixels, shape (areas + 1, rows)."""
    y = np.arange(ROWS)
    inner = COLUMNS - 2 * RIM
    wave = 14 * np.sin(2 * np.pi * (y / 260 + z / 30)) + 0.8 * z
    found = [np.full(ROWS, RIM, dtype=float)]
    found += [RIM + inner * part + wave for part in (0.33, 0.67)]
    return np.stack([*found, np.full(ROWS, COLUMNS - RIM, dtype=float)])


def grey_slice(z: int) -> NDArray[np.uint8]:
    """Return one slice: textures of one mean and spread on a dark background, noise on all."""
    rng = np.random.default_rng(z)
    lines, x = borders(z), np.arange(COLUMNS)
    grey = np.full((ROWS, COLUMNS), 18.0)
    tissue = np.zeros((ROWS, COLUMNS), dtype=bool)
    tissue[RIM : ROWS - RIM] = True
    for index, (_, blur) in enumerate(AREAS.values()):
        texture = gaussian_filter(rng.normal(size=(ROWS, COLUMNS)), blur)
        inside = tissue & (x >= lines[index][:, None]) & (x < lines[index + 1][:, None])
        grey[inside] = 120 + 34 * (texture / texture.std())[inside]
    noisy = grey + rng.normal(0, 7, grey.shape)
    return noisy.clip(0, 255).round().astype(np.uint8)


def shapes(z: int) -> list[dict[str, object]]:
    """Return the annotations of a slice, as QuPath exports them from a stack."""
    lines, found = borders(z), []
    rows = np.arange(RIM + DOUBT, ROWS - RIM - DOUBT + 1, 12)
    for index, (name, (colour, _)) in enumerate(AREAS.items()):
        left = [(float(lines[index][y]) + DOUBT, float(y)) for y in rows]
        right = [(float(lines[index + 1][y]) - DOUBT, float(y)) for y in rows[::-1]]
        outline = [(round(x, 2), y) for x, y in (*left, *right, left[0])]
        middle = float(lines[index : index + 2, 200].mean())
        vessel = [(middle + dx, 200.0 + dy) for dx, dy in ((0, 0), (0, 9), (9, 9), (9, 0), (0, 0))]
        geometry: dict[str, object] = {"type": "Polygon", "coordinates": [outline, vessel]}
        if z:  # QuPath leaves the first plane out
            geometry["plane"] = {"c": -1, "z": z, "t": 0}
        found.append(
            {
                "type": "Feature",
                "geometry": geometry,
                "properties": {
                    "objectType": "annotation",
                    "classification": {"name": name, "color": list(colour)},
                },
            }
        )
    return found


def main(folder: Path) -> None:
    """Write ``brain.ome.tif`` and ``areas.geojson``."""
    folder.mkdir(parents=True, exist_ok=True)
    sizes = {"PhysicalSizeX": PIXEL_UM, "PhysicalSizeY": PIXEL_UM, "PhysicalSizeZ": SLICE_UM}
    units = {f"PhysicalSize{axis}Unit": "µm" for axis in "XYZ"}
    stack = np.stack([grey_slice(z) for z in range(SLICES)])
    metadata = {"axes": "ZYX", **sizes, **units}
    tifffile.imwrite(folder / "brain.ome.tif", stack, ome=True, metadata=metadata)
    features = [feature for z in ANNOTATED for feature in shapes(z)]
    content = {"type": "FeatureCollection", "features": features}
    (folder / "areas.geojson").write_text(json.dumps(content, indent=1), encoding="utf-8")
    print(f"wrote {folder / 'brain.ome.tif'} and {folder / 'areas.geojson'}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "tutorial"))
