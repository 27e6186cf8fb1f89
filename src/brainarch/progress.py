"""Progress bars with an estimate of the time left, in one style."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sized
from typing import Never, TypeVar

from tqdm import tqdm

T = TypeVar("T")

#: Seconds between refreshes when standard error is a log file instead of a terminal.
LOG_INTERVAL = 5.0


def progress_bar(total: int | None, desc: str, unit: str = "it") -> tqdm[Never]:
    """Return a bar that the caller advances with ``update``; use it as a context manager.

    On a terminal the bar moves in place; in a log file each refresh is a line of its own.

    Parameters
    ----------
    total : int or None
        Number of steps, if known; without it there is no estimate of the time left.
    desc : str
        What is being done, in a few words.
    unit : str
        What one step is.
    """
    if sys.stderr.isatty():
        return tqdm(total=total, desc=desc, unit=unit, unit_scale=True)
    return tqdm(
        total=total,
        desc=desc,
        unit=unit,
        unit_scale=True,
        mininterval=LOG_INTERVAL,
        ncols=100,
        ascii=True,
        bar_format="{desc}: {percentage:3.0f}% {n_fmt}/{total_fmt} "
        "[{elapsed}<{remaining}, {rate_fmt}]\n",
    )


def progress(
    iterable: Iterable[T], desc: str, total: int | None = None, unit: str = "it"
) -> Iterator[T]:
    """Yield the items of ``iterable`` while a bar with an estimate of the time left is shown."""
    if total is None and isinstance(iterable, Sized):
        total = len(iterable)
    with progress_bar(total, desc, unit) as bar:
        for item in iterable:
            yield item
            bar.update()
