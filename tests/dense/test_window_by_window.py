import copy

import numpy as np
import pytest
import torch
from dense_fakes import AREAS, UNITS, brute_force, narrow_network, trained_of
from extraction_case import MEMORY_MB, run, source_of
from torch import nn

from brainarch.dense.plan import plan_trunk
from brainarch.dense.prove import prove
from brainarch.dense.windows import WindowEngine, describe, window_cost
from brainarch.errors import InputError

SHAPE = (40, 60)


class PaddedNetwork(nn.Module):
    """Padding inside and pooling over the whole map: nothing that windows could share."""

    def __init__(self):
        super().__init__()
        self.n_areas = len(AREAS)
        self.trunk = nn.Sequential(
            nn.Conv2d(1, 3, 5, stride=4, padding=2),
            nn.BatchNorm2d(3),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(4),
            nn.Flatten(),
            nn.Linear(48, UNITS),
            nn.ReLU(),
        )
        self.head = nn.Linear(UNITS, len(AREAS))


@pytest.fixture(scope="module")
def padded():
    torch.manual_seed(5)
    network = PaddedNetwork().eval()
    # Statistics that differ between channels, so that they count.
    network.trunk[1].running_mean.uniform_(-1, 1)
    network.trunk[5].bias.data.uniform_(0, 0.3)
    return trained_of(network)


def plan_windows(trained, **options):
    asked = {"memory_mb": MEMORY_MB, "algorithm": "windows", **options}
    return plan_trunk(trained.network.trunk, SHAPE, 2, **asked)


def test_the_planner_refuses_with_the_reason_and_a_way_out(padded):
    with pytest.raises(InputError, match=r"pads its input.*algorithm windows") as caught:
        plan_trunk(padded.network.trunk, SHAPE, 2, memory_mb=MEMORY_MB)
    assert "\n" not in str(caught.value)


def test_a_network_that_shares_nothing_is_run_window_by_window(padded, tmp_path):
    source = source_of(SHAPE, share=0.3)
    plan = plan_windows(padded)
    assert plan.algorithm == "windows"
    cube = run(padded, tmp_path, SHAPE, 2, None, source=source, plan=plan)
    iy, ix, X = cube.read()
    assert len(iy) == source.wanted[::2, ::2].sum()
    alone = brute_force(source.grey, padded, cube.y[iy], cube.x[ix])
    assert (alone > 0).any()
    assert np.abs(X - alone).max() <= 1e-5 * np.abs(alone).max()
    assert prove(cube, source.grey, padded, 30, seed=0)["exact"]


def test_windows_and_sharing_agree_where_both_are_possible(narrow, tmp_path):
    source = source_of(SHAPE, share=0.1)
    cubes = [
        run(narrow, tmp_path / name, SHAPE, 2, None, source=source,
            plan=plan_trunk(narrow.network.trunk, SHAPE, 2, memory_mb=MEMORY_MB, algorithm=name))
        for name in ("windows", "direct", "spectral")
    ]  # fmt: skip
    assert [cube.attrs["plan"]["algorithm"] for cube in cubes] == ["windows", "direct", "spectral"]
    first = cubes[0].read()[2]
    for other in cubes[1:]:
        assert np.abs(other.read()[2] - first).max() <= 1e-5 * np.abs(first).max()


def test_only_needed_windows_are_run(narrow):
    seen = []
    trunk = copy.deepcopy(narrow.network.trunk)
    cpu = torch.device("cpu")
    engine = WindowEngine(trunk, 134, 2, torch.float32, cpu)
    engine._trunk.register_forward_hook(lambda _module, inputs, _output: seen.append(*inputs))
    needed = np.zeros((20, 3), dtype=bool)
    needed[2:, 1] = True
    found = engine.tile(torch.rand(134 + 38, 134 + 4), needed)
    assert sum(len(batch) for batch in seen) == needed.sum() == 18
    np.testing.assert_array_equal(found.isfinite().all(dim=2).numpy(), needed)


def test_bfloat16_windows_are_near(narrow):
    tile = torch.rand(134 + 4, 134 + 4)
    both = [
        WindowEngine(narrow.network.trunk, 134, 4, dtype, torch.device("cpu")).tile(tile)
        for dtype in (torch.float32, torch.bfloat16)
    ]
    assert both[1].dtype == torch.float32
    assert 1e-5 < (both[0] - both[1]).norm() / both[0].norm() < 5e-2


def test_costs_are_counted_from_one_window():
    trunk = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(2 * 64, 7))
    cost = window_cost(trunk, 10)
    assert cost.units == 7
    assert cost.multiplications == 2 * 64 * 9 + 2 * 64 * 7
    assert cost.values == 128
    assert not trunk[0]._forward_hooks


def test_what_takes_no_window_or_gives_no_vector_is_refused():
    with pytest.raises(InputError, match="takes no window of 10 pixels"):
        window_cost(nn.Sequential(nn.Flatten(), nn.Linear(5, 2)), 10)
    with pytest.raises(InputError, match="wanted one vector"):
        window_cost(nn.Sequential(nn.Conv2d(1, 2, 3)), 10)


def test_other_networks_have_other_descriptions(padded, narrow):
    names = {describe(trained.network.trunk) for trained in (padded, narrow)}
    assert len(names) == 2
    assert describe(narrow_network(3).trunk) in names


def test_a_budget_too_small_for_a_batch_is_refused(padded):
    with pytest.raises(InputError, match="memory of 300 MB: one batch of windows needs"):
        plan_windows(padded, memory_mb=300)
