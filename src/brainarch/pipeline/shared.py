"""Pieces of stages that several of them share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brainarch.embedding.names import AUTHORS, CNN, learns_by_itself
from brainarch.errors import InputError
from brainarch.pipeline.facts import (
    CLUSTERS,
    COMPONENTS,
    MAIN,
    NONSENSE,
    PARTS,
    PERMUTED,
    SPLITS,
    Facts,
)
from brainarch.pipeline.results import FIT, NOVELTY, Results, Z
from brainarch.pipeline.stage import Files, Settings, Stage, known, pick
from brainarch.records import read_record
from brainarch.volume.files import files_state
from brainarch.volume.kinds import slice_file

if TYPE_CHECKING:
    from brainarch.config.model import (
        AnnotationConfig,
        AreaConfig,
        DiscoveryConfig,
        LayerConfig,
        LayersConfig,
    )

#: A share of a patch that any labelled centre has.
NO_SHARE = 1e-6
#: The key, and what to do, where a config names no area to subdivide.
NO_AREA = ("discovery", "name the area to subdivide")


@dataclass(frozen=True)
class Shared(Facts):
    """Files, settings and checks of more than one stage.

    Parameters
    ----------
    config : Config
    results : Results
    """

    results: Results

    @cached_property
    def _seed(self) -> Settings:
        return {"seed": self.config.seed}

    @cached_property
    def _bootstrap(self) -> Settings:
        return {**pick(self.config.statistics, "resamples", "block_px"), **self._seed}

    def _copied(self, run: str) -> Settings:
        """Return the slices whose annotation is copied as the baseline of position."""
        by_slices = self.config.splits.by == "slices" and run != PERMUTED
        return {"copied": self.split_slices("train") if by_slices else []}

    @cached_property
    def _nulls(self) -> Settings:
        return pick(self.config.statistics, "nulls")

    @cached_property
    def _areas(self) -> Files:
        return {"labels": self.results.areas, "legend": self.results.legend}

    def _areas_of(self, run: str) -> Files:
        """Return the labels that a run learns, and what their codes mean."""
        r = self.results
        nonsense: Files = {"labels": r.nonsense, "legend": r.nonsense_legend}
        return nonsense if run == NONSENSE else self._areas

    def _shares(self, run: str) -> dict[str, float]:
        """Return the least share of a training patch inside its area, where it is not all of it."""
        if run == NONSENSE:  # their windows lie inside the area that they are cut from
            return dict.fromkeys(PARTS, NO_SHARE)
        return {area.name: area.share for area in self.config.areas if area.share < 1}

    @cached_property
    def _layers(self) -> Files:
        return {"labels": self.results.layers, "legend": self.results.layers_legend}

    @cached_property
    def _discovery(self) -> DiscoveryConfig:
        found: DiscoveryConfig = self._require(self.config.discovery, *NO_AREA)
        return found

    @cached_property
    def _gram_patches(self) -> Settings:
        config = self.config
        most = min(config.readout.gram_patches, config.sampling.eval_patches)
        return {"patches_per_area": most}

    @cached_property
    def _gram_matrices(self) -> dict[str, str]:
        matrix = "gram_{}.zarr".format
        return {network: self.results.readout(matrix(network)) for network in self.networks}

    @cached_property
    def _calibrated(self) -> Files:
        folder = self.results.evaluation_of(MAIN)
        return {"reliability": f"{folder}/calibration.csv", "summary": f"{folder}/calibration.json"}

    @cached_property
    def _grey_tables(self) -> Files:
        tables = {"summary": "statistics", "histogram": "histogram", "slices": "slice_statistics"}
        return {kind: self.results.volume_table(f"{name}.csv") for kind, name in tables.items()}

    @cached_property
    def _stack(self) -> str:
        if self.address is not None:
            return self.results.fetched
        return self.results.source("stack") if self.is_phantom else str(self.config.volume.path)

    @cached_property
    def _stack_made(self) -> list[str]:
        """What a stage makes of the stack, and has to be there before conversion."""
        if self.fetches("image"):
            return [self.results.download("stack")]
        return [self._stack] if self.is_phantom else []

    @cached_property
    def source_states(self) -> dict[str, str]:
        """What the user's own files are like, by what is made of them; see `files_state`.

        Snakemake compares it, so that files that change are read again, each of thousands. Where
        files are gone it is what the last run saw: what was made of them stays.

        Raises
        ------
        InputError
            If they are gone, and what the last run saw was changed.
        """
        found = {kind: files_state(paths) for kind, paths in self.own_files.items()}
        path = Path(self.results.sources)
        ask = None in found.values() and path.exists()
        seen = read_record(path, "put the input files back where they were") if ask else {}
        states = {kind: state or seen.get(kind) for kind, state in found.items()}
        return {kind: state for kind, state in states.items() if state is not None}

    @cached_property
    def own_files(self) -> dict[str, list[str]]:
        """The user's own files, by what is made of them."""
        config, found = self.config, {}
        taken = {"network": (config.network, NOVELTY), "basis": (config.factorization.basis, FIT)}
        for kind, (path, beside) in taken.items():
            if path is not None:
                found[kind] = [path, str(Path(path).parent / beside)]
        if self.is_phantom:
            return found
        if not self.fetches("image"):
            found["volume"] = [self._stack]
        if not self.fetches("areas") and not self.is_trained:
            found["areas"] = list(self._label_files("areas", config.annotations).values())
        if config.layers is not None:
            found["layers"] = list(self._label_files("layers", config.layers).values())
        return {kind: list(dict.fromkeys(paths)) for kind, paths in found.items()}

    def _label_files(self, kind: str, labels: AnnotationConfig | LayersConfig) -> dict[int, str]:
        if self.is_phantom:
            return {z: self.results.source_labels(kind, z) for z in labels.slices}
        return {z: slice_file(str(labels.path), z) for z in labels.slices}

    def _download(
        self, kind: str, channel: str, pattern: str, slices: list[int], settings: Settings
    ) -> Stage:
        download = self._require(self.config.download, "download", "name what to fetch")
        return Stage(
            "brainarch.download.stages:fetch_slices",
            {},
            {"table": self.results.download(kind)},
            {
                **pick(download, "host", channel=channel),
                "pattern": pattern,
                "slices": slices,
                **pick(self.config.volume, "shape", "first_slice"),
                **settings,
            },
            after=[self.results.preflight],
        )

    def _import(
        self,
        kind: str,
        labels: AnnotationConfig | LayersConfig,
        entries: Sequence[AreaConfig | LayerConfig],
        shares: Settings,
    ) -> Stage:
        r = self.results
        images = self._label_files(kind, labels)
        made = list(images.values()) if self.is_phantom else []
        if kind == "areas" and self.fetches("areas"):
            made = [r.download("areas")]
        own = self._areas if kind == "areas" else self._layers
        return Stage(
            "brainarch.annotations.stages:import_labels",
            {"volume": r.volume},
            {**own, "table": r.annotations(f"{kind}.csv")},
            {
                "images": images,
                "codes": {entry.name: entry.codes for entry in entries},
                **pick(labels, "axes", ignored="ignore"),
                **pick(self.config.annotations, "hole_um2"),
                "first_slice": self.config.labels_start(labels),
                "first_stated": labels.first_slice is not None,
                "shares": shares,
            },
            after=made,
        )

    def _assignment(self, run: str) -> int | None:
        """Return the number of a run's assignment of blocks; None for a wildcard."""
        if "{" in run:
            return None
        return 0 if run == NONSENSE else self.assignments.index(run)

    def _sampled(self, run: str) -> str:
        """Return the run whose patches a run uses."""
        shares = (PERMUTED, AUTHORS, *self.repeats)
        return MAIN if known("--run", run, self.runs) in shares else run

    def _training_seed(self, run: str) -> int:
        """Return the seed of a network: further seeds of the main one follow from the config's."""
        from brainarch.seeds import derived_seed  # noqa: PLC0415  # a list of verbs needs no NumPy

        return derived_seed(self.config.seed, run) if run in self.repeats else self.config.seed

    def _extracted(self, z: Z, network: str = CNN) -> Z:
        self._dense(network)
        return known("--slice", z, self.config.extraction.slices)

    def _dense(self, network: str) -> str:
        return known("--network", network, self.extracted)

    def _weights(self, network: str) -> str:
        """Return the file of an extracted network."""
        return self.results.network(MAIN if self._dense(network) == CNN else network)

    def _embedded(self, network: str, split: str) -> Files:
        r = self.results
        if network in self.absent:
            raise InputError(f"--network {network}: {self.absent[network]}")
        known("--network", network, list(dict.fromkeys([*self.networks, *self.mapped.values()])))
        weights = {"weights": self.borrowed[network].weights} if network in self.borrowed else {}
        known("--split", split, SPLITS)
        return {
            "network": r.network(network if learns_by_itself(network) else MAIN),
            "volume": r.volume,
            "legend": r.legend,
            "patches": r.patches(MAIN, split),
            **weights,
        }

    def _borrowed(self, network: str) -> Settings:
        """Return how a network that others trained is used; nothing of all others."""
        if network not in self.borrowed:
            return {}
        keys = ("model", "layer", "input_px", "pooling", "sha256")
        return {"borrowed": pick(self.borrowed[network], *keys)}

    def _compared(self, *splits: str) -> Files:
        return {
            split: {name: self.results.representations(name, split) for name in self.networks}
            for split in splits
        }

    def _select(
        self, target: str, labels: Files, targets: int, keys: Settings, network: str
    ) -> Stage:
        r = self.results
        self._dense(network)
        most = min(keys["count"], targets, self.config.factorization.factors)
        return Stage(
            "brainarch.factors.selection_stages:select_pairs",
            {"coefficients": [r.coefficients(z, network) for z in self.fit_slices], **labels},
            {
                "selected": r.factors(f"selection_{target}s.csv", network),
                "scores": r.factors(f"scores_{target}s.csv", network),
                "sensitivity": r.factors(f"sensitivity_{target}s.csv", network),
            },
            {
                "target": target,
                **keys,
                "count": most,
                **pick(self.config.selection, "rule", "threshold"),
            },
        )

    def _mapped(self, kind: str, z: Z, network: str) -> Files:
        r = self.results
        self._require(self.config.discovery, *NO_AREA)
        known("--kind", kind, (CLUSTERS, COMPONENTS))
        inputs: Files = {
            "map": r.discovery(self._extracted(z, network), f"{kind}.zarr", network),
            "depth": r.depth(z),
        }
        if z in self.layer_slices:
            inputs |= {"layers": r.layers, "layers_legend": r.layers_legend}
        return inputs

    @staticmethod
    def _titled(entries: Sequence[AreaConfig | LayerConfig]) -> list[Settings]:
        """Return what figures show of areas or layers, in the order of their codes."""
        return [
            {"name": entry.name, "title": entry.title, "colour": getattr(entry, "colour", None)}
            for entry in entries
        ]

    @staticmethod
    def _require(part: Any, key: str, mend: str) -> Any:
        if not part:
            raise InputError(f"{key}: the config has none; {mend}")
        return part

    @cached_property
    def _chance(self) -> Settings:
        return {"chance": 1 / len(self.config.areas)}

    @cached_property
    def _area_titles(self) -> list[Settings]:
        return self._titled(self.config.areas)

    @cached_property
    def _layer_titles(self) -> list[Settings]:
        return [] if self.config.layers is None else self._titled(self.config.layers.names)
