"""Whether a volume fits a network that another run trained, and what to do if it does not."""

from __future__ import annotations

from collections.abc import Sequence

from brainarch.network.differences import scan_differences

#: How a config mends a pixel size and a type of grey values.
KEYS = ("volume.resample_um: {:g}", "volume.dtype: {} with a volume.window")


def misfits(
    pixel_um: tuple[float, float], dtypes: tuple[str, str], mends: tuple[str, str] = KEYS
) -> tuple[list[str], list[str]]:
    """Return why a network cannot know a volume, and what mends it; empty if it can.

    Parameters
    ----------
    pixel_um, dtypes : tuple
        This volume's and the training's.
    mends : tuple of str
        What to do about either, with ``{}`` for the training's.
    """
    found = scan_differences(pixel_um, dtypes)
    sizes = scan_differences(pixel_um, (dtypes[1], dtypes[1]))
    needed = [mends[0].format(pixel_um[1])] if sizes else []
    if dtypes[0] != dtypes[1]:
        needed.append(mends[1].format(dtypes[1]))
    return found, needed


def network_problems(
    named: Sequence[str],
    listed: Sequence[str],
    pixel_um: tuple[float, float],
    dtypes: tuple[str, str],
) -> list[str]:
    """Return what keeps a config from a network, a phrase each.

    Parameters
    ----------
    named, listed : sequence of str
        Areas that the network names, and the config's.
    pixel_um, dtypes : tuple
        The config's volume's and the training's.
    """
    problems = []
    if list(named) != list(listed):
        problems.append(
            f"names {', '.join(named)}, but the config has {', '.join(listed)}; list its areas in "
            "its order, or leave areas out"
        )
    found, mends = misfits(pixel_um, dtypes)
    if found:
        problems.append(f"{', '.join(found)}; set {' and '.join(mends)}")
    return problems
