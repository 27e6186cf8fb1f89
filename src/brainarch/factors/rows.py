"""The rows of X, a pixel each, in fixed blocks: all that a factorisation reads of its cubes.

A block is a chunk of a cube: a pass reads each once and has few of them in memory. What a pass sums
is summed block by block in their order, so that it depends neither on the threads nor on whether
the blocks are held in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from brainarch.dense.cube import Cube
from brainarch.errors import InputError

#: Rows of a block that comes from an array.
BLOCK_ROWS = 16384
#: Rows are held in memory if they need no more bytes than this, else read again in every pass.
HELD_BYTES = 512 * 2**20

T = TypeVar("T")


@dataclass(frozen=True)
class Rows:
    """Representations in fixed blocks.

    Parameters
    ----------
    read : callable
        Returns a block by its index: float32, shape (its size, units).
    sizes : tuple of int
        Rows of each block.
    sources : tuple of str
        What each block comes from, for messages.
    units : int
        Length of a row.
    """

    read: Callable[[int], NDArray[np.float32]]
    sizes: tuple[int, ...]
    sources: tuple[str, ...]
    units: int

    @classmethod
    def of(cls, X: NDArray[np.floating], source: str = "array") -> Rows:
        """Return the rows of an array, shape (n, units)."""
        values = np.ascontiguousarray(X, dtype=np.float32)
        blocks = [values[i : i + BLOCK_ROWS] for i in range(0, len(values), BLOCK_ROWS)]
        sizes = tuple(len(block) for block in blocks)
        return cls(blocks.__getitem__, sizes, (source,) * len(blocks), values.shape[1])

    @classmethod
    def of_cubes(cls, cubes: Sequence[Cube]) -> Rows:
        """Return the extracted pixels of cubes, chunk by chunk.

        Raises
        ------
        InputError
            If the cubes differ in their units.
        """
        for cube in cubes:
            if cube.units != cubes[0].units:
                raise InputError(
                    f"{cube.path}: {cube.units} units, but {cubes[0].path} has {cubes[0].units}; "
                    "cubes that are factorised together must come from one network"
                )
        places = [(cube, part) for cube in cubes for part in cube.chunks()]

        def read(index: int) -> NDArray[np.float32]:
            cube, part = places[index]
            return cube.pixels(*part)

        sizes = tuple(int(cube.extracted[part].sum()) for cube, part in places)
        return cls(read, sizes, tuple(str(cube.path) for cube, _ in places), cubes[0].units)

    @property
    def count(self) -> int:
        """Number of rows."""
        return sum(self.sizes)

    def whole(self) -> NDArray[np.float32]:
        """Return all rows in one array."""
        return np.concatenate([self.read(index) for index in range(len(self.sizes))])

    def each(self, work: Callable[[int, NDArray[np.float32]], T], threads: int) -> Iterator[T]:
        """Do something with every block, given its index and rows; yield the results in order."""
        with (
            threadpool_limits(limits=1, user_api="blas"),  # one thread a block, whatever they are
            ThreadPoolExecutor(max(1, threads)) as pool,
        ):
            yield from pool.map(lambda index: work(index, self.read(index)), range(len(self.sizes)))

    def held(self, threads: int) -> Rows:
        """Return the same rows in memory, unless they need more than `HELD_BYTES`."""
        if 4 * self.count * self.units > HELD_BYTES:
            return self
        blocks = list(self.each(lambda _, X: X, threads))
        return replace(self, read=blocks.__getitem__)

    def examined(self, most: int, threads: int) -> tuple[Rows, float]:
        """Read every row once, and see that they are finite and non-negative.

        Parameters
        ----------
        most : int
            Rows of the returned sample at most.
        threads : int

        Returns
        -------
        sample : Rows
            Every m-th row, in memory, with the least m for which they are few enough.
        energy : float
            Sum of the squares of all values.

        Raises
        ------
        InputError
            If values are negative or not finite (how many, and of which cube), or all are 0.
        """
        every = -(-self.count // most)
        firsts = np.cumsum((0, *self.sizes))

        def look(index: int, X: NDArray[np.float32]) -> tuple[NDArray[np.float32], float, int, int]:
            strange = int(X.size - np.isfinite(X).sum())
            energy = float(np.einsum("ij,ij->", X, X, dtype=np.float64))
            return X[-firsts[index] % every :: every].copy(), energy, strange, int((X < 0).sum())

        parts, energies, strange, negative = zip(*self.each(look, threads), strict=True)
        for source in dict.fromkeys(self.sources):
            own = [index for index, name in enumerate(self.sources) if name == source]
            bad = [sum(counts[index] for index in own) for counts in (strange, negative)]
            if any(bad):
                raise InputError(
                    f"{source}: {bad[0]:,} values are not finite and {bad[1]:,} negative; NMF "
                    "needs finite non-negative ones, the representation after the ReLU"
                )
        energy = float(sum(energies))
        if energy == 0:
            raise InputError(
                f"{self.sources[0]}: every unit is 0 at every pixel; train the network again"
            )
        return Rows.of(np.concatenate(parts), "sample"), energy
