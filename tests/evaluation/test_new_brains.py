"""New brains: one slice as the whole phantom has it, and recalls of a network that reads grey."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from brainarch.annotations.legend import make_legend, write_legend
from brainarch.evaluation.new_brains import BRAIN_COLUMNS, name_new_brains, recalls
from brainarch.network.architecture import AreaNetwork
from brainarch.network.grey import Normalisation
from brainarch.network.trained import TrainedNetwork, save_network
from brainarch.phantom.anatomy import ANNOTATED_AREAS, AREA_CODES
from brainarch.phantom.model import SMALLEST, PhantomSpec, render_blocks, render_slice
from brainarch.tables import read_table

AREAS = ("dark", "bright")


class Brighter(nn.Module):
    """A trunk whose first unit is the window's mean grey above a half, the second below."""

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        units = torch.zeros(len(windows), 64)
        units[:, 0] = windows.mean(dim=(1, 2, 3)) - 0.5
        return units


def reader_of_grey() -> TrainedNetwork:
    network = AreaNetwork(2)
    network.trunk = Brighter()  # type: ignore[assignment]
    with torch.no_grad():
        network.head.weight.zero_()
        network.head.bias.zero_()
        network.head.weight[1, 0], network.head.weight[0, 0] = 9.0, -9.0
    return TrainedNetwork(network.eval(), AREAS, Normalisation(0.0, 1.0), 1.17, "uint8", {})


def test_recalls_are_those_of_each_area() -> None:
    grey = np.zeros((300, 600), dtype=np.uint8)
    grey[:, 300:] = 255
    area = np.where(grey > 0, 2, 1)
    area[:10, :] = 0
    found = recalls(reader_of_grey(), grey, area, 40, 0).set_index("area")
    # windows of the dark half see nothing beyond its border but dark: all but the nearest are right
    assert found.loc["dark", "recall"] > 0.9
    assert found.loc["bright", "recall"] > 0.5
    assert found.loc["all", "recall"] == pytest.approx(found["recall"].drop("all").mean())
    assert found["patches"].to_dict() == {"all": 80, "dark": 40, "bright": 40}
    turned = recalls(reader_of_grey(), grey, np.where(area > 0, 3 - area, 0), 40, 0)
    assert turned.set_index("area").loc["all", "recall"] < 0.4


def test_one_slice_is_that_of_the_whole_phantom() -> None:
    spec = PhantomSpec((3, *SMALLEST[1:]), 4.0, 5)
    whole = next(block for block in render_blocks(spec, 1) if block.z_start == 1)
    alone = render_slice(spec, 1)
    assert np.array_equal(alone.grey, whole.grey)
    assert np.array_equal(alone.areas, whole.areas)


def test_the_table_has_every_brain_and_area(tmp_path) -> None:
    trained = TrainedNetwork(
        AreaNetwork(6).eval(), ANNOTATED_AREAS, Normalisation(0.4, 0.2), 1.17, "uint8", {}
    )
    save_network(trained, tmp_path / "n.safetensors")
    write_legend(make_legend(ANNOTATED_AREAS), tmp_path / "legend.csv")
    name_new_brains(
        network=tmp_path / "n.safetensors", legend=tmp_path / "legend.csv",
        brains=tmp_path / "brains.csv", shape=(1, *SMALLEST[1:]), voxel_um=4.0, z=0,
        codes={name: [AREA_CODES[name]] for name in ANNOTATED_AREAS}, count=2, patches_per_area=3,
        seed=4,
    )  # fmt: skip
    table = read_table(tmp_path / "brains.csv")
    assert list(table.columns) == list(BRAIN_COLUMNS)
    assert table["seed"].unique().tolist() == [5, 6]
    assert set(table["area"]) == {"all", *ANNOTATED_AREAS}
    assert table["recall"].between(0, 1).all()
