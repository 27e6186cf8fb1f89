"""From when on a finding beside a null counts, the same for all."""

from __future__ import annotations

#: Largest chance of as high a value among what knows nothing, and the percentile (DESIGN).
LEVEL, PERCENTILE = 0.01, 99.0
#: Fewest different surrogates at which something can be decided at that level.
MIN_EFFECTIVE = 99
