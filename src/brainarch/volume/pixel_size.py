"""How large resampled slices are and where they lie; the pixels are those of `resample`.

Kept apart from it because configs and stores need no more than this, and sparse matrices take as
long to load as all the rest of a config.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from brainarch.errors import InputError

#: Part of a pixel that counts as none: what rounding leaves of 100 x 0.65 / 1.3.
NOTHING = 1e-6
#: Largest change of the pixel size either way; beyond it a unit has been mistaken (ours).
MOST = 100.0


@dataclass(frozen=True)
class Resampling:
    """How slices of one pixel size become slices of another one.

    Larger pixels are means over the area that they cover, smaller ones are interpolated linearly
    between the centres (ours). Both begin at the same corner; a last pixel that reaches beyond the
    slice is the mean of what there is, so every pixel of the source counts.

    Parameters
    ----------
    rows, columns : int
        Size of a slice of the source.
    source_um, pixel_um : float
        Side of a pixel before and after, in micrometer.

    Raises
    ------
    InputError
        If a size is not positive, or the two are more than a factor of 100 apart.
    """

    rows: int
    columns: int
    source_um: float
    pixel_um: float

    def __post_init__(self) -> None:
        if min(self.source_um, self.pixel_um) <= 0 or not 1 / MOST <= self.ratio <= MOST:
            raise InputError(
                f"resampling from {self.source_um:g} to {self.pixel_um:g} um: wanted two positive "
                f"sizes in micrometer, at most a factor of {MOST:g} apart"
            )

    @property
    def ratio(self) -> float:
        """Pixels of the source along the side of a new one."""
        return self.pixel_um / self.source_um

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of a resampled slice."""
        return new_count(self.rows, self.ratio), new_count(self.columns, self.ratio)

    @property
    def shift_um(self) -> float:
        """Distance of the first pixel's centre from the source's first centre, along each axis."""
        return (self.pixel_um - self.source_um) / 2


def new_count(count: int, ratio: float) -> int:
    """Return how many pixels cover ``count`` of the source, ``ratio`` of them each."""
    return max(1, math.ceil(count / ratio - NOTHING))
