"""Some rows of a Gram matrix, as many as can be seen, on disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainarch.atomic import replacing
from brainarch.stores.arrays import ArrayStore, Layout

#: Rows of an excerpt at most.
ROWS = 600
LAYOUT = Layout(
    "brainarch-gram-1",
    "rows of a Gram matrix",
    "`brainarch gram`",
    {"gram": ("row", "column"), "area": ("row",)},
)


@dataclass(frozen=True)
class GramExcerpt:
    """Some rows of a Gram matrix, sorted by area.

    Attributes
    ----------
    gram : ndarray of float32, shape (n, n)
        Products of unit-length representations.
    area : ndarray of int32, shape (n,)
        Area index of each row and column, ascending.
    areas : tuple of str
        Area names.
    network : str
        Name of the network.
    """

    gram: NDArray[np.float32]
    area: NDArray[np.int32]
    areas: tuple[str, ...]
    network: str


def excerpt_gram(
    rows: NDArray[np.float64], area: NDArray[np.integer]
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Return the Gram matrix of evenly chosen rows.

    Parameters
    ----------
    rows : ndarray of float64, shape (n, units)
        Unit-length representations, sorted by area, equally many per area.
    area : ndarray of int, shape (n,)
        Area indices, ascending.

    Returns
    -------
    gram : ndarray of float32, shape (m, m)
        m is at most `ROWS`; equally many rows per area.
    area : ndarray of int32, shape (m,)
    """
    present, sizes = np.unique(area, return_counts=True)
    each = max(1, min(int(sizes.min()), ROWS // len(present)))
    chosen = np.concatenate(
        [
            np.flatnonzero(area == index)[np.linspace(0, size - 1, each).round().astype(np.int64)]
            for index, size in zip(present, sizes, strict=True)
        ]
    )
    picked = rows[chosen]
    return (picked @ picked.T).astype(np.float32), area[chosen].astype(np.int32)


def save_excerpt(excerpt: GramExcerpt, path: Path) -> None:
    """Write an excerpt as a Zarr v3 group in one step."""
    attributes: dict[str, Any] = {
        "network": excerpt.network,
        "areas": list(excerpt.areas),
        "meaning": {
            "gram": "products of unit-length representations of patches, sorted by area",
            "area": "index into the attribute areas of each row and column",
        },
    }
    with replacing(path) as temporary:
        store = ArrayStore.create(temporary, LAYOUT, attributes)
        store.put("gram", excerpt.gram)
        store.put("area", excerpt.area)
        store.finish()


def load_excerpt(path: Path) -> GramExcerpt:
    """Read what `save_excerpt` wrote.

    Raises
    ------
    InputError
        If it is missing, damaged or something else.
    """
    store = ArrayStore.open(path, LAYOUT)
    return GramExcerpt(
        gram=store.read("gram"),
        area=store.read("area"),
        areas=tuple(store.attrs["areas"]),
        network=str(store.attrs["network"]),
    )
