"""Binary parts of a page: deflated and written as text, each under a name."""

from __future__ import annotations

import base64
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Blocks:
    """Parts of a page by name, in the order in which they came.

    Attributes
    ----------
    texts : dict of str to str
        Base 64 of each part's bytes, deflated (zlib) but for pictures.
    """

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    def add(self, name: str, values: NDArray[Any]) -> str:
        """Add an array, its elements in C order and little-endian; return its name."""
        raw = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<")).tobytes()
        return self._keep(name, zlib.compress(raw, 6))

    def add_picture(self, name: str, png: bytes) -> str:
        """Add the bytes of a picture; return its name."""
        return self._keep(name, png)

    def _keep(self, name: str, content: bytes) -> str:
        if name in self.texts:
            raise ValueError(f"{name}: there is a block of that name")
        self.texts[name] = base64.b64encode(content).decode("ascii")
        return name
