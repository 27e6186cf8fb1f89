"""The volume on disk: an OME-Zarr 0.5 image with axes z, y, x in micrometer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from brainarch.errors import InputError

#: Version of the OME-Zarr specification that the stores follow.
OME_VERSION = "0.5"
#: Key of brainarch's own attributes in a group.
ATTRIBUTE = "brainarch"
#: Names of a volume's axes, in order.
AXES = ("z", "y", "x")
#: Grey value types that a volume may have.
DTYPES = ("uint8", "uint16")
#: Numbers that differ by less than this relative amount are the same voxel size.
VOXEL_TOLERANCE = 1e-6

Scale = tuple[float, float, float]


@dataclass(frozen=True)
class Volume:
    """A stored volume, open for reading.

    Slices are called by their numbers, which count from ``first_slice``: a volume that holds the
    published slices 100 ... 259 still calls slice 159 ``159``.

    Attributes
    ----------
    path : Path
        The store.
    array : zarr.Array
        Level 0, shape (z, y, x).
    voxel_um : float
        Side of the cubic voxel in micrometer.
    first_slice : int
        Number of the first slice.
    """

    path: Path
    array: zarr.Array[Any]
    voxel_um: float
    first_slice: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of slices, rows and columns."""
        z, y, x = self.array.shape
        return z, y, x

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the grey values, uint8 or uint16."""
        return np.dtype(self.array.dtype)

    @property
    def slices(self) -> range:
        """Numbers of all slices."""
        return range(self.first_slice, self.first_slice + self.shape[0])

    def index_of(self, z: int) -> int:
        """Return the array index of slice number ``z``.

        Raises
        ------
        InputError
            If the volume has no such slice.
        """
        if z not in self.slices:
            raise InputError(
                f"{self.path}: slice {z} is outside the volume, which has slices "
                f"{self.slices[0]} to {self.slices[-1]}"
            )
        return z - self.first_slice

    def read_slice(self, z: int) -> NDArray[np.generic]:
        """Return slice number ``z``: raw grey values, shape (y, x).

        Raises
        ------
        InputError
            If the volume has no such slice.
        """
        return np.asarray(self.array[self.index_of(z)])

    def read_block(
        self, z: tuple[int, int], y: tuple[int, int], x: tuple[int, int]
    ) -> NDArray[np.generic]:
        """Return a block of raw grey values.

        Parameters
        ----------
        z, y, x : tuple of int
            First and one past the last slice number, row and column.

        Returns
        -------
        ndarray, shape (z[1] - z[0], y[1] - y[0], x[1] - x[0])

        Raises
        ------
        InputError
            If the block is empty or reaches beyond the volume.
        """
        first, last = self.index_of(z[0]), self.index_of(z[1] - 1)
        _, rows, columns = self.shape
        inside = 0 <= y[0] < y[1] <= rows and 0 <= x[0] < x[1] <= columns and first <= last
        if not inside:
            raise InputError(
                f"{self.path}: block z {z[0]}:{z[1]}, y {y[0]}:{y[1]}, x {x[0]}:{x[1]} is not "
                f"inside the {rows} x {columns} slices"
            )
        return np.asarray(self.array[first : last + 1, y[0] : y[1], x[0] : x[1]])


def multiscale_attributes(name: str, scales: list[Scale], origins: list[Scale]) -> dict[str, Any]:
    """Return the OME-Zarr 0.5 ``ome`` attribute of an image.

    Parameters
    ----------
    name : str
        Name of the image.
    scales : list of tuple of float
        Size of a level's voxels in micrometer, one (z, y, x) a level; level i has path ``str(i)``.
    origins : list of tuple of float
        Centre of a level's first voxel in micrometer; the first voxel of slice 0 is centred at 0.
    """
    datasets = [
        {
            "path": str(level),
            "coordinateTransformations": [
                {"type": "scale", "scale": list(scale)},
                {"type": "translation", "translation": list(origin)},
            ],
        }
        for level, (scale, origin) in enumerate(zip(scales, origins, strict=True))
    ]
    axes = [{"name": axis, "type": "space", "unit": "micrometer"} for axis in AXES]
    return {
        "version": OME_VERSION,
        "multiscales": [{"name": name, "axes": axes, "datasets": datasets}],
    }


def open_multiscale(path: Path) -> tuple[zarr.Group, zarr.Array[Any], float, int]:
    """Open an OME-Zarr 0.5 image with cubic voxels.

    Returns
    -------
    group : zarr.Group
    array : zarr.Array
        Level 0.
    voxel_um : float
        Side of a voxel in micrometer.
    first_slice : int
        Number of the first slice; 0 in stores that brainarch did not write.

    Raises
    ------
    InputError
        If there is no such store, or it is not a three-dimensional OME-Zarr 0.5 image with axes
        z, y, x in micrometer and cubic voxels.
    """
    if not path.exists():
        raise InputError(f"{path}: no such store; run the stage that writes it")
    try:
        group = zarr.open_group(path, mode="r", zarr_format=3)
        ome: Any = group.attrs["ome"]
        multiscale = ome["multiscales"][0]
        axes = [(axis["name"], axis.get("unit")) for axis in multiscale["axes"]]
        dataset = multiscale["datasets"][0]
        array = group[dataset["path"]]
        steps = {step["type"]: step for step in dataset["coordinateTransformations"]}
        scale = [float(value) for value in steps["scale"]["scale"]]
        own: Any = group.attrs.get(ATTRIBUTE, {})
        first_slice = int(own.get("first_slice", 0))
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, OSError) as error:
        raise InputError(
            f"{path}: not an OME-Zarr {OME_VERSION} image ({type(error).__name__}: {error}); "
            "convert the data with `brainarch convert`"
        ) from None
    if not isinstance(array, zarr.Array) or axes != [(axis, "micrometer") for axis in AXES]:
        raise InputError(f"{path}: its axes are {axes}; wanted z, y, x in micrometer")
    if max(scale) - min(scale) > VOXEL_TOLERANCE * max(scale):
        raise InputError(f"{path}: its voxels are {scale} um, not cubic; resample the data first")
    return group, array, scale[1], first_slice


def open_volume(path: Path) -> Volume:
    """Open a volume for reading.

    Parameters
    ----------
    path : Path
        An OME-Zarr 0.5 image with axes z, y, x in micrometer and cubic voxels.

    Raises
    ------
    InputError
        If it is missing or something else.
    """
    path = Path(path)
    _, array, voxel_um, first_slice = open_multiscale(path)
    if str(array.dtype) not in DTYPES:
        raise InputError(f"{path}: grey values are {array.dtype}; wanted uint8 or uint16")
    return Volume(path, array, voxel_um, first_slice)
