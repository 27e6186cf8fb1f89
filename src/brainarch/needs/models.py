"""How memory, time and disk of each stage follow from its work.

Disk is counted as if nothing could be compressed, so a run that starts does not end for want of it.
Memory and seconds were measured on real runs (tests/needs/measured.csv) and grow with the sizes
that drive them; seconds are those of one core of `brainarch.needs.speed.REFERENCE_GFLOPS`.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from brainarch.embedding.names import CHANGES, NETWORKS, is_repeat
from brainarch.geometry import UNITS, crop_pixels
from brainarch.needs.sizes import (
    MB,
    THREADS,
    coefficients_mb,
    convert_mb,
    cube_mb,
    pyramid_mb,
    volume_mb,
)
from brainarch.needs.work import Work
from brainarch.pipeline.facts import SLICES_A_PAGE

#: Memory of the interpreter with its libraries in MB: without torch, and with it (measured).
PLAIN_MB = 280.0
TORCH_MB = 680.0
#: Seconds until such a process begins to work (measured).
PLAIN_SECONDS = 3.0
TORCH_SECONDS = 5.0
#: Weights of the network: 4.9 million, in float32.
NETWORK_MB = 20.0
#: Networks on disk while one is trained: two checkpoints with Adam's two moments each (measured).
TRAINING_COPIES = 7
#: Bytes of one row of a patch table or of a table of predictions (measured, rounded up).
ROW_BYTES = 120
#: Bytes a pixel of the maps of one slice: areas raw and averaged, confidence, novelty, tissue; and
#: of the map of what is no tissue.
PREDICTION_BYTES, OUTSIDE_BYTES = 14, 4
#: Figures that show tables and no slice.
TABLE_FIGURES = (
    "V4_classifiers",
    "V7_relations",
    "M3_meaning",
    "M5_ranks",
    "learning_curves",
    "calibration",
    "label_efficiency",
    "degradation",
    "grey_values",
)
#: The figure that opens the network.
OVERVIEW = "V1_overview"
#: Rows of a Gram matrix as drawn.
GRAM_ROWS = 600
#: MB that come from BossDB in a second (ours; the line and the server decide).
DOWNLOAD_MB = 1.0
#: Bytes of the representation that the solver of the factors holds at most.
HELD_BYTES = 512 * 2**20
#: Core seconds of the network on a window, forward.
WINDOW_SECONDS = 2.2e-3
#: Core seconds of a window that is recomputed as proof, in float32 and in float64.
PROOF_SECONDS = 25e-3
#: Core seconds of a training step on one crop of 64 windows; of the texture features of a window.
CROP_SECONDS = 62e-3
TEXTURE_SECONDS = 5e-3
#: Bytes that learning without labels holds for each pixel of a step's views.
VIEW_BYTES = 350
#: Core seconds of a field that factors are compared with.
FIELD_SECONDS = 2.5e-3
#: Units of a borrowed network at most, core seconds of a patch, and its own memory (ours).
BORROWED_UNITS, BORROWED_SECONDS, BORROWED_MB = 2048, 0.1, 1000.0
#: How often training on crops looks at validation patches.
EVALUATIONS = 10
#: Core seconds a pixel of the dense extraction, by stride: measured at 1, planned for the others.
EXTRACT_SECONDS = {1: 18e-6, 2: 18e-6, 4: 22e-6, 8: 39e-6, 16: 95e-6}


@dataclass(frozen=True)
class Cost:
    """What a job costs on one core.

    Attributes
    ----------
    memory_mb, disk_mb : float
    alone : float
        Seconds that one thread works, whatever there are.
    shared : float
        Core seconds that threads divide between them.
    """

    memory_mb: float
    alone: float
    shared: float = 0.0
    disk_mb: float = 0.0


@dataclass(frozen=True)
class Model:
    """How a stage's cost follows from its work.

    Attributes
    ----------
    cost : callable
        Takes the work and the job's arguments.
    threads : int
        Threads that it can use at most.
    gpu : bool
        Whether it can use a GPU for what threads would share.
    """

    cost: Callable[..., Cost]
    threads: int = 1
    gpu: bool = False

    def of(self, work: Work, **arguments: Any) -> Cost:
        """Return a job's cost; arguments that make no difference are left out."""
        known = inspect.signature(self.cost).parameters
        return self.cost(work, **{k: v for k, v in arguments.items() if k in known})


MODELS: dict[str, Model] = {}
#: A stage that reads tables and writes tables.
SMALL = Model(lambda _work: Cost(PLAIN_MB + 50, PLAIN_SECONDS + 2, disk_mb=5.0))


def _model(
    threads: int = 1, *, gpu: bool = False
) -> Callable[[Callable[..., Cost]], Callable[..., Cost]]:
    """Make a function ``_stage`` the model of that stage."""

    def register(cost: Callable[..., Cost]) -> Callable[..., Cost]:
        MODELS[cost.__name__.removeprefix("_")] = Model(cost, threads, gpu)
        return cost

    return register


@_model(THREADS)
def _phantom(work: Work) -> Cost:
    config = work.config
    images = len(config.annotations.slices) + len(config.layers.slices if config.layers else ())
    # images of areas and layers, and three of what was planted
    disk = volume_mb(work) + config.volume.shape[0] * 1e-3 + 5 * images * work.slice_px / MB
    # the first time it is compiled, which takes most of the memory
    return Cost(2100 + 150 * work.slice_px / MB, 45, 160e-9 * work.voxels, disk)


@_model()
def _download_stack(work: Work) -> Cost:
    return Cost(500, 10 + volume_mb(work) / DOWNLOAD_MB, disk_mb=volume_mb(work))


@_model()
def _download_areas(work: Work) -> Cost:
    return Cost(500, 60, disk_mb=len(work.config.annotations.slices) * 4 * work.slice_px / MB)


@_model()
def _preflight(work: Work) -> Cost:
    return Cost(PLAIN_MB + 12 * work.slice_px / MB, PLAIN_SECONDS + 0.1e-6 * work.slice_px)


@_model(THREADS)
def _convert(work: Work) -> Cost:
    if work.links:
        return Cost(PLAIN_MB, PLAIN_SECONDS)
    disk = volume_mb(work) + pyramid_mb(work.config.volume.stored_shape, work.itemsize)
    return Cost(convert_mb(work), 3, 16e-9 * work.voxels * work.itemsize, disk)


@_model(4)
def _volume_statistics(work: Work) -> Cost:
    return Cost(PLAIN_MB + 25 * work.slice_px / MB, 3, 10e-9 * work.voxels)


def _labels(work: Work, slices: int) -> Cost:
    pixels = slices * work.slice_px
    return Cost(PLAIN_MB + 30 * work.slice_px / MB, 3 + 0.4e-6 * pixels, disk_mb=2 * pixels / MB)


@_model()
def _import_areas(work: Work) -> Cost:
    return _labels(work, len(work.config.annotations.slices))


@_model()
def _import_layers(work: Work) -> Cost:
    layers = work.config.layers
    return _labels(work, len(layers.slices) if layers else 0)


@_model()
def _sample(work: Work) -> Cost:
    pixels = work.split_slices * work.slice_px
    disk = (work.all_patches * ROW_BYTES + pixels) / MB
    seconds = 3 + 0.1e-6 * pixels * work.areas
    if work.config.splits.by == "blocks":
        seconds += 300  # the search for cuts
    return Cost(PLAIN_MB + 40 * work.slice_px / MB, seconds, disk_mb=disk)


@_model(THREADS, gpu=True)
def _train(work: Work, run: str = "main") -> Cost:
    config, training = work.config, work.config.training
    shares = {"permuted": training.permuted_share, "nonsense": training.nonsense_share}
    share = shares.get(run, 1.0)
    if training.preset == "papers" or run == "authors":
        windows = 3 * work.patches("train") + work.patches("val")
        core = share * (training.epochs or 50) * WINDOW_SECONDS * windows
    else:
        core = share * CROP_SECONDS * (training.steps or 0) * (training.crops or 0)
        core += EVALUATIONS * WINDOW_SECONDS * work.patches("val")
    slices = len(config.annotations.slices) * work.slice_px * work.itemsize
    memory = TORCH_MB + 700 + 3 * slices / MB
    return Cost(memory, TORCH_SECONDS + 10, core, (1 + TRAINING_COPIES) * NETWORK_MB)


@_model(THREADS, gpu=True)
def _train_unlabelled(work: Work) -> Cost:
    keys = work.config.unlabelled
    core = keys.steps * keys.places * (2 * WINDOW_SECONDS * 3 + keys.side**2 * 1e-3)
    slices = len({*work.config.annotations.slices, *work.config.extraction.slices})
    views = 2 * keys.places * crop_pixels(keys.side) ** 2
    memory = TORCH_MB + 300 + (VIEW_BYTES * views + 2 * slices * work.slice_px * work.itemsize) / MB
    return Cost(memory, TORCH_SECONDS + 5, core, (1 + TRAINING_COPIES) * NETWORK_MB)


@_model()
def _write_untrained(_work: Work) -> Cost:
    return Cost(TORCH_MB, TORCH_SECONDS, disk_mb=NETWORK_MB)


@_model()
def _take_network(_work: Work) -> Cost:
    return Cost(TORCH_MB, TORCH_SECONDS, disk_mb=NETWORK_MB)


@_model()
def _take_basis(_work: Work) -> Cost:
    return Cost(TORCH_MB, TORCH_SECONDS)


@_model()
def _evaluate(work: Work, split: str = "test") -> Cost:
    patches = work.patches(split)
    seconds = TORCH_SECONDS + WINDOW_SECONDS * patches
    return Cost(TORCH_MB + 0.05 * 128, seconds, disk_mb=patches * ROW_BYTES / MB)


@_model(THREADS)
def _name_new_brains(work: Work) -> Cost:
    count = work.config.evaluation.new_brains
    core = count * (2e-6 * work.slice_px + WINDOW_SECONDS * work.patches("test"))
    return Cost(1500 + 150 * work.slice_px / MB, TORCH_SECONDS + 40, core, 1)


@_model(THREADS)
def _find_lesions(work: Work) -> Cost:
    # rendered twice, and represented on a grid of 16 pixels
    core = 2 * (2e-6 + EXTRACT_SECONDS[16] / 256) * work.slice_px
    return Cost(1500 + 150 * work.slice_px / MB, TORCH_SECONDS + 10, core, 1)


def _embedded(patches: int, network: str) -> Cost:
    units = UNITS if network in NETWORKS or is_repeat(network) else BORROWED_UNITS
    disk = patches * (units * 4 + ROW_BYTES) / MB
    memory = TORCH_MB + 100 + patches * units * 16 / MB
    seconds = {"texture": TEXTURE_SECONDS}.get(network, WINDOW_SECONDS)
    if units == BORROWED_UNITS:
        seconds, memory = BORROWED_SECONDS, memory + BORROWED_MB
    return Cost(memory, TORCH_SECONDS + seconds * patches, disk_mb=disk)


@_model()
def _embed(work: Work, network: str = "texture", split: str = "train") -> Cost:
    return _embedded(work.patches(split), network)


@_model()
def _embed_noise(work: Work, network: str = "texture") -> Cost:
    return _embedded(work.noisy_patches, network)


@_model()
def _embed_degraded(work: Work, network: str = "texture") -> Cost:
    each = min(work.config.readout.degradation_patches, work.config.sampling.eval_patches)
    return _embedded(len(CHANGES) * work.areas * each, network)


@_model(THREADS)
def _plan(_work: Work) -> Cost:
    return Cost(TORCH_MB, TORCH_SECONDS)


@_model(THREADS, gpu=True)
def _extract(work: Work, z: int | None = None) -> Cost:
    keys, pixels = work.config.extraction, work.pixels(z)
    storage = {"float32": 4, "float16": 2}[keys.storage]
    core = EXTRACT_SECONDS[keys.stride] * pixels * (0.5 if keys.precision == "bfloat16" else 1)
    disk = cube_mb(pixels, storage) + work.slice_px / MB
    return Cost(keys.memory_mb + 200, TORCH_SECONDS, core, disk)


@_model()
def _prove(work: Work, z: int | None = None) -> Cost:
    seconds = PROOF_SECONDS * work.config.extraction.proof_windows + 2e-6 * work.pixels(z)
    return Cost(TORCH_MB + 480 + 4 * _band_mb(work), TORCH_SECONDS + seconds, disk_mb=1)


def _band_mb(work: Work) -> float:
    """Return the size of a band of chunks, in which a cube is read: with copies, four or five."""
    columns = math.ceil(work.config.volume.stored_shape[2] / work.config.extraction.stride)
    return cube_mb(128 * columns, 4)


@_model()
def _fit_novelty(work: Work) -> Cost:
    patches = work.patches("train")
    memory = TORCH_MB + 50 + 4 * patches * UNITS * 8 / MB
    return Cost(memory, TORCH_SECONDS + 1 + 1e-5 * patches, disk_mb=1)


@_model()
def _predict(work: Work, z: int | None = None) -> Cost:
    pixels = work.pixels(z)
    memory = TORCH_MB + 90 * work.slice_px / MB + 150 * pixels / MB
    outside = OUTSIDE_BYTES * bool(work.config.training.outside)
    disk = (PREDICTION_BYTES + outside) * work.slice_px / MB
    return Cost(memory, TORCH_SECONDS + 5e-6 * pixels + 0.3e-6 * work.slice_px, disk_mb=disk)


def _readout(work: Work, seconds: float, patches: int) -> Cost:
    """Return the cost of a stage on the representations of all compared networks."""
    networks = len(work.config.readout.networks)
    memory = PLAIN_MB + 50 + networks * patches * UNITS * 16 / MB
    return Cost(memory, PLAIN_SECONDS + networks * seconds, disk_mb=1)


@_model()
def _classify(work: Work) -> Cost:
    patches = work.patches("train") + work.patches("test") + work.noisy_patches
    return _readout(work, 0.3e-3 * patches, patches)


@_model()
def _compare_assignments(work: Work) -> Cost:
    patches, runs = work.patches("train") + work.patches("test"), 1
    if work.config.splits.by == "blocks":
        runs = work.config.splits.assignments
    cost = _readout(work, runs * 0.3e-3 * patches, patches)
    embedded = [_embedded(runs * patches, name) for name in work.config.readout.networks]
    seconds = cost.alone + sum(each.alone for each in embedded)
    return Cost(cost.memory_mb + max(each.memory_mb for each in embedded), seconds, disk_mb=1)


@_model()
def _probe_labels(work: Work) -> Cost:
    patches, draws = work.patches("train"), work.config.readout.label_draws
    return _readout(work, 1e-4 * patches * (1 + draws), patches + work.patches("test"))


@_model()
def _score_degraded(work: Work) -> Cost:
    patches = len(CHANGES) * work.areas * work.config.readout.degradation_patches
    return _readout(work, 0.3e-3 * (patches + work.patches("train")), patches)


@_model()
def _cluster_score(work: Work) -> Cost:
    patches = work.patches("train") + work.patches("test")
    return _readout(work, 1 + 2e-3 * patches, patches)


@_model()
def _gram(work: Work) -> Cost:
    patches = work.areas * min(work.config.readout.gram_patches, work.config.sampling.eval_patches)
    networks = len(work.config.readout.networks)
    cost = _readout(work, 0.1e-6 * patches**2, patches)
    memory = cost.memory_mb + 3 * patches**2 * 8 / MB
    return Cost(memory, cost.alone, disk_mb=1 + networks * GRAM_ROWS**2 * 8 / MB)


@_model()
def _pca(work: Work) -> Cost:
    return _readout(work, 0.2, work.patches("test"))


@_model()
def _relations(work: Work) -> Cost:
    patches = work.patches("train") + work.patches("test")
    return _readout(work, 0.1e-3 * patches, patches)


@_model(THREADS)
def _factorize(work: Work) -> Cost:
    keys = work.config.factorization
    pixels = sum(work.pixels(z) for z in keys.slices) if keys.slices else work.pixels()
    # what is held of X, at most as much as the solver holds, with a copy, and the coefficients
    held = min(pixels * UNITS * 4, HELD_BYTES)
    memory = PLAIN_MB + 220 + (2 * held + 12 * keys.factors * pixels) / MB
    core = 0.008e-6 * pixels * keys.factors * keys.max_iterations
    return Cost(memory, PLAIN_SECONDS + 8, core, coefficients_mb(pixels, keys.factors))


@_model()
def _sweep_ranks(work: Work) -> Cost:
    keys, pixels = work.config.factorization, work.pixels()
    numbers = keys.sweep or []
    # a sample of fixed size: each number is fitted once a start, and six times on parts of it
    seconds = 0.5 * sum(numbers) * (keys.starts + 6) / 9 + 1e-6 * pixels
    return Cost(PLAIN_MB + 220, PLAIN_SECONDS + 4 + seconds, disk_mb=1)


@_model(THREADS)
def _project(work: Work, z: int | None = None) -> Cost:
    pixels, factors = work.pixels(z), work.config.factorization.factors
    core = 0.8e-6 * pixels * factors
    memory = PLAIN_MB + 100 + 4.5 * _band_mb(work)
    return Cost(memory, PLAIN_SECONDS + 4, core, coefficients_mb(pixels, factors))


def _on_maps(work: Work, seconds: float = 0.0) -> Cost:
    """Return the cost of a stage on the coefficient maps of a slice."""
    pixels, factors = work.pixels(), work.config.factorization.factors
    memory = PLAIN_MB + 80 + 6 * factors * pixels / MB + 30 * work.slice_px / MB
    return Cost(memory, PLAIN_SECONDS + 1e-7 * pixels * factors + seconds, disk_mb=2)


@_model()
def _select_areas(work: Work) -> Cost:
    return _on_maps(work)


@_model()
def _select_layers(work: Work) -> Cost:
    return _on_maps(work)


@_model()
def _measure_selection(work: Work) -> Cost:
    cost = _on_maps(work, 5 + 5e-6 * work.pixels())
    return Cost(cost.memory_mb + 80, cost.alone, disk_mb=cost.disk_mb)


@_model()
def _explain_factors(work: Work) -> Cost:
    # a slice in float32, its filtered copies and Hessian
    cost = _on_maps(work, 4e-6 * work.slice_px)
    return Cost(cost.memory_mb + 100 * work.slice_px / MB, cost.alone, disk_mb=2)


@_model()
def _compare_networks(work: Work) -> Cost:
    # two networks' maps; each factor is replaced by random fields
    networks = len(work.config.extraction.networks)
    cost = _on_maps(work, 2e-6 * work.slice_px + 10 * networks)
    return Cost(cost.memory_mb + 100, cost.alone, disk_mb=1)


@_model()
def _align(work: Work) -> Cost:
    keys = work.config.selection
    factors = keys.area_count + keys.layer_count * (work.config.layers is not None)
    fields = work.config.statistics.nulls * factors * len(work.extracted)
    cost = _on_maps(work, FIELD_SECONDS * fields)
    # the fields' covariances
    return replace(cost, memory_mb=cost.memory_mb + 120)


@_model()
def _baselines(work: Work) -> Cost:
    labelled = work.config.annotations.slices
    pixels = sum(work.pixels(z) for z in work.extracted if z in labelled)
    # the labelled pixels 4 apart with all their units, sorted unit by unit; a slice in float32
    memory = TORCH_MB + 200 + (60 * UNITS * pixels / 16 + 60 * work.slice_px) / MB
    return Cost(memory, TORCH_SECONDS + 5 + 12e-6 * pixels, disk_mb=1)


@_model()
def _find_planted(work: Work) -> Cost:
    # one coefficient map at a time, and a slice of the truth in float32
    pixels, factors = work.slice_px, work.config.factorization.factors
    memory = PLAIN_MB + 100 + (40 + factors / 16) * pixels / MB
    # one factor each: barrels in one place, three things in two, on slices that were not fitted
    fields = 7 * work.config.statistics.nulls * len(work.extracted)
    seconds = PLAIN_SECONDS + 10 + FIELD_SECONDS * fields + 1e-6 * pixels
    return Cost(memory, seconds, disk_mb=1)


@_model()
def _depth(work: Work) -> Cost:
    pixels = work.slice_px
    return Cost(PLAIN_MB + 60 * pixels / MB, 3 + 1e-6 * pixels, disk_mb=4 * pixels / MB)


@_model()
def _cluster_area(work: Work, z: int | None = None) -> Cost:
    memory = PLAIN_MB + 2 * cube_mb(work.pixels(z), 4) + 40 * work.slice_px / MB
    return Cost(memory, PLAIN_SECONDS + 3e-6 * work.pixels(z), disk_mb=3 * work.slice_px / MB)


@_model()
def _find_components(work: Work, z: int | None = None) -> Cost:
    pixels, factors = work.pixels(z), work.config.factorization.factors
    memory = PLAIN_MB + 24 * factors * pixels / MB + 40 * work.slice_px / MB
    return Cost(memory, PLAIN_SECONDS + 5e-6 * pixels, disk_mb=3 * work.slice_px / MB)


@_model()
def _sweep_components(work: Work) -> Cost:
    cost = _find_components(work)
    section = work.config.discovery
    # three mixtures of five starts for each number, on a sample of fixed size
    numbers = (section.sweep if section else None) or []
    return Cost(cost.memory_mb, cost.alone + sum(numbers), disk_mb=1)


@_model()
def _compare_layers(work: Work) -> Cost:
    pixels, nulls = work.slice_px, work.config.statistics.nulls
    seconds = PLAIN_SECONDS + 3e-9 * pixels * nulls
    return Cost(PLAIN_MB + 80 * pixels / MB, seconds, disk_mb=1)


@_model()
def _match_components(work: Work) -> Cost:
    return Cost(PLAIN_MB + 60 * work.slice_px / MB, PLAIN_SECONDS + 3, disk_mb=1)


@_model()
def _profile(work: Work) -> Cost:
    pixels = work.slice_px
    return Cost(PLAIN_MB + 60 * pixels / MB, PLAIN_SECONDS + 1e-6 * pixels, disk_mb=1)


@_model()
def _preview(work: Work) -> Cost:
    pixels = work.slice_px
    return Cost(PLAIN_MB + 60 + 45 * pixels / MB, PLAIN_SECONDS + 2 + 1e-6 * pixels, disk_mb=10)


@_model()
def _draw_maps(work: Work) -> Cost:
    pixels = work.slice_px
    return Cost(PLAIN_MB + 60 + 60 * pixels / MB, PLAIN_SECONDS + 3 + 1e-6 * pixels, disk_mb=15)


@_model()
def _figure(work: Work, name: str = "") -> Cost:
    if name in TABLE_FIGURES:
        return Cost(PLAIN_MB + 50, PLAIN_SECONDS + 3, disk_mb=6)
    pixels = work.slice_px
    memory = PLAIN_MB + 150 + (45 + 6 * work.config.factorization.factors) * pixels / MB
    if name in ("", OVERVIEW):
        memory = max(memory, TORCH_MB + 100)
    return Cost(memory, PLAIN_SECONDS + 3 + 1e-6 * pixels, disk_mb=6)


@_model()
def _report(_work: Work) -> Cost:
    return Cost(PLAIN_MB + 350, PLAIN_SECONDS + 12, disk_mb=30)


@_model()
def _nonsense(work: Work) -> Cost:
    return _labels(work, len(work.config.annotations.slices))


@_model()
def _explore(work: Work) -> Cost:
    slices = len(work.extracted)
    return _page(work, slices if slices <= SLICES_A_PAGE else 0)


@_model()
def _explore_slice(work: Work) -> Cost:
    return _page(work, 1)


def _page(work: Work, slices: int) -> Cost:
    """Return the cost of a page to explore so many slices, or of an index."""
    pixels = slices * work.slice_px
    return Cost(900 + 100 * pixels / MB, PLAIN_SECONDS + 10 + 5e-6 * pixels, disk_mb=60)


@_model()
def _export(work: Work) -> Cost:
    pixels = work.slice_px
    return Cost(PLAIN_MB + 150 * pixels / MB, PLAIN_SECONDS + 10e-6 * pixels, disk_mb=60)
