"""Whether the stores of a dataset belong to a config and to each other, as far as they say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from brainarch.annotations.store import Labels
from brainarch.dense.cube import Cube
from brainarch.dense.partial import array_digest
from brainarch.dense.plan import read_plan
from brainarch.embedding.names import CNN, learns_by_itself
from brainarch.evaluation.novelty import Usual
from brainarch.grids.grid import Grid
from brainarch.network.trained import TrainedNetwork
from brainarch.pipeline.facts import MAIN
from brainarch.pipeline.pipeline import Pipeline
from brainarch.stores.arrays import ArrayStore
from brainarch.volume.store import Volume

#: What is compared, what a store says of it, and what is wanted; None is not known.
Comparisons = Iterator[tuple[str, Any, Any]]


class Belonging:
    """Compares stores with a config and with what they were made from.

    Parameters
    ----------
    pipeline : Pipeline
        The config, and where its files lie.
    found : mapping of Path to object
        The sound stores and networks of its results, opened.
    """

    def __init__(self, pipeline: Pipeline, found: Mapping[Path, Any]) -> None:
        self._config, self._results = pipeline.config, pipeline.results
        self._areas = tuple(area.name for area in pipeline.config.areas)
        self._found = found
        self._volume: Volume | None = found.get(Path(self._results.volume))
        self._networks: dict[str, str] = {}
        for name in {CNN, *pipeline.networks, *pipeline.extracted}:
            network = found.get(Path(self._results.network(MAIN if name == CNN else name)))
            if isinstance(network, TrainedNetwork):
                self._networks[name] = network.digest

    def differences(self, path: Path) -> Iterator[str]:
        """Yield what of a store is not of this config; nothing if all that it says is."""
        content, network = self._found[path], path.parent.name
        compare: dict[type, Callable[[Any], Comparisons]] = {
            Volume: self._of_volume,
            Labels: partial(self._of_labels, path=path),
            TrainedNetwork: self._of_network,
            ArrayStore: self._of_arrays,
            Cube: partial(self._of_cube, network=network),
            Usual: partial(self._of_usual, network=network),
        }
        look = compare.get(type(content), partial(self._of_grid, network=network))
        for what, have, wanted in look(content):
            if wanted is not None and have != wanted:
                shown = f" ({have}, not {wanted})" if len(f"{have}{wanted}") < 80 else ""
                yield f"of another {what}{shown}"

    def _of_volume(self, volume: Volume) -> Comparisons:
        declared = self._config.volume
        yield "type of grey values", str(volume.dtype), declared.dtype
        yield "first slice", volume.first_slice, declared.first_slice
        yield "distance of slices", volume.slice_um, declared.sides_um[0]
        yield "number of slices", volume.shape[0], declared.shape[0]
        if declared.resampling is None:
            yield "shape", volume.shape, tuple(declared.shape)
            yield "voxel size", volume.pixel_um, declared.pixel_um

    def _of_network(self, network: TrainedNetwork) -> Comparisons:
        if network.areas:
            yield "set of areas", network.areas, self._areas

    def _of_labels(self, labels: Labels, path: Path) -> Comparisons:
        layers = self._config.layers
        of = {Path(self._results.areas): self._config.annotations.slices}
        if layers is not None:
            of[Path(self._results.layers)] = layers.slices
        if path in of:
            yield "set of slices", labels.annotated_slices, tuple(sorted(of[path]))
        if self._volume is not None:
            yield "volume", labels.shape, self._volume.shape

    def _of_arrays(self, store: ArrayStore) -> Comparisons:
        yield "set of areas", tuple(store.attrs["areas"]), self._areas
        if "network_digest" in store.attrs:
            name = str(store.attrs["network"])
            network = self._networks.get(name if learns_by_itself(name) else CNN)
            yield "network", store.attrs["network_digest"], network

    def _of_cube(self, cube: Cube, network: str) -> Comparisons:
        extraction, identity = self._config.extraction, cube.attrs["identity"]
        yield "choice of pixels", cube.attrs["where"], extraction.where
        yield "storage", cube.storage, extraction.storage
        yield "network", identity["network"], self._networks.get(network)
        plan = Path(self._results.plan)
        if plan.is_file():
            yield "plan", identity["plan"], read_plan(plan).identity
        if self._volume is not None and cube.z in self._volume.slices:
            yield "slice", identity["slice"], array_digest(self._volume.read_slice(cube.z))

    def _of_usual(self, usual: Usual, network: str) -> Comparisons:
        yield "network", usual.network, self._networks.get(CNN if network == MAIN else network)

    def _of_grid(self, grid: Grid, network: str) -> Comparisons:
        cube = self._found.get(Path(self._results.cube(grid.z, network)))
        if grid.key is not None and cube is not None:
            yield "dense cube", grid.key, cube.key
