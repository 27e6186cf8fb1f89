"""Some rows of a Gram matrix, as many as can be seen, on disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from brainarch.atomic import replacing
from brainarch.errors import InputError

#: Rows of an excerpt at most.
ROWS = 600


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
        group = zarr.open_group(temporary, mode="w", zarr_format=3, attributes=attributes)
        for name, values, dimensions in (
            ("gram", excerpt.gram, ("row", "column")),
            ("area", excerpt.area, ("row",)),
        ):
            array = group.create_array(
                name,
                shape=values.shape,
                dtype=values.dtype,
                chunks=values.shape,
                dimension_names=dimensions,
            )
            array[...] = values


def load_excerpt(path: Path) -> GramExcerpt:
    """Read what `save_excerpt` wrote.

    Raises
    ------
    InputError
        If it is missing or something else.
    """
    if not path.exists():
        raise InputError(f"{path}: no such store; run `brainarch gram`")
    try:
        group = zarr.open_group(path, mode="r", zarr_format=3)
        attributes: Any = group.attrs.asdict()
        return GramExcerpt(
            gram=np.asarray(group["gram"]),
            area=np.asarray(group["area"]),
            areas=tuple(attributes["areas"]),
            network=str(attributes["network"]),
        )
    except (KeyError, ValueError, TypeError, OSError) as error:
        raise InputError(
            f"{path}: not rows of a Gram matrix ({type(error).__name__}: {error}); "
            "run `brainarch gram` again"
        ) from None
