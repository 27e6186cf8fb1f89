"""The results of a dataset for a notebook: what a run has made, by the field's names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from brainarch.config.model import Config
from brainarch.embedding.names import CNN
from brainarch.errors import InputError
from brainarch.pipeline.facts import MAIN
from brainarch.pipeline.pipeline import Pipeline
from brainarch.pipeline.results import STALE, Results

if TYPE_CHECKING:
    import pandas as pd

    from brainarch.annotations.store import Labels
    from brainarch.dense.cube import Cube
    from brainarch.factors.coefficients import CoefficientMaps
    from brainarch.grids.maps import SliceMaps
    from brainarch.network.trained import TrainedNetwork
    from brainarch.volume.store import Volume


@dataclass(frozen=True, repr=False)
class Dataset:
    """What a run has made.

    Parameters
    ----------
    pipeline : Pipeline
        The stages of the run; ``pipeline.results`` says where every file lies, and
        ``pipeline.extract(104).run()`` does a stage.
    """

    pipeline: Pipeline

    @classmethod
    def open(cls, folder: Path) -> Dataset:
        """Return the dataset of a results folder, as its last run was configured.

        Raises
        ------
        InputError
            If no run has left its config there.
        """
        frozen = Results(str(folder)).last_config()
        if frozen is None:
            raise InputError(
                f"{folder}: no run has left its config here; name the folder of a dataset, "
                "for example results/phantom"
            )
        config = Pipeline.read(frozen).config
        return cls(Pipeline(config, Results(str(folder))))

    def __repr__(self) -> str:
        return f"<{self.config.dataset}: {self.config.title}>"

    @property
    def config(self) -> Config:
        """The config of the last run."""
        return self.pipeline.config

    def volume(self) -> Volume:
        """Return the volume; ``volume.read_slice(z)`` is a slice of grey values."""
        from brainarch.volume.store import open_volume

        return open_volume(Path(self.pipeline.results.volume))

    def labels(self, kind: str = "areas") -> Labels:
        """Return the labels of the annotated slices: ``areas`` or ``layers``."""
        from brainarch.annotations.store import open_labels

        return open_labels(Path(self.pipeline.results.annotations(f"{kind}.ome.zarr")))

    def network(self, run: str = MAIN) -> TrainedNetwork:
        """Return a trained network with its areas and normalisation."""
        from brainarch.network.trained import load_network

        return load_network(Path(self.pipeline.results.network(run)))

    def cube(self, z: int, network: str = CNN) -> Cube:
        """Return the representation at every extracted pixel of a slice, by a network."""
        from brainarch.dense.cube import Cube

        return Cube.open(Path(self.pipeline.results.cube(z, network)))

    def areas(self, z: int, network: str = CNN) -> SliceMaps:
        """Return the predicted areas of a slice and their confidence."""
        return self._maps(self.pipeline.results.prediction(z, "areas.zarr", network))

    def coefficients(self, z: int, network: str = CNN) -> CoefficientMaps:
        """Return the coefficient maps of the factors on a slice."""
        from brainarch.factors.coefficients import CoefficientMaps

        return CoefficientMaps.open(Path(self.pipeline.results.coefficients(z, network)))

    def subdivisions(self, z: int, kind: str = "components", network: str = CNN) -> SliceMaps:
        """Return what was found inside the area of discovery: ``components`` or ``clusters``."""
        return self._maps(self.pipeline.results.discovery(z, f"{kind}.zarr", network))

    def depth(self, z: int) -> SliceMaps:
        """Return the relative depth inside the area of discovery."""
        return self._maps(self.pipeline.results.depth(z))

    def tables(self) -> list[str]:
        """Return the names of all tables there are."""
        folder = Path(self.pipeline.results.folder)
        found = (p.relative_to(folder) for p in folder.rglob("*.csv"))
        return sorted(str(p.with_suffix("")) for p in found if p.parts[0] != STALE)

    def table(self, name: str) -> pd.DataFrame:
        """Return a table by its place, for example ``readout/classifiers``."""
        from brainarch.tables import read_table

        return read_table(Path(self.pipeline.results.folder, f"{name}.csv"), empty=True)

    def _maps(self, path: str) -> SliceMaps:
        from brainarch.grids.maps import SliceMaps

        return SliceMaps.open(Path(path))
