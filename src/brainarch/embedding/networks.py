"""What a network is that can represent a patch: anything that turns windows into vectors."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from brainarch.embedding.names import BUILDERS, CNN, is_repeat
from brainarch.errors import InputError
from brainarch.network.trained import TrainedNetwork


class Describer(Protocol):
    """What turns windows into representations."""

    @property
    def unit_names(self) -> tuple[str, ...]:
        """Name of every unit, in the order of the columns."""
        ...

    @property
    def commensurate(self) -> bool:
        """Whether all units have one scale, so that distances between raw vectors mean something.

        True for a layer of a network; False for hand-crafted features in different units, which
        the readouts scale before they compare vectors.
        """
        ...

    def describe(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the representations, shape (n, units).

        Parameters
        ----------
        windows : ndarray of float32, shape (n, 134, 134)
            Grey values in [0, 1], not normalised.
        """
        ...


#: Builds a describer, given the trained network of the run and the config's seed.
Builder = Callable[[TrainedNetwork, int], Describer]


def build_network(name: str, trained: TrainedNetwork, seed: int) -> Describer:
    """Build the network of a name.

    Raises
    ------
    InputError
        If there is no such network.
    """
    found = BUILDERS.get(CNN if is_repeat(name) else name)
    if found is None:
        raise InputError(f"network {name}: not known; there are {', '.join(BUILDERS)}")
    module, _, function = found.partition(":")
    build: Builder = getattr(importlib.import_module(module), function)
    return build(trained, seed)
