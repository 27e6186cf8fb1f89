"""From a config to what is found, needed and had. The one place that knows which key is which."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

from brainarch.annotations.images import LabelFiles
from brainarch.config.model import AnnotationConfig, Config, LayersConfig
from brainarch.errors import InputError
from brainarch.geometry import PATCH
from brainarch.needs.estimate import Estimate, StageTotal, estimate
from brainarch.needs.machine import (
    file_system,
    free_disk_mb,
    look_at_machine,
    size_mb,
    writable,
)
from brainarch.needs.speed import measure_speed
from brainarch.needs.work import describe_work
from brainarch.pipeline.facts import Facts
from brainarch.pipeline.pipeline import Pipeline
from brainarch.pipeline.stage import flat
from brainarch.pipeline.stale import tell_stale
from brainarch.preflight.feasible import (
    check_blocks,
    check_greys,
    check_patches,
    check_tile,
    unused_codes,
)
from brainarch.preflight.inputs import SliceLabels, check_labels, check_volume, read_labels
from brainarch.preflight.network import check_network, unlike_training
from brainarch.preflight.report import Need, Preflight, Supply, supply_problems
from brainarch.remote.objects import ObjectStore
from brainarch.reporting.runtime import versions
from brainarch.volume.kinds import in_zarr, slice_file
from brainarch.volume.stack import describe

Codes = Mapping[str, Collection[int | str]]


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
    warnings: list[str] = []
    labelled: list[SliceLabels] = []
    if config.source == "phantom":
        found.append(("volume", "made by the run: the synthetic volume with its labels"))
    else:
        labelled = _check_inputs(config, found, problems, warnings)
    side = PATCH * config.volume.pixel_um
    found.append(("patch", f"{PATCH} x {PATCH} px, {side:.4g} x {side:.4g} um (papers: 150 x 150)"))
    if config.volume.resampling is not None:
        size = describe(config.volume.stored_shape, "voxels")
        how = f"from {config.volume.sides_um[2]:g} to {config.volume.pixel_um:g} um a pixel"
        found.append(("resampled", f"{how}: {size}"))
    if config.network is not None:
        found.append(("network", config.network))
        problems += check_network(config)
    elif not problems:  # what is asked of labels that are wrong would be said twice
        problems += check_patches(config, labelled)
    problems += check_tile(config)
    absent = Facts(config).absent
    warnings += [f"readout.networks: {name} is left out: {why}" for name, why in absent.items()]
    if config.network is None:
        warnings += [*check_blocks(config, labelled), *unused_codes(config, labelled)]
    machine = replace(look_at_machine(), speed=measure_speed())
    pipeline = Pipeline.of(config, str(results))
    work = describe_work(config, {labels.z: labels.labelled for labels in labelled})
    warnings += filter(None, [tell_stale(pipeline)])
    run = estimate(pipeline, work, machine)
    found_needs = [_with_results(total, run, folder, config) for total in run.stages]
    supply = Supply(folder, free_disk_mb(folder), machine, check_memory)
    if not writable(folder):
        problems.append(f"{folder}: cannot be written; change its permissions or work elsewhere")
    problems += supply_problems(found_needs, supply)
    return Preflight(
        title=f"{config.dataset}: {config.title}",
        versions=versions(),
        found=found,
        needs=found_needs,
        supply=supply,
        seconds=run.seconds([machine]),
        warnings=tuple(warnings),
        problems=tuple(problems),
    )


def _check_inputs(
    config: Config, found: list[tuple[str, str]], problems: list[str], warnings: list[str]
) -> list[SliceLabels]:
    """Check the files that are there already; return the label images of areas."""
    volume, download = config.volume, config.download
    assert volume.path is not None  # the config's own check
    shape = volume.shape
    address = Facts(config).address
    if address is not None:
        found.append(("volume", f"{address}: fetched by the run"))
        try:
            ObjectStore(address)
        except InputError as error:
            problems.append(str(error))
    elif download is not None and download.image is not None:
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
        if stack.greys:
            wide = volume.dtype != "uint8" and volume.window is None and not in_zarr(volume.path)
            line, mended = check_greys(stack.greys, narrows=wide)
            (problems if mended else warnings).extend([line] if line else [])
            warnings += unlike_training(config, stack.greys)
        # Labels are compared with the slices as they are, so that one mistake is one line.
        shape = stack.shape or volume.shape
    areas: list[SliceLabels] = []
    if config.network is not None:
        return areas
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


def _with_results(total: StageTotal, run: Estimate, folder: Path, config: Config) -> Need:
    """Return a stage's needs beside what its results, finished or not, take already."""
    stages = [job.stage for job in run.waits if job.name == total.stage]
    paths = {path for stage in stages for path in flat(stage.outputs)}
    paths |= {path for stage in stages for path in flat(stage.places) if "/.partial/" in path}
    there, disk = sum(size_mb(Path(path)) for path in paths), total.disk_mb
    if total.stage == "download_stack":
        place = Path(str(stages[0].places.get("image", config.volume.path)))
        there = size_mb(place)
        # elsewhere, the download looks after that disk itself
        disk = disk if file_system(place) == file_system(folder) else 0.0
    return Need(total.stage, total.jobs, disk, there, total.memory_mb, total.seconds)
