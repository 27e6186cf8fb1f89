"""One conversion in a process of its own, by the tool whose environment runs this file.

Needs no brainarch. Only what a case is about is imported, so that its memory is its own.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any


def main() -> None:
    """Run the case named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("case", choices=sorted(CASES))
    parser.add_argument("question", help="JSON: stack, output, chunk, shard, levels, ...")
    options = parser.parse_args()
    CASES[options.case](json.loads(options.question))


def versions(question: dict[str, Any]) -> None:
    """Print the versions of packages as JSON."""
    print(json.dumps({name: version(name) for name in question["packages"]}))


def copy(question: dict[str, Any]) -> None:
    """Copy every file, each flushed to the disk."""
    output = Path(question["output"])
    output.mkdir(parents=True)
    for path in sorted(Path(question["stack"]).iterdir()):
        with path.open("rb") as source, (output / path.name).open("wb") as target:
            shutil.copyfileobj(source, target, 1 << 22)
            target.flush()
            os.fsync(target.fileno())


def stack_to_chunk(question: dict[str, Any]) -> None:
    """Convert with stack-to-chunk: one process a slab as deep as a chunk, levels from disk."""
    import dask.array
    import tifffile
    from dask import delayed
    from pydantic_zarr.v3 import ArraySpec, NamedConfig
    from stack_to_chunk import MultiScaleGroup

    files = sorted(Path(question["stack"]).iterdir())
    first = tifffile.imread(files[0])
    read = delayed(tifffile.imread)
    slices = [dask.array.from_delayed(read(f), first.shape, first.dtype) for f in files]
    # Its slices lie along the last axis.
    stack = dask.array.stack(slices, axis=-1)
    depth, high, wide = question["chunk"]
    zstd = {"level": question["zstd_level"], "checksum": True}
    spec = ArraySpec(
        attributes={},
        shape=stack.shape,
        data_type=str(stack.dtype),
        chunk_grid=NamedConfig(name="regular", configuration={"chunk_shape": (high, wide, depth)}),
        chunk_key_encoding=NamedConfig(name="default", configuration={"separator": "/"}),
        fill_value=0,
        codecs=(
            NamedConfig(name="bytes", configuration={}),
            NamedConfig(name="zstd", configuration=zstd),
        ),
        dimension_names=("y", "x", "z"),
    )
    side = question["voxel_um"]
    group = MultiScaleGroup(
        Path(question["output"]),
        name="volume",
        spatial_unit="micrometer",
        voxel_size=(side, side, side),
        array_spec=spec,
    )
    group.add_full_res_data(stack, n_processes=question["threads"])
    for level in range(1, question["levels"]):
        group.add_downsample_level(level, n_processes=question["threads"])


def ome_zarr(question: dict[str, Any]) -> None:
    """Convert with dask-image and ome-zarr: one graph of dask for all levels."""
    import dask
    import zarr
    from dask_image.imread import imread
    from ome_zarr.scale import Methods
    from ome_zarr.writer import write_image
    from zarr.codecs import ZstdCodec

    stack = imread(f"{question['stack']}/*.tif")
    codec = ZstdCodec(level=question["zstd_level"], checksum=True)
    storage: dict[str, Any] = {"chunks": tuple(question["chunk"]), "compressors": [codec]}
    if question["sharded"]:
        storage["shards"] = tuple(question["shard"])
    axes = [{"name": name, "type": "space", "unit": "micrometer"} for name in "zyx"]
    factors = [dict.fromkeys("zyx", 2**level) for level in range(1, question["levels"])]
    with dask.config.set(scheduler="threads", num_workers=question["threads"]):
        write_image(
            stack,
            zarr.open_group(question["output"], mode="w", zarr_format=3),
            scale_factors=factors,
            method=Methods.LOCAL_MEAN,
            axes=axes,
            storage_options=storage,
        )


CASES = {
    "copy": copy,
    "ome-zarr": ome_zarr,
    "stack-to-chunk": stack_to_chunk,
    "versions": versions,
}

if __name__ == "__main__":
    main()
