"""The networks that can represent a patch, by name; to add one, add its line here.

This module loads nothing heavy, so that a config can be checked against it.
"""

from __future__ import annotations

#: Where each network's builder is, ``module:function``; see `brainarch.embedding.networks.Builder`.
BUILDERS = {
    "cnn": "brainarch.embedding.trunk:trained_trunk",
    "unlabelled": "brainarch.embedding.trunk:trained_trunk",
    "untrained": "brainarch.embedding.trunk:untrained_trunk",
    "texture": "brainarch.embedding.texture:texture_describer",
}
#: The network that learns without labels, from a file of its own; all others get the run's.
UNLABELLED = "unlabelled"
#: Names of all networks.
NETWORKS = tuple(BUILDERS)
