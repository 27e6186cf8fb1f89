"""What each stage reads and writes, and the only values of the config that it is given.

Every public method that returns a `Stage` is a verb of the command and the content of a rule.
Arguments such as a slice may be wildcards, for rules: ``extract("{z}")`` beside ``extract(104)``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from brainarch.atomic import write_bytes
from brainarch.config.frozen import frozen_digest
from brainarch.embedding.names import (
    AUTHORS,
    CHANGES,
    CNN,
    NETWORKS,
    UNLABELLED,
    UNTRAINED,
    learns_by_itself,
)
from brainarch.errors import InputError
from brainarch.figures.catalogue import FIGURES
from brainarch.pipeline.facts import (
    CLUSTERS,
    COMPONENTS,
    MAIN,
    NONSENSE,
    PARTS,
    PERMUTED,
    SPLITS,
)
from brainarch.pipeline.reads import Reads
from brainarch.pipeline.results import FIT, Results, Z, slice_name
from brainarch.pipeline.shared import NO_AREA
from brainarch.pipeline.stage import Files, Settings, Stage, flat, known, pick
from brainarch.records import write_record
from brainarch.volume.kinds import in_zarr

if TYPE_CHECKING:
    from brainarch.config.model import Config

#: How the authors' network is trained (V: Adam, 1e-4; A: dropout 0.3, batches of 20; epochs: ours).
AUTHORS_TRAINING = {"learning_rate": 1e-4, "dropout": 0.3, "epochs": 50, "batch_size": 20}
#: The key, and what to do, where findings are to be compared between slices.
TWO_SLICES = ("extraction.slices: two labelled ones", "name another slice with labels")


class Pipeline(Reads):
    """The stages of a run, in the order in which the data goes.

    Parameters
    ----------
    config : Config
    results : Results
    """

    @classmethod
    def of(cls, config: Config, results: str = "results") -> Pipeline:
        """Return the pipeline of a config; ``results`` is the folder of all datasets.

        Raises
        ------
        InputError
            If what it takes of another run lies where it would be written over.
        """
        pipeline = cls(config, Results(f"{results}/{config.dataset}"))
        own = Path(pipeline.results.folder).resolve()
        taken = {"network": config.network, "factorization.basis": config.factorization.basis}
        for key, path in taken.items():
            if path is not None and Path(path).resolve().is_relative_to(own):
                raise InputError(
                    f"{key}: {path} lies in {pipeline.results.folder}, which this config writes "
                    "into; give it a dataset of its own"
                )
        return pipeline

    @classmethod
    def read(cls, path: Path, results: str = "results") -> Pipeline:
        """Return the pipeline of a config file: a YAML, or the frozen JSON of a run."""
        from brainarch.config.read import read_config  # noqa: PLC0415  # a list of verbs needs none

        return cls.of(read_config(path), results)

    @cached_property
    def frozen(self) -> str:
        """Where the copy of the config lies that the stages of a run read."""
        return self.results.config(frozen_digest(self._frozen_content))

    @cached_property
    def _frozen_content(self) -> bytes:
        return f"{self.config.model_dump_json(indent=1)}\n".encode()

    def freeze(self) -> None:
        """Write that copy, and what the user's files are like now.

        The time of the copy tells when it was last used.
        """
        write_bytes(Path(self.frozen), self._frozen_content)
        if self.source_states:
            write_record(Path(self.results.sources), self.source_states)

    @cached_property
    def goals(self) -> list[str]:
        """Files that a whole run is for; everything else is on the way to them."""
        figures = [path for name in self.figures for path in flat(self.figure(name).outputs)]
        stages = [self.report(), self.explore(), self.explain_factors(self.fit_slice)]
        if "labels" not in self.lacks:
            stages.append(self.measure_selection())
        if self.counts_components:
            stages.append(self.sweep_components())
        for network in self.extracted[1:]:
            stages += self.followed(network)
        if self.extracted[1:]:
            stages.append(self.compare_networks(self.fit_slice))
        return [*(path for stage in stages for path in flat(stage.outputs)), *figures]

    def followed(self, network: str) -> list[Stage]:
        """Return what a run makes of the dense representation of one more network."""
        slices = self.config.extraction.slices
        stages = [self.factorize(network), self.explain_factors(self.fit_slice, network)]
        stages += [self.prove(z, network) for z in slices]
        stages += [self.project(z, network) for z in self.held_out_slices]
        if network in self.mapped.values():
            stages += [self.predict(z, network) for z in slices]
        if "labels" not in self.lacks:
            stages.append(self.measure_selection(network))
        if self.compared_slices:
            stages.append(self.align(network))
        if self.config.discovery is not None:
            kinds = (CLUSTERS, COMPONENTS)
            stages += [
                self.profile(kind, z, network) for kind in kinds for z in self.labelled_slices
            ]
            stages += [
                self.compare_layers(kind, z, network) for kind in kinds for z in self.layer_slices
            ]
            if self.compared_slices:
                stages.append(self.match_components(network))
        return stages

    def published(self, networks: Sequence[str]) -> list[str]:
        """Return what a dataset is published by: cubes, maps, coefficients, networks and pages.

        Parameters
        ----------
        networks : sequence of str
            Extracted networks whose results it shall have.
        """
        r, slices = self.results, self.config.extraction.slices
        stages = [self.report(), self.explore(), *map(self.explore_slice, self.paged_slices)]
        paths = [self.frozen, r.plan, r.novelty(), r.areas, r.legend]
        for network in networks:
            paths.append(self._weights(network))
            stages += [self.extract(z, network) for z in slices]
            stages += [self.prove(z, network) for z in slices]
            if network in self.mapped.values():
                stages += [self.predict(z, network) for z in slices]
            stages.append(self.factorize(network))
            stages += [self.project(z, network) for z in self.held_out_slices]
        return [*paths, *(path for stage in stages for path in flat(stage.outputs))]

    # ---------------------------------------------------------------- volume and annotations

    def phantom(self) -> Stage:
        """Write the synthetic volume as the TIFF stack and label images a user would have."""
        r, slices = self.results, self.config.annotations.slices
        return Stage(
            "brainarch.phantom.stages:make_phantom",
            {},
            {
                "stack": r.source("stack"),
                "areas": {z: r.source_labels("areas", z) for z in slices},
                "layers": {z: r.source_labels("layers", z) for z in slices},
                "truth": r.source("truth"),
                "description": r.source("phantom.json"),
            },
            {**pick(self.config.volume, "shape", "voxel_um"), **self._seed},
            after=[r.preflight],
        )

    def download_stack(self) -> Stage:
        """Fetch the slices of the volume; what came stays, its table is the output."""
        if self.address is not None:
            return Stage(
                "brainarch.download.stages:fetch_volume",
                {},
                {"table": self.results.download("stack")},
                {
                    "url": self.address,
                    **pick(self.config.volume, "shape", "dtype", "voxel_um", "first_slice"),
                },
                {"image": self.results.fetched},
                [self.results.preflight],
            )
        slices = self.config.volume.shape[0]
        first = self.config.volume.first_slice
        settings = pick(self.config.volume, "dtype")
        return self._download(
            "stack",
            "image",
            f"{self.config.volume.path}/z{{z:04d}}.tif",
            list(range(first, first + slices)),
            settings,
        )

    def download_areas(self) -> Stage:
        """Fetch the label images of the annotated slices."""
        pattern = str(self.config.annotations.path)
        slices = self.config.annotations.slices
        return self._download("areas", "areas", pattern, slices, {"dtype": None})

    def convert(self) -> Stage:
        """Convert the TIFF stack to OME-Zarr; an OME-Zarr image is linked to instead."""
        r, volume, source = self.results, self.config.volume, self._stack
        outputs: Files = {"volume": r.volume}
        settings = {"source": source, **pick(volume, "shape", "dtype", "voxel_um", "first_slice")}
        after = [r.preflight, *self._stack_made]
        if in_zarr(source):
            function = "brainarch.volume.stages:link_image"
            return Stage(function, {}, outputs, settings, after=after)
        settings |= pick(volume, "window", "compression", "nan", "file_step")
        settings["pixel_um"] = None if volume.resampling is None else volume.pixel_um
        return Stage(
            "brainarch.volume.stages:convert_stack",
            {},
            outputs | {"slices": r.volume_table("slices.csv")},
            settings,
            {"partial": r.partial("convert")},
            after,
        )

    def volume_statistics(self) -> Stage:
        """Count the grey values of the whole volume."""
        return Stage(
            "brainarch.volume.stages:measure_volume",
            {"volume": self.results.volume},
            self._grey_tables,
        )

    def import_areas(self) -> Stage:
        """Import the area labels of the annotated slices."""
        areas = self.config.areas
        shares = {area.name: area.share for area in areas if area.share < 1}
        return self._import("areas", self.config.annotations, areas, shares)

    def import_layers(self) -> Stage:
        """Import the layer labels of the annotated slices."""
        layers = self._require(self.config.layers, "layers", "name their label images")
        return self._import("layers", layers, layers.names, {})

    def nonsense(self) -> Stage:
        """Cut one homogeneous area into parts that mean nothing, for a control that can fail."""
        r = self.results
        slices = {z for split in SPLITS for z in self.split_slices(split)}
        return Stage(
            "brainarch.annotations.stages:cut_nonsense",
            self._areas,
            {"nonsense": r.nonsense, "nonsense_legend": r.nonsense_legend},
            {"area": self.nonsense_area, "parts": list(PARTS), "slices": sorted(slices)},
        )

    # ---------------------------------------------------------------- learning

    def sample(self, run: str) -> Stage:
        """Choose the patches that train, choose and test the network: places, not pixels."""
        config, r = self.config, self.results
        known("--run", run, self.sampled)
        settings = {
            **pick(config.sampling, "train_patches", "eval_patches", "min_gap_um"),
            "area_shares": self._shares(run),
            **self._seed,
        }
        kinds = (*SPLITS, "counts", "independent")
        outputs: Files = {"splits": r.splits(run), **{kind: r.patches(run, kind) for kind in kinds}}
        function = "brainarch.patches.stages:sample_slices"
        if config.splits.by == "slices":
            settings["slices"] = {split: self.split_slices(split) for split in SPLITS}
        else:
            function = "brainarch.patches.stages:sample_blocks"
            settings |= pick(config.splits, "min_independent", z="slice")
            settings["assignment"] = self._assignment(run)
        return Stage(function, self._areas_of(run), outputs, settings)

    def train(self, run: str) -> Stage:
        """Train a network; further seeds and the permuted control share the main run's patches.

        The nonsense control has labels and patches of its own, and trains in the same way. The
        authors' network trains on the main run's patches as its authors say.
        """
        r, training = self.results, self.config.training
        source = self._sampled(run)
        inputs: Files = {
            **self._areas_of(run),
            "volume": r.volume,
            "splits": r.splits(source),
            "val": r.patches(source, "val"),
        }
        settings = pick(training, "learning_rate", "dropout")
        if run == AUTHORS:
            function, length = "train_patches", "epochs"
            inputs["train"] = r.patches(source, "train")
            epochs = training.epochs or AUTHORS_TRAINING["epochs"]
            settings = {**AUTHORS_TRAINING, "epochs": epochs, "as_authors": True}
        elif training.preset == "papers":
            function, length = "train_patches", "epochs"
            inputs["train"] = r.patches(source, "train")
            settings |= {**pick(training, "epochs", "batch_size"), "as_authors": False}
        else:
            function, length = "train_crops", "steps"
            settings |= pick(training, "steps", "crops", "changes", "precision")
            settings |= pick(self.config.sampling, "min_gap_um")
            settings["orientation"] = self.orientation
            settings["outside"] = bool(training.outside) and run not in (PERMUTED, NONSENSE)
            if training.start == "unlabelled":
                inputs["start"] = r.network(UNLABELLED)
                inputs["train"] = r.patches(source, "train")
        share = {PERMUTED: training.permuted_share, NONSENSE: training.nonsense_share}.get(run, 1)
        settings[length] = max(1, round(settings[length] * share))
        return Stage(
            f"brainarch.training.stages:{function}",
            inputs,
            {
                "network": r.network(run),
                "curves": r.training(run, "learning_curves.csv"),
                "summary": r.training(run, "training.json"),
            },
            {**settings, "permute_labels": run == PERMUTED, "seed": self._training_seed(run)},
            {"partial": r.partial("train")},
        )

    def take_network(self) -> Stage:
        """Take a trained network into a run: a finished one, or the authors' imported weights."""
        if self.config.network is not None:
            return self._take_trained(self.config.network)
        weights = self._require(
            self.config.readout.authors,
            "readout.authors",
            "name a file that `brainarch import-weights` made",
        )
        return Stage(
            "brainarch.network.foreign:take_network",
            {"weights": weights},
            {"network": self.results.network(AUTHORS)},
            {"areas": [area.name for area in self.config.areas]},
        )

    def _take_trained(self, source: str) -> Stage:
        return Stage(
            "brainarch.application.taken:take_trained",
            {},
            {"network": self.results.network(MAIN), "novelty": self.results.novelty(MAIN)},
            {
                "source": source,
                "areas": [area.name for area in self.config.areas],
                **pick(self.config.volume, "dtype"),
                "pixel_um": self.config.volume.pixel_um,
            },
            after=[self.results.preflight],
        )

    def train_unlabelled(self) -> Stage:
        """Train the same network without a label, by spatial contrast."""
        r = self.results
        return Stage(
            "brainarch.training.stages:train_unlabelled",
            {"volume": r.volume},
            {
                "network": r.network(UNLABELLED),
                "curves": r.training(UNLABELLED, "learning_curves.csv"),
                "summary": r.training(UNLABELLED, "training.json"),
            },
            {
                **pick(self.config.unlabelled, "steps", "places", "side", "learning_rate"),
                **pick(self.config.training, "precision"),
                "slices": self.unlabelled_slices,
                **self._seed,
            },
            {"partial": r.partial("train")},
        )

    def write_untrained(self) -> Stage:
        """Write the main network as it is before training, to extract with it."""
        return Stage(
            "brainarch.training.stages:write_untrained",
            {"network": self.results.network(MAIN)},
            {"untrained": self.results.network(UNTRAINED)},
            self._seed,
        )

    def evaluate(self, run: str, split: str) -> Stage:
        """Apply a network to sampled patches: accuracy, confusion, precision, recall, F1."""
        r = self.results
        known("--split", split, SPLITS)
        thin = [] if run == NONSENSE else list(self._shares(run))
        if len(self.config.areas) < 3:
            thin = []  # without one of two areas there is nothing to tell apart
        return Stage(
            "brainarch.evaluation.stages:evaluate_patches",
            {
                "network": r.network(run),
                "volume": r.volume,
                **self._areas_of(run),
                "patches": r.patches(self._sampled(run), split),
            },
            {
                kind: r.evaluation(run, split, kind)
                for kind in ("predictions", "metrics", "confusion")
            },
            {"without": thin, **self._copied(run), **self._bootstrap},
        )

    def name_new_brains(self) -> Stage:
        """Render a slice of phantoms of other seeds, and let the trained network name it."""
        config, r = self.config, self.results
        count = config.evaluation.new_brains
        self._require(count, "evaluation.new_brains", "say how many")
        return Stage(
            "brainarch.evaluation.new_brains:name_new_brains",
            {"network": r.network(MAIN), "legend": r.legend},
            {"brains": r.new_brains},
            {
                **pick(config.volume, "shape", "voxel_um"),
                "z": self.split_slices("test")[0],
                "codes": {area.name: area.codes for area in config.areas},
                "count": count,
                "patches_per_area": config.sampling.eval_patches,
                **self._seed,
            },
        )

    def find_lesions(self) -> Stage:
        """Plant lesions in a slice beyond the phantom's last, and look for them by novelty."""
        config, r = self.config, self.results
        self._require(
            self.plants_lesions, "source: phantom", "nothing can be planted in other volumes"
        )
        apart = math.ceil(config.sampling.min_gap_um / config.volume.pixel_um)
        return Stage(
            "brainarch.evaluation.lesions:find_lesions",
            {"network": r.network(MAIN), "novelty": r.novelty(MAIN), "legend": r.legend},
            {"lesions": r.lesions},
            {
                **pick(config.volume, "shape", "voxel_um"),
                "z": config.volume.shape[0] - 1 + apart,
                "codes": {area.name: area.codes for area in config.areas},
                **self._nulls,
                **self._seed,
            },
        )

    def calibrate(self) -> Stage:
        """Measure how far confidence is the share of right answers; fit a temperature."""
        said = {split: self.results.evaluation(MAIN, split, "predictions") for split in SPLITS[1:]}
        return Stage("brainarch.evaluation.calibration:calibrate", {**said}, self._calibrated)

    def embed(self, network: str, split: str) -> Stage:
        """Represent sampled patches by one of the compared networks."""
        return Stage(
            "brainarch.embedding.stages:embed_patches",
            self._embedded(network, split),
            {"representations": self.results.representations(network, split)},
            {"name": network, **self._borrowed(network), **self._seed},
        )

    def embed_noise(self, network: str) -> Stage:
        """Represent test patches under noise by one of the compared networks."""
        keys = pick(
            self.config.readout, variances="noise_variances", patches_per_area="noise_patches"
        )
        return Stage(
            "brainarch.embedding.stages:embed_noisy_patches",
            self._embedded(network, "test"),
            {"representations": self.results.noisy(network)},
            {"name": network, **self._borrowed(network), **keys, **self._seed},
        )

    def embed_degraded(self, network: str) -> Stage:
        """Represent test patches as other images would show them by one of the networks."""
        keys = pick(self.config.readout, patches_per_area="degradation_patches")
        return Stage(
            "brainarch.embedding.stages:embed_degraded_patches",
            self._embedded(network, "test"),
            {"degraded": {change: self.results.degraded(network, change) for change in CHANGES}},
            {"name": network, **self._borrowed(network), **keys, **self._seed},
        )

    # ---------------------------------------------------------------- the dense representation

    def plan(self) -> Stage:
        """Choose algorithm and tiles of the dense extraction."""
        return Stage(
            "brainarch.dense.stages:plan_extraction",
            {"network": self.results.network(MAIN), "volume": self.results.volume},
            {"plan": self.results.plan},
            pick(self.config.extraction, "stride", "precision", "memory_mb", "rows"),
        )

    def extract(self, z: Z, network: str = CNN) -> Stage:
        """Extract the representation at every wanted pixel of a slice; goes on after a kill."""
        r = self.results
        return Stage(
            "brainarch.dense.stages:extract_slice",
            {
                "network": self._weights(network),
                "plan": r.plan,
                "volume": r.volume,
                **({} if self.is_trained else {"labels": r.areas}),
            },
            {"cube": r.cube(self._extracted(z), network)},
            {"z": z, **pick(self.config.extraction, "where", "rows", "storage")},
            {"partial": r.partial("extract")},
        )

    def prove(self, z: Z, network: str = CNN) -> Stage:
        """Recompute random windows of a slice one by one; exit status 1 if they differ."""
        r = self.results
        return Stage(
            "brainarch.dense.stages:prove_cube",
            {
                "cube": r.cube(self._extracted(z), network),
                "network": self._weights(network),
                "volume": r.volume,
            },
            {"proof": r.proof(z, network)},
            {**pick(self.config.extraction, windows="proof_windows"), **self._seed},
        )

    def fit_novelty(self, run: str = MAIN) -> Stage:
        """Describe what is usual in the training areas, against which novelty is measured."""
        learnt = [own for own in self.mapped if own in self.runs]
        network = self.mapped.get(known("--run", run, learnt), run)
        return Stage(
            "brainarch.evaluation.usual:fit_novelty",
            {"representations": self.results.representations(network, "train")},
            {"novelty": self.results.novelty(run)},
            pick(self.config.evaluation, quantile="novelty_quantile"),
        )

    def predict(self, z: Z, network: str = CNN) -> Stage:
        """Predict the area of every extracted pixel and, where labelled, how right that is."""
        r = self.results
        known("--network", network, list(self.mapped.values()))
        inputs: Files = {
            "cube": r.cube(self._extracted(z, network), network),
            "network": self._weights(network),
            "volume": r.volume,
            "novelty": r.novelty(MAIN if network == CNN else network),
        }
        if self.is_trained:
            return Stage(
                "brainarch.application.taken:map_slice",
                inputs,
                {"areas": r.prediction(z, "areas.zarr", network)},
                pick(self.config.evaluation, "average_px"),
            )
        return Stage(
            "brainarch.evaluation.stages:predict_slice",
            {
                **inputs,
                **self._areas,
                "splits": r.splits(MAIN),
                "predictions": r.predictions,
            },
            {
                "areas": r.prediction(z, "areas.zarr", network),
                **{
                    kind: r.prediction(z, f"{kind}.csv", network)
                    for kind in ("confusion", "metrics", "border", "rim")
                },
            },
            {
                **pick(self.config.evaluation, "average_px"),
                **self._copied(MAIN),
                **self._bootstrap,
            },
        )

    # ---------------------------------------------------------------- what sampled patches say

    def classify(self) -> Stage:
        """Fit classifiers on the representations, clean, and score them clean and noisy."""
        r = self.results
        return Stage(
            "brainarch.readout.stages:classify_patches",
            {
                **self._compared("train", "test"),
                "noise": {network: r.noisy(network) for network in self.networks},
                "heads": {"cnn": r.predictions},
                "predictions": r.predictions,
            },
            {
                "classifiers": r.readout("classifiers.csv"),
                "noise_curve": r.readout("noise.csv"),
                "differences": r.readout("differences.csv"),
            },
            self._bootstrap,
        )

    def compare_assignments(self) -> Stage:
        """Compare networks over all assignments of one slice's parts to splits."""
        r = self.results
        others = [name for name in self.networks if name in NETWORKS]
        names = [CNN, *(name for name in others if name not in (CNN, AUTHORS))]
        runs = {run: r.network(run) for run in self.assignments}
        own = {name: r.network(name) for name in names if learns_by_itself(name)}
        tables = {
            split: {run: r.patches(run, split) for run in self.assignments}
            for split in ("train", "test")
        }
        return Stage(
            "brainarch.readout.assignment_stages:compare_assignments",
            {
                "networks": runs | own,
                "volume": r.volume,
                "legend": r.legend,
                **tables,
                "heads": {run: r.evaluation(run, "test", "predictions") for run in runs},
                "predictions": r.predictions,
            },
            {
                "accuracies": r.readout("assignments.csv"),
                "differences": r.readout("assignment_differences.csv"),
            },
            {"names": names, **self._bootstrap},
        )

    def probe_labels(self) -> Stage:
        """Measure what linear probes reach with a few labelled blocks of each area."""
        return Stage(
            "brainarch.readout.stages:probe_labels",
            {**self._compared("train", "test"), "predictions": self.results.predictions},
            {"efficiency": self.results.readout("label_efficiency.csv")},
            {
                **pick(self.config.readout, draws="label_draws"),
                **pick(self.config.statistics, "block_px"),
                **self._seed,
            },
        )

    def score_degraded(self) -> Stage:
        """Score classifiers that were fitted on clean patches on those of other images."""
        r = self.results
        return Stage(
            "brainarch.readout.stages:score_degraded",
            {
                **self._compared("train"),
                "degraded": {
                    f"{network}/{change}": r.degraded(network, change)
                    for network in self.networks
                    for change in CHANGES
                },
                "predictions": r.predictions,
            },
            {"degradation": r.readout("degradation.csv")},
            self._bootstrap,
        )

    def cluster_score(self) -> Stage:
        """Score how far clusters of the representations are areas."""
        return Stage(
            "brainarch.readout.stages:score_clusters",
            {**self._compared("train", "test"), "predictions": self.results.predictions},
            {"scores": self.results.readout("cluster_scores.csv")},
            self._bootstrap,
        )

    def gram(self) -> Stage:
        """Measure the Gram matrix of unit-length representations: block error, area means."""
        r = self.results
        return Stage(
            "brainarch.readout.stages:measure_gram",
            {**self._compared("test"), "predictions": r.predictions},
            {
                "errors": r.readout("gram_error.csv"),
                "blocks": r.readout("gram_blocks.csv"),
                "matrices": self._gram_matrices,
            },
            {**self._gram_patches, **self._bootstrap},
        )

    def pca(self) -> Stage:
        """Project representations onto their first three principal components."""
        r = self.results
        return Stage(
            "brainarch.readout.stages:project_components",
            self._compared("test"),
            {"components": r.readout("pca.csv"), "variance": r.readout("pca_variance.csv")},
            {**self._gram_patches, **self._seed},
        )

    def relations(self) -> Stage:
        """Say which areas are alike, how they vary, and which patches are least like their area."""
        r = self.results
        kinds = ("relations", "hierarchy", "variability", "outliers")
        return Stage(
            "brainarch.readout.stages:relate_areas",
            {**self._compared("train", "test"), "predictions": r.predictions},
            {kind: r.readout(f"{kind}.csv") for kind in kinds},
            self._bootstrap,
        )

    # ---------------------------------------------------------------- factors

    def factorize(self, network: str = CNN) -> Stage:
        """Factorise the representation of the fitted slices, X ~ C B, both non-negative."""
        r, slices = self.results, self.fit_slices
        self._dense(network)
        self._require(slices, "factorization.slices", "there is a basis; project on it")
        keys = ("factors", "starts", "max_iterations", "tolerance")
        return Stage(
            "brainarch.factors.stages:factorize",
            {"cubes": {z: r.cube(z, network) for z in slices}},
            {
                "basis": r.factors("basis.csv", network),
                "convergence": r.factors("convergence.csv", network),
                "fit": r.factors(FIT, network),
                "coefficients": {z: r.coefficients(z, network) for z in slices},
                "fits": {z: r.fit(z, network) for z in slices},
            },
            {**pick(self.config.factorization, *keys), **self._seed},
        )

    def take_basis(self) -> Stage:
        """Take the basis that another run with the same network fitted."""
        r, source = self.results, self.config.factorization.basis
        self._require(source, "factorization.basis", "name one")
        return Stage(
            "brainarch.application.taken:take_basis",
            {"network": r.network(MAIN)},
            {"basis": r.factors("basis.csv")},
            {"source": source},
        )

    def sweep_ranks(self) -> Stage:
        """Compare numbers of factors on a sample: held-out error, stability, sparsity."""
        section = self.config.factorization
        numbers = self._require(section.sweep, "factorization.sweep", "say [5, 10, 15, 20]")
        return Stage(
            "brainarch.factors.stages:sweep_ranks",
            {"cubes": [self.results.cube(z) for z in self.fit_slices]},
            {"ranks": self.results.factors("ranks.csv")},
            {
                "sweep_factors": sorted(set(numbers)),
                **pick(section, "starts", "max_iterations", "tolerance"),
                **self._seed,
            },
        )

    def project(self, z: Z, network: str = CNN) -> Stage:
        """Find the coefficients of another slice on the same basis."""
        r = self.results
        self._dense(network)
        return Stage(
            "brainarch.factors.stages:project",
            {
                "cube": r.cube(known("--slice", z, self.held_out_slices), network),
                "basis": r.factors("basis.csv", network),
            },
            {
                "coefficients": r.coefficients(z, network),
                "fit": r.fit(z, network),
            },
        )

    def select_areas(self, network: str = CNN) -> Stage:
        """Select the factors that predict areas, by the papers' rule and by AUROC."""
        keys = pick(self.config.selection, leakage="area_leakage", count="area_count")
        return self._select("area", self._areas, len(self.config.areas), keys, network)

    def select_layers(self, network: str = CNN) -> Stage:
        """Select the factors that predict layers, by the papers' rule and by AUROC."""
        layers = self._require(self.config.layers, "layers", "name their label images")
        keys = pick(self.config.selection, leakage="layer_leakage", count="layer_count")
        return self._select("layer", self._layers, len(layers.names), keys, network)

    def measure_selection(self, network: str = CNN) -> Stage:
        """Measure what factors share with each other, and what the selected ones give back."""
        r = self.results
        self._dense(network)
        targets = ["area"] if "layers" in self.lacks else ["area", "layer"]
        return Stage(
            "brainarch.factors.stages:measure_selection",
            {
                "cubes": [r.cube(z, network) for z in self.fit_slices],
                "basis": r.factors("basis.csv", network),
                "selected": {
                    name: r.factors(f"selection_{name}s.csv", network) for name in targets
                },
            },
            {
                "pairs": r.factors("pairs.csv", network),
                "choices": r.factors("choices.csv", network),
            },
            self._seed,
        )

    def explain_factors(self, z: Z, network: str = CNN) -> Stage:
        """Compare a slice's factors with blobs, vessels, fibres; tabulate its areas and layers."""
        r = self.results
        inputs: Files = {
            "volume": r.volume,
            "coefficients": r.coefficients(self._extracted(z, network), network),
        }
        if z in self.labelled_slices:
            inputs |= self._areas
            if self.config.discovery is not None:
                kinds = (COMPONENTS, CLUSTERS)
                inputs |= {kind: r.discovery(z, f"{kind}.zarr", network) for kind in kinds}
                inputs["depth"] = r.depth(z)
            if self.is_phantom and self.config.volume.resampling is None:
                inputs["truth"] = r.source("truth")
        if z in self.layer_slices:
            inputs |= {"layers": r.layers, "layers_legend": r.layers_legend}
        return Stage(
            "brainarch.microstructure.stages:explain_factors",
            inputs,
            self.explained(z, network),
            {**pick(self.config.statistics, "resamples", "nulls"), **self._seed},
        )

    def compare_networks(self, z: Z) -> Stage:
        """Match a slice's factors and components with those that other networks lead to."""
        r = self.results
        others = self._require(
            self.extracted[1:], "extraction.networks beside cnn", "name another network"
        )
        inputs: Files = {
            "coefficients": r.coefficients(self._extracted(z)),
            "others": {name: r.coefficients(z, name) for name in others},
        }
        if self.config.discovery is not None and z in self.labelled_slices:
            maps = {name: r.discovery(z, "components.zarr", name) for name in self.extracted}
            inputs |= {"components": maps.pop(CNN), "other_components": maps}
        return Stage(
            "brainarch.microstructure.networks:compare_networks",
            inputs,
            {"agreement": r.factors(f"z{slice_name(z)}_networks.csv")},
            {**pick(self.config.statistics, "resamples", "nulls"), **self._seed},
        )

    def align(self, network: str = CNN) -> Stage:
        """How well each factor tells each area from the rest, beside fields like it."""
        r = self.results
        self._dense(network)
        _, *others = self._require(self.compared_slices, *TWO_SLICES)
        inputs: Files = {
            "fitted": [r.coefficients(z, network) for z in self.fit_slices],
            "others": [r.coefficients(z, network) for z in others],
            **self._areas,
            "selected": r.factors("selection_areas.csv", network),
            "predictions": r.predictions,
        }
        if set(self.layer_slices) >= {*self.fit_slices, *others}:
            inputs |= {"layers": r.layers, "layers_legend": r.layers_legend}
            inputs["selected_layers"] = r.factors("selection_layers.csv", network)
        return Stage(
            "brainarch.factors.selection_stages:align_factors",
            inputs,
            {
                "alignment": r.factors("alignment.csv", network),
                "chosen": r.factors("alignment_chosen.csv", network),
                "summary": r.factors("alignment.json", network),
            },
            {**self._nulls, **self._bootstrap},
        )

    def baselines(self) -> Stage:
        """Measure what tells areas apart without factors: a unit, grey, an untrained network."""
        r = self.results
        _, *others = self._require(self.compared_slices, *TWO_SLICES)
        keys = ("factors", "starts", "max_iterations", "tolerance")
        return Stage(
            "brainarch.factors.baseline_stages:measure_baselines",
            {
                "fitted": {z: r.cube(z) for z in self.fit_slices},
                "others": {z: r.cube(z) for z in others},
                "network": r.network(MAIN),
                "volume": r.volume,
                **self._areas,
            },
            {"baselines": r.factors("baselines.csv")},
            {**pick(self.config.factorization, *keys), **self._seed},
        )

    def find_planted(self) -> Stage:
        """Look for barrels, cells, axons and vessels of the phantom in the factors."""
        r, discovery = self.results, self.config.discovery
        self._require(self.is_phantom, "source: phantom", "nothing is known to be planted")
        _, *others = self._require(self.compared_slices, *TWO_SLICES)
        return Stage(
            "brainarch.microstructure.recovery:find_planted",
            {
                "fitted": [r.coefficients(z) for z in self.fit_slices],
                "others": [r.coefficients(z) for z in others],
                **self._areas,
                "truth": r.source("truth"),
            },
            {"planted": r.factors("planted.csv")},
            {
                "area": None if discovery is None else discovery.area,
                **self._nulls,
                **self._seed,
            },
        )

    # ---------------------------------------------------------------- inside one area

    def depth(self, z: Z) -> Stage:
        """Measure the relative depth of an area's pixels between two borders."""
        known("--slice", z, self.config.annotations.slices)
        return Stage(
            "brainarch.discovery.stages:measure_depth",
            self._areas,
            {"depth": self.results.depth(z)},
            {"z": z, **pick(self._discovery, "area", "upper", "lower")},
        )

    def cluster_area(self, z: Z, network: str = CNN) -> Stage:
        """Cluster the representation inside one area: PCA, then k-means (V)."""
        r = self.results
        self._dense(network)
        return Stage(
            "brainarch.discovery.stages:cluster_area",
            {"cube": r.cube(known("--slice", z, self.labelled_slices), network), **self._areas},
            {
                "map": r.discovery(z, "clusters.zarr", network),
                "fit": r.discovery(z, "clusters.json", network),
            },
            {**pick(self._discovery, "area", "clusters", "inside_px"), **self._seed},
        )

    def find_components(self, z: Z, network: str = CNN) -> Stage:
        """Find components of an area: a Gaussian mixture on the factors' coefficients (M, A)."""
        r = self.results
        self._dense(network)
        return Stage(
            "brainarch.discovery.stages:find_components",
            {
                "coefficients": r.coefficients(known("--slice", z, self.labelled_slices), network),
                **self._areas,
            },
            {
                "map": r.discovery(z, "components.zarr", network),
                "table": r.discovery(z, "components.csv", network),
                "fit": r.discovery(z, "components.json", network),
            },
            {
                **pick(self._discovery, "area", "components", "inside_px", "average_um"),
                **self._seed,
            },
        )

    def sweep_components(self) -> Stage:
        """Compare numbers of components of an area: BIC, held-out likelihood, stability."""
        r, section = self.results, self._discovery
        numbers = self._require(section.sweep, "discovery.sweep", "say [2, 3, 4, 5, 6]")
        z = known("--slice", self.fit_slice, self.labelled_slices)
        return Stage(
            "brainarch.discovery.stages:sweep_components",
            {"coefficients": r.coefficients(z), **self._areas},
            {"numbers": r.matches("component_numbers")},
            {
                **pick(section, "area", "inside_px", "average_um"),
                "sweep": sorted(set(numbers)),
                **self._seed,
            },
        )

    def profile(self, kind: str, z: Z, network: str = CNN) -> Stage:
        """Say where clusters or components lie: their shares by layer and by depth."""
        return Stage(
            "brainarch.discovery.stages:profile_map",
            self._mapped(kind, z, network),
            {"profiles": self.results.discovery(z, f"{kind}_profiles.csv", network)},
        )

    def compare_layers(self, kind: str, z: Z, network: str = CNN) -> Stage:
        """Measure how far clusters or components agree with layers, beside nulls with bands."""
        known("--slice", z, self.layer_slices)
        return Stage(
            "brainarch.discovery.stages:compare_layers",
            self._mapped(kind, z, network),
            {"agreement": self.results.discovery(z, f"{kind}_agreement.csv", network)},
            {**self._nulls, **self._seed},
        )

    def match_components(self, network: str = CNN) -> Stage:
        """Match the components of two slices one to one by their profiles."""
        r = self.results
        self._dense(network)
        self._require(self.config.discovery, *NO_AREA)
        reference, other = self._require(self.compared_slices[:2], *TWO_SLICES)
        return Stage(
            "brainarch.discovery.stages:match_components",
            {
                "reference": r.discovery(reference, "components_profiles.csv", network),
                "other": r.discovery(other, "components_profiles.csv", network),
                **self._mapped(COMPONENTS, other, network),
            },
            {
                "matches": r.matches("matches", network),
                "distances": r.matches("match_distances", network),
            },
            {**self._nulls, **self._seed},
        )

    # ---------------------------------------------------------------- figures and report

    def preview(self, kind: str, z: Z) -> Stage:
        """Draw an annotated slice with the outlines of its areas or layers, for the eye."""
        known("--slice", z, self.previewed.get(known("--kind", kind, list(self.previewed)), []))
        of_layers = kind == "layers"
        labels = self._layers if of_layers else self._areas
        prefix = self.results.annotations(f"previews/{kind}_z{slice_name(z)}")
        return Stage(
            "brainarch.figures.stages:draw_preview",
            {
                "volume": self.results.volume,
                "labels": labels["labels"],
                "sizes": self.results.annotations(f"{kind}.csv"),
            },
            _picture(prefix),
            {"z": z, "areas": self._layer_titles if of_layers else self._area_titles},
        )

    def draw_maps(self, z: Z) -> Stage:
        """Draw what the network says of a slice, annotated or not: areas, confidence, novelty."""
        r = self.results
        return Stage(
            "brainarch.figures.map_stages:draw_maps",
            {
                "volume": r.volume,
                "prediction": r.prediction(self._extracted(z), "areas.zarr"),
            },
            _picture(r.figure(f"maps_z{slice_name(z)}", "")),
            {"z": z, "areas": self._area_titles, "annotated": z in self.labelled_slices},
        )

    def figure(self, name: str) -> Stage:
        """Draw one of the figures, beside the table that it plots."""
        subjects = {figure.name: figure.subject for figure in FIGURES}
        gone = {f.name: [self.lacks[n] for n in f.needs if n in self.lacks] for f in FIGURES}
        if gone.get(name):
            raise InputError(f"--figure {name}: no part of this dataset: {'; '.join(gone[name])}")
        known("--figure", name, self.figures)
        inputs, settings = getattr(self, f"_{subjects[name]}")()
        return Stage(
            f"brainarch.figures.stages:draw_{subjects[name]}",
            inputs,
            _picture(self.results.figure(name, "")),
            settings,
        )

    def report(self) -> Stage:
        """Sum a run up on one page: verdicts, numbers, figures, versions, cost."""
        r = self.results
        outputs: Files = {"page": r.report("summary.html"), "numbers": r.report("summary.json")}
        if self.is_published:
            outputs["reproduction"] = r.report("reproduction.csv")
        return Stage(
            "brainarch.reporting.stages:write_report",
            {"files": self._reported()},
            outputs,
            {"config": self.config.model_dump(mode="json")},
            {"benchmarks": r.benchmarks, "verified": r.verified},
        )

    def explore(self) -> Stage:
        """Write the page to explore slices in, or the index of the pages of many slices."""
        page = self.results.report("explore.html")
        if not self.paged_slices:
            return self._explorer(self.config.extraction.slices, page, self.config.title)
        return Stage(
            "brainarch.explorer.stages:write_index",
            {"pages": {z: str(self.explore_slice(z).outputs["page"]) for z in self.paged_slices}},
            {"page": page},
            {"title": self.config.title},
        )

    def explore_slice(self, z: Z) -> Stage:
        """Write the page to explore one slice in: maps, similar places, names from a few clicks."""
        page = self.results.report(f"explore_z{slice_name(self._extracted(z))}.html")
        return self._explorer([z], page, f"{self.config.title}: slice {z}")

    @cached_property
    def shown(self) -> Settings:
        """All that there is to look at, as `brainarch.explorer.stages.write_explorer` takes it."""
        return self._explorer(self.config.extraction.slices, "", self.config.title).arguments

    def _explorer(self, slices: Sequence[Z], page: str, title: str) -> Stage:
        files, lacks = self._explored(slices)
        return Stage(
            "brainarch.explorer.stages:write_explorer",
            {"volume": self.results.volume},
            {"page": page},
            {
                "slices": slices,
                "areas": self._area_titles,
                "layer_names": self._layer_titles,
                "networks": self.extracted,
                "title": title,
                "lacks": lacks,
            },
            {"files": files},
            list(files.values()),
        )

    def export(self, z: Z) -> Stage:
        """Write a slice's maps for other programs: GeoJSON for QuPath, OME-Zarr labels."""
        r = self.results
        inputs: Files = {
            "volume": r.volume,
            "prediction": r.prediction(self._extracted(z), "areas.zarr"),
            "coefficients": r.coefficients(z),
        }
        if z in self.labelled_slices:
            inputs["labels"] = r.areas
            if self.config.discovery is not None:
                inputs |= {kind: r.discovery(z, f"{kind}.zarr") for kind in (CLUSTERS, COMPONENTS)}
        return Stage(
            "brainarch.exports.stages:export_slice",
            inputs,
            {"folder": r.exports(z)},
            {"areas": self._area_titles},
        )


def _picture(prefix: str) -> Files:
    return {"png": f"{prefix}.png", "pdf": f"{prefix}.pdf", "table": f"{prefix}.csv"}
