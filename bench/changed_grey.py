"""How right networks stay where grey values are not those of the training slice.

    python bench/changed_grey.py results/NAME [results/OTHER ...]

For runs whose splits are parts of one slice, finished to ``readout/assignments.csv``: each
assignment's network and the texture features on its test patches as they are, and with the slice at
19 grey levels, contrast 1.1 and brightness -5 of 256. Everything is fitted on clean patches. Areas
and assignments weigh alike.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import balanced_accuracy_score

import brainarch
from brainarch.embedding.degradations import degrade
from brainarch.embedding.describe import describe_patches
from brainarch.embedding.names import CNN
from brainarch.embedding.networks import build_network
from brainarch.embedding.stages import represent_patches
from brainarch.network.grey import to_unit
from brainarch.network.trained import load_network
from brainarch.patches.table import patch_places, read_patches
from brainarch.pipeline.dataset import Dataset
from brainarch.readout.classifiers import fit_classifiers
from brainarch.volume.store import Volume, open_volume

CHANGES = {"contrast": 1.1, "brightness": -5 / 255, "levels": 19}
#: Accuracies before and after the changes, by network and what reads it.
Accuracies = dict[tuple[str, str], list[tuple[float, float]]]


@dataclass(frozen=True)
class Changed:
    """A volume of 8-bit grey values after those changes."""

    volume: Volume
    mean: float

    def read_slice(self, z: int) -> NDArray[np.uint8]:
        """Return a slice after the changes."""
        unit = to_unit(self.volume.read_slice(z))
        for kind, level in CHANGES.items():
            unit = degrade(unit, kind, level, self.mean)
        return np.asarray(np.rint(unit * 255), dtype=np.uint8)


def judge(brain: Dataset, run: str, found: Accuracies) -> None:
    """Add the accuracies of one assignment."""
    results = brain.pipeline.results
    path, volume = Path(results.network(run)), open_volume(Path(results.volume))
    trained = load_network(path)
    changed = Changed(volume, trained.normalisation.mean)
    table = Path(results.patches(run, "test"))
    places = patch_places(read_patches(table), volume, table)
    represent = partial(
        represent_patches,
        path,
        Path(results.volume),
        Path(results.legend),
        seed=brain.config.seed,
    )
    for name in (CNN, "texture"):
        train = represent(Path(results.patches(run, "train")), name=name)
        clean = represent(table, name=name)
        describer = build_network(name, trained, brain.config.seed)
        values = (clean.values, describe_patches(describer, changed, places))
        readers = {
            which: fitted.predict for (_, which), fitted in fit_classifiers({name: train}).items()
        }
        if name == CNN:
            readers["its own last layer"] = lambda values: (
                trained.network.head(torch.from_numpy(values)).argmax(1).numpy()
            )
        for which, predict in readers.items():
            before, after = (balanced_accuracy_score(clean.area, predict(own)) for own in values)
            found.setdefault((name, which), []).append((before, after))


def main() -> None:
    """Print a table for each run."""
    for folder in sys.argv[1:]:
        brain = brainarch.open(folder)
        found: Accuracies = {}
        for run in brain.pipeline.assignments:
            judge(brain, run, found)
        print(f"{folder}: clean, changed, difference; mean of {len(brain.pipeline.assignments)}")
        for (name, which), pairs in found.items():
            clean, changed = np.mean(pairs, axis=0)
            print(f"{name:8s} {which:20s} {clean:.3f} {changed:.3f} {changed - clean:+.3f}")


if __name__ == "__main__":
    main()
