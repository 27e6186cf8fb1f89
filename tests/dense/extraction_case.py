"""One extraction with narrow tiles, for tests that interrupt and repeat it."""

import numpy as np
from dense_fakes import textured_slice

from brainarch.dense.cube import Cube
from brainarch.dense.extract import Source, extract
from brainarch.dense.plan import make_plan
from brainarch.dense.schedule import derive_schedule
from brainarch.dense.workers import Recipe, open_tiles

#: What plans may use.
MEMORY_MB = 1500
#: A slice of 2 x 9 tiles at stride 1, some pixels wanted in each.
CASE = {"shape": (150, 1100), "stride": 1, "share": 0.5}


def source_of(shape, share=1.0, z=4, seed=0, dtype=np.uint8):
    grey = textured_slice(*shape, seed=seed, dtype=dtype)
    wanted = np.random.default_rng(seed + 1).random(shape) < share
    return Source(grey, z=z, pixel_um=1.17, where="labelled", wanted=wanted)


def plan_of(trained, shape, stride, *, rows=None, tile=None, block=None):
    """Return the fixed plan, or one with given tiles and block (None: direct)."""
    schedule = derive_schedule(trained.network.trunk)
    plan = make_plan(schedule, shape, stride, memory_mb=MEMORY_MB, rows=rows, threads=2)
    if tile is None:
        return plan
    algorithm = "direct" if block is None else "spectral"
    change = {"tile": tile, "block": block, "algorithm": algorithm, "workers": 2}
    return plan.model_copy(update=change)


def run(trained, folder, shape, stride, share, **options):
    """Extract into ``folder / "cube.zarr"`` and return the cube."""
    source = options.pop("source", None) or source_of(shape, share)
    plan = options.pop("plan", None) or plan_of(trained, shape, stride, tile=(128, 128))
    recipe = Recipe(trained.network.trunk, trained.normalisation, plan)
    who = {"threads": options.pop("threads", 2), "scheduler": options.pop("scheduler", None)}
    arguments = {
        "storage": "float32",
        "partial": folder / "partial",
        "output": folder / "cube.zarr",
        **options,
    }
    with open_tiles(recipe, **who) as tiles:
        extract(source, trained, tiles, **arguments)
    return Cube.open(arguments["output"])
