"""Where every file of a dataset lies: the one place that knows names of folders and files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from brainarch.embedding.names import CNN

#: A slice's number, or the wildcard that stands for it in a rule.
Z = int | str

#: What describes a network's training data, beside its file; and the fit of a basis, beside it.
NOVELTY, FIT = "novelty.json", "fit.json"
#: In a dataset's folder: results of earlier configs, which nothing reads.
STALE = "stale"
#: In a dataset's folder: what was fetched, or tables of it.
DOWNLOAD = "download"


def slice_name(z: Z) -> str:
    """Return a slice as file names write it; a wildcard stays one."""
    return z if isinstance(z, str) else f"{z:04d}"


@dataclass(frozen=True)
class Results:
    """Files of one dataset; slices, runs and networks may be wildcards such as ``"{z}"``.

    Parameters
    ----------
    folder : str
        ``results/<dataset>``.
    """

    folder: str

    def config(self, digest: str) -> str:
        """Return the copy of a config that a run was started with, named by its content."""
        return f"{self.folder}/configs/{digest}.json"

    def last_config(self) -> Path | None:
        """Return the copy of the config of the last run, wherever it was made."""
        found = sorted(Path(self.folder).glob("configs/*.json"), key=lambda p: p.stat().st_mtime)
        return found[-1] if found else None

    @property
    def sources(self) -> str:
        """What the user's own files were like when a run last began."""
        return f"{self.folder}/input_files.json"

    def partial(self, stage: str) -> str:
        """Return the folder of unfinished work: kept when a job is killed, never an output."""
        return f"{self.folder}/.partial/{stage}"

    @property
    def stale(self) -> str:
        """Folder of results that the config does not ask for any more."""
        return f"{self.folder}/{STALE}"

    @property
    def benchmarks(self) -> str:
        """Folder of Snakemake's run times."""
        return f"{self.folder}/benchmarks"

    @property
    def preflight(self) -> str:
        """What the check before the run found."""
        return f"{self.folder}/preflight.json"

    @property
    def verified(self) -> str:
        """When everything was last read again, and what was wrong."""
        return f"{self.folder}/runs/verified.json"

    @property
    def slices(self) -> str:
        """What each extracted slice has and lacks, as `brainarch slices` last found it."""
        return f"{self.folder}/runs/slices.csv"

    def download(self, kind: str) -> str:
        """Return the table of fetched slices: ``stack`` or ``areas``."""
        return f"{self.folder}/{DOWNLOAD}/{kind}.csv"

    @property
    def fetched(self) -> str:
        """The volume's image as it came from an object store (OME-Zarr)."""
        return f"{self.folder}/{DOWNLOAD}/volume.ome.zarr"

    def source(self, name: str) -> str:
        """Return a file or folder of the phantom as a user would have it."""
        return f"{self.folder}/source/{name}"

    def source_labels(self, kind: str, z: Z) -> str:
        """Return a label image of the phantom."""
        return self.source(f"{kind}/z{slice_name(z)}.tif")

    @property
    def volume(self) -> str:
        """The volume (OME-Zarr)."""
        return self.volume_table("volume.ome.zarr")

    def volume_table(self, name: str) -> str:
        """Return a table about the volume."""
        return f"{self.folder}/volume/{name}"

    def annotations(self, name: str) -> str:
        """Return what was made of annotations: labels, legends, tables."""
        return f"{self.folder}/annotations/{name}"

    @property
    def areas(self) -> str:
        """Area labels of the annotated slices (OME-Zarr)."""
        return self.annotations("areas.ome.zarr")

    @property
    def legend(self) -> str:
        """What the codes of the areas mean."""
        return self.annotations("legend.csv")

    @property
    def layers(self) -> str:
        """Layer labels of the annotated slices (OME-Zarr)."""
        return self.annotations("layers.ome.zarr")

    @property
    def layers_legend(self) -> str:
        """What the codes of the layers mean."""
        return self.annotations("layers_legend.csv")

    @property
    def nonsense(self) -> str:
        """Labels of nonsense areas, for a control (OME-Zarr)."""
        return self.annotations("nonsense.ome.zarr")

    @property
    def nonsense_legend(self) -> str:
        """What the codes of the nonsense areas mean."""
        return self.annotations("nonsense_legend.csv")

    def patches(self, run: str, name: str) -> str:
        """Return a table of sampled patches, or of how they were counted."""
        return f"{self.folder}/patches/{run}/{name}.csv"

    def splits(self, run: str) -> str:
        """Return which pixels belong to which split (OME-Zarr)."""
        return f"{self.folder}/patches/{run}/splits.ome.zarr"

    def network(self, run: str) -> str:
        """Return a trained network."""
        return self.training(run, "network.safetensors")

    def training(self, run: str, name: str) -> str:
        """Return what training leaves."""
        return f"{self.folder}/networks/{run}/{name}"

    def novelty(self, run: str = "main") -> str:
        """Return what is usual in the training areas of a network."""
        return self.training(run, NOVELTY)

    @property
    def predictions(self) -> str:
        """What the main network says of the test patches; its errors decide on blocks."""
        return self.evaluation("main", "test", "predictions")

    @property
    def new_brains(self) -> str:
        """How the main network names phantoms of other seeds."""
        return f"{self.folder}/evaluation/new_brains.csv"

    @property
    def lesions(self) -> str:
        """Whether the main network finds lesions that were planted in a phantom."""
        return f"{self.folder}/evaluation/lesions.csv"

    def evaluation(self, run: str, split: str, kind: str) -> str:
        """Return a table on the network and sampled patches."""
        return f"{self.evaluation_of(run)}/{split}_{kind}.csv"

    def evaluation_of(self, run: str) -> str:
        """Return the folder of what is known of a network on sampled patches."""
        return f"{self.folder}/evaluation/{run}"

    def representations(self, network: str, split: str) -> str:
        """Return the representations of a split's patches by one of the compared networks."""
        return f"{self.folder}/embedding/{network}/{split}.zarr"

    def degraded(self, network: str, change: str) -> str:
        """Return the representations of test patches as another image would show them."""
        return f"{self.folder}/embedding/{network}_degraded/{change}.zarr"

    def noisy(self, network: str) -> str:
        """Return the representations of test patches under noise."""
        return f"{self.folder}/embedding/{network}_noise.zarr"

    @property
    def plan(self) -> str:
        """How the dense extraction goes, of whichever network."""
        return f"{self.folder}/dense/plan.json"

    # What follows from the dense representation lies in a folder of the network that it is of.

    def cube(self, z: Z, network: str = CNN) -> str:
        """Return the representation at every wanted pixel of a slice (Zarr)."""
        return f"{self.folder}/dense/{network}/z{slice_name(z)}.zarr"

    def proof(self, z: Z, network: str = CNN) -> str:
        """Return what recomputing windows of a cube one by one found."""
        return f"{self.folder}/dense/{network}/z{slice_name(z)}_proof.json"

    def prediction(self, z: Z, name: str, network: str = CNN) -> str:
        """Return the area map of a slice, or a table about it."""
        return f"{self.folder}/prediction/{network}/z{slice_name(z)}_{name}"

    def readout(self, name: str) -> str:
        """Return what the representations of sampled patches say."""
        return f"{self.folder}/readout/{name}"

    def factors(self, name: str, network: str = CNN) -> str:
        """Return a table of the factors."""
        return f"{self.folder}/factors/{network}/{name}"

    def coefficients(self, z: Z, network: str = CNN) -> str:
        """Return the coefficient maps of a slice (Zarr)."""
        return self.factors(f"z{slice_name(z)}_coefficients.zarr", network)

    def fit(self, z: Z, network: str = CNN) -> str:
        """Return how well the basis describes a slice."""
        return self.factors(f"z{slice_name(z)}_fit.json", network)

    def depth(self, z: Z) -> str:
        """Return the relative depth inside one area of a slice (Zarr)."""
        return f"{self.folder}/discovery/z{slice_name(z)}_depth.zarr"

    def discovery(self, z: Z, name: str, network: str = CNN) -> str:
        """Return what was found inside one area of a slice."""
        return f"{self.folder}/discovery/{network}/z{slice_name(z)}_{name}"

    def matches(self, name: str, network: str = CNN) -> str:
        """Return a table that compares components, of two slices or of several numbers."""
        return f"{self.folder}/discovery/{network}/{name}.csv"

    def figure(self, name: str, ending: str) -> str:
        """Return a figure's picture or table."""
        return f"{self.folder}/figures/{name}{ending}"

    def exports(self, z: Z) -> str:
        """Return the folder of a slice's maps for other programs."""
        return f"{self.folder}/exports/z{slice_name(z)}"

    def report(self, name: str) -> str:
        """Return the page that sums a run up, or its numbers."""
        return f"{self.folder}/report/{name}"
