import numpy as np
import pytest

from brainarch.dense.wanted import wanted_pixels
from brainarch.errors import InputError
from brainarch.volume.tissue import tissue_mask


def slice_with_tissue():
    rng = np.random.default_rng(0)
    grey = rng.normal(20, 8, size=(200, 260))
    grey[60:150, 40:200] += 100
    return np.clip(grey, 0, 255).astype(np.uint8)


def test_tissue_is_what_is_brighter_than_background():
    mask = tissue_mask(slice_with_tissue())
    assert mask[75:135, 55:185].all()
    assert not mask[:45].any()
    assert not mask[165:].any()


def test_a_slice_of_one_grey_is_all_tissue():
    assert tissue_mask(np.full((20, 30), 7, dtype=np.uint8)).all()


def test_labelled_means_any_code():
    labels = np.zeros((4, 5), dtype=np.uint8)
    labels[1, 2], labels[3, 4] = 1, 6
    wanted = wanted_pixels(np.ones((4, 5), dtype=np.uint8), "labelled", labels)
    assert np.argwhere(wanted).tolist() == [[1, 2], [3, 4]]


def test_all_is_all():
    assert wanted_pixels(np.zeros((4, 5), dtype=np.uint8), "all", None).all()


@pytest.mark.parametrize(
    ("where", "labels", "reason"),
    [
        ("labelled", None, "needs a label image"),
        (
            "labelled",
            np.ones((5, 4), dtype=np.uint8),
            "labels of 5 x 4 pixels: the slice has 4 x 5",
        ),
        ("somewhere", None, "must be one of labelled, tissue, all"),
    ],
)
def test_refusals(where, labels, reason):
    with pytest.raises(InputError, match=reason):
        wanted_pixels(np.ones((4, 5), dtype=np.uint8), where, labels)
