"""Some slices of a phantom alone, without those before them."""

from __future__ import annotations

import numpy as np

from brainarch.phantom import imaging, layout, model
from brainarch.phantom.model import LabelBlock, PhantomBlock, PhantomSpec


def render(spec: PhantomSpec, z_start: int, z_stop: int) -> PhantomBlock:
    """Return the image and the truth of slices ``z_start`` to ``z_stop - 1``."""
    r = imaging.RADIUS_Z
    return model._image(spec, model._planes(spec, z_start - r, z_stop + r), z_start)


def render_labels(spec: PhantomSpec, z_start: int, z_stop: int) -> LabelBlock:
    """Return the areas, layers and barrels of the same slices, without grey."""
    z = np.arange(z_start, z_stop, dtype=np.float64)
    lines = layout.borders(spec.shape, spec.voxel_um, spec.seed, z)
    return model._labels(layout.class_map(lines), lines.barrel)
