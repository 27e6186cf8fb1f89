"""The networks that can describe a patch, by name.

A network is anything that turns windows into vectors (`Describer`). To add one, write a class with
that protocol and register a function that builds it::

    @register_network("my_network")
    def build(source: NetworkSource) -> Describer:
        return MyDescriber()
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from brainarch.embedding.texture import TextureDescriber
from brainarch.embedding.trunk import TrunkDescriber, untrained_network
from brainarch.errors import InputError
from brainarch.network.checkpoint import Checkpoint


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


@dataclass(frozen=True)
class NetworkSource:
    """What a network may be built from.

    Attributes
    ----------
    checkpoint : Checkpoint or None
        The trained network, if one is given.
    seed : int
        The config's seed.
    """

    checkpoint: Checkpoint | None
    seed: int

    def require_checkpoint(self, network: str) -> Checkpoint:
        """Return the checkpoint, or raise `InputError` where none was given."""
        if self.checkpoint is None:
            raise InputError(f"--network {network}: it needs a trained network; add --checkpoint")
        return self.checkpoint


Builder = Callable[[NetworkSource], Describer]

_BUILDERS: dict[str, Builder] = {}


def register_network(name: str) -> Callable[[Builder], Builder]:
    """Return a decorator that makes a builder available under a name.

    Raises
    ------
    ValueError
        If the name is taken.
    """
    if name in _BUILDERS:
        raise ValueError(f"network {name!r} is registered already")

    def add(builder: Builder) -> Builder:
        _BUILDERS[name] = builder
        return builder

    return add


def network_names() -> tuple[str, ...]:
    """Return the names of all registered networks."""
    return tuple(_BUILDERS)


def build_network(name: str, source: NetworkSource) -> Describer:
    """Build the network of a name.

    Raises
    ------
    InputError
        If there is no such network or it needs a checkpoint that was not given.
    """
    if name not in _BUILDERS:
        raise InputError(f"--network {name}: no such network; there are {', '.join(_BUILDERS)}")
    return _BUILDERS[name](source)


@register_network("cnn")
def _trained(source: NetworkSource) -> Describer:
    checkpoint = source.require_checkpoint("cnn")
    return TrunkDescriber(checkpoint.network.trunk, checkpoint.normalisation)


@register_network("untrained")
def _untrained(source: NetworkSource) -> Describer:
    checkpoint = source.require_checkpoint("untrained")
    network = untrained_network(len(checkpoint.areas), source.seed)
    return TrunkDescriber(network.trunk, checkpoint.normalisation)


@register_network("texture")
def _texture(_source: NetworkSource) -> Describer:
    return TextureDescriber()
