import copy

import numpy as np
import pytest
import torch
from dense_fakes import brute_force, real_network, trained_of
from extraction_case import MEMORY_MB, plan_of, run, source_of

from brainarch.dense.cube import Cube
from brainarch.dense.engine import DenseEngine
from brainarch.dense.extract import ERROR_WINDOWS
from brainarch.dense.plan import make_plan, plan_trunk
from brainarch.dense.precision import BOUNDS, arithmetic, factor_dtype, require_device
from brainarch.dense.prove import prove
from brainarch.dense.schedule import derive_schedule
from brainarch.errors import InputError

SHAPE = (90, 110)


@pytest.mark.parametrize("block", [None, (3, 2)])
def test_bfloat16_is_near_but_not_exact(block):
    trunk = real_network().trunk
    torch.manual_seed(0)
    tile = torch.randn(134 + 20, 134 + 12)
    found = DenseEngine(derive_schedule(trunk), 4, block, torch.bfloat16).tile(tile)
    assert found.dtype == torch.float32
    windows = tile.unfold(0, 134, 4).unfold(1, 134, 4)
    with torch.inference_mode():
        alone = copy.deepcopy(trunk).double()(windows.reshape(-1, 1, 134, 134).double())
    difference = found.reshape(-1, 64).double() - alone
    norm = (difference.norm() / alone.norm()).item()
    assert BOUNDS["float32"].norm < norm < BOUNDS["bfloat16"].norm
    assert (difference.abs().max() / alone.abs().max()).item() < BOUNDS["bfloat16"].max


@pytest.fixture(scope="module")
def rounded(tmp_path_factory):
    """Return a network, a slice and its bfloat16 cube."""
    trained, source = trained_of(real_network()), source_of(SHAPE, share=0.05)
    plan = make_plan(
        derive_schedule(trained.network.trunk), SHAPE, 2, memory_mb=MEMORY_MB, precision="bfloat16"
    )
    folder = tmp_path_factory.mktemp("rounded")
    return trained, source, run(trained, folder, SHAPE, 2, None, source=source, plan=plan)


def test_the_error_is_stated_beside_the_cube(rounded):
    trained, source, cube = rounded
    assert cube.attrs["precision"] == cube.attrs["identity"]["plan"]["precision"] == "bfloat16"
    stated = Cube.open(cube.path).attrs["measured_error"]
    iy, ix, X = cube.read()
    alone = brute_force(source.grey, trained, cube.y[iy], cube.x[ix])
    real = np.linalg.norm(X - alone) / np.linalg.norm(alone)
    assert stated["windows"] == ERROR_WINDOWS
    assert real / 3 < stated["relative_norm"] < 3 * real
    assert stated["relative_norm"] > BOUNDS["float32"].norm


def test_the_proof_passes_but_does_not_call_it_exact(rounded):
    trained, source, cube = rounded
    proof = prove(cube, source.grey, trained, 40, seed=0)
    assert proof["passed"]
    assert not proof["exact"]
    assert proof["precision"] == "bfloat16"
    assert proof["tolerance"]["norm"] == BOUNDS["bfloat16"].norm


def test_the_proof_still_finds_a_broken_cube(rounded, tmp_path):
    trained, source, cube = rounded
    attrs = {"precision": cube.attrs["precision"]}
    broken = Cube.create(tmp_path / "broken.zarr", cube.place, cube.units, attrs)
    block = cube.block(slice(None), slice(None))
    broken.write(0, 0, block[..., ::-1], cube.extracted)
    assert not prove(broken, source.grey, trained, 40, seed=0)["passed"]
    # Called float32, the honest cube is refused: the bound is the precision's.
    stored = Cube.open(cube.path, writable=True)
    stored.annotate({"precision": "float32"})
    try:
        assert not prove(Cube.open(cube.path), source.grey, trained, 40, seed=0)["passed"]
    finally:
        stored.annotate({"precision": "bfloat16"})


def test_exact_cubes_state_their_error_too(narrow, tmp_path):
    cube = run(narrow, tmp_path, SHAPE, 2, 0.1)
    assert cube.attrs["precision"] == "float32"
    assert cube.attrs["measured_error"]["relative_norm"] <= BOUNDS["float32"].norm


def test_precision_is_part_of_the_identity(narrow):
    plans = [
        plan_trunk(narrow.network.trunk, SHAPE, 1, memory_mb=MEMORY_MB, precision=precision)
        for precision in ("float32", "bfloat16", "tf32")
    ]
    assert len({str(plan.identity) for plan in plans}) == 3


def test_unknown_precisions_and_algorithms_are_refused(narrow):
    with pytest.raises(InputError, match="precision half: must be one of float32"):
        plan_trunk(narrow.network.trunk, SHAPE, 1, memory_mb=MEMORY_MB, precision="half")
    with pytest.raises(InputError, match="algorithm fast: must be one of auto"):
        plan_trunk(narrow.network.trunk, SHAPE, 1, memory_mb=MEMORY_MB, algorithm="fast")


def test_tf32_needs_a_gpu(narrow, tmp_path):
    cpu, gpu = torch.device("cpu"), torch.device("cuda", 0)
    for precision in BOUNDS:
        require_device(precision, gpu)
    with pytest.raises(InputError, match="precision tf32: only a GPU") as caught:
        require_device("tf32", cpu)
    assert "\n" not in str(caught.value)
    if not torch.cuda.is_available():
        plan = plan_of(narrow, SHAPE, 1).model_copy(update={"precision": "tf32"})
        with pytest.raises(InputError, match="precision tf32"):
            run(narrow, tmp_path, SHAPE, 1, 0.1, plan=plan)


def test_tf32_is_allowed_only_where_it_was_asked_for():
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    for precision in BOUNDS:
        with arithmetic(precision):
            assert torch.backends.cuda.matmul.allow_tf32 == (precision == "tf32")
            assert torch.backends.cudnn.allow_tf32 == (precision == "tf32")
    assert (torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32) == before
    assert factor_dtype("tf32") == torch.float32


def test_bfloat16_plans_need_less_memory_and_time(narrow):
    schedule = derive_schedule(real_network().trunk)
    plain, rounded = (
        make_plan(schedule, (1420, 5805), 1, precision=precision, memory_mb=1900)
        for precision in ("float32", "bfloat16")
    )
    assert rounded.expected_seconds < plain.expected_seconds
    same = {"tile": (384, 256), "block": (12, 16)}
    assert rounded.model_copy(update=same).identity != plain.model_copy(update=same).identity
