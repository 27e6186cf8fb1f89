"""One extraction with narrow tiles, for tests that interrupt and repeat it."""

import numpy as np
from dense_fakes import textured_slice

from brainarch.dense.compute import Recipe, open_tiles
from brainarch.dense.cube import Cube
from brainarch.dense.extract import Source, extract
from brainarch.dense.plan import make_plan
from brainarch.dense.schedule import derive_schedule

#: A slice of 2 x 9 tiles at stride 1, some pixels wanted in each.
CASE = {"shape": (150, 1100), "stride": 1, "share": 0.5}


def source_of(shape, share=1.0, z=4, seed=0, dtype=np.uint8):
    grey = textured_slice(*shape, seed=seed, dtype=dtype)
    wanted = np.random.default_rng(seed + 1).random(shape) < share
    return Source(grey, z=z, voxel_um=1.17, where="labelled", wanted=wanted)


def plan_of(checkpoint, shape, stride, *, rows=None, tile=None, block=None):
    """Return the fixed plan, or one with given tiles and block (None: direct)."""
    schedule = derive_schedule(checkpoint.network.trunk)
    plan = make_plan(schedule, shape, stride, rows=rows, threads=2)
    if tile is None:
        return plan
    algorithm = "direct" if block is None else "spectral"
    change = {"tile": tile, "block": block, "algorithm": algorithm, "workers": 2}
    return plan.model_copy(update=change)


def run(checkpoint, folder, shape, stride, share, **options):
    """Extract into ``folder / "cube.zarr"`` and return the cube."""
    source = options.pop("source", None) or source_of(shape, share)
    plan = options.pop("plan", None) or plan_of(checkpoint, shape, stride, tile=(128, 128))
    recipe = Recipe(checkpoint.network.trunk, checkpoint.normalisation, plan)
    who = {"threads": options.pop("threads", 2), "scheduler": options.pop("scheduler", None)}
    arguments = {
        "checkpoint_digest": "0" * 64,
        "storage": "float32",
        "partial": folder / "partial",
        "output": folder / "cube.zarr",
        **options,
    }
    with open_tiles(recipe, **who) as tiles:
        extract(source, checkpoint, tiles, **arguments)
    return Cube.open(arguments["output"])
