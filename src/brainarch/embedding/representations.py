"""Representations of sampled patches on disk: Zarr v3 groups with named dimensions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from brainarch.atomic import replacing
from brainarch.errors import InputError

#: Patches in one chunk of the stored array.
CHUNK_ROWS = 4096
#: Marks the group as one of these, with the version of its layout.
FORMAT = "brainarch representations 3"
_INTEGERS = ("z", "y", "x", "area")


@dataclass(frozen=True)
class Representations:
    """What a network says about n sampled patches.

    Attributes
    ----------
    values : ndarray of float32, shape (n, units)
        One row per patch.
    z, y, x : ndarray of int32, shape (n,)
        Centre pixels: slice number, row, column.
    area : ndarray of int32, shape (n,)
        Index into ``areas``.
    areas : tuple of str
        Area names in legend order.
    network : str
        Name of the network; see `brainarch.embedding.names`.
    unit_names : tuple of str
        Name of every column of ``values``.
    commensurate : bool
        Whether all units have one scale; see `brainarch.embedding.networks.Describer`.
    network_digest : str
        Of the trained network that was at hand; see `brainarch.network.trained.TrainedNetwork`.
    seed : int
        Of initialisation, noise and subsampling.
    """

    values: NDArray[np.float32]
    z: NDArray[np.int32]
    y: NDArray[np.int32]
    x: NDArray[np.int32]
    area: NDArray[np.int32]
    areas: tuple[str, ...]
    network: str
    unit_names: tuple[str, ...]
    commensurate: bool
    network_digest: str
    seed: int

    def __post_init__(self) -> None:
        n, units = self.values.shape
        if units != len(self.unit_names):
            raise ValueError(f"{units} columns but {len(self.unit_names)} unit names")
        wrong = [name for name in _INTEGERS if getattr(self, name).shape != (n,)]
        if wrong:
            raise ValueError(f"{wrong[0]} does not have one value for each of {n} patches")
        if n and not (self.area.min() >= 0 and self.area.max() < len(self.areas)):
            raise ValueError(f"area indices outside 0 ... {len(self.areas) - 1}")
        if not np.isfinite(self.values).all():
            raise ValueError("representations hold values that are not finite")

    def __len__(self) -> int:
        """Return the number of patches."""
        return len(self.values)

    def rows(self, index: NDArray[np.integer] | NDArray[np.bool_]) -> Representations:
        """Return some of the patches, chosen by row indices or a mask."""
        chosen = {name: getattr(self, name)[index] for name in ("values", *_INTEGERS)}
        return replace(self, **chosen)


@dataclass(frozen=True)
class NoisyRepresentations:
    """Representations of the same patches at several levels of noise.

    Attributes
    ----------
    variance : ndarray of float64, shape (levels,)
        Of the noise on grey values in [0, 1].
    levels : tuple of Representations
        One per variance, of the same patches.
    """

    variance: NDArray[np.float64]
    levels: tuple[Representations, ...]

    def __post_init__(self) -> None:
        if len(self.variance) != len(self.levels) or not self.levels:
            raise ValueError(f"{len(self.variance)} variances, {len(self.levels)} levels")


def save_representations(content: Representations, path: Path) -> None:
    """Write representations in one step."""
    with replacing(path) as temporary:
        group = _create(temporary, content)
        _add(group, "representation", content.values, ("patch", "unit"))


def save_noisy(content: NoisyRepresentations, path: Path) -> None:
    """Write noisy representations in one step."""
    values = np.stack([level.values for level in content.levels])
    with replacing(path) as temporary:
        group = _create(temporary, content.levels[0])
        _add(group, "representation", values, ("variance", "patch", "unit"))
        _add(group, "variance", content.variance.astype(np.float64), ("variance",))


def load_representations(path: Path) -> Representations:
    """Read what `save_representations` wrote.

    Raises
    ------
    InputError
        If it is missing or something else.
    """
    values, _, common = _read(path)
    if values.ndim != 2:
        raise InputError(
            f"{path}: noisy representations where clean ones are wanted; "
            "give those of `brainarch embed`"
        )
    return _build(path, values, common)


def load_noisy(path: Path) -> NoisyRepresentations:
    """Read what `save_noisy` wrote.

    Raises
    ------
    InputError
        If it is missing or something else.
    """
    values, variance, common = _read(path)
    if values.ndim != 3 or variance is None:
        raise InputError(
            f"{path}: clean representations where noisy ones are wanted; "
            "give those of `brainarch embed-noise`"
        )
    levels = tuple(_build(path, level, common) for level in values)
    return NoisyRepresentations(variance=variance, levels=levels)


def _create(path: Path, content: Representations) -> zarr.Group:
    attributes: dict[str, Any] = {
        "format": FORMAT,
        "network": content.network,
        "areas": list(content.areas),
        "unit_names": list(content.unit_names),
        "commensurate": content.commensurate,
        "network_digest": content.network_digest,
        "seed": content.seed,
        "meaning": {
            "representation": "one row per patch, one column per unit",
            "z": "slice number",
            "y": "row of the patch's centre pixel",
            "x": "column of the patch's centre pixel",
            "area": "index into the attribute areas",
            "variance": "of Gaussian noise on grey values in [0, 1], where noise was added",
        },
    }
    group = zarr.open_group(path, mode="w", zarr_format=3, attributes=attributes)
    for name in _INTEGERS:
        _add(group, name, getattr(content, name).astype(np.int32), ("patch",))
    return group


def _add(group: zarr.Group, name: str, values: NDArray[Any], dimensions: tuple[str, ...]) -> None:
    chunks = tuple(max(1, min(size, CHUNK_ROWS)) for size in values.shape)
    array = group.create_array(
        name,
        shape=values.shape,
        dtype=values.dtype,
        chunks=chunks,
        dimension_names=dimensions,
        fill_value=0,
    )
    if values.size:
        array[...] = values


def _read(path: Path) -> tuple[NDArray[Any], NDArray[np.float64] | None, dict[str, Any]]:
    if not path.exists():
        raise InputError(f"{path}: no such store; run `brainarch embed`")
    try:
        group = zarr.open_group(path, mode="r", zarr_format=3)
        if group.attrs.get("format") != FORMAT:
            raise InputError(
                f"{path}: not representations of this version; run `brainarch embed` again"
            )
        common: dict[str, Any] = {name: np.asarray(group[name]) for name in _INTEGERS}
        common |= {
            "areas": tuple(group.attrs["areas"]),  # type: ignore[arg-type]  # JSON
            "network": group.attrs["network"],
            "unit_names": tuple(group.attrs["unit_names"]),  # type: ignore[arg-type]  # JSON
            "commensurate": group.attrs["commensurate"],
            "network_digest": group.attrs["network_digest"],
            "seed": group.attrs["seed"],
        }
        variance = np.asarray(group["variance"]) if "variance" in group else None
        return np.asarray(group["representation"]), variance, common
    except (KeyError, ValueError, TypeError, OSError) as error:
        raise InputError(
            f"{path}: not representations of patches ({type(error).__name__}: {error}); "
            "run `brainarch embed` again"
        ) from None


def _build(path: Path, values: NDArray[Any], common: dict[str, Any]) -> Representations:
    try:
        return Representations(values=values, **common)
    except ValueError as error:
        raise InputError(f"{path}: damaged ({error}); run `brainarch embed` again") from None
