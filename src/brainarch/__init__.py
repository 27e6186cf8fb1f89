"""Learned maps of brain microarchitecture.

In a notebook, `open` leads to everything that a run has made.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from brainarch.pipeline.dataset import Dataset

__version__ = "0.1.0"


def open(folder: str | Path) -> Dataset:  # a reader types brainarch.open
    """Return the results of a dataset: its volume, labels, networks, cubes, maps and tables.

    Parameters
    ----------
    folder : str or Path
        ``results/<dataset>``.

    Raises
    ------
    InputError
        If no run has left its config there.

    Examples
    --------
    >>> import brainarch
    >>> brain = brainarch.open("results/test")
    >>> brain
    <test: Tiny synthetic volume (phantom)>
    >>> brain.volume().shape
    (160, 448, 1700)
    >>> brain.cube(104).units
    64
    >>> sorted(brain.areas(104).attrs["areas"])
    ['Ctx', 'HypoTh', 'Str', 'VP', 'WM', 'ZI']
    >>> brain.table("readout/cluster_scores").columns[0]
    'network'
    """
    from brainarch.pipeline.dataset import Dataset  # noqa: PLC0415  # nothing heavy until used

    return Dataset.open(Path(folder))
