"""A look at a few slices of a stack before the long work: whether the window fits them."""

from __future__ import annotations

import numpy as np

from brainarch.errors import InputError
from brainarch.volume.stack import Stack
from brainarch.volume.tiff import read_pages

#: Slices that are looked at, the first and the last among them.
SAMPLED = 8
#: Share of clipped pixels from which nothing can be seen any more (ours).
CLIPPED = 0.98


def check_samples(stack: Stack) -> None:
    """Check that a window leaves something of a stack's slices, and that all pixels are numbers.

    Without a window grey values are taken as they are, and nothing is read.

    Raises
    ------
    InputError
        If a sampled slice has pixels that are no numbers, or nearly all pixels are clipped.
    """
    if stack.window is None:
        return
    count = len(stack.pages)
    chosen = np.unique(np.linspace(0, count - 1, min(count, SAMPLED)).round().astype(int))
    clipped = 0
    low, high = np.inf, -np.inf
    for index in chosen.tolist():
        page = stack.pages[index]
        image = next(read_pages([page]))
        low, high = min(low, np.nanmin(image)), max(high, np.nanmax(image))
        _, below, above, _ = stack.as_stored(image, page)
        clipped += below + above
    share = clipped / (len(chosen) * stack.rows * stack.columns)
    if share >= CLIPPED:
        black, white = stack.window
        raise InputError(
            f"{stack.name}: the window {black:g} to {white:g} clips {share:.1%} of the pixels of "
            f"{len(chosen)} slices, whose values run from {low:g} to {high:g}; correct "
            "volume.window"
        )
