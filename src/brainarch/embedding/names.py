"""The networks that can represent a patch, by name; to add one, add its line here.

This module loads nothing heavy, so that a config can be checked against it.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

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


#: Changes of the image that representations are tried on, by kind; see
#: `brainarch.embedding.degradations`. Noise has a curve of its own.
DEGRADATIONS = {
    "levels": (8, 16, 32, 64, 128),
    "contrast": (0.5, 0.75, 1.25, 1.5),
    "brightness": (-0.2, -0.1, 0.1, 0.2),
    "blur": (0.5, 1, 2),
    "resolution": (0.5, 2),
}
#: Those changes by name, the unchanged image first.
CHANGES = ("none", *(f"{kind}_{v:g}" for kind, values in DEGRADATIONS.items() for v in values))


def change_of(name: str) -> tuple[str, float]:
    """Return kind and level of a change by its name; NaN where nothing is changed."""
    kind, _, level = name.partition("_")
    return kind, float(level or "nan")


#: Libraries that networks can be borrowed from, and what installs them.
LIBRARIES = ("torchvision", "timm")
EXTRA = "brainarch[networks]"


def why_absent(model: str, weights: str) -> str | None:
    """Return why a borrowed network cannot be used here; None if nothing is known against it.

    Parameters
    ----------
    model : str
        ``library/name``, or ``module:function`` of the user's own.
    weights : str
        Its file.
    """
    library = model.partition("/")[0]
    if library in LIBRARIES and find_spec(library) is None:
        return f"{library} is not installed; pip install '{EXTRA}'"
    return None if Path(weights).is_file() else f"its weights are not there ({weights})"


def learns_by_itself(name: str) -> bool:
    """Return whether a network of patches has a file of its own; all others get the run's."""
    return name in (UNLABELLED, AUTHORS) or is_repeat(name)


def is_repeat(name: str) -> bool:
    """Return whether a name is that of a further seed of the analysed network."""
    return name.startswith(REPEAT) and name.removeprefix(REPEAT).isdecimal()
