"""One slice of the page: its picture, its thinned cube and its layers, as far as they are there."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from brainarch.annotations.store import open_labels
from brainarch.dense.cube import Cube
from brainarch.explorer.blocks import Blocks
from brainarch.explorer.layers import (
    COEFFICIENT_STOPS,
    CONFIDENCE_STOPS,
    MOST_CODES,
    Entries,
    Layer,
    codes_layer,
    named,
    numbered,
    values_layer,
)
from brainarch.explorer.thin import MOST_PIXELS, ThinCube, regular, step_within, thin_cube
from brainarch.factors.coefficients import CoefficientMaps
from brainarch.figures.style import network_title
from brainarch.grids.labels import on_grid
from brainarch.grids.maps import SliceMaps
from brainarch.volume.store import Volume

#: What the page calls each kind of file, and the verb that makes it.
KINDS = {
    "areas": ("annotated areas", "import-areas"),
    "layers": ("annotated layers", "import-layers"),
    "cube": ("representation: similar places, naming, scatter", "extract"),
    "prediction": ("predicted areas and their confidence", "predict"),
    "coefficients": ("factors", "factorize or project"),
    "clusters": ("clusters", "cluster-area"),
    "components": ("components", "find-components"),
}


@dataclass
class SliceContent:
    """What the page holds of one slice.

    Attributes
    ----------
    described : dict
        Its JSON part.
    cubes : dict of str to ThinCube
        The thinned cube by each network, for principal components.
    missing : list of (what, why)
        What is not there.
    """

    described: dict[str, Any]
    cubes: dict[str, ThinCube] = field(default_factory=dict)
    missing: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class SliceReader:
    """Reads slices for a page.

    Parameters
    ----------
    volume : Volume
    files : mapping of str to Path
        ``areas``, ``layers``, and of each slice ``prediction/104``, ``cube/104/cnn`` and so on;
        see `KINDS`.
    lacks : mapping of str to str
        Kinds that the dataset does not have, and why.
    areas, layers : sequence of mapping
        Name, title and colour of each code.
    networks : sequence of str
        Those whose representation is asked; the main one first.
    blocks : Blocks
        Takes the binary parts.
    """

    volume: Volume
    files: Mapping[str, Path]
    lacks: Mapping[str, str]
    areas: Entries
    layers: Entries
    networks: Sequence[str]
    blocks: Blocks

    def read(self, z: int) -> SliceContent:
        """Return a slice with everything that is there; what is not is named with its reason.

        Raises
        ------
        InputError
            If a file is there but damaged, or of another volume.
        """
        grey = self.volume.read_slice(z)
        picture, window = _as_bytes(grey)
        content = SliceContent(
            {
                "z": z,
                "rows": grey.shape[0],
                "columns": grey.shape[1],
                "picture": self.blocks.add_picture(f"{z}-picture", _png(picture)),
                "window": window,
                "layers": [],
                "cubes": {},
            }
        )
        readers: dict[str, Callable[[SliceContent, int, Path], None]] = {
            "areas": self._read_areas,
            "prediction": self._read_prediction,
            "coefficients": self._read_coefficients,
            "clusters": self._read_subdivisions,
            "components": self._read_subdivisions,
            "layers": self._read_layers,
        }
        for kind, read in readers.items():
            path = self._present(content, kind, self.files.get(f"{kind}/{z}", self.files.get(kind)))
            if path is not None:
                read(content, z, path)
        for network in self.networks:
            path = self._present(content, "cube", self.files.get(f"cube/{z}/{network}"), network)
            if path is not None:
                self._read_cube(content, z, path, network)
        return content

    def _present(
        self, content: SliceContent, kind: str, path: Path | None, network: str = ""
    ) -> Path | None:
        """Return a file that is there; note what is missing otherwise."""
        title, verb = KINDS[kind]
        if network and network != self.networks[0]:
            title = f"{title} ({network_title(network)})"
        if path is None:
            content.missing.append((title, self.lacks.get(kind, "this dataset has none")))
        elif not path.exists():
            content.missing.append((title, f"not made yet: run brainarch {verb}"))
        else:
            return path
        return None

    def _read_areas(self, content: SliceContent, z: int, path: Path) -> None:
        self._annotated(content, z, path, "areas", "Annotated areas", self.areas)

    def _read_layers(self, content: SliceContent, z: int, path: Path) -> None:
        self._annotated(content, z, path, "layers", "Annotated layers", self.layers)

    def _annotated(
        self, content: SliceContent, z: int, path: Path, key: str, title: str, entries: Entries
    ) -> None:
        labels = open_labels(path)
        if z not in labels.annotated_slices:
            content.missing.append((KINDS[key][0], f"slice {z} is not annotated"))
            return
        codes = labels.read_slice(z)
        step = step_within(codes.shape, MOST_CODES)
        thin = codes[::step, ::step]
        rows, columns = thin.shape
        grid = {"y0": 0, "x0": 0, "step": step, "rows": rows, "columns": columns}
        legend = named(entries)
        content.described["layers"].append(
            codes_layer(self.blocks, z, key, title, thin, grid, legend, "Annotation")
        )

    def _read_prediction(self, content: SliceContent, z: int, path: Path) -> None:
        maps = SliceMaps.open(path)
        area, confidence = maps.read("area"), maps.read("confidence")
        step = step_within(maps.shape, MOST_CODES)
        grid, thin = regular(maps, step), area[::step, ::step]
        layers: list[Layer] = content.described["layers"]
        layers.append(
            codes_layer(
                self.blocks, z, "predicted", "Predicted areas", thin, grid, named(self.areas),
                "Prediction",
            )
        )  # fmt: skip
        width = maps.attrs["average_px"]
        layers.append(
            codes_layer(
                self.blocks, z, "averaged", f"Predicted, averaged over {width} px",
                maps.read("averaged")[::step, ::step], grid, named(self.areas), "Prediction",
            )
        )  # fmt: skip
        step = step_within(maps.shape, MOST_PIXELS * 4)
        layers.append(
            values_layer(
                self.blocks, z, "confidence", "Confidence", confidence[::step, ::step],
                regular(maps, step), CONFIDENCE_STOPS, "Prediction", high=1.0,
            )
        )  # fmt: skip
        usual = maps.attrs.get("novelty_threshold")
        if usual is not None:  # maps of earlier versions have none
            note = f"how unlike the training data; usual up to {usual:.2f}"
            layers.append(
                values_layer(
                    self.blocks, z, "novelty", "Novelty", maps.read("novelty")[::step, ::step],
                    regular(maps, step), COEFFICIENT_STOPS, "Prediction", 3 * usual, note,
                )
            )  # fmt: skip
        self._add_errors(content, z, maps, area)

    def _add_errors(
        self, content: SliceContent, z: int, maps: SliceMaps, area: NDArray[np.uint8]
    ) -> None:
        if not any(layer["key"] == "areas" for layer in content.described["layers"]):
            content.missing.append(("errors", "needs the annotated areas of the slice"))
            return
        labels = open_labels(self.files["areas"])
        true = on_grid(labels.read_slice(z), maps.place, str(labels.path))
        step = step_within(maps.shape, MOST_CODES)
        wrong = ((true > 0) & (area > 0) & (true != area))[::step, ::step]
        legend = [{"name": "error", "title": "Predicted otherwise", "colour": "#D62839"}]
        content.described["layers"].append(
            codes_layer(
                self.blocks, z, "errors", "Errors", wrong, regular(maps, step), legend,
                "Prediction",
            )
        )  # fmt: skip

    def _read_coefficients(self, content: SliceContent, z: int, path: Path) -> None:
        maps = CoefficientMaps.open(path)
        step = step_within(maps.shape, MOST_PIXELS)
        grid = regular(maps, step)
        for factor in range(1, maps.factors + 1):
            content.described["layers"].append(
                values_layer(
                    self.blocks, z, f"factor{factor}", f"Factor {factor}",
                    maps.factor_map(factor, step), grid, COEFFICIENT_STOPS, "Factors",
                )
            )  # fmt: skip

    def _read_subdivisions(self, content: SliceContent, z: int, path: Path) -> None:
        maps = SliceMaps.open(path)
        kind = "clusters" if "clusters" in path.name else "components"
        step = step_within(maps.shape, MOST_CODES)
        count = int(maps.attrs["subdivisions"])
        title = f"{kind.capitalize()} of {maps.attrs['area']}"
        content.described["layers"].append(
            codes_layer(
                self.blocks, z, kind, title, maps.read("subdivision")[::step, ::step],
                regular(maps, step), numbered(kind[:-1].capitalize(), count), "Subdivisions",
            )
        )  # fmt: skip

    def _read_cube(self, content: SliceContent, z: int, path: Path, network: str) -> None:
        cube = Cube.open(path)
        if not cube.count:
            content.missing.append((KINDS["cube"][0], "no pixel of the slice was extracted"))
            return
        step = step_within(cube.shape, MOST_PIXELS)
        thin = thin_cube(cube, step)
        content.cubes[network] = thin
        prefix = f"{z}-{self.networks.index(network)}"
        content.described["cubes"][network] = {
            "grid": regular(cube, step),
            "extracted": self.blocks.add(f"{prefix}-extracted", thin.extracted.astype(np.uint8)),
            "units": self.blocks.add(f"{prefix}-units", thin.units),
            "scale": thin.scale.tolist(),
            "pixels": int(thin.extracted.sum()),
            "stride": cube.stride,
        }


def _as_bytes(grey: NDArray[np.generic]) -> tuple[NDArray[np.uint8], list[int]]:
    """Return grey values as 8 bits, and which values became black and white."""
    if grey.dtype == np.uint8:
        return grey.astype(np.uint8), [0, 255]
    values = grey.astype(np.float64)
    low, high = (int(value) for value in np.percentile(values, (0.1, 99.9)))
    share = (values - low) / max(high - low, 1)
    return np.rint(np.clip(share, 0, 1) * 255).astype(np.uint8), [low, high]


def _png(picture: NDArray[np.uint8]) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, format="PNG", compress_level=6)
    return stream.getvalue()
