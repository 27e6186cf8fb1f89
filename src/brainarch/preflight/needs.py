"""How much disk and memory every stage needs at most: counted from sizes, nothing is opened.

Disk is counted as if nothing could be compressed, so a run that starts does not end for want of it.
Memory is what was measured on real runs and grows with the sizes; benchmarks of a finished run
(``results/<dataset>/benchmarks``) say what it really took.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from brainarch.errors import InputError
from brainarch.volume.convert import plan_conversion
from brainarch.volume.pixel_size import Resampling
from brainarch.volume.pyramid import Shape

MB = 1e6
#: Share that a file system and incompressible data take beyond the plain bytes (ours).
OVERHEAD = 1.02
#: Numbers that describe a pixel or a patch: units of the network, texture features.
UNITS = 64
#: Memory of the interpreter with its libraries in MB: without torch, and with it (measured).
PLAIN_MB = 250.0
TORCH_MB = 650.0
#: Weights of the network: 4.9 million, in float32.
NETWORK_MB = 20.0
#: Networks on disk while one is trained: two checkpoints with Adam's two moments each (measured).
TRAINING_COPIES = 7
#: Bytes of one row of a patch table or of a table of predictions (measured, rounded up).
ROW_BYTES = 120
#: Bytes a pixel of the maps of one slice: area and confidence; depth, clusters and components.
PREDICTION_BYTES = 6
DISCOVERY_BYTES = 10
#: Rows of a Gram matrix as drawn.
GRAM_ROWS = 600
#: Figures, tables and the report, in MB (measured, doubled).
REPORT_MB = 60.0
#: Bytes a pixel of a whole slice while labels are imported, and while figures are drawn (measured).
LABEL_BYTES = 40
FIGURE_BYTES = 80
#: Copies of the cube in memory while it is factorised (measured).
FACTORIZE_COPIES = 3.5


@dataclass(frozen=True)
class Work:
    """What a run is to do, as far as sizes go.

    Attributes
    ----------
    shape : tuple of int
        Slices, rows and columns of the volume as it is converted.
    resampling : Resampling or None
        How slices are resampled by the conversion.
    itemsize : int
        Bytes of a grey value.
    writes_source : bool
        Whether the run itself writes the TIFF stack (phantom).
    links : bool
        Whether the volume is used where it lies, without a copy.
    annotated : int
        Annotated slices, areas and layers counted apart.
    areas : int
        Number of areas.
    runs, assignments : int
        Networks trained; assignments of patches to splits.
    train_patches, eval_patches : int
        Patches per area in train, and in val and test each.
    networks, noise_sets, noise_patches : int
        Networks compared, noise variances, test patches per area of each.
    extracted : mapping of int to int
        Pixels to extract, by slice.
    storage_bytes : int
        Bytes of a unit on disk.
    factors : int
        Factors of the NMF.
    discovery : bool
        Whether an area is subdivided.
    convert_mb, extraction_mb : float
        Memory that conversion and extraction may use.
    convert_threads : int
        Threads of the conversion.
    """

    shape: Shape
    resampling: Resampling | None
    itemsize: int
    writes_source: bool
    links: bool
    annotated: int
    areas: int
    runs: int
    assignments: int
    train_patches: int
    eval_patches: int
    networks: int
    noise_sets: int
    noise_patches: int
    extracted: Mapping[int, int]
    storage_bytes: int
    factors: int
    discovery: bool
    convert_mb: float
    extraction_mb: float
    convert_threads: int


@dataclass(frozen=True)
class Need:
    """What one stage needs.

    Attributes
    ----------
    stage : str
        What people call it.
    disk_mb, memory_mb : float
        Most that it leaves on disk, and holds in memory.
    outputs : tuple of str
        Patterns, within the dataset's results, of what it leaves or works on.
    """

    stage: str
    disk_mb: float
    memory_mb: float
    outputs: tuple[str, ...]


def volume_mb(shape: Shape, itemsize: int) -> float:
    """Return the size of a volume's voxels in MB."""
    return math.prod(shape) * itemsize / MB


def pyramid_mb(shape: Shape, itemsize: int) -> float:
    """Return the size in MB of all levels above the first, at most a third of the volume.

    Each level halves rows and columns; slices only while there are many, so thin volumes have the
    largest pyramids: 1/4 + 1/16 + ... = 1/3.
    """
    z, y, x = shape
    total = 0
    while max(y, x) > 1:
        y, x = -(-y // 2), -(-x // 2)
        total += z * y * x
    return total * itemsize / MB


def cube_mb(pixels: int, storage_bytes: int) -> float:
    """Return the size in MB of the dense cube of so many pixels; 5.5 million in float32: 1,408."""
    return pixels * UNITS * storage_bytes / MB


def coefficients_mb(pixels: int, factors: int) -> float:
    """Return the size in MB of the coefficient maps of a slice of so many pixels."""
    return pixels * (4 * factors + 1) / MB


def needs(work: Work) -> tuple[Need, ...]:
    """Return what every stage needs, in the order in which they run."""
    slice_px = work.shape[1] * work.shape[2]
    label_mb = slice_px / MB
    cubes = sum(cube_mb(n, work.storage_bytes) for n in work.extracted.values())
    largest = max(work.extracted.values(), default=0)
    patches = work.areas * (work.train_patches + 2 * work.eval_patches)
    noisy = work.areas * work.noise_patches * work.noise_sets
    whole = len(work.extracted) * label_mb
    slice_memory = PLAIN_MB + FIGURE_BYTES * label_mb
    found = []
    if work.writes_source:
        stack = volume_mb(work.shape, work.itemsize) + work.shape[0] * 1e-3
        # images of areas and layers, and three of what was planted
        found.append(Need("source", stack + 5 * work.annotated * label_mb, 1800.0, ("source",)))
    found += [
        Need(
            "volume",
            0.0
            if work.links
            else volume_mb(work.shape, work.itemsize) + pyramid_mb(work.shape, work.itemsize),
            convert_mb(work),
            ("volume", ".partial/convert"),
        ),
        Need(
            "annotations",
            2 * work.annotated * label_mb,
            PLAIN_MB + LABEL_BYTES * label_mb,
            ("annotations",),
        ),
        Need(
            "patches",
            work.assignments * (patches * ROW_BYTES / MB + work.annotated * label_mb),
            PLAIN_MB + LABEL_BYTES * label_mb,
            ("patches",),
        ),
        Need(
            "training",
            NETWORK_MB * (work.runs + TRAINING_COPIES),
            TORCH_MB + 2 * work.annotated * label_mb * work.itemsize,
            ("networks", ".partial/train"),
        ),
        Need(
            "embedding",
            work.networks * (patches + noisy) * (UNITS * 4 + ROW_BYTES) / MB
            + work.runs * 2 * work.areas * work.eval_patches * ROW_BYTES / MB,
            TORCH_MB + patches * UNITS * 8 / MB,
            ("embedding", "evaluation"),
        ),
        Need("cubes", cubes + whole, work.extraction_mb, ("dense", ".partial/extract")),
        Need("prediction", PREDICTION_BYTES * whole, TORCH_MB + 60 * label_mb, ("prediction",)),
        Need(
            "factors",
            sum(coefficients_mb(n, work.factors) for n in work.extracted.values()),
            PLAIN_MB + largest * (FACTORIZE_COPIES * UNITS * 4 + 8 * work.factors) / MB,
            ("factors",),
        ),
        Need(
            "discovery",
            DISCOVERY_BYTES * whole if work.discovery else 0.0,
            PLAIN_MB + (2 * cube_mb(largest, 4) + 40 * label_mb) if work.discovery else 0.0,
            ("discovery",),
        ),
        Need(
            "figures, report",
            REPORT_MB + work.networks * GRAM_ROWS**2 * 8 / MB,
            slice_memory,
            ("figures", "report", "readout"),
        ),
    ]
    return tuple(
        Need(need.stage, OVERHEAD * need.disk_mb, need.memory_mb, need.outputs) for need in found
    )


def convert_mb(work: Work) -> float:
    """Return the memory in MB of conversion: what it plans with, or the least that it can do with.

    It is more than ``work.convert_mb`` only where even the thinnest slab does not fit that.
    """
    if work.links:
        return PLAIN_MB
    dtype = {1: "uint8", 2: "uint16"}[work.itemsize]
    shape, voxel_um, pixel_um = work.shape, 1.0, None
    if work.resampling is not None:
        shape = (work.shape[0], work.resampling.rows, work.resampling.columns)
        voxel_um, pixel_um = work.resampling.source_um, work.resampling.pixel_um
    plan = partial(
        plan_conversion, shape, dtype, voxel_um, threads=work.convert_threads, pixel_um=pixel_um
    )
    try:
        return plan(memory_mb=work.convert_mb).memory_mb
    except InputError:
        return plan(memory_mb=math.inf, slab=8).memory_mb
