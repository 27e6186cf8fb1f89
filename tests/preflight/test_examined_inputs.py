"""What the input files hold against what was declared."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from brainarch.annotations.images import LabelFiles
from brainarch.preflight.inputs import check_labels, check_volume, read_labels

CODES = {"A": [1], "B": [2, 5]}


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    for z in range(3):
        grey = np.full((20, 30), z, dtype=np.uint8)
        tifffile.imwrite(tmp_path / f"z{z + 7:04d}.tif", grey)
    return tmp_path


def write(folder: Path, name: str, image: np.ndarray) -> Path:
    path = folder / name
    tifffile.imwrite(path, image)
    return path


def labels(*codes: int) -> np.ndarray:
    """Return an image of 20 x 30 pixels, each code in as many columns as it has place for."""
    return np.tile(np.repeat(np.array(codes, dtype=np.uint8), 30 // len(codes)), (20, 1))


def test_a_stack_as_declared_has_no_problem(stack: Path) -> None:
    found = check_volume(str(stack), (3, 20, 30), "uint8", 7, voxel_um=1.17)
    assert found.problems == ()
    assert found.shape == (3, 20, 30)
    assert found.text == "3 x 20 x 30 uint8, slices 7 to 9 (z0007.tif to z0009.tif)"


@pytest.mark.parametrize(
    ("shape", "dtype", "first", "expected"),
    [
        ((3, 20, 31), "uint8", 7, "the data are 3 x 20 x 30 uint8, but 3 x 20 x 31"),
        ((3, 20, 30), "uint16", 7, "uint16 was declared"),
        ((3, 20, 30), "uint8", 0, "the file numbers begin at 7"),
        ((4, 20, 30), "uint8", 7, "but 4 x 20 x 30"),
    ],
)
def test_what_differs_from_the_declaration_is_one_line(
    stack: Path, shape: tuple[int, int, int], dtype: str, first: int, expected: str
) -> None:
    found = check_volume(str(stack), shape, dtype, first, voxel_um=1.17)
    assert len(found.problems) == 1
    assert expected in found.problems[0]
    assert "\n" not in found.problems[0]


def test_missing_stack_is_named(tmp_path: Path) -> None:
    found = check_volume(str(tmp_path / "nowhere"), (3, 20, 30), "uint8", 0, voxel_um=1.17)
    assert found.shape is None
    (line,) = found.problems
    assert line == f"{tmp_path / 'nowhere'}: no such file or folder; its folder is empty"


def test_codes_are_counted_by_area(tmp_path: Path) -> None:
    path = write(tmp_path, "l4.tif", labels(0, 1, 2, 5, 5, 9))
    found, broken = read_labels({4: path}, CODES, [0])
    assert broken == []
    assert found[0].counts == {"A": 100, "B": 300}
    assert found[0].ignored == {0: 100}
    assert found[0].unknown == {9: 100}
    assert found[0].labelled.sum() == 400
    assert found[0].text == (
        "slice 4: A 100 px; B 300 px; left out: code 0 (100 px); NOT IN THE LEGEND: code 9 (100 px)"
    )


def test_alike_problems_of_many_slices_are_one_line(tmp_path: Path) -> None:
    images = {z: tmp_path / f"gone {z}.tif" for z in range(10)}
    found, broken = read_labels(images, CODES, [0])
    assert found == []
    assert broken == [
        f"{tmp_path / 'gone 0.tif'}: no such file; its folder is empty "
        "(likewise slices 1, 2, 3, 4, 5, 6 and 3 more)"
    ]


def test_every_kind_of_problem_of_labels_is_one_line(tmp_path: Path) -> None:
    images = {
        1: write(tmp_path, "1.tif", labels(0, 1, 9)),
        2: write(tmp_path, "2.tif", labels(1, 9)),
        3: write(tmp_path, "3.tif", labels(0, 1)[:, :-1]),
    }
    found, broken = read_labels(images, CODES, [0], LabelFiles((5, 20, 30)))
    assert broken == [
        f"{images[3]}: labels are 20 x 29 px, but the volume's slices are 20 x 30 px; "
        "use labels drawn on this volume"
    ]
    assert check_labels(found, "areas", "annotations.ignore", {}) == [
        f"{images[1]}: code 9 (200 px) is not in the legend; add it to an entry of areas or to "
        "annotations.ignore (likewise slice 2)",
    ]


def test_an_area_without_a_pixel_is_told_once_every_code_is_known(tmp_path: Path) -> None:
    images = {1: write(tmp_path, "1.tif", labels(0, 1)), 2: write(tmp_path, "2.tif", labels(1))}
    found, _ = read_labels(images, CODES, [0])
    assert check_labels(found, "areas", "annotations.ignore", {}) == [
        "areas: B has no pixel on any annotated slice; correct its codes or leave it out"
    ]


def test_good_labels_have_no_problem(tmp_path: Path) -> None:
    images = {1: write(tmp_path, "1.tif", labels(0, 1)), 2: write(tmp_path, "2.tif", labels(5))}
    found, broken = read_labels(images, CODES, [0])
    assert broken == []
    assert check_labels(found, "areas", "annotations.ignore", {}) == []


def test_an_area_that_a_split_lacks_is_named(tmp_path: Path) -> None:
    images = {
        1: write(tmp_path, "1.tif", labels(0, 1, 2)),
        2: write(tmp_path, "2.tif", labels(0, 1)),
        3: write(tmp_path, "3.tif", labels(0, 5)),
    }
    found, broken = read_labels(images, CODES, [0])
    splits = {"train": [1], "val": [2], "test": [2, 3]}
    assert broken == []
    assert check_labels(found, "areas", "annotations.ignore", splits) == [
        "slice 2 (val): area B has no pixel there, but train, val and test need every area; choose "
        "a slice that has it, or leave the area out"
    ]
    # where an image was not read, nothing is said of what is absent
    assert check_labels(found, "areas", "annotations.ignore", None) == []


def test_smoothed_edges_are_told(tmp_path: Path) -> None:
    image = np.repeat([1, 2, 5], [14, 2, 14]).astype(np.uint8)[None].repeat(20, axis=0)
    found, _ = read_labels({1: write(tmp_path, "1.tif", image)}, CODES, [0])
    assert found[0].text.endswith(
        "EDGES LOOK SMOOTHED: B (2) has 40 px in thin rims between A (1) and B (5)"
    )
