"""What a dataset has, as its config says: runs, slices, figures, and what is lacking and why."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from brainarch.embedding.names import AUTHORS, CNN, NETWORKS, REPEAT, is_repeat, why_absent
from brainarch.figures.catalogue import FIGURES
from brainarch.volume.kinds import is_url

if TYPE_CHECKING:
    from brainarch.config.model import BorrowedConfig, Config

#: The run whose network is analysed, and its controls: permuted labels, nonsense areas.
MAIN, PERMUTED, NONSENSE = "main", "permuted", "nonsense"
SPLITS = ("train", "val", "test")
#: Nonsense areas: parts of one area, in the order of their codes.
PARTS = ("part1", "part2", "part3", "part4")
#: Kinds of subdivisions of an area: k-means on the representation, a mixture on coefficients.
CLUSTERS, COMPONENTS = "clusters", "components"
#: What a run lacks whose network is trained already, and why.
LEARNT = (
    *("training", "labels", "discovery", "layers", "comparison"),
    *("calibration", "degradation", "label_efficiency"),
)
TRAINED = "the config names a trained network, and nothing is annotated"
#: Most slices of one page to explore; with more, each has a page of its own.
SLICES_A_PAGE = 4


@dataclass(frozen=True)
class Facts:
    """What follows from a config.

    Parameters
    ----------
    config : Config
    """

    config: Config

    @cached_property
    def is_phantom(self) -> bool:
        """Whether the volume is the synthetic one."""
        return self.config.source == "phantom"

    @cached_property
    def is_published(self) -> bool:
        """Whether the volume is the one that both papers are about."""
        return self.config.source == "prasad2020"

    @property
    def address(self) -> str | None:
        """Where the volume's image lies in an object store; None where it does not."""
        path = self.config.volume.path
        return path if path is not None and is_url(path) else None

    @property
    def is_trained(self) -> bool:
        """Whether the network is trained already, and nothing is annotated."""
        return self.config.network is not None

    def fetches(self, kind: str) -> bool:
        """Return whether the ``image`` or the ``areas`` are fetched."""
        if kind == "image" and self.address is not None:
            return True
        download = self.config.download
        return download is not None and getattr(download, kind) is not None

    @cached_property
    def assignments(self) -> list[str]:
        """Runs with true labels: one for each assignment of blocks to splits."""
        if self.is_trained:
            return []
        splits = self.config.splits
        further = range(1, splits.assignments) if splits.by == "blocks" else ()
        return [MAIN, *(f"blocks{i}" for i in further)]

    @cached_property
    def runs(self) -> list[str]:
        """Every network that is trained."""
        if self.is_trained:
            return []
        training = self.config.training
        controls = {PERMUTED: training.permuted_control, NONSENSE: training.nonsense_control}
        controls[AUTHORS] = AUTHORS in self.config.readout.networks
        wanted = (run for run, wanted in controls.items() if wanted)
        return [*self.assignments, *self.repeats, *wanted]

    @property
    def plants_lesions(self) -> bool:
        """Whether lesions are planted: in a phantom whose pixels are as they were rendered."""
        as_rendered = self.is_phantom and self.config.volume.resampling is None
        return as_rendered and not self.is_trained

    @property
    def counts_components(self) -> bool:
        """Whether numbers of components are compared."""
        section = self.config.discovery
        return section is not None and section.sweep is not None and "labels" not in self.lacks

    @cached_property
    def repeats(self) -> list[str]:
        """Further seeds of the main network, which share its patches."""
        return [f"{REPEAT}{i}" for i in range(1, self.config.training.repeats)]

    @cached_property
    def sampled(self) -> list[str]:
        """Runs with patches of their own."""
        return [run for run in self.runs if run not in (PERMUTED, AUTHORS, *self.repeats)]

    @cached_property
    def nonsense_area(self) -> str:
        """The area that is cut into nonsense areas."""
        divided = self.config.discovery.area if self.config.discovery is not None else None
        others = [area.name for area in self.config.areas if area.name != divided]
        return self.config.training.nonsense_area or others[0]

    @cached_property
    def networks(self) -> list[str]:
        """The compared networks, in the order in which tables and figures have them."""
        if self.is_trained:
            return []
        wanted = self.config.readout.networks
        known = [*NETWORKS, *self.borrowed]
        return [name for name in known if name in wanted and name not in self.absent]

    @cached_property
    def borrowed(self) -> dict[str, BorrowedConfig]:
        """Networks that others trained, by name."""
        return {entry.name: entry for entry in self.config.readout.borrowed}

    @cached_property
    def absent(self) -> dict[str, str]:
        """Borrowed networks that are asked for and cannot be used here, and why."""
        wanted = {n: e for n, e in self.borrowed.items() if n in self.config.readout.networks}
        found = {name: why_absent(entry.model, entry.weights) for name, entry in wanted.items()}
        return {name: why for name, why in found.items() if why is not None}

    @cached_property
    def extracted(self) -> list[str]:
        """Networks that are extracted at every pixel: the analysed one, then the others."""
        others = (name for name in self.config.extraction.networks if name != CNN)
        return [CNN, *others]

    @cached_property
    def mapped(self) -> dict[str, str]:
        """Extracted networks that name areas, by the run that trained them."""
        return {MAIN: CNN} | {name: name for name in self.extracted if is_repeat(name)}

    def split_slices(self, split: str) -> list[int]:
        """Return the slices of a split: ``train``, ``val`` or ``test``."""
        splits = self.config.splits
        return [splits.slice] if splits.by == "blocks" else list(getattr(splits, split))

    @cached_property
    def orientation(self) -> str:
        """How training turns its crops: as the config says, else by how much is annotated."""
        chosen = self.config.training.orientation
        return chosen or ("any" if self.config.splits.by == "blocks" else "fixed")

    @cached_property
    def unlabelled_slices(self) -> list[int]:
        """Slices that learning without labels sees."""
        named = {*self.config.annotations.slices, *self.config.extraction.slices}
        return self.config.unlabelled.slices or sorted(named)

    @cached_property
    def fit_slices(self) -> list[int]:
        """Slices that the basis of the factors is fitted on; none where one is given."""
        if self.config.factorization.basis is not None:
            return []
        extracted = self.config.extraction.slices
        tests = [z for z in extracted if z in self.split_slices("test")]
        return self.config.factorization.slices or (tests or extracted)[:1]

    @cached_property
    def fit_slice(self) -> int:
        """The fitted slice that figures show: the first."""
        return (self.fit_slices or self.config.extraction.slices)[0]

    @cached_property
    def held_out_slices(self) -> list[int]:
        """Extracted slices that were not fitted: they test whether findings hold."""
        return [z for z in self.config.extraction.slices if z not in self.fit_slices]

    @cached_property
    def paged_slices(self) -> list[int]:
        """Extracted slices that have a page to explore of their own: all, where there are many."""
        slices = self.config.extraction.slices
        return slices if len(slices) > SLICES_A_PAGE else []

    @cached_property
    def labelled_slices(self) -> list[int]:
        """Extracted slices with area labels."""
        return [z for z in self.config.extraction.slices if z in self.config.annotations.slices]

    @cached_property
    def layer_slices(self) -> list[int]:
        """Extracted slices with layer labels."""
        layers = self.config.layers
        return [
            z for z in self.config.extraction.slices if layers is not None and z in layers.slices
        ]

    @cached_property
    def compared_slices(self) -> list[int]:
        """A fitted slice and the labelled ones held out; empty unless there are two."""
        if "comparison" in self.lacks:
            return []
        return [self.fit_slice, *(z for z in self.held_out_slices if z in self.labelled_slices)]

    @cached_property
    def lacks(self) -> dict[str, str]:
        """What this dataset does not have, and why."""
        gone = {}
        bare = [z for z in self.fit_slices if z not in self.labelled_slices]
        if bare:
            gone["labels"] = f"the fitted slice {bare[0]} is not annotated"
        if self.config.discovery is None:
            gone["discovery"] = "the config names no area to subdivide"
        if self.config.layers is None:
            gone["layers"] = "the config has no layers: they are the user's input"
        elif bare := [z for z in self.fit_slices if z not in self.layer_slices]:
            gone["layers"] = f"the fitted slice {bare[0]} has no layer labels"
        if len(self.assignments) < 2:
            gone["assignments"] = "there is one assignment of tissue to splits"
        if not self.config.evaluation.calibration:
            gone["calibration"] = "evaluation.calibration is off"
        if not self.config.readout.degradation_patches:
            gone["degradation"] = "readout.degradation_patches is 0"
        if not self.config.readout.label_draws:
            gone["label_efficiency"] = "readout.label_draws is 0"
        if self.config.factorization.sweep is None:
            gone["sweep"] = "factorization.sweep names no numbers of factors"
        if len(self.labelled_slices) < 2:
            gone["comparison"] = "fewer than two labelled slices are extracted"
        elif "labels" in gone or not set(self.held_out_slices) & set(self.labelled_slices):
            gone["comparison"] = "no labelled slice is held out beside labelled fitted ones"
        return gone | dict.fromkeys(LEARNT, TRAINED) if self.is_trained else gone

    @cached_property
    def figures(self) -> list[str]:
        """Names of the figures that this dataset has."""
        return [figure.name for figure in FIGURES if not set(figure.needs) & set(self.lacks)]

    @cached_property
    def previewed(self) -> dict[str, list[int]]:
        """Annotated slices by what is outlined on them."""
        layers = self.config.layers
        return {"areas": self.config.annotations.slices} | (
            {} if layers is None else {"layers": layers.slices}
        )
