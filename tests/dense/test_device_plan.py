"""Plans that are timed on a device, here a stand-in for one."""

import math

import numpy as np
import pytest
import torch
from extraction_case import run, source_of

from brainarch.dense import device_plan, stages
from brainarch.dense.device_plan import GROUPS_MB, plan_on_device, search, seconds_a_pixel
from brainarch.dense.plan import chunk_side, empty_plan, read_plan, write_plan
from brainarch.dense.schedule import STRIDES, derive_schedule
from brainarch.errors import InputError

SHAPE = (1420, 5805)


class Device:
    """Takes so long a pixel as a table says, and notes what was tried."""

    def __init__(self, us, group=64.0):
        self.us, self.group, self.tried = us, group, []

    def __call__(self, plan):
        self.tried.append((plan.tile, plan.group_mb))
        slower = 1.0 if plan.group_mb == self.group else 1.5
        return 1e-6 * slower * self.us(plan.tile)


def empty(stride=1, shape=SHAPE):
    return empty_plan("network", 133, shape, stride, "float32", None)


def test_it_goes_to_the_fastest_tile_and_group():
    best = (256, 512)
    device = Device(
        lambda tile: 0.2 + sum(abs(math.log2(a / b)) for a, b in zip(tile, best, strict=True))
    )
    plan = search(empty(), device)
    assert plan.tile == best
    assert plan.group_mb == 64
    assert plan.algorithm == "direct"
    assert plan.block is None
    assert plan.expected_us == pytest.approx(0.2)
    assert plan.expected_seconds == pytest.approx(0.2e-6 * math.prod(SHAPE), rel=0.01)
    assert len(device.tried) == len(set(device.tried)), "nothing is timed twice"


def test_a_cliff_is_not_stepped_over():
    """As seen on a card: 0.25 us at 256 x 256, 8 us at 768 x 1024; and no room beyond."""

    def us(tile):
        pixels = math.prod(tile)
        return 0.25 if pixels <= 256**2 else 8.0 if pixels <= 768 * 1024 else math.inf

    plan = search(empty(), Device(us, group=GROUPS_MB[0]))
    assert math.prod(plan.tile) <= 256**2
    assert plan.expected_us == pytest.approx(0.25)


def test_it_stops_in_time():
    device = Device(lambda tile: 1.0)
    plan = search(empty(), device, seconds=0)
    assert len(device.tried) == 1
    assert plan.tile == (256, 256)


@pytest.mark.parametrize("stride", STRIDES)
@pytest.mark.parametrize("shape", [SHAPE, (90, 300)])
def test_tiles_are_whole_chunks_of_the_grid_at_every_stride(stride, shape):
    plan = search(empty(stride, shape), Device(lambda tile: 1 / math.prod(tile)))
    side = chunk_side(stride)
    assert all(length % side == 0 for length in plan.tile)
    grid = len(plan.y), len(plan.x)
    assert all(length < size + side for length, size in zip(plan.tile, grid, strict=True))


def test_grouping_is_part_of_the_plan_s_identity_only_where_there_is_one(tmp_path):
    plan = search(empty(), Device(lambda tile: 1.0))
    assert plan.identity["group_mb"] == plan.group_mb
    assert "group_mb" not in empty().identity
    write_plan(plan, tmp_path / "plan.json")
    assert read_plan(tmp_path / "plan.json") == plan


def test_a_device_without_room_says_so(narrow, monkeypatch):
    plan = search(empty(8, (60, 70)), Device(lambda tile: 1.0))
    schedule = derive_schedule(narrow.network.trunk)
    assert 0 < seconds_a_pixel(schedule, plan, torch.device("cpu")) < 1

    def full(self, padded, needed=None):
        raise torch.OutOfMemoryError

    monkeypatch.setattr(device_plan.DenseEngine, "tile", full)
    assert seconds_a_pixel(schedule, plan, torch.device("cpu")) == math.inf


def test_the_groups_of_a_plan_change_the_values_no_more_than_rounding(narrow, tmp_path):
    source = source_of((60, 70), share=0.2)
    cubes = []
    for group in (0.01, 100.0):
        plan = plan_on_device(narrow.network.trunk, (60, 70), 1, torch.device("cpu"))
        plan = plan.model_copy(update={"group_mb": group})
        folder = tmp_path / str(group)
        cubes.append(run(narrow, folder, None, 1, None, source=source, plan=plan).read()[2])
    assert np.abs(cubes[0] - cubes[1]).max() <= 1e-5 * np.abs(cubes[1]).max()


def test_the_verb_asks_the_device(narrow, monkeypatch, tmp_path):
    """A GPU is named; the stand-in for it is the processor."""
    asked = []
    real = plan_on_device

    def on_cpu(trunk, shape, stride, device, **options):
        asked.append(device)
        return real(trunk, shape, stride, torch.device("cpu"), **options)

    class Stack:
        shape = (3, 60, 70)

    monkeypatch.setattr(stages, "plan_on_device", on_cpu)
    monkeypatch.setattr(stages, "pick_devices", lambda name: [torch.device("cuda", 0)])
    monkeypatch.setattr(stages, "load_network", lambda path: narrow)
    monkeypatch.setattr(stages, "open_volume", lambda path: Stack)
    question = {"stride": 2, "precision": "float32", "memory_mb": 1, "rows": [10, 50]}
    stages.plan_extraction(
        network=tmp_path, volume=tmp_path, plan=tmp_path / "plan.json", **question
    )
    plan = read_plan(tmp_path / "plan.json")
    assert asked == [torch.device("cuda", 0)]
    assert (plan.algorithm, plan.rows, plan.stride) == ("direct", (10, 50), 2)
    with pytest.raises(InputError, match="precision half"):
        stages.plan_extraction(
            network=tmp_path, volume=tmp_path, plan=tmp_path / "x.json",
            **{**question, "precision": "half"},
        )  # fmt: skip


@pytest.mark.gpu
@pytest.mark.parametrize("stride", STRIDES)
def test_on_a_gpu_the_plan_is_exact_and_no_slower_than_its_neighbours(narrow, tmp_path, stride):
    source = source_of((300, 700), share=0.5)
    plan = plan_on_device(narrow.network.trunk, (300, 700), stride, torch.device("cuda", 0))
    assert plan.algorithm == "direct"
    cube = run(narrow, tmp_path, None, stride, None, source=source, plan=plan)
    assert cube.attrs["identity"]["device"] == "cuda"
    assert cube.attrs["measured_error"]["relative_max"] <= 1e-5
