"""The part of a Gram matrix that is drawn, on disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from brainarch.atomic import replacing
from brainarch.errors import InputError

#: Most rows of the Gram matrix that are drawn.
DRAWN_ROWS = 600


@dataclass(frozen=True)
class GramDrawing:
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


def draw_gram(
    rows: NDArray[np.float64], area: NDArray[np.integer], limit: int = DRAWN_ROWS
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Return the Gram matrix of evenly chosen rows.

    Parameters
    ----------
    rows : ndarray of float64, shape (n, units)
        Unit-length representations, sorted by area, equally many an area.
    area : ndarray of int, shape (n,)
        Area indices, ascending.
    limit : int
        Most rows of the drawing.

    Returns
    -------
    gram : ndarray of float32, shape (m, m)
        m <= limit, equally many rows an area.
    area : ndarray of int32, shape (m,)
    """
    present, sizes = np.unique(area, return_counts=True)
    each = max(1, min(int(sizes.min()), limit // len(present)))
    chosen = np.concatenate(
        [
            np.flatnonzero(area == index)[np.linspace(0, size - 1, each).round().astype(np.int64)]
            for index, size in zip(present, sizes, strict=True)
        ]
    )
    picked = rows[chosen]
    return (picked @ picked.T).astype(np.float32), area[chosen].astype(np.int32)


def save_drawing(drawing: GramDrawing, path: Path) -> None:
    """Write a drawing as a Zarr v3 group in one step."""
    attributes: dict[str, Any] = {
        "network": drawing.network,
        "areas": list(drawing.areas),
        "meaning": {
            "gram": "products of unit-length representations of patches, sorted by area",
            "area": "index into the attribute areas of each row and column",
        },
    }
    with replacing(path) as temporary:
        group = zarr.open_group(temporary, mode="w", zarr_format=3, attributes=attributes)
        for name, values, dimensions in (
            ("gram", drawing.gram, ("row", "column")),
            ("area", drawing.area, ("row",)),
        ):
            array = group.create_array(
                name,
                shape=values.shape,
                dtype=values.dtype,
                chunks=values.shape,
                dimension_names=dimensions,
            )
            array[...] = values


def load_drawing(path: Path) -> GramDrawing:
    """Read what `save_drawing` wrote.

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
        return GramDrawing(
            gram=np.asarray(group["gram"]),
            area=np.asarray(group["area"]),
            areas=tuple(attributes["areas"]),
            network=str(attributes["network"]),
        )
    except (KeyError, ValueError, TypeError, OSError) as error:
        raise InputError(
            f"{path}: not a drawn Gram matrix ({type(error).__name__}: {error}); "
            "run `brainarch gram` again"
        ) from None
