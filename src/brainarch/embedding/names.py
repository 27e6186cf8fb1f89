"""The networks that can represent a patch, by name; to add one, add its line here.

This module loads nothing heavy, so that a config can be checked against it.
"""

from __future__ import annotations

#: Where each network's builder is, ``module:function``; see `brainarch.embedding.networks.Builder`.
BUILDERS = {
    "cnn": "brainarch.embedding.trunk:trained_trunk",
    "unlabelled": "brainarch.embedding.trunk:trained_trunk",
    "authors": "brainarch.embedding.trunk:trained_trunk",
    "untrained": "brainarch.embedding.trunk:untrained_trunk",
    "texture": "brainarch.embedding.texture:texture_describer",
}
#: The network that is analysed; the same network trained without labels, and before training.
CNN, UNLABELLED, UNTRAINED = "cnn", "unlabelled", "untrained"
#: The network as the authors define it, which runs patch by patch.
AUTHORS = "authors"
#: What further seeds of the analysed network are called: repeat1, repeat2 ...
REPEAT = "repeat"
#: Names of all networks.
NETWORKS = tuple(BUILDERS)
#: Networks whose representation can be extracted at every pixel, beside further seeds.
DENSE = (CNN, UNLABELLED, UNTRAINED)


def learns_by_itself(name: str) -> bool:
    """Return whether a network of patches has a file of its own; all others get the run's."""
    return name in (UNLABELLED, AUTHORS) or is_repeat(name)


def is_repeat(name: str) -> bool:
    """Return whether a name is that of a further seed of the analysed network."""
    return name.startswith(REPEAT) and name.removeprefix(REPEAT).isdecimal()
