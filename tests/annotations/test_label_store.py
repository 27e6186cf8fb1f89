from __future__ import annotations

import numpy as np
import pytest
import zarr
from ome_zarr_models.v05 import ImageLabel

from brainarch.annotations.legend import make_legend
from brainarch.annotations.store import create_labels, open_labels
from brainarch.errors import InputError
from brainarch.stores import metadata

SHAPE = (30, 600, 700)


@pytest.fixture
def labels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 3, SHAPE[1:]).astype(np.uint8)


def test_only_annotated_slices_exist_on_disk(tmp_path, labels):
    path = tmp_path / "it's “l” ü.ome.zarr"
    legend = make_legend(["a", "b"])
    store = create_labels(path, SHAPE, 1.17, [129, 104], first_slice=100, legend=legend)
    store.write_slice(104, labels)
    store.write_slice(129, labels[::-1])
    chunks = sorted(p.relative_to(path / "0" / "c").parts[0] for p in path.glob("0/c/*/*/*"))
    assert chunks == ["29", "4"]
    again = open_labels(path)
    assert again.annotated_slices == (104, 129)
    assert (again.shape, again.pixel_um, again.first_slice) == (SHAPE, 1.17, 100)
    np.testing.assert_array_equal(again.read_slice(104), labels)
    np.testing.assert_array_equal(again.read_slice(129), labels[::-1])
    group = zarr.open_group(path, mode="r")
    assert group["0"].chunks == (1, 512, 512)
    model = ImageLabel.from_zarr(group).attributes.ome.image_label
    assert [(p.label_value, p.name) for p in model.properties] == [(1, "a"), (2, "b")]
    assert model.colors[0].rgba == (0, 114, 178, 255)
    # The first voxel lies where that of the volume does.
    dataset = dict(group.attrs)["ome"]["multiscales"][0]["datasets"][0]
    translation = dataset["coordinateTransformations"][1]["translation"]
    np.testing.assert_allclose(translation, [117.0, 0.0, 0.0])


def test_slices_that_are_not_annotated(tmp_path):
    store = create_labels(tmp_path / "l", SHAPE, 1.0, [3, 7])
    for access in (store.read_slice, lambda z: store.write_slice(z, np.zeros(SHAPE[1:], int))):
        with pytest.raises(InputError) as caught:
            access(4)
        assert str(caught.value) == (
            f"{tmp_path / 'l'}: slice 4 is not annotated; annotated slices: 3, 7"
        )
    with pytest.raises(InputError, match="slice 30: outside the volume, which has slices 0 to 29"):
        create_labels(tmp_path / "m", SHAPE, 1.0, [30])
    with pytest.raises(InputError, match="one is named twice"):
        create_labels(tmp_path / "m", SHAPE, 1.0, [3, 3])


def test_values_that_do_not_fit(tmp_path):
    store = create_labels(tmp_path / "l", SHAPE, 1.0, [3])
    with pytest.raises(ValueError, match="do not fit uint8"):
        store.write_slice(3, np.full(SHAPE[1:], 256))
    with pytest.raises(ValueError, match="shape"):
        store.write_slice(3, np.zeros((2, 2), int))


def test_a_store_without_our_attributes_is_refused(tmp_path):
    create_labels(tmp_path / "l", SHAPE, 1.0, [3])
    group = zarr.open_group(tmp_path / "l", mode="r+")
    del group.attrs["brainarch"]
    with pytest.raises(InputError, match="metadata were changed after they were written"):
        open_labels(tmp_path / "l")
    metadata.write_attributes(tmp_path / "l", {})
    with pytest.raises(InputError, match="not a label image of brainarch"):
        open_labels(tmp_path / "l")


def test_labels_of_an_earlier_version_are_made_again(tmp_path):
    create_labels(tmp_path / "l", SHAPE, 1.0, [3])
    group = zarr.open_group(tmp_path / "l", mode="r+")
    own = {k: v for k, v in group.attrs["brainarch"].items() if k != "made_by"}
    group.attrs.put({"ome": group.attrs["ome"], "brainarch": own})
    with pytest.raises(InputError, match=r"no digest.*run `brainarch import-annotations` again"):
        open_labels(tmp_path / "l")


def test_a_slice_that_was_lost_or_never_written_is_no_empty_one(tmp_path, labels):
    path = tmp_path / "l"
    create_labels(path, SHAPE, 1.0, [3, 7]).write_slice(3, np.zeros_like(labels))
    stored = open_labels(path)
    assert not stored.read_slice(3).any()
    again = "run `brainarch import-annotations` again"
    with pytest.raises(InputError, match=f"chunk 0/c/7/0/0 is missing.*{again}"):
        stored.read_slice(7)
    (path / "0" / "c" / "3" / "0" / "0").unlink()
    with pytest.raises(InputError, match=f"chunk 0/c/3/0/0 is missing.*{again}"):
        stored.read_slice(3)


def test_damaged_labels_are_one_line(tmp_path, labels):
    path = tmp_path / "l"
    create_labels(path, SHAPE, 1.0, [3]).write_slice(3, labels)
    file = path / "0" / "c" / "3" / "0" / "0"
    content = bytearray(file.read_bytes())
    content[1000] ^= 1
    file.write_bytes(content)
    with pytest.raises(InputError, match=r"chunk 0/c/3/0/0.*checksum") as caught:
        open_labels(path).read_slice(3)
    assert "\n" not in str(caught.value)
