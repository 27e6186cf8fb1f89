"""Volume, labels and maps in neuroglancer: served on this machine only, until it is stopped."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainarch.annotations.store import open_labels
from brainarch.errors import InputError
from brainarch.explorer.layers import COEFFICIENT_STOPS, CONFIDENCE_STOPS, Entries, named, numbered
from brainarch.factors.coefficients import CoefficientMaps
from brainarch.grids.grid import Grid
from brainarch.grids.maps import SliceMaps
from brainarch.volume.store import Volume, open_volume

#: The only address that it listens on.
LOOPBACK = "127.0.0.1"
AXES = ("z", "y", "x")


@dataclass(frozen=True)
class Shown:
    """A layer: arrays, where each lies, and how its numbers become colours.

    Parameters
    ----------
    title : str
    shader : str
        In neuroglancer's language (GLSL).
    parts : list of (array, (z, y, x) in pixels, pixels an element along y and x)
        Arrays of shape (z, y, x).
    on : bool
        Whether it is on at first.
    """

    title: str
    shader: str
    parts: list[tuple[Any, tuple[float, float, float], int]]
    on: bool = False


class Grey:
    """A volume that is read, and checked, a block at a time.

    Parameters
    ----------
    volume : Volume
    """

    def __init__(self, volume: Volume) -> None:
        self._volume = volume
        self.shape = volume.shape
        self.dtype = volume.dtype

    def __getitem__(self, index: tuple[slice, slice, slice]) -> NDArray[np.generic]:
        (z0, z1), y, x = ((int(part.start), int(part.stop)) for part in index)
        first = self._volume.first_slice
        return self._volume.read_block((z0 + first, z1 + first), y, x)


def layers_of(
    volume: Volume,
    files: Mapping[str, Path],
    slices: Sequence[int],
    areas: Entries,
    layer_names: Entries,
) -> Iterator[Shown]:
    """Yield the volume, its labels and the maps of its slices, as far as they are there.

    Parameters
    ----------
    volume : Volume
    files : mapping of str to Path
        As `brainarch.explorer.stages.write_explorer` takes them.
    slices : sequence of int
        Numbers of the slices with maps.
    areas, layer_names : sequence of mapping
        Name, title and colour of each code.
    """
    grey = "#uicontrol invlerp normalized\nvoid main() { emitGrayscale(normalized()); }"
    yield Shown("Volume", grey, [(Grey(volume), (volume.first_slice, 0, 0), 1)], on=True)
    for kind, title, entries in (
        ("areas", "Annotated areas", areas),
        ("layers", "Annotated layers", layer_names),
    ):
        path = files.get(kind)
        if path is not None and path.exists():
            labels = open_labels(path)
            parts: list[Any] = [
                (labels.read_slice(z)[None], (z, 0, 0), 1) for z in labels.annotated_slices
            ]
            yield Shown(title, codes_shader(named(entries)), parts)
    yield from _maps(files, slices, areas)


def _maps(files: Mapping[str, Path], slices: Sequence[int], areas: Entries) -> Iterator[Shown]:
    def opened(kind: str) -> list[Path]:
        paths = [files[f"{kind}/{z}"] for z in slices if f"{kind}/{z}" in files]
        return [path for path in paths if path.exists()]

    predictions = [SliceMaps.open(path) for path in opened("prediction")]
    if predictions:
        parts = [_part(maps, maps.read("area")) for maps in predictions]
        yield Shown("Predicted areas", codes_shader(named(areas)), parts, on=True)
        for name in ("confidence", "novelty"):
            having = [
                maps
                for maps in predictions
                if name != "novelty" or "novelty_threshold" in maps.attrs
            ]
            if having:
                parts = [_part(maps, maps.read(name)) for maps in having]
                yield Shown(name.capitalize(), values_shader(CONFIDENCE_STOPS, parts), parts)
    for kind in ("clusters", "components"):
        found = [SliceMaps.open(path) for path in opened(kind)]
        if found:
            count = max(int(maps.attrs["subdivisions"]) for maps in found)
            legend = numbered(kind[:-1].capitalize(), count)
            parts = [_part(maps, maps.read("subdivision")) for maps in found]
            yield Shown(kind.capitalize(), codes_shader(legend), parts)
    coefficients = [CoefficientMaps.open(path) for path in opened("coefficients")]
    for factor in range(1, 1 + min((maps.factors for maps in coefficients), default=0)):
        parts = [_part(maps, maps.factor_map(factor)) for maps in coefficients]
        yield Shown(f"Factor {factor}", values_shader(COEFFICIENT_STOPS, parts), parts)


def _part(grid: Grid, values: NDArray[Any]) -> tuple[Any, tuple[float, float, float], int]:
    """Return a map with the corner of its first element, which covers one stride."""
    shift = 0.5 - grid.stride / 2
    return values[None], (grid.z, float(grid.y[0]) + shift, float(grid.x[0]) + shift), grid.stride


def codes_shader(legend: Sequence[Mapping[str, str]]) -> str:
    """Return a shader that paints codes, with a switch named as each entry; 0 stays clear."""
    lines, cases = [], []
    for code, entry in enumerate(legend, start=1):
        # neuroglancer's names begin with a small letter
        name = f"show_{code}_{re.sub('[^A-Za-z0-9]+', '_', entry['name'])}"
        colour = ", ".join(f"{part / 255:.4f}" for part in bytes.fromhex(entry["colour"][1:]))
        lines.append(f"#uicontrol bool {name} checkbox(default=true)")
        cases.append(f"  if (code == {code}u && {name}) {{ emitRGB(vec3({colour})); return; }}")
    body = ["void main() {", "  uint code = toRaw(getDataValue());", *cases]
    return "\n".join([*lines, *body, "  emitTransparent();", "}"])


def values_shader(
    stops: Sequence[str], parts: Sequence[tuple[NDArray[np.floating], Any, int]]
) -> str:
    """Return a shader that paints values from 0 to their 99.5th percentile; NaN stays clear."""
    values = np.concatenate([part[0][np.isfinite(part[0])].ravel() for part in parts])
    high = float(np.quantile(values, 0.995)) if len(values) else 1.0
    table = [
        f"vec3({', '.join(f'{part / 255:.4f}' for part in bytes.fromhex(stop[1:]))})"
        for stop in stops
    ]
    steps = " ".join(
        f"colour = mix(colour, {after}, clamp(share - {i}.0, 0.0, 1.0));"
        for i, after in enumerate(table[1:])
    )
    return (
        f"#uicontrol invlerp normalized(range=[0, {high or 1.0:.6g}], clamp=true)\n"
        "void main() {\n"
        "  float value = toRaw(getDataValue());\n"
        "  if (isnan(value)) { emitTransparent(); return; }\n"
        f"  float share = normalized() * {len(stops) - 1}.0; vec3 colour = {table[0]};\n"
        f"  {steps}\n"
        "  emitRGB(colour);\n}"
    )


def open_viewer(volume: Volume, layers: Sequence[Shown], z: int) -> Any:
    """Start a viewer on a free port of this machine; return it, ``str`` of it is its address.

    Raises
    ------
    InputError
        If neuroglancer is not installed.
    """
    try:
        import neuroglancer  # noqa: PLC0415  # an extra
    except ImportError as error:
        raise InputError(
            f"--volume needs neuroglancer ({error}); say pip install 'brainarch[volume]'"
        ) from None
    neuroglancer.set_server_bind_address(LOOPBACK)
    viewer = neuroglancer.Viewer()
    sizes = np.array([volume.slice_um, volume.pixel_um, volume.pixel_um])

    def space(step: int = 1) -> Any:
        return neuroglancer.CoordinateSpace(
            names=list(AXES), units="um", scales=list(sizes * (1, step, step))
        )

    with viewer.txn() as state:
        state.dimensions = space()
        state.display_dimensions = list(reversed(AXES))
        _, rows, columns = volume.shape
        state.position = [z + 0.5, rows / 2, columns / 2]
        state.cross_section_scale = max(rows, columns) / 1000
        state.layout = "xy"
        for shown in layers:
            sources = []
            for values, corner, step in shown.parts:
                # codes have no mean, so they are not made coarser
                codes = isinstance(values, np.ndarray) and values.dtype.kind == "u"
                data = neuroglancer.LocalVolume(
                    values,
                    dimensions=space(step),
                    volume_type="image",
                    downsampling=None if codes else "3d",
                )
                shift = np.array(corner) / (1, step, step)
                transform = neuroglancer.CoordinateSpaceTransform(
                    output_dimensions=space(step), matrix=np.column_stack([np.eye(3), shift])
                )
                sources.append(neuroglancer.LayerDataSource(url=data, transform=transform))
            layer = neuroglancer.ImageLayer(source=sources, shader=shown.shader)
            layer.opacity = 1.0 if shown.title == "Volume" else 0.5
            state.layers.append(name=shown.title, layer=layer, visible=shown.on)
    return viewer


def serve(
    volume: Path,
    files: Mapping[str, Path],
    slices: Sequence[int],
    areas: Entries,
    layer_names: Entries,
    started: Callable[[str], None],
) -> None:
    """Serve everything to a browser on this machine until Ctrl-C.

    Parameters
    ----------
    volume : Path
        The volume.
    files, slices, areas, layer_names
        As `brainarch.explorer.stages.write_explorer` takes them.
    started : function of str
        Is told the address.

    Raises
    ------
    InputError
        If a file is damaged, or neuroglancer is not installed.
    """
    opened = open_volume(volume)
    shown = list(layers_of(opened, files, slices, areas, layer_names))
    viewer = open_viewer(opened, shown, slices[0] if slices else opened.first_slice)
    started(str(viewer))
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        return
