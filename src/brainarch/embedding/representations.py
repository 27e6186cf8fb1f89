"""Representations of sampled patches on disk: Zarr v3 groups with named dimensions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainarch.atomic import replacing
from brainarch.errors import InputError
from brainarch.stores.arrays import ArrayStore, Layout

#: Patches in one chunk of the stored array.
CHUNK_ROWS = 4096
_INTEGERS = ("z", "y", "x", "area")
_PATCH = dict.fromkeys(_INTEGERS, ("patch",))
#: Representations of patches as they are.
CLEAN = Layout(
    "brainarch-representations-3",
    "representations of patches",
    "`brainarch embed`",
    {**_PATCH, "representation": ("patch", "unit")},
)
#: Representations of patches at several levels of noise.
NOISY = Layout(
    "brainarch-noisy-representations-3",
    "noisy representations of patches",
    "`brainarch embed-noise`",
    {**_PATCH, "representation": ("variance", "patch", "unit"), "variance": ("variance",)},
)


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
    _save(path, CLEAN, content, {"representation": content.values})


def save_noisy(content: NoisyRepresentations, path: Path) -> None:
    """Write noisy representations in one step."""
    values = np.stack([level.values for level in content.levels])
    variance = content.variance.astype(np.float64)
    _save(path, NOISY, content.levels[0], {"representation": values, "variance": variance})


def load_representations(path: Path) -> Representations:
    """Read what `save_representations` wrote.

    Raises
    ------
    InputError
        If it is missing, damaged or something else.
    """
    store = ArrayStore.open(path, CLEAN)
    return _build(store, store.read("representation"), _common(store))


def load_noisy(path: Path) -> NoisyRepresentations:
    """Read what `save_noisy` wrote.

    Raises
    ------
    InputError
        If it is missing, damaged or something else.
    """
    store = ArrayStore.open(path, NOISY)
    common = _common(store)
    levels = tuple(_build(store, level, common) for level in store.read("representation"))
    return NoisyRepresentations(variance=store.read("variance"), levels=levels)


def _save(
    path: Path, layout: Layout, content: Representations, arrays: dict[str, NDArray[Any]]
) -> None:
    attributes: dict[str, Any] = {
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
    integers = {name: getattr(content, name).astype(np.int32) for name in _INTEGERS}
    with replacing(path) as temporary:
        store = ArrayStore.create(temporary, layout, attributes)
        for name, values in (integers | arrays).items():
            store.put(name, values, chunk=CHUNK_ROWS)
        store.finish()


def _common(store: ArrayStore) -> dict[str, Any]:
    """Return what the levels of noise share."""
    named = ("network", "commensurate", "network_digest", "seed")
    return {
        **{name: store.read(name) for name in _INTEGERS},
        **{name: store.attrs[name] for name in named},
        "areas": tuple(store.attrs["areas"]),
        "unit_names": tuple(store.attrs["unit_names"]),
    }


def _build(store: ArrayStore, values: NDArray[Any], common: dict[str, Any]) -> Representations:
    try:
        return Representations(values=values, **common)
    except ValueError as error:
        raise InputError(f"{store.path}: wrong ({error}); {store.remedy}") from None
