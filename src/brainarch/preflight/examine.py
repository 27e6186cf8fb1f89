"""From a config to what is found, needed and had. The one place that knows which key is which."""

from __future__ import annotations

import math
import os
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np

from brainarch.annotations.images import LabelFiles
from brainarch.config.model import AnnotationConfig, Config, LayersConfig
from brainarch.geometry import PATCH
from brainarch.preflight.inputs import (
    SliceLabels,
    check_labels,
    check_volume,
    grid_pixels,
    read_labels,
)
from brainarch.preflight.machine import (
    file_system,
    free_disk_mb,
    look_at_machine,
    size_mb,
    writable,
)
from brainarch.preflight.needs import PLAIN_MB, Need, Work, convert_mb, needs, volume_mb
from brainarch.preflight.report import Preflight, Supply, supply_problems
from brainarch.reporting.runtime import versions
from brainarch.volume.kinds import in_zarr, slice_file
from brainarch.volume.resample import resample_labels
from brainarch.volume.stack import describe

Codes = Mapping[str, Collection[int]]

#: Memory and threads that the rule `convert` asks for.
CONVERT_MB = 2000.0
CONVERT_THREADS = 8


def examine(config: Config, results: Path, *, check_memory: bool = True) -> Preflight:
    """Check everything that can be checked before a run, and what it will need.

    Parameters
    ----------
    config : Config
    results : Path
        Folder in which each dataset has its own.
    check_memory : bool
        Whether the stages will run on this machine; no where a cluster runs them.
    """
    folder = results / config.dataset
    found: list[tuple[str, str]] = []
    problems: list[str] = []
    labelled: list[SliceLabels] = []
    if config.source == "phantom":
        found.append(("volume", "made by the run: the synthetic volume with its labels"))
    else:
        labelled = _check_inputs(config, found, problems)
    side = PATCH * config.volume.pixel_um
    found.append(("patch", f"{PATCH} x {PATCH} px, {side:.4g} x {side:.4g} um (papers: 150 x 150)"))
    if config.volume.resampling is not None:
        size = describe(config.volume.stored_shape, "voxels")
        how = f"from {config.volume.voxel_um:g} to {config.volume.pixel_um:g} um a pixel"
        found.append(("resampled", f"{how}: {size}"))
    work = describe_work(config, labelled)
    found_needs = (*_download_need(config, folder), *needs(work))
    supply = Supply(folder, free_disk_mb(folder), look_at_machine(), check_memory)
    if not writable(folder):
        problems.append(f"{folder}: cannot be written; change its permissions or work elsewhere")
    if convert_mb(work) > CONVERT_MB:
        problems.append(
            f"volume: conversion needs {math.ceil(convert_mb(work))} MB even for thin slabs, more "
            f"than the {CONVERT_MB:.0f} MB of its rule; give it more: "
            f"--set-resources convert:mem_mb={math.ceil(convert_mb(work))}"
        )
    problems += supply_problems(found_needs, supply)
    return Preflight(
        title=f"{config.dataset}: {config.title}",
        versions=versions(),
        found=found,
        needs=found_needs,
        supply=supply,
        problems=tuple(problems),
    )


def describe_work(config: Config, labelled: Collection[SliceLabels]) -> Work:
    """Return the sizes that decide what a run needs.

    Parameters
    ----------
    config : Config
    labelled : collection of SliceLabels
        Label images of areas that could be read; where a slice's are not at hand, all its pixels
        count as labelled.
    """
    splits, extraction = config.splits, config.extraction
    assignments = splits.assignments if splits.by == "blocks" else 1
    layers = config.layers.slices if config.layers is not None else []
    whole = np.ones(config.volume.stored_shape[1:], dtype=bool)
    resampling = config.volume.resampling
    known = {labels.z: labels.labelled for labels in labelled}
    if resampling is not None:
        fitting = {z: mask for z, mask in known.items() if mask.shape == config.volume.shape[1:]}
        known = {
            z: resample_labels(mask.astype(np.uint8), resampling) > 0 for z, mask in fitting.items()
        }
    extracted = {}
    for z in extraction.slices:
        mask = known.get(z, whole) if extraction.where == "labelled" else whole
        mask = mask if mask.shape == whole.shape else whole
        extracted[z] = grid_pixels(mask, extraction.stride, extraction.rows)
    return Work(
        shape=config.volume.stored_shape,
        resampling=resampling,
        itemsize=np.dtype(config.volume.dtype).itemsize,
        writes_source=config.source == "phantom",
        links=config.volume.path is not None and in_zarr(config.volume.path),
        annotated=len(config.annotations.slices) + len(layers),
        areas=len(config.areas),
        runs=assignments
        + int(config.training.permuted_control)
        + int(config.training.nonsense_control),
        assignments=assignments,
        train_patches=config.sampling.train_patches,
        eval_patches=config.sampling.eval_patches,
        networks=len(config.readout.networks),
        noise_sets=len(config.readout.noise_variances),
        noise_patches=min(config.readout.noise_patches, config.sampling.eval_patches),
        extracted=extracted,
        storage_bytes=np.dtype(extraction.storage).itemsize,
        factors=config.factorization.factors,
        discovery=config.discovery is not None,
        convert_mb=CONVERT_MB,
        extraction_mb=float(extraction.memory_mb),
        convert_threads=min(CONVERT_THREADS, os.cpu_count() or 1),
    )


def _check_inputs(
    config: Config, found: list[tuple[str, str]], problems: list[str]
) -> list[SliceLabels]:
    """Check the files that are there already; return the label images of areas."""
    volume, download = config.volume, config.download
    assert volume.path is not None  # the config's own check
    shape = volume.shape
    if download is not None and download.image is not None:
        there = len(list(Path(volume.path).glob("*.tif")))
        state = f"fetched by the run from {download.image}, {there} of {volume.shape[0]} there"
        found.append(("volume", f"{volume.path}: {state}"))
    else:
        stack = check_volume(
            volume.path,
            volume.shape,
            volume.dtype,
            volume.first_slice,
            voxel_um=volume.voxel_um,
            window=volume.window,
            nan=volume.nan,
            file_step=volume.file_step,
        )
        found.append(("volume", f"{volume.path}: {stack.text}"))
        problems += stack.problems
        # Labels are compared with the slices as they are, so that one mistake is one line.
        shape = stack.shape or volume.shape
    areas: list[SliceLabels] = []
    sections: list[tuple[str, str, AnnotationConfig | LayersConfig, Codes]] = [
        ("areas", "annotations", config.annotations, {a.name: a.codes for a in config.areas})
    ]
    if config.layers is not None:
        own = {layer.name: layer.codes for layer in config.layers.names}
        sections.append(("layers.names", "layers", config.layers, own))
    for key, section_key, section, codes in sections:
        assert section.path is not None  # the config's own check
        images = {z: Path(slice_file(section.path, z)) for z in section.slices}
        fetched = download.areas if download is not None and key == "areas" else None
        if fetched is not None and not all(path.exists() for path in images.values()):
            found.append((key, f"{section.path}: fetched by the run from {fetched}"))
            continue
        stated = section.first_slice is not None
        files = LabelFiles(shape, config.labels_start(section), stated, section.axes)
        labels, broken = read_labels(images, codes, section.ignore, files)
        found += [(key.partition(".")[0], slice_labels.text) for slice_labels in labels]
        splits = _split_slices(config) if key == "areas" else {}
        absent_from = None if broken else splits
        problems += broken + check_labels(labels, key, f"{section_key}.ignore", absent_from)
        areas += labels if key == "areas" else []
    return areas


def _split_slices(config: Config) -> dict[str, list[int]]:
    """Return the slices that need every area, by split."""
    splits = config.splits
    if splits.by == "blocks":
        return {"train, val and test": [splits.slice]}
    return {"train": splits.train, "val": splits.val, "test": splits.test}


def _download_need(config: Config, folder: Path) -> list[Need]:
    """Return the disk that fetched slices still need, if they go where the results go."""
    if config.download is None or config.download.image is None:
        return []
    place = Path(config.volume.path or "")
    if file_system(place) != file_system(folder):
        return []  # the download looks after that disk itself
    whole = volume_mb(config.volume.shape, np.dtype(config.volume.dtype).itemsize)
    return [Need("download", max(0.0, whole - size_mb(place)), PLAIN_MB, ())]
